"""Patches: which timesteps share a patch, and the way back."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError

from sequences import CONTAINERS, assert_same_lists, object_array, padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.preprocessing import Patches

NAN = np.nan


def by_loop(x, size):
    """Patches from the end of a sequence; a timestep before the first is the first."""
    n = -(-len(x) // size)
    start = len(x) - n * size
    rows = [
        np.concatenate([x[max(0, start + i * size + step)] for step in range(size)])
        for i in range(n)
    ]
    return np.array(rows)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_are_counted_from_the_end(size):
    X = ragged(n=8, n_features=2)
    assert_same_lists(Patches(size).fit_transform(X), [by_loop(x, size) for x in X])


def test_padding_is_not_in_a_patch():
    X = np.array([[1.0, 2, 3, 4, 5], [1, 2, NAN, NAN, NAN]])[:, :, np.newaxis]
    expected = [[[1, 1], [2, 3], [4, 5]], [[1, 2], [NAN, NAN], [NAN, NAN]]]
    assert_array_equal(Patches(2).fit_transform(X), expected)


def test_of_a_table_are_three_dimensional():
    table = np.arange(8.0).reshape(2, 4)
    patches = Patches(3).fit(table)
    expected = [[[0, 0, 0], [1, 2, 3]], [[4, 4, 4], [5, 6, 7]]]
    assert_array_equal(patches.transform(table), expected)
    assert_array_equal(patches.inverse_transform(expected, lengths=[4, 4]), table)
    assert patches.get_feature_names_out().tolist() == ["x0_step0", "x0_step1", "x0_step2"]
    single = Patches(1).fit(table)
    assert_array_equal(single.transform(table), table)
    assert_array_equal(single.inverse_transform(table), table)


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    size=st.integers(1, 12),
    n_features=st.integers(1, 3),
    container=st.sampled_from(list(CONTAINERS)),
)
def test_there_and_back(lengths, size, n_features, container):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(length, n_features)) for length in lengths]
    given = CONTAINERS[container](X)
    patches = Patches(size).fit(given)
    back = patches.inverse_transform(patches.transform(given), lengths=lengths)
    if container == "padded array":
        assert_array_equal(back, given)
    else:
        assert_same_lists(list(back), X)


def test_back_without_lengths_keeps_what_was_filled_up():
    patches = Patches(2).fit([np.arange(3.0)])
    (back,) = patches.inverse_transform(patches.transform([np.arange(3.0)]))
    assert_array_equal(back, [0, 0, 1, 2])
    objects = patches.inverse_transform(object_array([np.ones((2, 2))]))
    assert objects[0].shape == (4,)


def test_targets_per_timestep_there_and_back():
    """What PatchedRegressor does, by hand."""
    X = ragged(n=10, n_features=1)
    y = [np.cumsum(x) for x in X]
    lengths = [len(x) for x in X]
    targets = Patches(3).fit(y)
    network = RNNRegressor(return_sequences=True, hidden_size=2, tol=1, random_state=0)
    network.fit(Patches(3).fit_transform(X), targets.transform(y))
    predicted = network.predict(Patches(3).fit_transform(X))
    back = targets.inverse_transform(predicted, lengths=lengths)
    assert [part.shape for part in back] == [part.shape for part in y]
    assert_array_equal(back[0][-3:], predicted[0][-1])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_make_long_dependencies_short():
    """The label is the sign of the sum of the first ten values of 40: three patches earlier.

    The network reads its last state alone: with pooling it needs no long memory.
    """
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 40, 1))
    y = (X[:, :10, 0].sum(axis=1) > 0).astype(int)
    network = RNNClassifier(hidden_size=8, learning_rate_init=0.03, batch_size=30, random_state=0)
    network.set_params(max_iter=40, pooling="last", early_stopping=False)
    scores = [
        network.fit(given[:200], y[:200]).score(given[200:], y[200:])
        for given in (X, Patches(10).fit_transform(X))
    ]
    assert scores[0] < 0.65
    assert scores[1] > 0.75


class TestRefusals:
    patches = Patches(3).fit(ragged(n_features=2))

    @pytest.mark.parametrize(
        ("X", "lengths", "message"),
        [
            ([np.ones((2, 5))], None, "has 5 features, but patches of 3 timesteps of 2 .* have 6"),
            ([np.ones((2, 6))], [7], r"lengths\[0\] is 7, but 2 patches of 3 .* hold 4 to 6"),
            ([np.ones((2, 6))], [3], r"lengths\[0\] is 3, but 2 patches of 3 .* hold 4 to 6"),
            ([np.ones((2, 6))], [4, 4], "lengths must be 1 integers"),
            ([np.ones((2, 6))], [4.0], "lengths must be 1 integers.*float64"),
            ([np.ones((2, 6))], 4, "lengths must be 1 integers"),
        ],
    )
    def test_of_the_way_back(self, X, lengths, message):
        with pytest.raises(ValueError, match=message):
            self.patches.inverse_transform(X, lengths=lengths)

    def test_not_fitted(self):
        with pytest.raises(NotFittedError):
            Patches().inverse_transform(padded(ragged()))
