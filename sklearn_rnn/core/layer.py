"""The interface of a layer, whether it runs in one direction of time or in both.

A layer is a stage in a pipeline of generators. In the forward pass it takes the chunks that the
layer below yields, one at a time, and yields its own outputs at once. The layer above reads them
while they are still in the cache, and nobody stores more than a chunk. The backward pass is the
same pipeline in the other direction: from the top layer to the lowest, and from the last chunk to
the first.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sklearn_rnn.core.packing import Chunk, Packing

# What the layers pass on: a chunk, and one item for each of its spans.
Flow = Iterator[tuple[Chunk, Sequence]]


class LayerCarry(NamedTuple):
    """What a layer hands on from one segment of a batch to the next.

    The columns of sequences that have ended are kept, behind those of running sequences.

    states : each (H, batch or more), at the end of the segment; None for zeros
    recurrent_mask : (n_outputs, batch or more). Recurrent dropout multiplies by it the h that the
        next timestep reads. A sequence keeps its mask for all of its timesteps. None for no
        recurrent dropout.
    """

    states: Sequence[np.ndarray] | None = None
    recurrent_mask: np.ndarray | None = None


@dataclass(eq=False)
class LayerTape:
    """What the forward pass of a layer writes, for its backward pass and for the next segment.

    records : what `Layer.records` returned, the memory of all chunks. With None the layer keeps
        only the present chunk, and no backward pass is possible.
    carry : at first what the layer starts from, and after the forward pass what it hands on
    """

    packing: Packing
    records: Any
    carry: LayerCarry


class Layer(ABC):
    """A recurrent layer; it runs over the chunks of a batch."""

    n_inputs: int
    dtype: np.dtype

    @property
    @abstractmethod
    def n_outputs(self) -> int: ...

    @property
    @abstractmethod
    def rows_per_step(self) -> int:
        """How many rows of memory the backward pass works on at a time, for one timestep."""

    @abstractmethod
    def initialize(self, parameters: Mapping[str, np.ndarray], rng: np.random.Generator) -> None:
        """Draw starting values of the parameters, in place."""

    @abstractmethod
    def refresh(self, parameters: Mapping[str, np.ndarray]) -> None:
        """Compute with these parameters from now on."""

    @abstractmethod
    def records(self, chunks: Sequence[Chunk], h_apart: bool) -> Any:
        """Return memory for these chunks, as a tape takes it. It overwrites all earlier records.

        h_apart : whether h needs memory of its own, because blocks are to hold masked h
        """

    @abstractmethod
    def forward(self, tape: LayerTape, inputs: Flow) -> Flow:
        """Run over chunks from first to last; yield each with h of its spans.

        inputs : each chunk with x of its spans, (n_steps, n_inputs, batch)
        yields : each chunk with h of its spans, (n_steps, n_outputs, batch), as views. Use them
            before you ask for the next chunk.
        """

    @abstractmethod
    def backward(
        self,
        tape: LayerTape,
        d_outputs: Flow,
        gradients: Mapping[str, np.ndarray],
        input_gradient: bool,
    ) -> Flow:
        """Run over chunks from last to first; add to the gradients on the parameters.

        d_outputs : each chunk with the gradient on h of its spans: an item for each timestep,
            (n_outputs, batch), or None for zeros
        input_gradient : whether to compute the gradient on x
        yields : each chunk with the gradient on x of its spans, (n_steps, n_inputs, batch), or None
        """


def masked(flow: Flow, mask: np.ndarray | None) -> Flow:
    """Multiply by a mask (rows, packed columns), if any: h when going up, d_h when going down."""
    if mask is None:
        return flow
    return (
        (chunk, [span.unpack(mask) * array for span, array in zip(chunk, arrays, strict=True)])
        for chunk, arrays in flow
    )
