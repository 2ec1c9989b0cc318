"""Candidates of a search side by side: one training step of K networks against K steps.

    python benchmarks/side_by_side.py [--json FILE] [--quick] [--cells gru lstm]

K networks of one architecture differ in parameters, learning rate and alpha, and each reads a
minibatch of its own. "ours" is K steps of the package's own network, one after the other. "side by
side" is an experiment outside the package: parameters, states and gradients have a leading axis of
K, each product is one `np.matmul` of K pairs of matrices, and each ufunc works on all K at once. So
the overhead of Python and of ufuncs is shared. Both sides make the whole step: copying a minibatch,
forward, backward, clipping of each network by its own norm, and Adam. Before the clock starts, the
parameters after three steps of each side are compared.

The experiment knows one layer, equal lengths and one output, no units and no pools. So it is faster
than the package also with K = 1, and what K networks share is the gain over that.
"""

import sys

import numpy as np
from numpy import add, multiply, subtract, tanh

from common import PEERS_CELLS, Result, alternate, arguments, report_results
from sklearn_rnn.core.architecture import Architecture
from sklearn_rnn.core.losses import LOSSES
from sklearn_rnn.core.memory import UFUNC_BUFFER
from sklearn_rnn.core.network import Network
from sklearn_rnn.core.optimizers import Adam, clip_by_norm
from sklearn_rnn.core.packing import FlatBatch

B, D, N_OUTPUTS = 32, 8, 3
LENGTHS, SIZES, COUNTS = (8, 50), (8, 16, 32, 64), (1, 4, 12, 32)
MAX_NORM, ALPHA = 1.0, 1e-4
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
HALF, ONE = np.float32(0.5), np.float32(1)


def architecture_of(cell: str, H: int) -> Architecture:
    return Architecture(cell, "tanh", D, H, 1, N_OUTPUTS, return_sequences=False)


def networks_of(architecture: Architecture, K: int) -> list[Network]:
    networks = [Network(architecture, architecture.zeros(np.float32)) for _ in range(K)]
    for k, network in enumerate(networks):
        network.initialize(np.random.default_rng(k))
    return networks


def separate(networks: list[Network], X: np.ndarray, y: np.ndarray, rates: np.ndarray):
    """Return a function that makes a step of each network; X (K, B, T, D), y (K, O, B)."""
    K, _, T, _ = X.shape
    solver, evaluate = Adam(BETA_1, BETA_2, EPSILON), LOSSES["squared_error"].evaluate
    batches = [FlatBatch(X[k].reshape(B * T, D), np.arange(B) * T, np.full(B, T)) for k in range(K)]
    weights = np.full(B, 1 / B, np.float32)
    gradients = [network.architecture.zeros(np.float32) for network in networks]
    states = [solver.init(network.parameters.vector) for network in networks]

    def step():
        for k, network in enumerate(networks):
            theta, gradient = network.parameters.vector, gradients[k].vector
            raw, tape = network.forward(batches[k])
            _, d_outputs = evaluate(raw, y[k], weights)
            network.backward(tape, d_outputs, gradients[k])
            gradient += (ALPHA / B) * theta
            clip_by_norm(gradient, MAX_NORM)
            solver.update(theta, gradient, states[k], rates[k])
            network.refresh()

    return step


