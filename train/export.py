"""Step 6: from training's output to the files that moshi reads.

    python export.py WORK FOLDER --type q8

Types: `f32`, `bf16` (the language model as safetensors, PyTorch layout) and `q8`
(as a candle GGUF). The codec is float32 with f32, else bf16. FOLDER is then a
complete model: config.json, mimi.json, weights and tokenizer.
"""
import argparse
import json
import shutil
import struct
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

import lm as lm_module
import mimi as mimi_module

LM_NAMES = {"f32": "model.safetensors", "bf16": "model.safetensors",
            "q8": "model.q8.gguf"}


def joined(state):
    """The official files' names: projections of all weight sets in one tensor."""
    result, sets = {}, {}
    for name, tensor in state.items():
        for part, whole in ((".in_projs.", ".in_proj_weight"),
                            (".out_projs.", ".out_proj.weight")):
            if part in name:
                head, tail = name.split(part)
                sets.setdefault(head + whole, {})[int(tail.split(".")[0])] = tensor
                break
        else:
            result[name] = tensor
    for name, tensors in sets.items():
        result[name] = torch.cat([tensors[i] for i in range(len(tensors))])
    return result


def candle(state, codebooks):
    """PyTorch names to candle's: a slice of its own for each codebook."""
    result = {k: v for k, v in state.items()
              if not k.startswith(("depformer", "linears."))}
    for k in range(codebooks):
        to = f"depformer.{k}."
        result[to + "linear_in.weight"] = state[f"depformer_in.{k}.weight"]
        result[to + "linear_out.weight"] = state[f"linears.{k}.weight"]
        result[to + "emb.weight"] = state[
            f"depformer_emb.{k - 1}.weight" if k else "depformer_text_emb.weight"]
        for name, tensor in state.items():
            if not name.startswith("depformer.layers."):
                continue
            layer, rest = name[len("depformer.layers."):].split(".", 1)
            to_layer = f"{to}transformer.layers.{layer}."
            if rest.startswith("self_attn."):
                rows = tensor.shape[0] // codebooks
                result[to_layer + rest] = tensor[k * rows:(k + 1) * rows]
            elif rest.startswith("gating."):
                which, rest = rest[len("gating."):].split(".", 1)
                if int(which) == k:
                    result[f"{to_layer}gating.{rest}"] = tensor
            else:
                result[to_layer + rest] = tensor
    return result


def q8_0(x):
    """float32 [N, multiple of 32] -> bytes: blocks of a half scale, 32 int8."""
    blocks = x.reshape(-1, 32).astype(np.float32)
    scale = np.abs(blocks).max(1) / np.float32(127)
    with np.errstate(divide="ignore"):
        inverse = np.where(scale > 0, np.float32(1) / scale, np.float32(0))
    scaled = blocks * inverse[:, None]
    rounded = np.trunc(scaled + np.copysign(np.float32(0.5), scaled)).astype(np.int8)
    return np.concatenate([scale.astype(np.float16)[:, None].view(np.uint8),
                           rounded.view(np.uint8)], 1).tobytes()


def write_gguf(path, tensors):
    """As candle's tensor-tools does: version 2, no metadata, matrices in Q8_0."""
    f32, q8 = 0, 8
    header, data, offset = [], [], 0
    for name, tensor in tensors.items():
        values = tensor.float().numpy()
        quantised = values.ndim == 2 and values.shape[1] % 32 == 0
        payload = q8_0(values) if quantised else values.tobytes()
        header.append(struct.pack("<Q", len(name)) + name.encode()
                      + struct.pack("<I", values.ndim)
                      + struct.pack(f"<{values.ndim}Q", *values.shape[::-1])
                      + struct.pack("<IQ", q8 if quantised else f32, offset))
        payload += bytes(-len(payload) % 32)
        data.append(payload)
        offset += len(payload)
    head = b"GGUF" + struct.pack("<IQQ", 2, len(tensors), 0) + b"".join(header)
    path.write_bytes(head + bytes(-len(head) % 32) + b"".join(data))


def codec_tensors(mimi):
    state = joined(mimi.state_dict())
    for name in [n for n in state if n.endswith("embedding_sum")]:
        usage = name.replace("embedding_sum", "cluster_usage")
        # what counts is sum / usage: written so that rounding touches it once
        state[name] = state[name] / state[usage].clamp(min=1e-5)[:, None]
        state[usage] = torch.ones_like(state[usage])
    return state


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--type", choices=sorted(LM_NAMES), required=True)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    codec = args.work / "codec_final.pt"
    mimi = mimi_module.load_mimi(codec if codec.exists() else args.work / "codec.pt")
    lm = lm_module.load_lm(args.work / "lm.pt")
    kind = torch.float32 if args.type == "f32" else torch.bfloat16
    save_file({k: v.to(kind).contiguous() for k, v in codec_tensors(mimi).items()},
              args.folder / "mimi.safetensors")
    state = joined(lm.state_dict())
    if args.type == "q8":
        write_gguf(args.folder / LM_NAMES["q8"], candle(state, lm.dep_q))
    else:
        save_file({k: v.to(kind).contiguous() for k, v in state.items()},
                  args.folder / LM_NAMES[args.type])
    config = {**lm_module.CONFIG, "moshi_name": LM_NAMES[args.type],
              "mimi_name": "mimi.safetensors", "mimi_config_name": "mimi.json",
              "tokenizer_name": "tokenizer.model",
              "lm_gen_config": {"temp": 0.0, "temp_text": 0.0}}
    for name, document in (("config.json", config), ("mimi.json", mimi_module.CONFIG)):
        (args.folder / name).write_text(json.dumps(document, indent=2) + "\n")
    shutil.copy(args.work / "tokenizer.model", args.folder / "tokenizer.model")
    for path in sorted(args.folder.iterdir()):
        print(f"{path.stat().st_size:10,} {path.name}")


if __name__ == "__main__":
    main()
