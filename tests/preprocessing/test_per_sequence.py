"""PerSequence: any function or transformer, one sequence at a time."""

import functools

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import savgol_filter
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, StandardScaler

from sequences import assert_same_lists, object_array, padded, ragged
from sklearn_rnn.preprocessing import PerSequence, SequenceNormalizer, unpad_sequences

X = ragged(n=8, n_features=2)


def test_a_function_gets_each_sequence_without_padding():
    seen = []

    def remember(x):
        seen.append(x)
        return x

    PerSequence(remember).fit_transform(padded(X))
    assert_same_lists(seen, X)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.gradient(np.vstack([x, x]), axis=0),
        lambda x: x[::-1],
        lambda x: x.sum(axis=1),
        lambda x: np.hstack([x, x**2]),
        functools.partial(savgol_filter, window_length=1, polyorder=0, axis=0),
    ],
)
def test_timesteps_and_features_may_change(function):
    expected = [function(x).reshape(len(function(x)), -1) for x in X]
    assert_same_lists(PerSequence(function).fit_transform(X), expected)
    assert_same_lists(unpad_sequences(PerSequence(function).fit_transform(padded(X))), expected)


def test_a_transformer_is_fitted_to_each_sequence():
    expected = [MinMaxScaler().fit_transform(x) for x in X]
    transformer = PerSequence(MinMaxScaler()).fit(X[3:])
    assert_same_lists(transformer.transform(X), expected)
    assert not hasattr(transformer.transformer, "scale_")
    long = [x for x in X if len(x) > 1]
    assert_same_lists(
        PerSequence(PCA(1)).fit_transform(long), [PCA(1).fit_transform(x) for x in long]
    )


def test_standard_scaler_is_the_sequence_normalizer():
    scaled = PerSequence(StandardScaler()).fit_transform(X)
    assert_same_lists(SequenceNormalizer().fit_transform(X), scaled, atol=1e-12)


class Halving(BaseEstimator):
    """Has no more than it must."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return X / 2


def test_a_transformer_with_nothing_but_fit_and_transform():
    transformer = PerSequence(Halving())
    assert_same_lists(transformer.fit_transform(X), [x / 2 for x in X])
    assert not hasattr(transformer, "get_feature_names_out")


def test_missing_values_are_the_functions_affair():
    X = [np.array([[1.0], [np.nan], [3.0]]), np.array([[np.nan], [2.0]])]
    filled = PerSequence(lambda x: np.nan_to_num(x, nan=-1)).fit_transform(X)
    assert [x.tolist() for x in filled] == [[[1], [-1], [3]], [[-1], [2]]]


def test_strings_and_frames():
    words = [np.array([["a"], ["b"]]), np.array([["b"]])]
    assert PerSequence(np.char.upper).fit_transform(words)[0].tolist() == [["A"], ["B"]]
    lengths = PerSequence(lambda x: np.full((len(x), 1), "a")).fit_transform(padded(X))
    assert lengths.dtype == object
    assert np.isnan(lengths[0, -1, 0]) or len(X[0]) == lengths.shape[1]
    frames = [pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}), pd.DataFrame({"a": [3], "b": "x"})]
    made = PerSequence(lambda frame: frame[["a"]].to_numpy()).fit_transform(frames)
    assert_same_lists(
        [x.astype(float) for x in made], [np.array([[1.0], [2.0]]), np.array([[3.0]])]
    )
    (own, _) = PerSequence(lambda frame: frame[["a"]]).fit_transform(frames)
    assert own.columns.tolist() == ["a"]


def test_sparse_results_are_made_dense():
    made = PerSequence(OneHotEncoder(categories=[["a", "b"]])).fit_transform(
        [np.array([["a"], ["b"]]), np.array([["b"]])]
    )
    assert_same_lists(made, [np.eye(2), np.array([[0.0, 1.0]])])


def test_of_a_table():
    table = np.arange(8.0).reshape(2, 4)
    assert_array_equal(PerSequence(lambda x: x[::2]).fit_transform(table), table[:, ::2])
    assert_allclose(PerSequence(StandardScaler()).fit_transform(table)[0].std(), 1)


def test_object_arrays_stay_such():
    made = PerSequence(np.sqrt).fit_transform(object_array([np.ones((2, 1))] * 3))
    assert made.dtype == object
    assert made.shape == (3,)


class TestRefusals:
    @pytest.mark.parametrize(
        ("function", "shape"),
        [(np.mean, r"a 0-D"), (lambda x: x[:0], r"\(0, 2\)"), (lambda x: x[None], r"\(1, \d, 2\)")],
    )
    def test_other_shapes(self, function, shape):
        with pytest.raises(ValueError, match=rf"made .*{shape}.* of X\[0\] .* it must return"):
            PerSequence(function).fit_transform(X)

    def test_other_features(self):
        with pytest.raises(ValueError, match=r"made \d features of X\[1\], but \d of X\[0\]"):
            PerSequence(lambda x: np.ones((1, len(x)))).fit_transform(X)

    def test_errors_of_the_function_name_the_sequence(self):
        with pytest.raises(ZeroDivisionError) as caught:
            PerSequence(lambda x: x / 0 if len(x) > 8 else 1 // (len(x) - len(X[2]))).fit_transform(
                [X[2], X[2]]
            )
        assert caught.value.__notes__ == [
            f"PerSequence was transforming X[0], ndarray of shape {X[2].shape}."
        ]

    def test_there_is_no_way_back(self):
        assert not hasattr(PerSequence(FunctionTransformer(np.log, np.exp)), "inverse_transform")
