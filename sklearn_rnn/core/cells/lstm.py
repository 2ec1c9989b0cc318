"""The LSTM cell (Hochreiter, Schmidhuber 1997; forget gate: Gers, Schmidhuber, Cummins 2000).

o, i, f = σ(W_x· x_t + W_h· h_{t-1} + b_·),  g = tanh(W_xg x_t + W_hg h_{t-1} + b_g),
c_t = f∘c_{t-1} + i∘g,  h_t = o∘tanh(c_t)
"""

from typing import NamedTuple

import numpy as np

from sklearn_rnn.core.cells.base import (
    Cell,
    logistic_of_half,
    slope_of_logistic,
    slope_of_tanh,
)


class Forward(NamedTuple):
    z: np.ndarray  # [h_{t-1}; 1; x_t]
    a: np.ndarray  # [o; i; f; g]
    o_i_f: np.ndarray
    g: np.ndarray
    i_f: np.ndarray
    g_c: np.ndarray  # [g; c_{t-1}]
    products: np.ndarray  # [i∘g; f∘c_{t-1}]
    i_g: np.ndarray
    f_c: np.ndarray
    c: np.ndarray  # c_t
    tanh_c: np.ndarray
    o: np.ndarray
    h: np.ndarray  # h_t


class Backward(NamedTuple):
    from_h: np.ndarray  # [dc; da_o], what is proportional to dh
    dc: np.ndarray
    from_c: np.ndarray  # [da_i; da_f; da_g], what is proportional to dc
    d_a: np.ndarray  # [da_o; da_i; da_f; da_g]
    f: np.ndarray


class LSTM(Cell):
    # In memory c_{t-1} follows g and i comes before f, so that i∘g and f∘c are one multiplication.
    gates = ("o", "i", "f", "g")
    sigmoid_gates = ("o", "i", "f")
    n_states = 2
    n_memory = 6  # o, i, f, g, c_{t-1}, tanh c_t
    n_factors = 6  # of dc, of da_o, da_i, da_f, da_g, and f
    deltas = slice(1, 5)

    def initialize(self, parameters, rng):
        super().initialize(parameters, rng)
        forget = self.textbook(parameters["W"][self.rows("f")])
        forget.b_h[...] = 1.0  # remember at first (Gers et al. 2000; Jozefowicz et al. 2015)

    def bind_forward(self, z, memory):
        H = self.hidden_size
        products = np.empty((2 * H, z.shape[2]), z.dtype)
        i_g, f_c = products[:H], products[H:]
        steps = []
        for t in range(len(z) - 1):
            m = memory[t]
            steps.append(
                Forward(
                    z=z[t],
                    a=m[: 4 * H],
                    o_i_f=m[: 3 * H],
                    g=m[3 * H : 4 * H],
                    i_f=m[H : 3 * H],
                    g_c=m[3 * H : 5 * H],
                    products=products,
                    i_g=i_g,
                    f_c=f_c,
                    c=memory[t + 1, 4 * H : 5 * H],
                    tanh_c=m[5 * H :],
                    o=m[:H],
                    h=z[t + 1, :H],
                )
            )
        return steps

    def states(self, z, memory, t):
        H = self.hidden_size
        return z[t, :H], memory[t, 4 * H : 5 * H]

    def forward(self, weights, step):
        np.matmul(weights.W, step.z, out=step.a)  # a = W [h_{t-1}; 1; x_t]
        logistic_of_half(step.o_i_f, weights.half)  # o, i, f = σ(a)
        np.tanh(step.g, out=step.g)  # g = tanh(a_g)
        np.multiply(step.i_f, step.g_c, out=step.products)  # i∘g, f∘c_{t-1}
        np.add(step.i_g, step.f_c, out=step.c)  # c_t = i∘g + f∘c_{t-1}
        np.tanh(step.c, out=step.tanh_c)
        np.multiply(step.o, step.tanh_c, out=step.h)  # h_t = o∘tanh(c_t)

    def compute_factors(self, z, memory, factors):
        H = self.hidden_size
        memory = memory[:-1]
        o, i, f = (memory[:, k * H : (k + 1) * H] for k in range(3))
        g, g_c = memory[:, 3 * H : 4 * H], memory[:, 3 * H : 5 * H]
        tanh_c = memory[:, 5 * H :]
        dc, da_o = factors[:, :H], factors[:, H : 2 * H]
        da_i_f, da_g = factors[:, 2 * H : 4 * H], factors[:, 4 * H : 5 * H]

        slope_of_tanh(tanh_c, out=dc)
        np.multiply(dc, o, out=dc)  # h = o∘tanh(c): dc = dh∘o∘tanh'(c)
        slope_of_logistic(memory[:, : 3 * H], out=factors[:, H : 4 * H])
        np.multiply(da_o, tanh_c, out=da_o)  # h = o∘tanh(c): da_o = dh∘tanh(c)∘σ'
        np.multiply(da_i_f, g_c, out=da_i_f)  # c = i∘g + f∘c': da_i = dc∘g∘σ', da_f = dc∘c'∘σ'
        slope_of_tanh(g, out=da_g)
        np.multiply(da_g, i, out=da_g)  # c = i∘g + …: da_g = dc∘i∘tanh'
        np.copyto(factors[:, 5 * H :], f)  # c = … + f∘c': dc' = dc∘f

    def bind_backward(self, factors):
        H, batch = self.hidden_size, factors.shape[2]
        return [
            Backward(
                from_h=k[: 2 * H].reshape(2, H, batch),
                dc=k[:H],
                from_c=k[2 * H : 5 * H].reshape(3, H, batch),
                d_a=k[H : 5 * H],
                f=k[5 * H :],
            )
            for k in factors
        ]

    def backward(self, weights, step, d_states):
        dh, dc = d_states
        np.multiply(step.from_h, dh, out=step.from_h)  # h_t = o∘tanh(c_t)
        np.add(dc, step.dc, out=dc)
        np.multiply(step.from_c, dc, out=step.from_c)  # c_t = i∘g + f∘c_{t-1}: da_i, da_f, da_g
        np.multiply(dc, step.f, out=dc)  # and dc_{t-1}
        np.matmul(weights.W_hh_T, step.d_a, out=dh)  # a = W_hh h_{t-1} + …: dh_{t-1} = W_hhᵀ da
