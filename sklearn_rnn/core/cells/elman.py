"""The Elman network's cell (Elman 1990): h_t = f(W_xh x_t + W_hh h_{t-1} + b_h)."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy import dot, multiply, tanh

from sklearn_rnn.core.cells.base import (
    Cell,
    logistic_of_half,
    slope_of_logistic,
    slope_of_tanh,
)
from sklearn_rnn.core.initializers import identity


class Activation(NamedTuple):
    """f, in place, and f' as a function of f's value."""

    apply: Callable[[np.ndarray, np.ndarray], None]
    slope: Callable[[np.ndarray, np.ndarray, np.ndarray], None]


ACTIVATIONS = {
    "tanh": Activation(lambda a, half: tanh(a, a), slope_of_tanh),
    "relu": Activation(
        lambda a, half: np.maximum(a, 0, out=a), lambda y, one, out: np.greater(y, 0, out)
    ),
    "logistic": Activation(logistic_of_half, slope_of_logistic),
    "identity": Activation(lambda a, half: None, lambda y, one, out: np.copyto(out, one)),
}


class Views(NamedTuple):
    block: np.ndarray  # [h_{t-1}; 1; x_t]
    h_before: np.ndarray  # h_{t-1}
    h: np.ndarray  # h_t
    deltas: np.ndarray  # da, in the scratch memory


class Elman(Cell):
    equations = "h_t = f(W_xh x_t + W_hh h_{t-1} + b_h)"
    activations = tuple(ACTIVATIONS)
    gates = ("h",)
    n_memory = 0
    n_scratch = 1  # da

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
        dot(weights.W, step.block, step.h)  # a = W [h_{t-1}; 1; x_t]
        self.apply(step.h, weights.half)  # h_t = f(a)

    def compute_factors(self, weights, span, scratch):
        self.slope(span.h, weights.one, span.deltas)  # h_t = f(a): da / dh_t = f'(a)

    def backward(self, weights, step, d_states):
        da, (dh,) = step.deltas, d_states
        multiply(da, dh, da)  # h_t = f(a)
        dot(weights.W_hh_T, da, dh)  # a = W_hh h_{t-1} + …: dh_{t-1} = W_hhᵀ da
