"""What lies in a worker process: a replica of the network, which works on a part of each batch."""

from typing import NamedTuple

import numpy as np

from sklearn_rnn._parallel.memory import SharedMemory, Sizes
from sklearn_rnn.core.architecture import Architecture
from sklearn_rnn.core.batch_loss import BatchLoss, Dropouts, TrainingLoss
from sklearn_rnn.core.dropout import Dropout
from sklearn_rnn.core.network import Carry, Network
from sklearn_rnn.core.packing import Batch, FlatBatch, Packing
from sklearn_rnn.core.parameters import Parameters
from sklearn_rnn.core.scaling import Units


class Part(NamedTuple):
    """What a worker is told about its part of a segment; the timesteps lie in its slot.

    lengths : (batch,), of the whole batch
    dtype : of the timesteps
    goes_on : whether the part goes on where the segment before it ended
    rng_state : of the generator that draws dropout's masks; None without dropout
    """

    lengths: np.ndarray
    dtype: np.dtype
    goes_on: bool
    rng_state: dict | None


def dealt(n: int, k: int, n_workers: int) -> np.ndarray:
    """Return the numbers of the sequences that worker k gets of n.

    They are dealt out in turn. The lengths decrease, so each worker gets about as many timesteps.
    """
    return np.arange(k, n, n_workers)


class Blueprint(NamedTuple):
    """What a network consists of, but for the values of its parameters.

    shapes : of the parameters, of which the architecture may use only some
    """

    architecture: Architecture
    shapes: dict[str, tuple[int, ...]]
    units: Units

    @classmethod
    def of(cls, network: Network) -> "Blueprint":
        return cls(network.architecture, network.parameters.shapes, network.units)


class Replica:
    """A network with the parameters in shared memory.

    The timesteps of its batches lie in its slot there, sequence after sequence.
    """

    def __init__(self, path: str, sizes: Sizes, k: int, blueprint: Blueprint):
        self.k, self.n_workers = k, sizes.n_workers
        self.memory = SharedMemory(path, sizes)
        parameters = Parameters(blueprint.shapes, self.memory.parameters)
        self.network = Network(blueprint.architecture, parameters, blueprint.units)

    def batch(self, lengths: np.ndarray, dtype) -> FlatBatch:
        """Return the batch in the slot."""
        n_features, total = self.network.architecture.n_inputs, int(lengths.sum())
        values = np.ndarray((total, n_features), dtype, self.memory.slots[self.k])
        return FlatBatch(values, np.cumsum(lengths) - lengths, lengths)

    def refresh(self) -> None:
        """Take over the parameters in the shared memory."""
        self.network.refresh()

    def compute(self, method: str, lengths: np.ndarray, dtype) -> np.ndarray:
        """Return what `Network.predict` or `Network.features` returns, (n_rows, n).

        lengths : in decreasing order
        """
        whole = self.batch(lengths, dtype)
        per_step = self.network.architecture.return_sequences
        starts = whole.starts if per_step else np.arange(len(lengths))
        n_rows = int(lengths.sum()) if per_step else len(lengths)
        return getattr(self.network, method)(lengths, whole.take, starts, n_rows)


class TrainingReplica(Replica):
    """A replica that also computes gradients. They go into its row of the shared memory."""

    def __init__(self, path, sizes, k, blueprint, loss: TrainingLoss, rates: tuple[float, float]):
        super().__init__(path, sizes, k, blueprint)
        gradients = Parameters(blueprint.shapes, self.memory.gradients[k])
        self.rng = np.random.default_rng()
        self.dropouts = Dropouts.of(self.rng, *rates)
        self.of_batch = BatchLoss(self.network, loss, Dropouts(), gradients)
        self.carry: Carry | None = None

    def evaluate(self, part: Part, targets: np.ndarray, weights: np.ndarray):
        """Return the losses that `BatchLoss.evaluate` returns, and the state of the generator."""
        batch = self._begin(part)
        value, loss, self.carry = self.of_batch.evaluate(batch, targets, weights, self.carry)
        return value, loss, self._rng_state(part)

    def pass_over(self, part: Part):
        """Run over a part without targets; return the state of the generator."""
        self.carry = self.of_batch.pass_over(self._begin(part), self.carry)
        return (self._rng_state(part),)

    def _begin(self, part: Part) -> Batch:
        self.refresh()
        if not part.goes_on:
            self.carry = None
        numbers = dealt(len(part.lengths), self.k, self.n_workers)
        batch = self.batch(part.lengths[numbers], part.dtype)
        if part.rng_state is not None:
            self.rng.bit_generator.state = part.rng_state
            whole = Packing(part.lengths)
            self.of_batch.dropouts = Dropouts(
                *(
                    None if dropout is None else DealtDropout(dropout, whole, numbers)
                    for dropout in self.dropouts
                )
            )
        return batch

    def _rng_state(self, part: Part) -> dict | None:
        return None if part.rng_state is None else self.rng.bit_generator.state


class DealtDropout:
    """Draws masks for a whole batch, and gives the columns of a part of it.

    So the masks are the same for any number of workers.

    numbers : those of the part's sequences in the whole batch
    """

    def __init__(self, dropout: Dropout, whole: Packing, numbers: np.ndarray):
        self.dropout = dropout
        self.whole = whole
        self.numbers = numbers

    def mask(self, shape: tuple[int, int], dtype) -> np.ndarray:
        """Return a mask (rows, sequences) of the part."""
        whole = shape[0], len(self.whole.lengths)
        return self.dropout.mask(whole, dtype)[:, self.numbers]

    def column_mask(self, n_rows: int, part: Packing, dtype) -> np.ndarray:
        """Return a mask (rows, packed columns) of the part."""
        columns = self.whole.columns_of(part, self.numbers)
        return self.dropout.column_mask(n_rows, self.whole, dtype)[:, columns]
