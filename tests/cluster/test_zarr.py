"""Chunks of a zarr array, which is compressed on disk."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_rnn import RNNRegressor

zarr = pytest.importorskip("zarr")


def test_partial_fit_by_chunks(tmp_path):
    X = np.random.default_rng(0).standard_normal((40, 5, 2)).astype(np.float32)
    y = X[:, -1, 0]
    stored = zarr.create_array(tmp_path / "X.zarr", shape=X.shape, chunks=(8, 5, 2), dtype=X.dtype)
    stored[:] = X
    stored = zarr.open_array(tmp_path / "X.zarr", mode="r")

    def train(source):
        model = RNNRegressor(hidden_size=4, random_state=0)
        for _ in range(3):
            for start in range(0, len(y), stored.chunks[0]):
                part = slice(start, start + stored.chunks[0])
                model.partial_fit(source[part], y[part])
        return model

    here, from_disk = train(X), train(stored)
    assert_array_equal(from_disk.predict(X), here.predict(X))
    assert from_disk.predict(X).dtype == np.float32
    assert_array_equal(from_disk.predict(stored), here.predict(X))  # as a whole
