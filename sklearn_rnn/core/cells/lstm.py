"""The LSTM cell (Hochreiter, Schmidhuber 1997; forget gate: Gers, Schmidhuber, Cummins 2000).

o, i, f = σ(W_x· x_t + W_h· h_{t-1} + b_·),  g = tanh(W_xg x_t + W_hg h_{t-1} + b_g),
c_t = f∘c_{t-1} + i∘g,  h_t = o∘tanh(c_t)
"""

import numpy as np
from numpy import add, multiply, subtract, tanh

from sklearn_rnn.core.cells.base import Cell, fields_in_slots, second_names


@second_names(
    scaled_a_f_o_i="f_o_i",
    a_g="g",
    f_c="c_before",
    i_g="h",
    # The factors; c_by_c_before is f.
    h_by_c="tanh_c",
    h_by_a_o="o",
    c_by_a_g="g",
    c_by_a_i="i",
    c_by_a_f="c_before",
    # The deltas.
    dc_from_h="tanh_c",
    da_o="o",
    da_g="g",
    da_i="i",
    da_f="c_before",
)
@fields_in_slots
class Views:
    block: np.ndarray  # [h_{t-1}; 1; x_t]
    h_before: np.ndarray  # h_{t-1}
    h: np.ndarray  # i∘g, then h_t
    a: np.ndarray  # [scaled a_f; scaled a_o; scaled a_i; a_g]
    f_o_i: np.ndarray  # scaled [a_f; a_o; a_i], then [f; o; i]
    f: np.ndarray  # the forget gate
    o: np.ndarray  # the output gate; then ∂h/∂a_o; then da_o
    i: np.ndarray  # the input gate; then ∂c/∂a_i; then da_i
    g: np.ndarray  # a_g, the candidate; then ∂c/∂a_g; then da_g
    c_before: np.ndarray  # c_{t-1}, f∘c_{t-1}; then ∂c/∂a_f; then da_f
    tanh_c: np.ndarray  # tanh(c_t); then ∂h/∂c; then the part of dc_t that comes through h_t
    c: np.ndarray  # c_t: c_before of the next timestep
    deltas: np.ndarray  # [da_o; da_i; da_g; da_f]


class LSTM(Cell):
    equations = "o, i, f = s(.), g = tanh(.), c_t = f * c_{t-1} + i * g, h_t = o * tanh(c_t)"
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
        # Both `a` and `deltas` must be four neighbouring slots. The backward pass needs f to its
        # end, so da_f can't take the slot of f. It takes that of f∘c_{t-1}, behind the others.
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
        weights.W.dot(step.block, step.a)  # a = W [h_{t-1}; 1; x_t], the rows of sigmoids scaled
        self.sigmoid.apply(step.scaled_a_f_o_i, weights, step.f_o_i)  # f, o, i = σ(a_f), …
        tanh(step.a_g, step.g)  # g = tanh(a_g)
        multiply(step.f, step.c_before, step.f_c)  # f∘c_{t-1}
        multiply(step.i, step.g, step.i_g)  # i∘g
        add(step.f_c, step.i_g, step.c)  # c_t = f∘c_{t-1} + i∘g
        tanh(step.c, step.tanh_c)  # tanh(c_t)
        multiply(step.o, step.tanh_c, step.h)  # h_t = o∘tanh(c_t)

    def compute_factors(self, weights, span, scratch):
        rest_f, rest_o, rest_i, i_g = self.slots(scratch)
        subtract(weights.one, span.f_o_i, scratch[:, : 3 * self.hidden_size])  # 1-f, 1-o, 1-i
        multiply(span.i, span.g, i_g)  # i∘g

        # h_t = o∘tanh(c_t): ∂h/∂c = o∘(1 - tanh²(c_t)) = o - h_t∘tanh(c_t)
        multiply(span.h, span.tanh_c, span.h_by_c)
        subtract(span.o, span.h_by_c, span.h_by_c)
        # h_t = o∘tanh(c_t), o = σ(a_o): ∂h/∂a_o = tanh(c_t)∘o∘(1-o) = h_t∘(1-o)
        multiply(span.h, rest_o, span.h_by_a_o)
        # c_t = … + i∘g, g = tanh(a_g): ∂c/∂a_g = i∘(1 - g²) = i - g∘(i∘g)
        multiply(span.g, i_g, span.c_by_a_g)
        subtract(span.i, span.c_by_a_g, span.c_by_a_g)
        # c_t = … + i∘g, i = σ(a_i): ∂c/∂a_i = g∘i∘(1-i) = (i∘g)∘(1-i)
        multiply(i_g, rest_i, span.c_by_a_i)
        # c_t = f∘c_{t-1} + …, f = σ(a_f): ∂c/∂a_f = c_{t-1}∘f∘(1-f) = (f∘c_{t-1})∘(1-f)
        multiply(span.f_c, rest_f, span.c_by_a_f)

    def backward(self, weights, step, d_states):
        dh, dc = d_states
        multiply(step.h_by_a_o, dh, step.da_o)  # h_t = o∘tanh(c_t)
        multiply(step.h_by_c, dh, step.dc_from_h)  # tanh(c_t)
        add(dc, step.dc_from_h, dc)  # c_t is in h_t and in c_{t+1}
        multiply(step.c_by_a_g, dc, step.da_g)  # c_t = … + i∘g
        multiply(step.c_by_a_i, dc, step.da_i)  # c_t = … + i∘g
        multiply(step.c_by_a_f, dc, step.da_f)  # c_t = f∘c_{t-1} + …
        multiply(step.f, dc, dc)  # c_t = f∘c_{t-1} + …: dc_{t-1} = f∘dc_t
        weights.W_hh_T.dot(step.deltas, dh)  # a = W_hh h_{t-1} + …: dh_{t-1} = W_hhᵀ da
