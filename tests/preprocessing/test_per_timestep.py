"""PerTimestep on every container: what comes back, missing values, labels, refusals."""

import hypothesis
import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)

from sequences import assert_same_lists, object_array, padded, ragged, split_like, stacked
from sklearn_rnn import RNNRegressor
from sklearn_rnn.preprocessing import PerTimestep

NAN = np.nan


class TestContainers:
    X = ragged(n=6, n_features=3)
    expected = split_like(StandardScaler().fit_transform(stacked(X)), X)

    @pytest.mark.parametrize("wrap", [list, tuple])
    def test_list(self, wrap):
        transformer = PerTimestep(StandardScaler())
        assert_same_lists(transformer.fit_transform(wrap(self.X)), self.expected)
        assert_same_lists(transformer.transform(wrap(self.X)), self.expected)

    def test_object_array(self):
        result = PerTimestep(StandardScaler()).fit_transform(object_array(self.X))
        assert result.dtype == object
        assert result.shape == (6,)
        assert_same_lists(list(result), self.expected)

    def test_padded_array(self):
        transformer = PerTimestep(StandardScaler()).fit(padded(self.X))
        assert_array_equal(transformer.transform(padded(self.X)), padded(self.expected))
        assert_array_equal(transformer.transformer_.mean_, stacked(self.X).mean(axis=0))

    def test_equally_long(self):
        X = np.random.default_rng(0).normal(size=(4, 5, 2))
        expected = StandardScaler().fit_transform(X.reshape(20, 2)).reshape(4, 5, 2)
        for given in (X, np.asfortranarray(X)):
            assert_array_equal(PerTimestep(StandardScaler()).fit_transform(given), expected)
        assert_same_lists(PerTimestep(StandardScaler()).fit_transform(list(X)), list(expected))

    def test_fitted_on_one_transforms_the_others(self):
        transformer = PerTimestep(StandardScaler()).fit(padded(self.X))
        assert_same_lists(transformer.transform(self.X[:2]), self.expected[:2])
        assert_array_equal(transformer.transform(padded(self.X)[:1]), padded(self.expected)[:1])

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_precision(self, dtype):
        X = ragged(dtype=dtype)
        for given in (X, padded(X), object_array(X)):
            assert PerTimestep(StandardScaler()).fit_transform(given)[0].dtype == dtype

    def test_number_of_features_may_change(self):
        result = PerTimestep(PCA(2)).fit_transform(self.X)
        assert_same_lists(result, split_like(PCA(2).fit_transform(stacked(self.X)), self.X))
        assert PerTimestep(PCA(2)).fit_transform(padded(self.X)).shape == (6, 7, 2)

    def test_several_transformers_side_by_side(self):
        union = make_union(StandardScaler(), PCA(1))
        result = PerTimestep(union).fit_transform(padded(self.X))
        assert_array_equal(result, padded(split_like(union.fit_transform(stacked(self.X)), self.X)))

    def test_one_dimensional_sequences(self):
        X = [x[:, 0] for x in self.X]
        scaled = PerTimestep(StandardScaler()).fit_transform(X)
        assert_same_lists(scaled, [x[:, 0] for x in self.expected])
        labels = [np.where(x > 0, "up", "down") for x in X]
        encoder = PerTimestep(OneHotEncoder()).fit(labels)
        encoded = encoder.transform(labels)
        assert [x.shape for x in encoded] == [(len(x), 2) for x in X]
        for back, given in zip(encoder.inverse_transform(encoded), labels, strict=True):
            assert_array_equal(back, given)

    def test_input_is_not_changed(self):
        X = [x.copy() for x in self.X]
        PerTimestep(StandardScaler()).fit_transform(X)
        assert_same_lists(X, self.X)


