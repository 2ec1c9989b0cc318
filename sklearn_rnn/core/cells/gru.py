"""The gated recurrent unit (Cho et al. 2014), the reset gate applied after the product.

r, z = σ(W_x· x_t + W_h· h_{t-1} + b_·),
n = tanh(W_xn x_t + b_xn + r∘(W_hn h_{t-1} + b_hn)),
h_t = (1-z)∘n + z∘h_{t-1}

This is cuDNN's and torch's form. b_xn is in b_h with the biases of r and z; b_hn is by itself.
"""

from typing import NamedTuple

import numpy as np
from numpy import add, dot, multiply, subtract, tanh

from sklearn_rnn.core.cells.base import Cell, constants, logistic_of_half


class WorkingCopy(NamedTuple):
    W_z_r_hn: np.ndarray  # (3H, H + 1 + D), z and r halved; hn takes no x: those columns are zero
    W_xn: np.ndarray  # (H, 1 + D)
    W_hh_T: np.ndarray  # (H, 3H): hn, z, r
    W_xh_T: np.ndarray  # (D, 3H): z, r, n
    half: np.ndarray
    one: np.ndarray


class Views(NamedTuple):
    """What is there on the way there; on the way back."""

    block: np.ndarray  # [h_{t-1}; 1; x_t]
    h_before: np.ndarray  # h_{t-1}
    h: np.ndarray  # h_t
    a: np.ndarray  # [z; r; hn]
    z_r: np.ndarray
    z_gate: np.ndarray  # z; what comes from dh_t to dh_{t-1} through z∘h_{t-1}
    r: np.ndarray  # r; d_hn
    update: np.ndarray  # hn = W_hn h_{t-1} + b_hn, then z∘(h_{t-1} - n); da_z
    r_hn: np.ndarray  # r∘hn; da_r
    n: np.ndarray  # n; da_n
    update_r_hn: np.ndarray
    d_hn_z_r: np.ndarray
    deltas: np.ndarray  # [d_hn; da_z; da_r; da_n]


class GRU(Cell):
    gates = ("z", "r", "n")
    n_memory = 5
    n_scratch = 2  # 1-z, 1-r

    def shapes(self, n_inputs):
        return super().shapes(n_inputs) | {"b_hn": (self.hidden_size,)}

    def named(self, parameters):
        return super().named(parameters) | {"b_hn": parameters["b_hn"]}

    def initialize(self, parameters, rng):
        super().initialize(parameters, rng)
        parameters["b_hn"][...] = 0.0

    def working_copy(self, parameters):
        H = self.hidden_size
        W = parameters["W"]
        half, one = constants(W.dtype)
        z_r, n = W[: 2 * H], W[2 * H :]
        W_z_r_hn = np.zeros_like(W)
        multiply(z_r, half, W_z_r_hn[: 2 * H])  # σ(a) = ½ + ½ tanh(a/2)
        W_z_r_hn[2 * H :, :H] = n[:, :H]
        W_z_r_hn[2 * H :, H] = parameters["b_hn"]
        return WorkingCopy(
            W_z_r_hn=W_z_r_hn,
            W_xn=np.ascontiguousarray(n[:, H:]),
            W_hh_T=np.concatenate([n[:, :H].T, z_r[:, :H].T], axis=1),
            W_xh_T=np.ascontiguousarray(W[:, H + 1 :].T),
            half=half,
            one=one,
        )

    def views(self, blocks, h, memory, scratch):
        # On the way back, what came through h is one block, and what came through x.
        H, now = self.hidden_size, memory[:-1]
        z_gate, r, update, r_hn, n = self.slots(now)
        return Views(
            block=blocks[:-1],
            h_before=h[:-1],
            h=h[1:],
            a=now[:, : 3 * H],
            z_r=now[:, : 2 * H],
            z_gate=z_gate,
            r=r,
            update=update,
            r_hn=r_hn,
            n=n,
            update_r_hn=now[:, 2 * H : 4 * H],
            d_hn_z_r=now[:, H : 4 * H],
            deltas=now[:, H:],
        )

    def begin(self, weights, span):
        np.matmul(weights.W_xn, span.block[:, self.hidden_size :], out=span.n)  # W_xn x_t + b_xn

    def forward(self, weights, step):
        hn = step.update
        dot(weights.W_z_r_hn, step.block, step.a)  # a_z, a_r; hn = W_hn h_{t-1} + b_hn
        logistic_of_half(step.z_r, weights.half)  # z, r = σ(a)
        multiply(step.r, hn, step.r_hn)
        add(step.n, step.r_hn, step.n)  # a_n = W_xn x_t + b_xn + r∘hn
        tanh(step.n, step.n)  # n = tanh(a_n)
        subtract(step.h_before, step.n, step.update)
        multiply(step.z_gate, step.update, step.update)
        add(step.n, step.update, step.h)  # h_t = n + z∘(h_{t-1} - n)

    def compute_factors(self, weights, span, scratch):
        n, r, r_hn, one = span.n, span.r, span.r_hn, weights.one
        rest_z, _ = self.slots(scratch)

        subtract(one, span.z_r, scratch)  # 1-z, 1-r
        # h_t = n + z∘(h-n): da_z = dh∘(h-n)∘σ' = dh∘(z∘(h-n))∘(1-z); the same with r∘hn, see below
        multiply(span.update_r_hn, scratch, span.update_r_hn)
        multiply(n, n, n)
        subtract(one, n, n)
        multiply(n, rest_z, n)  # h_t = (1-z)∘n + …: da_n = dh∘(1-z)∘tanh'
        multiply(r_hn, n, r_hn)  # a_n = … + r∘hn: da_r = da_n∘hn∘σ' = da_n∘(r∘hn)∘(1-r)
        multiply(r, n, r)  # a_n = … + r∘hn: d_hn = da_n∘r
        # And h_t = … + z∘h_{t-1}: dh_{t-1} = dh∘z + …, for which z is as it has to be.

    def backward(self, weights, step, d_states):
        (dh,), through_z = d_states, step.z_gate
        d_hn, da_z, da_r, da_n = step.r, step.update, step.r_hn, step.n
        multiply(d_hn, dh, d_hn)  # h_t, n, r and z: all are proportional to dh_t
        multiply(da_z, dh, da_z)
        multiply(da_r, dh, da_r)
        multiply(da_n, dh, da_n)
        multiply(through_z, dh, through_z)
        dot(weights.W_hh_T, step.d_hn_z_r, dh)  # hn, a_z, a_r = W h_{t-1} + …
        return through_z  # h_t = … + z∘h_{t-1}

    def add_gradients(self, deltas, blocks, gradients):
        H = self.hidden_size
        dW = gradients["W"]
        through_h = deltas[: 3 * H] @ blocks[:, : H + 1]  # hn, a_z, a_r = W_h· h_{t-1} + …
        dW[: 2 * H, :H] += through_h[H:, :H]
        dW[2 * H :, :H] += through_h[:H, :H]
        gradients["b_hn"] += through_h[:H, H]
        dW[:, H:] += deltas[H:] @ blocks[:, H:]  # a_z, a_r, a_n = … + b + W_x· x_t

    def input_gradient(self, weights, deltas, d_x):
        np.matmul(weights.W_xh_T, deltas[:, self.hidden_size :], out=d_x)
