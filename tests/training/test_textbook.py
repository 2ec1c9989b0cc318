"""Training is the textbook's: an epoch is a step down the BPTT gradient of the mean loss.

The estimators are held against `reference`, which gets their starting weights and the data, and
computes loss and gradient one sequence and one timestep at a time.
"""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone

import reference
from fits import starting_weights
from networks import VARIANTS
from sequences import padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.core.cells import CELLS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 6
RATE = 0.5
TEXTBOOK = {
    "standardize": False,
    "solver": "sgd",
    "momentum": 0,
    "batch_size": N,
    "max_grad_norm": None,
    "alpha": 0,
    "max_iter": 1,
    "learning_rate_init": RATE,
    "hidden_size": 5,
    "pooling": "last",
    "random_state": 0,
}
NETWORKS = [
    *({"cell": cell, "activation": activation} for cell, activation in VARIANTS),
    {"cell": "elman", "activation": "logistic", "n_layers": 2},
    *({"cell": name, "n_layers": 2} for name, cell in CELLS.items() if not cell.activations),
    *({"cell": cell, "n_layers": 2, "bidirectional": True} for cell in CELLS),
]
CASES = ["one target", "two targets", "binary", "multiclass"]


def network_id(network):
    return "-".join(map(str, network.values()))


def sequences(equal_length):
    return list(np.random.default_rng(1).standard_normal((N, 4, 3))) if equal_length else ragged(N)


def task(case, lengths):
    """An estimator's class, its y, the same y as `reference` takes it, and the loss there.

    `lengths` are those of the sequences where each timestep has a target, else None.
    """
    rng = np.random.default_rng(2)
    shapes = [()] * N if lengths is None else [(length,) for length in lengths]
    join = np.array if lengths is None else list
    if case == "one target":
        y = [rng.standard_normal(shape) for shape in shapes]
        return RNNRegressor, join(y), [part[..., np.newaxis] for part in y], "squared_error"
    if case == "two targets":
        y = [rng.standard_normal((*shape, 2)) for shape in shapes]
        return RNNRegressor, join(y), y, "squared_error"
    if case == "multilabel":
        y = [*np.eye(3, dtype=int), *(1 - np.eye(3, dtype=int))]
        return RNNClassifier, np.array(y), y, "sigmoid"
    labels = np.array(["a", "b", "c"][: 2 if case == "binary" else 3])
    total = sum(lengths) if lengths is not None else N
    numbers = rng.permutation(np.arange(total) % len(labels))
    y = list(numbers) if lengths is None else np.split(numbers, np.cumsum(lengths)[:-1])
    return RNNClassifier, join([labels[part] for part in y]), y, "softmax"


def assert_descended(model, before, gradient, rate):
    """Every weight moved by -rate times its gradient, and the gradient isn't nothing."""
    assert max(np.abs(part).max() for part in gradient.values()) > 1e-3
    for name, start in before.items():
        assert_allclose(
            model.weights_[name], start - rate * gradient[name], rtol=0, atol=1e-12, err_msg=name
        )


@pytest.mark.parametrize("equal_length", [True, False], ids=["equal", "ragged"])
@pytest.mark.parametrize(
    ("case", "per_step"),
    [*itertools.product(CASES, [False, True]), ("multilabel", False)],
)
@pytest.mark.parametrize("network", NETWORKS, ids=network_id)
def test_an_epoch_is_a_step_down_the_bptt_gradient(network, case, per_step, equal_length):
    X = sequences(equal_length)
    Estimator, y, targets, loss = task(case, [len(x) for x in X] if per_step else None)
    model = Estimator(**TEXTBOOK, **network, return_sequences=per_step)
    before = starting_weights(model, X, y)
    model.fit(X, y)

    value, gradient, _ = reference.loss_and_gradients(
        before,
        X,
        targets,
        cell=network["cell"],
        activation=network.get("activation", "tanh"),
        return_sequences=per_step,
        loss=loss,
    )
    assert set(model.weights_) == set(gradient)
    assert_descended(model, before, gradient, RATE)
    assert_allclose(model.loss_curve_, [value], rtol=0, atol=1e-12)


