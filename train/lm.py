"""nano's language model and its text: the official modules, smaller numbers."""
import io
import json
from pathlib import Path

import sentencepiece
import torch
from moshi.models.lm import LMModel

import domain

CONFIG = json.loads((Path(__file__).parent / "lm.json").read_text())
PAD, WORD_FOLLOWS = 3, 0  # text ids: nothing is said; a word begins next frame


def new_lm(config=CONFIG):
    kwargs = {k: v for k, v in config.items() if k not in
              ("model_type", "lm_gen_config", "moshi_name", "mimi_name",
               "mimi_config_name", "tokenizer_name", "depformer_context",
               "depformer_causal")}
    return LMModel(**kwargs, dtype=torch.float32)


def load_lm(path):
    lm = new_lm()
    state = torch.load(path, map_location="cpu", weights_only=False)
    lm.load_state_dict(state["lm"])
    return lm.eval()


def make_tokenizer(path):
    """Learn the pieces of the replies. Ids 0 to 3 are Moshi's special ones."""
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(domain.replies() * 4), model_writer=out,
        model_type="bpe", vocab_size=CONFIG["text_card"], unk_id=0, bos_id=1, eos_id=2,
        pad_id=3, character_coverage=1.0, hard_vocab_limit=False,
        normalization_rule_name="identity", minloglevel=2)
    Path(path).write_bytes(out.getvalue())


def load_tokenizer(path):
    return sentencepiece.SentencePieceProcessor(model_file=str(path))
