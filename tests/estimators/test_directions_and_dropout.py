"""What `bidirectional`, `dropout` and `recurrent_dropout` mean to the user of an estimator."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

import reference
from fits import assert_same_weights
from sequences import padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.core.cells import CELLS
from sklearn_rnn.core.dropout import Dropout

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FAST = {"standardize": False, "hidden_size": 4, "max_iter": 3, "batch_size": 5, "random_state": 0}

per_step = pytest.mark.parametrize("return_sequences", [False, True], ids=["last", "all"])
kinds = pytest.mark.parametrize("kind", ["dropout", "recurrent_dropout"])
cells = pytest.mark.parametrize("cell", CELLS)


def data(return_sequences, n=14):
    X = ragged(n)
    return X, [x[:, 0] for x in X] if return_sequences else [x[0, 0] for x in X]


@cells
@per_step
def test_both_directions_padded_ragged_and_one_by_one(cell, return_sequences):
    X, y = data(return_sequences)
    model = RNNRegressor(
        cell=cell, n_layers=2, bidirectional=True, return_sequences=return_sequences, **FAST
    ).fit(X, y)
    together, of_padded = model.predict(X), model.predict(padded(X))
    options = {"cell": cell, "return_sequences": return_sequences}
    expected = reference.forward(model.weights_, X, **options)
    for i, x in enumerate(X):
        alone = model.predict([x])[0]
        assert_allclose(alone, together[i], rtol=0, atol=1e-12)
        assert_allclose(alone, np.ravel(expected[i])[()], rtol=0, atol=1e-12)
        valid = of_padded[i, : len(x)] if return_sequences else of_padded[i]
        assert_allclose(valid, together[i], rtol=0, atol=1e-12)
        assert not return_sequences or np.isnan(of_padded[i, len(x) :]).all()


def test_labels_that_only_the_future_tells():
    """Is the next timestep's input positive? Only the reverse direction has seen it."""
    X = [np.random.default_rng(i).standard_normal((8, 1)) for i in range(60)]
    y = [np.roll(x[:, 0] > 0, -1) for x in X]
    for labels in y:
        labels[-1] = False
    options = {
        "hidden_size": 8,
        "learning_rate_init": 0.02,
        "max_iter": 60,
        "return_sequences": True,
        "random_state": 0,
    }
    one_way = RNNClassifier(**options).fit(X[:40], y[:40]).score(X[40:], y[40:])
    both_ways = RNNClassifier(bidirectional=True, **options).fit(X[:40], y[:40])
    assert one_way < 0.7
    assert both_ways.score(X[40:], y[40:]) > 0.9


@pytest.mark.parametrize("estimator_class", [RNNRegressor, RNNClassifier])
def test_pickling(estimator_class):
    X = ragged(12)
    y = np.arange(12) % 2
    model = estimator_class(
        bidirectional=True, dropout=0.3, recurrent_dropout=0.3, n_layers=2, **FAST
    ).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(X), model.predict(X))
    assert_same_weights(again, model)
    assert "layer_1.reverse.W_xh" in again.weights_


@kinds
@per_step
@pytest.mark.parametrize("bidirectional", [False, True])
def test_dropout_is_repeatable_and_does_something(kind, return_sequences, bidirectional):
    X, y = data(return_sequences)
    model = RNNRegressor(
        return_sequences=return_sequences, bidirectional=bidirectional, **{kind: 0.4}, **FAST
    )
    one, other = clone(model).fit(X, y), clone(model).fit(X, y)
    assert_same_weights(one, other)
    assert one.loss_curve_ == other.loss_curve_
    without = clone(model).set_params(**{kind: 0.0}).fit(X, y)
    assert one.loss_curve_ != without.loss_curve_


@kinds
@per_step
def test_predictions_are_those_of_all_units(kind, return_sequences):
    X, y = data(return_sequences)
    model = RNNRegressor(return_sequences=return_sequences, n_layers=2, **{kind: 0.5}, **FAST)
    model.fit(X, y)
    expected = reference.forward(model.weights_, X, cell="gru", return_sequences=return_sequences)
    for raw, prediction in zip(expected, model.predict(X), strict=True):
        assert_allclose(prediction, np.ravel(raw)[()], rtol=0, atol=1e-12)
    for once, again in zip(model.predict(X), model.predict(X), strict=True):
        assert_array_equal(once, again)


@kinds
def test_validation_is_that_of_all_units(kind):
    X, y = data(False, n=20)
    model = RNNRegressor(
        early_stopping=True, validation_fraction=0.3, shuffle=False, **{kind: 0.5}, **FAST
    ).fit(X, y)
    assert model.best_validation_score_ == pytest.approx(model.score(X[-6:], y[-6:]), rel=1e-12)


@kinds
def test_without_dropout_nothing_is_drawn(kind, monkeypatch):
    X, y = data(False)
    model = RNNRegressor(**{kind: 0.0}, **FAST)
    expected = clone(model).fit(X, y)
    monkeypatch.setattr(Dropout, "mask", None)
    assert_same_weights(clone(model).fit(X, y), expected)
    with pytest.raises(TypeError, match="callable"):
        model.set_params(**{kind: 0.1}).fit(X, y)


@kinds
def test_going_on_draws_on(kind):
    X, y = data(False)
    model = RNNRegressor(**{kind: 0.4}, **FAST)
    at_once = clone(model).set_params(max_iter=6).fit(X, y)
    in_two = clone(model).set_params(warm_start=True).fit(X, y).fit(X, y)
    assert_same_weights(in_two, at_once)


def test_the_loss_is_that_with_dropout():
    """With inverted scaling the mean output stays, and dropout adds variance to it."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((500, 4, 1)), np.zeros(500)
    still = {
        "standardize": False,
        "hidden_size": 16,
        "early_stopping": False,
        "max_iter": 1,
        "learning_rate_init": 1e-300,
        "random_state": 0,
    }
    plain = RNNRegressor(alpha=0, **still).fit(X, y)
    dropped = RNNRegressor(alpha=0, dropout=0.5, **still).fit(X, y)
    hidden = reference.forward(plain.weights_, X, cell="gru")
    assert plain.loss_ == pytest.approx(0.5 * np.mean(np.square(hidden)), rel=1e-9)
    assert dropped.loss_ > 1.1 * plain.loss_


def test_recurrent_dropout_has_no_part_in_a_first_timestep():
    X, y = np.random.default_rng(0).standard_normal((30, 1, 2)), np.arange(30.0)
    model = RNNRegressor(**FAST)
    assert_same_weights(
        clone(model).set_params(shuffle=False, recurrent_dropout=0.5).fit(X, y),
        clone(model).set_params(shuffle=False).fit(X, y),
    )
    longer = np.repeat(X, 2, axis=1)
    assert (
        clone(model).set_params(shuffle=False, recurrent_dropout=0.5).fit(longer, y).loss_
        != clone(model).set_params(shuffle=False).fit(longer, y).loss_
    )
