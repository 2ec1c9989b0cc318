"""Prediction keeps the states of one timestep only, and many threads may predict at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from covering import only_thorough
from memory import peak_bytes
from sequences import padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.core.cells import CELLS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

MB = 2**20
SHORT, LONG = 200, 12_000
N, N_FEATURES, HIDDEN_SIZE = 64, 2, 16  # at LONG steps 6 MB of X and 48 MB of h in float32


def fitted(dtype=np.float32, cell="gru", hidden_size=HIDDEN_SIZE, per_step=False):
    X = np.random.default_rng(0).standard_normal((N, 5, N_FEATURES)).astype(dtype)
    y = X[:, :, 0] if per_step else X[:, -1, 0]
    model = RNNRegressor(
        cell=cell, hidden_size=hidden_size, return_sequences=per_step, max_iter=1, random_state=0
    )
    return model.fit(X, y)


def peak(model, X):
    """The most memory that `predict` has at a time, beyond X."""
    model.predict(X[:1])  # what Python allocates once and for all
    return peak_bytes(lambda: model.predict(X))


def sequences(n_timesteps, dtype, n=N):
    return np.ones((n, n_timesteps, N_FEATURES), dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("cell", CELLS)
def test_memory_does_not_grow_with_the_length(cell, dtype):
    model = fitted(dtype, cell)
    short = peak(model, sequences(SHORT, dtype))
    assert peak(model, sequences(LONG, dtype)) < short + 1 * MB


@pytest.mark.parametrize("kind", ["integers", "float64 for a float32 network", "padding"])
def test_nothing_is_converted_as_a_whole(kind):
    def make(n_timesteps):
        X = sequences(n_timesteps, np.int16 if kind == "integers" else np.float64)
        if kind == "padding":
            X[:, -n_timesteps // 10 :] = np.nan
        return X

    model = fitted()
    assert peak(model, make(LONG)) < peak(model, make(SHORT)) + 1 * MB


def test_a_table_is_not_converted_as_a_whole():
    """Its number of columns is not free, so each length is fitted first."""

    def peak_of(n_timesteps):
        table = np.ones((4 * N, n_timesteps), np.int16)
        model = RNNRegressor(cell="elman", hidden_size=HIDDEN_SIZE, max_iter=1, random_state=0)
        return peak(model.fit(table[:2], [0, 1]), table)

    assert peak_of(LONG // 4) < peak_of(SHORT) + 1 * MB  # in float64 it would be 6 MB


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
@pytest.mark.parametrize("container", ["list", "object array", "Fortran order", "strided"])
def test_containers_whose_sequences_do_not_lie_one_behind_the_other(container, dtype):
    """Prediction copies only the part of them that it works on."""

    def make(n_timesteps):
        array = sequences(n_timesteps, dtype)
        if container == "object array":
            X = np.empty(N, dtype=object)
            X[:] = list(array)
            return X
        if container == "strided":
            return np.repeat(array, 2, axis=2)[:, :, ::2]
        return list(array) if container == "list" else np.asfortranarray(array)

    model = fitted()
    assert peak(model, make(LONG)) < peak(model, make(SHORT)) + 1 * MB


@pytest.mark.parametrize("container", ["3-D", "padded", "list"])
def test_with_return_sequences_the_output_comes_on_top(container):
    """Once as the network's raw outputs; where there is padding, a second time with it."""
    model = fitted(per_step=True)
    X = sequences(LONG, np.float32)
    output, allowed = X.shape[0] * X.shape[1] * 4, 1.25
    if container == "padded":
        X[0, -1] = np.nan
        allowed = 2.25
    elif container == "list":
        X = list(X)
    assert peak(model, X) < peak(model, sequences(SHORT, np.float32)) + allowed * output + 1 * MB


@pytest.mark.parametrize("cell", CELLS)
def test_memory_of_one_sequence_in_a_small_network(cell):
    model = fitted(cell=cell, hidden_size=2)
    short = peak(model, sequences(SHORT, np.float32, n=1))
    assert peak(model, sequences(2 * LONG, np.float32, n=1)) < short + 1 * MB


@pytest.mark.parametrize(
    ("cell", "per_step"),
    [
        *zip(CELLS, cycle([True, False]), strict=False),
        *only_thorough(zip(CELLS, cycle([False, True]), strict=False)),
    ],
)
def test_eight_threads_get_the_serial_result(cell, per_step):
    """All at once, each other data, and all of them the same, with one estimator."""
    X = ragged(300, seed=0, longest=40)
    labels = [np.where(x[:, 0] > 0, "up", "down") for x in X]
    model = RNNClassifier(
        cell=cell, n_layers=2, hidden_size=32, return_sequences=per_step, max_iter=1, random_state=0
    ).fit(X, labels if per_step else [label[-1] for label in labels])
    inputs = [ragged(200 + 20 * k, seed=k, longest=30 + k) for k in range(8)]
    inputs = [padded(x) if k % 2 else x for k, x in enumerate(inputs)]
    serial = [model.predict_proba(x) for x in inputs]
    serial_of_X = model.predict_proba(X)
    before = {name: array.copy() for name, array in model.weights_.items()}

    barrier = threading.Barrier(8)

    def predict(k):
        barrier.wait()
        return [(model.predict_proba(inputs[k]), model.predict_proba(X)) for _ in range(3)]

    with ThreadPoolExecutor(8) as pool:
        for k, results in enumerate(pool.map(predict, range(8))):
            for own, common in results:
                for one, other in zip(own, serial[k], strict=True):
                    assert_array_equal(one, other)
                for one, other in zip(common, serial_of_X, strict=True):
                    assert_array_equal(one, other)
    for name, array in model.weights_.items():
        assert_array_equal(array, before[name])


def test_threads_may_predict_while_another_fits_a_copy():
    """Cross-validation in threads, say: estimators share nothing but code."""
    X = ragged(100, longest=20)
    y = np.array([x[-1, 0] for x in X])

    def work(seed):
        model = RNNRegressor(hidden_size=16, max_iter=3, random_state=seed).fit(X, y)
        return model.predict(X)

    serial = [work(seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for one, other in zip(pool.map(work, range(8)), serial, strict=True):
            assert_array_equal(one, other)
