"""How many workers a fit and a prediction have."""

from dataclasses import replace

import joblib
import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config

from sklearn_rnn import RNNRegressor
from sklearn_rnn._jobs import Training, n_cores, predict_workers
from sklearn_rnn._jobs import fit_workers as workers_of
from sklearn_rnn._parallel.costs import cost_of_step
from sklearn_rnn.core.architecture import Architecture
from sklearn_rnn.core.cells import CELLS

SMALL = Architecture("gru", "tanh", 8, 32, 1, 1, return_sequences=False)
LARGE = replace(SMALL, hidden_size=256)


@pytest.fixture
def sixteen_cores(monkeypatch):
    monkeypatch.setattr(joblib, "cpu_count", lambda: 16)


def fit_workers(n_jobs, architecture, lengths, batch_size, n_epochs, bptt_steps=None):
    return workers_of(n_jobs, Training(architecture, lengths, batch_size, bptt_steps, n_epochs))


def lengths(n, n_timesteps=100):
    return np.full(n, n_timesteps)


def test_none_is_one_core_unless_joblib_is_told_otherwise(sixteen_cores):
    assert n_cores(None) == n_cores(1) == 1
    assert n_cores(4) == 4
    assert n_cores(100) == 16  # more processes than cores never help
    with parallel_config(n_jobs=3):
        assert n_cores(None) == 3


def test_minus_one_is_all_cores():
    assert n_cores(-1) == joblib.cpu_count()


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_workers_of_joblib_use_one_core(backend):
    assert Parallel(n_jobs=2, backend=backend)(delayed(n_cores)(n) for n in (2, -1)) == [1, 1]


def test_large_steps_have_more_workers_than_small_ones(sixteen_cores):
    """A step of 0.4 s is worth sharing out, and one of 0.3 ms is not."""
    assert fit_workers(16, SMALL, lengths(3200, 8), 32, 200) == 1
    numbers = [
        fit_workers(16, replace(SMALL, hidden_size=H), lengths(3200), 128, 200)
        for H in (32, 64, 256)
    ]
    assert 1 <= numbers[0] < numbers[1] < numbers[2] <= 16


def test_a_short_fit_has_none(sixteen_cores):
    """The workers would take longer to start."""
    assert fit_workers(16, LARGE, lengths(32, 10), 32, 2) == 1
    assert fit_workers(16, LARGE, lengths(3200, 100), 128, 2) > 1


def test_truncated_training_has_fewer(sixteen_cores):
    """The workers meet for every segment."""
    long = lengths(1280, 500)
    numbers = [fit_workers(16, LARGE, long, 128, 200, steps) for steps in (None, 100, 5, 1)]
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[0] > numbers[-1] >= 1
    medium = replace(SMALL, hidden_size=64)
    assert fit_workers(2, medium, long, 128, 200) == 2
    assert fit_workers(2, medium, long, 128, 200, 5) == 1


def test_a_cell_of_the_program_alone_has_none(sixteen_cores, monkeypatch):
    """The workers would not know it."""

    class Mine(CELLS["gru"]):
        pass

    monkeypatch.setitem(CELLS, "mine", Mine)
    mine = replace(LARGE, cell="mine")
    assert fit_workers(16, mine, lengths(3200), 128, 200) == 1
    assert predict_workers(16, mine, lengths(10_000)) == 1


def test_a_worker_has_at_least_one_sequence(sixteen_cores):
    assert fit_workers(16, LARGE, lengths(3000, 1000), 2, 200) == 2


def test_a_prediction_has_no_more_workers_than_batches(sixteen_cores):
    assert predict_workers(16, LARGE, lengths(256, 1000)) == 1
    assert predict_workers(16, LARGE, lengths(700, 1000)) == 3
    assert predict_workers(16, SMALL, lengths(1000, 8)) == 1
    assert predict_workers(None, LARGE, lengths(10_000)) == 1


def test_the_cost_of_a_step_grows_with_all_that_it_has_to_do():
    cost = sum(cost_of_step(SMALL, 100, 3200))
    for changes in (
        {"cell": "lstm"},
        {"hidden_size": 64},
        {"n_layers": 2},
        {"bidirectional": True},
    ):
        assert sum(cost_of_step(replace(SMALL, **changes), 100, 3200)) > 1.2 * cost
    assert sum(cost_of_step(SMALL, 100, 6400)) > 1.5 * cost
    assert cost_of_step(SMALL, 200, 3200).fixed > 1.5 * cost_of_step(SMALL, 100, 3200).fixed


def test_a_small_fit_starts_no_process(monkeypatch):
    monkeypatch.setattr("sklearn_rnn._training.descent.Team", None)
    model = RNNRegressor(n_jobs=-1, tol=10.0)
    model.fit(np.ones((20, 4, 1)), np.arange(20.0))
