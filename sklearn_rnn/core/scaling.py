"""Units: features and targets relative to their means, in standard deviations."""

from typing import NamedTuple

import numpy as np


class Scaling(NamedTuple):
    """x' = (x - mean) / scale, for each feature or each output, in float64."""

    mean: np.ndarray
    scale: np.ndarray

    def apply(self, rows: np.ndarray) -> np.ndarray:
        """Return rows (n, features) without units, in float64: a large mean costs no digits."""
        rows = rows - self.mean
        rows /= self.scale
        return rows

    def undo(self, rows: np.ndarray) -> np.ndarray:
        """Return rows (n, outputs) in their units, in float64."""
        return rows * self.scale + self.mean


class Units(NamedTuple):
    """The units without which a network works; None stands for values that are used as they are."""

    inputs: Scaling | None = None
    targets: Scaling | None = None
