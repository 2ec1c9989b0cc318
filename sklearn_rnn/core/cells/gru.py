"""The gated recurrent unit (Cho et al. 2014), the reset gate applied after the product.

This is cuDNN's and torch's form. b_xn is in b_h with the biases of r and z; b_hn is a parameter of
its own. In the code q stands for W_hn h_{t-1} + b_hn, what r is applied to:

z, r = σ(W_x· x_t + W_h· h_{t-1} + b_·),  q = W_hn h_{t-1} + b_hn,
n = tanh(W_xn x_t + b_xn + r∘q),  h_t = (1-z)∘n + z∘h_{t-1} = n + z∘(h_{t-1} - n)
"""

import numpy as np
from numpy import add, multiply, subtract, tanh

from sklearn_rnn.core.cells.base import (
    Cell,
    constants,
    fields_in_slots,
    second_names,
    slope_of_tanh,
)


@fields_in_slots
class WorkingCopy:
    W_z_r_q: np.ndarray  # (3H, H + 1 + D), z and r scaled; q has no x: those columns are zero
    W_xn: np.ndarray  # (H, 1 + D)
    W_hh_T: np.ndarray  # (H, 3H), in the order q, z, r
    W_xh_T: np.ndarray  # (D, 3H), in the order z, r, n
    half: np.ndarray
    one: np.ndarray


@second_names(
    scaled_a_z_r="z_r",
    x_n="n",
    a_n="n",
    difference="q",
    z_difference="q",
    # The factors; that of h_before is z.
    through_sigmoids="z_difference_r_q",
    h_by_a_z="q",
    a_n_by_a_r="r_q",
    h_by_a_n="n",
    h_by_q="r",
    h_by_a_r="r_q",
    # The deltas.
    dh_past_product="z",
    da_z="q",
    da_n="n",
    dq="r",
    da_r="r_q",
)
@fields_in_slots
class Views:
    block: np.ndarray  # [h_{t-1}; 1; x_t]
    one_x: np.ndarray  # [1; x_t]
    h_before: np.ndarray  # h_{t-1}
    h: np.ndarray  # h_t
    products: np.ndarray  # [scaled a_z; scaled a_r; q]
    z_r: np.ndarray  # scaled [a_z; a_r], then [z; r]
    z: np.ndarray  # the update gate; then the part of dh_{t-1} that comes through z∘h_{t-1}
    r: np.ndarray  # the reset gate; then ∂h/∂q; then dq
    q: np.ndarray  # W_hn h_{t-1} + b_hn, h_{t-1} - n, z∘(h_{t-1} - n); then ∂h/∂a_z; then da_z
    r_q: np.ndarray  # r∘q; then ∂a_n/∂a_r, ∂h/∂a_r; then da_r
    n: np.ndarray  # x_n = W_xn x_t + b_xn, a_n, n; then ∂h/∂a_n; then da_n
    z_difference_r_q: np.ndarray  # the slots of q and r_q: [z∘(h_{t-1} - n); r∘q]
    d_products: np.ndarray  # [dq; da_z; da_r]
    deltas: np.ndarray  # [dq; da_z; da_r; da_n]


