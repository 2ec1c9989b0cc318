"""What `pooling` means to the user of an estimator."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import reference
from fits import assert_same_fit, starting_weights
from networks import POOLINGS
from sequences import padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.core.cells import CELLS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FAST = {"hidden_size": 4, "max_iter": 3, "batch_size": 5, "random_state": 0}
ALL = ("last", "mean", "max")

kinds = pytest.mark.parametrize("kind", [RNNRegressor, RNNClassifier])
poolings = pytest.mark.parametrize("pooling", POOLINGS, ids="+".join)
directions = pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])


def data(n=14, kind=RNNRegressor, **options):
    X = ragged(n, longest=12, **options)
    y = np.array([x[:, 0].sum() for x in X])
    return X, y > np.median(y) if kind is RNNClassifier else y


@pytest.mark.parametrize("cell", CELLS)
@poolings
@directions
def test_padded_ragged_and_one_by_one(cell, pooling, bidirectional):
    X, y = data()
    network = {"cell": cell, "pooling": pooling, "n_layers": 2, "bidirectional": bidirectional}
    model = RNNRegressor(standardize=False, **network, **FAST).fit(X, y)
    together = model.predict(X)
    expected = reference.forward(model.weights_, X, cell=cell, pooling=pooling)
    assert_allclose(together, np.ravel(expected), rtol=0, atol=1e-12)
    assert_allclose(model.predict(padded(X)), together, rtol=0, atol=1e-12)
    assert_allclose(model.predict(X[::-1])[::-1], together, rtol=0, atol=1e-12)
    alone = [model.predict([x])[0] for x in X]
    assert_allclose(alone, together, rtol=0, atol=1e-12)
    of_padded = clone(model).fit(padded(X), y)
    assert_allclose(of_padded.predict(X), together, rtol=0, atol=1e-12)


@poolings
@directions
def test_an_epoch_is_a_step_down_the_gradient(pooling, bidirectional):
    X, y = data()
    model = RNNRegressor(
        pooling=pooling,
        bidirectional=bidirectional,
        hidden_size=4,
        standardize=False,
        solver="sgd",
        momentum=0,
        nesterovs_momentum=False,
        max_grad_norm=None,
        alpha=0.3,
        max_iter=1,
        random_state=0,
    )
    before = starting_weights(model, X, y)
    model.set_params(learning_rate_init=0.1).fit(X, y)
    value, gradient, _ = reference.loss_and_gradients(
        before, X, y[:, np.newaxis], cell="gru", pooling=pooling, loss="squared_error", alpha=0.3
    )
    assert model.loss_ == pytest.approx(value, rel=1e-12)
    for name, start in before.items():
        assert_allclose(model.weights_[name], start - 0.1 * gradient[name], rtol=0, atol=1e-12)


@kinds
@pytest.mark.parametrize(
    ("one", "other"),
    [("last", ("last",)), ("max", ["max"]), (ALL, list(ALL)), ("mean", (np.str_("mean"),))],
    ids=str,
)
def test_names_and_sequences_of_names_are_alike(kind, one, other):
    X, y = data(kind=kind)
    model = kind(pooling=one, **FAST).fit(X, y)
    assert_same_fit(model, clone(model).set_params(pooling=other).fit(X, y))
    going_on = model.set_params(pooling=other, warm_start=True).fit(X, y)
    assert len(going_on.loss_curve_) == 6


def test_the_order_of_the_names_is_that_of_the_columns():
    X, y = data()
    model = RNNRegressor(pooling=ALL, **FAST).fit(X, y)
    W_hy = model.weights_["output.W_hy"]
    assert W_hy.shape == (1, 12)
    other = clone(model).set_params(pooling=("max", "last", "mean")).fit(X, y)
    weights = model._architecture.named(model._parameters)
    for name, array in other._architecture.named(other._parameters).items():
        array[...] = weights[name]
        if name == "output.W_hy":
            array[...] = np.roll(array, 4, axis=1)
    assert_allclose(other.predict(X), model.predict(X), rtol=0, atol=1e-12)


@kinds
@pytest.mark.parametrize("pooling", ["mean", ALL, list(ALL)], ids=str)
def test_clone_pickle_and_repr(kind, pooling):
    X, y = data(kind=kind)
    model = kind(pooling=pooling, **FAST).fit(X, y)
    assert model.get_params()["pooling"] is pooling
    assert clone(model).get_params() == model.get_params()
    assert eval(repr(model), {kind.__name__: kind}).get_params() == model.get_params()
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(X), model.predict(X))
    assert_same_fit(again, model)


def test_a_search_over_pooling():
    """The highest of many inputs: the last state has forgotten it."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((120, 30, 1))
    y = X.max(axis=(1, 2))
    model = RNNRegressor(cell="elman", hidden_size=4, learning_rate_init=0.03, max_iter=40)
    choices = ["last", "mean", ["max"], ALL]
    search = GridSearchCV(model.set_params(random_state=0), {"pooling": choices}, cv=2).fit(X, y)
    scores = dict(zip(map(str, choices), search.cv_results_["mean_test_score"], strict=True))
    assert search.best_params_["pooling"] in (["max"], ALL)
    assert scores["['max']"] > scores["last"] + 0.1
    assert len({*scores.values()}) == 4


@kinds
@poolings
@directions
def test_dropout_is_repeatable_and_does_something(kind, pooling, bidirectional):
    X, y = data(kind=kind)
    model = kind(pooling=pooling, bidirectional=bidirectional, dropout=0.4, **FAST)
    once, again = clone(model).fit(X, y), clone(model).fit(X, y)
    assert_same_fit(once, again)
    without = clone(model).set_params(dropout=0.0).fit(X, y)
    assert once.loss_curve_ != without.loss_curve_
    assert_array_equal(once.predict(X), once.predict(X))


@kinds
@poolings
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lbfgs_finds_lower_losses(kind, pooling, dtype):
    X, y = data(kind=kind, dtype=dtype)
    model = kind(pooling=pooling, solver="lbfgs", alpha=0.01, **FAST | {"max_iter": 20}).fit(X, y)
    assert model.loss_ < 0.7 * model.loss_curve_[0]
    assert model.weights_["output.W_hy"].dtype == dtype


@kinds
@poolings
def test_partial_fit_and_warm_start_make_the_epochs_of_one_fit(kind, pooling):
    X, y = data(kind=kind)
    at_once = kind(pooling=pooling, **FAST).fit(X, y)
    classes = {"classes": [False, True]} if kind is RNNClassifier else {}
    by_parts = kind(pooling=pooling, **FAST)
    for _ in range(3):
        by_parts.partial_fit(X, y, **classes)
    assert_same_fit(by_parts, at_once)
    in_three = kind(pooling=pooling, warm_start=True, **FAST | {"max_iter": 1})
    for _ in range(3):
        in_three.fit(X, y)
    assert_same_fit(in_three, at_once)


@poolings
def test_segments_as_long_as_the_sequences_change_nothing(pooling):
    X, y = data()
    model = RNNRegressor(pooling=pooling, dropout=0.2, **FAST)
    whole = clone(model).fit(X, y)
    assert_same_fit(whole, clone(model).set_params(bptt_steps=12).fit(X, y))
    cut = clone(model).set_params(bptt_steps=11).fit(X, y)
    assert cut.loss_curve_ != whole.loss_curve_
