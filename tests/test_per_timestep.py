"""PerTimestep: scikit-learn's transformers on the timesteps of sequences."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
    TargetEncoder,
)
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.estimator_checks import check_estimator

from datasets import object_array, padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.preprocessing import PerTimestep

NAN = np.nan


def stacked(sequences):
    return np.concatenate(sequences)


def split_like(rows, sequences):
    return np.split(rows, np.cumsum([len(x) for x in sequences])[:-1])


def assert_same_lists(actual, expected, **tolerance):
    assert isinstance(actual, list)
    assert len(actual) == len(expected)
    for a, b in zip(actual, expected, strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        assert_allclose(a, b, **tolerance)


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


class TestFrames:
    X = [
        pd.DataFrame({"size": [1.0, 2.0, 3.0], "kind": ["x", "y", "x"]}, index=[7, 8, 9]),
        pd.DataFrame({"size": [6.0], "kind": ["y"]}, index=[4]),
    ]

    def inner(self):
        return ColumnTransformer(
            [("scale", StandardScaler(), ["size"]), ("encode", OneHotEncoder(), ["kind"])],
            sparse_threshold=0,
        )

    def test_columns_by_name(self):
        transformer = PerTimestep(self.inner())
        result = transformer.fit_transform(self.X)
        assert_same_lists(result, split_like(self.inner().fit_transform(pd.concat(self.X)), self.X))
        assert transformer.feature_names_in_.tolist() == ["size", "kind"]
        names = ["scale__size", "encode__kind_x", "encode__kind_y"]
        assert transformer.get_feature_names_out().tolist() == names

    def test_object_array_of_frames(self):
        result = PerTimestep(self.inner()).fit_transform(object_array(self.X))
        assert_same_lists(list(result), PerTimestep(self.inner()).fit_transform(self.X))

    def test_other_columns_are_refused(self):
        renamed = self.X[1].rename(columns={"size": "width"})
        message = r"X\[1\] has the columns \['width', 'kind'\], but X\[0\] has \['size', 'kind'\]"
        with pytest.raises(ValueError, match=message):
            PerTimestep(self.inner()).fit([self.X[0], renamed])
        transformer = PerTimestep(self.inner()).fit(self.X)
        with pytest.raises(ValueError, match="feature names should match"):
            transformer.transform([renamed])

    def test_names_are_forgotten_by_the_next_fit(self):
        transformer = PerTimestep(StandardScaler()).fit([x[["size"]] for x in self.X])
        with pytest.warns(UserWarning, match="does not have valid feature names"):
            transformer.transform([np.ones((2, 1))])
        transformer.fit([np.ones((2, 1))])
        assert not hasattr(transformer, "feature_names_in_")
        assert transformer.get_feature_names_out().tolist() == ["x0"]


class TestSetOutput:
    frames = [pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 5.0]}, index=[8, 9])] * 2

    def test_lists_become_lists_of_frames(self):
        transformer = PerTimestep(StandardScaler()).set_output(transform="pandas")
        plain = PerTimestep(StandardScaler()).fit_transform(self.frames)
        for result in (transformer.fit_transform(self.frames), transformer.transform(self.frames)):
            assert isinstance(result, list)
            expected = pd.DataFrame(plain[0], columns=["a", "b"], index=[8, 9])
            pd.testing.assert_frame_equal(result[1], expected)
        arrays = [x.to_numpy() for x in self.frames]
        result = transformer.fit(arrays).transform(arrays)
        assert result[1].index.tolist() == [0, 1]
        assert result[1].columns.tolist() == ["x0", "x1"]
        objects = transformer.transform(object_array(arrays))
        assert objects.dtype == object
        pd.testing.assert_frame_equal(objects[1], result[1])

    def test_3d_results_stay_arrays(self):
        X = np.random.default_rng(0).normal(size=(3, 4, 2))
        transformer = PerTimestep(StandardScaler())
        expected = transformer.fit_transform(X)
        transformer.set_output(transform="pandas")
        assert_array_equal(transformer.fit_transform(X), expected)
        table = X[:, :, 0].round()
        encoder = OneHotEncoder(sparse_output=False)
        result = PerTimestep(encoder).set_output(transform="pandas").fit_transform(table)
        assert isinstance(result, np.ndarray)

    def test_2d_results_become_frames(self):
        frame = pd.DataFrame(TestTable.X, columns=["c", "b", "a"], index=["u", "v", "w"])
        transformer = PerTimestep(StandardScaler()).set_output(transform="pandas")
        result = transformer.fit_transform(frame)
        assert result.columns.tolist() == ["c", "b", "a"]
        assert result.index.tolist() == ["u", "v", "w"]
        assert_array_equal(result, PerTimestep(StandardScaler()).fit_transform(frame))

    def test_in_a_pipeline(self):
        imputing = SimpleImputer(strategy="median")
        pipeline = make_pipeline(
            PerTimestep(imputing), PerTimestep(PCA(2)), RNNClassifier(tol=1, random_state=0)
        )
        X, y = ragged(n=8), [0, 1] * 4
        plain = clone(pipeline).fit(X, y).predict_proba(X)
        pipeline.set_output(transform="pandas").fit(X, y)
        assert_array_equal(pipeline.predict_proba(X), plain)
        assert pipeline[:-1].transform(X)[0].columns.tolist() == ["pca0", "pca1"]
        assert pipeline[:-1].get_feature_names_out().tolist() == ["pca0", "pca1"]
        assert clone(pipeline)[0].fit_transform(X)[0].columns.tolist() == ["x0", "x1", "x2"]
        assert pipeline.fit(padded(X), y).predict_proba(padded(X)).shape == plain.shape

    def test_globally(self):
        with sklearn.config_context(transform_output="pandas"):
            result = PerTimestep(StandardScaler()).fit_transform(self.frames)
        assert result[0].columns.tolist() == ["a", "b"]

    def test_after_fit_and_back(self):
        transformer = PerTimestep(StandardScaler()).fit(self.frames)
        assert isinstance(transformer.transform(self.frames)[0], np.ndarray)
        transformer.set_output(transform="pandas")
        assert isinstance(transformer.transform(self.frames)[0], pd.DataFrame)
        transformer.set_output(transform=None)
        assert isinstance(transformer.transform(self.frames)[0], pd.DataFrame)
        transformer.set_output(transform="default")
        assert isinstance(transformer.transform(self.frames)[0], np.ndarray)


class TestTargets:
    X = ragged(n=20, n_features=4, seed=1)
    rows = stacked(X)

    def test_per_sequence_are_repeated(self):
        y = np.arange(20) % 2
        repeated = np.repeat(y, [len(x) for x in self.X])
        expected = SelectKBest(f_classif, k=2).fit(self.rows, repeated)
        for given in (y, y.tolist(), np.array(["no", "yes"])[y], y[:, np.newaxis], pd.Series(y)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", sklearn.exceptions.DataConversionWarning)
                selector = PerTimestep(SelectKBest(f_classif, k=2)).fit(self.X, given)
            assert_allclose(selector.transformer_.scores_, expected.scores_)

    def test_per_timestep(self):
        y = [(x[:, 2] > 0).astype(int) for x in self.X]
        expected = SelectKBest(f_classif, k=1).fit(self.rows, stacked(y))
        assert expected.get_support().tolist() == [False, False, True, False]
        y_padded = padded(y, fill=-1)
        for X, given in [
            (self.X, y),
            (self.X, object_array(y)),
            (self.X, y_padded),
            (padded(self.X), y_padded),
            (padded(self.X), y),
        ]:
            selector = PerTimestep(SelectKBest(f_classif, k=1)).fit(X, given)
            assert_array_equal(selector.transformer_.scores_, expected.scores_)

    @pytest.mark.parametrize("required", [False, True])
    def test_several_per_sequence_go_to_those_who_require_them(self, required):
        seen = []
        y = np.arange(40).reshape(20, 2)
        PerTimestep(Recorder(seen, required)).fit(self.X, y)
        if required:
            assert_array_equal(seen[0], np.repeat(y, [len(x) for x in self.X], axis=0))
        else:
            assert seen == [None]

    def test_forecasts_of_several_features_are_ignored(self):
        seen = []
        PerTimestep(Recorder(seen)).fit(self.X, np.ones((20, 5, 2)))
        assert seen == [None]
        with pytest.raises(ValueError, match="y has several targets in a sequence"):
            PerTimestep(Recorder(seen, required=True)).fit(self.X, np.ones((20, 5, 2)))

    def test_several_per_timestep(self):
        y = [np.stack([x[:, 0], x[:, 1]], axis=1) for x in self.X]
        for X, given in [(self.X, y), (padded(self.X), padded(y)), (self.X, padded(y))]:
            seen = []
            PerTimestep(Recorder(seen)).fit(X, given)
            assert_array_equal(seen[0], stacked(y))

    def test_fit_transform_is_the_transformers(self):
        labels = [np.where(x[:, :1] > 0, "a", "b") for x in self.X]
        y = [x[:, 1] for x in self.X]
        encoder = TargetEncoder(cv=KFold(3))
        expected = clone(encoder).fit_transform(stacked(labels), stacked(y))
        wrapped = PerTimestep(encoder)
        assert_same_lists(wrapped.fit_transform(labels, y), split_like(expected, self.X))
        assert not np.allclose(stacked(wrapped.transform(labels)), expected)

    def test_wrong_ones_are_refused(self):
        with pytest.raises(ValueError, match="y has 3"):
            PerTimestep(SelectKBest(k=1)).fit(self.X, [1, 2, 3])
        y = [x[:, 0] for x in self.X]
        y[4] = y[4][:-1]
        with pytest.raises(ValueError, match=r"y\[4\] has \d values, but X\[4\] has \d timesteps"):
            PerTimestep(SelectKBest(k=1)).fit(self.X, y)


class Recorder(TransformerMixin, BaseEstimator):
    """Remembers what y was."""

    def __init__(self, seen, required=False):
        self.seen = seen
        self.required = required

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.required
        return tags

    def __sklearn_clone__(self):
        return self

    def fit(self, X, y=None):
        self.seen.append(y)
        self.fitted_ = True
        return self

    def transform(self, X):
        return X


class Halving(BaseEstimator):
    """Has no more than it must."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return X / 2


