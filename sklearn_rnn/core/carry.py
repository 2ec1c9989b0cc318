"""What goes from one segment of a batch to the next: states, and what pools have read."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sklearn_rnn.core.layer import LayerCarry
from sklearn_rnn.core.pooling import Pool


class Carry(NamedTuple):
    """What a network hands on from one segment of a batch to the next."""

    layers: Sequence[LayerCarry]
    pools: Sequence[Pool]

    @property
    def arrays(self) -> list[np.ndarray]:
        """The states, layer by layer, and then what the pools hand on, each (..., n_sequences)."""
        states = [state for layer in self.layers for state in layer.states]
        return states + [array for pool in self.pools for array in pool.arrays.values()]

    def take(self, chosen: np.ndarray) -> "Carry":
        """Return a copy for some of the sequences, without masks."""
        layers = [LayerCarry([state[:, chosen] for state in layer.states]) for layer in self.layers]
        return Carry(layers, [pool.take(chosen) for pool in self.pools])

    def put(self, chosen: np.ndarray | slice, other: "Carry") -> None:
        """Overwrite the states and pools of some of the sequences."""
        for mine, others in zip(self.arrays, other.arrays, strict=True):
            mine[..., chosen] = others
