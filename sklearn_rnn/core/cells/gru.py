"""The gated recurrent unit (Cho et al. 2014), the reset gate applied after the product.

r, z = σ(W_x· x_t + W_h· h_{t-1} + b_·),
n = tanh(W_xn x_t + b_xn + r∘(W_hn h_{t-1} + b_hn)),
h_t = (1-z)∘n + z∘h_{t-1}

This is cuDNN's and torch's form. b_xn is in b_h with the biases of r and z; b_hn is by itself.
"""

from typing import NamedTuple

import numpy as np
from numpy import add, dot, multiply, subtract, tanh

from sklearn_rnn.core.cells.base import Cell, constants, logistic_of_half, second_names


class WorkingCopy(NamedTuple):
    W_z_r_hn: np.ndarray  # (3H, H + 1 + D), z and r halved; hn takes no x: those columns are zero
    W_xn: np.ndarray  # (H, 1 + D)
    W_hh_T: np.ndarray  # (H, 3H): hn, z, r
    W_xh_T: np.ndarray  # (D, 3H): z, r, n
    half: np.ndarray
    one: np.ndarray


@second_names(
    kept="hn",
    kept_r_hn="hn_r_hn",
    # In the backward pass:
    through_z="z",
    d_hn="r",
    da_z="hn",
    da_r="r_hn",
    da_z_r="hn_r_hn",
    da_n="n",
)
class Views(NamedTuple):
    block: np.ndarray  # [h_{t-1}; 1; x_t]
    h_before: np.ndarray  # h_{t-1}
    h: np.ndarray  # h_t
    a: np.ndarray  # [a_z; a_r; hn]
    z_r: np.ndarray  # [z; r]
    z: np.ndarray  # the update gate; later through_z, what comes to h_{t-1} through z∘h_{t-1}
    r: np.ndarray  # the reset gate; later d_hn
    hn: np.ndarray  # W_hn h_{t-1} + b_hn; then kept = z∘(h_{t-1} - n); later da_z
    r_hn: np.ndarray  # r∘hn; later da_r
    n: np.ndarray  # the new state; later da_n
    hn_r_hn: np.ndarray  # the slots of hn and r_hn
    d_hn_z_r: np.ndarray  # [d_hn; da_z; da_r], the gradients that go through W_h·
    deltas: np.ndarray  # [d_hn; da_z; da_r; da_n]


class GRU(Cell):
    equations = (
        "r, z = s(.), n = tanh(W_xn x_t + b_xn + r * (W_hn h_{t-1} + b_hn)), "
        "h_t = (1 - z) * n + z * h_{t-1}"
    )
    gates = ("z", "r", "n")
    n_memory = 5  # z, r, hn, r∘hn, n
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
        # The slots are in such an order that the gradients through W_h· are one block, and those
        # through W_x· are another.
        H, now = self.hidden_size, memory[:-1]
        z, r, hn, r_hn, n = self.slots(now)
        return Views(
            block=blocks[:-1],
            h_before=h[:-1],
            h=h[1:],
            a=now[:, : 3 * H],
            z_r=now[:, : 2 * H],
            z=z,
            r=r,
            hn=hn,
            r_hn=r_hn,
            n=n,
            hn_r_hn=now[:, 2 * H : 4 * H],
            d_hn_z_r=now[:, H : 4 * H],
            deltas=now[:, H:],
        )

    def begin(self, weights, span):
        np.matmul(weights.W_xn, span.block[:, self.hidden_size :], out=span.n)  # W_xn x_t + b_xn

    def forward(self, weights, step):
        dot(weights.W_z_r_hn, step.block, step.a)  # a_z, a_r; hn = W_hn h_{t-1} + b_hn
        logistic_of_half(step.z_r, weights.half)  # z, r = σ(a_z), σ(a_r)
        multiply(step.r, step.hn, step.r_hn)  # r∘hn
        add(step.n, step.r_hn, step.n)  # a_n = W_xn x_t + b_xn + r∘hn
        tanh(step.n, step.n)  # n = tanh(a_n)
        subtract(step.h_before, step.n, step.kept)
        multiply(step.z, step.kept, step.kept)  # kept = z∘(h_{t-1} - n)
        add(step.n, step.kept, step.h)  # h_t = n + kept = (1-z)∘n + z∘h_{t-1}

    def compute_factors(self, weights, span, scratch):
        one = weights.one
        rest_z, _ = self.slots(scratch)

        subtract(one, span.z_r, scratch)  # 1-z, 1-r
        # h_t = n + z∘(h_{t-1} - n), z = σ(a_z): da_z / dh_t = (h_{t-1} - n)∘z∘(1-z) = kept∘(1-z).
        # The same product makes r∘hn∘(1-r), for da_r.
        multiply(span.kept_r_hn, scratch, span.da_z_r)
        # h_t = (1-z)∘n + …, n = tanh(a_n): da_n / dh_t = (1-z)∘(1-n²)
        multiply(span.n, span.n, span.da_n)
        subtract(one, span.da_n, span.da_n)
        multiply(span.da_n, rest_z, span.da_n)
        # a_n = … + r∘hn, r = σ(a_r): da_r = da_n∘hn∘r∘(1-r)
        multiply(span.da_r, span.da_n, span.da_r)
        # a_n = … + r∘hn: d_hn = da_n∘r
        multiply(span.r, span.da_n, span.d_hn)
        # h_t = … + z∘h_{t-1}: through_z / dh_t = z, which stands in the slot of through_z already.

    def backward(self, weights, step, d_states):
        (dh,) = d_states
        # Each slot holds a gradient divided by dh_t.
        multiply(step.through_z, dh, step.through_z)  # h_t = … + z∘h_{t-1}
        multiply(step.da_z, dh, step.da_z)  # h_t = n + z∘(h_{t-1} - n), z = σ(a_z)
        multiply(step.da_n, dh, step.da_n)  # h_t = (1-z)∘n + …, n = tanh(a_n)
        multiply(step.da_r, dh, step.da_r)  # a_n = … + r∘hn, r = σ(a_r)
        multiply(step.d_hn, dh, step.d_hn)  # a_n = … + r∘hn
        dot(weights.W_hh_T, step.d_hn_z_r, dh)  # hn, a_z, a_r = W_h· h_{t-1} + …
        return step.through_z

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
