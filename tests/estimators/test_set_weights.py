"""set_weights: weights from elsewhere, and what stays as it was."""

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from sklearn.exceptions import NotFittedError

from fits import ESTIMATORS, assert_same_weights
from sequences import ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.core.cells import CELLS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FAST = {"hidden_size": 3, "max_iter": 2, "random_state": 0}
X = ragged(20)
Y = np.array([x[:, 0].sum() for x in X])


@pytest.mark.parametrize("both_ways", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_the_weights_of_another_fit_give_its_predictions(cell, both_ways):
    options = {"cell": cell, "bidirectional": both_ways, "n_layers": 2, "hidden_size": 3}
    one, other = (RNNRegressor(**options, max_iter=2, random_state=i).fit(X, Y) for i in range(2))
    assert np.abs(one.predict(X) - other.predict(X)).max() > 1e-3
    assert one.set_weights(other.weights_) is one
    assert_same_weights(one, other)
    assert_array_equal(one.predict(X), other.predict(X))
    assert_array_equal(one.hidden_states(X, 0)[0], other.hidden_states(X, 0)[0])


def test_a_classifier_in_single_precision_takes_lists():
    single = ragged(20, dtype=np.float32)
    model = RNNClassifier(**FAST).fit(single, Y > 0)
    weights = {name: (2 * array).tolist() for name, array in model.weights_.items()}
    model.set_weights(weights)
    assert {array.dtype for array in model.weights_.values()} == {np.dtype(np.float32)}
    for name, values in weights.items():
        assert_array_equal(model.weights_[name], np.float32(values))


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_training_goes_on_from_the_new_weights(solver):
    """A step is the same as from a fit that came to these weights without an optimizer's state."""
    options = FAST | {"solver": solver, "learning_rate_init": 1e-300, "batch_size": 100}
    model = RNNRegressor(**options, early_stopping=False).fit(X, Y)
    trained = RNNRegressor(**FAST, solver=solver).partial_fit(X, Y).partial_fit(X, Y)
    trained.set_weights(model.weights_)
    model.set_params(learning_rate_init=0.01).partial_fit(X, Y)
    trained.set_params(learning_rate_init=0.01, batch_size=100).partial_fit(X, Y)
    for name, array in model.weights_.items():
        np.testing.assert_allclose(trained.weights_[name], array, rtol=1e-6, err_msg=name)


def test_early_stopping_compares_only_epochs_of_the_new_weights():
    """Those of the old weights were better."""
    options = FAST | {"early_stopping": True, "max_iter": 5, "learning_rate_init": 0.1}
    model = RNNRegressor(**options, warm_start=True).fit(X, Y)
    assert model.best_iteration_ == 5
    zeros = {name: np.zeros_like(array) for name, array in model.weights_.items()}
    model.set_weights(zeros).set_params(learning_rate_init=1e-300, max_iter=2).fit(X, Y)
    assert max(np.abs(array).max() for array in model.weights_.values()) < 1e-200
    losses = model.validation_loss_curve_
    assert losses[5] == losses[6] > losses[0]
    assert model.best_iteration_ == 6


def test_a_copy_of_the_estimator_a_stream_and_the_given_arrays_keep_their_values():
    model = RNNRegressor(**FAST).fit(X, Y)
    stream, other = model.stream(), model.stream()
    given = {name: array.copy() for name, array in model.weights_.items()}
    old, history = model.weights_, list(model.loss_curve_)
    model.set_weights({name: array + 1 for name, array in given.items()})
    for name, array in given.items():
        assert_array_equal(old[name], array)
    assert_array_equal(stream.read(X[0]), other.read(X[0]))
    assert model.loss_curve_ == history
    model.set_weights(given)
    given["output.b_y"][0] = 9
    assert model.weights_["output.b_y"][0] != 9


class Parameter(list):
    """Says of itself what torch's parameters do."""

    requires_grad = True


WRONG = {
    "not a dict": (lambda w: list(w.values()), TypeError, "weights must be a dict"),
    "missing": (lambda w: dict(list(w.items())[1:]), ValueError, "missing are"),
    "unknown": (lambda w: {**w, "layer_9.W": 0}, ValueError, "unknown are ['layer_9.W']"),
    "shape": (lambda w: {**w, "output.b_y": 0.0}, ValueError, "'output.b_y'] must have shape"),
    "NaN": (lambda w: {**w, "output.b_y": [np.nan]}, ValueError, "must have finite values"),
    "too large": (lambda w: {**w, "output.b_y": [1e60]}, ValueError, "float32"),
    "strings": (lambda w: {**w, "output.b_y": ["a"]}, ValueError, "must hold numbers"),
    "complex": (lambda w: {**w, "output.b_y": [1j]}, ValueError, "Complex"),
    "ragged": (lambda w: {**w, "output.b_y": [[1], [1, 2]]}, ValueError, "weights['output.b_y']: "),
    "masked": (lambda w: {**w, "output.b_y": np.ma.masked_all(1)}, ValueError, "b_y'] is a masked"),
    "sparse": (lambda w: {**w, "output.W_hy": csr_array(w["output.W_hy"])}, TypeError, "is sparse"),
    "gradient": (
        lambda w: {**w, "output.b_y": Parameter([0.0])},
        TypeError,
        "weights['output.b_y'] is a Parameter that requires grad",
    ),
}


@pytest.mark.parametrize(("change", "kind", "message"), WRONG.values(), ids=WRONG)
def test_what_is_refused(change, kind, message):
    model = RNNRegressor(**FAST).fit(ragged(20, dtype=np.float32), Y)
    before = {name: array.copy() for name, array in model.weights_.items()}
    with pytest.raises(kind, match=re.escape(message)):
        model.set_weights(change(model.weights_))
    for name, array in before.items():
        assert_array_equal(model.weights_[name], array)


@pytest.mark.parametrize("Estimator", ESTIMATORS.values(), ids=ESTIMATORS)
def test_an_unfitted_estimator(Estimator):
    with pytest.raises(NotFittedError):
        Estimator().set_weights({})