class TestMissingValues:
    def test_inside_a_sequence_are_the_transformers_affair(self):
        X = ragged(n_features=2)
        X[0][0, 0] = X[2][-1, 1] = NAN
        rows = stacked(X)
        for inner in (SimpleImputer(), KNNImputer(), StandardScaler()):
            expected = split_like(clone(inner).fit_transform(rows), X)
            assert_same_lists(PerTimestep(inner).fit_transform(X), expected)
            assert_array_equal(PerTimestep(inner).fit_transform(padded(X)), padded(expected))

    def test_in_a_list_nothing_is_padding(self):
        X = [np.array([[1.0], [3.0]]), np.array([[NAN], [NAN]])]
        assert_same_lists(
            PerTimestep(SimpleImputer()).fit_transform(X), [X[0], np.array([[2.0], [2.0]])]
        )

    def test_in_an_array_only_trailing_timesteps_all_missing_are_padding(self):
        X = np.array([[[NAN, NAN], [1.0, NAN], [NAN, NAN]], [[3.0, 4.0], [5.0, 6.0], [7.0, NAN]]])
        filled = [[[4, 5], [1, 5], [NAN, NAN]], [[3, 4], [5, 6], [7, 5]]]
        assert_array_equal(PerTimestep(SimpleImputer()).fit_transform(X), filled)

    def test_objects_have_none_or_nan_as_padding(self):
        X = np.array([[["a"], [None], ["b"]], [["b"], [None], [NAN]]], dtype=object)
        encoder = PerTimestep(OrdinalEncoder()).fit(X)
        encoded = encoder.transform(X)
        assert_array_equal(encoded[:, :, 0], [[0, 2, 1], [1, NAN, NAN]])
        assert_array_equal(encoder.inverse_transform(encoded)[0, :, 0], ["a", None, "b"])

    def test_pandas_na(self):
        X = np.array([[["a"], ["b"]], [["b"], [pd.NA]]], dtype=object)
        encoded = PerTimestep(OrdinalEncoder()).fit_transform(X)
        assert_array_equal(encoded[:, :, 0], [[0, 1], [1, NAN]])

    def test_an_empty_sequence_is_refused(self):
        X = padded(ragged())
        X[3] = NAN
        with pytest.raises(ValueError, match=r"X\[3\] is an empty sequence"):
            PerTimestep(SimpleImputer()).fit(X)

    @pytest.mark.parametrize(("dtype", "padded_dtype"), [(int, float), (bool, float), ("U1", "O")])
    def test_results_without_nan_make_room_for_padding(self, dtype, padded_dtype):
        X = ragged(n_features=2)
        inner = FunctionTransformer(lambda rows: (rows > 0).astype(int).astype(dtype))
        expected = [(x > 0).astype(int).astype(dtype) for x in X]
        assert PerTimestep(inner).fit_transform(X)[0].dtype == expected[0].dtype
        result = PerTimestep(inner).fit_transform(padded(X))
        assert result.dtype == padded_dtype
        for row, sequence in zip(result, expected, strict=True):
            assert_array_equal(row[: len(sequence)], sequence)
            assert pd.isna(row[len(sequence) :]).all()
        full = PerTimestep(inner).fit_transform(padded(X)[:, :1])
        assert full.dtype == expected[0].dtype  # no padding


@st.composite
def sequences_with_gaps(draw):
    """Lists of sequences with NaN in them, but for the first feature."""
    lengths = draw(st.lists(st.integers(1, 5), min_size=2, max_size=5))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    numbers = st.floats(-100, 100, width=16)
    return [
        np.concatenate(
            [
                draw(hnp.arrays(dtype, (n, 1), elements=numbers)),
                draw(hnp.arrays(dtype, (n, 2), elements=numbers | st.just(NAN))),
            ],
            axis=1,
        )
        for n in lengths
    ]


@hypothesis.settings(max_examples=50)
@hypothesis.given(sequences_with_gaps())
def test_containers_agree_and_go_there_and_back(X):
    X[0][0] = 1.0  # so that no feature is NaN throughout
    transformer = PerTimestep(MinMaxScaler()).fit(X)
    scaled = transformer.transform(X)
    assert_same_lists(scaled, split_like(MinMaxScaler().fit_transform(stacked(X)), X))
    assert_array_equal(PerTimestep(MinMaxScaler()).fit_transform(padded(X)), padded(scaled))
    assert_same_lists(list(transformer.transform(object_array(X))), scaled)
    for x, alone in zip(X, scaled, strict=True):
        assert_array_equal(transformer.transform([x])[0], alone)
    tolerance = {"atol": 1e-3 if X[0].dtype == np.float32 else 1e-10}
    assert_same_lists(transformer.inverse_transform(scaled), X, **tolerance)


