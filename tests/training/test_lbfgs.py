"""The solver lbfgs: a full-batch minimizer among solvers that go by epochs."""

import math
import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import OptimizeResult, minimize
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

import reference
from sequences import ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn._training import lbfgs
from sklearn_rnn._training.objective import Objective
from sklearn_rnn.callbacks import Checkpoint

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FAST = {
    "standardize": False,
    "hidden_size": 3,
    "solver": "lbfgs",
    "max_iter": 20,
    "random_state": 0,
}
X = ragged(20, n_features=2, seed=0)
Y = np.random.default_rng(1).standard_normal(20)
LABELS = np.where(Y > 0.3, "up", "down")
BOTH = pytest.mark.parametrize(
    ("Estimator", "y"),
    [(RNNRegressor, Y), (RNNClassifier, LABELS)],
    ids=["regressor", "classifier"],
)


def flat(weights):
    return np.concatenate([weights[name].ravel() for name in sorted(weights)])


def starting_weights(model, X, y):
    """By a solver that takes steps far too small to matter."""
    start = clone(model).set_params(solver="sgd", learning_rate_init=1e-300, max_iter=1)
    return dict(start.fit(X, y).weights_)


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
def test_it_goes_lower_than_adam_on_a_small_set(cell):
    """The next value of a noisy wave, from 110 samples of the ten before, in 300 turns."""
    wave = np.sin(np.arange(120) / 3) + 0.1 * np.random.default_rng(0).standard_normal(120)
    windows = np.lib.stride_tricks.sliding_window_view(wave, 11)
    options = {"cell": cell, "hidden_size": 8, "random_state": 0, "max_iter": 300, "tol": 1e-5}
    model = RNNRegressor(solver="lbfgs", **options)
    loss = model.fit(windows[:, :10], windows[:, 10]).loss_
    for rate in (0.001, 0.01, 0.03):
        adam = RNNRegressor(learning_rate_init=rate, early_stopping=False, **options)
        adam.set_params(n_iter_no_change=300, batch_size=110)
        assert loss < 0.95 * adam.fit(windows[:, :10], windows[:, 10]).best_loss_


def test_it_takes_the_way_of_scipys_on_the_reference():
    model = RNNRegressor(alpha=0.3, **FAST)
    start = starting_weights(model, X, Y)
    shapes = {name: start[name].shape for name in sorted(start)}
    sizes = np.cumsum([math.prod(shape) for shape in shapes.values()])[:-1]
    way = []

    def loss_and_gradient(theta):
        arrays = zip(shapes.items(), np.split(theta, sizes), strict=True)
        weights = {name: array.reshape(shape) for (name, shape), array in arrays}
        loss, gradients, _ = reference.loss_and_gradients(
            weights, X, Y[:, np.newaxis], cell="gru", loss="squared_error", alpha=0.3
        )
        return loss, flat(gradients)

    result = minimize(
        loss_and_gradient,
        flat(start),
        jac=True,
        method="L-BFGS-B",
        callback=lambda intermediate_result: way.append(intermediate_result.fun),
        options={"maxiter": 20, "gtol": 1e-4},
    )
    model.fit(X, Y)
    assert len(way) == 20
    assert_allclose(model.loss_curve_, way, rtol=1e-7)
    assert_allclose(flat(model.weights_), result.x, rtol=0, atol=1e-5)
    assert model.loss_ == pytest.approx(loss_and_gradient(flat(model.weights_))[0], rel=1e-12)


@BOTH
def test_attributes(Estimator, y):
    model = Estimator(**FAST).fit(X, y)
    assert model.n_iter_ == len(model.loss_curve_) == 20
    assert model.loss_curve_ == sorted(model.loss_curve_, reverse=True)
    assert model.loss_ == model.best_loss_ == model.loss_curve_[-1]
    assert all(type(loss) is float for loss in model.loss_curve_)
    assert model.learning_rates_ == []
    assert model.validation_scores_ is None
    assert model.t_ % 20 == 0
    assert model.t_ >= 20 * 20
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(X), model.predict(X))
    assert_array_equal(flat(clone(model).fit(X, y).weights_), flat(model.weights_))


