"""Static features beside sequences."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sequences import CONTAINERS, object_array, padded, ragged
from sklearn_rnn import RNNClassifier
from sklearn_rnn.preprocessing import PerTimestep, add_static

X = ragged(6, n_features=3)
Z = np.arange(12.0).reshape(6, 2)
EXPECTED = [np.hstack([x, np.tile(row, (len(x), 1))]) for x, row in zip(X, Z, strict=True)]


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, int, bool])
def test_every_timestep_of_every_sequence(container, dtype):
    make = CONTAINERS[container]
    if dtype in (int, bool) and container == "padded array":
        sequences = np.ones((6, 4, 3), dtype)  # no integer is padding
        expected = np.concatenate([sequences, np.repeat(Z[:, np.newaxis], 4, axis=1)], axis=2)
    else:
        sequences = make([x.astype(dtype) for x in X])
        expected = make(
            [np.hstack([x.astype(dtype), e[:, 3:]]) for x, e in zip(X, EXPECTED, strict=True)]
        )
    added = add_static(sequences, Z)
    assert type(added) is (list if container == "tuple" else type(sequences))
    for a, b in zip(added, expected, strict=True):
        assert_array_equal(a, b)
        assert a.dtype == (dtype if dtype is np.float32 else np.float64)


def test_a_copy():
    sequences = padded(X)
    added = add_static(sequences, Z)
    added[:] = 0
    assert np.nanmax(np.abs(sequences)) > 0


def test_padding_stays_padding():
    added = add_static(padded(X), Z)
    assert_array_equal(np.isnan(added).all(axis=2), np.isnan(padded(X)).all(axis=2))
    assert_array_equal(np.isnan(added).any(axis=2), np.isnan(padded(X)).all(axis=2))


def test_two_dimensional_X_and_lists_of_one_feature():
    table = np.arange(24.0).reshape(6, 4)
    expected = np.dstack([table, *(np.repeat(Z[:, [k]], 4, axis=1) for k in range(2))])
    assert_array_equal(add_static(table, Z), expected)
    for a, b in zip(add_static(list(table), Z), expected, strict=True):
        assert_array_equal(a, b)


def test_values_may_be_missing_or_strings():
    """Steps of a pipeline impute and encode them."""
    x = np.array([["a", np.nan], ["b", 1.0]], dtype=object)
    added = add_static([x, x[:1]], [[1.0], [np.nan]])
    assert added[0].tolist() == [["a", x[0, 1], 1.0], ["b", 1.0, 1.0]]
    assert added[1].shape == (1, 3)
    assert add_static([np.array([["a"], ["b"]])], [[1]])[0].tolist() == [["a", 1], ["b", 1]]


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
class TestDataFrames:
    def frames(self, make):
        return [make(dict(zip("abc", x.T, strict=True))) for x in X]

    def test_keep_their_names(self, make):
        static = make({"size": Z[:, 0], "age": Z[:, 1]})
        for container in (list, object_array):
            added = add_static(container(self.frames(make)), static)
            for frame, expected in zip(added, EXPECTED, strict=True):
                assert isinstance(frame, make)
                assert list(frame.columns) == ["a", "b", "c", "size", "age"]
                assert_array_equal(frame.to_numpy(), expected)

    def test_get_names(self, make):
        added = add_static(self.frames(make), Z)
        assert list(added[0].columns) == ["a", "b", "c", "static0", "static1"]

    def test_columns_of_other_types_stay(self, make):
        frame = make({"word": ["x", "y"], "whole": [1, 2]})
        added = add_static([frame], [[0.5]])[0]
        assert added["word"].to_list() == ["x", "y"]
        assert added["whole"].dtype == frame["whole"].dtype

    def test_equal_names(self, make):
        with pytest.raises(ValueError, match=r"X and Z both have the columns \['b'\]"):
            add_static(self.frames(make), make({"b": Z[:, 0]}))


def test_equal_names_of_several_types():
    frame = pd.DataFrame({"a": [1.0], 0: [2.0]})
    with pytest.raises(ValueError, match=r"X and Z both have the columns \[0, 'a'\]"):
        add_static([frame], frame)


def test_an_index_stays():
    dates = pd.date_range("2024-01-01", periods=2)
    added = add_static([pd.DataFrame({"a": [1.0, 2.0]}, index=dates)], [[3.0]])
    assert added[0].index.equals(dates)


def test_one_argument_through_pipelines_and_folds():
    """What decides is the sum of the sequence, or its negative, by the static feature."""
    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=(length, 1)) for length in rng.integers(3, 7, 150)]
    sign = rng.choice([-1, 1], 150)
    y = np.array([x.sum() for x in sequences]) * sign > 0
    model = make_pipeline(
        PerTimestep(StandardScaler()),
        RNNClassifier(hidden_size=16, learning_rate_init=0.03, random_state=0),
    )
    folds = KFold(2)
    with_sign = cross_val_score(model, add_static(sequences, sign[:, np.newaxis]), y, cv=folds)
    assert with_sign.min() > 0.8


@pytest.mark.parametrize(
    ("static", "error", "message"),
    [
        (Z[:5], ValueError, "Z has 5 rows, but there are 6 sequences in X"),
        (Z[:, 0], ValueError, r"Z must be 2-D, \(6, n_static\)"),
        (Z[:, :0], ValueError, "Z must be 2-D"),
        (Z[:, :, np.newaxis], ValueError, "Z must be 2-D"),
        (None, ValueError, "Z must be 2-D"),
        ([["a"]] * 6, ValueError, "Z must hold numbers"),
        (pd.DataFrame({"a": list("abcdef")}), (ValueError, TypeError), "Z must hold numbers"),
        ({"a": 1}, (ValueError, TypeError), "Z"),
        (np.ma.masked_less(Z, 3), ValueError, "Z is a masked array"),
        ([[1], [2, 3]] * 3, ValueError, "Z"),
    ],
)
def test_refusals(static, error, message):
    with pytest.raises(error, match=message):
        add_static(X, static)


def test_X_must_be_sequences():
    with pytest.raises(ValueError, match="X must be"):
        add_static(5.0, Z)
