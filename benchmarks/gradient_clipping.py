"""The choice of the default of max_grad_norm: test scores on several data sets and cells.

    python benchmarks/gradient_clipping.py

Prints one line per data set and cell. It has the mean test score over the seeds for each limit, and
in brackets the mean number of epochs until training stopped. docs/decisions.md has the result.
"""

import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from common import DATA
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.core.cells import CELLS

LIMITS = (1.0, 5.0, None)
SEEDS = (0, 1, 2)


def digits_by_row():
    X, y = load_digits(return_X_y=True)
    return RNNClassifier(max_iter=60), X.reshape(-1, 8, 8).astype(np.float32) / 16, y


def digits_by_pixel():
    X, y = load_digits(return_X_y=True)
    return RNNClassifier(max_iter=60, batch_size=64), X.astype(np.float32) / 16, y


def japanese_vowels():
    data = np.load(DATA / "japanese_vowels.npz")
    X = np.split(data["values"], np.cumsum(data["lengths"])[:-1])
    return RNNClassifier(max_iter=100, batch_size=32), X, data["speakers"]


def adding_problem():
    rng = np.random.default_rng(0)
    values, marks = rng.random((3000, 50)), np.zeros((3000, 50))
    first, second = rng.integers(0, 25, 3000), rng.integers(25, 50, 3000)
    marks[np.arange(3000), first] = marks[np.arange(3000), second] = 1
    X = np.stack([values, marks], axis=2).astype(np.float32)
    return RNNRegressor(max_iter=40, batch_size=50), X, (values * marks).sum(axis=1)


def running_parity():
    rng = np.random.default_rng(0)
    X = [rng.integers(0, 2, n).astype(np.float32) for n in rng.integers(5, 30, 1500)]
    y = [np.cumsum(x).astype(int) % 2 for x in X]
    model = RNNClassifier(return_sequences=True, max_iter=60, batch_size=50)
    return model.set_params(learning_rate_init=0.01), X, y


def measure(model, X, y, cell, limit, seed):
    model.set_params(cell=cell, max_grad_norm=limit, random_state=seed)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X_train, y_train)
    return model.score(X_test, y_test), model.n_iter_


def main():
    print("| data | cell |", " | ".join(f"max_grad_norm={limit}" for limit in LIMITS), "|")
    print("|---|---|" + "---|" * len(LIMITS))
    for make in (
        digits_by_row,
        digits_by_pixel,
        japanese_vowels,
        adding_problem,
        running_parity,
    ):
        for cell in CELLS:
            row = []
            for limit in LIMITS:
                runs = np.array([measure(*make(), cell, limit, seed) for seed in SEEDS])
                row.append(
                    f"{runs[:, 0].mean():.4f} ± {runs[:, 0].std():.4f} ({runs[:, 1].mean():.0f})"
                )
            print(f"| {make.__name__} | {cell} |", " | ".join(row), "|", flush=True)


if __name__ == "__main__":
    main()
