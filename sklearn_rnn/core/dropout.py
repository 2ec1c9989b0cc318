"""Dropout (Srivastava et al. 2014).

Training multiplies by masks whose mean is 1, so prediction works without a mask.
"""

from dataclasses import dataclass

import numpy as np

from sklearn_rnn.core.packing import Packing


@dataclass(frozen=True)
class Dropout:
    """Sets each unit to zero with probability `rate`."""

    rate: float
    rng: np.random.Generator

    def mask(self, shape: tuple[int, ...], dtype) -> np.ndarray:
        """Draw a mask of factors: 0 with probability `rate`, and 1 / (1 - rate) otherwise."""
        return (self.rng.random(shape) >= self.rate) * np.array(1 / (1 - self.rate), dtype)

    def column_mask(self, n_rows: int, packing: Packing, dtype) -> np.ndarray:
        """Draw a mask (n_rows, packed columns)."""
        return self.mask((n_rows, packing.n_columns), dtype)
