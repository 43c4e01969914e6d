"""Step 5: train the language model on conversations in codes.

    python train_lm.py WORK --minutes 50 --threads 2

Reads whatever lies in WORK/dialogues (new shards are picked up on the way) and
WORK/validation, starts the code embeddings from the codec's codebooks, and
writes WORK/lm.pt. Can be stopped and started again.

Beside the losses of Moshi itself (text, own codes) the temporal transformer
learns to name the user's word when it ends. That head is thrown away afterwards;
it makes the model listen long before its replies could teach it to.
"""
import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from moshi.models.lm_utils import _delay_sequence
from torch import nn

from dialogues import user_words
from lm import PAD, new_lm
from training_log import TrainingLog

OWN = slice(1, 9)
USER = slice(9, 17)


def start_from_codebooks(lm, codec):
    """Codes that sound alike begin with embeddings that are alike."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for k, embedding in enumerate(lm.emb):
            level = k % 8
            part = ("rvq_first.vq.layers.0" if level == 0
                    else f"rvq_rest.vq.layers.{level - 1}")
            part = f"quantizer.{part}._codebook."
            book = codec[part + "embedding_sum"] / codec[
                part + "cluster_usage"].clamp(min=1e-5)[:, None]
            book = (book - book.mean(0)) / book.std()
            mix = torch.randn(book.shape[1], lm.dim, generator=generator)
            size = 1.0 if level == 0 else 0.5
            embedding.weight[:len(book)] = (
                size * (book @ mix) / book.shape[1] ** 0.5 * lm.dim ** -0.25)


class Dialogues:
    """All shards of a folder, in memory."""

    def __init__(self, folder):
        self.folder, self.names = folder, set()
        self.codes = np.empty((0, 17, 288), np.int16)
        self.words = np.empty((0, 288), np.int16)
        self.refresh()

    def refresh(self):
        new = sorted(p for p in self.folder.glob("[0-9][0-9][0-9][0-9].npz")
                     if p.name not in self.names)
        shards = [np.load(p) for p in new]
        if shards:
            self.codes = np.concatenate([self.codes] + [s["codes"] for s in shards])
            self.words = np.concatenate([self.words] + [s["words"] for s in shards])
            self.names.update(p.name for p in new)

    def rows(self, which):
        return (torch.from_numpy(self.codes[which].astype(np.int64)),
                torch.from_numpy(self.words[which].astype(np.int64)))


def steps_of(lm, codes):
    """Inputs and targets [B, 17, T] of each step, delays applied."""
    initial = lm._get_initial_token().expand(len(codes), -1, -1)
    delayed = torch.cat([initial, _delay_sequence(lm.delays, codes, initial)], 2)
    return delayed[:, :, :-1], delayed[:, :, 1:]


def disturb(inputs, targets, lm, generator):
    """Hide some of what was heard, so that no single code decides."""
    user = inputs[:, USER]
    hidden = torch.rand(user.shape, generator=generator) < 0.08
    user = torch.where(hidden, torch.randint(lm.card, user.shape,
                                             generator=generator), user)
    frames = torch.rand((len(inputs), 1, inputs.shape[2]), generator=generator) < 0.02
    inputs = inputs.clone()
    inputs[:, USER] = torch.where(frames, lm.card, user)
    return inputs


@torch.no_grad()
def validate(lm, head, data):
    """Shares: replies whose every text id is right when the ids before are given;
    text ids, own codes and user words that are right."""
    lm.eval()
    whole = ids = codes_right = words_right = replies = texts = codes_all = words_all = 0
    for first in range(0, len(data.codes), 16):
        codes, words = data.rows(slice(first, first + 16))
        inputs, targets = steps_of(lm, codes)
        out, logits = lm.forward_text(inputs)
        guess = logits[:, 0].argmax(-1)
        right = guess == targets[:, 0]
        for b in range(len(codes)):
            spoken = (targets[b, 0] != PAD).nonzero().flatten().tolist()
            group = []
            for s in spoken + [10 ** 6]:
                if group and s - group[-1] > 8:
                    # when a reply begins is not judged here, only its words
                    judged = [g for g in group[1:]]
                    whole += all(right[b, g] for g in judged)
                    replies += 1
                    group = []
                group.append(s)
        said = targets[:, 0] != PAD
        ids += (right & said).sum().item()
        texts += said.sum().item()
        chosen = said.flatten().nonzero().flatten()
        flat = targets.transpose(1, 2).reshape(-1, 17)[chosen]
        audio = lm.forward_depformer_training(
            flat[:, :, None], out.reshape(-1, 1, lm.dim)[chosen])[:, :, 0]
        codes_right += (audio.argmax(-1) == flat[:, OWN]).sum().item()
        codes_all += flat[:, OWN].numel()
        named = words > 0
        words_right += (head(out)[named].argmax(-1) == words[named]).sum().item()
        words_all += named.sum().item()
    lm.train()
    return {"v_reply": whole / replies, "v_text": ids / texts,
            "v_codes": codes_right / codes_all, "v_words": words_right / words_all}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    generator = torch.Generator().manual_seed(args.seed)
    data = Dialogues(args.work / "dialogues")
    held_out = Dialogues(args.work / "validation")
    lm = new_lm()
    head = nn.Linear(lm.dim, len(user_words()) + 1)
    start_from_codebooks(lm, torch.load(args.work / "codec.pt")["mimi"])
    steps, target = 0, args.work / "lm.pt"
    parameters = list(lm.parameters()) + list(head.parameters())
    optimizer = torch.optim.AdamW(
        [{"params": [p for p in parameters if p.dim() > 1]},
         {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0}],
        args.rate, betas=(0.9, 0.98), weight_decay=0.03)
    if target.exists():
        state = torch.load(target, weights_only=False)
        lm.load_state_dict(state["lm"])
        head.load_state_dict(state["head"])
        optimizer.load_state_dict(state["optimizer"])
        steps = state["steps"]

    def save():
        part = target.with_suffix(".part")
        torch.save({"lm": lm.state_dict(), "head": head.state_dict(),
                    "optimizer": optimizer.state_dict(), "steps": steps}, part)
        part.rename(target)

    log = TrainingLog(args.work / "lm.log.jsonl")
    begin = last_save = time.time()
    lm.train()
    while (passed := (time.time() - begin) / (60 * args.minutes)) < 1:
        scale = min(1, (steps + 1) / 200) * (0.51 + 0.49 * np.cos(np.pi * passed))
        for group in optimizer.param_groups:
            group["lr"] = float(args.rate * scale)
        which = torch.randint(len(data.codes), (args.batch,), generator=generator)
        codes, words = data.rows(which.numpy())
        inputs, targets = steps_of(lm, codes)
        inputs = disturb(inputs, targets, lm, generator)
        with torch.autocast("cpu", torch.bfloat16):
            out, logits = lm.forward_text(inputs)
            logits, heard = logits[:, 0].float(), head(out).float()
        out = out.float()
        values = {"text": F.cross_entropy(logits.flatten(0, 1), targets[:, 0].flatten())}
        said = targets[:, 0] != PAD
        values["right"] = (logits.argmax(-1) == targets[:, 0])[said].float().mean()
        loss = F.cross_entropy(heard.flatten(0, 1), words.flatten(), reduction="none")
        named = words.flatten() > 0
        values["words"] = loss[named].mean() + loss[~named].mean()
        # the depformer: wherever nano speaks, and a few of the silent frames
        silence = codes[0, OWN, 0]
        busy = (targets[:, OWN] != silence[None, :, None]).any(1)
        chosen = (busy | (torch.rand(busy.shape, generator=generator) < 0.06))
        chosen = chosen.flatten().nonzero().flatten()
        chosen = chosen[torch.randperm(len(chosen), generator=generator)[:args.batch * 64]]
        flat = targets.transpose(1, 2).reshape(-1, 17)[chosen]
        with torch.autocast("cpu", torch.bfloat16):
            audio = lm.forward_depformer_training(
                flat[:, :, None], out.reshape(-1, 1, lm.dim)[chosen])[:, :, 0].float()
        # in the first step delayed codebooks have nothing to say yet
        values["audio"] = F.cross_entropy(audio.flatten(0, 1), flat[:, OWN].flatten(),
                                          ignore_index=lm.card)
        values["codes"] = (audio.argmax(-1) == flat[:, OWN]).float().mean()
        loss = 3 * values["text"] + values["audio"] + 0.3 * values["words"]
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        steps += 1
        log.add(values)
        if steps % 100 == 0:
            data.refresh()
            held = validate(lm, head, held_out) if steps % 500 == 0 else {}
            log.write(steps, dialogues=len(data.codes), **held)
        if time.time() - last_save > 180:
            save()
            last_save = time.time()
    save()


if __name__ == "__main__":
    main()