def test_tol_is_the_largest_entry_of_the_gradient():
    model = RNNRegressor(**FAST | {"max_iter": 1000, "tol": 0.01})
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model.fit(X, Y)
    _, gradients, _ = reference.loss_and_gradients(
        model.weights_, X, Y[:, np.newaxis], cell="gru", loss="squared_error", alpha=1e-4
    )
    assert 0.001 < np.abs(flat(gradients)).max() <= 0.01
    more = clone(model).set_params(tol=0.001).fit(X, Y)
    assert more.n_iter_ > model.n_iter_
    assert more.loss_curve_[: model.n_iter_] == model.loss_curve_


def test_max_iter_warns_of_iterations():
    with pytest.warns(ConvergenceWarning, match="lbfgs stopped at max_iter=20 iter") as caught:
        RNNRegressor(**FAST).fit(X, Y)
    assert [warning.filename for warning in caught] == [__file__]


def test_being_stuck_is_told(monkeypatch):
    def stuck(*args, **options):
        return OptimizeResult(minimize(*args, **options), status=2)

    monkeypatch.setattr(lbfgs, "minimize", stuck)
    with pytest.warns(ConvergenceWarning, match="stuck after n_iter_=20 iterations"):
        RNNRegressor(**FAST).fit(X, Y)


def test_a_start_at_the_minimum():
    """There is nothing to do, and a loss all the same."""
    model = RNNRegressor(**FAST | {"tol": 1e9}).fit(X, Y)
    assert_allclose(flat(model.weights_), flat(starting_weights(model, X, Y)), atol=1e-200)
    assert model.n_iter_ == 1
    assert math.isfinite(model.loss_)


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 3},
        {"shuffle": False},
        {"learning_rate": "one_cycle", "learning_rate_init": 10.0, "power_t": 2.0},
        {"momentum": 0.1, "nesterovs_momentum": False},
        {"beta_1": 0.1, "beta_2": 0.1, "epsilon": 1.0, "rho": 0.1},
        {"max_grad_norm": 1e-3, "max_grad_value": 1e-3},
        {"n_iter_no_change": 1, "validation_fraction": 0.9},
    ],
    ids=str,
)
def test_parameters_that_are_not_its_own_change_nothing(options):
    plain = RNNRegressor(**FAST).fit(X, Y)
    model = RNNRegressor(**FAST, **options).fit(X, Y)
    assert model.loss_curve_ == plain.loss_curve_
    assert_array_equal(flat(model.weights_), flat(plain.weights_))


@BOTH
def test_float32_is_worked_on_in_float64_and_rounded_at_the_end(Estimator, y, monkeypatch):
    dtypes = set()
    original = Objective.evaluate

    def evaluate(self, segment):
        batch, targets = segment.batch, segment.targets
        dtypes.update({self.network.dtype, batch.dtype, self.gradients.vector.dtype})
        dtypes.update({targets.dtype} if targets.dtype.kind == "f" else ())
        return original(self, segment)

    monkeypatch.setattr(Objective, "evaluate", evaluate)
    single = [x.astype(np.float32) for x in X]
    model = Estimator(**FAST).fit(single, y)
    assert dtypes == {np.dtype(np.float64)}
    assert model.weights_["output.b_y"].dtype == np.float32
    assert model.predict(single).dtype == (np.float32 if Estimator is RNNRegressor else "<U4")
    assert_allclose(Estimator(**FAST).fit(X, y).loss_curve_[:5], model.loss_curve_[:5], rtol=1e-5)


@pytest.mark.parametrize(
    "parameters",
    [
        {"loss": "huber", "delta": 0.2},
        {"loss": "absolute_error"},
        {"loss": "quantile", "quantile": 0.8},
        {"loss": "quantile", "quantile": [0.2, 0.8]},
        {"loss": "gaussian"},
        {"loss": "poisson"},
    ],
    ids=str,
)
def test_other_losses(parameters):
    y = np.random.default_rng(0).poisson(3.0, 20)
    model = RNNRegressor(**FAST, **parameters).fit(X, y)
    assert model.loss_ < model.loss_curve_[0]
    adam = clone(model).set_params(solver="adam", max_iter=1).fit(X, y)
    assert model.loss_ < 0.9 * adam.loss_


