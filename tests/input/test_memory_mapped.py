"""Data that stay on disk: np.memmap, as a whole and in chunks."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from fits import assert_same_weights
from memory import peak_bytes
from sklearn_rnn import RNNClassifier, RNNRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

MB = 2**20
N, N_TIMESTEPS, N_FEATURES = 4000, 500, 2  # 16 MB in float32
CHUNK = N // 10
FAST = {"cell": "elman", "hidden_size": 2, "batch_size": 50, "random_state": 0}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "X.npy"
    rng = np.random.default_rng(0)
    np.save(path, rng.standard_normal((N, N_TIMESTEPS, N_FEATURES), dtype=np.float32))
    return path


@pytest.fixture(scope="module")
def y(path):
    return np.load(path, mmap_mode="r")[:, -1, 0] > 0


def by_chunks(X, y, copy=False):
    model = RNNClassifier(**FAST)
    for start in range(0, len(X), CHUNK):
        part = X[start : start + CHUNK]
        part = np.array(part) if copy else part
        model.partial_fit(part, y[start : start + CHUNK], classes=[False, True])
    return model


def test_partial_fit_by_chunks_takes_the_memory_of_a_chunk(path, y):
    """No more for ten chunks than for one, whether they are mapped or read from the file."""
    mapped = np.load(path, mmap_mode="r")
    size = mapped[:CHUNK].nbytes
    by_chunks(mapped[:50], y[:50])  # what Python allocates once and for all
    for copy in (False, True):
        one = peak_bytes(lambda copy=copy: by_chunks(mapped[:CHUNK], y[:CHUNK], copy))
        assert peak_bytes(lambda copy=copy: by_chunks(mapped, y, copy)) < one + size / 2
    assert_same_weights(by_chunks(mapped, y), by_chunks(np.load(path), y))


def test_fit_reads_a_mapped_array_batch_by_batch(path, y):
    mapped = np.load(path, mmap_mode="r")
    model = RNNClassifier(**FAST, max_iter=1)
    model.fit(mapped[:50], y[:50])
    assert peak_bytes(lambda: model.fit(mapped, y)) < mapped.nbytes / 4
    assert peak_bytes(lambda: model.predict(mapped)) < mapped.nbytes / 4
    assert_same_weights(model, RNNClassifier(**FAST, max_iter=1).fit(np.load(path), y))


def test_padding_in_a_mapped_array(tmp_path):
    padded = np.random.default_rng(0).standard_normal((20, 6, 2))
    padded[::2, 3:] = np.nan
    np.save(tmp_path / "X.npy", padded)
    mapped, y = np.load(tmp_path / "X.npy", mmap_mode="r"), padded[:, 0, 0]
    model = RNNRegressor(**FAST, max_iter=2)
    assert_array_equal(model.fit(mapped, y).predict(mapped), model.fit(padded, y).predict(padded))
