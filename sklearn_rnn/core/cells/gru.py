"""The gated recurrent unit (Cho et al. 2014), the reset gate applied after the product.

r, z = σ(W_x· x_t + W_h· h_{t-1} + b_·),
n = tanh(W_xn x_t + b_xn + r∘(W_hn h_{t-1} + b_hn)),
h_t = (1-z)∘n + z∘h_{t-1}

This is cuDNN's and torch's form. b_xn is in b_h with the biases of r and z; b_hn is by itself.
"""

from typing import NamedTuple

import numpy as np

from sklearn_rnn.core.cells.base import (
    Cell,
    logistic_of_half,
    slope_of_tanh,
)


class WorkingCopy(NamedTuple):
    """The gates' order here is hn, r, z, n: what takes in h is contiguous, and what takes in x."""

    W_hn_r_z: np.ndarray  # (3H, H + 1 + D); hn takes no x: those columns are zero
    W_xn: np.ndarray  # (H, 1 + D)
    W_hh_T: np.ndarray  # (H, 3H): hn, r, z
    W_xh_T: np.ndarray  # (D, 3H): r, z, n
    half: np.ndarray


class Forward(NamedTuple):
    z_block: np.ndarray  # [h_{t-1}; 1; x_t]
    a: np.ndarray  # [hn; r; z]
    r_z: np.ndarray
    hn: np.ndarray  # W_hn h_{t-1} + b_hn
    r: np.ndarray
    z: np.ndarray
    n: np.ndarray
    h_before: np.ndarray  # h_{t-1}
    h: np.ndarray  # h_t


class Backward(NamedTuple):
    all: np.ndarray  # [d_hn; da_r; da_z; da_n; dh_{t-1}], all proportional to dh
    d_hn_r_z: np.ndarray
    through_z: np.ndarray


class GRU(Cell):
    gates = ("r", "z", "n")
    n_memory = 4  # hn, r, z, n
    n_factors = 5  # of d_hn, da_r, da_z, da_n, and of dh_{t-1} through z∘h_{t-1}
    deltas = slice(0, 4)

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
        textbook = self.textbook(W)
        n = self.textbook(W[self.rows("n")])
        W_hn_r_z = np.zeros_like(W)
        W_hn_r_z[:H, :H] = n.W_hh
        W_hn_r_z[:H, H] = parameters["b_hn"]
        np.multiply(W[: 2 * H], half, out=W_hn_r_z[H:])  # σ(a) = ½ + ½ tanh(a/2)
        return WorkingCopy(
            W_hn_r_z=W_hn_r_z,
            W_xn=np.ascontiguousarray(W[2 * H :, H:]),
            W_hh_T=np.concatenate([n.W_hh.T, textbook.W_hh[: 2 * H].T], axis=1),
            W_xh_T=np.ascontiguousarray(textbook.W_xh.T),
            half=half,
        )

    def bind_forward(self, z, memory):
        H = self.hidden_size
        steps = []
        for t in range(len(z) - 1):
            m = memory[t]
            steps.append(
                Forward(
                    z_block=z[t],
                    a=m[: 3 * H],
                    r_z=m[H : 3 * H],
                    hn=m[:H],
                    r=m[H : 2 * H],
                    z=m[2 * H : 3 * H],
                    n=m[3 * H :],
                    h_before=z[t, :H],
                    h=z[t + 1, :H],
                )
            )
        return steps

    def begin(self, weights, z, memory):
        H = self.hidden_size
        np.matmul(weights.W_xn, z[:-1, H:], out=memory[:-1, 3 * H :])  # W_xn x_t + b_xn

    def forward(self, weights, step):
        np.matmul(weights.W_hn_r_z, step.z_block, out=step.a)  # hn = W_hn h_{t-1} + b_hn; a_r, a_z
        logistic_of_half(step.r_z, weights.half)  # r, z = σ(a)
        np.multiply(step.r, step.hn, out=step.h)  # (h_t's place serves as scratch)
        np.add(step.n, step.h, out=step.n)  # a_n = W_xn x_t + b_xn + r∘hn
        np.tanh(step.n, out=step.n)  # n = tanh(a_n)
        np.subtract(step.h_before, step.n, out=step.h)
        np.multiply(step.h, step.z, out=step.h)
        np.add(step.h, step.n, out=step.h)  # h_t = n + z∘(h_{t-1} - n)

    def compute_factors(self, z, memory, factors):
        H = self.hidden_size
        hn, r, z_gate, n = (memory[:-1, k * H : (k + 1) * H] for k in range(4))
        d_hn, da_r, da_z, da_n, through_z = (factors[:, k * H : (k + 1) * H] for k in range(5))

        np.subtract(1, memory[:-1, H : 3 * H], out=factors[:, H : 3 * H])  # 1-r, 1-z
        slope_of_tanh(n, out=da_n)
        np.multiply(da_n, da_z, out=da_n)  # h_t = (1-z)∘n + …: da_n = dh∘(1-z)∘tanh'
        np.multiply(da_n, r, out=d_hn)  # a_n = … + r∘hn: d_hn = da_n∘r
        np.multiply(da_r, hn, out=da_r)
        np.multiply(da_r, d_hn, out=da_r)  # a_n = … + r∘hn: da_r = da_n∘hn∘σ' = d_hn∘hn∘(1-r)
        np.subtract(z[:-1, :H], n, out=through_z)  # (scratch)
        np.multiply(da_z, through_z, out=da_z)
        np.multiply(da_z, z_gate, out=da_z)  # h_t = n + z∘(h_{t-1}-n): da_z = dh∘(h_{t-1}-n)∘σ'
        np.copyto(through_z, z_gate)  # h_t = … + z∘h_{t-1}: dh_{t-1} = dh∘z

    def bind_backward(self, factors):
        H, batch = self.hidden_size, factors.shape[2]
        return [
            Backward(
                all=k.reshape(5, H, batch),
                d_hn_r_z=k[: 3 * H],
                through_z=k[4 * H :],
            )
            for k in factors
        ]

    def backward(self, weights, step, d_states):
        (dh,) = d_states
        np.multiply(step.all, dh, out=step.all)  # h_t, n, r and z: all are proportional to dh_t
        np.matmul(weights.W_hh_T, step.d_hn_r_z, out=dh)  # hn, a_r, a_z = W h_{t-1} + …
        np.add(dh, step.through_z, out=dh)  # h_t = … + z∘h_{t-1}

    def add_gradients(self, deltas, z, gradients):
        H = self.hidden_size
        d_hn, d_r_z, d_n = deltas[:H], deltas[H : 3 * H], deltas[3 * H :]
        dW = gradients["W"]
        dW[: 2 * H] += d_r_z @ z.T
        from_h = d_hn @ z[: H + 1].T  # hn = W_hn h_{t-1} + b_hn
        dW[2 * H :, :H] += from_h[:, :H]
        gradients["b_hn"] += from_h[:, H]
        dW[2 * H :, H:] += d_n @ z[H:].T  # W_xn x_t + b_xn

    def input_gradient(self, weights, deltas):
        return weights.W_xh_T @ deltas[self.hidden_size :]
