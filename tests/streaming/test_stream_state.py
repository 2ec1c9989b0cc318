"""The state of a stream: saved, set, copied, started anew, and as it was after an error."""

import copy
import io
import pickle
from itertools import product

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_rnn._fitted import FittedNetwork
from sklearn_rnn.core.cells import CELLS
from streamed import assert_equal, assert_same_state, fitted, sequences

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

POOLED = {"n_layers": 2, "pooling": ("last", "mean", "max")}
cells = pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])


def through_joblib(stream):
    file = io.BytesIO()
    joblib.dump(stream, file)
    file.seek(0)
    return joblib.load(file)


COPIES = {
    "pickle": lambda stream: pickle.loads(pickle.dumps(stream)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "joblib": through_joblib,
}


@cells
@pytest.mark.parametrize("way", COPIES)
def test_a_copy_goes_on_alone(cell, way):
    model, X = fitted(cell=cell, **POOLED), sequences(2, 6)
    stream = model.stream(2)
    for t in range(3):
        stream.step(X[:, t])
    other = COPIES[way](stream)
    assert (other.n_sequences, other.method) == (2, "predict")
    assert_same_state(other.state, stream.state)
    other.read(X)
    for t in range(3, 6):
        y = stream.step(X[:, t])
    assert_equal(y, model.predict(X))
    assert_equal(
        other.step(X[:, 0]), model.predict(np.concatenate([X[:, :3], X, X[:, :1]], axis=1))
    )


@cells
def test_a_state_is_a_dict_of_arrays_that_a_file_can_hold(cell):
    model, X = fitted(cell=cell, **POOLED), sequences(3, 6)
    stream = model.stream(3)
    stream.read(X[:, :4])
    state = stream.state
    assert type(state) is dict
    h = [model.hidden_states(X[:, :4], layer)[:, -1] for layer in (0, 1)]
    for k in (0, 1):
        assert_equal(state[f"layer_{k}.h"], h[k])
    assert ("layer_1.c" in state) == (cell == "lstm")
    assert_array_equal(state["mean.n_steps"], [4, 4, 4])
    file = io.BytesIO()
    np.savez(file, **state)
    file.seek(0)
    other = model.stream(3)
    with np.load(file) as saved:
        other.state = saved
    assert_equal(other.read(X[:, 4:]), model.predict(X))


def test_a_state_is_a_copy():
    stream, X = fitted(cell="lstm", **POOLED).stream(1), sequences(1, 3)
    state = stream.state
    kept = {name: array.copy() for name, array in state.items()}
    for t in range(3):
        stream.step(X[:, t])
    assert_same_state(state, kept)
    stream.state = state
    for array in state.values():
        array[...] = 0
    assert_same_state(stream.state, kept)


@pytest.mark.parametrize("rows", [None, 1, [0, 2], slice(1, None), [True, False, True], -1])
def test_reset(rows):
    model, X = fitted(cell="lstm", **POOLED), sequences(3, 6)
    for n_before in (2, 3):  # the present side of the stepper is the one or the other
        stream = model.stream(3)
        for t in range(n_before):
            stream.step(X[:, t])
        assert stream.reset(rows) is stream
        for t in range(3, 6):
            y = stream.step(X[:, t])
        expected = model.predict(np.concatenate([X[:, :n_before], X[:, 3:]], axis=1))
        chosen = slice(None) if rows is None else rows
        expected[chosen] = model.predict(X[:, 3:])[chosen]
        assert_equal(y, expected)


@pytest.mark.parametrize("rows", [3, [0, -4], "first", [0.5], [True, False]])
def test_rows_that_are_none(rows):
    stream = fitted().stream(3)
    stream.step(sequences(3, 1)[:, 0])
    state = stream.state
    with pytest.raises(ValueError, match=r"^rows=.* doesn't choose among 3 sequences"):
        stream.reset(rows)
    assert_same_state(stream.state, state)


def state_after(n_sequences=2, **options):
    """The state of a stream that has read two timesteps."""
    stream = fitted(**{"cell": "lstm"} | options).stream(n_sequences)
    stream.read(sequences(n_sequences, 2))
    return stream.state


ANOTHER = "belongs to another network"
OTHER_STATES = {
    "more layers": (lambda: state_after(n_layers=2), ANOTHER),
    "another cell": (lambda: state_after(cell="gru"), ANOTHER),
    "pools": (lambda: state_after(pooling="mean"), ANOTHER),
    "other weights": (lambda: state_after(random_state=1), ANOTHER),
    "another precision": (lambda: state_after(dtype=np.float32), "has dtype float32.*" + ANOTHER),
    "no units": (lambda: state_after(standardize=False), ANOTHER),
    "another width": (lambda: state_after(hidden_size=3), r"'layer_0.h'\] has shape \(2, 3\)"),
    "fewer sequences": (
        lambda: state_after(1),
        r"has shape \(1, 4\), but this stream of 2 sequences needs \(2, 4\)",
    ),
    "one of two": (lambda: {k: v for k, v in state_after().items() if k != "layer_0.c"}, ANOTHER),
    "a number as a name": (lambda: state_after() | {0: np.zeros((2, 4))}, ANOTHER),
    "a list": (lambda: list(state_after().values()), "state must be a dict"),
    "integers": (lambda: state_after() | {"layer_0.h": np.zeros((2, 4), int)}, "has dtype int64"),
    "a swapped array": (lambda: state_after() | {"layer_0.h": np.zeros((4, 2))}, "has shape"),
}


@pytest.mark.parametrize("name", OTHER_STATES)
def test_states_of_others_are_refused(name):
    make_state, message = OTHER_STATES[name]
    stream = fitted(cell="lstm").stream(2)
    stream.step(sequences(2, 1)[:, 0])
    before = stream.state
    with pytest.raises((ValueError, TypeError), match=message):
        stream.state = make_state()
    assert_same_state(stream.state, before)


class Breaks(Exception):
    """What an interrupted computation raises."""


@cells
@pytest.mark.parametrize("n_before", [0, 1, 2])
def test_a_failed_step_leaves_the_stream_as_it_was(cell, n_before):
    model, X = fitted(cell=cell, **POOLED), sequences(2, 5)
    stream = model.stream(2)
    for t in range(n_before):
        stream.step(X[:, t])
    before = stream.state
    for bad in (np.nan, np.inf, -np.inf):
        for place in ((0, 0), (1, 2)):
            x = X[:, 4].copy()
            x[place] = bad
            with pytest.raises(ValueError, match=rf"sequence {place[0]} has .* feature {place[1]}"):
                stream.step(x)
            with pytest.raises(ValueError, match="X contains NaN or infinity"):
                stream.read([X[0, :2], np.vstack([X[1, :3], x[place[0]]])])
            assert_same_state(stream.state, before)
    for t in range(n_before, 5):
        y = stream.step(X[:, t])
    assert_equal(y, model.predict(X))


@cells
@pytest.mark.parametrize("where", ["layer", "response"])
def test_an_interrupted_step_leaves_the_stream_as_it_was(cell, where, monkeypatch):
    model, X = fitted("counts", cell=cell, **POOLED), sequences(2, 5)  # their link is computed
    n_calls, forward = [0], CELLS[cell].forward

    def forward_until_told(self, weights, step):
        forward(self, weights, step)
        n_calls[0] += 1
        if where == "layer" and n_calls[0] == 6:  # the upper layer's third
            raise Breaks

    def linked(self, raw):
        if where == "response" and n_calls[0] == 6:
            n_calls[0] += 1
            raise Breaks
        return raw

    monkeypatch.setattr(CELLS[cell], "forward", forward_until_told)
    monkeypatch.setattr(FittedNetwork, "_linked", linked)
    stream = model.stream(2)
    for t in range(2):
        stream.step(X[:, t])
    before = stream.state
    with pytest.raises(Breaks):
        stream.step(X[:, 2])
    assert_same_state(stream.state, before)
    for t in range(2, 5):
        y = stream.step(X[:, t])
    assert_equal(y, model.predict(X))


@pytest.mark.parametrize("kind", ["one output", "counts", "quantiles", "gaussian"])
def test_an_overflow_leaves_the_stream_as_it_was(kind):
    """A rectified network, which has no upper bound, at the largest numbers."""
    rectified = {"cell": "elman", "activation": "relu", "hidden_size": 30}
    model = fitted(kind, standardize=False, learning_rate_init=1e-9, **rectified)
    X = sequences(1, 4)
    stream = model.stream()
    stream.read(X)
    before = stream.state
    for signs in product([-1, 1], repeat=3):
        x = np.finfo(float).max * np.array(signs)
        try:
            model.predict(np.concatenate([X, x[np.newaxis, np.newaxis]], axis=1))
        except ValueError:
            break
    else:
        pytest.fail("none of the values makes the network overflow")
    for call, argument in ((stream.step, "x"), (lambda x: stream.read(x[np.newaxis]), "X")):
        with pytest.raises(ValueError, match=f"predictions overflow: either {argument} has values"):
            call(x)
        assert_same_state(stream.state, before)


def test_values_too_large_for_the_precision():
    stream = fitted(dtype=np.float32).stream()
    before = stream.state
    with pytest.raises(ValueError, match=r"^x has values too large for float32 in sequence 0"):
        stream.step([0.0, 1e39, 0.0])
    assert_same_state(stream.state, before)


def test_numpy_s_error_handling_does_not_matter():
    """Neither the caller's is used, nor is it changed."""
    model, X = fitted("counts", cell="lstm", **POOLED), sequences(1, 4) * 1e-3
    with np.errstate(all="raise"):
        before = np.geterr()
        stream = model.stream()
        for t in range(4):
            y = stream.step(X[:, t])
        assert np.geterr() == before
    assert_equal(y, model.predict(X))
