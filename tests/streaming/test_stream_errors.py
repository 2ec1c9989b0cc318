"""What a stream refuses, and what the errors say."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.exceptions import NotFittedError

from sklearn_rnn import RNNClassifier, RNNRegressor
from streamed import assert_same_state, fitted, sequences

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("model", [RNNRegressor(), RNNClassifier()])
@pytest.mark.parametrize(
    "method", ["stream", "transform", "hidden_states", "get_feature_names_out"]
)
def test_not_fitted(model, method):
    arguments = [] if method in ("stream", "get_feature_names_out") else [sequences(1, 2)]
    with pytest.raises(NotFittedError):
        getattr(model, method)(*arguments)


def test_both_directions():
    with pytest.raises(ValueError, match="bidirectional=True can't be streamed"):
        fitted(bidirectional=True).stream()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_sequences": 0}, "n_sequences must be at least 1; got 0"),
        ({"n_sequences": -1}, "n_sequences must be at least 1; got -1"),
        ({"n_sequences": 2.0}, "n_sequences must be an integer; got float"),
        ({"n_sequences": True}, "n_sequences must be an integer; got bool"),
        ({"n_sequences": None}, "n_sequences must be an integer; got NoneType"),
        ({"method": "predict_proba"}, r"of RNNRegressor gives .* one of \['predict'\]"),
        ({"method": "transform"}, "method='transform'"),
        ({"method": None}, "method=None"),
    ],
)
def test_arguments(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        fitted().stream(**arguments)


def test_the_methods_of_a_classifier():
    message = r"one of \['predict', 'predict_proba', 'predict_log_proba'\]"
    with pytest.raises(ValueError, match=message):
        fitted("classes").stream(method="decision_function")


BAD_TIMESTEPS = {
    "another width": (np.zeros((2, 4)), r"x must have the shape .*\(2, 3\); got ndarray of shape"),
    "another number": (np.zeros((1, 3)), r"x must have the shape"),
    "transposed": (np.zeros((3, 2)), r"x must have the shape"),
    "one sequence of two": (np.zeros(3), r"x must have the shape"),
    "a chunk": (np.zeros((2, 1, 3)), r"x must have the shape"),
    "a number": (1.0, r"x must have the shape"),
    "nothing": (None, "x"),
    "strings": ([["a", "b", "c"]] * 2, "x must hold numbers"),
    "complex": (np.zeros((2, 3), complex), "x has dtype complex"),
    "ragged": ([[1.0, 2.0], [3.0]], "x"),
    "masked": (np.ma.masked_less(np.arange(6.0).reshape(2, 3), 2), "x is a masked array"),
    "sparse": (csr_array(np.eye(2, 3)), "x"),
}


@pytest.mark.parametrize("name", BAD_TIMESTEPS)
def test_timesteps(name):
    x, message = BAD_TIMESTEPS[name]
    stream = fitted().stream(2)
    stream.read(sequences(2, 3))
    before = stream.state
    with pytest.raises((ValueError, TypeError), match=message):
        stream.step(x)
    assert_same_state(stream.state, before)


BAD_CHUNKS = {
    "another width": (np.zeros((2, 5, 4)), "X has 4 features, but RNNRegressor is expecting 3"),
    "another number": (np.zeros((3, 5, 3)), "X has 3 sequences, but this stream reads 2"),
    "no timesteps": (np.zeros((2, 0, 3)), "X has shape"),
    "2-D": (np.zeros((2, 3)), "X has 1 features"),
    "1-D": (np.zeros(3), "X must be an array"),
    "an empty sequence": ([np.zeros((2, 3)), np.zeros((0, 3))], r"X\[1\] .* is an empty sequence"),
    "all padding": (np.full((2, 2, 3), np.nan), r"X\[0\] is an empty sequence"),
    "strings": (np.full((2, 2, 3), "a"), "X must hold numbers"),
}


@pytest.mark.parametrize("name", BAD_CHUNKS)
def test_chunks(name):
    X, message = BAD_CHUNKS[name]
    stream = fitted().stream(2)
    stream.read(sequences(2, 3))
    before = stream.state
    with pytest.raises((ValueError, TypeError), match=message):
        stream.read(X)
    assert_same_state(stream.state, before)


def test_a_stream_in_two_threads_at_once():
    """One step within another, as two threads might."""
    stream = fitted().stream()
    with pytest.raises(RuntimeError, match="already entered"):
        stream._advance.func(stream.step, sequences(1, 1)[0, 0])
