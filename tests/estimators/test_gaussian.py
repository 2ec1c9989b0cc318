"""RNNRegressor(loss="gaussian"): a mean and a standard deviation of each target."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import reference
from fits import TEXTBOOK, starting_weights
from sequences import CONTAINERS, ragged
from sklearn_rnn import RNNRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FAST = {
    "loss": "gaussian",
    "hidden_size": 4,
    "max_iter": 5,
    "learning_rate_init": 0.02,
    "random_state": 0,
}
X = ragged(30, n_features=2, seed=0)
per_step_or_not = pytest.mark.parametrize("per_step", [False, True], ids=["per sequence", "steps"])
outputs = pytest.mark.parametrize("n_outputs", [None, 1, 2], ids=str)


def targets(per_step, n_outputs=None):
    rng = np.random.default_rng(1)
    shape = () if n_outputs is None else (n_outputs,)
    if per_step:
        return [rng.standard_normal((len(x), *shape)) for x in X]
    return rng.standard_normal((len(X), *shape))


def rows(predicted):
    return np.concatenate(predicted) if isinstance(predicted, list) else predicted


@per_step_or_not
def test_an_update_follows_the_references_gradient(per_step):
    y = targets(per_step, n_outputs=2)
    model = RNNRegressor(**FAST | TEXTBOOK | {"max_iter": 1}, return_sequences=per_step)
    start = starting_weights(model, X, y)
    value, gradients, _ = reference.loss_and_gradients(
        start, X, y, cell="gru", return_sequences=per_step, loss="gaussian"
    )
    model.fit(X, y)
    assert model.loss_ == pytest.approx(value, rel=1e-12)
    for name, array in model.weights_.items():
        assert_allclose(array, start[name] - 0.02 * gradients[name], rtol=0, atol=1e-12)


@per_step_or_not
@outputs
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_predictions(per_step, n_outputs, container, dtype):
    sequences = CONTAINERS[container]([x.astype(dtype) for x in X])
    y = targets(per_step, n_outputs)
    model = RNNRegressor(**FAST | {"standardize": False}, return_sequences=per_step)
    predicted, deviation = model.fit(sequences, y).predict(sequences, return_std=True)
    alone = model.predict(sequences)
    assert type(predicted) is type(deviation) is type(alone)
    raw = reference.forward(model.weights_, X, cell="gru", return_sequences=per_step)
    for i in range(len(X)):
        mean, std = reference.mean_and_deviation(np.transpose(raw[i]))
        ends = (slice(len(X[i])) if per_step else slice(None),)
        for actual, expected in ((predicted[i], mean), (alone[i], mean), (deviation[i], std)):
            expected = expected[0] if n_outputs is None else expected.T
            tolerance = 1e-10 if dtype is np.float64 else 1e-5
            actual = np.asarray(actual)[ends] if per_step else np.asarray(actual)
            assert actual.shape == np.shape(expected)
            assert actual.dtype == dtype
            assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)
    score = model.score(sequences, y)
    assert model.n_outputs_ == (n_outputs or 1)
    if container == "list":
        assert score == pytest.approx(r2_score(rows(y), rows(predicted)))


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_early_stopping_goes_by_the_likelihood_in_units(solver):
    y = 1000 * targets(False, 2) - 7
    options = FAST | {"learning_rate_init": 0.1, "max_iter": 30, "n_iter_no_change": 30}
    model = RNNRegressor(**options | {"solver": solver, "alpha": 0})
    model.set_params(early_stopping=True, shuffle=False, validation_fraction=0.25).fit(X, y)
    mean, std = model.predict(X[-8:], return_std=True)
    expected = -np.mean(norm.logpdf(y[-8:], mean, std)) - np.log(2 * np.pi) / 2
    assert min(model.validation_loss_curve_) == pytest.approx(expected, rel=1e-9)
    assert model.best_validation_score_ == pytest.approx(model.score(X[-8:], y[-8:]))


@pytest.mark.parametrize("standardize", [False, True])
def test_training_starts_at_mean_and_deviation_of_the_data(standardize):
    rng = np.random.default_rng(3)
    y, weights = rng.gamma(2.0, 3.0, (len(X), 2)), rng.integers(0, 3, len(X))
    model = RNNRegressor(**FAST, standardize=standardize, early_stopping=False)
    model.set_params(max_iter=1, learning_rate_init=1e-300).fit(X, y, weights)
    mean, std = reference.mean_and_deviation(model.weights_["output.b_y"])
    if standardize:
        mean, std = mean * model.y_scale_ + model.y_mean_, std * model.y_scale_
    repeated = np.repeat(y, weights, axis=0)
    assert_allclose(mean, repeated.mean(axis=0), rtol=1e-12)
    assert_allclose(std, repeated.std(axis=0), rtol=1e-12)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("target", ["function", "constant", "both"])
def test_targets_without_noise(solver, dtype, target):
    """The likelihood has a limit. Whatever warns fails."""
    sequences = [x.astype(dtype) for x in X]
    y = {"function": np.array([x[-1, 0] for x in sequences]), "constant": np.full(len(X), 5.0)}
    y["both"] = np.column_stack([*y.values()])
    model = RNNRegressor(**FAST | {"max_iter": 150, "solver": solver}, early_stopping=False)
    mean, std = model.fit(sequences, y[target]).predict(sequences, return_std=True)
    assert (std >= 0.99e-3 * model.y_scale_).all()
    assert np.isfinite(mean).all()
    if target == "function":
        assert np.median(std) < 0.5
        assert model.score(sequences, y[target]) > 0.7
    else:
        assert_allclose(mean.reshape(len(X), -1)[:, -1], 5.0, atol=0.01)
        assert (std.reshape(len(X), -1)[:, -1] < 0.01).all()


def test_the_deviation_is_learned():
    rng = np.random.default_rng(0)
    sequences = rng.standard_normal((1500, 4, 2))
    spread = np.exp(0.5 * sequences[:, -2, 1])
    y = 1000 + 50 * (sequences[:, -1, 0] + spread * rng.standard_normal(1500))
    model = RNNRegressor(**FAST | {"hidden_size": 16, "learning_rate_init": 0.01, "max_iter": 50})
    mean, std = model.fit(sequences[:1000], y[:1000]).predict(sequences[1000:], return_std=True)
    assert np.corrcoef(std, spread[1000:])[0, 1] > 0.85
    errors = (y[1000:] - mean) / std
    assert np.mean(np.abs(errors) < norm.ppf(0.9)) == pytest.approx(0.8, abs=0.055)


def test_only_this_loss_has_deviations():
    model = RNNRegressor(**FAST | {"loss": "squared_error"}).fit(X, targets(False))
    with pytest.raises(
        ValueError, match=r"return_std=True .*loss='squared_error'.*loss='gaussian'"
    ):
        model.set_params(loss="gaussian").predict(X, return_std=True)
    with pytest.raises(TypeError, match="return_std must be True or False, not 1"):
        model.predict(X, return_std=1)


@pytest.mark.parametrize(("before", "after"), [("gaussian", "huber"), ("huber", "gaussian")])
def test_no_other_loss_when_training_goes_on(before, after):
    model = RNNRegressor(**FAST | {"loss": before}, warm_start=True).fit(X, targets(False))
    with pytest.raises(ValueError, match=r"ask for .*trained for .*set loss"):
        model.set_params(loss=after).fit(X, targets(False))


def test_pickles_pipelines_and_parameters_that_change_after_the_fit():
    y, model = targets(False), RNNRegressor(**FAST)
    expected = model.fit(X, y).predict(X, return_std=True)
    loaded = pickle.loads(pickle.dumps(model))
    pipeline = make_pipeline(FunctionTransformer(), model)
    for fitted in (loaded, pipeline, model.set_params(loss="huber")):
        for actual, part in zip(fitted.predict(X, return_std=True), expected, strict=True):
            assert_array_equal(actual, part)
