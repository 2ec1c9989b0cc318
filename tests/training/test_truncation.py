"""Truncated backpropagation through time: what `bptt_steps` does."""

import math
from itertools import cycle

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone

import reference
from covering import covering
from fits import assert_same_fit, starting_weights
from memory import peak_bytes
from networks import OUTPUTS
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.core.cells import CELLS
from sklearn_rnn.core.dropout import Dropout

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FAST = {"hidden_size": 4, "max_iter": 3, "batch_size": 5, "random_state": 0}
PLAIN = {
    "standardize": False,
    "solver": "sgd",
    "momentum": 0,
    "nesterovs_momentum": False,
    "max_grad_norm": None,
    "shuffle": False,
}

per_step = pytest.mark.parametrize("return_sequences", [False, True], ids=["last", "all"])
cells = pytest.mark.parametrize("cell", CELLS)
kinds = pytest.mark.parametrize("kind", [RNNRegressor, RNNClassifier])


def data(return_sequences, lengths=(7, 1, 12, 3, 12, 8, 6, 4), kind=RNNRegressor):
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((length, 2)) for length in lengths]
    y = [np.cumsum(x[:, 0]) for x in X] if return_sequences else [x[:, 0].sum() for x in X]
    if kind is RNNClassifier:
        y = [values > 0 for values in y]
    return X, y


# As long as the longest sequence, or longer.


@kinds
@cells
@per_step
@pytest.mark.parametrize("lengths", [[6] * 8, [7, 1, 12, 3, 12, 8, 6, 4]], ids=["equal", "ragged"])
@pytest.mark.parametrize(
    "options",
    [{}, {"dropout": 0.3, "recurrent_dropout": 0.3, "learning_rate": "one_cycle"}],
    ids=["plain", "dropout"],
)
def test_a_segment_that_holds_all_is_no_truncation(kind, cell, return_sequences, lengths, options):
    X, y = data(return_sequences, lengths, kind)
    model = kind(cell=cell, n_layers=2, return_sequences=return_sequences, **FAST, **options)
    expected = clone(model).fit(X, y)
    for bptt_steps in (max(lengths), max(lengths) + 1, 10**30):
        assert_same_fit(expected, clone(model).set_params(bptt_steps=bptt_steps).fit(X, y))
    if return_sequences:
        shorter = clone(model).set_params(bptt_steps=max(lengths) - 1).fit(X, y)
        assert shorter.loss_curve_ != expected.loss_curve_


# Shorter ones, by hand.


def layers_over_segment(weights, cell, xs, states, masks):
    """Run all layers over a segment, `states` (h, c) of each becoming those at its end."""
    layers, _ = reference.by_layer(weights)
    steps_of_layers = []
    for k, (layer,) in enumerate(layers):
        steps = []
        for x in xs:
            steps.append(cell.forward(layer, x, *states[k], masks[k]))
            states[k] = steps[-1].h, steps[-1].c
        steps_of_layers.append(steps)
        xs = [step.h for step in steps]
    return steps_of_layers


def descend_by_hand(model, weights, X, y, sample_weight, masks):
    """Plain gradient descent in `weights`, one sequence and one timestep at a time.

    `masks` are those of recurrent dropout, one for each layer, the same for all sequences.
    Returns the number of updates. A segment starts from states that are numbers to it.
    """
    cell, n_updates = reference.CELLS[model.cell]("tanh"), 0
    n_samples = sum(np.mean(w) for w in sample_weight)
    layers, output = reference.by_layer(weights)
    n_steps, size = model.bptt_steps, model.batch_size
    for first_of_batch in [*range(0, len(X), size)] * model.max_iter:
        batch = range(first_of_batch, min(first_of_batch + size, len(X)))
        zeros = np.zeros(model.hidden_size)
        states = {i: [(zeros, zeros)] * model.n_layers for i in batch}
        hs_of = {i: [] for i in batch}  # the top layer's h of all segments so far
        for first in range(0, max(len(X[i]) for i in batch), n_steps):
            gradients = {name: np.zeros_like(array) for name, array in weights.items()}
            d_layers, d_output = reference.by_layer(gradients)
            total = 0.0
            for i in batch:
                xs = X[i][first : first + n_steps]
                if not len(xs):
                    continue
                steps_of_layers = layers_over_segment(weights, cell, xs, states[i], masks)
                hs = hs_of[i]
                hs += [step.h for step in steps_of_layers[-1]]
                dhs = [np.zeros_like(h) for h in hs]
                readings = reference.readings(hs, layers[-1], model.return_sequences, model.pooling)
                ts = range(first, len(hs)) if model.return_sequences else []
                scored = [(readings[t], y[i][t], sample_weight[i][t]) for t in ts]
                if not model.return_sequences and len(hs) == len(X[i]):
                    scored = [(readings[0], y[i], sample_weight[i])]
                for features, target, weight in scored:
                    h = reference.read(hs, features)
                    _, d = reference.squared_error(output.W_hy @ h + output.b_y, [target])
                    total += weight
                    d_output.b_y += weight * d
                    d_output.W_hy += weight * np.outer(d, h)
                    reference.read_backward(features, weight * output.W_hy.T @ d, dhs)
                dhs = dhs[first:]  # those of earlier segments are numbers
                for k in reversed(range(model.n_layers)):
                    steps = steps_of_layers[k]
                    dhs = reference.layer_backward(cell, layers[k][0], steps, dhs, d_layers[k][0])
            if total == 0:
                continue
            n_updates += 1
            for name, array in weights.items():
                penalty = model.alpha * array / n_samples if ".W" in name else 0
                array -= model.learning_rate_init * (gradients[name] / total + penalty)
    return n_updates


