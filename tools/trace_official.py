#!/usr/bin/env python3
"""Trace the official PyTorch engine under the names of moshi.c.

    pip install moshi
    moshi trace -m MODEL hello.wav --out ours.safetensors --frames :25
    tools/trace_official.py ours.safetensors official.safetensors \\
        --lm model.safetensors --config config.json --mimi mimi.safetensors
    moshi diff ours.safetensors official.safetensors

Runs the official package over the frames of a trace of ours: the encoder on
its samples, the language model on the tokens that its steps read and produced,
the decoder on its codes. So every part is given the same input, and a
difference is one of that part. Forward hooks record what the modules compute;
docs/TRACE.md lists the names. The trace must begin with frame 0 (streams have a
past) and hold mimi.encoder.pcm.

The language model file must be in the PyTorch layout. The official codec keeps
a ring of keys in which the first step of a frame sees one key less than the
model was trained with; ours does not. They are the same until the ring is full,
which takes 125 frames in the published codec: compare at most so many.
"""
import argparse
import json
import os
import struct

os.environ.setdefault("NO_TORCH_COMPILE", "1")
os.environ.setdefault("NO_CUDA_GRAPH", "1")

import numpy as np
import torch
import moshi
from moshi.models import loaders

TYPES = {"F32": np.float32, "I32": np.int32, "I64": np.int64}


def read_header(path):
    with open(path, "rb") as f:
        n, = struct.unpack("<Q", f.read(8))
        return json.loads(f.read(n)), 8 + n


def read_tensor(path, header, start, name):
    entry = header[name]
    begin, end = entry["data_offsets"]
    with open(path, "rb") as f:
        f.seek(start + begin)
        data = np.frombuffer(f.read(end - begin), TYPES[entry["dtype"]])
    return data.reshape(entry["shape"])


def write_trace(path, notes, tensors):
    """Tensors in the order of the dict: that of the operations."""
    header, at = {"__metadata__": notes}, 0
    for name, t in tensors.items():
        header[name] = {"dtype": "F32" if t.dtype == np.float32 else "I32",
                        "shape": list(t.shape),
                        "data_offsets": [at, at + t.nbytes]}
        at += t.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".part", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for t in tensors.values():
            f.write(t.tobytes())
    os.replace(path + ".part", path)


class Recorder:
    """Values by name, [frame][rows, width]; the hooks of all modules."""

    def __init__(self, frames):
        self.frames = frames
        self.frame = 0
        self.step = 0  # of the depformer: the codebook
        self.values = {}

    def put(self, name, value, channels_first=False):
        """value: [1, steps, channels], or [1, channels, steps]."""
        x = value.detach().float().cpu().numpy()[0]
        x = np.ascontiguousarray(x.T if channels_first else x)
        if name not in self.values:
            self.values[name] = np.zeros((self.frames,) + x.shape, x.dtype)
        self.values[name][self.frame] = x

    def put_ids(self, name, ids):
        x = np.asarray(ids, np.int32)
        if name not in self.values:
            self.values[name] = np.zeros((self.frames,) + x.shape, np.int32)
        self.values[name][self.frame] = x

    def output(self, module, name, channels_first=False):
        """name: text, or a function that makes it when it is needed."""
        def hook(_, inputs, value):
            self.put(name if isinstance(name, str) else name(), value,
                     channels_first)
        module.register_forward_hook(hook)

    def input(self, module, name, channels_first=False):
        def hook(_, inputs):
            self.put(name if isinstance(name, str) else name(), inputs[0],
                     channels_first)
        module.register_forward_pre_hook(hook)