@BOTH
def test_warm_start_goes_on_from_the_weights(Estimator, y):
    model = Estimator(**FAST, warm_start=True).fit(X, y)
    first, t = list(model.loss_curve_), model.t_
    model.fit(X, y)
    assert model.loss_curve_[:20] == first
    assert 20 < len(model.loss_curve_) == model.n_iter_
    assert model.loss_ < first[-1]
    assert model.t_ > t

    # With another solver too, and back.
    model.set_params(solver="adam", learning_rate_init=1e-9, max_iter=1).fit(X, y)
    assert model.loss_ == pytest.approx(model.loss_curve_[-2], rel=1e-6)
    assert len(model.learning_rates_) == 1
    n_iter = model.n_iter_
    model.set_params(solver="lbfgs", max_iter=20).fit(X, y)
    assert model.n_iter_ > n_iter
    assert model.loss_ <= model.loss_curve_[n_iter - 1]


def test_what_it_found_goes_on_after_an_early_stopping():
    """A later fit starts from its weights, not from the weights of the fit before it."""
    model = RNNRegressor(**FAST | {"solver": "adam"}, early_stopping=True, warm_start=True)
    model.fit(X, Y).set_params(solver="lbfgs", early_stopping=False).fit(X, Y)
    found = flat(model.weights_).copy()
    model.set_params(
        solver="adam", early_stopping=True, learning_rate_init=1e-9, max_iter=1, tol=0
    ).fit(X, Y)
    assert_allclose(flat(model.weights_), found, rtol=0, atol=1e-6)


@pytest.fixture
def bounds(monkeypatch):
    """Let the loss be infinite farther than this from the first parameters."""
    seen = []
    original = Objective.evaluate

    def set_bounds(radius):
        def evaluate(self, *batch):
            evaluation = original(self, *batch)
            theta = self.network.parameters.vector
            seen.append(theta.copy())
            is_within = np.linalg.norm(theta - seen[0]) <= radius
            return evaluation if is_within else evaluation._replace(value=math.inf)

        monkeypatch.setattr(Objective, "evaluate", evaluate)
        return seen

    return set_bounds


def test_a_step_too_far_is_taken_back(bounds):
    seen = bounds(0.9)
    model = RNNRegressor(**FAST).fit(X, Y)
    assert np.linalg.norm(seen[2] - seen[0]) > 0.9  # the first step has length 1
    assert model.n_iter_ > 3
    assert model.loss_ < model.loss_curve_[0] < RNNRegressor(**FAST | {"tol": 1e9}).fit(X, Y).loss_
    assert np.isfinite(model.loss_curve_).all()


def test_there_is_nowhere_to_go(bounds):
    seen = bounds(0.0)
    model = RNNRegressor(**FAST).fit(X, Y)
    assert len(seen) > 3
    assert math.isfinite(model.loss_)
    assert_allclose(flat(model.weights_), flat(starting_weights(model, X, Y)), atol=1e-200)


def test_numbers_so_large_that_the_solver_itself_overflows():
    """It takes parameters that are no numbers then; nobody else shall."""
    rng = np.random.default_rng(0)
    sequences = 100 * rng.standard_normal((20, 5, 2))
    model = RNNRegressor(cell="elman", activation="identity", loss="poisson", **FAST)
    with pytest.raises(ValueError, match="The loss became infinite or NaN"):
        model.fit(sequences, rng.poisson(5.0, 20))
    assert vars(model) == model.get_params()


def test_a_loss_that_is_infinite_from_the_start():
    model = RNNRegressor(**FAST)
    with pytest.raises(ValueError, match="The loss became infinite or NaN in epoch 1"):
        model.fit(X, Y * 1e200)
    assert vars(model) == model.get_params()


@BOTH
def test_verbose_prints_a_line_per_iteration(capsys, Estimator, y):
    model = Estimator(**FAST, verbose=1).fit(X, y)
    out, err = capsys.readouterr()
    assert err == ""
    lines = zip(out.splitlines(), model.loss_curve_, strict=True)
    for number, (line, loss) in enumerate(lines, start=1):
        assert line.startswith(f"Iteration {number}: loss {loss:.6g} (")


def test_an_interrupt_keeps_what_was_found(monkeypatch):
    five = RNNRegressor(**FAST | {"max_iter": 5}).fit(X, Y)
    calls = iter(range(1, 1000))
    original = Objective.evaluate

    def evaluate(self, *batch):
        if next(calls) > five.t_ // 20 + 1:
            raise KeyboardInterrupt
        return original(self, *batch)

    monkeypatch.setattr(Objective, "evaluate", evaluate)
    model = RNNRegressor(**FAST)
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, Y)
    assert model.loss_curve_ == five.loss_curve_
    assert_array_equal(flat(model.weights_), flat(five.weights_))


