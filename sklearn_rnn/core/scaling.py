"""Units: features and targets relative to their means, in standard deviations."""

from typing import NamedTuple

import numpy as np

# How many numbers a ufunc works on at a time, at least: on rows of a few features it would spend
# its time between the rows.
RUN = 1024


class Scaling(NamedTuple):
    """x' = (x - mean) / scale, for each feature or each output, in float64."""

    mean: np.ndarray
    scale: np.ndarray

    def apply(self, rows: np.ndarray) -> np.ndarray:
        """Return rows (n, outputs) without units, in float64."""
        return (rows - self.mean) / self.scale

    def undo(self, rows: np.ndarray) -> np.ndarray:
        """Return rows (n, outputs) in their units, in float64."""
        return rows * self.scale + self.mean


class Units(NamedTuple):
    """The units without which a network works; None stands for values that are used as they are."""

    inputs: Scaling | None = None
    targets: Scaling | None = None


class Standardizer:
    """Takes the units from rows, in the precision of a network.

    The mean is the sum of two numbers of that precision. So a large mean costs no digits, though
    nothing is computed in float64.
    """

    def __init__(self, scaling: Scaling, dtype):
        high = scaling.mean.astype(dtype)
        low = (scaling.mean - high).astype(dtype)
        scale = np.maximum(scaling.scale, np.finfo(dtype).tiny).astype(dtype)
        n_rows = -(-RUN // len(high))  # the statistics of so many rows lie behind one another
        self.high, self.low, self.scale = (np.tile(part, n_rows) for part in (high, low, scale))

    def apply(self, rows: np.ndarray) -> np.ndarray:
        """Return rows (n, features) without units. C-contiguous rows are overwritten."""
        if rows.dtype != self.high.dtype or not rows.flags.c_contiguous:
            rows = rows.astype(np.result_type(rows, self.high), order="C", copy=False)
        flat, run = rows.reshape(-1), len(self.high)
        n_in_runs = flat.size - flat.size % run
        if n_in_runs:
            self._apply(flat[:n_in_runs].reshape(-1, run))
        if n_in_runs < flat.size:
            self._apply(flat[n_in_runs:])
        return rows

    def _apply(self, part: np.ndarray) -> None:
        numbers = slice(part.shape[-1])
        part -= self.high[numbers]
        part -= self.low[numbers]
        part /= self.scale[numbers]

    def backward(self, d_columns: np.ndarray) -> None:
        """Turn gradients on values without units into those on the values, in place.

        d_columns : (features, n)
        """
        n_features = len(d_columns)
        d_columns /= self.scale[:n_features, np.newaxis]  # x' = (x - mean) / scale
