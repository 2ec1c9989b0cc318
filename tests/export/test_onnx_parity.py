"""ONNX Runtime gives what predict gives, whatever the network."""

import numpy as np
import pytest

from covering import cover, only_thorough
from networks import VARIANTS
from sequences import padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor

pytest.importorskip("onnxruntime")

from onnx_runs import (
    SMALL,
    assert_close,
    expected_of,
    run,
    run_list,
    run_steps,
    session_of,
    start_of,
    states_of,
    with_random_parameters,
    worst_error,
)
from sklearn_rnn.export import to_onnx

LOSSES = {
    "squared error": {},
    "absolute error": {"loss": "absolute_error"},
    "huber": {"loss": "huber"},
    "quantile": {"loss": "quantile", "quantile": 0.8},
    "quantiles": {"loss": "quantile", "quantile": [0.1, 0.2, 0.3, 0.55, 0.7, 0.9]},
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
    if case.get("target") == "indicators" and case.get("reads") == "each":
        return False  # there are no indicators per timestep
    is_classifier = case.get("target") in (*LABELS, "indicators")
    return not is_classifier or case.get("n_outputs") is None


def name_of(case):
    values = [getattr(value, "__name__", value) for value in case.values()]
    return " ".join(str(value) for value in values)


ACTING_TOGETHER = ["variant", "dtype", "bidirectional", "lengths"]
CASES = cover(FACTORS, ACTING_TOGETHER, possible=possible)
THOROUGH = cover(FACTORS, ACTING_TOGETHER, ["dtype", "target", "reads"], possible=possible)


def fitted(case, seed=0):
    """A network with random parameters, and sequences."""
    rng, per_step = np.random.default_rng(seed), case["reads"] == "each"
    X = [5 + 2 * x for x in ragged(12, dtype=case["dtype"], longest=7)]
    if case["lengths"] == "equal":
        X = list(5 + 2 * rng.standard_normal((12, 4, 3)).astype(case["dtype"]))
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


@pytest.mark.parametrize(
    "case",
    [*CASES, *only_thorough([case] for case in THOROUGH if case not in CASES)],
    ids=name_of,
)
def test_sequences(case):
    model, X = fitted(case)
    session = session_of(model)
    assert [value.name for value in session.get_inputs()] == ["X", "lengths"]
    assert_close(run_list(session, X), expected_of(model, padded(X)), case["dtype"])


STEP_FACTORS = {**FACTORS, "bidirectional": [False], "lengths": ["equal"]}
STEP_CASES = cover(STEP_FACTORS, ["variant", "dtype", "reads"], possible=possible)


@pytest.mark.parametrize("case", STEP_CASES, ids=name_of)
def test_steps(case):
    model, X = fitted(case)
    X = np.stack(X)
    session = session_of(to_onnx(model, step=True))
    results = run_steps(session, X, states_of(model.stream(len(X))))
    for t, actual in enumerate(results):
        expected = expected_of(model, X[:, : t + 1])
        if case["reads"] == "each":
            expected = {name: array[:, t] for name, array in expected.items()}
        assert_close(actual, expected, case["dtype"])


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_states_are_those_of_streams(cell):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((5, 6, 2))
    model = RNNClassifier(cell=cell, n_layers=2, **SMALL).fit(X, [0, 1, 0, 1, 2])
    with_random_parameters(model)
    session, stream = session_of(to_onnx(model, step=True)), model.stream(5)
    stream.read(X[:, :3])  # one goes on where the other stopped
    state = states_of(stream)
    inputs = {value.name: value for value in session.get_inputs()[1:]}
    assert [*inputs] == [*state]
    for name, array in state.items():
        assert inputs[name].shape == ["batch", *array.shape[1:]]
    results = run_steps(session, X[:, 3:], state)
    assert worst_error(results[-1], expected_of(model, X)) < 1e-10


def test_first_states_need_no_estimator():
    X = np.random.default_rng(0).standard_normal((5, 6, 2)).astype(np.float32)
    model = RNNClassifier(cell="lstm", n_layers=2, **SMALL).fit(X, [0, 1, 0, 1, 2])
    start = start_of(session_of(to_onnx(model, step=True)), 5)
    state = states_of(model.stream(5))
    assert start.keys() == state.keys()
    for name, array in state.items():
        assert start[name].dtype == array.dtype
        np.testing.assert_array_equal(start[name], array)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_table(dtype):
    X = np.random.default_rng(0).standard_normal((9, 5)).astype(dtype)
    model = with_random_parameters(RNNRegressor(**SMALL).fit(X, X[:, 0]))
    session = session_of(model)
    assert [(value.name, value.shape) for value in session.get_inputs()] == [("X", ["batch", 5])]
    assert_close(run(session, X), expected_of(model, X), dtype)
    session = session_of(to_onnx(model, step=True))
    steps = run_steps(session, X[:, :, np.newaxis], states_of(model.stream(9)))
    assert_close(steps[-1], expected_of(model, X), dtype)


@pytest.mark.parametrize(("fitted_on", "dtype"), [("float32", "float64"), ("float64", "float32")])
@pytest.mark.parametrize("step", [False, True])
def test_dtype_of_choice(fitted_on, dtype, step):
    X = 1 + np.random.default_rng(0).standard_normal((8, 6, 2))
    model = with_random_parameters(RNNRegressor(**SMALL).fit(X.astype(fitted_on), X[:, 0]))
    session = session_of(to_onnx(model, step=step, dtype=dtype))
    X = X.astype(dtype)
    if step:
        start = start_of(session, len(X))
        actual = run_steps(session, X, start)[-1]
    else:
        actual = run(session, X, np.full(8, 6))
    assert actual["variable"].dtype == dtype
    np.testing.assert_allclose(actual["variable"], model.predict(X), rtol=1e-5, atol=1e-5)


def operators_of(model):
    return {node.op_type for node in model.graph.node}


def test_operators_with_fast_kernels_in_float32_only():
    X = np.random.default_rng(0).standard_normal((8, 6, 2))
    for cell, operator in {"elman": "RNN", "lstm": "LSTM", "gru": "GRU"}.items():
        model = RNNRegressor(cell=cell, **SMALL).fit(X, X[:, 0])
        assert operator in operators_of(to_onnx(model, dtype="float32"))
        operators = operators_of(to_onnx(model))
        assert "Scan" in operators
        assert operator not in operators


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_opset_from_the_first_on(dtype):
    onnx = pytest.importorskip("onnx")
    X = np.random.default_rng(0).standard_normal((8, 6, 2))
    model = with_random_parameters(RNNClassifier(**SMALL).fit(X, np.arange(8) % 2))
    for opset in (18, 22, min(24, onnx.defs.onnx_opset_version())):
        converted = to_onnx(model, target_opset=opset, dtype=dtype)
        assert {part.domain: part.version for part in converted.opset_import} == {"": opset}
        actual = run(session_of(converted), X.astype(dtype), np.full(8, 6))
        expected = expected_of(model, X)
        expected["probabilities"] = expected["probabilities"].astype(dtype)
        assert_close(actual, expected, dtype)


def test_padding_may_hold_anything():
    X = ragged(9, dtype=np.float32)
    model = with_random_parameters(
        RNNClassifier(bidirectional=True, n_layers=2, **SMALL).fit(X, np.arange(9) % 3)
    )
    session, lengths = session_of(model), np.array([len(x) for x in X])
    expected = expected_of(model, X)
    for fill in (np.nan, np.inf, 1e30, 0):
        assert_close(run(session, padded(X, fill), lengths), expected, np.float32)


@pytest.mark.parametrize("step", [False, True])
def test_large_means_cost_no_digits(step):
    X = 30000.2 + np.random.default_rng(0).standard_normal((8, 6, 2)).astype(np.float32)
    model = with_random_parameters(RNNRegressor(**SMALL).fit(X, X[:, 0] - 30000))
    assert (model.X_mean_ != model.X_mean_.astype(np.float32)).all()
    session = session_of(to_onnx(model, step=step))
    if step:
        actual = run_steps(session, X, start_of(session, 8))[-1]
    else:
        actual = run(session, X, np.full(8, 6))
    assert_close(actual, expected_of(model, X), np.float32)


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
def test_another_runtime(cell):
    reference = pytest.importorskip("onnx.reference")
    X = ragged(5)  # the reference implementation knows no reverse direction
    model = RNNRegressor(cell=cell, n_layers=2, pooling=("mean", "max"), **SMALL)
    with_random_parameters(model.fit(X, np.arange(5.0)))
    evaluator = reference.ReferenceEvaluator(to_onnx(model))
    feed = {"X": padded(X), "lengths": np.array([len(x) for x in X])}
    np.testing.assert_allclose(evaluator.run(None, feed)[0], model.predict(X), rtol=1e-10)
