"""PerTimestep as an estimator: targets and weights, scikit-learn's checks, searches."""

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
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    StandardScaler,
    TargetEncoder,
)
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.estimator_checks import check_estimator

from sequences import assert_same_lists, object_array, padded, ragged, split_like, stacked
from sklearn_rnn import RNNClassifier
from sklearn_rnn.preprocessing import PerTimestep
from versions import scikit_learn_since


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
        with pytest.raises(ValueError, match="y has several targets per sequence"):
            PerTimestep(Recorder(seen, required=True)).fit(self.X, np.ones((20, 5, 2)))

    def test_several_per_timestep(self):
        y = [np.stack([x[:, 0], x[:, 1]], axis=1) for x in self.X]
        for X, given in [(self.X, y), (padded(self.X), padded(y)), (self.X, padded(y))]:
            seen = []
            PerTimestep(Recorder(seen)).fit(X, given)
            assert_array_equal(seen[0], stacked(y))

    @scikit_learn_since(9, "a TargetEncoder that takes a splitter")
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


class TestGroups:
    """TargetEncoder learns y by heart where timesteps of a sequence are in several folds."""

    X = [np.full((8, 1), str(i)) for i in range(40)]  # a category is a sequence
    y = np.random.default_rng(0).normal(size=40)

    def correlation(self, y, X=X, **params):
        encoder = PerTimestep(TargetEncoder(cv=GroupKFold(4) if params else 4))
        with sklearn.config_context(enable_metadata_routing=bool(params)):
            pipeline = make_pipeline(FunctionTransformer(), encoder)
            encoded = pipeline.fit_transform(X, y, **params)
        return np.corrcoef([x[0, 0] for x in encoded], self.y)[0, 1]

    @scikit_learn_since(9, "a TargetEncoder that takes groups")
    def test_keep_sequences_together(self):
        assert self.correlation(self.y) > 0.9
        groups = np.arange(40)
        alone = self.correlation(self.y, groups=groups)
        assert alone < 0.1
        per_timestep = [np.repeat(group, 8) for group in groups]
        assert self.correlation(self.y, groups=per_timestep) == alone
        assert self.correlation(np.repeat(self.y, 8).reshape(40, 8), groups=list("abcd" * 10)) < 0.1

    def test_wrong_ones_are_refused(self):
        for groups in (np.arange(39), [*np.repeat(1, 39), [1, 2]], 3):
            with pytest.raises((ValueError, TypeError), match="groups"):
                self.correlation(self.y, groups=groups)


class TestAsAnEstimator:
    INNER = [
        StandardScaler(),
        SimpleImputer(),
        PCA(),
        OneHotEncoder(handle_unknown="ignore"),
        SelectKBest(k=1),
        ColumnTransformer([("scale", StandardScaler(), [0])]),
        FunctionTransformer(np.square),
    ]

    @pytest.mark.parametrize("inner", INNER, ids=lambda inner: type(inner).__name__)
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
        if not get_tags(inner).no_validation:  # otherwise these are left out
            assert status["check_transformer_preserve_dtypes"] == "passed"
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
