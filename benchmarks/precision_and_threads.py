"""Whole fits: float32 against float64, and one BLAS thread against the default.

    python benchmarks/precision_and_threads.py

The two sides take turns in one process. The benchmark prints the median and the slowest time of
each. docs/decisions.md has the results.
"""

import statistics
import time
import warnings
from types import SimpleNamespace

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

import sklearn_rnn._training.descent
from sklearn_rnn import RNNClassifier
from sklearn_rnn._settings import one_blas_thread
from sklearn_rnn.core.cells import CELLS

ROUNDS = 7


def seconds(model, X, y):
    start = time.perf_counter()
    model.fit(X, y)
    return time.perf_counter() - start


def show(title, times):
    parts = [
        f"{name} {statistics.median(values) * 1e3:.0f} ms (slowest {max(values) * 1e3:.0f})"
        for name, values in times.items()
    ]
    first, second = (statistics.median(values) for values in times.values())
    print(f"{title}: {', '.join(parts)}, ratio {second / first:.2f}", flush=True)


def precision():
    images, digits = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    long = rng.standard_normal((400, 50, 8))
    sets = {"digits": (images.reshape(-1, 8, 8) / 16, digits), "T=50": (long, long[:, 0, 0] > 0)}
    for name, (X, y) in sets.items():
        for cell in CELLS:
            times = {"float32": [], "float64": []}
            for _ in range(ROUNDS):
                for dtype, taken in times.items():
                    model = RNNClassifier(cell=cell, max_iter=2, random_state=0)
                    taken.append(seconds(model, X.astype(dtype), y))
            show(f"{name}, {cell}", times)


def threads():
    X = np.random.default_rng(0).standard_normal((300, 22, 12)).astype(np.float32)
    y = X[:, 0, 0] > 0
    unlimited = SimpleNamespace(run=lambda work, *args: work(*args))
    limits = {"one thread": one_blas_thread, "default": unlimited}
    for cell, hidden_size, batch_size in (("gru", 64, 16), ("lstm", 64, 64), ("gru", 16, 64)):
        options = {"cell": cell, "hidden_size": hidden_size, "batch_size": batch_size}
        times = {name: [] for name in limits}
        for _ in range(ROUNDS):
            for name, limit in limits.items():
                sklearn_rnn._training.descent.one_blas_thread = limit
                model = RNNClassifier(**options, max_iter=5, random_state=0)
                times[name].append(seconds(model, X, y))
        show(f"{cell}, hidden_size={hidden_size}, batch_size={batch_size}", times)


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)
    precision()
    threads()
