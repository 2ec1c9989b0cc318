"""SequenceNormalizer: which level and scale, and what doesn't depend on them."""

import hypothesis
import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sequences import assert_same_lists, ragged
from sklearn_rnn import RNNClassifier
from sklearn_rnn.preprocessing import SequenceNormalizer

X = ragged(n=8, n_features=2)
LEVELS = {
    "mean": lambda x: x.mean(axis=0),
    "first": lambda x: x[0],
    "last": lambda x: x[-1],
    None: lambda x: 0,
}


@pytest.mark.parametrize("center", LEVELS)
@pytest.mark.parametrize("scale", ["std", None])
def test_is_level_and_deviation_of_the_sequence(center, scale):
    expected = []
    for x in X:
        deviation = x.std(axis=0) if scale == "std" and len(x) > 1 else 1
        expected.append((x - LEVELS[center](x)) / deviation)
    made = SequenceNormalizer(center, scale).fit_transform(X)
    assert_same_lists(made, expected, rtol=1e-12)


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(
    center=st.sampled_from(["mean", "first", "last"]),
    factors=st.lists(st.floats(1e-6, 1e6), min_size=8, max_size=8),
    shifts=st.lists(st.floats(-1e3, 1e3), min_size=8, max_size=8),
)
def test_affine_changes_of_a_sequence_change_nothing(center, factors, shifts):
    normalizer = SequenceNormalizer(center).fit(X)
    changed = [a * (x + b) for x, a, b in zip(X, factors, shifts, strict=True)]
    assert_same_lists(normalizer.transform(changed), normalizer.transform(X), atol=1e-8)


@pytest.mark.parametrize("constant", [5.0, 0.0, 0.1 + 0.2, 1e9 / 3, -1e-9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_sequences_have_scale_1(constant, dtype):
    x = np.full((7, 1), constant, dtype)
    x[3] = np.nextafter(x[3], np.inf) if dtype == np.float64 else x[3]  # rounding
    made = SequenceNormalizer().fit_transform([x])[0]
    assert_allclose(made, 0, atol=1e-6 if constant > 1e6 else 1e-12)


def test_small_deviations_at_a_large_level_count():
    x = np.array([[1e6], [1e6 + 1], [1e6 + 2]], dtype=np.float32)
    made = SequenceNormalizer().fit_transform([x])[0]
    assert made.dtype == np.float32
    assert_allclose(made[:, 0], [-np.sqrt(1.5), 0, np.sqrt(1.5)], rtol=1e-6)


def test_chosen_features():
    made = SequenceNormalizer(features=1).fit_transform(X)
    whole = SequenceNormalizer().fit_transform(X)
    for x, some, every in zip(X, made, whole, strict=True):
        assert_array_equal(some, np.column_stack([x[:, 0], every[:, 1]]))
    frames = [pd.DataFrame(x, columns=["a", "b"]) for x in X]
    assert_same_lists(SequenceNormalizer(features=["b"]).fit_transform(frames), made)
    assert_same_lists(SequenceNormalizer(features=np.array([1])).fit_transform(X), made)
    with pytest.raises(ValueError, match=r"features='c' is not among .* \['a', 'b'\]"):
        SequenceNormalizer(features="c").fit(frames)


def test_of_a_table():
    table = np.array([[1.0, 3.0, np.nan], [10, 10, 40]])
    made = SequenceNormalizer("first", None).fit_transform(table)
    assert_array_equal(made, [[0, 2, np.nan], [0, 0, 30]])


def test_values_that_overflow():
    X = [np.ones((3, 2)), np.array([[1.0, 1e200], [1, -1e200], [1, 0]])]
    with pytest.raises(ValueError, match=r"X\[1\] has values so large .* of feature 1 overflows"):
        SequenceNormalizer().fit_transform(X)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_makes_shapes_comparable():
    """Rising or falling, at any level and with any amplitude."""
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    ramps = np.outer(2 * y - 1, np.linspace(0, 1, 6))
    levels, amplitudes = rng.lognormal(0, 3, (2, 60, 1))
    X = levels + amplitudes * ramps
    network = RNNClassifier(hidden_size=4, learning_rate_init=0.02, tol=1e-3, random_state=0)
    scores = [
        network.fit(given[:30], y[:30]).score(given[30:], y[30:])
        for given in (X, SequenceNormalizer().fit_transform(X))
    ]
    assert scores[1] == 1
    assert scores[0] < 0.9
