"""The contract of a cell, and what the cells have in common.

A cell computes one timestep, forward and backward. `recurrent` has the loop over time, which calls
the cell's methods on spans: n timesteps, one after another, at which the same B sequences run.
docs/new_cell.md builds a cell step by step.

**The arrays of a span.** H is the hidden size, D the number of inputs.

blocks : (n + 1, H + 1 + D, B)
    Block t is [h_{t-1}; 1; x_t]. One product, W block_t, takes in the state, the bias and the
    input. The loop fills in 1 and x. h_t goes into block t + 1. The last block has only h.
h : (n + 1, H, B)
    The states h_{t-1} and h_t of every timestep. Without recurrent dropout `h` is the first H rows
    of `blocks`. With it `h` has memory of its own, and the loop writes m∘h_{t-1} into block t, m
    being the mask. So a product with h_{t-1} reads the block; every other use of h_{t-1}, as in
    the GRU's z∘h_{t-1}, reads `h_before`.
memory : (n + 1, n_memory * H, B)
    What a timestep leaves for the backward pass, in `n_memory` slots of H rows. In training every
    span of a batch has its own. A state other than h has a slot too: block t of `memory` holds its
    value before timestep t, and timestep t writes the new value into block t + 1.
scratch : (n, n_scratch * H, B)
    Memory for the backward pass alone, in `n_scratch` slots of H rows. All chunks and all layers
    use the same, one after another. Values stay in it from `compute_factors` until the gradients of
    the chunk are computed.

`Cell.views` gives names to the parts of these arrays.

**Three phases, one memory.** `begin` and `forward` write the quantities of the equations.
`compute_factors` replaces them by factors, for the whole span at once. A factor is a partial
derivative within the timestep, such as ∂h_t/∂a: it doesn't depend on gradients from later
timesteps. Then `backward` multiplies the factors by those gradients, timestep by timestep, and so
replaces them by deltas. A delta is a gradient of the loss, such as da. The backward pass needs no
more memory than the forward pass, but for scratch. It can run only once.

A slot that serves in two phases has a name for each (see `second_names`). `dv` is the gradient of
the loss on v, and `v_by_w` is the factor ∂v/∂w.

**The gradients on parameters and inputs.** `add_gradients` and `input_gradient` compute them from
`deltas`: the first for a chunk at once or, with many sequences, for each timestep, and the second
for a span at once. As `Cell` has them, the rows of `deltas` are the gradients on the
pre-activations in the order of `gates`, and the working copy has `W_xh_T`. A cell that overrides
both may have other rows in `deltas`.

**The states.** `backward` gets the gradients on the states after the timestep and replaces them by
the gradients on the states before it. For h there are two ways from h_{t-1} to the loss:

- through the block. `backward` leaves this gradient in d_states[0]. The loop multiplies it by the
  mask m of recurrent dropout, as the block has m∘h_{t-1}.
- through `h_before`. `backward` returns this gradient, or None if there is none. The loop adds it
  without the mask.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy import multiply, subtract

from sklearn_rnn.core.cells.sigmoid import Sigmoid, faster, numpy_instructions
from sklearn_rnn.core.initializers import glorot_uniform, orthogonal


class Textbook(NamedTuple):
    """A cell's W, or some rows of it, under the textbook's names."""

    W_xh: np.ndarray
    W_hh: np.ndarray
    b_h: np.ndarray


# What the loop over time reads at each timestep has its fields in slots: Python reads them twice as
# fast as those of a NamedTuple. There are 60 reads in a timestep.
fields_in_slots = dataclass(slots=True, eq=False)


@fields_in_slots
class WorkingCopy:
    """W in the form that the timesteps need, made once per update.

    The matrices are contiguous in Fortran order: a product whose left factor has the rows of W
    itself, as a view or in C order, takes longer.
    """

    W: np.ndarray  # (n_gates * H, H + 1 + D), in forward order, the rows of sigmoids scaled
    W_hh_T: np.ndarray  # (H, n_gates * H)
    W_xh_T: np.ndarray  # (D, n_gates * H)
    half: np.ndarray  # ½ as a 0-d array, which a ufunc takes faster than a number
    one: np.ndarray


class Cell(ABC):
    """The base of all cells.

    Its methods suit a cell whose gates are row blocks of one matrix W, which multiplies the block.
    A cell with other parameters or products overrides some of them, as the GRU does.

    equations : as the estimators' docstrings have them, in ASCII: s for σ, * for ∘, and s(.) where
        . is W_xh x_t + W_hh h_{t-1} + b_h
    activations : the values of the estimators' parameter `activation` that the cell knows; a cell
        with fixed functions knows none, and accepts the default only
    gates : the order of the gates in the rows of W, and so in `weights_`; whatever has rows there
        is a gate, like the GRU's n
    sigmoid_gates : the gates that are σ of their pre-activation; only `Cell.working_copy` reads it
    forward_gates : the order of the gates in the forward product, if it is another; only
        `Cell.working_copy` reads it
    n_states : how many states go from timestep to timestep, h included
    n_memory, n_scratch : how many slots of H rows the two arrays have
    many_sequences : from so many on, `add_gradients` gets timesteps one by one; below, it gets all
        timesteps of a chunk at once
    sigmoid : how σ is computed; the rows of sigmoids in a working copy are multiplied by its scale
    """

    equations: str
    activations: tuple[str, ...] = ()
    gates: tuple[str, ...]
    sigmoid_gates: tuple[str, ...] = ()
    forward_gates: tuple[str, ...] | None = None
    n_states = 1
    n_memory: int
    n_scratch: int
    many_sequences = 64
    sigmoid: Sigmoid = faster(numpy_instructions())

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

    def working_copy(self, parameters) -> Any:
        W = parameters["W"]
        textbook = self.textbook(W)
        half, one = constants(W.dtype)
        gates = self.forward_gates or self.gates
        scales = [self.sigmoid.scale if gate in self.sigmoid_gates else 1 for gate in gates]
        forward_T = np.concatenate([W[self.rows(gate)].T for gate in gates], axis=1)
        if self.sigmoid_gates:
            forward_T *= np.repeat(np.array(scales, W.dtype), self.hidden_size)
        return WorkingCopy(
            W=forward_T.T,
            W_hh_T=np.ascontiguousarray(textbook.W_hh).T,
            W_xh_T=np.ascontiguousarray(textbook.W_xh).T,
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
    ) -> Any:
        """Name the parts of a span's arrays, each (n, rows, B), in an object of `fields_in_slots`.

        Every cell has `block`, all blocks but the last; `h_before` and `h`, the h_{t-1} and h_t of
        all timesteps; and `deltas`. The other names are the cell's own.
        """

    # Forward.

    def begin(self, weights, span) -> None:  # noqa: B027
        """Compute what does not depend on h, for all timesteps of the span; often nothing.

        The 1 and the x of every block are there. The block's h is not.
        """

    # A cell may have a method (weights, step) that does the same for a span of one timestep, only
    # faster: streams read such spans.
    begin_step: Callable | None = None

    @abstractmethod
    def forward(self, weights, step) -> None:
        """Compute h_t, and the other states, from `block`, `h_before` and the other states."""

    def first_states(self, span) -> tuple[np.ndarray, ...]:
        """Return the places of the states before the span, h first."""
        return (span.h_before[0],)

    def last_states(self, span) -> tuple[np.ndarray, ...]:
        """Return the places of the states after the span."""
        return (span.h[-1],)

    # Backward.

    @abstractmethod
    def compute_factors(self, weights, span, scratch: np.ndarray) -> None:
        """Replace what `forward` has left by factors, for the whole span.

        `scratch` is the array that `views` got, for parts of it without a name.
        """

    @abstractmethod
    def backward(self, weights, step, d_states) -> np.ndarray | None:
        """Write one timestep's deltas, and the gradients on the states before it into `d_states`.

        d_states : the gradients on the states after the timestep, (H, B) each, h first
        Returns the part of the gradient on h_{t-1} that comes through `h_before`; None for none.
        """

    def add_gradients(self, deltas: np.ndarray, blocks: np.ndarray, gradients) -> None:
        """Add to dW the part of some columns; deltas (rows, columns), blocks (columns, H + 1 + D).

        A column is a timestep of a sequence.
        """
        gradients["W"] += deltas @ blocks

    def input_gradient(self, weights, deltas: np.ndarray, d_x: np.ndarray) -> None:
        """Compute the gradient on a span's inputs; deltas (n, rows, B), d_x (n, D, B)."""
        np.matmul(weights.W_xh_T, deltas, out=d_x)


def second_names(**fields: str) -> Callable[[type], type]:
    """Give fields of a class with `fields_in_slots` further names: the same slot in another phase.

    fields : {further name: field}
    It costs nothing per timestep, as a further field would.
    """

    def add_names(views: type) -> type:
        for name, field in fields.items():
            setattr(views, name, getattr(views, field))
        return views

    return add_names


def by_step(views) -> Sequence:
    """Return the views of each timestep, so that the loop over time makes none."""
    kind = type(views)
    return list(map(kind, *(getattr(views, name) for name in kind.__slots__)))


def constants(dtype) -> tuple[np.ndarray, np.ndarray]:
    """½ and 1."""
    return np.array(0.5, dtype), np.array(1, dtype)


def slope_of_logistic(y: np.ndarray, one: np.ndarray, out: np.ndarray) -> None:
    """σ'(a) = y (1 - y), given y = σ(a)."""
    subtract(one, y, out)
    multiply(out, y, out)


def slope_of_tanh(y: np.ndarray, one: np.ndarray, out: np.ndarray) -> None:
    """tanh'(a) = 1 - y², given y = tanh(a); y and out may be the same array."""
    multiply(y, y, out)
    subtract(one, out, out)