def hook_layer(rec, layer, prefix):
    """One transformer layer; prefix() is its name in the plan."""
    def name(part):
        return lambda: prefix() + part
    rec.output(layer.norm1, name(".norm1"))
    for linear in layer.self_attn.in_projs:
        rec.output(linear, name(".self_attn.in_proj"))
    for linear in layer.self_attn.out_projs:
        rec.input(linear, name(".self_attn.attention"))
        rec.output(linear, name(".self_attn.out_proj"))
    rec.input(layer.norm2, name(".after_attention"))
    rec.output(layer.norm2, name(".norm2"))
    if layer.gating is None:
        rec.output(layer.linear1, name(".linear1"))
        rec.input(layer.linear2, name(".activation"))
        rec.output(layer.linear2, name(".linear2"))
    else:
        gates = layer.gating
        for gate in gates if isinstance(gates, torch.nn.ModuleList) else [gates]:
            rec.output(gate, name(".gating.linear_out"))
    rec.output(layer, prefix)


def hook_layers(rec, transformer, prefix):
    for i, layer in enumerate(transformer.layers):
        hook_layer(rec, layer, lambda i=i: "%s.layers.%d" % (prefix(), i))


def hook_seanet(rec, side, name):
    for i, module in enumerate(side.model):
        path = "%s.model.%d" % (name, i)
        for j, inner in enumerate(getattr(module, "block", [])):
            rec.output(inner, "%s.block.%d" % (path, j), True)
        rec.output(module, path, True)


def hook_codec(rec, mimi):
    hook_seanet(rec, mimi.encoder, "encoder")
    hook_layers(rec, mimi.encoder_transformer.transformer,
                lambda: "encoder_transformer.transformer")
    rec.output(mimi.downsample, "downsample", True)
    q = mimi.quantizer
    for part, name in ((q.rvq_first, "rvq_first"), (q.rvq_rest, "rvq_rest")):
        rec.output(part.input_proj, "quantizer.%s.input_proj" % name, True)
        rec.output(part.output_proj, "quantizer.%s.output_proj" % name, True)
    rec.input(mimi.upsample, "quantizer.decode", True)
    rec.output(mimi.upsample, "upsample", True)
    hook_layers(rec, mimi.decoder_transformer.transformer,
                lambda: "decoder_transformer.transformer")
    hook_seanet(rec, mimi.decoder, "decoder")


def hook_lm(rec, lm):
    step = lambda part: lambda: "depformer.%d%s" % (rec.step, part)
    rec.output(lm.text_emb, "text_emb")
    # Ours adds the text first, and each codebook to the sum: the last is all.
    rec.input(lm.transformer, "emb.%d" % (lm.num_audio_codebooks - 1))
    hook_layers(rec, lm.transformer, lambda: "transformer")
    rec.output(lm.out_norm, "out_norm")
    rec.output(lm.text_linear, "text_linear")
    for linear in lm.depformer_in:
        rec.output(linear, step(".linear_in"))
    rec.input(lm.depformer, step(".emb")) # with linear_in added
    hook_layers(rec, lm.depformer, step(".transformer"))
    for linear in lm.linears:
        rec.output(linear, step(".linear_out"))


def likeliest(logits):
    best = torch.topk(logits.float().flatten(), 2)
    return int(best.indices[0]), float(best.values[0] - best.values[1])


def run_lm(rec, lm, inputs, text, audio, frame, choices):
    """One step: what it reads, then what it produced, codebook by codebook."""
    read = torch.tensor(inputs[:, frame].astype(np.int64))[None, :, None]
    rec.put_ids("lm.tokens", inputs[None, :, frame])
    ys, logits = lm.forward_text(read.to(lm.device))
    choices.append([likeliest(logits)])
    token = int(text[frame])
    with lm.depformer.streaming(1):
        for k in range(lm.dep_q):
            rec.step = k
            given = torch.tensor([[[token]]], device=lm.device)
            logits = lm.forward_depformer(k, given, ys)
            choices[-1].append(likeliest(logits))
            token = int(audio[k, frame])


