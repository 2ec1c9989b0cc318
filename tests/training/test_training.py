"""Epochs, updates, schedules and stopping, seen through what fit leaves behind."""

import itertools
import math
import warnings
from contextlib import contextmanager

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

import reference
from fits import TEXTBOOK, end_of
from sequences import ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn._training.data import TrainingData
from sklearn_rnn._training.minibatch import auto_batch_size

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FAST = {"hidden_size": 4, "max_iter": 5, "learning_rate_init": 0.02, "random_state": 0}
X = ragged(30, n_features=2, seed=0)
Y = np.random.default_rng(1).standard_normal(30)
LABELS = np.where(Y > 0.3, "up", "down")


def flat(weights):
    return np.concatenate([weights[name].ravel() for name in sorted(weights)])


@contextmanager
def convergence_warning_is_an_error():
    """That of max_iter, which this file ignores otherwise."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Training stopped at max_iter", ConvergenceWarning)
        yield


def gradient(weights, sequences, targets):
    """The gradient of the mean loss of a GRU with one output, by `reference`."""
    _, gradients, _ = reference.loss_and_gradients(
        weights, sequences, np.reshape(targets, (-1, 1)), cell="gru", loss="squared_error"
    )
    return flat(gradients)


def starting_weights(model, sequences, targets):
    """By a fit whose updates are far too small to matter."""
    start = clone(model).set_params(learning_rate_init=1e-300, max_iter=1)
    return dict(start.fit(sequences, targets).weights_)


# What comes back.


def test_attributes_of_a_regressor():
    model = RNNRegressor(n_layers=2, **FAST).fit(X, np.column_stack([Y, -Y, Y**2]))
    assert model.n_iter_ == 5
    assert len(model.loss_curve_) == 5
    assert all(type(loss) is float for loss in model.loss_curve_)
    assert model.loss_ == model.loss_curve_[-1]
    assert model.best_loss_ == min(model.loss_curve_)
    assert model.t_ == 5 * 30
    assert (model.n_features_in_, model.n_layers_, model.n_outputs_) == (2, 2, 3)
    assert model.validation_scores_ is None
    assert model.best_validation_score_ is None
    assert not hasattr(model, "classes_")


def test_attributes_of_a_classifier():
    model = RNNClassifier(**FAST).fit(X, np.arange(30) % 3 * 10)
    assert_array_equal(model.classes_, [0, 10, 20])
    assert model.n_outputs_ == 3
    binary = RNNClassifier(**FAST).fit(X, LABELS)
    assert_array_equal(binary.classes_, ["down", "up"])
    assert binary.n_outputs_ == 2
    multilabel = RNNClassifier(**FAST).fit(X, np.random.default_rng(0).integers(0, 2, (30, 4)))
    assert_array_equal(multilabel.classes_, [0, 1, 2, 3])
    assert multilabel.n_outputs_ == 4


def test_the_best_loss_need_not_be_the_last():
    model = RNNRegressor(**FAST | {"learning_rate_init": 0.5, "max_iter": 8, "batch_size": 3})
    model.fit(X, Y)
    assert model.best_loss_ == min(model.loss_curve_) < model.loss_


@pytest.mark.parametrize(("cell", "n_gates"), [("elman", 1), ("lstm", 4), ("gru", 3)])
def test_names_and_shapes_of_the_weights(cell, n_gates):
    model = RNNRegressor(cell=cell, n_layers=2, **FAST).fit(X, np.column_stack([Y, Y, Y]))
    H = 4
    expected = {"output.W_hy": (3, H), "output.b_y": (3,)}
    for k, n_inputs in enumerate([2, H]):
        expected |= {
            f"layer_{k}.W_xh": (n_gates * H, n_inputs),
            f"layer_{k}.W_hh": (n_gates * H, H),
            f"layer_{k}.b_h": (n_gates * H,),
        }
        if cell == "gru":
            expected[f"layer_{k}.b_hn"] = (H,)
    assert {name: array.shape for name, array in model.weights_.items()} == expected


def test_the_weights_are_read_only():
    model = RNNRegressor(**FAST, warm_start=True).fit(X, Y)
    weights = model.weights_
    for name, array in weights.items():
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
        with pytest.raises(TypeError):
            weights[name] = array
    with pytest.raises(TypeError):
        del weights["output.b_y"]
    before = flat(weights).copy()
    model.fit(X, Y)
    assert_array_equal(flat(weights), before)  # a record of then, not a view of now
    assert not np.array_equal(flat(model.weights_), before)


# Random numbers.


@pytest.mark.parametrize("options", [{}, {"early_stopping": True}, {"batch_size": 7}], ids=str)
@pytest.mark.parametrize("Estimator", [RNNRegressor, RNNClassifier])
def test_a_random_state_makes_fits_repeatable_to_the_bit(Estimator, options):
    y = Y if Estimator is RNNRegressor else LABELS
    model = Estimator(**FAST, **options)

    def weights(random_state):
        return flat(clone(model).set_params(random_state=random_state).fit(X, y).weights_)

    assert_array_equal(weights(3), weights(3))
    assert_array_equal(
        weights(np.random.RandomState(3)),
        weights(np.random.RandomState(3)),
    )
    assert not np.allclose(weights(3), weights(4))
    assert not np.allclose(weights(None), weights(None))

    # A RandomState goes on from fit to fit, as everywhere in scikit-learn; an int does not.
    model.set_params(random_state=np.random.RandomState(3))
    assert not np.allclose(flat(model.fit(X, y).weights_), flat(model.fit(X, y).weights_))
    model.set_params(random_state=3)
    assert_array_equal(flat(model.fit(X, y).weights_), flat(model.fit(X, y).weights_))


def global_state():
    kind, key, *rest = np.random.get_state()  # noqa: NPY002
    return kind, key.tolist(), *rest


@pytest.mark.parametrize("options", [{}, {"early_stopping": True}, {"solver": "lbfgs"}])
@pytest.mark.parametrize("random_state", [None, 0, "instance"])
def test_numpys_global_generator_is_used_once_and_only_without_a_seed(random_state, options):
    """As scikit-learn's glossary says: a seed at the top of a notebook makes all repeatable."""

    def fit():
        np.random.seed(0)  # noqa: NPY002
        seed = np.random.RandomState(5) if random_state == "instance" else random_state
        return RNNClassifier(**FAST | {"random_state": seed} | options, warm_start=True).fit(
            X, LABELS
        )

    np.random.seed(0)  # noqa: NPY002
    if random_state is None:
        np.random.randint(np.iinfo(np.int32).max)  # noqa: NPY002
    expected = global_state()
    one = fit()
    assert global_state() == expected
    assert_array_equal(flat(one.weights_), flat(fit().weights_))
    one.predict_proba(X)
    one.score(X, LABELS)
    one.fit(X, LABELS)  # goes on, with the generator it has
    assert global_state() == expected
    if random_state is None:
        other = RNNClassifier(**FAST | {"random_state": None} | options).fit(X, LABELS)
        assert not np.array_equal(flat(one.weights_), flat(other.weights_))