def test_a_transformer_with_nothing_but_fit_and_transform():
    transformer = PerTimestep(Halving())
    for method in ("fit_transform", "transform"):
        assert_same_lists(getattr(transformer, method)(ragged()), [x / 2 for x in ragged()])
    for missing in ("partial_fit", "inverse_transform", "get_feature_names_out", "set_output"):
        assert not hasattr(transformer, missing)


class TestWeights:
    X = ragged(n=5, n_features=2)
    lengths = [len(x) for x in X]
    weights = np.array([0.5, 2.0, 0.0, 1.0, 3.0])

    def expected(self, row_weights):
        return StandardScaler().fit(stacked(self.X), sample_weight=row_weights).mean_

    def test_per_sequence(self):
        for method in ("fit", "partial_fit", "fit_transform"):
            scaler = PerTimestep(StandardScaler())
            getattr(scaler, method)(self.X, sample_weight=self.weights)
            mean = self.expected(np.repeat(self.weights, self.lengths))
            assert_allclose(scaler.transformer_.mean_, mean)

    def test_per_timestep(self):
        weights = [np.linspace(1, 2, n) for n in self.lengths]
        mean = self.expected(stacked(weights))
        for X, given in [(self.X, weights), (padded(self.X), padded(weights))]:
            scaler = PerTimestep(StandardScaler()).fit(X, sample_weight=given)
            assert_allclose(scaler.transformer_.mean_, mean)

    def test_through_pipelines(self):
        inside = PerTimestep(make_pipeline(SimpleImputer(), StandardScaler()))
        around = make_pipeline(inside, FunctionTransformer())
        name = "pertimestep__standardscaler__sample_weight"
        around.fit(self.X, **{name: self.weights})
        mean = self.expected(np.repeat(self.weights, self.lengths))
        assert_allclose(around[0].transformer_[-1].mean_, mean)

    def test_routed(self):
        mean = self.expected(np.repeat(self.weights, self.lengths))
        with sklearn.config_context(enable_metadata_routing=True):
            scaler = PerTimestep(StandardScaler().set_fit_request(sample_weight=True))
            pipeline = make_pipeline(scaler, FunctionTransformer())
            pipeline.fit(self.X, sample_weight=self.weights)
            assert_allclose(pipeline[0].transformer_.mean_, mean)
            refusing = PerTimestep(StandardScaler().set_fit_request(sample_weight=False))
            with pytest.raises(TypeError, match="sample_weight"):
                refusing.fit(self.X, sample_weight=self.weights)

    def test_wrong_ones_are_refused(self):
        with pytest.raises(ValueError, match="sample_weight has 2"):
            PerTimestep(StandardScaler()).fit(self.X, sample_weight=[1, 2])
        with pytest.raises(TypeError, match="sample_weight"):
            PerTimestep(PCA()).fit(self.X, sample_weight=self.weights)


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


