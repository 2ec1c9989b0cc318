"""The LSTM cell (Hochreiter, Schmidhuber 1997; forget gate: Gers, Schmidhuber, Cummins 2000).

o, i, f = σ(W_x· x_t + W_h· h_{t-1} + b_·),  g = tanh(W_xg x_t + W_hg h_{t-1} + b_g),
c_t = f∘c_{t-1} + i∘g,  h_t = o∘tanh(c_t)
"""

from typing import NamedTuple

import numpy as np
from numpy import add, dot, multiply, subtract, tanh

from sklearn_rnn.core.cells.base import Cell, logistic_of_tanh


class Views(NamedTuple):
    """What is there on the way there; on the way back."""

    block: np.ndarray  # [h_{t-1}; 1; x_t]
    h_before: np.ndarray  # h_{t-1}
    h: np.ndarray  # h_t
    a: np.ndarray  # [f; o; i; g]
    f_o_i: np.ndarray
    f: np.ndarray  # f; f
    o: np.ndarray  # o; da_o
    i: np.ndarray  # i; da_i
    g: np.ndarray  # g; da_g
    f_c: np.ndarray  # c_{t-1}, then f∘c_{t-1}; da_f
    tanh_c: np.ndarray  # tanh(c_t); what comes from dh_t to dc_t
    c: np.ndarray  # c_t, which is c_{t-1} to the next timestep
    deltas: np.ndarray  # [da_o; da_i; da_g; da_f]


class LSTM(Cell):
    gates = ("o", "i", "g", "f")
    forward_gates = ("f", "o", "i", "g")
    sigmoid_gates = ("f", "o", "i")
    n_states = 2
    n_memory = 6
    n_scratch = 4  # 1-f, 1-o, 1-i, i∘g

    def initialize(self, parameters, rng):
        super().initialize(parameters, rng)
        forget = self.textbook(parameters["W"][self.rows("f")])
        forget.b_h[...] = 1.0  # remember at first (Gers et al. 2000; Jozefowicz et al. 2015)

    def views(self, blocks, h, memory, scratch):
        # The backward pass needs f itself to the end, so the gradient on f's pre-activation takes
        # the place of f∘c_{t-1}: those on o, i, g and f are then one block, as the gates f, o, i
        # and g were on the way there.
        H, now = self.hidden_size, memory[:-1]
        f, o, i, g, f_c, tanh_c = self.slots(now)
        return Views(
            block=blocks[:-1],
            h_before=h[:-1],
            h=h[1:],
            a=now[:, : 4 * H],
            f_o_i=now[:, : 3 * H],
            f=f,
            o=o,
            i=i,
            g=g,
            f_c=f_c,
            tanh_c=tanh_c,
            c=memory[1:, 4 * H : 5 * H],
            deltas=now[:, H : 5 * H],
        )

    def first_states(self, span):
        return span.h_before[0], span.f_c[0]

    def last_states(self, span):
        return span.h[-1], span.c[-1]

    def forward(self, weights, step):
        dot(weights.W, step.block, step.a)  # a = W [h_{t-1}; 1; x_t], the rows of sigmoids halved
        tanh(step.a, step.a)  # g = tanh(a_g)
        logistic_of_tanh(step.f_o_i, weights.half)  # f, o, i = σ(a)
        multiply(step.f, step.f_c, step.f_c)
        multiply(step.i, step.g, step.h)  # (h_t's place serves as scratch)
        add(step.f_c, step.h, step.c)  # c_t = f∘c_{t-1} + i∘g
        tanh(step.c, step.tanh_c)
        multiply(step.o, step.tanh_c, step.h)  # h_t = o∘tanh(c_t)

    def compute_factors(self, weights, span, scratch):
        h, o, i, g, f_c, tanh_c = span.h, span.o, span.i, span.g, span.f_c, span.tanh_c
        rest_f, rest_o, rest_i, i_g = self.slots(scratch)

        subtract(weights.one, span.f_o_i, scratch[:, : 3 * self.hidden_size])  # 1-f, 1-o, 1-i
        multiply(i, g, i_g)
        multiply(h, tanh_c, tanh_c)
        subtract(o, tanh_c, tanh_c)  # h = o∘tanh(c): dc = dh∘o∘(1 - tanh²(c)) = dh∘(o - h∘tanh(c))
        multiply(h, rest_o, o)  # h = o∘tanh(c): da_o = dh∘tanh(c)∘σ' = dh∘h∘(1-o)
        multiply(g, i_g, g)
        subtract(i, g, g)  # c = i∘g + …: da_g = dc∘i∘(1 - g²) = dc∘(i - g∘(i∘g))
        multiply(i_g, rest_i, i)  # c = i∘g + …: da_i = dc∘g∘σ' = dc∘(i∘g)∘(1-i)
        multiply(f_c, rest_f, f_c)  # c = … + f∘c': da_f = dc∘c'∘σ' = dc∘(f∘c')∘(1-f)

    def backward(self, weights, step, d_states):
        (dh, dc), through_tanh = d_states, step.tanh_c
        da_o, da_i, da_g, da_f = step.o, step.i, step.g, step.f_c
        multiply(da_o, dh, da_o)
        multiply(through_tanh, dh, through_tanh)
        add(dc, through_tanh, dc)  # h_t = o∘tanh(c_t)
        multiply(da_i, dc, da_i)
        multiply(da_g, dc, da_g)
        multiply(da_f, dc, da_f)
        multiply(dc, step.f, dc)  # c_t = i∘g + f∘c_{t-1}: dc_{t-1} = f∘dc_t
        dot(weights.W_hh_T, step.deltas, dh)  # a = W_hh h_{t-1} + …: dh_{t-1} = W_hhᵀ da
