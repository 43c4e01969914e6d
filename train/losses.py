"""What the codec is trained to keep: the spectrum at several resolutions, and
what a listener that is trained against it cannot tell apart.
"""
import torch
import torch.nn.functional as F
from torch import nn

SAMPLE_RATE = 24000


def _mel_filters(count, fft):
    """Triangles [count, fft/2 + 1], evenly spaced in mel (2595 log10(1 + f/700))."""
    top = 2595 * torch.log10(torch.tensor(1 + SAMPLE_RATE / 2 / 700))
    edges = 700 * (10 ** (torch.linspace(0, 1, count + 2) * top / 2595) - 1)
    bins = torch.linspace(0, SAMPLE_RATE / 2, fft // 2 + 1)
    rise = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return torch.minimum(rise, fall).clamp(min=0)


class MelLoss(nn.Module):
    """Distance of log mel spectra, [B, 1, S] against [B, 1, S]."""

    def __init__(self, scales=((256, 24), (512, 40), (1024, 64), (2048, 96))):
        super().__init__()
        self.scales = scales
        for fft, mels in scales:
            self.register_buffer(f"mel{fft}", _mel_filters(mels, fft))
            self.register_buffer(f"window{fft}", torch.hann_window(fft))

    def _spectra(self, x, fft):
        spectrum = torch.stft(x[:, 0], fft, fft // 4, return_complex=True,
                              window=getattr(self, f"window{fft}"))
        return getattr(self, f"mel{fft}") @ spectrum.abs()

    def forward(self, x, y):
        loss = 0
        for fft, _ in self.scales:
            a, b = self._spectra(x, fft), self._spectra(y, fft)
            floor = 2e-3 * fft ** 0.5  # about the spectrum of noise at -60 dBFS
            loss = loss + F.l1_loss((a + floor).log(), (b + floor).log())
            loss = loss + 0.1 * F.l1_loss(a, b)
        return loss / len(self.scales)


class Listener(nn.Module):
    """Tells real spectra from decoded ones: convolutions over complex spectra
    of three resolutions (Défossez et al. 2022, "High Fidelity Neural Audio
    Compression", section 3.4, much reduced)."""

    def __init__(self, ffts=(512, 1024, 2048), width=16):
        super().__init__()
        self.ffts = ffts
        self.stacks = nn.ModuleList()
        for fft in ffts:
            self.register_buffer(f"window{fft}", torch.hann_window(fft))
            norm = nn.utils.parametrizations.weight_norm
            self.stacks.append(nn.ModuleList([
                norm(nn.Conv2d(2, width, (3, 9), (1, 2), (1, 4))),
                norm(nn.Conv2d(width, width, (3, 9), (1, 2), (1, 4))),
                norm(nn.Conv2d(width, width, (3, 9), (1, 2), (1, 4))),
                norm(nn.Conv2d(width, 1, (3, 3), (1, 1), (1, 1)))]))

    def forward(self, x):
        """Sound [B, 1, S] -> for each resolution the outputs of all layers."""
        results = []
        for fft, stack in zip(self.ffts, self.stacks):
            z = torch.stft(x[:, 0], fft, fft // 4, return_complex=True,
                           normalized=True, window=getattr(self, f"window{fft}"))
            h = torch.stack([z.real, z.imag], 1).transpose(2, 3)
            outputs = []
            for layer in stack:
                h = layer(h)
                outputs.append(h)
                h = F.leaky_relu(h, 0.2)
            results.append(outputs)
        return results


def listener_loss(real, fake):
    """Hinge loss of the listener itself."""
    return sum(F.relu(1 - r[-1]).mean() + F.relu(1 + f[-1]).mean()
               for r, f in zip(real, fake)) / len(real)


def fooling_loss(real, fake):
    """(adversarial, feature matching) losses of what is being listened to."""
    adversarial = sum(F.relu(1 - f[-1]).mean() for f in fake) / len(fake)
    matching = sum(F.l1_loss(a, b.detach()) / b.detach().abs().mean().clamp(min=1e-4)
                   for f, r in zip(fake, real) for a, b in zip(f[:-1], r[:-1]))
    return adversarial, matching / (len(fake) * 3)
