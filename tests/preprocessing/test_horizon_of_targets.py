"""Targets (n_samples, horizon, n_outputs) through the regressors that convert targets."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from sklearn_rnn import RNNRegressor
from sklearn_rnn.preprocessing import (
    InstanceNormalizedRegressor,
    PatchedRegressor,
    PerTimestep,
    PerTimestepTarget,
    sliding_windows,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

HORIZON, N_OUTPUTS = 3, 2
T = np.arange(90.0)
SERIES = np.column_stack([np.sin(T / 3) + T / 9, 500 + 90 * np.cos(T / 4), T % 5])
X, Y = sliding_windows(SERIES, window=6, horizon=HORIZON, target=[0, 1])
FLAT = Y.reshape(len(Y), -1)
WEIGHTS = np.random.default_rng(0).integers(0, 3, len(Y))


def network(**parameters):
    return RNNRegressor(hidden_size=4, max_iter=5, random_state=0, **parameters)


def last_values(model):
    """A regressor of tables behind windows: what it predicts is easy to compute."""
    flat = FunctionTransformer(lambda X: np.reshape(X, (len(X), -1)))
    return make_pipeline(flat, model)


WRAPPERS = {
    "PerTimestepTarget": PerTimestepTarget,
    "InstanceNormalizedRegressor": lambda inner: InstanceNormalizedRegressor(
        inner, target=[0, 1], scale="std"
    ),
}
wrappers = pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)


@wrappers
class TestAxes:
    def test_predictions_have_those_of_y(self, wrap):
        for inner in (network(), last_values(LinearRegression())):
            model = wrap(inner).fit(X, Y)
            predicted = model.predict(X)
            assert predicted.shape == Y.shape
            scores = [
                r2_score(Y[:, h, k], predicted[:, h, k])
                for h in range(HORIZON)
                for k in range(N_OUTPUTS)
            ]
            assert_allclose(model.score(X, Y), np.mean(scores))

    def test_quantiles_are_one_more(self, wrap):
        model = wrap(network(loss="quantile", quantile=[0.1, 0.5, 0.9])).fit(X, Y)
        predicted = model.predict(X)
        assert predicted.shape == (*Y.shape, 3)
        assert (np.diff(predicted, axis=-1) > 0).all()
        assert np.isfinite(model.score(X, Y))

    def test_weights_and_validation_data(self, wrap):
        y = Y.copy()
        y[WEIGHTS == 0] = np.nan
        model = wrap(network(early_stopping=True))
        model.fit(X, y, sample_weight=WEIGHTS, X_val=X[:9], y_val=Y[:9])
        assert len(model.regressor_.validation_scores_) == 5
        assert model.predict(X).shape == Y.shape
        assert np.isfinite(model.score(X, y, WEIGHTS))

    @pytest.mark.parametrize(
        ("y", "words"),
        [
            (FLAT, "has 6 outputs, but the targets of the training data have 3 timesteps of 2"),
            (Y[:, :2], "has 2 timesteps of 2 outputs, but"),
            (Y.swapaxes(1, 2), "has 2 timesteps of 3 outputs, but"),
        ],
    )
    def test_other_axes_are_refused(self, wrap, y, words):
        model = wrap(network()).fit(X, Y)
        with pytest.raises(ValueError, match=f"y {words}"):
            model.score(X, y)
        with pytest.raises(ValueError, match=f"y_val {words}"):
            clone(model).fit(X, Y, X_val=X, y_val=y)


class TestPerTimestepTarget:
    def test_each_output_has_one_scale_for_all_timesteps(self):
        model = PerTimestepTarget(network()).fit(X, Y)
        table = Y.reshape(-1, N_OUTPUTS)
        assert_allclose(model.transformer_.mean_, table.mean(axis=0))
        assert_allclose(model.transformer_.scale_, table.std(axis=0))
        inner = model.regressor_.predict(X).reshape(-1, N_OUTPUTS)
        assert_allclose(
            model.predict(X), model.transformer_.inverse_transform(inner).reshape(Y.shape)
        )

    def test_weights_count_at_every_timestep(self):
        model = PerTimestepTarget(network()).fit(X, Y, sample_weight=WEIGHTS)
        mean = np.average(Y.reshape(-1, N_OUTPUTS), axis=0, weights=np.repeat(WEIGHTS, HORIZON))
        assert_allclose(model.transformer_.mean_, mean)

    def test_a_transformer_may_make_more_columns(self):
        double = FunctionTransformer(
            lambda rows: np.hstack([rows, rows]), lambda rows: rows[:, : rows.shape[1] // 2]
        )
        model = PerTimestepTarget(last_values(LinearRegression()), double).fit(X, Y)
        plain = PerTimestepTarget(last_values(LinearRegression()), "passthrough").fit(X, Y)
        assert_allclose(model.predict(X), plain.predict(X))

    def test_quantiles_need_the_order_of_each_output(self):
        inner = network(loss="quantile", quantile=[0.1, 0.9])
        PerTimestepTarget(inner, MinMaxScaler()).fit(X, Y)
        turned = FunctionTransformer(np.negative, np.negative)
        with pytest.raises(ValueError, match="keep the order"):
            PerTimestepTarget(inner, turned).fit(X, Y)


class TestInstanceNormalizedRegressor:
    def test_each_output_is_relative_to_its_own_feature(self):
        """A network that predicts zero predicts each window's own last values."""

        class Zero(LinearRegression):
            def predict(self, X):
                return np.zeros((len(X), HORIZON * N_OUTPUTS))

        model = InstanceNormalizedRegressor(last_values(Zero()), target=[1, 0])
        model.fit(X, Y[:, :, ::-1])
        expected = np.repeat(X[:, -1:, [1, 0]], HORIZON, axis=1)
        assert_allclose(model.predict(X), expected)

    def test_equals_flat_targets(self):
        fits = [InstanceNormalizedRegressor(network(), target=[0, 1]).fit(X, y) for y in (Y, FLAT)]
        assert_array_equal(fits[0].predict(X), fits[1].predict(X).reshape(Y.shape))
        assert fits[0].score(X, Y) == fits[1].score(X, FLAT)
        for model, y in zip(fits, (Y, FLAT), strict=True):
            model.partial_fit(X, y)
        assert_array_equal(fits[0].predict(X), fits[1].predict(X).reshape(Y.shape))

    @pytest.mark.parametrize("target", [[0], [0, 1, 2], None])
    def test_outputs_that_are_no_targets(self, target):
        model = InstanceNormalizedRegressor(network(), target=target)
        with pytest.raises(ValueError, match="y has 3 timesteps of 2 outputs, but forecasts"):
            model.fit(X, Y)


class TestTargetsPerTimestep:
    """There, y of three axes has outputs at every timestep of X, as ever."""

    def test_patched_regressor(self):
        y = X[:, :, :2] * 2
        model = PatchedRegressor(network(return_sequences=True), size=2).fit(X, y)
        assert model.predict(X).shape == y.shape
        with pytest.raises(ValueError, match="one target per timestep"):
            PatchedRegressor(network(), size=2).fit(X, Y)

    def test_per_timestep_target(self):
        y = X[:, :, :2] * 2
        model = PerTimestepTarget(network(return_sequences=True)).fit(X, y)
        assert_allclose(model.transformer_.mean_, y.reshape(-1, 2).mean(axis=0))
        assert model.predict(X).shape == y.shape


@pytest.mark.parametrize("n_timesteps", [6, HORIZON])
def test_in_a_pipeline_that_scales_X(n_timesteps):
    windows = X[:, :n_timesteps]
    model = make_pipeline(PerTimestep(StandardScaler()), network()).fit(windows, Y)
    scaled = PerTimestep(StandardScaler()).fit_transform(windows)
    assert_array_equal(model.predict(windows), network().fit(scaled, Y).predict(scaled))
    assert np.isfinite(model.score(windows, Y))
