"""Large data: they aren't copied as a whole, and nothing grows faster than they do."""

import pickle
import weakref

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from fits import assert_same_weights
from memory import peak_bytes
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn._input import sequences as sequences_module
from sklearn_rnn._input.content import ANYTHING, FINITE_NUMBERS
from sklearn_rnn._input.sequences import as_sequences

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

MB = 2**20
FAST = {"cell": "elman", "hidden_size": 2, "batch_size": 50, "max_iter": 1, "random_state": 0}
N, T, D = 1000, 100, 12  # more values than are copied at a time, and sequences that count as long


def drawn(n=N, dtype=np.float32):
    return (10 * np.random.default_rng(0).standard_normal((n, T, D))).astype(dtype)


def mapped(n, tmp_path):
    np.save(tmp_path / f"{n}.npy", drawn(n))
    return np.load(tmp_path / f"{n}.npy", mmap_mode="r")


CONTAINERS = {
    "float32": lambda n, _: drawn(n),
    "int8": lambda n, _: drawn(n, np.int8),
    "big-endian": lambda n, _: drawn(n, ">f4"),
    "memory map": mapped,
    "list": lambda n, _: list(drawn(n)),
    "list of int16": lambda n, _: list(drawn(n, np.int16)),
    "list of parts of a memory map": lambda n, path: list(mapped(n, path)),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("method", ["fit", "partial_fit", "predict", "score"])
def test_data_are_not_copied_as_a_whole(container, method, tmp_path):
    def peak_of(n):
        X, y = CONTAINERS[container](n, tmp_path), np.arange(n, dtype=np.float32)
        model.partial_fit(X[:50], y[:50])  # what Python allocates once and for all
        args = (X,) if method == "predict" else (X, y)
        return peak_bytes(lambda: getattr(model, method)(*args))

    model = RNNRegressor(**FAST, early_stopping=False)
    growth = peak_of(2 * N) - peak_of(N)
    assert growth < N * T * D / 2  # half a byte for each value


@pytest.mark.parametrize("shift", [0, 2])
def test_a_batch_takes_memory_for_its_own_sequences(shift):
    """Whatever the number of all sequences, and also if their values aren't aligned."""
    n = 100_000
    memory = np.zeros(n * 8 + shift, np.uint8)
    X = np.frombuffer(memory, np.float32, offset=shift).reshape(n, 2, 1)
    assert X.flags.aligned == (shift == 0)
    sequences = as_sequences(X, FINITE_NUMBERS)
    chosen = np.arange(10)
    sequences.batch(chosen)
    assert peak_bytes(lambda: [sequences.batch(chosen) for _ in range(3)]) < 10_000


@pytest.mark.parametrize("content", [FINITE_NUMBERS, ANYTHING])
def test_padding_is_looked_for_in_parts_of_the_data(content):
    X = np.ones((4000, 200, 10), np.float32)
    X[::2, 150:] = np.nan
    assert peak_bytes(lambda: as_sequences(X, content)) < X.nbytes / 4


def of_classes(n, n_classes=40):
    rng = np.random.default_rng(0)
    return np.zeros((n, 30, 1), np.float32), rng.integers(0, n_classes, (n, 30))


def test_validation_computes_no_outputs_of_other_samples():
    X, y = of_classes(4000)
    options = {"return_sequences": True, "early_stopping": True, "validation_fraction": 0.02}
    model = RNNClassifier(**FAST, **options).fit(X[:100], y[:100])
    assert peak_bytes(lambda: model.fit(X, y)) < 12 * MB  # all outputs would take 18 MB


def test_the_loss_of_a_constant_is_computed_in_parts():
    X, y = of_classes(4000)
    options = {"return_sequences": True, "early_stopping": False}
    stops_early = {"tol": 1e9, "n_iter_no_change": 1, "max_iter": 5}
    model = RNNClassifier(**FAST | options | stops_early).fit(X[:100], y[:100])
    # Once per output in float64, it would take 37 MB, and as much again for the gradient.
    assert peak_bytes(lambda: model.fit(X, y)) < 48 * MB


def test_many_groups():
    """A hundred orders of the groups are tried, one after another."""
    X, groups = np.zeros((20_000, 1, 1), np.float32), np.arange(20_000)
    y = np.arange(20_000) % 3.0
    model = RNNRegressor(**FAST | {"batch_size": 1000}, early_stopping=True)
    model.fit(X[:100], y[:100], groups=groups[:100])
    without = peak_bytes(lambda: model.fit(X, y))
    assert peak_bytes(lambda: model.fit(X, y, groups=groups)) < without + 4 * MB


@pytest.mark.parametrize("n_predicted", [2, 100])
@pytest.mark.parametrize("kind", ["array", "list"])
def test_a_fitted_estimator_lets_go_of_the_data(kind, n_predicted):
    def data(n):
        X = drawn(n)
        y = X[:, 0, 0].copy()
        return (list(X.copy()) if kind == "list" else X), y

    X, y = data(200)
    model = RNNRegressor(**FAST, warm_start=True).fit(X, y)
    shown, _ = data(n_predicted)
    model.predict(shown)
    kept = [weakref.ref(part[0] if kind == "list" else part) for part in (X, shown)]
    kept.append(weakref.ref(y))
    del X, y, shown
    assert [ref() for ref in kept] == [None] * 3
    assert len(pickle.dumps(model)) < 20_000


OPTIONS = [
    {},
    {"bptt_steps": 30},
    {"bidirectional": True},
    {"solver": "lbfgs"},
    {"return_sequences": True, "early_stopping": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("dtypes", [["f4"], ["f8"], ["f4", "f8", "i2"]], ids=str)
def test_long_sequences_that_stay_where_they_are_give_the_same_bits(options, dtypes, monkeypatch):
    rng = np.random.default_rng(0)
    lengths = rng.integers(20, 100, size=60)
    X = [
        (5 * rng.standard_normal((n, 2))).astype(dtypes[i % len(dtypes)])
        for i, n in enumerate(lengths)
    ]
    y = [x[:, 0] if options.get("return_sequences") else x[-1, 0] for x in X]
    models = []
    for long in (0, 10**9):
        monkeypatch.setattr(sequences_module, "LONG", long)
        models.append(RNNRegressor(**FAST | {"max_iter": 3, "batch_size": 20} | options).fit(X, y))
    assert_same_weights(*models)
    for one, other in zip(models[0].predict(X), models[1].predict(X), strict=True):
        assert_array_equal(one, other)


@pytest.mark.parametrize("kind", ["array", "list"])
def test_data_in_double_precision_for_a_network_in_single_precision(kind):
    """They are rounded batch by batch, to what rounding all of them gives."""
    X = drawn(100, np.float64)
    y = X[:, 0, 0]
    single = X.astype(np.float32)
    if kind == "list":
        X, single = list(X), list(single)
    models = [RNNRegressor(**FAST).partial_fit(single[:30], y[:30]) for _ in range(2)]
    assert_same_weights(models[0].partial_fit(X, y), models[1].partial_fit(single, y))