class TestLabels:
    def test_strings_and_objects(self):
        X = [np.array([["a", "x"], ["b", "y"]]), np.array([["b", "x"]])]
        expected = [[[1, 0, 1, 0], [0, 1, 0, 1]], [[0, 1, 1, 0]]]
        for given in (X, [x.astype(object) for x in X], [x.tolist() for x in X]):
            encoded = PerTimestep(OneHotEncoder()).fit_transform(given)
            assert [x.tolist() for x in encoded] == expected

    def test_lists_keep_what_is_missing_among_strings(self):
        encoder = PerTimestep(OneHotEncoder()).fit([[["a"], [NAN]], [["b"]]])
        assert encoder.get_feature_names_out().tolist() == ["x0_a", "x0_b", "x0_nan"]
        assert encoder.transformer_.categories_[0][2] is not str
        table = PerTimestep(OrdinalEncoder()).fit_transform([["a", NAN], ["b", "a"]])
        assert_array_equal(table, [[0, NAN], [1, 0]])

    @pytest.mark.parametrize("wrap", [list, np.array])
    def test_a_sequence_of_nan_among_those_of_strings(self, wrap):
        X = [wrap(["a", "b"]), wrap([NAN]), wrap(["b"])]
        encoded = PerTimestep(OrdinalEncoder()).fit_transform(X)
        assert_same_lists(encoded, [np.array([0.0, 1.0]), np.array([NAN]), np.array([1.0])])

    def test_sparse_results_are_made_dense(self):
        X = ragged(n_features=1)
        sparse, dense = OneHotEncoder(), OneHotEncoder(sparse_output=False)
        assert_same_lists(PerTimestep(sparse).fit_transform(X), PerTimestep(dense).fit_transform(X))


class TestTable:
    X = np.array([[1.0, 2.0, NAN], [3.0, NAN, 4.0], [5.0, 6.0, 7.0]])

    def test_all_columns_are_one_feature(self):
        transformer = PerTimestep(StandardScaler()).fit(self.X)
        assert transformer.transformer_.mean_ == [4.0]
        assert_allclose(transformer.transform(self.X), (self.X - 4) / 2)
        assert transformer.n_features_in_ == 3
        assert_allclose(transformer.inverse_transform(transformer.transform(self.X)), self.X)

    def test_trailing_nan_is_padding(self):
        filled = PerTimestep(SimpleImputer()).fit_transform(self.X)
        assert_allclose(filled, [[1, 2, NAN], [3, 4, 4], [5, 6, 7]])

    def test_several_features_make_it_3d(self):
        X = np.array([["a", "b"], ["b", "b"]])
        encoder = PerTimestep(OneHotEncoder()).fit(X)
        assert_array_equal(encoder.transform(X), [[[1, 0], [0, 1]], [[0, 1], [0, 1]]])
        assert encoder.get_feature_names_out().tolist() == ["x0_a", "x0_b"]
        assert_array_equal(encoder.inverse_transform(encoder.transform(X)), X)

    def test_data_frame(self):
        frame = pd.DataFrame(self.X, columns=["lag3", "lag2", "lag1"], index=["u", "v", "w"])
        transformer = PerTimestep(StandardScaler()).fit(frame)
        assert transformer.feature_names_in_.tolist() == ["lag3", "lag2", "lag1"]
        assert transformer.get_feature_names_out().tolist() == ["lag3", "lag2", "lag1"]
        assert isinstance(transformer.transform(frame), np.ndarray)
        with pytest.raises(ValueError, match="feature names should match"):
            transformer.transform(frame.rename(columns={"lag3": "lag4"}))

    def test_is_all_that_is_transformed_then(self):
        transformer = PerTimestep(StandardScaler()).fit(self.X)
        with pytest.raises(ValueError, match="fitted on 2-D X"):
            transformer.transform(self.X[:, :, np.newaxis])
        with pytest.raises(ValueError, match="expecting 3 features"):
            transformer.transform(self.X[:, :2])
        with pytest.raises(ValueError, match="fitted on 2-D X with 3 columns"):
            transformer.inverse_transform(self.X[:, :2])
        with pytest.raises(ValueError, match="fitted on 2-D X with 3 columns"):
            transformer.inverse_transform([self.X, self.X])

    def test_is_not_transformed_after_sequences(self):
        transformer = PerTimestep(StandardScaler()).fit(self.X[:, :, np.newaxis])
        for method in (transformer.transform, transformer.inverse_transform):
            with pytest.raises(ValueError, match=r"X is 2-D .* fitted on sequences"):
                method(self.X)

    def test_feeds_the_estimators(self):
        pipeline = make_pipeline(PerTimestep(StandardScaler()), RNNRegressor(tol=1, random_state=0))
        X = np.random.default_rng(0).normal(size=(10, 4))
        assert pipeline.fit(X, X[:, 0]).predict(X).shape == (10,)
        assert pipeline[-1].n_features_in_ == 4