class SideBySide:
    """K networks of one recurrent layer; every array begins with K, or with timesteps and K.

    blocks : (T + 1, K, H + 1 + D, B), the [h_{t-1}; 1; x_t] of each timestep
    theta : (K, n), the parameters in the order in which the package has them
    """

    def __init__(self, networks: list[Network], X: np.ndarray, y: np.ndarray, rates: np.ndarray):
        architecture = networks[0].architecture
        self.cell, self.H = networks[0].layers[0].cell, architecture.hidden_size
        self.K, _, self.T, _ = X.shape
        self.y, self.rates = y, np.float32(rates)[:, np.newaxis]
        self.theta = np.stack([network.parameters.vector for network in networks])
        self.gradient, self.m, self.v = (np.zeros_like(self.theta) for _ in range(3))
        self.n_updates = 0
        shapes = networks[0].parameters.shapes
        self.named = self._views(self.theta, shapes)
        self.d_named = self._views(self.gradient, shapes)
        H, K, T = self.H, self.K, self.T
        self.blocks = np.zeros((T + 1, K, H + 1 + D, B), np.float32)
        self.blocks[:, :, H] = 1
        self.X = X.transpose(2, 0, 3, 1)
        self.features = np.ones((K, H + 1, B), np.float32)
        self.dh = np.zeros((K, H, B), np.float32)
        self.lay_out()

    def _views(self, flat: np.ndarray, shapes) -> dict[str, np.ndarray]:
        sizes = [int(np.prod(shape)) for shape in shapes.values()]
        parts = np.split(flat, np.cumsum(sizes)[:-1], axis=1)
        return {
            name: part.reshape(self.K, *shape, copy=False)
            for (name, shape), part in zip(shapes.items(), parts, strict=True)
        }

    def slots(self, n: int) -> np.ndarray:
        return np.zeros((self.T + 1, self.K, n * self.H, B), np.float32)

    def rows(self, array: np.ndarray, first: int, end: int) -> np.ndarray:
        return array[:, :, first * self.H : end * self.H]

    def step(self) -> None:
        H, output = self.H, self.named["output.W"]
        self.blocks[:-1, :, H + 1 :] = self.X
        self.refresh()
        self.forward()
        self.features[:, :H] = self.blocks[-1, :, :H]
        d_raw = np.matmul(output, self.features)
        d_raw -= self.y
        d_raw *= np.float32(1 / (B * N_OUTPUTS))
        self.gradient[...] = 0
        np.matmul(d_raw, self.features.swapaxes(1, 2), out=self.d_named["output.W"])
        np.matmul(output[:, :, :H].swapaxes(1, 2), d_raw, out=self.dh)
        self.backward()
        self.gradient += (ALPHA / B) * self.theta
        self.update()

    def update(self) -> None:
        """Clip each network's gradient by its own norm, and take a step of Adam."""
        g, m, v = self.gradient, self.m, self.v
        norms = np.sqrt(np.vecdot(g, g))
        if (norms > MAX_NORM).any():
            g *= np.minimum(MAX_NORM / np.maximum(norms, EPSILON), 1)[:, np.newaxis]
        self.n_updates += 1
        to_m_hat = (1 - BETA_1) / (1 - BETA_1**self.n_updates)
        to_v_hat = (1 - BETA_2) / (1 - BETA_2**self.n_updates)
        m *= BETA_1
        m += g
        v *= BETA_2
        step = np.square(g)
        v += step
        np.sqrt(v, step)
        step += EPSILON / to_v_hat**0.5
        np.divide(m, step, step)
        step *= self.rates * np.float32(to_m_hat / to_v_hat**0.5)
        self.theta -= step

    def side_by_side(self, deltas: np.ndarray, first: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Return deltas (K, rows, columns) and rows of the blocks (K, columns, rows)."""
        blocks = self.blocks[:-1, :, first:]
        K, columns = self.K, self.T * B
        return (
            deltas.transpose(1, 2, 0, 3).reshape(K, -1, columns),
            blocks.transpose(1, 0, 3, 2).reshape(K, columns, -1),
        )

    def slice_steps(self, *arrays: np.ndarray) -> list[tuple[np.ndarray, ...]]:
        return list(zip(*(list(array) for array in arrays), strict=True))


class Elman(SideBySide):
    def lay_out(self):
        self.deltas = self.slots(1)[:-1]
        h = self.blocks[:, :, : self.H]
        self.h = h[1:]
        self.steps = self.slice_steps(self.blocks[:-1], h[1:], self.deltas)

    def refresh(self):
        W = self.named["layer_0.W"]
        self.W, self.W_hh_T = W, np.ascontiguousarray(W[:, :, : self.H].swapaxes(1, 2))

    def forward(self):
        for block, h, _ in self.steps:
            np.matmul(self.W, block, out=h)
            tanh(h, h)

    def backward(self):
        multiply(self.h, self.h, self.deltas)
        subtract(ONE, self.deltas, self.deltas)
        for _, _, da in reversed(self.steps):
            multiply(da, self.dh, da)
            np.matmul(self.W_hh_T, da, out=self.dh)
        np.matmul(*self.side_by_side(self.deltas), out=self.d_named["layer_0.W"])


class LSTM(SideBySide):
    """Slots: f, o, i, g, c_{t-1}, tanh(c_t), as in the package."""

    def lay_out(self):
        H, memory = self.H, self.slots(6)
        self.memory = now = memory[:-1]
        self.scratch = np.zeros_like(self.rows(now, 0, 4))
        self.dc = np.zeros((self.K, H, B), np.float32)
        self.f, self.o, self.i, self.g, self.c_before, self.tanh_c = (
            self.rows(now, k, k + 1) for k in range(6)
        )
        h = self.blocks[:, :, :H]
        self.h = h[1:]
        self.deltas = self.rows(now, 1, 5)
        names = (self.f, self.o, self.i, self.g, self.c_before, self.tanh_c)
        a, sigmoids = self.rows(now, 0, 4), self.rows(now, 0, 3)
        c = self.rows(memory, 4, 5)[1:]
        self.steps = self.slice_steps(self.blocks[:-1], h[1:], a, sigmoids, *names, c, self.deltas)

    def refresh(self):
        H, W = self.H, self.named["layer_0.W"]  # in the order o, i, g, f
        o, i, g, f = (W[:, k * H : (k + 1) * H] for k in range(4))
        self.W = np.concatenate([f, o, i, g], axis=1)
        self.W[:, : 3 * H] *= HALF
        self.W_hh_T = np.ascontiguousarray(W[:, :, :H].swapaxes(1, 2))

    def forward(self):
        self.steps[0][8][...] = 0  # c before the first timestep
        for block, h, a, sigmoids, f, o, i, g, c_before, tanh_c, c, _ in self.steps:
            np.matmul(self.W, block, out=a)
            tanh(a, a)
            multiply(sigmoids, HALF, sigmoids)
            add(sigmoids, HALF, sigmoids)
            multiply(f, c_before, c_before)
            multiply(i, g, h)
            add(c_before, h, c)
            tanh(c, tanh_c)
            multiply(o, tanh_c, h)

    def backward(self):
        rest_f, rest_o, rest_i, i_g = (self.rows(self.scratch, k, k + 1) for k in range(4))
        subtract(ONE, self.rows(self.memory, 0, 3), self.rows(self.scratch, 0, 3))
        multiply(self.i, self.g, i_g)
        multiply(self.h, self.tanh_c, self.tanh_c)
        subtract(self.o, self.tanh_c, self.tanh_c)
        multiply(self.h, rest_o, self.o)
        multiply(self.g, i_g, self.g)
        subtract(self.i, self.g, self.g)
        multiply(i_g, rest_i, self.i)
        multiply(self.c_before, rest_f, self.c_before)
        dh, dc = self.dh, self.dc
        dc[...] = 0
        for _, _, _, _, f, da_o, da_i, da_g, da_f, h_by_c, _, deltas in reversed(self.steps):
            multiply(da_o, dh, da_o)
            multiply(h_by_c, dh, h_by_c)
            add(dc, h_by_c, dc)
            multiply(da_g, dc, da_g)
            multiply(da_i, dc, da_i)
            multiply(da_f, dc, da_f)
            multiply(f, dc, dc)
            np.matmul(self.W_hh_T, deltas, out=dh)
        np.matmul(*self.side_by_side(self.deltas), out=self.d_named["layer_0.W"])


class GRU(SideBySide):
    """Slots: z, r, q, r∘q, n, as in the package."""

    def lay_out(self):
        H, memory = self.H, self.slots(5)
        self.memory = now = memory[:-1]
        self.scratch = np.zeros_like(self.rows(now, 0, 2))
        self.z, self.r, self.q, self.r_q, self.n = (self.rows(now, k, k + 1) for k in range(5))
        self.deltas = self.rows(now, 1, 5)  # [dq; da_z; da_r; da_n]
        h = self.blocks[:, :, :H]
        names = (self.z, self.r, self.q, self.r_q, self.n)
        products, z_r, d_products = (self.rows(now, *k) for k in ((0, 3), (0, 2), (1, 4)))
        self.past = np.zeros((self.K, H, B), np.float32)
        self.steps = self.slice_steps(
            self.blocks[:-1], h[:-1], h[1:], products, z_r, *names, d_products
        )

    def refresh(self):
        H, W = self.H, self.named["layer_0.W"]
        self.W = np.zeros_like(W)
        multiply(W[:, : 2 * H], HALF, self.W[:, : 2 * H])
        self.W[:, 2 * H :, :H] = W[:, 2 * H :, :H]
        self.W[:, 2 * H :, H] = self.named["layer_0.b_hn"]
        self.W_xn = np.ascontiguousarray(W[:, 2 * H :, H:])
        parts = W[:, 2 * H :, :H].swapaxes(1, 2), W[:, : 2 * H, :H].swapaxes(1, 2)
        self.W_hh_T = np.concatenate(parts, axis=2)

    def forward(self):
        np.matmul(self.W_xn, self.blocks[:-1, :, self.H :], out=self.n)
        for block, h_before, h, products, z_r, z, r, q, r_q, n, _ in self.steps:
            np.matmul(self.W, block, out=products)
            tanh(z_r, z_r)
            multiply(z_r, HALF, z_r)
            add(z_r, HALF, z_r)
            multiply(r, q, r_q)
            add(n, r_q, n)
            tanh(n, n)
            subtract(h_before, n, q)
            multiply(z, q, q)
            add(n, q, h)

    def backward(self):
        H = self.H
        subtract(ONE, self.rows(self.memory, 0, 2), self.scratch)
        through = self.rows(self.memory, 2, 4)
        multiply(through, self.scratch, through)
        multiply(self.n, self.n, self.n)
        subtract(ONE, self.n, self.n)
        multiply(self.n, self.rows(self.scratch, 0, 1), self.n)
        multiply(self.r, self.n, self.r)
        multiply(self.r_q, self.n, self.r_q)
        dh, past = self.dh, self.past
        for _, _, _, _, _, z, dq, da_z, da_r, da_n, d_products in reversed(self.steps):
            multiply(z, dh, past)
            multiply(da_z, dh, da_z)
            multiply(da_n, dh, da_n)
            multiply(dq, dh, dq)
            multiply(da_r, dh, da_r)
            np.matmul(self.W_hh_T, d_products, out=dh)
            add(dh, past, dh)
        deltas, blocks = self.side_by_side(self.deltas)
        through_h = np.matmul(deltas[:, : 3 * H], blocks[:, :, : H + 1])
        dW = self.d_named["layer_0.W"]
        dW[:, : 2 * H, :H] = through_h[:, H:, :H]
        dW[:, 2 * H :, :H] = through_h[:, :H, :H]
        self.d_named["layer_0.b_hn"][...] = through_h[:, :H, H]
        dW[:, :, H:] = np.matmul(deltas[:, H:], blocks[:, :, H:])


EXPERIMENTS = {"elman": Elman, "gru": GRU, "lstm": LSTM}


def measure(cell: str, T: int, H: int, K: int, seconds: float) -> Result:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((K, B, T, D), np.float32)
    y = rng.standard_normal((K, N_OUTPUTS, B), np.float32)
    rates = 10.0 ** rng.uniform(-4, -2, K)
    networks = networks_of(architecture_of(cell, H), K)
    experiment = EXPERIMENTS[cell](networks, X, y, rates)
    separately = separate(networks, X, y, rates)
    for _ in range(3):
        separately()
        experiment.step()
    expected = np.stack([network.parameters.vector for network in networks])
    np.testing.assert_allclose(experiment.theta, expected, atol=1e-3 * rates.max() + 1e-4)
    times = alternate({"ours": separately, "side by side": experiment.step}, seconds)
    labels = {"cell": cell, "(T, B, D, H)": (T, B, D, H), "K": K}
    ratios = {"gain": times["ours"] / times["side by side"]}
    print(labels, ratios, file=sys.stderr, flush=True)
    return Result(f"{cell}, K = {K}", labels, {n: t / K for n, t in times.items()}, ratios)


def main():
    options = arguments(__doc__, cells=PEERS_CELLS)
    np.setbufsize(UFUNC_BUFFER)
    results = [
        measure(cell, T, H, K, seconds=0.05 if options.quick else 0.3)
        for cell in options.cells
        for K in COUNTS
        for T in LENGTHS
        for H in SIZES
    ]
    title = f"A training step of one of K networks, float32, {options.threads} thread(s), medians"
    report_results(title, results, options.json)


if __name__ == "__main__":
    main()
