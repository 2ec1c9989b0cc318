"""A fitted estimator keeps the networks that it has predicted with, and nobody can tell."""

import pickle
from copy import copy, deepcopy
from threading import Barrier, Thread

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sequences import padded
from sklearn_rnn import RNNRegressor
from sklearn_rnn.core import idle
from sklearn_rnn.core.network import Network

X = np.random.default_rng(0).standard_normal((20, 6, 3))
Y = X[:, -1, 0]


def fitted(**params):
    return RNNRegressor(hidden_size=5, tol=1e9, random_state=0, **params).fit(X, Y)


@pytest.fixture
def made(monkeypatch):
    """The networks that are made from now on."""
    networks = []

    class Counted(Network):
        def __init__(self, *parts):
            super().__init__(*parts)
            networks.append(self)

    monkeypatch.setattr(idle, "Network", Counted)
    return networks


def test_one_network_serves_one_call_after_another(made):
    model = fitted()
    first = model.predict(X)
    assert len(made) == 1  # for many sequences, and not kept
    for rows in (slice(1), slice(3, 9), slice(12, 20)):
        assert_allclose(model.predict(X[rows]), first[rows], rtol=1e-12)
        model.transform(X[rows])
    assert len(made) == 2


@pytest.mark.parametrize("method", ["predict", "transform"])
@pytest.mark.parametrize(
    "params",
    [{}, {"pooling": ["mean", "max"]}, {"bidirectional": True}, {"return_sequences": True}],
    ids=str,
)
def test_a_result_shares_no_memory_with_the_next_one(method, params):
    model = RNNRegressor(hidden_size=5, tol=1e9, random_state=0, **params)
    model.fit(X, X[:, :, 0] if "return_sequences" in params else Y)
    result = getattr(model, method)(X[:2])
    kept = result.copy()
    getattr(model, method)(X[2:4])
    assert_array_equal(result, kept)


IN_TURN = [[6], [2], [6, 6, 6], [6, 1, 3], [6], [6, 1, 3], [2], [6, 6, 6]]


@pytest.mark.parametrize("container", ["list", "padded array"])
@pytest.mark.parametrize(
    "params",
    [
        {"cell": "elman"},
        {"cell": "lstm", "n_layers": 2},
        {"pooling": ["last", "mean", "max"]},
        {"bidirectional": True},
        {"return_sequences": True, "standardize": False},
        {"return_sequences": True, "bidirectional": True},
    ],
    ids=str,
)
def test_calls_with_the_same_lengths_leave_each_other_no_traces(made, params, container):
    """Layouts and memory are kept by the lengths of the sequences of a call."""
    model = RNNRegressor(hidden_size=5, tol=1e9, random_state=0, **params)
    model.fit(X, X[:, :, 0] if "return_sequences" in params else Y)
    for k, lengths in enumerate(IN_TURN):
        sequences = [X[k + i][:length] for i, length in enumerate(lengths)]
        given = padded(sequences) if container == "padded array" else sequences
        fresh = pickle.loads(pickle.dumps(model))
        for method in ("predict", "transform"):
            results = getattr(model, method)(given), getattr(fresh, method)(given)
            for ours, theirs in zip(*results, strict=True):
                assert_array_equal(ours, theirs)
    assert len(made) == 1 + len(IN_TURN)  # one network has computed all of it


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_refused_leaves_no_traces(value):
    model = fitted()
    before = model.predict(X[:1])
    bad = X[:1].copy()
    bad[0, 2, 1] = value
    for _ in range(2):
        with pytest.raises(ValueError, match=f"sample 0 has {value} at timestep 2, feature 1"):
            model.predict(bad)
    assert_array_equal(model.predict(X[:1]), before)


def test_a_network_computes_under_its_own_settings_of_numpy():
    model, huge = fitted(standardize=False), np.full((1, 6, 3), 1e300)
    before = model.predict(X[:1])
    with np.errstate(all="raise"):
        assert_array_equal(model.predict(X[:1]), before)
        model.predict(huge)  # overflows in the products, but not in tanh
        assert set(np.geterr().values()) == {"raise"}


def test_threads_have_a_network_each_while_they_compute():
    """Two works meet inside, which they couldn't if one had to wait for the other's network."""
    parts = fitted()
    networks = idle.IdleNetworks(parts._architecture, parts._parameters, parts._units)
    meeting, seen = Barrier(2, timeout=60), []

    def work(network):
        meeting.wait()
        return network

    threads = [Thread(target=lambda: seen.append(networks.compute(work, 1))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(network) for network in seen}) == 2
    assert networks.compute(lambda network: network, 1) in seen


def test_no_more_idle_networks_are_kept_than_are_worth_it(made, monkeypatch):
    monkeypatch.setattr(idle, "MAX_IDLE", 1)
    networks = fitted()._networks
    networks.compute(lambda _: networks.compute(lambda _: None, 1), 1)  # two at the same time
    networks.compute(lambda _: networks.compute(lambda _: None, 1), 1)
    assert len(made) == 3


def test_a_network_whose_work_was_interrupted_is_not_used_again(made):
    def interrupted(network):
        raise KeyboardInterrupt

    model = fitted()
    expected = model.predict(X[:8])
    with pytest.raises(KeyboardInterrupt):
        model._networks.compute(interrupted, 1)
    assert_array_equal(model.predict(X[:8]), expected)
    assert len(made) == 2


@pytest.mark.parametrize("go_on", ["fit", "partial_fit"])
def test_predictions_are_those_of_the_present_weights(go_on):
    model = fitted(learning_rate_init=0.1)
    before = model.predict(X[:8])
    getattr(model, go_on)(X, -Y)
    after = model.predict(X[:8])
    assert not np.allclose(before, after)
    assert_array_equal(after, pickle.loads(pickle.dumps(model)).predict(X[:8]))


def test_the_state_has_no_networks(made):
    model = fitted()
    size = len(pickle.dumps(model))
    expected = model.predict(X[:8])
    assert len(pickle.dumps(model)) == size
    for other in (pickle.loads(pickle.dumps(model)), deepcopy(model), copy(model)):
        assert_array_equal(other.predict(X[:8]), expected)
    assert len(made) == 4


def test_an_unfitted_estimator_can_be_pickled():
    assert not hasattr(pickle.loads(pickle.dumps(RNNRegressor())), "_networks")
