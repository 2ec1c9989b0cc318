"""The rules of sample weights, for all targets, solvers and ways through time.

A whole number is as many repetitions, zero is absence, and of a timestep without weight the target
is of no consequence. What else there is to choose comes along in pairs.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from covering import cover, only_thorough
from fits import assert_same_fit
from sequences import ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.core.cells import CELLS
from sklearn_rnn.core.schedules import SCHEDULES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N, N_VAL = 16, 8
FAST = {"hidden_size": 3, "max_iter": 4, "learning_rate_init": 0.02, "random_state": 0}


def numbers(rng, shape):
    return rng.standard_normal(shape)


def pairs(rng, shape):
    return rng.standard_normal((*shape, 2))


def counts(rng, shape):
    return 1.0 * rng.poisson(2.0, shape)


def labels(rng, shape):
    return rng.choice(["high", "low", "middle"], shape)


def indicators(rng, shape):
    return rng.integers(2, size=(*shape, 2))


# The estimator, what it is to do with which targets, and others that may stand where none count.
TARGETS = {
    "squared_error": (RNNRegressor, {}, numbers, 1e6),
    "two outputs": (RNNRegressor, {}, pairs, 1e6),
    "absolute_error": (RNNRegressor, {"loss": "absolute_error"}, numbers, 1e6),
    "huber": (RNNRegressor, {"loss": "huber", "delta": 0.5}, numbers, 1e6),
    "quantile": (RNNRegressor, {"loss": "quantile", "quantile": 0.7}, numbers, 1e6),
    "quantiles": (RNNRegressor, {"loss": "quantile", "quantile": [0.1, 0.6, 0.9]}, pairs, 1e6),
    "gaussian": (RNNRegressor, {"loss": "gaussian"}, pairs, 1e6),
    "poisson": (RNNRegressor, {"loss": "poisson"}, counts, -1.0),
    "log_loss": (RNNClassifier, {}, labels, "low"),
    "smoothed": (RNNClassifier, {"label_smoothing": 0.1}, labels, "low"),
    "balanced": (RNNClassifier, {"class_weight": "balanced"}, labels, "low"),
    "by class": (RNNClassifier, {"class_weight": {"low": 3.0}}, labels, "low"),
    "multilabel": (RNNClassifier, {}, indicators, 1),
}
# epsilon: where gradients vanish, rounding would decide
SOLVERS = {
    "adam": {"solver": "adam", "epsilon": 1e-4},
    "rmsprop": {"solver": "rmsprop", "epsilon": 1e-4},
    "sgd": {"solver": "sgd"},
    "lbfgs": {"solver": "lbfgs"},
}
WAYS = {
    "forward": {},
    "both ways": {"bidirectional": True},
    "segments": {"bptt_steps": 2},
    "pooled": {"pooling": ("last", "mean", "max")},
}
DROPOUTS = {"none": {}, "outputs": {"dropout": 0.3}, "states": {"recurrent_dropout": 0.3}}
FACTORS = {
    "target": TARGETS,
    "solver": SOLVERS,
    "way": WAYS,
    "per_step": [False, True],
    "cell": CELLS,
    "n_layers": [1, 2],
    "learning_rate": SCHEDULES,
    "alpha": [0.0, 0.5],
    "max_grad_norm": [None, 0.05],
    "validation": [None, "recorded", "decides"],
    "dropout": DROPOUTS,
}


def possible(case):
    lbfgs = case.get("solver") == "lbfgs"
    return not (
        (case.get("target") == "multilabel" and case.get("per_step"))
        or (lbfgs and case.get("way") == "segments")
        or (case.get("per_step") and case.get("way") == "pooled")
        or (lbfgs and case.get("dropout", "none") != "none")
    )


def combinations(**factors):
    """Cases of the factors, some of them with other values."""
    factors = FACTORS | factors
    strong = ("target", "solver", "way", "per_step")
    together = (("target", "solver", "per_step"), ("solver", "way", "per_step", "cell"))
    cases = cover(factors, *together, possible=possible)
    more = [case for case in cover(factors, strong, possible=possible) if case not in cases]
    return pytest.mark.parametrize(
        "case",
        [*cases, *only_thorough([case] for case in more)],
        ids=lambda case: "-".join(map(str, case.values())),
    )


def make(case, **more):
    Estimator, parameters, *_ = TARGETS[case["target"]]
    parameters = FAST | parameters | more
    for name, choices in {"solver": SOLVERS, "way": WAYS, "dropout": DROPOUTS}.items():
        parameters |= choices[case[name]]
    if case["learning_rate"] == "adaptive" and case["solver"] != "lbfgs":
        parameters |= {"tol": 1e9, "n_iter_no_change": 1}  # halved every other epoch
    own = ("cell", "n_layers", "learning_rate", "alpha", "max_grad_norm")
    return Estimator(
        **parameters,
        **{name: case[name] for name in own},
        return_sequences=case["per_step"],
        early_stopping=case["validation"] in ("decides", "held out"),
    )


def data(case, n=N, seed=0):
    """Sequences and their targets; all the classes are among the first few."""
    rng, X = np.random.default_rng(seed + 1), ragged(n, n_features=2, seed=seed)
    draw = TARGETS[case["target"]][2]
    y = [draw(rng, (len(x),) if case["per_step"] else ()) for x in X]
    if draw is labels and not case["per_step"]:
        y[:3] = ["high", "low", "middle"]
    return X, y if case["per_step"] else np.array(y)


def pick(values, chosen):
    return values[chosen] if isinstance(values, np.ndarray) else [values[i] for i in chosen]


def validation(case, weights=None, chosen=None):
    """The arguments of `fit` for validation data: all samples, or the chosen ones."""
    if case["validation"] not in ("recorded", "decides"):
        return {}
    X, y = data(case, N_VAL, seed=7)
    if chosen is not None:
        X, y = pick(X, chosen), pick(y, chosen)
    return {"X_val": X, "y_val": y, "sample_weight_val": weights}


def assert_close(model, other):
    for name in ("loss_curve_", "validation_scores_", "learning_rates_"):
        ours, theirs = getattr(model, name), getattr(other, name)
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9, err_msg=name)
    for name, array in other.weights_.items():
        assert_allclose(model.weights_[name], array, rtol=0, atol=1e-9, err_msg=name)


@combinations(dropout=["none"])  # a repeated sample has a mask of its own
def test_a_whole_weight_is_a_number_of_repetitions(case):
    X, y = data(case)
    weights, weights_val = (np.random.default_rng(5).integers(0, 4, n) for n in (N, N_VAL))
    weights[:3] = 1  # all the classes stay
    repeated, repeated_val = (np.repeat(np.arange(len(w)), w) for w in (weights, weights_val))
    assert len(repeated) > N
    model = make(case).fit(X, y, weights, **validation(case, weights_val))
    Xs, ys = pick(X, repeated), pick(y, repeated)
    other = make(case).fit(Xs, ys, **validation(case, chosen=repeated_val))
    assert_close(model, other)
    assert_allclose(model.score(X, y, weights), other.score(Xs, ys), rtol=1e-9)


@combinations(validation=[None, "recorded", "decides", "held out"])
def test_a_weight_of_zero_is_absence_to_the_last_bit(case):
    X, y = data(case)
    rng = np.random.default_rng(5)
    weights, weights_val = rng.random(N) + 0.5, rng.random(N_VAL) + 0.5
    weights[[4, 5, 9, 15]] = weights_val[[0, 3]] = 0
    kept, kept_val = np.flatnonzero(weights), np.flatnonzero(weights_val)
    options = {"batch_size": 4, "validation_fraction": 0.3}
    other = make(case, **options).fit(
        pick(X, kept),
        pick(y, kept),
        weights[kept],
        **validation(case, weights_val[kept_val], kept_val),
    )
    for i in np.flatnonzero(weights == 0):  # what is absent may be anything
        X[i] = X[i] * 1e200
        y[i] = np.full_like(y[i], TARGETS[case["target"]][3])
    model = make(case, **options).fit(X, y, weights, **validation(case, weights_val))
    assert_same_fit(model, other)
    assert model.t_ == other.t_


@combinations(
    per_step=[True],
    target=[name for name in TARGETS if name != "multilabel"],
    way=[name for name in WAYS if name != "pooled"],
)
def test_the_target_of_a_weightless_timestep_is_of_no_consequence(case):
    X, y = data(case)
    rng = np.random.default_rng(5)
    weights = [rng.integers(0, 2, len(x)) * rng.random(len(x)) for x in X]
    for w in weights:
        w[0] = 0.7
    other_y = [part.copy() for part in y]
    for part, w in zip(other_y, weights, strict=True):
        part[w == 0] = TARGETS[case["target"]][3]
    assert any((part != other).any() for part, other in zip(y, other_y, strict=True))
    fits = [
        make(case, batch_size=4).fit(X, targets, weights, **validation(case))
        for targets in (y, other_y)
    ]
    assert_same_fit(*fits)
    assert fits[0].score(X, y, weights) == fits[1].score(X, other_y, weights)
