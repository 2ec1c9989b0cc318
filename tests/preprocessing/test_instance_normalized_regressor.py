"""InstanceNormalizedRegressor: forecasts relative to the level and the scale of each window."""

import pickle

import hypothesis
import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin, clone, is_regressor
from sklearn.linear_model import LinearRegression, QuantileRegressor, Ridge, SGDRegressor
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator

from sequences import CONTAINERS, padded, ragged, stacked
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.preprocessing import (
    InstanceNormalizedRegressor,
    SequenceNormalizer,
    sliding_windows,
)
from sklearn_rnn.utils import check_sequence_estimator

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = [x.cumsum(axis=0) + 5 for x in ragged(n=12, n_features=2)]
Y = np.array([x[-1] + 0.5 * x[0] for x in X])  # a forecast of both features
LEVELS = {"last": lambda x: x[-1], "mean": lambda x: x.mean(axis=0), "first": lambda x: x[0]}


def network(**parameters):
    return RNNRegressor(**{"hidden_size": 3, "max_iter": 3, "random_state": 0} | parameters)


def units(center, scale):
    levels = np.array([LEVELS[center](x) for x in X])
    deviations = np.array([x.std(axis=0) if len(x) > 1 else [1, 1] for x in X])
    return levels, deviations if scale == "std" else np.ones_like(levels)


class TestPerSequence:
    @pytest.mark.parametrize("center", LEVELS)
    @pytest.mark.parametrize("scale", ["std", None])
    @pytest.mark.parametrize("container", CONTAINERS)
    def test_is_the_regressor_on_windows_without_units(self, center, scale, container):
        levels, scales = units(center, scale)
        relative = SequenceNormalizer(center, scale).fit_transform(X)
        inner = network().fit(relative, (Y - levels) / scales)
        expected = inner.predict(relative) * scales + levels
        wrap = CONTAINERS[container]
        model = InstanceNormalizedRegressor(network(), center=center, scale=scale)
        predicted = model.fit(wrap(X), Y).predict(wrap(X))
        assert_allclose(predicted, expected)
        assert model.score(wrap(X), Y) == pytest.approx(r2_score(Y, expected))
        one_by_one = np.concatenate([model.predict([x]) for x in X])
        assert_allclose(one_by_one, expected)

    @pytest.mark.parametrize(
        ("options", "places", "outputs"),
        [
            ({}, [0, 1], [0, 1]),
            ({}, [0, 1, 0, 1], [0, 1]),  # two timesteps ahead
            ({"target": 1}, [1, 1, 1], [0, 1]),
            ({"target": [1, 0]}, [1, 0], [0, 1]),
            ({"features": 1}, [1], [1]),
            ({"features": [1, 0]}, [1, 0], [0, 1]),
            ({"features": [0, 1], "target": 0}, [0], [0, 1]),
        ],
    )
    @pytest.mark.parametrize("named", [False, True])
    def test_outputs_belong_to_features(self, options, places, outputs, named):
        """The inner regressor that predicts 0 forecasts the level of each output's feature."""
        given = X
        if named:
            given = [pd.DataFrame(x, columns=["a", "b"]) for x in X]
            by_name = np.array(["a", "b"])
            options = {key: by_name[value].tolist() for key, value in options.items()}
        model = InstanceNormalizedRegressor(Zero(), **options)
        y = np.ones((12, len(places)))
        levels, _ = units("last", None)
        assert_array_equal(model.fit(given, y).predict(given), levels[:, places])
        untouched = [i for i in (0, 1) if i not in outputs]
        for seen, x in zip(model.regressor_.seen_, X, strict=True):
            assert_array_equal(seen[:, untouched], x[:, untouched])
            assert_array_equal(seen[-1, outputs], 0)

    def test_one_output_is_one_dimensional(self):
        one = [x[:, 0] for x in X]
        model = InstanceNormalizedRegressor(network()).fit(one, Y[:, 0])
        assert model.predict(one).shape == (12,)
        assert model.n_features_in_ == 1

    @pytest.mark.parametrize("regressor", [Ridge(), LinearRegression(), SGDRegressor()])
    def test_scikit_learns_regressors_on_windows_of_one_feature(self, regressor):
        windows, y = sliding_windows(np.arange(60.0) ** 1.5, 5)
        table = windows[:, :, 0]
        model = InstanceNormalizedRegressor(regressor, scale="std").fit(table[:40], y[:40])
        assert model.predict(table[40:]).shape == (15,)
        assert model.score(table[40:], y[40:]) > 0.95
        assert model.regressor_.n_features_in_ == 5
        frame = pd.DataFrame(table, columns=[f"lag{5 - i}" for i in range(5)])
        named = InstanceNormalizedRegressor(regressor, scale="std").fit(frame, y)
        assert named.feature_names_in_.tolist() == frame.columns.tolist()

    def test_scikit_learns_regressors_on_flattened_windows(self):
        rng = np.random.default_rng(0)
        series = rng.normal(size=(80, 2)).cumsum(axis=0)
        windows, y = sliding_windows(series, 5)
        flat = FunctionTransformer(lambda X: X.reshape(len(X), -1))
        model = InstanceNormalizedRegressor(make_pipeline(flat, LinearRegression()))
        assert model.fit(windows, y).predict(windows).shape == y.shape

    def test_windows_of_equal_values(self):
        constant = np.full((12, 4, 1), 7.0)
        constant[6:] += np.arange(4.0)[:, np.newaxis]
        y = np.where(np.arange(12) < 6, 8.0, 11.0)
        model = InstanceNormalizedRegressor(network(max_iter=300, learning_rate_init=0.03))
        assert_allclose(model.fit(constant, y).predict(constant), y, atol=0.1)

    def test_float32_at_a_large_level(self):
        rng = np.random.default_rng(0)
        series = (1e6 + rng.normal(size=200).cumsum()).astype(np.float32)
        windows, y = sliding_windows(series, 5)
        model = InstanceNormalizedRegressor(network(max_iter=30)).fit(windows, y)
        predicted = model.predict(windows)
        assert predicted.dtype == np.float32
        assert model.regressor_.predict(windows).dtype == np.float32
        assert np.abs(predicted - windows[:, -1, 0]).max() < 5


