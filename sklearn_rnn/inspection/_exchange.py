"""Values that sequences exchange with one another, while everything else stays where it is."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sklearn_rnn._input.content import ANYTHING
from sklearn_rnn._input.frames import is_frame
from sklearn_rnn._input.sequences import as_sequences
from sklearn_rnn.preprocessing._timesteps import Timesteps, framed, library_of


class Part(NamedTuple):
    """What is exchanged: some features, from timestep `first` to timestep `end` - 1."""

    features: Sequence[int]
    first: int
    end: int


class Exchangeable:
    """Sequences in any container, of which parts can be exchanged.

    X : as the user gave it; an estimator gets the same container with exchanged values
    """

    def __init__(self, X):
        self._X = X
        self._sequences = as_sequences(X, ANYTHING)
        self._timesteps = Timesteps(X, self._sequences)
        lengths = self._sequences.lengths
        self.lengths = lengths
        self._steps = np.arange(lengths.sum()) - np.repeat(self._sequences.starts, lengths)

    @property
    def n_features(self) -> int:
        return self._sequences.n_features

    def donors(self, order: np.ndarray) -> np.ndarray:
        """Return the row whose values each row gets if all values are exchanged, (total,).

        Sequence i gets the values of sequence order[i]. Where that one has ended, it goes on with
        the next one in the cycle of `order` that hasn't: order[order[i]], and so on, up to itself.
        So at each timestep all sequences that have it exchange their values among themselves.
        """
        starts = self._sequences.starts
        if np.ptp(self.lengths) == 0:
            return (starts[order, np.newaxis] + np.arange(self.lengths[0])).ravel()
        rows = np.empty(len(self._steps), dtype=int)
        lengths, starts, order = self.lengths.tolist(), starts.tolist(), order.tolist()
        for i, (start, length) in enumerate(zip(starts, lengths, strict=True)):
            step, donor = 0, order[i]
            while step < length:
                end = min(length, lengths[donor])
                if end > step:
                    rows[start + step : start + end] = starts[donor] + np.arange(step, end)
                    step = end
                donor = order[donor]
        return rows

    def exchanged(self, part: Part, donors: np.ndarray):
        """Return X in its container, with one part exchanged.

        donors : (total,), the row that each row's values come from
        """
        is_inside = (self._steps >= part.first) & (self._steps < part.end)
        source = np.where(is_inside, donors, np.arange(len(donors)))
        rows = _exchange_columns(self._timesteps.rows, part.features, source)
        return self._restored(rows)

    def _restored(self, rows):
        X, is_table = self._X, self._sequences.container == "table"
        restored = self._timesteps.restore(rows, lambda: X.columns)
        if is_table and isinstance(X, (list, tuple)):
            return list(restored)  # sequences for an estimator that was fitted on sequences
        if is_table and is_frame(X):
            return framed(restored, X, X.columns, library_of(X))
        return restored


def _exchange_columns(rows, features: Sequence[int], source: np.ndarray):
    """Return rows, an array or a DataFrame, in which some columns come from the rows `source`."""
    if isinstance(rows, np.ndarray):
        rows = rows.copy()
        for feature in features:
            rows[:, feature] = rows[source, feature]
    elif hasattr(rows, "isetitem"):  # pandas
        rows = rows.copy()
        for feature in features:
            rows.isetitem(feature, rows.iloc[:, feature].array.take(source))
    else:  # polars
        rows = rows.with_columns([rows.to_series(feature).gather(source) for feature in features])
    return rows