@BOTH
def test_partial_fit_is_not_available(Estimator, y):
    model = Estimator(**FAST)
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit"):
        model.partial_fit(X, y)
    assert hasattr(model.set_params(solver="adam"), "partial_fit")


@pytest.mark.parametrize("given", [False, True], ids=["held out", "X_val"])
@BOTH
def test_early_stopping(Estimator, y, given):
    """By the score of the last samples; the weights that scored best are kept."""
    options = FAST | {"max_iter": 100, "n_iter_no_change": 5, "tol": 1e-4, "alpha": 0}
    options |= {"early_stopping": True, "shuffle": False, "validation_fraction": 0.25}
    model = Estimator(**options)
    if given:
        model.fit(X[:15], y[:15], X_val=X[15:], y_val=y[15:])
    else:
        model.fit(X, y)
    scores = model.validation_scores_
    assert len(scores) == len(model.loss_curve_) == model.n_iter_ < 100
    assert model.score(X[15:], y[15:]) == pytest.approx(max(scores), rel=1e-12)
    n_best = scores.index(max(scores)) + 1
    assert model.n_iter_ == n_best + 6
    same = Estimator(**FAST | {"max_iter": n_best, "alpha": 0}).fit(X[:15], y[:15])
    assert model.loss_curve_[:n_best] == same.loss_curve_
    assert_array_equal(flat(model.weights_), flat(same.weights_))


def test_validation_data_without_early_stopping_are_scored():
    plain = RNNRegressor(**FAST).fit(X[:15], Y[:15])
    model = RNNRegressor(**FAST).fit(X[:15], Y[:15], X_val=X[15:], y_val=Y[15:])
    assert model.loss_curve_ == plain.loss_curve_
    assert len(model.validation_scores_) == 20
    assert model.validation_scores_[-1] == pytest.approx(model.score(X[15:], Y[15:]), rel=1e-12)


class Recorder:
    """A callback of scikit-learn's protocol that may stop the fit after some iterations."""

    def __init__(self, stop_after=1000):
        self.stop_after = stop_after
        self.events, self.losses = [], []

    def setup(self, estimator, context):
        self.events.append("setup")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(f"{context.task_name} begins")

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.events.append(f"{context.task_name} ends")
        if context.task_name == "epoch":
            self.losses.append(fitted_estimator.loss_)
        return len(self.losses) >= self.stop_after

    def teardown(self, estimator, context):
        self.events.append("teardown")


def test_callbacks_are_told_of_iterations():
    plain = RNNRegressor(**FAST).fit(X, Y)
    recorder = Recorder(stop_after=7)
    model = RNNRegressor(**FAST)
    model.set_callbacks(recorder)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model.fit(X, Y)
    assert model.loss_curve_ == plain.loss_curve_[:7] == recorder.losses
    epochs = [event for event in recorder.events if event.startswith("epoch")]
    assert epochs == ["epoch begins", "epoch ends"] * 7


@pytest.mark.parametrize("n", [7, 20])
def test_it_goes_on_from_a_checkpoint(tmp_path, n):
    """From the weights, for as many iterations as are left."""
    checkpoint = Checkpoint(tmp_path / "fit.checkpoint")
    cut_short = RNNRegressor(**FAST).set_callbacks(Recorder(stop_after=n), checkpoint)
    cut_short.fit(X, Y)
    model = RNNRegressor(**FAST).set_callbacks(checkpoint).fit(X, Y)
    assert model.loss_curve_[:n] == cut_short.loss_curve_
    assert model.n_iter_ == len(model.loss_curve_) == 20
    assert model.loss_ < cut_short.loss_ or n == 20


def test_no_warning_of_steps_that_are_not_clipped():
    with pytest.warns(ConvergenceWarning) as caught:
        RNNRegressor(**FAST | {"max_iter": 30}, max_grad_norm=1e-6).fit(X, Y)
    assert len(caught) == 1
    assert "lbfgs stopped at max_iter=30" in str(caught[0].message)


def test_going_on_by_epochs_forgets_how_small_the_steps_were():
    model = RNNRegressor(**FAST | {"max_iter": 60, "tol": 1e-3}, warm_start=True).fit(X, Y)
    model.set_params(solver="adam", max_iter=8, learning_rate_init=1e-9).fit(X, Y)
    assert len(model.learning_rates_) == 8
