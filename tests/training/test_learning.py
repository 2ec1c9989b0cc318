"""The networks learn, on problems that nothing solves without remembering; all of it seeded."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, cross_val_score

from sklearn_rnn import RNNClassifier, RNNRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def adding_problem(n, n_timesteps, rng):
    """Two of the random numbers are marked, one in each half: what is their sum?

    Hochreiter, Schmidhuber 1997. The mean, as a prediction, has an error of 1/6.
    """
    numbers = rng.random((n, n_timesteps))
    marks = np.zeros((n, n_timesteps))
    half = n_timesteps // 2
    for positions in (rng.integers(0, half, n), rng.integers(half, n_timesteps, n)):
        marks[np.arange(n), positions] = 1
    X = np.stack([numbers, marks], axis=2).astype(np.float32)
    return X, (numbers * marks).sum(axis=1)


@pytest.mark.parametrize(("cell", "n_epochs"), [("gru", 15), ("lstm", 20)])
def test_the_adding_problem(cell, n_epochs):
    """At T = 50; of six seeds tried, all ended below 0.003."""
    rng = np.random.default_rng(0)
    X, y = adding_problem(2000, 50, rng)
    X_test, y_test = adding_problem(1000, 50, rng)
    model = RNNRegressor(
        cell=cell,
        hidden_size=32,
        batch_size=20,
        learning_rate_init=0.005,
        max_iter=n_epochs,
        n_iter_no_change=n_epochs,  # long plateaus belong to this problem
        random_state=0,
    ).fit(X, y)
    assert model.weights_["layer_0.W_hh"].dtype == np.float32
    assert np.mean((y.mean() - y_test) ** 2) > 0.15
    assert np.mean((model.predict(X_test) - y_test) ** 2) < 0.01


def running_parity(n, longest, rng):
    """Bits, and at each of them whether the ones so far are of odd number."""
    X = [rng.integers(0, 2, (length, 1)) for length in rng.integers(1, longest + 1, n)]
    return X, [np.cumsum(x[:, 0]) % 2 for x in X]


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
def test_running_parity(cell):
    """Learned from up to 20 bits, and kept up for four times as many."""
    rng = np.random.default_rng(0)
    X, y = running_parity(500, 20, rng)
    model = RNNClassifier(
        cell=cell,
        hidden_size=16,
        return_sequences=True,
        batch_size=20,
        learning_rate_init=0.01,
        max_iter=40,
        tol=1e-3,
        random_state=0,
    ).fit(X, y)
    assert model.score(*running_parity(300, 20, rng)) > 0.99
    assert model.score(*running_parity(100, 80, rng)) > 0.99


def test_digits_in_cross_validation():
    """Read from top to bottom, a row of eight pixels a timestep."""
    X, y = load_digits(return_X_y=True)
    X = (X.reshape(-1, 8, 8) / 16).astype(np.float32)
    model = RNNClassifier(learning_rate_init=0.005, batch_size=50, max_iter=25, random_state=0)
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    assert cross_val_score(model, X, y, cv=folds).mean() > 0.96
