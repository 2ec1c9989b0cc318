"""Which sequences are predicted side by side, and how they are packed.

Both follow from the lengths of the sequences alone. To lay out a few short sequences takes longer
than to compute with them. Calls often have the same lengths, so these layouts are kept.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from sklearn_rnn.core.packing import Chunk, Packing, decreasing

# How many sequences are predicted side by side. More are not faster, and take more memory.
PREDICT_BATCH = 256

# The calls whose layouts are kept: how many, and with how many timesteps at most.
MAX_KEPT = 8
KEPT_TIMESTEPS = 1024


class Layout(NamedTuple):
    """How some sequences are predicted side by side."""

    chosen: np.ndarray  # the numbers of the sequences, by decreasing length
    packing: Packing
    chunks: Iterable[Chunk]


class Layouts:
    """The layouts of a network, which belong to one thread."""

    def __init__(self):
        self._kept: dict[tuple[bytes, int], list[Layout]] = {}

    def of(self, lengths: np.ndarray, max_columns: int) -> Iterable[Layout]:
        """Return the layouts of all sequences.

        lengths : (n_sequences,), in any order
        max_columns : how many packed columns a chunk may have in training
        """
        if len(lengths) > KEPT_TIMESTEPS:
            return new_layouts(lengths, max_columns)
        key = lengths.tobytes(), max_columns
        layouts = self._kept.get(key)
        if layouts is None:
            if lengths.sum() > KEPT_TIMESTEPS:
                return new_layouts(lengths, max_columns)
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            new = new_layouts(lengths, max_columns)
            layouts = [layout._replace(chunks=list(layout.chunks)) for layout in new]
            self._kept[key] = layouts
        return layouts


def new_layouts(lengths: np.ndarray, max_columns: int) -> Iterator[Layout]:
    order = decreasing(lengths)
    for start in range(0, len(order), PREDICT_BATCH):
        chosen = order[start : start + PREDICT_BATCH]
        yield layout_of(chosen, Packing(lengths[chosen]), max_columns)


def layout_of(chosen: np.ndarray, packing: Packing, max_columns: int) -> Layout:
    # Longer chunks than in training, since there is no backward pass.
    return Layout(chosen, packing, packing.chunks(2 * max_columns))