def open_lm(args):
    config = json.load(open(args.config)) if args.config else None
    for key in ("moshi_name", "mimi_name", "mimi_config_name",
                "tokenizer_name", "lora_name", "model_type", "lm_gen_config",
                "tts_config", "stt_config", "model_id"):
        if config:
            config.pop(key, None)
    lm = loaders.get_moshi_lm(args.lm, config, args.device,
                              getattr(torch, args.dtype))
    lm.depformer.set_streaming_detached(True)
    return lm.eval()


def open_mimi(args, codebooks):
    config = json.load(open(args.mimi_config)) if args.mimi_config else None
    return loaders.get_mimi(args.mimi, config, args.device, codebooks)


def notes_of(args, weights):
    return {"moshi.trace": "1",
            "engine": "moshi (PyTorch)",
            "version": moshi.__version__,
            "build": "torch " + torch.__version__,
            "backend": torch.device(args.device).type,
            "weights": weights,
            "activations": "exact",
            "produced": "forced"}


def weight_types(path):
    header, _ = read_header(path)
    return ",".join(sorted({e["dtype"] for name, e in header.items()
                            if name != "__metadata__"
                            and e["dtype"] in ("F32", "F16", "BF16")}))


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ours", help="a trace of moshi.c, from frame 0")
    parser.add_argument("out", help="the trace to write")
    parser.add_argument("--lm", help="language model, PyTorch layout")
    parser.add_argument("--config", help="its config.json")
    parser.add_argument("--mimi", required=True, help="the codec")
    parser.add_argument("--mimi-config", help="its config")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32",
                        help="of the language model's weights in memory")
    args = parser.parse_args()

    header, start = read_header(args.ours)
    read = lambda name: read_tensor(args.ours, header, start, name)
    frames = read("frames")
    if frames[0] != 0 or "mimi.encoder.pcm" not in header:
        raise SystemExit("%s: frame 0 or mimi.encoder.pcm is missing: trace "
                         "with --frames :N and without --match" % args.ours)
    n = len(frames)
    pcm, spoken = read("mimi.encoder.pcm"), read("codes_out")
    codes_in = read("codes_in")
    delay = codes_in.shape[1] - spoken.shape[1]

    rec = Recorder(n)
    mimi = open_mimi(args, max(len(codes_in), len(spoken)))
    hook_codec(rec, mimi)
    tables = {"frames": frames, "codes_in": []}
    lm, choices = None, []
    if args.lm:
        lm = open_lm(args)
        hook_lm(rec, lm)
        inputs, text, audio = (read(k) for k in ("inputs", "text_tokens",
                                                 "audio_tokens"))
        lm.streaming_forever(1)
    mimi.streaming_forever(1)
    for f in range(n):
        rec.frame = f
        sound = torch.tensor(pcm[f].T[None], device=args.device)
        rec.put("mimi.encoder.pcm", sound, True)
        codes = mimi.encode(sound)[0, :len(codes_in), 0].cpu().numpy()
        tables["codes_in"].append(codes)
        for k, code in enumerate(codes):
            rec.put_ids("quantizer.codebook.%d" % k, [[code]])
        if lm is not None:
            run_lm(rec, lm, inputs, text, audio, f, choices)
        if f >= delay and spoken[:, f - delay].min() >= 0:
            codes = torch.tensor(spoken[None, :, f - delay, None].astype(
                np.int64), device=args.device)
            rec.put_ids("mimi.decoder.codes", spoken[None, :, f - delay])
            mimi.decode(codes)

    tables["codes_in"] = np.array(tables["codes_in"], np.int32).T
    if lm is not None:
        tables["likeliest"] = np.array([[c for c, _ in row] for row in choices],
                                       np.int32).T
        tables["margins"] = np.array([[m for _, m in row] for row in choices],
                                     np.float32).T
    for name, table in tables.items():
        rec.values[name] = np.ascontiguousarray(table)
    write_trace(args.out, notes_of(args, weight_types(args.lm or args.mimi)),
                rec.values)


if __name__ == "__main__":
    main()