class Zero(RegressorMixin, BaseEstimator):
    """Remembers X, and predicts zeros in the shape of y, with more axes if it is told so."""

    def __init__(self, more=()):
        self.more = more

    def fit(self, X, y):
        self.seen_ = X
        self.shape_ = (*y.shape[1:], *self.more)
        return self

    def predict(self, X):
        return np.zeros((len(X), *self.shape_)) + np.arange(self.shape_[-1] if self.more else 1)


@hypothesis.settings(max_examples=15, deadline=None)
@hypothesis.given(
    center=st.sampled_from(list(LEVELS)),
    factors=st.lists(st.floats(1e-3, 1e3), min_size=12, max_size=12),
    shifts=st.lists(st.floats(-1e3, 1e3), min_size=12, max_size=12),
)
def test_affine_changes_of_each_window_change_predictions_alike(center, factors, shifts):
    long = [np.vstack([x, x + 1]) for x in X]  # no window of one value
    factors, shifts = np.array(factors)[:, np.newaxis], np.array(shifts)[:, np.newaxis]
    changed = [f * (x + s) for x, f, s in zip(long, factors, shifts, strict=True)]
    model = InstanceNormalizedRegressor(network(), center=center, scale="std")
    expected = factors * (model.fit(long, Y).predict(long) + shifts)
    assert_allclose(model.predict(changed), expected, rtol=1e-6, atol=1e-6)
    again = clone(model).fit(changed, factors * (Y + shifts)).predict(changed)
    assert_allclose(again, expected, rtol=1e-4, atol=1e-4)


