"""ONNX Runtime gives what predict gives, whatever the network."""

import numpy as np
import pytest

from covering import cover
from networks import VARIANTS
from sequences import padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor

pytest.importorskip("onnxruntime")

from onnx_runs import (  # noqa: E402 -- which needs onnxruntime
    assert_close,
    expected_of,
    run,
    run_steps,
    session_of,
    with_random_parameters,
    worst_error,
)
from sklearn_rnn.export import to_onnx  # noqa: E402

SMALL = {
    "hidden_size": 4,
    "tol": 1e9,
    "n_iter_no_change": 1,
    "early_stopping": False,
    "random_state": 0,
}

LOSSES = {
    "squared error": {},
    "absolute error": {"loss": "absolute_error"},
    "huber": {"loss": "huber"},
    "quantile": {"loss": "quantile", "quantile": 0.8},
    "quantiles": {"loss": "quantile", "quantile": [0.1, 0.4, 0.6, 0.7, 0.9]},
    "a list of one quantile": {"loss": "quantile", "quantile": [0.9]},
    "gaussian": {"loss": "gaussian"},
    "poisson": {"loss": "poisson"},
}
# From n to n labels.
LABELS = {
    "integers": lambda rng, n: rng.permutation(np.arange(n) % 3 * 5 - 5),
    "unsigned": lambda rng, n: rng.permutation(np.arange(n) % 2).astype(np.uint8),
    "strings": lambda rng, n: rng.permutation(np.array(["no", "yes", "perhaps"])[np.arange(n) % 3]),
    "objects": lambda rng, n: LABELS["strings"](rng, n).astype(object),
    "booleans": lambda rng, n: rng.permutation(np.arange(n) % 2 == 0),
    "floats": lambda rng, n: rng.permutation(np.arange(n) % 2 + 1.0),
}
POOLINGS = ["last", "mean", "max", ("last", "mean", "max"), ("max", "last")]
FACTORS = {
    "variant": VARIANTS,
    "dtype": [np.float32, np.float64],
    "bidirectional": [False, True],
    "reads": ["each", *POOLINGS],
    "lengths": ["equal", "ragged"],
    "n_layers": [1, 2, 3],
    "standardize": [True, False],
    "target": [*LOSSES, *LABELS, "indicators"],
    "n_outputs": [None, 1, 2],
}


def possible(case):
    if case.get("target") in (*LABELS, "indicators"):
        if case.get("n_outputs") is not None:  # which a regressor's y has
            return False
        # There are no indicators per timestep; and no padding of objects.
        if case.get("reads") == "each" and case["target"] == "indicators":
            return False
    return True


def name_of(case):
    values = [getattr(value, "__name__", value) for value in case.values()]
    return " ".join(str(value) for value in values)


CASES = cover(
    FACTORS,
    ["variant", "dtype", "bidirectional", "lengths"],
    ["dtype", "target"],
    possible=possible,
)


def fitted(case, seed=0):
    """A network with random parameters, and sequences."""
    rng, per_step = np.random.default_rng(seed), case["reads"] == "each"
    X = [5 + 2 * x for x in ragged(12, dtype=case["dtype"], longest=7)]
    if case["lengths"] == "equal":
        X = [x[:1].repeat(4, axis=0) * np.arange(4)[:, np.newaxis] for x in X]
        X = [x.astype(case["dtype"]) for x in X]
    n = [len(x) for x in X]
    cell, activation = case["variant"]
    options = {
        **SMALL,
        "cell": cell,
        "activation": activation,
        "bidirectional": case["bidirectional"],
        "return_sequences": per_step,
        "pooling": "auto" if per_step else case["reads"],
        "n_layers": case["n_layers"],
        "standardize": case["standardize"],
    }
    if case["target"] in LOSSES:
        more = [] if case["n_outputs"] is None else [case["n_outputs"]]
        shapes = [(length, *more) for length in n] if per_step else (len(n), *more)
        draw = (
            (lambda shape: 3.0 * rng.poisson(2, shape))
            if case["target"] == "poisson"
            else (lambda shape: 10 + 3 * rng.standard_normal(shape))
        )
        y = [draw(shape) for shape in shapes] if per_step else draw(shapes)
        model = RNNRegressor(**options, **LOSSES[case["target"]])
    elif case["target"] == "indicators":
        y, model = rng.integers(2, size=(len(n), 3)), RNNClassifier(**options)
    else:
        y = LABELS[case["target"]](rng, sum(n) if per_step else len(n))
        y = np.split(y, np.cumsum(n)[:-1]) if per_step else y
        model = RNNClassifier(**options)
    return with_random_parameters(model.fit(X, y)), X


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_sequences(case):
    model, X = fitted(case)
    session = session_of(model)
    assert [value.name for value in session.get_inputs()] == ["X", "lengths"]
    lengths = np.array([len(x) for x in X])
    expected = expected_of(model, padded(X))
    if "label" in expected and expected["label"].dtype == object:
        expected["label"][expected["label"] == None] = ""  # noqa: E711 -- of each
    assert_close(run(session, padded(X), lengths), expected, case["dtype"])