FACTORS = {
    "cell": CELLS,
    "output": OUTPUTS,
    "n_layers": [1, 2],
    "bptt_steps": [1, 3, 4],
    "longest": [12, 40],
    "recurrent_dropout": [0, 0.5],
}


@covering(
    FACTORS,
    ("output", "n_layers", "recurrent_dropout"),
    ("output", "bptt_steps", "longest"),
    thorough=(FACTORS, tuple(FACTORS)),
)
def test_each_segment_is_an_update_from_the_states_before_it(
    cell, output, n_layers, bptt_steps, longest, recurrent_dropout, monkeypatch
):
    return_sequences = OUTPUTS[output]["return_sequences"]
    X, y = data(return_sequences, [7, 1, longest, 3, longest, 8, 6, 4])
    rng = np.random.default_rng(1)
    sample_weight = [rng.uniform(0.5, 2, np.shape(target)) for target in y]
    if return_sequences:  # a segment of the first batch without any weight: steps 4 to 7
        for weight in sample_weight:
            weight[4:8] = 0
    model = RNNRegressor(
        cell=cell,
        n_layers=n_layers,
        bptt_steps=bptt_steps,
        recurrent_dropout=recurrent_dropout,
        learning_rate_init=0.1,
        alpha=0.3,
        **OUTPUTS[output],
        **FAST | PLAIN,
    )
    weights = starting_weights(model, X, y, sample_weight)
    masks = np.ones((n_layers, 4))
    if recurrent_dropout:  # the same for each batch, but not for each layer
        masks = np.array([[0, 1.5, 0.5, 1], [1, 0, 0, 1.5]])[:n_layers]
        drawn = cycle(masks)

        def next_mask(self, shape, dtype):
            return np.broadcast_to(next(drawn)[:, np.newaxis], shape).astype(dtype)

        monkeypatch.setattr(Dropout, "mask", next_mask)
    n_updates = descend_by_hand(model, weights, X, y, sample_weight, masks)
    model.fit(X, y, sample_weight)
    for name, array in model.weights_.items():
        assert_allclose(array, weights[name], rtol=0, atol=1e-12)

    counting = clone(model).set_params(learning_rate="invscaling", power_t=1.0)
    rate = counting.fit(X, y, sample_weight).learning_rates_[-1]
    assert rate == pytest.approx(0.1 / n_updates, rel=1e-12)


