"""The gated recurrent unit (Cho et al. 2014), the reset gate applied after the product.

r, z = σ(W_x· x_t + W_h· h_{t-1} + b_·),
n = tanh(W_xn x_t + b_xn + r∘(W_hn h_{t-1} + b_hn)),
h_t = (1-z)∘n + z∘h_{t-1}

This is cuDNN's and torch's form. b_xn is in b_h with the biases of r and z; b_hn is by itself.
"""

from typing import NamedTuple

import numpy as np
from numpy import add, dot, multiply, subtract, tanh

from sklearn_rnn.core.cells.base import Cell, logistic_of_half

# The slots of memory: as they are used on the way there, and by the gradients on the way back. Of
# those, what came through h is one block, and what came through x.
Z = 0  # z, to the end
R = 1  # r; d_hn, on W_hn h_{t-1} + b_hn
UPDATE = 2  # W_hn h_{t-1} + b_hn, then z∘(h_{t-1} - n); da_z
R_HN = 3  # r∘(W_hn h_{t-1} + b_hn); da_r
N = 4  # n; da_n


class WorkingCopy(NamedTuple):
    W_z_r_hn: np.ndarray  # (3H, H + 1 + D), z and r halved; hn takes no x: those columns are zero
    W_xn: np.ndarray  # (H, 1 + D)
    W_hh_T: np.ndarray  # (H, 3H): hn, z, r
    W_xh_T: np.ndarray  # (D, 3H): z, r, n
    half: np.ndarray


class Forward(NamedTuple):
    z_block: np.ndarray  # [h_{t-1}; 1; x_t]
    a: np.ndarray  # [z; r; hn]
    z_r: np.ndarray
    z: np.ndarray
    r: np.ndarray
    hn: np.ndarray  # W_hn h_{t-1} + b_hn
    r_hn: np.ndarray
    update: np.ndarray  # takes the place of hn
    n: np.ndarray
    h_before: np.ndarray  # h_{t-1}
    h: np.ndarray  # h_t


class Backward(NamedTuple):
    through_z: np.ndarray  # to h_{t-1}, by z∘h_{t-1}
    d_hn: np.ndarray
    da_z: np.ndarray
    da_r: np.ndarray
    da_n: np.ndarray
    d_hn_z_r: np.ndarray


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
        half = np.array(0.5, W.dtype)
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
        )

    def forward_views(self, z, memory):
        H, now = self.hidden_size, memory[:-1]
        return Forward(
            z_block=z[:-1],
            a=self.slots(now, Z, UPDATE + 1),
            z_r=self.slots(now, Z, R + 1),
            z=self.slots(now, Z),
            r=self.slots(now, R),
            hn=self.slots(now, UPDATE),
            r_hn=self.slots(now, R_HN),
            update=self.slots(now, UPDATE),
            n=self.slots(now, N),
            h_before=z[:-1, :H],
            h=z[1:, :H],
        )

    def backward_views(self, memory, scratch):
        now = memory[:-1]
        return Backward(
            through_z=self.slots(now, Z),
            d_hn=self.slots(now, R),
            da_z=self.slots(now, UPDATE),
            da_r=self.slots(now, R_HN),
            da_n=self.slots(now, N),
            d_hn_z_r=self.slots(now, R, R_HN + 1),
        )

    def deltas(self, memory, scratch):
        return self.slots(memory[:-1], R, N + 1)  # hn, z, r, n

    def begin(self, weights, z, memory):
        x = z[:-1, self.hidden_size :]  # [1; x_t]
        np.matmul(weights.W_xn, x, out=self.slots(memory[:-1], N))  # W_xn x_t + b_xn

    def forward(self, weights, step):
        dot(weights.W_z_r_hn, step.z_block, step.a)  # a_z, a_r; hn = W_hn h_{t-1} + b_hn
        logistic_of_half(step.z_r, weights.half)  # z, r = σ(a)
        multiply(step.r, step.hn, step.r_hn)
        add(step.n, step.r_hn, step.n)  # a_n = W_xn x_t + b_xn + r∘hn
        tanh(step.n, step.n)  # n = tanh(a_n)
        subtract(step.h_before, step.n, step.update)
        multiply(step.z, step.update, step.update)
        add(step.n, step.update, step.h)  # h_t = n + z∘(h_{t-1} - n)

    def compute_factors(self, z, memory, scratch):
        now = memory[:-1]
        z_r, r, update_r_hn = (
            self.slots(now, Z, R + 1),
            self.slots(now, R),
            self.slots(now, UPDATE, N),
        )
        r_hn, n, rest_z = self.slots(now, R_HN), self.slots(now, N), self.slots(scratch, 0)

        subtract(1, z_r, scratch)  # 1-z, 1-r
        # h_t = n + z∘(h-n): da_z = dh∘(h-n)∘σ' = dh∘(z∘(h-n))∘(1-z); the same with r∘hn, see below
        multiply(update_r_hn, scratch, update_r_hn)
        multiply(n, n, n)
        subtract(1, n, n)
        multiply(n, rest_z, n)  # h_t = (1-z)∘n + …: da_n = dh∘(1-z)∘tanh'
        multiply(r_hn, n, r_hn)  # a_n = … + r∘hn: da_r = da_n∘hn∘σ' = da_n∘(r∘hn)∘(1-r)
        multiply(r, n, r)  # a_n = … + r∘hn: d_hn = da_n∘r
        # And h_t = … + z∘h_{t-1}: dh_{t-1} = dh∘z + …, for which z is as it has to be.

    def backward(self, weights, step, d_states):
        (dh,) = d_states
        multiply(step.d_hn, dh, step.d_hn)  # h_t, n, r and z: all are proportional to dh_t
        multiply(step.da_z, dh, step.da_z)
        multiply(step.da_r, dh, step.da_r)
        multiply(step.da_n, dh, step.da_n)
        multiply(step.through_z, dh, step.through_z)
        dot(weights.W_hh_T, step.d_hn_z_r, dh)  # hn, a_z, a_r = W h_{t-1} + …
        add(dh, step.through_z, dh)  # h_t = … + z∘h_{t-1}

    def add_gradients(self, deltas, z, gradients):
        H = self.hidden_size
        dW = gradients["W"]
        through_h = deltas[: 3 * H] @ z[:, : H + 1]  # hn, a_z, a_r = W_h· h_{t-1} + …
        dW[: 2 * H, :H] += through_h[H:, :H]
        dW[2 * H :, :H] += through_h[:H, :H]
        gradients["b_hn"] += through_h[:H, H]
        dW[:, H:] += deltas[H:] @ z[:, H:]  # a_z, a_r, a_n = … + b + W_x· x_t

    def input_gradient(self, weights, deltas, d_x):
        np.matmul(weights.W_xh_T, deltas[:, self.hidden_size :], out=d_x)
