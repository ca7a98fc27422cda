"""Impulse responses of rooms: the first reflections of a box (image sources), then a tail that decays."""

from __future__ import annotations

import numpy as np

from data.voices.interface import SAMPLE_RATE

SOUND_METRES_A_SECOND = 343.0


def room_response(reverberation_seconds: float, generator: np.random.Generator) -> np.ndarray:
    """`[samples]` with the direct sound at 0; `reverberation_seconds` is the time to fall by 60 dB.

    The box, the speaker and the microphone are drawn; reflections up to the second order are placed exactly
    (Allen and Berkley 1979), later ones are noise under the exponential decay that Sabine's formula implies.
    """
    box = generator.uniform((2.5, 2.5, 2.2), (9.0, 7.0, 3.5))
    speaker = generator.uniform(0.2, 0.8, 3) * box
    microphone = generator.uniform(0.2, 0.8, 3) * box
    length = int(reverberation_seconds * SAMPLE_RATE) + 1
    response = np.zeros(length, np.float64)
    volume, surface = box.prod(), 2 * (box[0] * box[1] + box[1] * box[2] + box[0] * box[2])
    absorption = min(0.95, 0.161 * volume / (surface * reverberation_seconds))
    reflection = np.sqrt(1 - absorption)
    direct = max(0.3, float(np.linalg.norm(speaker - microphone)))
    orders = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3, indexing="ij"), -1).reshape(-1, 3)
    for order in orders[np.abs(orders).sum(1) <= 2]:
        even = order % 2 == 0
        image = order * box + np.where(even, speaker, box - speaker)
        distance = max(0.3, float(np.linalg.norm(image - microphone)))
        at = int((distance - direct) / SOUND_METRES_A_SECOND * SAMPLE_RATE)
        if 0 <= at < length:
            response[at] += reflection ** np.abs(order).sum() * direct / distance
    time = np.arange(length) / SAMPLE_RATE
    tail = generator.standard_normal(length) * 10 ** (-3 * time / reverberation_seconds)
    tail[: int(0.01 * SAMPLE_RATE)] = 0
    # The tail's energy against the direct sound grows with distance; beyond the critical distance it leads.
    critical = 0.057 * np.sqrt(volume / reverberation_seconds)
    energy = (direct / critical) ** 2 * response[0] ** 2
    response += tail * np.sqrt(min(energy, 4.0) / (np.sum(tail**2) + 1e-9))
    return response.astype(np.float32)
