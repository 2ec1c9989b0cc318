"""The LSTM cell (Hochreiter, Schmidhuber 1997; forget gate: Gers, Schmidhuber, Cummins 2000).

o, i, f = σ(W_x· x_t + W_h· h_{t-1} + b_·),  g = tanh(W_xg x_t + W_hg h_{t-1} + b_g),
c_t = f∘c_{t-1} + i∘g,  h_t = o∘tanh(c_t)
"""

from typing import NamedTuple

import numpy as np
from numpy import add, dot, multiply, subtract, tanh

from sklearn_rnn.core.cells.base import Cell, WorkingCopy, logistic_of_tanh

# The slots of memory. F_C holds c_{t-1}, then f∘c_{t-1}. The backward pass needs f itself to the
# end, so the gradient on f's pre-activation takes the place of f∘c_{t-1}: those on o, i, g and f
# are then one block, as the gates f, o, i and g were on the way there.
F, O, I, G, F_C, TANH_C = range(6)


class Forward(NamedTuple):
    z: np.ndarray  # [h_{t-1}; 1; x_t]
    a: np.ndarray  # [f; o; i; g]
    f_o_i: np.ndarray
    f: np.ndarray
    o: np.ndarray
    i: np.ndarray
    g: np.ndarray
    f_c: np.ndarray  # c_{t-1}, then f∘c_{t-1}
    c: np.ndarray  # c_t
    tanh_c: np.ndarray
    h: np.ndarray  # h_t


class Backward(NamedTuple):
    dc: np.ndarray
    da_o: np.ndarray
    da_i: np.ndarray
    da_g: np.ndarray
    da_f: np.ndarray
    d_a: np.ndarray  # [da_o; da_i; da_g; da_f]
    f: np.ndarray


class LSTM(Cell):
    gates = ("o", "i", "g", "f")
    n_states = 2
    n_memory = 6
    n_scratch = 4  # 1-f, 1-o, 1-i, i∘g

    def initialize(self, parameters, rng):
        super().initialize(parameters, rng)
        forget = self.textbook(parameters["W"][self.rows("f")])
        forget.b_h[...] = 1.0  # remember at first (Gers et al. 2000; Jozefowicz et al. 2015)

    def working_copy(self, parameters):
        H = self.hidden_size
        W = parameters["W"]
        textbook = self.textbook(W)
        half = np.array(0.5, W.dtype)
        f_o_i_g = np.concatenate([W[3 * H :], W[: 3 * H]])
        f_o_i_g[: 3 * H] *= half  # σ(a) = ½ + ½ tanh(a/2)
        return WorkingCopy(
            W=f_o_i_g,
            W_hh_T=np.ascontiguousarray(textbook.W_hh.T),
            W_xh_T=np.ascontiguousarray(textbook.W_xh.T),
            half=half,
        )

    def forward_views(self, z, memory):
        now = memory[:-1]
        return Forward(
            z=z[:-1],
            a=self.slots(now, F, G + 1),
            f_o_i=self.slots(now, F, I + 1),
            f=self.slots(now, F),
            o=self.slots(now, O),
            i=self.slots(now, I),
            g=self.slots(now, G),
            f_c=self.slots(now, F_C),
            c=self.slots(memory[1:], F_C),
            tanh_c=self.slots(now, TANH_C),
            h=z[1:, : self.hidden_size],
        )

    def backward_views(self, memory, scratch):
        now = memory[:-1]
        return Backward(
            dc=self.slots(now, TANH_C),
            da_o=self.slots(now, O),
            da_i=self.slots(now, I),
            da_g=self.slots(now, G),
            da_f=self.slots(now, F_C),
            d_a=self.deltas(memory, scratch),
            f=self.slots(now, F),
        )

    def deltas(self, memory, scratch):
        return self.slots(memory[:-1], O, F_C + 1)

    def states(self, z, memory, t):
        return z[t, : self.hidden_size], self.slots(memory, F_C)[t]

    def forward(self, weights, step):
        dot(weights.W, step.z, step.a)  # a = W [h_{t-1}; 1; x_t], the rows of sigmoids halved
        tanh(step.a, step.a)  # g = tanh(a_g)
        logistic_of_tanh(step.f_o_i, weights.half)  # f, o, i = σ(a)
        multiply(step.f, step.f_c, step.f_c)
        multiply(step.i, step.g, step.h)  # (h_t's place serves as scratch)
        add(step.f_c, step.h, step.c)  # c_t = f∘c_{t-1} + i∘g
        tanh(step.c, step.tanh_c)
        multiply(step.o, step.tanh_c, step.h)  # h_t = o∘tanh(c_t)

    def compute_factors(self, z, memory, scratch):
        now, h = memory[:-1], z[1:, : self.hidden_size]
        f_o_i = self.slots(now, F, I + 1)
        o, i, g, f_c, tanh_c = (self.slots(now, k) for k in (O, I, G, F_C, TANH_C))
        rest, i_g = self.slots(scratch, 0, 3), self.slots(scratch, 3)
        rest_f, rest_o, rest_i = (self.slots(scratch, k) for k in range(3))

        subtract(1, f_o_i, rest)  # 1-f, 1-o, 1-i
        multiply(i, g, i_g)
        multiply(h, tanh_c, tanh_c)
        subtract(o, tanh_c, tanh_c)  # h = o∘tanh(c): dc = dh∘o∘(1 - tanh²(c)) = dh∘(o - h∘tanh(c))
        multiply(h, rest_o, o)  # h = o∘tanh(c): da_o = dh∘tanh(c)∘σ' = dh∘h∘(1-o)
        multiply(g, i_g, g)
        subtract(i, g, g)  # c = i∘g + …: da_g = dc∘i∘(1 - g²) = dc∘(i - g∘(i∘g))
        multiply(i_g, rest_i, i)  # c = i∘g + …: da_i = dc∘g∘σ' = dc∘(i∘g)∘(1-i)
        multiply(f_c, rest_f, f_c)  # c = … + f∘c': da_f = dc∘c'∘σ' = dc∘(f∘c')∘(1-f)

    def backward(self, weights, step, d_states):
        dh, dc = d_states
        multiply(step.da_o, dh, step.da_o)
        multiply(step.dc, dh, step.dc)
        add(dc, step.dc, dc)  # h_t = o∘tanh(c_t)
        multiply(step.da_i, dc, step.da_i)
        multiply(step.da_g, dc, step.da_g)
        multiply(step.da_f, dc, step.da_f)
        multiply(dc, step.f, dc)  # c_t = i∘g + f∘c_{t-1}: dc_{t-1} = f∘dc_t
        dot(weights.W_hh_T, step.d_a, dh)  # a = W_hh h_{t-1} + …: dh_{t-1} = W_hhᵀ da
