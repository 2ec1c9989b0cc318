"""What a cell consists of, and what the cells have in common.

A cell works on a span of n timesteps at which B sequences are running, in these arrays:

blocks : (n + 1, H + 1 + D, B)
    Block t is [h_{t-1}; 1; x_t], so that one product W block_t takes in the state, the bias and the
    input. h_t goes into the next block; of the last block only the rows of h are used.
memory : (n + 1, n_memory * H, B)
    Whatever else the backward pass needs of a timestep, and the states other than h, in slots of H
    rows. A state stands in block t as it was before timestep t, like h in `blocks`.
h : (n + 1, H, B)
    Those rows of `blocks`; or memory of its own, where recurrent dropout puts masked h there.
scratch : (n, n_scratch * H, B)
    Room for the backward pass, shared by all chunks.

The backward pass first turns `memory` (or `scratch`), in place, into factors: what it can compute
for a whole span at once, because it doesn't depend on gradients from later timesteps. Then each
timestep multiplies its factors by those gradients, in place again, and the slots `deltas` end up as
the gradient on its pre-activations. So a span takes no more memory on the way back than on the way
there, and can go back only once.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy import add, multiply, subtract, tanh

from sklearn_rnn.core.initializers import glorot_uniform, orthogonal


class Textbook(NamedTuple):
    """A cell's W, or some rows of it, under the textbook's names."""

    W_xh: np.ndarray
    W_hh: np.ndarray
    b_h: np.ndarray


class WorkingCopy(NamedTuple):
    """W as the timesteps want it, made once per update."""

    W: np.ndarray  # (n_gates * H, H + 1 + D), in forward order, the rows of sigmoids halved
    W_hh_T: np.ndarray  # (H, n_gates * H), contiguous, since products with a transpose are slower
    W_xh_T: np.ndarray  # (D, n_gates * H)
    half: np.ndarray  # ½ as a 0-d array, which a ufunc takes faster than a number
    one: np.ndarray


class Cell(ABC):
    """The base of all cells: the gates are rows of one matrix W over the block."""

    gates: tuple[str, ...]  # the order of the row blocks of W
    sigmoid_gates: tuple[str, ...] = ()
    forward_gates: tuple[str, ...] | None = None  # their order on the way there, if another
    n_states = 1  # what goes from timestep to timestep: h, and for some cells more
    n_memory: int
    n_scratch: int

    def __init__(self, hidden_size: int, activation: str):
        self.hidden_size = hidden_size
        self.activation = activation

    # The parameters.

    def shapes(self, n_inputs: int) -> dict[str, tuple[int, ...]]:
        return {"W": (len(self.gates) * self.hidden_size, self.hidden_size + 1 + n_inputs)}

    def rows(self, gate: str) -> slice:
        first = self.gates.index(gate) * self.hidden_size
        return slice(first, first + self.hidden_size)

    def textbook(self, W: np.ndarray) -> Textbook:
        H = self.hidden_size
        return Textbook(W_xh=W[:, H + 1 :], W_hh=W[:, :H], b_h=W[:, H])

    def named(self, parameters) -> dict[str, np.ndarray]:
        """All parameters under the textbook's names, as views."""
        return self.textbook(parameters["W"])._asdict()

    def initialize(self, parameters, rng: np.random.Generator) -> None:
        """W_hh orthogonal and W_xh Glorot uniform, gate by gate; the biases zero."""
        for name in self.gates:
            gate = self.textbook(parameters["W"][self.rows(name)])
            gate.W_hh[...] = self.initial_recurrent(rng)
            gate.W_xh[...] = glorot_uniform(rng, *gate.W_xh.shape)
            gate.b_h[...] = 0.0

    def initial_recurrent(self, rng: np.random.Generator) -> np.ndarray:
        return orthogonal(rng, self.hidden_size)

    def working_copy(self, parameters) -> NamedTuple:
        W = parameters["W"]
        textbook = self.textbook(W)
        half, one = constants(W.dtype)
        gates = self.forward_gates or self.gates
        forward = np.concatenate([W[self.rows(gate)] for gate in gates])
        for gate, rows in zip(gates, np.split(forward, len(gates)), strict=True):
            if gate in self.sigmoid_gates:  # σ(a) = ½ + ½ tanh(a/2)
                rows *= half
        return WorkingCopy(
            W=forward,
            W_hh_T=np.ascontiguousarray(textbook.W_hh.T),
            W_xh_T=np.ascontiguousarray(textbook.W_xh.T),
            half=half,
            one=one,
        )

    def slots(self, array: np.ndarray) -> np.ndarray:
        """The slots of memory or scratch one by one, (slots, n, H, B)."""
        n, _, batch = array.shape
        return array.reshape(n, -1, self.hidden_size, batch).swapaxes(0, 1)

    @abstractmethod
    def views(
        self, blocks: np.ndarray, h: np.ndarray, memory: np.ndarray, scratch: np.ndarray
    ) -> NamedTuple:
        """The parts of a span's arrays, each (n, rows, B), by names.

        Every cell has block, the blocks but for the last; h_before and h, which are h_{t-1} and
        h_t of all timesteps; and deltas. `by_step` makes these views those of each timestep.
        """

    # Forward.

    def begin(self, weights, span) -> None:  # noqa: B027
        """What can be done for all timesteps of the span before the first; often nothing."""

    @abstractmethod
    def forward(self, weights, step) -> None:
        """One timestep."""

    def first_states(self, span) -> tuple[np.ndarray, ...]:
        """The states before the span, h first."""
        return (span.h_before[0],)

    def last_states(self, span) -> tuple[np.ndarray, ...]:
        """The states at the end of the span."""
        return (span.h[-1],)

    # Backward.

    @abstractmethod
    def compute_factors(self, weights, span, scratch: np.ndarray) -> None:
        """Turn what `forward` has left into the factors of a whole span."""

    @abstractmethod
    def backward(self, weights, step, d_states) -> np.ndarray | None:
        """One timestep: the gradients on the states after it become, in place, those before it.

        But for what comes to h_{t-1} otherwise than through the product W_hh h_{t-1}: that is
        returned, if there is any.
        """

    def add_gradients(self, deltas: np.ndarray, blocks: np.ndarray, gradients) -> None:
        """Add a chunk's part of dW; deltas (rows, columns), blocks (columns, H + 1 + D)."""
        gradients["W"] += deltas @ blocks

    def input_gradient(self, weights, deltas: np.ndarray, d_x: np.ndarray) -> None:
        """The gradient on a span's inputs; deltas (n, rows, B), d_x (n, D, B)."""
        np.matmul(weights.W_xh_T, deltas, out=d_x)


def by_step(views: NamedTuple) -> Sequence[NamedTuple]:
    """The views of each timestep, so that the loop over time makes none."""
    return list(map(type(views), *views))


def constants(dtype) -> tuple[np.ndarray, np.ndarray]:
    """½ and 1."""
    return np.array(0.5, dtype), np.array(1, dtype)


def logistic_of_half(a: np.ndarray, half: np.ndarray) -> None:
    """Replace a/2 by σ(a) = ½ + ½ tanh(a/2); tanh is several times as fast as an exponential."""
    tanh(a, a)
    logistic_of_tanh(a, half)


def logistic_of_tanh(y: np.ndarray, half: np.ndarray) -> None:
    """Replace tanh(a/2) by σ(a)."""
    multiply(y, half, y)
    add(y, half, y)


def slope_of_logistic(y: np.ndarray, one: np.ndarray, out: np.ndarray) -> None:
    """σ'(a) = y (1 - y), given y = σ(a)."""
    subtract(one, y, out)
    multiply(out, y, out)


def slope_of_tanh(y: np.ndarray, one: np.ndarray, out: np.ndarray) -> None:
    """tanh'(a) = 1 - y², given y = tanh(a)."""
    multiply(y, y, out)
    subtract(one, out, out)
