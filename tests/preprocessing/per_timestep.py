"""Timesteps of lists of sequences as rows, and the comparison of such lists."""

import numpy as np
from numpy.testing import assert_allclose


def stacked(sequences):
    return np.concatenate(list(sequences))


def split_like(rows, sequences):
    return np.split(rows, np.cumsum([len(x) for x in sequences])[:-1])


def assert_same_lists(actual, expected, **tolerance):
    assert isinstance(actual, list)
    assert len(actual) == len(expected)
    for a, b in zip(actual, expected, strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        assert_allclose(a, b, **tolerance)
