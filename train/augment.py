"""What happens to a user's voice before it is heard: room, noise, level."""
import numpy as np
from scipy.signal import fftconvolve, lfilter

from espeak import SAMPLE_RATE


def noise(rng: np.random.Generator, count, dbfs):
    """Noise of a random colour, by its root mean square in dB of full scale."""
    white = rng.standard_normal(count).astype(np.float32)
    pole = rng.choice([0.0, 0.0, 0.7, 0.95])    # white twice as often
    coloured = lfilter([1], [1, -pole], white) if pole else white
    if rng.random() < 0.2:
        hum = np.sin(2 * np.pi * rng.choice([50, 60, 100, 120])
                     * np.arange(count) / SAMPLE_RATE)
        coloured = coloured / coloured.std() + hum
    return (coloured / coloured.std() * 10 ** (dbfs / 20)).astype(np.float32)


def room(rng: np.random.Generator, samples):
    """A small room: a direct sound and a tail that dies away in 0.1 to 0.35 s."""
    count = int(0.3 * SAMPLE_RATE)
    tail = rng.standard_normal(count) * np.exp(
        -np.arange(count) / SAMPLE_RATE * 6.9 / rng.uniform(0.1, 0.35))
    tail[:int(0.003 * SAMPLE_RATE)] = 0
    response = tail * (rng.uniform(0.1, 0.5) / np.sqrt((tail ** 2).sum()))
    response[0] = 1
    return fftconvolve(samples, response)[:len(samples)].astype(np.float32)