class TestRefusals:
    def test_no_transformer(self):
        for wrong in (StandardScaler, RNNClassifier(), "scaler", None):
            with pytest.raises(TypeError, match="transformer must be a scikit-learn transformer"):
                PerTimestep(wrong).fit(ragged())

    @pytest.mark.parametrize("function", [lambda X: X[:-1], np.ravel, lambda X: X[:, :, None]])
    def test_other_rows(self, function):
        with pytest.raises(ValueError, match=r"made ndarray of shape .* one for each"):
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


class TestAsAnEstimator:
    INNER = [
        StandardScaler(),
        SimpleImputer(),
        PCA(),
        OneHotEncoder(handle_unknown="ignore"),
        SelectKBest(k=1),
        ColumnTransformer([("scale", StandardScaler(), [0])]),
    ]

    @pytest.mark.parametrize("inner", INNER, ids=str)
    def test_check_estimator(self, inner, monkeypatch):
        monkeypatch.delenv("SCIPY_ARRAY_API", raising=False)
        # A ColumnTransformer doesn't pass it itself: its tags don't say that it lets NaN through.
        expected = {}
        if isinstance(inner, ColumnTransformer):
            expected = {"check_estimators_nan_inf": "its tags are wrong"}
        results = check_estimator(
            PerTimestep(inner), expected_failed_checks=expected, on_fail=None, on_skip=None
        )
        status = {r["check_name"]: r["status"] for r in results}
        bad = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
        assert not bad
        assert {name for name, s in status.items() if s == "xfail"} == set(expected)
        assert {name for name, s in status.items() if s == "skipped"} <= {"check_array_api_input"}
        assert status["check_transformer_general"] == status["check_transformer_preserve_dtypes"]
        assert status["check_transformer_general"] == "passed"

    @pytest.mark.filterwarnings("ignore:X .*feature names")
    @pytest.mark.parametrize(
        "check",
        [
            "check_transformer_get_feature_names_out",
            "check_transformer_get_feature_names_out_pandas",
            "check_set_output_transform",
            "check_set_output_transform_pandas",
            "check_global_output_transform_pandas",
            "check_get_feature_names_out_error",
            "check_dataframe_column_names_consistency",
        ],
    )
    @pytest.mark.parametrize("inner", [StandardScaler(), PCA()], ids=str)
    def test_checks_that_check_estimator_leaves_out(self, inner, check):
        getattr(estimator_checks, check)("PerTimestep", PerTimestep(inner))

    def test_tags(self):
        tags = get_tags(PerTimestep(OneHotEncoder()))
        assert tags.input_tags.two_d_array
        assert tags.input_tags.three_d_array
        assert not tags.input_tags.sparse
        assert tags.input_tags.allow_nan
        assert tags.input_tags.categorical
        assert get_tags(PerTimestep(StandardScaler())).transformer_tags.preserves_dtype == [
            "float64",
            "float32",
        ]
        assert not get_tags(PerTimestep(PCA())).input_tags.allow_nan
        assert get_tags(PerTimestep(TargetEncoder())).target_tags.required
        assert not get_tags(PerTimestep(PCA())).target_tags.required

    def test_clone_pickle_and_repr(self):
        transformer = PerTimestep(StandardScaler(with_mean=False)).fit(ragged())
        again = pickle.loads(pickle.dumps(transformer))
        assert_same_lists(again.transform(ragged()), transformer.transform(ragged()))
        copied = clone(transformer)
        assert copied.transformer is not transformer.transformer
        assert copied.get_params()["transformer__with_mean"] is False
        assert not hasattr(copied, "transformer_")
        assert repr(copied) == "PerTimestep(transformer=StandardScaler(with_mean=False))"
        assert "StandardScaler" in transformer._repr_html_()

    def test_the_given_transformer_is_left_alone(self):
        inner = StandardScaler()
        PerTimestep(inner).fit(ragged())
        assert not hasattr(inner, "mean_")


