"""One optimisation step (forward, BPTT, clipping, Adam) against torch, JAX and the bare products.

    python benchmarks/train_step.py [--json FILE] [--threads N] [--quick] [--avx2] [--cells gru]

"gemm" is the time of the matrix products alone that our step makes, in NumPy: per timestep one for
the gates and one for the gradient on the state, and one for the gradient on the weights over all
timesteps. A cell that torch and JAX don't have is measured without them.
"""

import sys

import numpy as np

from common import PEERS_CELLS, Result, alternate, arguments, report_results
from peers import jax_step, torch_step
from sklearn_rnn.core.cells import CELLS
from steps import QUICK_SHAPES, SHAPES, minibatch, ours, output, task_of


def gemm(task, batches):
    B, T, D = batches[0].X.shape
    H, n = task.hidden_size, len(CELLS[task.cell].gates) * task.hidden_size
    rng = np.random.default_rng(0)

    def draw(*size):
        return rng.standard_normal(size, np.float32)

    chunk = max(1, 2000 // B)
    products = []
    for k in range(task.n_layers):
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


PEERS = {"torch": torch_step, "jax": jax_step}


def measure(cell, shape, n_layers, per_step, seconds):
    task = task_of(cell, shape, n_layers, per_step)
    lengths = np.full(shape[1], shape[0])
    batches = [minibatch(task, lengths, np.random.default_rng(0))]
    peers = PEERS if cell in PEERS_CELLS else {}
    contenders = {"ours": ours, **peers, "gemm": gemm}
    times = alternate({n: f(task, batches) for n, f in contenders.items()}, seconds)
    labels = {"cell": cell, "(T, B, D, H)": shape, "layers": n_layers, "output": output(task)}
    ratios = {f"{peer} / ours": times[peer] / times["ours"] for peer in peers}
    if peers:
        ratios["best peer / ours"] = min(times[peer] for peer in peers) / times["ours"]
    ratios["ours / gemm"] = times["ours"] / times["gemm"]
    print(labels, ratios, file=sys.stderr, flush=True)
    return Result(cell, labels, times, ratios)


def main():
    options = arguments(__doc__, cells=tuple(CELLS))
    shapes, networks = SHAPES, [(1, False), (1, True), (2, False), (2, True)]
    if options.quick:
        shapes, networks = QUICK_SHAPES, [(1, False), (2, True)]
    results = [
        measure(cell, shape, n_layers, per_step, seconds=0.3 if options.quick else 2.0)
        for cell in options.cells
        for shape in shapes
        for n_layers, per_step in networks
    ]
    title = f"Training step, float32, {options.threads} thread(s), medians"
    report_results(title, results, options.json)


if __name__ == "__main__":
    main()
