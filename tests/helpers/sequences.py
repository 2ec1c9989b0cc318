"""Small random sequences, the containers that hold them, and lists of sequences as rows."""

import numpy as np
from numpy.testing import assert_allclose

PADDING = {"f": np.nan, "i": -1, "U": "", "b": False}  # by the kind of dtype: numbers, and labels


def ragged(n=6, n_features=3, *, seed=0, longest=7, dtype=np.float64):
    """`n` sequences (n_timesteps_i, n_features) of 1 to `longest` timesteps, the extremes among
    them."""
    rng = np.random.default_rng(seed)
    lengths = rng.permutation([1, longest, *rng.integers(1, longest + 1, n - 2)])
    return [rng.standard_normal((length, n_features)).astype(dtype) for length in lengths]


def padded(sequences, fill=None):
    """One array (n, longest, ...) of arrays (n_timesteps_i, ...), with `fill` behind each."""
    longest, dtype = max(map(len, sequences)), sequences[0].dtype
    fill = PADDING[dtype.kind] if fill is None else fill
    array = np.full((len(sequences), longest, *sequences[0].shape[1:]), fill, dtype)
    for row, sequence in zip(array, sequences, strict=True):
        row[: len(sequence)] = sequence
    return array


def object_array(sequences):
    """A 1-D array of objects, also where the sequences are equally long."""
    objects = np.empty(len(sequences), dtype=object)
    for i, sequence in enumerate(sequences):
        objects[i] = sequence
    return objects


CONTAINERS = {"list": list, "tuple": tuple, "object array": object_array, "padded array": padded}


def stacked(sequences):
    """The timesteps of all sequences as rows."""
    return np.concatenate(list(sequences))


def split_like(rows, sequences):
    """Rows as a list of sequences again."""
    return np.split(rows, np.cumsum([len(x) for x in sequences])[:-1])


def assert_same_lists(actual, expected, **tolerance):
    assert isinstance(actual, list)
    assert len(actual) == len(expected)
    for a, b in zip(actual, expected, strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        assert_allclose(a, b, **tolerance)
