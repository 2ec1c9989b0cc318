"""Both estimators, where their training starts, and what is the same after two fits."""

from numpy.testing import assert_array_equal
from sklearn.base import clone

from sklearn_rnn import RNNClassifier, RNNRegressor

ESTIMATORS = {"regressor": RNNRegressor, "classifier": RNNClassifier}
# One gradient step on all data in an epoch, as textbooks have it.
TEXTBOOK = {
    "standardize": False,
    "solver": "sgd",
    "momentum": 0,
    "alpha": 0,
    "max_grad_norm": None,
    "batch_size": 100,
    "early_stopping": False,
}


def starting_weights(model, X, y, sample_weight=None):
    """The weights before any update, from a fit whose only update is far too small to matter.

    The update is at most the rate, 1e-300, times the gradient. It leaves a bias of zero at about
    1e-300, and changes no weight.
    """
    start = clone(model).set_params(learning_rate_init=1e-300, max_iter=1)
    start.fit(X, y, sample_weight)
    return {name: array.copy() for name, array in start.weights_.items()}


def assert_same_weights(model, other):
    """Equal to the last bit."""
    assert model.weights_.keys() == other.weights_.keys()
    for name, array in other.weights_.items():
        assert_array_equal(model.weights_[name], array, err_msg=name)


def assert_same_fit(model, other):
    """The same weights, and the same way to them."""
    for name in ("loss_curve_", "validation_scores_", "learning_rates_", "best_iteration_"):
        assert getattr(model, name) == getattr(other, name), name
    assert_same_weights(model, other)


def end_of(losses, tol, patience):
    """The epoch after which training stops by its rule; None if that is not among these.

    Each loss is compared with the last one that counted as an improvement.
    """
    improved_to, stale = float("inf"), 0
    for epoch, loss in enumerate(losses, start=1):
        if loss <= improved_to - tol:
            improved_to, stale = loss, 0
        else:
            stale += 1
        if stale > patience:
            return epoch
    return None
