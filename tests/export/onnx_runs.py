"""Runs what to_onnx makes, and compares it with what the estimator predicts."""

import numpy as np
import pytest

from sequences import padded
from sklearn_rnn.export import to_onnx
from sklearn_rnn.export._network import NEXT

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("skl2onnx")

# Fits that end at once.
SMALL = {
    "hidden_size": 4,
    "tol": 1e9,
    "n_iter_no_change": 1,
    "early_stopping": False,
    "random_state": 0,
}

TOLERANCE = {"float32": 1e-5, "float64": 1e-10}


def session_of(model):
    """A session for a model, or for what to_onnx makes of an estimator."""
    model = model if hasattr(model, "graph") else to_onnx(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # threads take longer to start than these graphs to run
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def run(session, X, lengths=None):
    """The results, by name."""
    feed = {"X": X} if lengths is None else {"X": X, "lengths": lengths}
    return by_name(session, session.run(None, feed))


def run_list(session, X):
    """The results for a list of sequences, by name."""
    return run(session, padded(X), np.array([len(x) for x in X]))


def by_name(session, results):
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, results, strict=True))


def run_steps(session, X, start):
    """The results after each timestep of equally long sequences, by name.

    start : the states before the first timestep, by name
    """
    feed, results = dict(start), []
    for t in range(X.shape[1]):
        made = by_name(session, session.run(None, {"X": X[:, t], **feed}))
        feed = {name: made.pop(NEXT + name) for name in feed}
        results.append(made)
    return results


def states_of(stream):
    """The states of a stream, as a model takes them."""
    return {name: array for name, array in stream.state.items() if name != "network"}


def start_of(session, n_sequences):
    """The states before the first timestep, as docs/onnx.md makes them of the session alone."""
    dtypes = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64}
    return {
        state.name: np.full(
            [n_sequences, *state.shape[1:]],
            -np.inf if state.name == "max.highest" else 0,
            dtypes[state.type],
        )
        for state in session.get_inputs()[1:]
    }


def expected_of(estimator, X):
    """What the outputs of a model should be, by their names."""
    if hasattr(estimator, "predict_proba"):
        label = estimator.predict(X)
        if label.dtype == object:
            label = np.where(label == None, "", label)  # noqa: E711 -- in padding
        return {"label": label, "probabilities": estimator.predict_proba(X)}
    if getattr(estimator, "loss", None) == "gaussian":
        return dict(zip(("variable", "std"), estimator.predict(X, return_std=True), strict=True))
    return {"variable": estimator.predict(X)}


def worst_error(actual, expected):
    """The largest difference of any number, relative to the largest number or to 1.

    What are no numbers must be the same, and so must shapes and padding.
    """
    assert actual.keys() == expected.keys()
    worst = 0.0
    for name, wanted in expected.items():
        made = actual[name]
        assert made.shape == wanted.shape
        if wanted.dtype.kind != "f":
            np.testing.assert_array_equal(made, wanted)
            continue
        assert made.dtype == wanted.dtype
        np.testing.assert_array_equal(np.isnan(made), np.isnan(wanted))
        scale = max(1.0, np.nanmax(np.abs(wanted)))
        worst = max(worst, float(np.nanmax(np.abs(made - wanted)) / scale))
    return worst


def assert_close(actual, expected, dtype):
    error = worst_error(actual, expected)
    assert error < TOLERANCE[np.dtype(dtype).name], f"error {error:.1e}"


def with_random_parameters(model, *, seed=0):
    """Replace the parameters of a fitted network, also the biases, by random numbers."""
    vector = model._parameters.vector
    vector[...] = 0.4 * np.random.default_rng(seed).standard_normal(vector.size)
    return model