# Batches.


@pytest.fixture
def batches(monkeypatch):
    """The numbers of the samples in each batch, in the order of training."""
    taken = []
    original = TrainingData.segments

    def segments(self, chosen, n_steps):
        taken.append(chosen.tolist())
        return original(self, chosen, n_steps)

    monkeypatch.setattr(TrainingData, "segments", segments)
    return taken


def test_without_shuffling_the_samples_come_in_order():
    """Every update is the reference's gradient at the samples whose turn it is."""
    model = RNNRegressor(**FAST | TEXTBOOK | {"batch_size": 10, "shuffle": False, "max_iter": 1})
    weights = starting_weights(model, X, Y)
    for first in (0, 10, 20):
        part = slice(first, first + 10)
        _, gradients, _ = reference.loss_and_gradients(
            weights, X[part], Y[part, np.newaxis], cell="gru", loss="squared_error"
        )
        weights = {name: array - 0.02 * gradients[name] for name, array in weights.items()}
    assert_allclose(flat(model.fit(X, Y).weights_), flat(weights), rtol=0, atol=1e-12)
    model.set_params(shuffle=True).fit(X, Y)
    assert np.abs(flat(model.weights_) - flat(weights)).max() > 1e-6


def test_shuffling_takes_each_sample_once_an_epoch_in_a_new_order(batches):
    RNNRegressor(**FAST | {"batch_size": 7}).fit(X, Y)
    assert [len(batch) for batch in batches] == 5 * [7, 7, 7, 7, 2]
    epochs = [list(itertools.chain(*batches[i : i + 5])) for i in range(0, 25, 5)]
    for epoch in epochs:
        assert sorted(epoch) == list(range(30))
    assert len(set(map(tuple, epochs))) == 5


@pytest.mark.parametrize(
    ("batch_size", "sizes"),
    [("auto", [29] * 7 + [27]), (230, [230]), (10_000, [230]), (100, [100, 100, 30])],
)
def test_batch_sizes(batches, batch_size, sizes):
    rng = np.random.default_rng(0)
    options = {"batch_size": batch_size, "max_iter": 1, "early_stopping": False}
    RNNRegressor(**FAST | options).fit(rng.standard_normal((230, 2, 1)), rng.standard_normal(230))
    assert [len(batch) for batch in batches] == sizes


@pytest.mark.parametrize(
    ("n", "size"),
    [(1, 1), (30, 30), (32, 32), (36, 18), (3200, 32), (5001, 50), (25_000, 200), (10**6, 200)],
)
def test_automatic_batches_share_the_samples(n, size):
    assert auto_batch_size(n) == size


