"""standardize=True: the network works without units, and users see none of it."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize_scalar
from sklearn.base import clone
from sklearn.metrics import get_scorer, mean_pinball_loss

from covering import covering
from fits import assert_same_weights
from networks import VARIANTS
from sequences import CONTAINERS, object_array, padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.callbacks import Checkpoint, EarlyStopping, TimeLimit
from sklearn_rnn.core.losses import LOSSES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 24
X = ragged(N, n_features=2, seed=0)
RNG = np.random.default_rng(1)
Y = np.array([x[:, 0].mean() + 0.1 * RNG.standard_normal() for x in X])
LABELS = np.where(Y > 0.1, "up", "down")
FAST = {"hidden_size": 4, "max_iter": 4, "learning_rate_init": 0.02, "random_state": 0, "tol": 0}
ON = FAST | {"standardize": True}
# Of the features, and of the targets: factors and constants to add.
A, B = np.array([1000.0, 0.003]), np.array([-5e4, 12.0])
C, D = 250.0, -7000.0
WITH_UNITS = {
    "squared_error": {},
    "absolute_error": {},
    "huber": {"delta": 0.3},
    "quantile": {"quantile": 0.8},
    "gaussian": {},
}


def test_the_losses_with_units_are_all_here():
    assert WITH_UNITS.keys() == {name for name, loss in LOSSES.items() if loss.power is not None}


def all_steps(sequences):
    return np.concatenate(list(sequences))


def per_step_targets(sequences, n_outputs=None):
    rng = np.random.default_rng(2)
    shape = () if n_outputs is None else (n_outputs,)
    return [rng.standard_normal((len(x), *shape)) for x in sequences]


@covering(
    {
        "variant": VARIANTS,
        "loss": WITH_UNITS,
        "solver": ["adam", "lbfgs"],
        "per_step": [False, True],
        "container": [list, padded, object_array],
        "early_stopping": [False, True],
    }
)
def test_units_change_predictions_by_nothing_but_units(
    variant, loss, solver, per_step, container, early_stopping
):
    cell, activation = variant
    options = ON | {"cell": cell, "activation": activation, "loss": loss, "solver": solver}
    options |= {"return_sequences": per_step, "early_stopping": early_stopping, "max_iter": 3}
    y = per_step_targets(X) if per_step else Y
    scaled_y = [C * part + D for part in y]
    scaled_X = [A * x + B for x in X]
    parameters = WITH_UNITS[loss]
    in_new_units = parameters | {k: C * v for k, v in parameters.items() if k == "delta"}

    model = RNNRegressor(**options, **parameters).fit(container(X), y)
    other = RNNRegressor(**options, **in_new_units).fit(container(scaled_X), scaled_y)
    expected, actual = model.predict(X), other.predict(scaled_X)
    if per_step:
        expected, actual = all_steps(expected), all_steps(actual)
    spread = np.ptp(actual) + C
    assert_allclose(actual, C * expected + D, rtol=0, atol=1e-6 * spread)
    factor = C ** LOSSES[loss].power
    constant = np.log(C) if loss == "gaussian" else 0.0
    assert_allclose(other.loss_curve_, np.array(model.loss_curve_) * factor + constant, rtol=1e-6)
    if early_stopping:
        losses = np.array(model.validation_loss_curve_) * factor + constant
        assert_allclose(other.validation_loss_curve_, losses, rtol=1e-6)
        assert_allclose(other.validation_scores_, model.validation_scores_, rtol=1e-5)


@pytest.mark.parametrize(("cell", "activation"), VARIANTS)
def test_a_classifier_does_not_see_the_units_of_x(cell, activation):
    options = ON | {"cell": cell, "activation": activation}
    model = RNNClassifier(**options).fit(X, LABELS)
    scaled = [A * x + B for x in X]
    other = RNNClassifier(**options).fit(scaled, LABELS)
    assert_allclose(other.predict_proba(scaled), model.predict_proba(X), rtol=1e-6)
    assert other.y_mean_ is None
    assert other.y_scale_ is None


@pytest.mark.parametrize("n_outputs", [None, 3])
def test_it_is_what_a_scaler_does_by_hand(n_outputs):
    y = per_step_targets(X, n_outputs)
    y = [100 + part * (1 if n_outputs is None else np.array([1.0, 20.0, 0.1])) for part in y]
    options = FAST | {"return_sequences": True}
    model = RNNRegressor(**options, standardize=True).fit(X, y)
    steps, targets = all_steps(X), all_steps(y)
    assert_allclose(model.X_mean_, steps.mean(axis=0), rtol=1e-12)
    assert_allclose(model.X_scale_, steps.std(axis=0), rtol=1e-12)
    assert_allclose(model.y_mean_, np.atleast_1d(targets.mean(axis=0)), rtol=1e-12)
    assert_allclose(model.y_scale_, np.atleast_1d(targets.std(axis=0)), rtol=1e-12)

    by_hand_X = [(x - steps.mean(axis=0)) / steps.std(axis=0) for x in X]
    by_hand_y = [(part - targets.mean(axis=0)) / targets.std(axis=0) for part in y]
    plain = RNNRegressor(**options, standardize=False).fit(by_hand_X, by_hand_y)
    for name, array in plain.weights_.items():
        assert_allclose(model.weights_[name], array, rtol=0, atol=1e-9, err_msg=name)
    expected = all_steps(plain.predict(by_hand_X)) * targets.std(axis=0) + targets.mean(axis=0)
    assert_allclose(all_steps(model.predict(X)), expected, rtol=1e-9)


def test_the_loss_of_several_outputs_is_in_their_units():
    y = np.column_stack([Y, 50 * Y**2, -1e-3 * Y])
    model = RNNRegressor(**ON | {"alpha": 0, "max_iter": 1, "learning_rate_init": 1e-300})
    model.fit(X, y)
    error = model.predict(X) - y
    assert model.loss_ == pytest.approx(np.mean(error**2) / 2, rel=1e-9)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("loss", WITH_UNITS)
def test_training_stops_where_it_does_in_other_units(loss, early_stopping):
    options = ON | {"max_iter": 200, "tol": 0.01, "n_iter_no_change": 2, "loss": loss}
    options |= {"early_stopping": early_stopping, "validation_fraction": 0.3}
    parameters = WITH_UNITS[loss]
    in_new_units = parameters | {k: C * v for k, v in parameters.items() if k == "delta"}
    model = RNNRegressor(**options, **parameters).fit(X, Y)
    other = RNNRegressor(**options, **in_new_units).fit(X, C * Y + D)
    assert 3 < model.n_iter_ == other.n_iter_ < 200


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_several_quantiles_of_several_outputs_have_the_units_of_y(solver, dtype):
    y = np.column_stack([Y, Y**2])
    factors, constants = np.array([250.0, 0.004]), np.array([-7000.0, 3.0])
    options = ON | {"loss": "quantile", "quantile": [0.1, 0.5, 0.9], "solver": solver}
    sequences = [x.astype(dtype) for x in X]
    validation = {"X_val": sequences[:9], "y_val": y[:9]}
    model = RNNRegressor(**options).fit(sequences, y, **validation)
    validation["y_val"] = y[:9] * factors + constants
    other = RNNRegressor(**options).fit(sequences, y * factors + constants, **validation)
    expected = model.predict(sequences) * factors[:, np.newaxis] + constants[:, np.newaxis]
    rtol = 1e-9 if dtype is np.float64 else 1e-4
    spread = factors[:, np.newaxis]
    assert_allclose(other.predict(sequences) / spread, expected / spread, rtol=rtol)
    assert_allclose(other.validation_scores_, model.validation_scores_, rtol=10 * rtol, atol=rtol)
    # The loss is in the units of y, too.
    for fitted, targets in ((model, y), (other, y * factors + constants)):
        predicted = fitted.predict(sequences[:9])
        losses = [
            mean_pinball_loss(targets[:9], predicted[:, :, k], alpha=q)
            for k, q in enumerate(options["quantile"])
        ]
        assert fitted.validation_loss_curve_[fitted.best_iteration_ - 1] == pytest.approx(
            np.mean(losses), rel=1e-5
        )


def test_a_callbacks_scorer_sees_predictions_in_their_units():
    y = C * Y + D
    scorer = get_scorer("neg_mean_absolute_error")
    model = RNNRegressor(**ON).set_callbacks(EarlyStopping(scorer, n_iter_no_change=9))
    model.fit(X, y, X_val=X[:9], y_val=y[:9])
    assert model.best_validation_score_ == pytest.approx(scorer(model, X[:9], y[:9]))
    assert abs(model.best_validation_score_) < 2 * C


@pytest.mark.parametrize("container", CONTAINERS)
def test_statistics_are_of_valid_timesteps(container):
    model = RNNRegressor(**ON).fit(CONTAINERS[container](X), Y)
    assert_allclose(model.X_mean_, all_steps(X).mean(axis=0), rtol=1e-12)
    assert_allclose(model.X_scale_, all_steps(X).std(axis=0), rtol=1e-12)


def test_a_table_has_one_feature():
    table = RNG.normal(5.0, 3.0, (N, 6))
    table[3, 4:] = np.nan
    model = RNNRegressor(**ON).fit(table, Y)
    assert_allclose(model.X_mean_, [np.nanmean(table)], rtol=1e-12)
    assert_allclose(model.X_scale_, [np.nanstd(table)], rtol=1e-12)


@pytest.mark.parametrize("Estimator", [RNNRegressor, RNNClassifier])
def test_integer_weights_are_repetitions_and_zero_is_absence(Estimator):
    y = Y if Estimator is RNNRegressor else LABELS
    weights = np.arange(N) % 3
    options = ON | {"batch_size": 3 * N, "shuffle": False}
    weighted = Estimator(**options).fit(X, y, sample_weight=weights)
    repeated = Estimator(**options).fit(
        [X[i] for i in np.repeat(range(N), weights)], np.repeat(y, weights)
    )
    assert_allclose(weighted.X_mean_, repeated.X_mean_, rtol=1e-12)
    assert_allclose(weighted.X_scale_, repeated.X_scale_, rtol=1e-12)
    for name, array in repeated.weights_.items():
        assert_allclose(weighted.weights_[name], array, rtol=0, atol=1e-8)


def test_held_out_samples_have_no_part_in_the_statistics():
    far = [*X[:-6], *(x + 1e6 for x in X[-6:])]
    y = np.append(Y[:-6], Y[-6:] + 1e6)
    options = ON | {"early_stopping": True, "shuffle": False, "validation_fraction": 0.25}
    model = RNNRegressor(**options).fit(far, y)
    assert_allclose(model.X_mean_, all_steps(X[:-6]).mean(axis=0), rtol=1e-12)
    assert_allclose(model.y_mean_, [Y[:-6].mean()], rtol=1e-12)


def test_constants():
    constant = [np.column_stack([x, np.full(len(x), 0.1 + 0.2)]) for x in X]
    constant[1][:, 2] = 0.3  # the same but for rounding
    model = RNNRegressor(**ON).fit(constant, np.full(N, 1e5))
    assert model.X_scale_[2] == 1
    assert model.y_scale_ == [1]
    assert_allclose(model.predict(constant), 1e5, rtol=1e-4)
    assert model.predict([np.array([[0.0, 0.0, 1e3]])]).shape == (1,)


def test_one_sample():
    model = RNNRegressor(**ON).fit([X[0]], [3.0])
    assert_allclose(model.predict([X[0]]), [3.0], atol=1.0)


def test_a_large_level_costs_no_precision_in_float32():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 64, (60, 8, 1)).astype(np.float32)  # exact at both levels
    y = X[:, -1, 0]
    options = ON | {"hidden_size": 8, "max_iter": 30}
    here, there = (RNNRegressor(**options).fit(X + level, y) for level in (0, 2.0**17))
    assert here.weights_["output.W_hy"].dtype == np.float32
    assert_allclose(there.predict(X + np.float32(2.0**17)), here.predict(X), atol=1e-3)


def test_partial_fit_keeps_the_statistics_of_the_first_call():
    model = RNNRegressor(**ON).partial_fit(X[:12], Y[:12])
    mean, scale = model.X_mean_, model.y_scale_
    model.partial_fit([x + 100 for x in X[12:]], Y[12:] * 100)
    assert_array_equal(model.X_mean_, mean)
    assert_array_equal(model.y_scale_, scale)


def test_a_warm_start_goes_on_in_the_same_units():
    model = RNNRegressor(**ON | {"max_iter": 2}, warm_start=True).fit(X, Y).fit(X, Y)
    assert_same_weights(model, RNNRegressor(**ON).fit(X, Y))


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_it_must_not_change_on_the_way(before, method):
    model = RNNRegressor(**FAST, standardize=before, warm_start=True).fit(X, Y)
    weights = pickle.dumps(dict(model.weights_))
    model.set_params(standardize=not before)
    with pytest.raises(ValueError, match=f"standardize={before}, or warm_start=False"):
        getattr(model, method)(X, Y)
    assert pickle.dumps(dict(model.weights_)) == weights


def test_a_checkpoint_goes_on_to_the_same_weights(tmp_path):
    options = ON | {"max_iter": 8, "early_stopping": True, "n_iter_no_change": 8}
    whole = RNNRegressor(**options).fit(X, Y)
    checkpoint = Checkpoint(tmp_path / "fit")
    model = RNNRegressor(**options).set_callbacks(checkpoint, TimeLimit(1e-6)).fit(X, Y)
    assert model.n_iter_ == 1
    assert_same_weights(model.set_callbacks(checkpoint).fit(X, Y), whole)
    assert_array_equal(model.predict(X), whole.predict(X))


def test_a_pickle_predicts_the_same():
    model = RNNRegressor(**ON).fit(X, C * Y + D)
    copy = pickle.loads(pickle.dumps(model))
    assert_array_equal(copy.predict(X), model.predict(X))
    assert_array_equal(copy.X_mean_, model.X_mean_)


def test_counts_keep_their_units():
    y = np.random.default_rng(0).poisson(3.0, N)
    model = RNNRegressor(loss="poisson", **ON).fit(X, y)
    assert model.y_mean_ is None
    assert (model.predict(X) > 0).all()


def test_statistics_that_overflow():
    with pytest.raises(ValueError, match="X has values so large that the variance of feature 1"):
        RNNRegressor(**ON).fit([x * [1, 1e200] for x in X], Y)
    with pytest.raises(ValueError, match="y has values so large that the variance of output 0"):
        RNNRegressor(**ON).fit(X, Y * 1e200)


def test_a_range_that_overflows_the_precision_of_x():
    far = [np.full(x.shape, -3e38 if i < 2 else 3e38, np.float32) for i, x in enumerate(X)]
    with pytest.raises(ValueError, match=r"The loss became infinite or NaN in epoch 1\. Lower"):
        RNNRegressor(**ON).fit(far, Y)


def test_without_it_there_are_no_statistics():
    model = RNNRegressor(**FAST, standardize=False).fit(X, Y)
    assert model.X_mean_ is model.X_scale_ is model.y_mean_ is model.y_scale_ is None


# Where training starts: the best constant, with and without units.


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("loss", [*(loss for loss in WITH_UNITS if loss != "gaussian"), "poisson"])
def test_a_regression_starts_at_the_best_constant(loss, standardize):
    rng = np.random.default_rng(3)
    y, weights = rng.gamma(2.0, 3.0, N), rng.integers(0, 3, N)
    parameters = WITH_UNITS.get(loss, {})
    model = RNNRegressor(loss=loss, **FAST | {"max_iter": 1, "learning_rate_init": 1e-300})
    model.set_params(standardize=standardize, **parameters).fit(X, y, sample_weight=weights)
    start = model.weights_["output.b_y"][0]
    if standardize and loss != "poisson":
        start = start * model.y_scale_[0] + model.y_mean_[0]

    def loss_at(constant):
        evaluate = LOSSES[loss].of(model).evaluate
        raw = np.full((1, N), constant)
        return evaluate(raw, y[np.newaxis], weights / weights.sum())[0]

    best = minimize_scalar(loss_at, bounds=(-5, 30), method="bounded", options={"xatol": 1e-9})
    assert loss_at(start) <= best.fun + 1e-9


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_a_classification_starts_at_the_priors(smoothing):
    y, weights = np.arange(N) % 3 == 0, np.linspace(0.5, 2, N)
    options = FAST | {"max_iter": 1, "learning_rate_init": 1e-300, "label_smoothing": smoothing}
    model = RNNClassifier(**options, class_weight={False: 1, True: 3}).fit(X, y, weights)
    weights = weights * np.where(y, 3, 1)
    priors = np.bincount(y, weights) / weights.sum()
    expected = np.log((1 - smoothing) * priors + smoothing / 2)
    assert_allclose(model.weights_["output.b_y"], expected, rtol=1e-9)


def test_a_class_that_is_still_to_come_starts_as_the_rarest():
    y = np.array(["a"] * 18 + ["b"] * 6)
    options = FAST | {"learning_rate_init": 1e-300}
    model = RNNClassifier(**options).partial_fit(X, y, classes=["a", "b", "c"])
    b_y = model.weights_["output.b_y"]
    assert b_y[1] == b_y[2] < b_y[0]


def test_several_labels_start_at_their_odds():
    y = np.column_stack([np.arange(N) % 4 == 0, np.zeros(N), np.ones(N)]).astype(int)
    model = RNNClassifier(**FAST | {"max_iter": 1, "learning_rate_init": 1e-300}).fit(X, y)
    assert_allclose(model.weights_["output.b_y"], np.log([1 / 3, 1 / 999, 999]), rtol=1e-9)


def test_clones_keep_the_parameter():
    assert clone(RNNRegressor(standardize=True)).standardize is True
