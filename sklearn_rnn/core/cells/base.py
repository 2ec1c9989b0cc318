"""The contract of a cell, and what the cells have in common. docs/new_cell.md builds one.

A cell knows one timestep. The loop over time (`recurrent`) gives it a span: n timesteps at which B
sequences are running. H is the hidden size, D the number of inputs. The span has these arrays:

blocks : (n + 1, H + 1 + D, B)
    Block t is [h_{t-1}; 1; x_t]. One product W block_t takes in the state, the bias and the input.
    The loop fills in the ones and x.
h : (n + 1, H, B)
    h_{t-1} of all timesteps, and the last h. Without recurrent dropout these are the upper rows of
    `blocks`. With it, h has memory of its own, and the block holds m∘h_{t-1} with the mask m.
memory : (n + 1, n_memory * H, B)
    Slots of H rows each, for whatever the backward pass needs of a timestep. A state other than h
    has a slot; its row t holds the state before timestep t, as h does.
scratch : (n, n_scratch * H, B)
    Slots that only the backward pass uses. All spans share them.

**Forward.** `begin` does what needs no earlier timestep. `forward` does one timestep: it reads the
block and writes h_t into `step.h`, the states into their next slots.

- A product with W_hh reads the block. So it reads the masked h, and recurrent dropout works.
- Everything else that uses h_{t-1}, such as z∘h_{t-1}, reads `h_before`.

**Backward.** `compute_factors` runs first, for the whole span at once. It replaces what `forward`
left in the slots by factors: gradients divided by the gradient on a state after the timestep.
Then `backward` runs for one timestep after the other, from the last to the first. It gets the
gradients on the states after the timestep, h first, as `d_states`.

- It multiplies the factors by them, in place. At the end the rows of `deltas` are the gradients on
  the pre-activations.
- It replaces `d_states`, in place, by the gradients on the states before the timestep. d_states[0]
  then is what comes to h_{t-1} through the block: the loop multiplies it by the mask.
- It returns what comes to h_{t-1} otherwise, or None. The loop adds it, without the mask.

So a span needs no more memory for its backward pass, and a span can go back only once.

**deltas** (n, rows, B) are neighbouring slots. By default their rows are in the order of `gates`:
`add_gradients` then is one product for a whole chunk. A cell with another order, or with parameters
of its own, overrides `working_copy`, `add_gradients` and `input_gradient`.

A slot that serves several phases has a name for each of them, see `second_names`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
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
    """The base of all cells: the gates are rows of one matrix W over the block.

    equations : as the docstrings of the estimators have them
    activations : the values of the estimators' parameter `activation` that the cell knows; a cell
        with fixed functions knows none, and takes the default only
    gates : the order of the gates in the rows of W, and so in `weights_`
    sigmoid_gates : the gates that are σ of their pre-activation
    forward_gates : the order of the gates in the forward product, if it is another
    n_states : how many states go from timestep to timestep, h included
    n_memory, n_scratch : the number of slots
    """

    equations: str
    activations: tuple[str, ...] = ()
    gates: tuple[str, ...]
    sigmoid_gates: tuple[str, ...] = ()
    forward_gates: tuple[str, ...] | None = None
    n_states = 1
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
        """Name the parts of a span's arrays, each (n, rows, B).

        Every cell has `block` (all blocks but the last), `h_before` and `h` (h_{t-1} and h_t of
        all timesteps), and `deltas`. The loop over time gets the same views for each timestep.
        """

    # Forward.

    def begin(self, weights, span) -> None:  # noqa: B027
        """Do what needs no earlier timestep, for the whole span; often nothing."""

    @abstractmethod
    def forward(self, weights, step) -> None:
        """Do one timestep."""

    def first_states(self, span) -> tuple[np.ndarray, ...]:
        """Return where the states before the span stand, h first."""
        return (span.h_before[0],)

    def last_states(self, span) -> tuple[np.ndarray, ...]:
        """Return where the states at the end of the span stand."""
        return (span.h[-1],)

    # Backward.

    @abstractmethod
    def compute_factors(self, weights, span, scratch: np.ndarray) -> None:
        """Replace what `forward` left by factors, for the whole span."""

    @abstractmethod
    def backward(self, weights, step, d_states) -> np.ndarray | None:
        """Go back one timestep; see the contract above for `d_states` and what is returned."""

    def add_gradients(self, deltas: np.ndarray, blocks: np.ndarray, gradients) -> None:
        """Add a chunk's part of dW; deltas (rows, columns), blocks (columns, H + 1 + D)."""
        gradients["W"] += deltas @ blocks

    def input_gradient(self, weights, deltas: np.ndarray, d_x: np.ndarray) -> None:
        """Compute the gradient on a span's inputs; deltas (n, rows, B), d_x (n, D, B)."""
        np.matmul(weights.W_xh_T, deltas, out=d_x)


def second_names(**fields: str) -> Callable[[type], type]:
    """Give fields of a NamedTuple second names: one slot, another phase, the same memory.

    fields : {second name: field}
    """

    def add_names(views: type) -> type:
        for name, field in fields.items():
            setattr(views, name, getattr(views, field))
        return views

    return add_names


def by_step(views: NamedTuple) -> Sequence[NamedTuple]:
    """Return the views of each timestep, so that the loop over time makes none."""
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