@pytest.mark.parametrize("per_step", [False, True], ids=["per sequence", "per step"])
@pytest.mark.parametrize("case", ["one target", "multiclass"])
@pytest.mark.parametrize("cell", CELLS)
def test_alpha_pulls_at_the_weights_and_leaves_the_biases(cell, case, per_step):
    X = ragged(N)
    Estimator, y, targets, loss = task(case, [len(x) for x in X] if per_step else None)
    model = Estimator(**TEXTBOOK | {"alpha": 0.7}, cell=cell, return_sequences=per_step)
    before = starting_weights(model, X, y)
    model.fit(X, y)

    of_loss = {"cell": cell, "return_sequences": per_step, "loss": loss}
    value, gradient, _ = reference.loss_and_gradients(before, X, targets, **of_loss, alpha=0.7)
    assert_descended(model, before, gradient, RATE)
    assert_allclose(model.loss_curve_, [value], rtol=0, atol=1e-12)

    # The penalty, spelled out: alpha / 2 Σ W² / n_samples over the weight matrices.
    unpenalised, bare, _ = reference.loss_and_gradients(before, X, targets, **of_loss)
    matrices = {name for name in before if ".W_" in name}
    penalty = 0.7 / 2 / N * sum(np.sum(before[name] ** 2) for name in matrices)
    assert_allclose(model.loss_, unpenalised + penalty, rtol=0, atol=1e-12)
    for name, start in before.items():
        pull = 0.7 / N * start if name in matrices else 0
        assert_allclose(
            model.weights_[name], start - RATE * (bare[name] + pull), rtol=0, atol=1e-12
        )


@pytest.mark.parametrize(
    ("per_step", "weighted_steps"),
    [(False, False), (True, False), (True, True)],
    ids=["per sequence", "per step", "weights per step"],
)
@pytest.mark.parametrize("case", ["two targets", "multiclass"])
def test_weights_weigh_the_loss(case, per_step, weighted_steps):
    X = ragged(N)
    lengths = [len(x) for x in X]
    Estimator, y, targets, loss = task(case, lengths if per_step else None)
    rng = np.random.default_rng(3)
    weights = rng.random(N) + 0.1
    if weighted_steps:
        weights = [rng.random(length) + 0.1 for length in lengths]
    model = Estimator(**TEXTBOOK | {"alpha": 0.7}, return_sequences=per_step)
    before = starting_weights(model, X, y, weights)
    model.fit(X, y, sample_weight=weights)

    value, gradient, _ = reference.loss_and_gradients(
        before,
        X,
        targets,
        cell="gru",
        return_sequences=per_step,
        loss=loss,
        sample_weight=weights,
        alpha=0.7,
    )
    assert_descended(model, before, gradient, RATE)
    assert_allclose(model.loss_, value, rtol=0, atol=1e-12)


def test_the_container_makes_no_difference():
    X = ragged(N)
    y = [x[:, 0] for x in X]
    model = RNNRegressor(**TEXTBOOK, cell="elman", activation="logistic", return_sequences=True)
    of_list = clone(model).fit(X, y).weights_
    of_array = clone(model).fit(padded(X), padded(y)).weights_
    for name, array in of_list.items():
        np.testing.assert_array_equal(of_array[name], array)


def test_every_epoch_starts_from_the_weights_that_the_last_one_left():
    X = ragged(N)
    _, y, targets, _ = task("two targets", None)
    model = RNNRegressor(**TEXTBOOK | {"max_iter": 4, "alpha": 0.1})
    weights = starting_weights(model, X, y)
    losses = []
    for _ in range(4):
        value, gradient, _ = reference.loss_and_gradients(
            weights, X, targets, cell="gru", loss="squared_error", alpha=0.1
        )
        losses.append(value)
        weights = {name: weights[name] - RATE * gradient[name] for name in weights}
    model.fit(X, y)
    assert_allclose(model.loss_curve_, losses, rtol=0, atol=1e-12)
    for name, array in weights.items():
        assert_allclose(model.weights_[name], array, rtol=0, atol=1e-12)


def test_minibatches_in_order():
    """Each update sees its own samples only, and its share of alpha counts all of them."""
    X = ragged(N)
    _, y, targets, _ = task("one target", None)
    model = RNNRegressor(**TEXTBOOK | {"batch_size": 4, "alpha": 0.5, "shuffle": False})
    weights = starting_weights(model, X, y)
    values = []
    for part in (slice(0, 4), slice(4, 6)):
        n = len(X[part])
        value, gradient, _ = reference.loss_and_gradients(
            weights, X[part], targets[part], cell="gru", loss="squared_error", alpha=0.5 * n / N
        )
        values += [value] * n  # the epoch's loss is the mean over the samples
        weights = {name: weights[name] - RATE * gradient[name] for name in weights}
    model.fit(X, y)
    assert_allclose(model.loss_, np.mean(values), rtol=0, atol=1e-12)
    for name, array in weights.items():
        assert_allclose(model.weights_[name], array, rtol=0, atol=1e-12)