class GRU(Cell):
    equations = (
        "r, z = s(.), n = tanh(W_xn x_t + b_xn + r * (W_hn h_{t-1} + b_hn)), "
        "h_t = (1 - z) * n + z * h_{t-1}"
    )
    gates = ("z", "r", "n")
    n_memory = 5
    n_scratch = 2  # 1-z, 1-r
    many_sequences = 256  # two products are added to dW part by part, which takes longer

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
        W_z_r_q = np.zeros_like(W)
        multiply(z_r, self.sigmoid.scale, W_z_r_q[: 2 * H])
        W_z_r_q[2 * H :, :H] = n[:, :H]
        W_z_r_q[2 * H :, H] = parameters["b_hn"]
        return WorkingCopy(
            W_z_r_q=np.asfortranarray(W_z_r_q),
            W_xn=np.ascontiguousarray(n[:, H:]),
            W_hh_T=np.concatenate([n[:, :H], z_r[:, :H]]).T,
            W_xh_T=np.ascontiguousarray(W[:, H + 1 :]).T,
            half=half,
            one=one,
        )

    def views(self, blocks, h, memory, scratch):
        # Each block of rows that one product writes or reads is made of neighbouring slots.
        H, now = self.hidden_size, memory[:-1]
        z, r, q, r_q, n = self.slots(now)
        return Views(
            block=blocks[:-1],
            one_x=blocks[:-1, H:],
            h_before=h[:-1],
            h=h[1:],
            products=now[:, : 3 * H],
            z_r=now[:, : 2 * H],
            z=z,
            r=r,
            q=q,
            r_q=r_q,
            n=n,
            z_difference_r_q=now[:, 2 * H : 4 * H],
            d_products=now[:, H : 4 * H],
            deltas=now[:, H:],
        )

    def begin(self, weights, span):
        np.matmul(weights.W_xn, span.one_x, out=span.x_n)  # W_xn x_t + b_xn

    def begin_step(self, weights, step):
        weights.W_xn.dot(step.one_x, step.x_n)  # W_xn x_t + b_xn

    def forward(self, weights, step):
        weights.W_z_r_q.dot(step.block, step.products)  # scaled a_z, a_r; q = W_hn h_{t-1} + b_hn
        self.sigmoid.apply(step.scaled_a_z_r, weights, step.z_r)  # z, r = σ(a_z), σ(a_r)
        multiply(step.r, step.q, step.r_q)  # r∘q
        add(step.x_n, step.r_q, step.a_n)  # a_n = W_xn x_t + b_xn + r∘q
        tanh(step.a_n, step.n)  # n = tanh(a_n)
        subtract(step.h_before, step.n, step.difference)  # h_{t-1} - n
        multiply(step.z, step.difference, step.z_difference)  # z∘(h_{t-1} - n)
        add(step.n, step.z_difference, step.h)  # h_t = n + z∘(h_{t-1} - n)

    def compute_factors(self, weights, span, scratch):
        one = weights.one
        rest_z, _ = self.slots(scratch)
        subtract(one, span.z_r, scratch)  # 1-z, 1-r

        # h_t = n + z∘(h_{t-1} - n), z = σ(a_z): ∂h/∂a_z = (h_{t-1} - n)∘z∘(1-z)
        # a_n = … + r∘q, r = σ(a_r): ∂a_n/∂a_r = q∘r∘(1-r), which is to become ∂h/∂a_r
        multiply(span.z_difference_r_q, scratch, span.through_sigmoids)
        # h_t = (1-z)∘n + …, n = tanh(a_n): ∂h/∂a_n = (1-z)∘(1 - n²)
        slope_of_tanh(span.n, one, span.h_by_a_n)
        multiply(span.h_by_a_n, rest_z, span.h_by_a_n)
        # a_n = … + r∘q: ∂h/∂q = ∂h/∂a_n∘r, and ∂h/∂a_r = ∂h/∂a_n∘∂a_n/∂a_r
        multiply(span.r, span.h_by_a_n, span.h_by_q)
        multiply(span.a_n_by_a_r, span.h_by_a_n, span.h_by_a_r)

    def backward(self, weights, step, d_states):
        (dh,) = d_states
        multiply(step.z, dh, step.dh_past_product)  # h_t = … + z∘h_{t-1}
        multiply(step.h_by_a_z, dh, step.da_z)  # z = σ(a_z), h_t = n + z∘(h_{t-1} - n)
        multiply(step.h_by_a_n, dh, step.da_n)  # n = tanh(a_n), h_t = (1-z)∘n + …
        multiply(step.h_by_q, dh, step.dq)  # a_n = … + r∘q
        multiply(step.h_by_a_r, dh, step.da_r)  # r = σ(a_r), a_n = … + r∘q
        weights.W_hh_T.dot(step.d_products, dh)  # q, a_z, a_r = W_h· h_{t-1} + …
        return step.dh_past_product

    def add_gradients(self, deltas, blocks, gradients):
        H = self.hidden_size
        dW = gradients["W"]
        through_h = deltas[: 3 * H] @ blocks[:, : H + 1]  # q, a_z, a_r = W_h· h_{t-1} + …
        dW[: 2 * H, :H] += through_h[H:, :H]
        dW[2 * H :, :H] += through_h[:H, :H]
        gradients["b_hn"] += through_h[:H, H]
        dW[:, H:] += deltas[H:] @ blocks[:, H:]  # a_z, a_r, a_n = … + b + W_x· x_t

    def input_gradient(self, weights, deltas, d_x):
        np.matmul(weights.W_xh_T, deltas[:, self.hidden_size :], out=d_x)
