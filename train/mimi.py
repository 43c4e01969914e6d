"""nano's codec: the official modules with smaller numbers."""
import json
from pathlib import Path

import torch
from torch import nn
from moshi.models.compression import MimiModel
from moshi.modules import SEANetDecoder, SEANetEncoder, transformer
from moshi.quantization import SplitResidualVectorQuantizer

CONFIG = json.loads((Path(__file__).parent / "mimi.json").read_text())
FRAME_SAMPLES = 1920


def new_mimi(config=CONFIG):
    encoder = SEANetEncoder(**config["seanet"])
    rate = config["sample_rate"] / encoder.hop_length
    return MimiModel(
        encoder, SEANetDecoder(**config["seanet"]),
        SplitResidualVectorQuantizer(**config["quantizer"]),
        channels=1, sample_rate=config["sample_rate"], frame_rate=config["frame_rate"],
        encoder_frame_rate=rate, causal=True, resample_method="conv",
        encoder_transformer=transformer.ProjectedTransformer(**config["transformer"]),
        decoder_transformer=transformer.ProjectedTransformer(**config["transformer"]))


def init_mimi(mimi):
    """Weights that hand a signal of unit size from layer to layer.

    PyTorch's own start lets the sound fade through a dozen layers until the
    biases drown it, and training stands still for thousands of steps.
    """
    for module in mimi.modules():
        if isinstance(module, (nn.Conv1d, nn.ConvTranspose1d)):
            fan = module.in_channels * module.kernel_size[0] / module.groups
            if isinstance(module, nn.ConvTranspose1d):
                fan /= module.stride[0]  # taps that meet in one output
            nn.init.normal_(module.weight, std=(1.3 / fan) ** 0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    with torch.no_grad():
        mimi.encoder.model[0].conv.conv.weight *= 10  # speech is about 0.1 loud
        mimi.decoder.model[-1].conv.conv.weight *= 0.1
    return mimi


def load_mimi(path):
    """A trained codec, ready to encode and decode."""
    mimi = new_mimi()
    state = torch.load(path, map_location="cpu")
    mimi.load_state_dict(state["mimi"] if "mimi" in state else state)
    return mimi.eval()
