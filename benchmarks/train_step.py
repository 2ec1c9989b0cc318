"""One optimisation step (forward, BPTT, clipping, Adam) against torch, JAX and the bare products.

    python benchmarks/train_step.py [--json FILE] [--threads N] [--quick] [--cells gru lstm]

"gemm" is the time of the matrix products alone that our step makes, in NumPy: per timestep one for
the gates and one for the gradient on the state, and one for the gradient on the weights over all
timesteps.
"""

import os
import sys

if "--threads" not in sys.argv:  # JAX takes its threads at import only
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

import numpy as np

from common import alternate, arguments, geometric_mean, report
from sklearn_rnn.core.losses import LOSSES
from sklearn_rnn.core.network import Architecture, Network
from sklearn_rnn.core.optimizers import Adam, clip_by_norm
from sklearn_rnn.core.packing import Batch

# (timesteps, batch, features, hidden size)
SHAPES = (
    (8, 32, 8, 32),
    (50, 32, 8, 32),
    (100, 32, 8, 64),
    (100, 64, 16, 128),
    (100, 200, 16, 64),
    (50, 256, 8, 32),
    (200, 128, 32, 256),
    (784, 32, 1, 64),
)
N_OUTPUTS = 3
GATES = {"elman": 1, "gru": 3, "lstm": 4}


def data(shape, per_step):
    T, B, D, _ = shape
    rng = np.random.default_rng(0)
    X = rng.standard_normal((B, T, D)).astype(np.float32)
    y = rng.standard_normal((B, T, N_OUTPUTS) if per_step else (B, N_OUTPUTS)).astype(np.float32)
    return X, y


def ours(cell, shape, n_layers, per_step):
    T, B, D, H = shape
    X, y = data(shape, per_step)
    architecture = Architecture(cell, "tanh", D, H, n_layers, N_OUTPUTS, per_step)
    network = Network(architecture, architecture.zeros(np.float32))
    network.initialize(np.random.default_rng(0))
    solver = Adam(0.9, 0.999, 1e-8)
    theta = network.parameters.vector
    state, gradients = solver.init(theta), architecture.zeros(np.float32)
    batch = Batch(X.reshape(B * T, D), np.arange(B) * T, np.full(B, T))
    rows = batch.positions(batch.starts) if per_step else np.arange(B)
    targets = np.ascontiguousarray(y.reshape(-1, N_OUTPUTS)[rows].T)
    weights = np.full(len(rows), 1 / len(rows), np.float32)
    evaluate = LOSSES["squared_error"].evaluate

    def step():
        _, d_outputs = evaluate(network.forward(batch), targets, weights)
        network.backward(d_outputs, gradients)
        clip_by_norm(gradients.vector, 1.0)
        solver.update(theta, gradients.vector, state, 1e-3)
        network.refresh()

    return step


def by_torch(cell, shape, n_layers, per_step):
    import torch

    _, _, D, H = shape
    X, y = (torch.from_numpy(array) for array in data(shape, per_step))
    kind = {"elman": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[cell]
    recurrent = kind(D, H, n_layers, batch_first=True)
    output = torch.nn.Linear(H, N_OUTPUTS)
    parameters = [*recurrent.parameters(), *output.parameters()]
    solver = torch.optim.Adam(parameters, 1e-3)
    loss_of = torch.nn.MSELoss()

    def step():
        solver.zero_grad()
        h, _ = recurrent(X)
        loss = loss_of(output(h if per_step else h[:, -1]), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        solver.step()

    return step


def by_jax(cell, shape, n_layers, per_step):
    import jax
    import jax.numpy as jnp

    _, B, D, H = shape
    X, y = data(shape, per_step)
    X = jnp.asarray(X.transpose(1, 0, 2))
    y = jnp.asarray(y.transpose(1, 0, 2) if per_step else y)
    rng = np.random.default_rng(0)

    def draw(*size):
        return jnp.asarray(rng.standard_normal(size).astype(np.float32) / np.sqrt(H))

    n = GATES[cell] * H
    parameters = {
        "layers": [
            {"x": draw(D if k == 0 else H, n), "h": draw(H, n), "b": draw(n), "bn": draw(H)}
            for k in range(n_layers)
        ],
        "output": draw(H, N_OUTPUTS),
        "bias": draw(N_OUTPUTS),
    }

    def cell_step(p, carry, xp):
        h, c = carry
        hp = h @ p["h"]
        if cell == "elman":
            h = jnp.tanh(xp + hp)
        elif cell == "gru":
            (xr, xz, xn), (hr, hz, hn) = jnp.split(xp, 3, 1), jnp.split(hp, 3, 1)
            r, z = jax.nn.sigmoid(xr + hr), jax.nn.sigmoid(xz + hz)
            candidate = jnp.tanh(xn + r * (hn + p["bn"]))
            h = candidate + z * (h - candidate)
        else:
            i, f, g, o = jnp.split(xp + hp, 4, 1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    def loss_of(parameters):
        h = X
        for p in parameters["layers"]:
            start = (jnp.zeros((B, H)), jnp.zeros((B, H)))
            _, h = jax.lax.scan(lambda c, x, p=p: cell_step(p, c, x), start, h @ p["x"] + p["b"])
        raw = (h if per_step else h[-1]) @ parameters["output"] + parameters["bias"]
        return ((raw - y) ** 2).mean()

    @jax.jit
    def update(parameters, m, v, t):
        gradients = jax.grad(loss_of)(parameters)
        norm = jnp.sqrt(sum(jnp.vdot(g, g) for g in jax.tree.leaves(gradients)))
        scale = jnp.minimum(1.0, 1.0 / norm)
        gradients = jax.tree.map(lambda g: g * scale, gradients)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, gradients)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradients)
        parameters = jax.tree.map(
            lambda p, m, v: p - 1e-3 * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8),
            parameters,
            m,
            v,
        )
        return parameters, m, v, t + 1

    zeros = jax.tree.map(jnp.zeros_like, parameters)
    state = [(parameters, zeros, zeros, jnp.float32(1))]

    def step():
        state[0] = jax.block_until_ready(update(*state[0]))

    return step