# Steps: of sgd without momentum the length of a step is the rate times that of the gradient.


def test_invscaling_divides_the_rate_by_a_power_of_the_updates_number():
    model = RNNRegressor(
        **FAST | TEXTBOOK, learning_rate="invscaling", power_t=0.7, shuffle=False
    ).set_params(batch_size=15, learning_rate_init=0.3)
    weights = dict(
        clone(model).set_params(learning_rate_init=1e-300, max_iter=1).fit(X, Y).weights_
    )
    for update in range(1, 7):  # two an epoch
        part = slice(0, 15) if update % 2 else slice(15, 30)
        _, gradients, _ = reference.loss_and_gradients(
            weights, X[part], Y[part, np.newaxis], cell="gru", loss="squared_error"
        )
        rate = 0.3 / update**0.7
        weights = {name: array - rate * gradients[name] for name, array in weights.items()}
    model.set_params(max_iter=3).fit(X, Y)
    assert_allclose(flat(model.weights_), flat(weights), rtol=0, atol=1e-12)


def test_adaptive_halves_the_rate_instead_of_stopping():
    """With a tol that no epoch meets, the rate is halved every n_iter_no_change + 1 epochs."""
    model = RNNRegressor(**FAST | TEXTBOOK, learning_rate="adaptive", tol=1e9, n_iter_no_change=2)
    rates = []
    before = starting_weights(model, X, Y)
    model.set_params(warm_start=True, max_iter=1)
    for _ in range(11):
        after = model.fit(X, Y).weights_
        slope = gradient(before, X, Y)
        step = flat(before) - flat(after)
        rates.append(np.linalg.norm(step) / np.linalg.norm(slope))
        assert_allclose(step, rates[-1] * slope, rtol=0, atol=1e-12)
        before = after
    # The first epoch always improves on nothing; then three without improvement for each rate.
    expected = [0.02] * 4 + [0.01] * 3 + [0.005] * 3 + [0.0025]
    assert_allclose(rates, expected, rtol=1e-9)
    assert model.learning_rates_ == expected


SCHEDULED = {
    "constant": lambda update, n: 1.0,
    "invscaling": lambda update, n: update**-0.7,
    "cosine": lambda update, n: (1 + math.cos(math.pi * (update - 1) / n)) / 2,
}


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("schedule", SCHEDULED)
def test_the_learning_rate_of_each_epochs_last_update(schedule, early_stopping):
    """Of 30 samples, or 24, in batches of 7: five updates an epoch, or four."""
    model = RNNRegressor(
        **FAST | {"batch_size": 7, "power_t": 0.7},
        learning_rate=schedule,
        early_stopping=early_stopping,
        validation_fraction=0.2,
    ).fit(X, Y)
    n = 4 if early_stopping else 5
    rates = [0.02 * SCHEDULED[schedule](epoch * n, 5 * n) for epoch in range(1, 6)]
    assert model.learning_rates_ == pytest.approx(rates, rel=1e-12)
    assert all(type(rate) is float for rate in model.learning_rates_)


def test_a_cycle_takes_its_steps():
    """Up from a 25th of the rate and down again, by the reference's gradient at every step."""
    model = RNNRegressor(**FAST | TEXTBOOK | {"max_iter": 10}, learning_rate="one_cycle")
    weights = starting_weights(model, X, Y)
    halves = [0.0, 0.5, 1.0]  # of the way up, along half a cosine, in three of ten updates
    rates = [0.02 / 25 + (0.02 - 0.02 / 25) * half for half in halves]
    low = 0.02 / 25e4
    rates += [low + (0.02 - low) * (1 + math.cos(math.pi * k / 7)) / 2 for k in range(1, 8)]
    for rate in rates:
        _, gradients, _ = reference.loss_and_gradients(
            weights, X, Y[:, np.newaxis], cell="gru", loss="squared_error"
        )
        weights = {name: array - rate * gradients[name] for name, array in weights.items()}
    model.fit(X, Y)
    assert model.learning_rates_ == pytest.approx(rates, rel=1e-9)
    assert_allclose(flat(model.weights_), flat(weights), rtol=0, atol=1e-12)


def test_adaptive_ends_when_the_rate_has_become_tiny():
    model = RNNRegressor(
        **FAST | TEXTBOOK | {"max_iter": 100, "learning_rate_init": 4e-6},
        learning_rate="adaptive",
        tol=1e9,
        n_iter_no_change=1,
    )
    with convergence_warning_is_an_error():
        model.fit(X, Y)
    assert model.n_iter_ == 1 + 2 + 2 + 2  # 4e-6, 2e-6, 1e-6, and what follows is below 1e-6