def test_the_state_goes_on_where_gradients_do_not():
    """The last input is what to tell, and no gradient ever goes back to it."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20, 100, 1))
    y = np.concatenate([np.zeros((20, 1)), X[:, :-1, 0]], axis=1)
    options = {"learning_rate_init": 0.003, "max_iter": 40, "random_state": 0}
    model = RNNRegressor(hidden_size=16, return_sequences=True, bptt_steps=1, **options).fit(X, y)
    assert model.score(X, y) > 0.95
    apart, targets = X.reshape(-1, 1, 1), y.reshape(-1, 1)
    forgetful = clone(model).fit(apart, targets)
    assert forgetful.score(apart, targets) < 0.1


@pytest.mark.parametrize("kind", ["dropout", "recurrent_dropout"])
@per_step
def test_dropout_in_segments(kind, return_sequences):
    X, y = data(return_sequences)
    model = RNNRegressor(
        n_layers=2, return_sequences=return_sequences, bptt_steps=3, **{kind: 0.4}, **FAST
    )
    once, again = clone(model).fit(X, y), clone(model).fit(X, y)
    assert_same_fit(once, again)
    assert once.loss_curve_ != clone(model).set_params(**{kind: 0.0}).fit(X, y).loss_curve_


# Schedules.


def test_a_cycle_has_the_updates_of_all_segments():
    """10 steps make 5 updates; 4 steps make 2, and take as much of the cycle."""
    X, y = data(True, [10, 4])
    options = {"max_iter": 3, "batch_size": 1, "bptt_steps": 2, "shuffle": False}
    model = RNNRegressor(
        learning_rate="cosine", learning_rate_init=0.1, return_sequences=True, **options
    ).fit(X, y)
    done = [10 * epoch + 5 + 2.5 for epoch in range(3)]  # before the last update of each epoch
    expected = [0.05 * (1 + math.cos(math.pi * updates / 30)) for updates in done]
    assert_allclose(model.learning_rates_, expected, rtol=1e-12)


@per_step
def test_one_cycle_ends_at_its_end(return_sequences):
    X, y = data(return_sequences, [9] * 7)
    model = RNNRegressor(
        learning_rate="one_cycle",
        learning_rate_init=0.1,
        return_sequences=return_sequences,
        bptt_steps=2,
        **FAST,
    ).fit(X, y)
    assert model.learning_rates_[-1] == pytest.approx(0.1 / 25 / 1e4, rel=1e-9)


# Weights of samples.


@kinds
@per_step
@pytest.mark.parametrize("bptt_steps", [1, 3, 5])
def test_weights_are_repetitions(kind, return_sequences, bptt_steps):
    X, y = data(return_sequences, kind=kind)
    counts = [1, 0, 2, 1, 3, 0, 1, 2]
    model = kind(
        return_sequences=return_sequences,
        bptt_steps=bptt_steps,
        **FAST | {"batch_size": 100, "shuffle": False},
    )
    weighted = clone(model).fit(X, y, counts)
    which = np.repeat(np.arange(len(X)), counts)
    repeated = clone(model).fit([X[i] for i in which], [y[i] for i in which])
    for name, array in weighted.weights_.items():
        assert_allclose(array, repeated.weights_[name], rtol=0, atol=1e-10)

    kept = np.flatnonzero(counts)
    ones = clone(model).fit(X, y, np.minimum(counts, 1))
    assert_same_fit(ones, clone(model).fit([X[i] for i in kept], [y[i] for i in kept]))


# Going on.


@per_step
def test_going_on(return_sequences):
    X, y = data(return_sequences)
    model = RNNRegressor(return_sequences=return_sequences, bptt_steps=3, **FAST)
    at_once = clone(model).set_params(max_iter=6).fit(X, y)
    in_two = clone(model).set_params(warm_start=True).fit(X, y).fit(X, y)
    assert_same_fit(at_once, in_two)
    in_parts = clone(model)
    for _ in range(6):
        in_parts.partial_fit(X, y)
    assert_same_fit(at_once, in_parts)


def test_early_stopping_and_prediction_take_whole_sequences():
    X, y = data(True, [9] * 20)
    model = RNNRegressor(
        return_sequences=True,
        bptt_steps=2,
        early_stopping=True,
        **FAST | {"shuffle": False, "standardize": False},
    ).fit(X, y)
    assert model.best_validation_score_ == pytest.approx(model.score(X[-2:], y[-2:]), rel=1e-12)
    expected = reference.forward(model.weights_, X, cell="gru", return_sequences=True)
    for raw, prediction in zip(expected, model.predict(X), strict=True):
        assert_allclose(prediction, raw[:, 0], rtol=0, atol=1e-12)


# One very long sequence.

LONG = 100_000


def test_it_learns_on_a_long_sequence():
    """The input of five steps ago, which is well within a segment."""
    X = np.random.default_rng(0).standard_normal((1, LONG, 1))
    y = np.roll(X[:, :, 0], 5, axis=1)
    model = RNNRegressor(
        hidden_size=16,
        return_sequences=True,
        bptt_steps=50,
        max_iter=1,
        learning_rate_init=0.01,
        random_state=0,
    ).fit(X, y)
    new = np.random.default_rng(1).standard_normal((1, 1000, 1))
    assert model.score(new, np.roll(new[:, :, 0], 5, axis=1)) > 0.95


def peak(n_timesteps, **parameters):
    """The most memory that `fit` has at a time, beyond X and y."""
    X = np.ones((2, n_timesteps, 1))
    X[1, n_timesteps // 2 :] = np.nan
    y = np.ones((2, n_timesteps)) if parameters["return_sequences"] else [0.0, 1.0]
    model = RNNRegressor(hidden_size=32, max_iter=1, random_state=0, **parameters)
    return peak_bytes(lambda: model.fit(X, y))


@pytest.mark.parametrize(("cell", "return_sequences"), [("lstm", False), ("gru", True)])
def test_memory_is_bounded_by_the_segment(cell, return_sequences):
    options = {"cell": cell, "return_sequences": return_sequences}
    long = 30_000
    flat = 3 * 1.5 * long * 8  # arrays of a number per timestep: y, its weights, and one more
    bound = peak(1000, bptt_steps=500, **options) + flat
    assert peak(long, bptt_steps=500, **options) < bound
    whole = 10 * peak(long // 10, bptt_steps=None, **options)  # which grows with the length
    assert whole > 10 * bound
