"""What sequences exchange, and what stays where it is."""

from collections import Counter, deque
from itertools import permutations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal

from sequences import object_array
from sklearn_rnn.inspection._exchange import Exchangeable, Part
from sklearn_rnn.preprocessing import pad_sequences, unpad_sequences

LENGTHS = [3, 1, 4, 2]
PART = Part([1], 1, 3)
ORDER = np.array([2, 0, 3, 1])
NAMES = ["a", "b"]


def numbered(lengths, n_features=2):
    """Sequences in which the value says sequence, timestep and feature: 312.0 for 3, 1 and 2."""
    return [
        100.0 * i + 10 * np.arange(length)[:, np.newaxis] + np.arange(n_features)
        for i, length in enumerate(lengths)
    ]


def exchange(X, part=PART, order=ORDER):
    exchangeable = Exchangeable(X)
    return exchangeable.exchanged(part, exchangeable.donors(order))


def test_whole_courses_are_exchanged_between_sequences_of_equal_length():
    X = np.stack(numbered([5] * 4))
    expected = X.copy()
    expected[:, 1:3, 1] = X[ORDER, 1:3, 1]
    assert_array_equal(exchange(X), expected)


def test_the_next_sequence_in_the_cycle_goes_on_where_one_ends():
    result = exchange(numbered(LENGTHS), Part([0], 0, 4))
    # The cycle is 0 <- 2 <- 3 <- 1 <- 0.
    assert result[0][:, 0].tolist() == [200, 210, 220]
    assert result[1][:, 0].tolist() == [0]
    assert result[2][:, 0].tolist() == [300, 310, 20, 230]  # from 3, then 1 is over, 0, and itself
    assert result[3][:, 0].tolist() == [100, 10]  # from 1, and then from 0
    assert_array_equal([x[:, 1] for x in result][2], numbered(LENGTHS)[2][:, 1])


def test_at_every_timestep_all_permutations_are_equally_likely():
    exchangeable = Exchangeable(numbered(LENGTHS))
    seen = [Counter() for _ in range(max(LENGTHS))]
    for order in permutations(range(4)):
        donors = exchangeable.donors(np.array(order))
        rows = exchangeable.exchanged(Part([0], 0, 4), donors)
        for step, counter in enumerate(seen):
            counter[tuple(x[step, 0] for x in rows if len(x) > step)] += 1
    for step, counter in enumerate(seen):
        running = [100.0 * i + 10 * step for i, length in enumerate(LENGTHS) if length > step]
        assert set(counter) == set(permutations(running))
        assert len(set(counter.values())) == 1


def frames(library):
    def make(X):
        return [library.DataFrame(dict(zip(NAMES, x.T, strict=True))) for x in X]

    return make


CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "deque": deque,
    "object array": object_array,
    "padded array": pad_sequences,
    "pandas": frames(pd),
    "polars": frames(pl),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_is_exchanged_alike(container):
    X = CONTAINERS[container](numbered(LENGTHS))
    before = [np.array(x, copy=True) for x in X]
    result = exchange(X)
    for x, untouched in zip(X, before, strict=True):
        assert_array_equal(x, untouched)
    assert type(result) is (list if container in ("tuple", "deque") else type(X))
    assert type(result[0]) is type(X[0])
    if "array" in container:
        assert result.dtype == X.dtype
    if container in ("pandas", "polars"):
        assert all(list(x.columns) == NAMES for x in result)
        assert all(x.shape == y.shape for x, y in zip(X, result, strict=True))
    sequences = unpad_sequences(result) if container == "padded array" else map(np.asarray, result)
    for x, expected in zip(sequences, exchange(numbered(LENGTHS)), strict=True):
        assert_array_equal(x, expected)


@pytest.mark.parametrize("library", [np, pd, pl])
def test_two_dimensions(library):
    table = np.arange(12.0).reshape(4, 3)
    names = ["lag_3", "lag_2", "lag_1"]
    X = table if library is np else library.DataFrame(dict(zip(names, table.T, strict=True)))
    if library is pd:
        X.index = list("wxyz")
    result = exchange(X, Part([0], 1, 2))
    expected = table.copy()
    expected[:, 1] = table[ORDER, 1]
    assert type(result) is type(X)
    assert_array_equal(np.asarray(result), expected)
    if library is not np:
        assert list(result.columns) == names
    if library is pd:
        assert list(result.index) == list("wxyz")


def test_lists_of_numbers_stay_lists_of_sequences():
    result = exchange([[1, 2], [3, 4], [5, 6], [7, 8]], Part([0], 0, 1))
    assert [x.tolist() for x in result] == [[5, 2], [1, 4], [7, 6], [3, 8]]
    result = exchange([np.array([1.0, 2.0]), np.array([3.0])], Part([0], 0, 1), np.array([1, 0]))
    assert [x.tolist() for x in result] == [[3, 2], [1]]


def test_any_values_are_exchanged():
    X = [np.array([["x", None], ["y", 1.5]], object), np.array([["z", np.nan]], object)]
    result = exchange(X, Part([0, 1], 0, 1), np.array([1, 0]))
    assert result[0][:, 0].tolist() == ["z", "y"]
    assert np.isnan(result[0][0, 1])
    assert result[1].tolist() == [["x", None]]


def test_dtypes_of_columns_are_kept():
    X = [pd.DataFrame({"a": pd.Categorical(["p", "q"]), "b": [1, 2]}) for _ in range(3)]
    result = exchange(X, Part([0, 1], 0, 2), np.array([1, 2, 0]))
    assert all((x.dtypes == X[0].dtypes).all() for x in result)
