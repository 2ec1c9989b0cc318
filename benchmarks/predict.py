"""Prediction against torch in inference mode: throughput, latency of one sequence, peak memory.

    python benchmarks/predict.py [--json FILE] [--threads N] [--quick] [--cells gru]
        [--parts latency]

Both sides take a NumPy array and return one. torch predicts 10,000 sequences at once or in batches
of 256, whichever is faster on the first 1,024. Peak memory is measured in fresh processes, for an
array and for a list of sequences of different lengths, which torch packs. Three files are written
instead of FILE, one for each part.
"""

import sys
import warnings
from functools import partial
from itertools import product

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from common import PEERS_CELLS, Result, alternate, arguments, report, report_results
from fresh import in_fresh_process, megabytes, peak_bytes
from sklearn_rnn import RNNClassifier, RNNRegressor
from steps import N_OUTPUTS

BATCH = 256  # torch's
TRIAL = 1024  # the number of sequences on which torch's faster variant is chosen
# (timesteps, features, hidden size)
THROUGHPUT_SHAPES = ((50, 8, 32), (100, 8, 64), (100, 16, 128))
LATENCY_SHAPES = tuple((T, D, H) for T in (8, 100, 1000) for D, H in ((8, 32), (8, 64), (16, 128)))
# (layers, one output per step, labels)
THROUGHPUT_NETWORKS = ((1, False, False), (2, True, False), (1, True, True))
LATENCY_NETWORKS = ((1, False, False), (1, True, False), (2, False, False), (2, True, False))
# (container of X, one output per step)
MEMORY_CASES = (("array", False), ("array", True), ("list", False))


def draw(*shape):
    return np.random.default_rng(0).standard_normal(shape, np.float32)


def ours(cell, D, H, network):
    """Return an estimator's predict; the weights don't matter."""
    n_layers, per_step, labels = network
    y = draw(6, 2, N_OUTPUTS) if per_step else draw(6, N_OUTPUTS)
    kind = RNNRegressor
    if labels:
        kind, y = RNNClassifier, y.argsort(axis=None).reshape(y.shape)[..., 0] % N_OUTPUTS
    model = kind(cell=cell, hidden_size=H, n_layers=n_layers, return_sequences=per_step, max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(draw(6, 2, D), y).predict


def by_torch(cell, D, H, network):
    """Return torch's predict for an array or a list of arrays."""
    import torch
    from torch.nn.utils.rnn import pack_sequence

    from peers import TorchRNN

    n_layers, per_step, labels = network
    model = TorchRNN(cell, D, H, n_layers, N_OUTPUTS, per_step).eval()

    def predict(X):
        with torch.inference_mode():
            if isinstance(X, list):
                X = pack_sequence([torch.from_numpy(x) for x in X], enforce_sorted=False)
            else:
                X = torch.from_numpy(X)
            raw = model(X)
            return (raw.argmax(-1) if labels else raw).numpy()

    return predict


CONTENDERS = {"ours": ours, "torch": by_torch}


def in_batches(predict, X):
    return np.concatenate([predict(X[k : k + BATCH]) for k in range(0, len(X), BATCH)])


def throughput(options):
    n = 1_000 if options.quick else 10_000
    networks = THROUGHPUT_NETWORKS[::2] if options.quick else THROUGHPUT_NETWORKS

    def measure(cell, shape, network):
        X = draw(n, *shape[:2])
        mine, at_once = (make(cell, *shape[1:], network) for make in CONTENDERS.values())
        ways = {"at once": at_once, "in batches": partial(in_batches, at_once)}
        trial = {name: partial(way, X[:TRIAL]) for name, way in ways.items()}
        times = alternate(trial, seconds=0, rounds=3)
        theirs = ways[min(times, key=times.get)]
        return alternate({"ours": partial(mine, X), "torch": partial(theirs, X)}, 0, rounds=3)

    results = against_torch(measure, options.cells, THROUGHPUT_SHAPES, networks)
    return f"Predicting {n:,} sequences, medians", results


def latency(options):
    networks = LATENCY_NETWORKS[::3] if options.quick else LATENCY_NETWORKS

    def measure(cell, shape, network):
        X = draw(1, *shape[:2])
        runs = {
            name: partial(make(cell, *shape[1:], network), X) for name, make in CONTENDERS.items()
        }
        return alternate(runs, seconds=0.05 if options.quick else 0.2)

    results = against_torch(measure, options.cells, LATENCY_SHAPES, networks)
    return "Predicting one sequence, medians", results


def against_torch(measure, cells, shapes, networks):
    results = []
    for cell, shape, network in product(cells, shapes, networks):
        times = measure(cell, shape, network)
        n_layers, per_step, labels = network
        output = "each step" if per_step else "last step"
        output += ", labels" if labels else ""
        about = {"cell": cell, "(T, D, H)": shape, "layers": n_layers, "output": output}
        results.append(Result(cell, about, times, {"torch / ours": times["torch"] / times["ours"]}))
        print(*results[-1], file=sys.stderr, flush=True)
    return results


def memory(options):
    lengths = (100, 1_000) if options.quick else (100, 1_000, 10_000)
    rows, figures = [], []
    for cell, (container, per_step), T in product(options.cells, MEMORY_CASES, lengths):
        if cell != "gru" and (container, per_step) != MEMORY_CASES[0]:
            continue  # one cell is enough to show the effect of the container and the outputs
        sizes, peaks = {}, {}
        for name in CONTENDERS:
            case = (name, cell, container, per_step, T)
            sizes, peaks[name] = in_fresh_process(peak, *case, threads=options.threads)
        row = [cell, container, "each step" if per_step else "last step", f"{T:,}"]
        row += [megabytes(size) for size in (*sizes.values(), *peaks.values())]
        print(row, file=sys.stderr, flush=True)
        rows.append(row)
        figures.append({"cell": cell, "container": container, "per_step": per_step, "T": T})
        figures[-1] |= sizes | {"peak": peaks}
    columns = ["cell", "X", "output", "T", "input MB", "output MB", "ours MB", "torch MB"]
    title = f"Peak memory beyond the input, predicting {BATCH} sequences of 8 features, H=64"
    return title, columns, rows, figures


def peak(contender, cell, container, per_step, T):
    """Return the sizes of input and output, and the peak memory beyond the input."""
    D, H = 8, 64
    predict = CONTENDERS[contender](cell, D, H, (1, per_step, False))
    X = draw(BATCH, T, D)
    if container == "list":
        lengths = np.random.default_rng(0).integers(T // 4, T + 1, BATCH)
        X = [x[:length].copy() for x, length in zip(X, lengths, strict=True)]
    small = X[:2, :9] if container == "array" else [x[:9] for x in X[:2]]
    predict(small)  # warm up
    n_bytes = peak_bytes(partial(predict, X))
    per_sequence = N_OUTPUTS * X[0].itemsize
    n_outputs = sum(len(x) for x in X) if per_step else len(X)
    sizes = {"input": sum(x.nbytes for x in X), "output": n_outputs * per_sequence}
    return sizes, n_bytes


def main():
    options = arguments(__doc__, cells=PEERS_CELLS, add=choice_of_parts)
    about = f"float32, {options.threads} thread(s)"

    def path(part):
        return options.json and options.json.with_stem(f"{options.json.stem}_{part}")

    for part in options.parts:
        title, *table = PARTS[part](options)
        show = report if part == "memory" else report_results
        show(f"{title}, {about}", *table, path(part))


PARTS = {"throughput": throughput, "latency": latency, "memory": memory}


def choice_of_parts(parser):
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))


if __name__ == "__main__":
    main()