class TestModelSelection:
    X = [
        x + 10 * i for i, x in enumerate(ragged(n=12, n_features=2))
    ]  # each with a mean of its own
    y = np.arange(12) % 2
    network = RNNClassifier(hidden_size=2, tol=1, random_state=0)

    def test_nothing_leaks_from_the_test_folds(self):
        folds = KFold(3)
        results = cross_validate(
            make_pipeline(PerTimestep(StandardScaler()), self.network),
            object_array(self.X),
            self.y,
            cv=folds,
            return_estimator=True,
        )
        for (train, _), fitted in zip(folds.split(self.X), results["estimator"], strict=True):
            mean = stacked([self.X[i] for i in train]).mean(axis=0)
            assert_allclose(fitted[0].transformer_.mean_, mean)
            assert not np.allclose(mean, stacked(self.X).mean(axis=0))

    def test_nested_parameters(self):
        pipeline = make_pipeline(PerTimestep(StandardScaler()), self.network)
        grid = {
            "pertimestep__transformer__with_mean": [True, False],
            "pertimestep__transformer": [StandardScaler(), MinMaxScaler()],
        }
        search = GridSearchCV(pipeline, {"pertimestep__transformer__with_mean": [False]}, cv=2)
        search.fit(self.X, self.y)
        assert search.best_estimator_[0].transformer_.mean_ is not None
        assert search.best_estimator_[0].transformer_.with_mean is False
        del grid["pertimestep__transformer__with_mean"]
        search = GridSearchCV(pipeline, grid, cv=2).fit(self.X, self.y)
        assert search.cv_results_["param_pertimestep__transformer"].shape == (2,)
