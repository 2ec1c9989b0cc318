"""The Elman network's cell (Elman 1990): h_t = f(W_xh x_t + W_hh h_{t-1} + b_h)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy import multiply, tanh

from sklearn_rnn.core.cells.base import (
    Cell,
    fields_in_slots,
    second_names,
    slope_of_logistic,
    slope_of_tanh,
)
from sklearn_rnn.core.initializers import identity


class Activation(NamedTuple):
    """f, and f' as a function of f's value.

    f writes f(a) into the memory of a. The logistic function gets a scaled a, as W has scaled rows
    then. The second argument of `apply` is the working copy.
    """

    apply: Callable[[np.ndarray, Any, np.ndarray], None]
    slope: Callable[[np.ndarray, np.ndarray, np.ndarray], None]


ACTIVATIONS = {
    "tanh": Activation(lambda a, weights, out: tanh(a, out), slope_of_tanh),
    "relu": Activation(
        lambda a, weights, out: np.maximum(a, 0, out=out),
        lambda y, one, out: np.greater(y, 0, out),
    ),
    "logistic": Activation(
        lambda a, weights, out: Cell.sigmoid.apply(a, weights, out), slope_of_logistic
    ),
    "identity": Activation(lambda a, weights, out: None, lambda y, one, out: np.copyto(out, one)),
}


@second_names(a="h", h_by_a="deltas")
@fields_in_slots
class Views:
    block: np.ndarray  # [h_{t-1}; 1; x_t]
    h_before: np.ndarray  # h_{t-1}
    h: np.ndarray  # a, then h_t
    deltas: np.ndarray  # the factor ∂h/∂a = f'(a), then da


class Elman(Cell):
    equations = "h_t = f(W_xh x_t + W_hh h_{t-1} + b_h)"
    gates = ("h",)
    activations = tuple(ACTIVATIONS)
    n_memory = 0
    n_scratch = 1  # ∂h/∂a, then da

    def __init__(self, hidden_size: int, activation: str):
        super().__init__(hidden_size, activation)
        self.apply, self.slope = ACTIVATIONS[activation]
        if activation == "logistic":
            self.sigmoid_gates = self.gates
        if activation == "relu":  # Le, Jaitly, Hinton 2015
            self.initial_recurrent = lambda rng: identity(hidden_size)

    def views(self, blocks, h, memory, scratch):
        return Views(block=blocks[:-1], h_before=h[:-1], h=h[1:], deltas=scratch)

    def forward(self, weights, step):
        weights.W.dot(step.block, step.a)  # a = W [h_{t-1}; 1; x_t]
        self.apply(step.a, weights, step.h)  # h_t = f(a)

    def compute_factors(self, weights, span, scratch):
        self.slope(span.h, weights.one, span.h_by_a)  # h_t = f(a): ∂h/∂a = f'(a)

    def backward(self, weights, step, d_states):
        da, (dh,) = step.deltas, d_states
        multiply(step.h_by_a, dh, da)  # h_t = f(a): da = f'(a)∘dh_t
        weights.W_hh_T.dot(da, dh)  # a = W_hh h_{t-1} + …: dh_{t-1} = W_hhᵀ da