class TestInverse:
    @pytest.mark.parametrize("inner", [StandardScaler(), MinMaxScaler(), PCA()], ids=str)
    def test_round_trip(self, inner):
        X = ragged()
        transformer = PerTimestep(inner).fit(X)
        assert_same_lists(transformer.inverse_transform(transformer.transform(X)), X, atol=1e-12)
        again = transformer.inverse_transform(transformer.transform(padded(X)))
        assert_allclose(again, padded(X), atol=1e-12)
        objects = transformer.inverse_transform(transformer.transform(object_array(X)))
        assert objects.dtype == object
        assert_same_lists(list(objects), X, atol=1e-12)

    def test_of_frames(self):
        transformer = PerTimestep(StandardScaler()).set_output(transform="pandas")
        transformer.fit(ragged())
        again = transformer.inverse_transform(transformer.transform(ragged()))
        assert_same_lists(again, ragged(), atol=1e-12)

    def test_is_there_if_the_transformer_has_it(self):
        assert not hasattr(PerTimestep(KNNImputer()), "inverse_transform")


class TestPartialFit:
    def test_is_the_fit_of_all(self):
        X = ragged(n=8)
        scaler = PerTimestep(StandardScaler())
        for part in (X[:3], padded(X[3:5]), X[5:]):
            assert scaler.partial_fit(part) is scaler
        whole = PerTimestep(StandardScaler()).fit(X)
        assert_allclose(scaler.transformer_.mean_, whole.transformer_.mean_)
        assert_allclose(scaler.transformer_.var_, whole.transformer_.var_)

    def test_is_there_if_the_transformer_has_it(self):
        assert hasattr(PerTimestep(StandardScaler()), "partial_fit")
        assert not hasattr(PerTimestep(PCA()), "partial_fit")

    def test_wants_the_same_features(self):
        scaler = PerTimestep(StandardScaler()).partial_fit(ragged(n_features=2))
        before = scaler.transformer_.mean_.copy()
        with pytest.raises(ValueError, match="X has 3 features, but PerTimestep is expecting 2"):
            scaler.partial_fit(ragged(n_features=3))
        assert_array_equal(scaler.transformer_.mean_, before)


class TestRefusals:
    def test_no_transformer(self):
        for wrong in (StandardScaler, LogisticRegression(), "scaler", None):
            with pytest.raises(TypeError, match="transformer must be a scikit-learn transformer"):
                PerTimestep(wrong).fit(ragged())

    @pytest.mark.parametrize("function", [lambda X: X[:-1], np.ravel, lambda X: X[:, :, None]])
    def test_other_rows(self, function):
        with pytest.raises(ValueError, match=r"made ndarray of shape .* one row for each"):
            PerTimestep(FunctionTransformer(function)).fit_transform(ragged(n_features=2))

    def test_mixed_widths(self):
        with pytest.raises(ValueError, match=r"X\[1\] has 3 features, but X\[0\] has 2"):
            PerTimestep(StandardScaler()).fit([np.ones((4, 2)), np.ones((5, 3))])

    def test_swapped_axes(self):
        with pytest.raises(ValueError, match=r"all have 2 rows.*from_channels_first\(X\)"):
            PerTimestep(StandardScaler()).fit([np.ones((2, 4)), np.ones((2, 5))])

    @pytest.mark.parametrize("X", [[], [np.ones((0, 2))], np.ones((0, 2, 3)), np.ones(3), 3.0])
    def test_what_is_no_sequences(self, X):
        with pytest.raises(ValueError, match=r"\bX\b"):
            PerTimestep(StandardScaler()).fit(X)

    def test_the_transformers_own_errors_come_through(self):
        X = ragged()
        X[1][0, 0] = np.inf
        with pytest.raises(ValueError, match="infinity"):
            PerTimestep(StandardScaler()).fit(X)

    def test_a_failed_fit_changes_nothing(self):
        scaler = PerTimestep(StandardScaler()).fit(ragged(n_features=2))
        before = dict(vars(scaler))
        with pytest.raises(ValueError, match="infinity"):
            scaler.fit([np.full((2, 3), np.inf)])
        assert vars(scaler) == before

    def test_not_fitted(self):
        for method in ("transform", "inverse_transform"):
            with pytest.raises(NotFittedError):
                getattr(PerTimestep(StandardScaler()), method)(ragged())
        with pytest.raises(NotFittedError):
            PerTimestep(StandardScaler()).get_feature_names_out()
