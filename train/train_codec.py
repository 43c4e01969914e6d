"""Steps 2 and 4: train the codec; then its decoder alone, for the ear.

    python train_codec.py WORK --minutes 35 --threads 2
    python train_codec.py WORK --minutes 60 --threads 1 --decoder-only

The first writes WORK/codec.pt. The second starts from it, leaves encoder and
codebooks as they are (so that codes mean the same), trains the decoder, more on
nano's voice than on others and at last against a listener, and writes
WORK/codec_final.pt. Both can be stopped and started again.
"""
import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import augment
from losses import Listener, MelLoss, fooling_loss, listener_loss
from mimi import FRAME_SAMPLES, init_mimi, new_mimi
from training_log import TrainingLog

SEGMENT_FRAMES = 24
LISTENER_FROM = 0.5  # share of the time after which the listener joins in
LABEL_SAMPLES = 960


class _FastElu(torch.autograd.Function):
    """ELU with exp in place of expm1, twice as fast on a CPU."""

    @staticmethod
    def forward(ctx, x):
        y = x.clamp(max=0).exp_().sub_(1).add_(x.relu())
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, gradient):
        y, = ctx.saved_tensors
        return gradient * (y.clamp(max=0) + 1)


def use_fast_elu(module):
    for child in module.modules():
        if isinstance(child, nn.ELU):
            child.forward = _FastElu.apply


class Speech:
    """Random pieces of the recording, some of them disturbed."""

    def __init__(self, work, seed):
        self.sound = np.memmap(work / "speech.i16", np.int16, "r")
        self.phonemes = np.memmap(work / "phonemes.u8", np.uint8, "r")
        index = json.loads((work / "speech.json").read_text())
        self.names = index["phonemes"]
        self.own = [at // LABEL_SAMPLES for at, _, own in index["utterances"] if own]
        self.rng = np.random.default_rng(seed)

    def batch(self, size, own_share=0.0):
        """heard and wanted sound [B, 1, S], phonemes [B, S / 960].
        own_share: how many pieces begin around one of nano's utterances."""
        length = SEGMENT_FRAMES * FRAME_SAMPLES
        labels = length // LABEL_SAMPLES
        heard, wanted, phonemes = [], [], []
        for _ in range(size):
            at = int(self.rng.integers(len(self.phonemes) - labels))
            if self.rng.random() < own_share:
                at = int(self.rng.choice(self.own)) + int(self.rng.integers(-12, 12))
                at = min(max(at, 0), len(self.phonemes) - labels)
            clean = self.sound[at * LABEL_SAMPLES:][:length].astype(np.float32) / 32768
            if self.rng.random() < 0.5:
                clean = clean * self.rng.uniform(0.3, 1.2)
            sound = clean
            if self.rng.random() < 0.15:
                sound = augment.room(self.rng, sound)
            if self.rng.random() < 0.35:
                sound = sound + augment.noise(self.rng, length,
                                              self.rng.uniform(-70, -38))
            heard.append(sound)
            wanted.append(clean)
            phonemes.append(self.phonemes[at:at + labels])
        stack = lambda x: torch.from_numpy(np.stack(x))[:, None]
        return stack(heard), stack(wanted), torch.from_numpy(np.stack(phonemes)).long()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--decoder-only", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    speech = Speech(args.work, args.seed)
    mimi, mel = init_mimi(new_mimi()), MelLoss()
    use_fast_elu(mimi)
    head = nn.Conv1d(mimi.dimension, 2 * len(speech.names), 1)
    listener = Listener()
    target = args.work / ("codec_final.pt" if args.decoder_only else "codec.pt")
    source = target if target.exists() else args.work / "codec.pt"
    steps = 0
    if source.exists():
        state = torch.load(source)
        mimi.load_state_dict(state["mimi"])
        head.load_state_dict(state["head"])
        if source == target:
            steps = state["steps"]
            if args.decoder_only:
                listener.load_state_dict(state["listener"])
    decoder = [mimi.upsample, mimi.decoder_transformer, mimi.decoder]
    if args.decoder_only:
        mimi.eval()
        parameters = [p for part in decoder for p in part.parameters()]
    else:
        mimi.train()
        parameters = list(mimi.parameters()) + list(head.parameters())
    optimizer = torch.optim.AdamW(parameters, args.rate, betas=(0.8, 0.98),
                                  weight_decay=1e-3)
    judge = torch.optim.AdamW(listener.parameters(), 3e-4, betas=(0.5, 0.9))

    def save():
        torch.save({"mimi": mimi.state_dict(), "head": head.state_dict(),
                    "listener": listener.state_dict(), "steps": steps}, target)

    log = TrainingLog(args.work / f"{target.stem}.log.jsonl")
    begin = last_save = time.time()
    first_step = steps
    while (passed := (time.time() - begin) / (60 * args.minutes)) < 1:
        # up in 100 steps, then down along a cosine to a twentieth
        scale = min(1, (steps - first_step + 1) / 100) * (0.525 + 0.475 * np.cos(np.pi * passed))
        for group in optimizer.param_groups:
            group["lr"] = float(args.rate * scale)
        heard, wanted, phonemes = speech.batch(
            args.batch, 0.35 if args.decoder_only else 0.0)
        with torch.set_grad_enabled(not args.decoder_only):
            with torch.autocast("cpu", torch.bfloat16):
                latent = mimi.encoder(heard)
            latent, = mimi.encoder_transformer(latent.float())
            latent = mimi.downsample(latent)
            semantic = mimi.quantizer.rvq_first(latent, 12.5)
            acoustic = mimi.quantizer.rvq_rest(latent, 12.5)
        latent, = mimi.decoder_transformer(mimi.upsample(semantic.x + acoustic.x))
        with torch.autocast("cpu", torch.bfloat16):
            decoded = mimi.decoder(latent)
        decoded = decoded.float()
        values = {"mel": mel(decoded, wanted), "wave": F.l1_loss(decoded, wanted)}
        loss = values["mel"] + values["wave"]
        if args.decoder_only and passed > LISTENER_FROM:
            real = listener(wanted)
            values["listener"] = listener_loss(real, listener(decoded.detach()))
            judge.zero_grad()
            values["listener"].backward()
            judge.step()
            with torch.no_grad():
                real = listener(wanted)
            adversarial, matching = fooling_loss(real, listener(decoded))
            values.update(adversarial=adversarial, matching=matching)
            loss = loss + 0.15 * adversarial + 0.3 * matching
        elif not args.decoder_only:
            logits = head(semantic.x).view(args.batch, 2, len(speech.names), -1)
            logits = logits.permute(0, 3, 1, 2).reshape(-1, len(speech.names))
            values["phoneme"] = F.cross_entropy(logits, phonemes.flatten())
            values["right"] = (logits.argmax(-1) == phonemes.flatten()).float().mean()
            values["commit"] = semantic.penalty + acoustic.penalty
            values["entropy"] = acoustic.metrics["rvq_entropy"]
            values["entropy0"] = semantic.metrics["rvq_entropy"]
            loss = loss + 0.5 * values["phoneme"] + 0.1 * values["commit"]
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 5.0)
        optimizer.step()
        steps += 1
        log.add(values)
        if steps % 50 == 0:
            log.write(steps)
        if time.time() - last_save > 120:
            save()
            last_save = time.time()
    save()


if __name__ == "__main__":
    main()