def gemm(cell, shape, n_layers, per_step):
    T, B, D, H = shape
    rng = np.random.default_rng(0)

    def draw(*size):
        return rng.standard_normal(size).astype(np.float32)

    n = GATES[cell] * H
    chunk = max(1, 2000 // B)
    products = []
    for k in range(n_layers):
        R = H + 1 + (D if k == 0 else H)
        W, z, a, W_T, dh = draw(n, R), draw(R, B), draw(n, B), draw(H, n), draw(H, B)
        products += [(W, z, a, T), (W_T, a, dh, T)]
        products.append((draw(n, chunk * B), draw(R, chunk * B).T, draw(n, R), -(-T // chunk)))
        if k > 0:
            products.append((draw(H, n), draw(n, chunk * B), draw(H, chunk * B), -(-T // chunk)))

    def step():
        for left, right, out, times in products:
            for _ in range(times):
                np.matmul(left, right, out=out)

    return step


def main():
    options = arguments(__doc__)
    contenders = {"ours": ours, "torch": by_torch, "jax": by_jax, "gemm": gemm}
    shapes = [s for s in SHAPES if not (options.quick and s[0] * s[1] * s[3] > 10**6)]
    rows, figures = [], []
    for cell in ("elman", "gru", "lstm"):
        ratios = []
        for shape in shapes:
            for n_layers, per_step in [(1, False), (1, True), (2, False), (2, True)]:
                if options.quick and (n_layers, per_step) not in [(1, False), (2, True)]:
                    continue
                runs = {n: f(cell, shape, n_layers, per_step) for n, f in contenders.items()}
                times = alternate(runs, seconds=0.3 if options.quick else 2.0)
                best = min(times["torch"], times["jax"])
                ratios.append(best / times["ours"])
                rows.append(
                    [cell, str(shape), str(n_layers), "each step" if per_step else "last step"]
                    + [f"{times[n] * 1e3:.3g}" for n in contenders]
                    + [
                        f"{times['torch'] / times['ours']:.2f}",
                        f"{times['jax'] / times['ours']:.2f}",
                        f"{times['ours'] / times['gemm']:.2f}",
                    ]
                )
                figures.append(
                    {"cell": cell, "shape": shape, "layers": n_layers, "per_step": per_step}
                    | {"seconds": times}
                )
                print(rows[-1], file=sys.stderr, flush=True)
        rows.append([cell, "geometric mean", "", "", "", "", "", "", "", ""])
        rows[-1].append(f"best peer / ours {geometric_mean(ratios):.2f}")
    columns = ["cell", "(T, B, D, H)", "layers", "output", "ours ms", "torch ms", "jax ms"]
    columns += ["gemm ms", "torch / ours", "jax / ours", "ours / gemm"]
    title = f"Training step, float32, {options.threads} thread(s), medians"
    report(title, columns, rows, figures, options.json)


if __name__ == "__main__":
    main()