class TestQuantiles:
    def test_of_a_network(self):
        rng = np.random.default_rng(0)
        windows, y = sliding_windows(rng.normal(size=400).cumsum(), 6)
        low, high = (
            InstanceNormalizedRegressor(
                network(loss="quantile", quantile=q, max_iter=40, learning_rate_init=0.01)
            )
            .fit(windows, y)
            .predict(windows)
            for q in (0.1, 0.9)
        )
        assert np.mean(y < low) == pytest.approx(0.1, abs=0.05)
        assert np.mean(y < high) == pytest.approx(0.9, abs=0.05)

    def test_of_a_linear_model(self):
        rng = np.random.default_rng(0)
        windows, y = sliding_windows(rng.normal(size=300).cumsum(), 6)
        linear = QuantileRegressor(quantile=0.8, alpha=0)
        model = InstanceNormalizedRegressor(linear).fit(windows[:, :, 0], y)
        assert np.mean(y < model.predict(windows[:, :, 0])) == pytest.approx(0.8, abs=0.07)

    @pytest.mark.parametrize("y", [Y[:, 0], Y, np.hstack([Y, Y])], ids=["1-D", "two", "four"])
    @pytest.mark.parametrize("more", [(3,), (2, 2), (1,)])
    def test_several_predictions_of_each_target(self, y, more):
        target = 0 if y.ndim == 1 else None
        model = InstanceNormalizedRegressor(Zero(more), scale="std", target=target)
        predicted = model.fit(X, y).predict(X)
        levels, scales = (np.resize(part, (12, 2)) for part in units("last", "std"))
        n_outputs = 1 if y.ndim == 1 else y.shape[1]
        places = [0, 1] * (n_outputs // 2) or [0]
        expected = levels[:, places, np.newaxis] + scales[:, places, np.newaxis] * np.arange(
            more[-1]
        )
        if more == (1,):
            assert predicted.shape == y.shape
            assert_allclose(predicted.reshape(12, -1, 1), expected)
        else:
            assert predicted.shape == (*y.shape, *more)
            assert_allclose(predicted.reshape(12, n_outputs, -1)[:, :, : more[-1]], expected)


class TestPerTimestep:
    y = [x[:, 0] + 1 for x in X]

    @pytest.mark.parametrize("container", CONTAINERS)
    def test_all_targets_are_relative_to_the_sequence(self, container):
        wrap = CONTAINERS[container]
        regressor = network(return_sequences=True)
        model = InstanceNormalizedRegressor(regressor, center="first", scale=None, target=0)
        predicted = model.fit(wrap(X), wrap(self.y)).predict(wrap(X))
        relative = SequenceNormalizer("first", None).fit_transform(X)
        y = [part - x[0, 0] for part, x in zip(self.y, X, strict=True)]
        expected = clone(regressor).fit(relative, y).predict(relative)
        rows = [part + x[0, 0] for part, x in zip(expected, X, strict=True)]
        if container == "padded array":
            assert_allclose(predicted, padded(rows))
        else:
            assert_allclose(stacked(predicted), stacked(rows))
        score = r2_score(stacked(self.y), stacked(rows))
        assert model.score(wrap(X), wrap(self.y)) == pytest.approx(score)


class TestFitting:
    weights = np.array([1, 0, 3, 1, 2, 1, 0, 1, 1, 2, 1, 1])

    def test_weights(self):
        again = np.repeat(np.arange(12), self.weights)
        expected = InstanceNormalizedRegressor(network()).fit([X[i] for i in again], Y[again])
        model = InstanceNormalizedRegressor(network()).fit(X, Y, sample_weight=self.weights)
        assert_allclose(model.predict(X), expected.predict(X))
        with sklearn.config_context(enable_metadata_routing=True):
            regressor = network().set_fit_request(sample_weight=True)
            routed = InstanceNormalizedRegressor(regressor).set_score_request(sample_weight=True)
            search = GridSearchCV(routed, {"center": ["last"]}, cv=2)
            search.fit(X, Y, sample_weight=self.weights)
            assert_allclose(search.predict(X), expected.predict(X))

    def test_validation_data_are_relative_too(self):
        model = InstanceNormalizedRegressor(network(), scale="std")
        model.fit(X, Y, X_val=X[:7], y_val=Y[:7])
        levels, scales = units("last", "std")
        relative, y = SequenceNormalizer("last").fit_transform(X), (Y - levels) / scales
        inner = network().fit(relative, y, X_val=relative[:7], y_val=y[:7])
        assert_allclose(model.regressor_.validation_scores_, inner.validation_scores_)
        with pytest.raises(ValueError, match="y_val has 3 outputs, but the targets of"):
            model.fit(X, Y, X_val=X[:7], y_val=np.ones((7, 3)))

    def test_partial_fit(self):
        model = InstanceNormalizedRegressor(network(), scale="std")
        for chosen in (slice(0, 6), slice(6, 12)):
            assert model.partial_fit(X[chosen], Y[chosen]) is model
        levels, scales = units("last", "std")
        relative, y = SequenceNormalizer("last").fit_transform(X), (Y - levels) / scales
        inner = network().partial_fit(relative[:6], y[:6]).partial_fit(relative[6:], y[6:])
        assert_allclose(model.predict(X), inner.predict(relative) * scales + levels)
        with pytest.raises(ValueError, match="y has 1 outputs, but the targets of"):
            model.partial_fit(X, Y[:, 0])
        with pytest.raises(ValueError, match=r"X has 3 features, but .* is expecting 2"):
            model.partial_fit(ragged(n=12), Y)
        assert not hasattr(InstanceNormalizedRegressor(Ridge()), "partial_fit")

    def test_searched_with_nested_parameters(self):
        pipeline = make_pipeline(StandardScaler(), Ridge())
        windows, y = sliding_windows(np.random.default_rng(0).normal(size=80).cumsum(), 6)
        grid = {"center": ["last", "mean"], "scale": [None, "std"], "regressor__ridge__alpha": [1]}
        search = GridSearchCV(InstanceNormalizedRegressor(pipeline), grid, cv=3)
        search.fit(windows[:, :, 0], y)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
        scores = cross_val_score(search.best_estimator_, windows[:, :, 0], y, cv=3)
        assert scores.mean() == pytest.approx(search.best_score_)

    def test_clone_and_pickle(self):
        model = InstanceNormalizedRegressor(network(), scale=None, target=[1, 0]).fit(X, Y)
        again = pickle.loads(pickle.dumps(model))
        assert_array_equal(again.predict(X), model.predict(X))
        assert not hasattr(clone(model), "regressor_")
        assert not hasattr(model.regressor, "weights_")
        assert clone(model).get_params()["regressor__hidden_size"] == 3
        assert is_regressor(model)
        assert get_tags(model).input_tags.three_d_array

    @pytest.mark.parametrize(
        "model",
        [
            InstanceNormalizedRegressor(Ridge()),
            InstanceNormalizedRegressor(
                make_pipeline(StandardScaler(), Ridge()), center="mean", scale=None, target=0
            ),
            InstanceNormalizedRegressor(SGDRegressor(random_state=0)),
        ],
        ids=str,
    )
    def test_check_estimator(self, model, monkeypatch):
        monkeypatch.delenv("SCIPY_ARRAY_API", raising=False)
        results = check_estimator(model, on_fail=None, on_skip=None)
        assert not {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
        skipped = {r["check_name"] for r in results if r["status"] == "skipped"}
        assert skipped <= {"check_array_api_input"}
        assert sum(r["status"] == "passed" for r in results) >= 50

    def test_check_sequence_estimator(self):
        model = InstanceNormalizedRegressor(network(), target=0)
        results = check_sequence_estimator(model, on_fail=None, on_skip=None)
        assert not {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
        assert sum(r["status"] == "passed" for r in results) > 25


def test_beats_the_plain_network_on_a_random_walk_with_trend_and_season():
    rng = np.random.default_rng(0)
    t = np.arange(400)
    series = rng.normal(size=400).cumsum() + 5 * np.sin(2 * np.pi * t / 12) + 0.3 * t
    windows, y = sliding_windows(series, 24, horizon=2)
    regressor = RNNRegressor(hidden_size=16, learning_rate_init=0.01, max_iter=60, random_state=0)

    def error(model):
        predicted = model.fit(windows[:250], y[:250]).predict(windows[252:])
        return np.abs(predicted - y[252:]).mean()

    last_value = np.abs(windows[252:, -1] - y[252:]).mean()
    normalized = error(InstanceNormalizedRegressor(regressor))
    assert normalized < 0.7 * last_value
    assert normalized < 0.5 * error(regressor)


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"center": "median"}, ValueError, "center='median' is not one of the choices"),
            ({"scale": 2.0}, TypeError, "scale=2.0 is not one of the choices"),
            ({"features": 2}, ValueError, r"features=2 is not among .* \[0, 1\]"),
            ({"target": "a"}, ValueError, r"target='a' is not among .* \[0, 1\]"),
            ({"features": 0, "target": 1}, ValueError, r"target=1 is not among .* \[0\]"),
            ({"target": []}, ValueError, "target is an empty list"),
            ({"regressor": StandardScaler()}, TypeError, "regressor must be a scikit-learn"),
            ({"regressor": Ridge}, TypeError, "regressor"),
            ({"regressor": RNNClassifier()}, TypeError, "regressor must be .*, not a classifier"),
        ],
    )
    def test_bad_parameters(self, options, error, message):
        model = InstanceNormalizedRegressor(**{"regressor": network()} | options)
        with pytest.raises(error, match=message):
            model.fit(X, Y)
        assert not hasattr(model, "n_features_in_")

    def test_outputs_of_unknown_features(self):
        for y in (Y[:, 0], np.ones((12, 3))):
            with pytest.raises(ValueError, match=r"y has \d outputs, .* 2 features .* in target"):
                InstanceNormalizedRegressor(network()).fit(X, y)

    def test_bad_data(self):
        model = InstanceNormalizedRegressor(network(), scale="std")
        with pytest.raises(ValueError, match="NaN or infinity: sample 0"):
            model.fit([np.full((3, 2), np.nan), *X[1:]], Y)
        with pytest.raises(ValueError, match="X has 12 sequences, y has 11"):
            model.fit(X, Y[:11])
        with pytest.raises(ValueError, match="requires y to be passed"):
            model.fit(X, None)
        with pytest.raises(ValueError, match=r"X\[0\] has values so large"):
            model.fit([np.array([[1e200, 1], [-1e200, 1]]), *X[1:]], Y)
        before = dict(vars(model.fit(X, Y)))
        with pytest.raises(ValueError, match="Input y contains NaN"):
            model.fit(X, Y * np.nan)
        assert vars(model) == before
