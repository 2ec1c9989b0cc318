"""A stream gives what the estimator's method gives for all that was read, wherever it is cut."""

import tracemalloc
from threading import Barrier, Thread

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from covering import cover
from networks import VARIANTS
from sequences import CONTAINERS, ragged
from sklearn_rnn import RNNRegressor
from streamed import (
    KINDS,
    METHODS,
    POOLINGS,
    assert_equal,
    assert_same_state,
    fitted,
    sequences,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FACTORS = {
    "cell": VARIANTS,
    "n_layers": [1, 2, 3],
    "kind": KINDS,
    "per_step": [False, True],
    "pooling": POOLINGS,
    "dtype": [np.float32, np.float64],
    "standardize": [True, False],
    "n_sequences": [1, 3],
}


def possible(case):
    per_step = case.get("per_step")
    return not (
        per_step and (case.get("pooling", "last") != "last" or case.get("kind") == "labels")
    )


def model_of(case):
    (cell, activation), case = case["cell"], dict(case)
    del case["n_sequences"], case["cell"]
    return fitted(cell=cell, activation=activation, **case)


def methods_of(model):
    return [method for method in METHODS if hasattr(model, method)]


all_networks = pytest.mark.parametrize(
    "case",
    cover(FACTORS, possible=possible),
    ids=lambda case: "-".join(getattr(v, "__name__", str(v)) for v in case.values()),
)


@all_networks
def test_steps_equal_growing_prefixes(case):
    model, X = model_of(case), sequences(case["n_sequences"], 6, case["dtype"])
    for method in methods_of(model):
        stream = model.stream(case["n_sequences"], method)
        for t in range(6):
            expected = getattr(model, method)(X[:, : t + 1])
            expected = expected[:, t] if case["per_step"] else expected
            assert_equal(stream.step(X[:, t]), expected)


@all_networks
def test_chunks_equal_the_whole(case):
    model, X = model_of(case), sequences(case["n_sequences"], 9, case["dtype"])
    for method in methods_of(model):
        stream = model.stream(case["n_sequences"], method)
        parts = [stream.read(X[:, :4]), stream.read(X[:, 4:5]), stream.read(X[:, 5:])]
        actual = np.concatenate(parts, axis=1) if case["per_step"] else parts[-1]
        assert_equal(actual, getattr(model, method)(X))


CUTS = st.lists(st.tuples(st.integers(1, 7), st.booleans()), min_size=1, max_size=12)


@settings(max_examples=60)
@given(
    cuts=CUTS,
    cell=st.sampled_from(["elman", "gru", "lstm"]),
    n_layers=st.integers(1, 2),
    pooling=st.sampled_from(POOLINGS),
    n_sequences=st.integers(1, 4),
)
def test_cut_anywhere(cuts, cell, n_layers, pooling, n_sequences):
    """Chunks and single steps by turns, with a copy of the stream or its state in between."""
    model = fitted(cell=cell, n_layers=n_layers, pooling=pooling)
    X = sequences(n_sequences, sum(n_steps for n_steps, _ in cuts))
    stream, start = model.stream(n_sequences), 0
    for n_steps, in_steps in cuts:
        chunk = X[:, start : start + n_steps]
        start += n_steps
        if in_steps:
            for t in range(n_steps):
                y = stream.step(chunk[:, t])
            state = stream.state
            stream = model.stream(n_sequences)
            stream.state = state
        else:
            y = stream.read(chunk)
        assert_equal(y, model.predict(X[:, :start]))


@pytest.mark.parametrize(
    "case",
    cover(
        {
            "cell": ["elman", "gru", "lstm"],
            "pooling": POOLINGS,
            "n_layers": [1, 2],
            "per_step": [False, True],
            "container": list(CONTAINERS),
        },
        possible=possible,
    ),
    ids=lambda case: "-".join(map(str, case.values())),
)
def test_sequences_of_different_lengths(case):
    contain, per_step = CONTAINERS[case["container"]], case["per_step"]
    model = fitted(**{name: case[name] for name in case if name != "container"})
    one, other = (ragged(7, seed=seed, longest=40) for seed in (5, 6))
    stream = model.stream(7)
    stream.read(contain(one))
    actual = stream.read(contain(other))
    whole = [np.concatenate(pair) for pair in zip(one, other, strict=True)]
    expected = model.predict(whole)
    if per_step:
        assert type(actual) is type(model.predict(contain(other)))
        for part, all_of_it, x in zip(actual, expected, other, strict=True):
            assert_equal(part[: len(x)], all_of_it[-len(x) :])
            assert np.isnan(part[len(x) :]).all()
    else:
        assert_equal(actual, expected)
    for k, x in enumerate(whole):  # the states are those at the end of each sequence
        alone = model.stream()
        alone.read(x)
        for name, array in alone.state.items():
            if name != "network":
                assert_equal(stream.state[name][k : k + 1], array)


def test_many_sequences():
    """More than are computed side by side."""
    model, X = fitted(pooling=("last", "mean", "max")), sequences(600, 4)
    stream = model.stream(600)
    stream.read([x[: 1 + i % 3] for i, x in enumerate(X)])
    rest = [x[1 + i % 3 :] for i, x in enumerate(X)]
    assert_equal(stream.read(rest), model.predict(X))
    stream.reset().read(X[:, :3])
    assert_equal(stream.step(X[:, 3]), model.predict(X))


def test_memory_does_not_grow():
    model, x = fitted(pooling=("last", "mean", "max")), sequences(1, 1)[0, 0]
    stream = model.stream()
    for _ in range(100):
        stream.step(x)
    tracemalloc.start()
    for _ in range(500):
        stream.step(x)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 2000  # 500 predictions alone would be more


SHAPES_OF_X = {
    "(n_features,)": lambda x: x[0],
    "(1, n_features)": lambda x: x,
    "list": lambda x: x[0].tolist(),
    "nested list": lambda x: x.tolist(),
    "DataFrame": pd.DataFrame,
    "float32": lambda x: x.astype(np.float32).astype(x.dtype),
    "reversed memory": lambda x: x[:, ::-1].copy()[:, ::-1],
    "object": lambda x: x.astype(object),
}


@pytest.mark.parametrize("shape", SHAPES_OF_X)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_a_timestep_may_be(shape, dtype):
    model, X = fitted(dtype=dtype), sequences(1, 3, np.float32).astype(dtype)
    stream = model.stream()
    for t in range(3):
        y = stream.step(SHAPES_OF_X[shape](X[:, t]))
    assert_equal(y, model.predict(X))


@pytest.mark.parametrize("dtype", [int, np.int8, np.uint64, bool, np.float16, np.float64])
@pytest.mark.parametrize("of_network", [np.float32, np.float64])
def test_numbers_of_other_dtypes(dtype, of_network):
    model = fitted(dtype=of_network)
    X = np.abs(sequences(2, 3)).astype(dtype)
    stream = model.stream(2)
    for t in range(3):
        y = stream.step(X[:, t])
    assert_equal(y, model.predict(X))


@pytest.mark.parametrize("on_table", [False, True])
@pytest.mark.parametrize("n_sequences", [1, 2])
def test_one_feature(on_table, n_sequences):
    table = np.random.default_rng(0).standard_normal((9, 5))
    X = table if on_table else table[:, :, np.newaxis]
    model = RNNRegressor(hidden_size=4, max_iter=2, tol=1e9, random_state=0).fit(X, table[:, 0])
    expected = model.predict(X[:n_sequences])
    for columns in (table[:n_sequences], table[:n_sequences, :, np.newaxis]):
        stream = model.stream(n_sequences)
        for t in range(5):
            y = stream.step(columns[:, t])
        assert_equal(y, expected)
        stream.reset()
        stream.read(columns[:, :2])
        assert_equal(stream.read(columns[:, 2:]), expected)


def test_one_sequence_as_a_table_of_timesteps():
    model, X = fitted(), sequences(1, 5)
    for x in (X[0], pd.DataFrame(X[0])):
        assert_equal(model.stream().read(x), model.predict(X))


def test_eight_threads_with_a_stream_each():
    model = fitted(cell="lstm", n_layers=2, pooling=("last", "mean", "max"))
    X, n_threads = sequences(8, 60), 8
    barrier, results = Barrier(n_threads), [None] * n_threads

    def work(k):
        barrier.wait()
        stream = model.stream()
        stream.read(X[k, :20])
        results[k] = [stream.step(x) for x in X[k, 20:]]

    threads = [Thread(target=work, args=(k,)) for k in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(n_threads):
        expected = [model.predict(X[k : k + 1, : 21 + t]) for t in range(40)]
        assert_equal(results[k], expected)


def test_streams_share_no_memory():
    model = fitted(cell="lstm", pooling=("last", "mean", "max"))
    X = sequences(1, 4)
    one, other = model.stream(), model.stream()
    kept = other.step(X[:, 0])
    state = other.state
    before = kept.copy()
    for t in range(4):
        one.step(X[:, t])
        one.read(X)
    assert_same_state(other.state, state)
    assert_equal(kept, before)
    for mine, others in zip(one.state.values(), one.state.values(), strict=True):
        assert not np.shares_memory(mine, others)


def test_the_results_of_steps_are_arrays_of_their_own():
    stream, X = fitted().stream(2), sequences(2, 5)
    results = [stream.step(X[:, t]) for t in range(5)]
    copies = [y.copy() for y in results]
    stream.step(X[:, 0])
    assert_equal(results, copies)
    assert len({y.__array_interface__["data"] for y in results}) == 5


def test_a_stream_goes_on_with_the_weights_that_it_began_with():
    X, y = sequences(9, 5), np.arange(9.0)
    model = clone(fitted()).set_params(max_iter=2).fit(X, y)
    stream, expected = model.stream(9), model.predict(X)
    stream.read(X[:, :2])
    model.partial_fit(X, y)
    model.set_params(hidden_size=7).fit(X, -y)
    assert_equal(stream.read(X[:, 2:]), expected)
