"""The LSTM cell (Hochreiter, Schmidhuber 1997; forget gate: Gers, Schmidhuber, Cummins 2000).

o, i, f = σ(W_x· x_t + W_h· h_{t-1} + b_·),  g = tanh(W_xg x_t + W_hg h_{t-1} + b_g),
c_t = f∘c_{t-1} + i∘g,  h_t = o∘tanh(c_t)
"""

from typing import NamedTuple

import numpy as np
from numpy import add, dot, multiply, subtract, tanh

from sklearn_rnn.core.cells.base import Cell, logistic_of_tanh, second_names


@second_names(
    i_g="h",
    f_c="c_before",
    # In the backward pass:
    da_o="o",
    da_i="i",
    da_g="g",
    da_f="c_before",
    through_tanh="tanh_c",
)
class Views(NamedTuple):
    block: np.ndarray  # [h_{t-1}; 1; x_t]
    h_before: np.ndarray  # h_{t-1}
    h: np.ndarray  # i_g = i∘g; then h_t
    a: np.ndarray  # [a_f; a_o; a_i; a_g]
    f_o_i: np.ndarray  # [f; o; i]
    f: np.ndarray  # the forget gate; the backward pass needs it as it is
    o: np.ndarray  # the output gate; later da_o
    i: np.ndarray  # the input gate; later da_i
    g: np.ndarray  # the candidate; later da_g
    c_before: np.ndarray  # c_{t-1}; then f_c = f∘c_{t-1}; later da_f
    tanh_c: np.ndarray  # tanh(c_t); later through_tanh, what comes from dh_t to dc_t
    c: np.ndarray  # c_t: the slot of c_before at the next timestep
    deltas: np.ndarray  # [da_o; da_i; da_g; da_f]


class LSTM(Cell):
    equations = "o, i, f = s(.), g = tanh(.), c_t = f * c_{t-1} + i * g, h_t = o * tanh(c_t)"
    gates = ("o", "i", "g", "f")
    forward_gates = ("f", "o", "i", "g")
    sigmoid_gates = ("f", "o", "i")
    n_states = 2
    n_memory = 6  # f, o, i, g, c_{t-1}, tanh(c_t)
    n_scratch = 4  # 1-f, 1-o, 1-i, i∘g

    def initialize(self, parameters, rng):
        super().initialize(parameters, rng)
        forget = self.textbook(parameters["W"][self.rows("f")])
        forget.b_h[...] = 1.0  # remember at first (Gers et al. 2000; Jozefowicz et al. 2015)

    def views(self, blocks, h, memory, scratch):
        # The backward pass needs f to its end. So da_f takes the slot of f∘c_{t-1} and not that of
        # f. The slots are in such an order that f, o, i and g are one block in the forward pass,
        # and da_o, da_i, da_g and da_f are one block in the backward pass.
        H, now = self.hidden_size, memory[:-1]
        f, o, i, g, c_before, tanh_c = self.slots(now)
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
            c_before=c_before,
            tanh_c=tanh_c,
            c=memory[1:, 4 * H : 5 * H],
            deltas=now[:, H : 5 * H],
        )

    def first_states(self, span):
        return span.h_before[0], span.c_before[0]

    def last_states(self, span):
        return span.h[-1], span.c[-1]

    def forward(self, weights, step):
        dot(weights.W, step.block, step.a)  # a = W [h_{t-1}; 1; x_t], the rows of sigmoids halved
        tanh(step.a, step.a)  # g = tanh(a_g)
        logistic_of_tanh(step.f_o_i, weights.half)  # f, o, i = σ(a)
        multiply(step.f, step.c_before, step.f_c)
        multiply(step.i, step.g, step.i_g)
        add(step.f_c, step.i_g, step.c)  # c_t = f∘c_{t-1} + i∘g
        tanh(step.c, step.tanh_c)
        multiply(step.o, step.tanh_c, step.h)  # h_t = o∘tanh(c_t)

    def compute_factors(self, weights, span, scratch):
        h, o, i, g, f_c, tanh_c = span.h, span.o, span.i, span.g, span.f_c, span.tanh_c
        rest_f, rest_o, rest_i, i_g = self.slots(scratch)

        subtract(weights.one, span.f_o_i, scratch[:, : 3 * self.hidden_size])  # 1-f, 1-o, 1-i
        multiply(i, g, i_g)  # the slot of the forward pass holds h_t now
        # h_t = o∘tanh(c_t): through_tanh / dh_t = o∘(1 - tanh²(c_t)) = o - h_t∘tanh(c_t)
        multiply(h, tanh_c, tanh_c)
        subtract(o, tanh_c, span.through_tanh)
        # h_t = o∘tanh(c_t), o = σ(a_o): da_o / dh_t = tanh(c_t)∘o∘(1-o) = h_t∘(1-o)
        multiply(h, rest_o, span.da_o)
        # c_t = … + i∘g, g = tanh(a_g): da_g / dc_t = i∘(1 - g²) = i - g∘(i∘g)
        multiply(g, i_g, g)
        subtract(i, g, span.da_g)
        # c_t = … + i∘g, i = σ(a_i): da_i / dc_t = g∘i∘(1-i)
        multiply(i_g, rest_i, span.da_i)
        # c_t = f∘c_{t-1} + …, f = σ(a_f): da_f / dc_t = c_{t-1}∘f∘(1-f)
        multiply(f_c, rest_f, span.da_f)

    def backward(self, weights, step, d_states):
        dh, dc = d_states
        # Each slot holds a gradient divided by dh_t, or by dc_t.
        multiply(step.da_o, dh, step.da_o)  # h_t = o∘tanh(c_t), o = σ(a_o)
        multiply(step.through_tanh, dh, step.through_tanh)
        add(dc, step.through_tanh, dc)  # h_t = o∘tanh(c_t): dc_t is complete
        multiply(step.da_i, dc, step.da_i)  # c_t = … + i∘g, i = σ(a_i)
        multiply(step.da_g, dc, step.da_g)  # c_t = … + i∘g, g = tanh(a_g)
        multiply(step.da_f, dc, step.da_f)  # c_t = f∘c_{t-1} + …, f = σ(a_f)
        multiply(dc, step.f, dc)  # c_t = f∘c_{t-1} + …: dc_{t-1} = f∘dc_t
        dot(weights.W_hh_T, step.deltas, dh)  # a = W_hh h_{t-1} + …: dh_{t-1} = W_hhᵀ da
