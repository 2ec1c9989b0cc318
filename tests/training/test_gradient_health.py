"""The norms of gradients and weights, and the warnings when gradients are of no use."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning

import reference
from sequences import ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.core.optimizers import Adam

N = 20
FAST = {
    "standardize": False,
    "hidden_size": 4,
    "random_state": 0,
    "shuffle": False,
    "max_grad_norm": None,
}
X = ragged(N, n_features=2, seed=0)
Y = np.random.default_rng(1).standard_normal(N)

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def norm(arrays):
    return np.sqrt(sum((array**2).sum() for array in arrays.values()))


def gradient_norm(weights, X, y):
    _, gradients, _ = reference.loss_and_gradients(
        weights, X, y[:, np.newaxis], cell="gru", loss="squared_error"
    )
    return norm(gradients)


@quiet
@pytest.mark.parametrize(
    "options",
    [{}, {"alpha": 10.0}, {"max_grad_norm": 1e-3}, {"max_grad_value": 1e-4}, {"n_layers": 2}],
    ids=str,
)
def test_they_are_those_of_the_reference(options):
    """Of the loss's gradient alone: without penalty, before clipping."""
    options = FAST | {"learning_rate_init": 0.05} | options
    models = [RNNRegressor(**options | {"max_iter": k}).fit(X, Y) for k in (1, 2, 3)]
    for epoch, model in enumerate(models[:-1], start=1):
        expected = gradient_norm(model.weights_, X, Y)
        for longer in models[epoch:]:
            assert_allclose(longer.gradient_norms_[epoch], expected, rtol=1e-10)
        assert_allclose(model.weight_norms_[-1], norm(model.weights_), rtol=1e-12)
        assert model.weight_norms_ == models[-1].weight_norms_[:epoch]
        assert len(model.gradient_norms_) == epoch


@quiet
def test_of_several_batches_it_is_the_mean():
    model = RNNRegressor(**FAST, batch_size=7, max_iter=1, learning_rate_init=1e-300).fit(X, Y)
    parts = [slice(0, 7), slice(7, 14), slice(14, 20)]
    norms = [gradient_norm(model.weights_, X[part], Y[part]) for part in parts]
    assert_allclose(model.gradient_norms_, np.mean(norms), rtol=1e-10)


def problems(Estimator, X, y, **options):
    """The warnings of a fit, but for the one that it has not converged."""
    defaults = {"standardize": False, "hidden_size": 4, "max_iter": 25, "random_state": 0}
    model = Estimator(**defaults | options)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    assert all(warning.category is ConvergenceWarning for warning in caught)
    assert all(warning.filename == __file__ for warning in caught)
    messages = [str(warning.message) for warning in caught]
    return [message for message in messages if "before it converged" not in message]


DEAD = {"cell": "elman", "activation": "relu", "learning_rate_init": 30.0, "max_grad_norm": None}


class TestWarnings:
    @pytest.mark.parametrize("Estimator", [RNNRegressor, RNNClassifier])
    @pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
    def test_not_for_a_fit_that_is_well(self, Estimator, cell):
        assert problems(Estimator, X, Y > 0, cell=cell) == []

    def test_not_for_a_fit_to_the_last_digit(self):
        options = {"learning_rate_init": 0.02, "max_iter": 2000, "tol": 0, "alpha": 0}
        options |= {"learning_rate": "adaptive", "hidden_size": 20}
        assert problems(RNNRegressor, X[:4], Y[:4], **options) == []

    def test_not_where_there_is_nothing_to_learn(self):
        assert problems(RNNRegressor, np.zeros((4, 3, 1)), np.zeros(4), cell="elman") == []

    def test_dead_units(self):
        (message,) = problems(RNNRegressor, [np.ones((3, 1))] * 4, np.arange(4.0), **DEAD)
        assert "The gradients vanish" in message
        assert "activation='relu'" in message

    def test_saturated_units_of_the_first_layer_only(self):
        """The second layer learns, so the gradient as a whole doesn't show it."""
        shouting = [np.sign(x) * 1e9 for x in X]
        options = {"cell": "elman", "n_layers": 2, "hidden_size": 2, "max_iter": 3}
        messages = problems(RNNRegressor, shouting, Y, **options)
        assert any("the gradient of the first layer was 0 times" in message for message in messages)

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({}, 1),
            ({"max_grad_norm": 1e6}, 0),
            ({"max_grad_norm": None}, 0),
            ({"max_iter": 19}, 0),  # too few to tell
            ({"max_iter": 10, "batch_size": 10}, 1),  # of updates it is, not of epochs
        ],
        ids=str,
    )
    def test_every_step_clipped(self, options, expected):
        messages = problems(RNNRegressor, X, 1000 * Y, **options)
        assert len(messages) == expected
        assert all("all gradients were longer than max_grad_norm=5.0" in m for m in messages)

    def test_not_every_step_clipped(self):
        """Predictions start at 250. One error in four is 750 and has its step clipped, not 250."""
        y = np.where(np.arange(N) % 4, 0, 1000)
        assert problems(RNNRegressor, X, y, batch_size=1, max_grad_norm=1000.0) == []

    def test_an_interrupt_says_only_that(self, monkeypatch):
        calls, original = [], Adam.update

        def update(*args):
            calls.append(None)
            if len(calls) == 24:
                raise KeyboardInterrupt
            original(*args)

        monkeypatch.setattr(Adam, "update", update)
        with pytest.warns(UserWarning, match="interrupted") as caught:
            RNNRegressor(hidden_size=4, random_state=0).fit(X, 1000 * Y)
        assert len(caught) == 1