@pytest.mark.parametrize("scale", [1, 100])
def test_a_gradient_longer_than_max_grad_norm_is_shortened_to_it(scale):
    model = RNNRegressor(**FAST | TEXTBOOK | {"max_iter": 1})
    start = starting_weights(model, X, scale * Y)
    slope = gradient(start, X, scale * Y)
    norm = np.linalg.norm(slope)
    for max_norm, expected in [(0.5 * norm, slope / 2), (2 * norm, slope), (None, slope)]:
        model.set_params(max_grad_norm=max_norm).fit(X, scale * Y)
        assert_allclose(
            flat(start) - flat(model.weights_), 0.02 * expected, rtol=0, atol=1e-12 * scale
        )


def test_no_entry_of_the_gradient_exceeds_max_grad_value():
    model = RNNRegressor(**FAST | TEXTBOOK | {"max_iter": 1})
    start = starting_weights(model, X, Y)
    slope = gradient(start, X, Y)
    limit = np.median(np.abs(slope))
    clipped = np.clip(slope, -limit, limit)
    model.set_params(max_grad_value=limit).fit(X, Y)
    assert_allclose(flat(start) - flat(model.weights_), 0.02 * clipped, rtol=0, atol=1e-12)
    # Value first, then norm.
    model.set_params(max_grad_norm=limit).fit(X, Y)
    expected = clipped * limit / np.linalg.norm(clipped)
    assert_allclose(flat(start) - flat(model.weights_), 0.02 * expected, rtol=0, atol=1e-12)


# When to stop.


@pytest.mark.parametrize("n_iter_no_change", [1, 4])
def test_training_stops_after_epochs_without_improvement(n_iter_no_change):
    options = FAST | {"max_iter": 50, "n_iter_no_change": n_iter_no_change}
    for early_stopping in (False, True):
        model = RNNRegressor(**options, tol=1e9, early_stopping=early_stopping)
        with convergence_warning_is_an_error():
            model.fit(X, Y)
        assert model.n_iter_ == 1 + n_iter_no_change + 1
        model.set_params(max_iter=model.n_iter_)  # it may happen in the last epoch allowed
        with convergence_warning_is_an_error():
            model.fit(X, Y)


def test_tol_is_what_the_loss_has_to_fall_by():
    options = FAST | {"max_iter": 1000, "tol": 0.003, "n_iter_no_change": 3}
    model = RNNRegressor(**options, standardize=False).fit(X, Y)
    assert 5 < model.n_iter_ < 1000
    assert model.n_iter_ == end_of(model.loss_curve_, 0.003, 3)


def test_max_iter_warns_and_names_it():
    with pytest.warns(ConvergenceWarning, match="max_iter=5") as caught:
        RNNRegressor(**FAST).fit(X, Y)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_a_convergence_warning_made_an_error_leaves_a_fitted_estimator():
    model = RNNRegressor(**FAST)
    with convergence_warning_is_an_error(), pytest.raises(ConvergenceWarning):
        model.fit(X, Y)
    assert model.predict(X).shape == (30,)


def test_partial_fit_has_nothing_to_warn_of():
    with convergence_warning_is_an_error():
        RNNRegressor(**FAST).partial_fit(X, Y)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_verbose_prints_a_line_an_epoch(capsys, early_stopping):
    options = FAST | {"early_stopping": early_stopping}
    RNNRegressor(**options).fit(X, Y)
    assert capsys.readouterr() == ("", "")
    model = RNNRegressor(**options, verbose=1).fit(X, Y)
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert err == ""
    assert len(lines) == model.n_iter_ == 5
    for epoch, (line, loss) in enumerate(zip(lines, model.loss_curve_, strict=True), start=1):
        assert line.startswith(f"Epoch {epoch}: loss {loss:.6g}")
        assert ("validation loss" in line) == ("validation score" in line) == early_stopping
    model.set_params(warm_start=True, max_iter=1).fit(X, Y)
    assert capsys.readouterr().out.startswith("Epoch 6:")


@pytest.mark.parametrize(
    ("solver", "name", "value"),
    [
        ("adam", "learning_rate_init", 0.01),
        ("adam", "beta_1", 0.9),
        ("adam", "beta_2", 0.999),
        ("adam", "max_grad_norm", 0.1),
        ("rmsprop", "rho", 0.9),
        ("rmsprop", "epsilon", 1e-3),
        ("sgd", "learning_rate_init", 0.01),
        ("sgd", "momentum", 0.9),
    ],
)
def test_a_numpy_number_is_as_good_as_pythons(solver, name, value):
    """As np.logspace puts them into a grid search, whose best ones are then typed in."""
    model = RNNRegressor(**FAST, solver=solver).set_params(**{name: value})
    single = [x.astype(np.float32) for x in X]
    expected = flat(model.fit(single, Y).weights_)
    model.set_params(**{name: np.float64(value)})
    assert_array_equal(flat(model.fit(single, Y).weights_), expected)
