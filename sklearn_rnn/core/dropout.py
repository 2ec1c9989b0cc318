"""Dropout (Srivastava et al. 2014), scaled so that the mean stays and prediction needs nothing."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Dropout:
    """Units are left out of training with a probability, at random."""

    rate: float
    rng: np.random.Generator

    def mask(self, shape: tuple[int, ...], dtype) -> np.ndarray:
        """Draw what to multiply by: 0, or 1 / (1 - rate)."""
        return (self.rng.random(shape) >= self.rate) * np.array(1 / (1 - self.rate), dtype)
