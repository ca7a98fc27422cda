"""The data's augmentation, drawn anew each time a clip is heard."""

from __future__ import annotations

import numpy as np

from data.augmentation import AugmentationSettings, augment


class Augmenter:
    """A class and no closure, because loading processes have to be sent it."""

    def __init__(self, settings: AugmentationSettings, share: float) -> None:
        """`share`: of the clips, those that are changed at all."""
        self.settings, self.share = settings, share

    def __call__(self, sound: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        return augment(sound, generator, self.settings)[0] if generator.random() < self.share else sound
