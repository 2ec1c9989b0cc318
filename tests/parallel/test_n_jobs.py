"""n_jobs changes who computes, and no result."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from fits import assert_same_weights
from networks import make_network
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn._parallel import team as team_module
from sklearn_rnn._parallel.shared_network import SharedNetwork
from sklearn_rnn._parallel.team import Team

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
LENGTHS = rng.integers(1, 13, 300)
RAGGED = [rng.standard_normal((length, 3)) for length in LENGTHS]
SUMS = np.array([x.sum() for x in RAGGED])
STEPS = [x[:, 0] for x in RAGGED]
LABELS = np.where(SUMS > 0, "up", "down")
SMALL = {"hidden_size": 5, "max_iter": 2, "random_state": 0}

CASES = {
    "ragged": (RNNRegressor(), SUMS),
    "lstm": (RNNRegressor(cell="lstm", n_layers=2), SUMS),
    "dropout": (RNNRegressor(dropout=0.3, recurrent_dropout=0.2, n_layers=2), SUMS),
    "truncated": (RNNRegressor(bptt_steps=5, recurrent_dropout=0.2), SUMS),
    "lbfgs": (RNNRegressor(solver="lbfgs"), SUMS),
    "validation": (RNNRegressor(bidirectional=True, early_stopping=True), SUMS),
    "steps": (RNNRegressor(return_sequences=True, dropout=0.2, early_stopping=True), STEPS),
    "truncated steps": (RNNRegressor(return_sequences=True, bptt_steps=4), STEPS),
    "classes": (RNNClassifier(pooling=("last", "mean", "max")), LABELS),
    "quantiles": (RNNRegressor(loss="quantile", quantile=[0.1, 0.5, 0.9]), SUMS),
    "gaussian": (RNNRegressor(loss="gaussian", cell="elman"), SUMS),
}


def flat(predictions):
    """Predictions in one array, whatever their container."""
    return np.concatenate([np.ravel(part) for part in predictions])


def responses(model, X):
    method = "predict_proba" if isinstance(model, RNNClassifier) else "predict"
    return [flat(getattr(model, method)(X)), flat(model.transform(X))]


@pytest.mark.parametrize("case", CASES)
def test_results_are_those_of_one_process(case, with_workers):
    model, y = CASES[case]
    model = clone(model).set_params(**SMALL)
    weights = rng.random(len(RAGGED))
    alone = clone(model).fit(RAGGED, y, sample_weight=weights)
    several = clone(model).set_params(n_jobs=3).fit(RAGGED, y, sample_weight=weights)
    assert_allclose(several.loss_curve_, alone.loss_curve_, rtol=1e-10)
    assert_allclose(several.gradient_norms_, alone.gradient_norms_, rtol=1e-9)
    for name, array in alone.weights_.items():
        assert_allclose(several.weights_[name], array, rtol=1e-7, atol=1e-9, err_msg=name)
    if alone.validation_scores_ is not None:
        assert_allclose(several.validation_scores_, alone.validation_scores_, rtol=1e-8)
    # Prediction has the same batches, so it has the same bits.
    expected = responses(several.set_params(n_jobs=None), RAGGED)
    for actual, wanted in zip(
        responses(several.set_params(n_jobs=2), RAGGED), expected, strict=True
    ):
        assert_array_equal(actual, wanted)
    assert [len(team) for team in with_workers] == [3, 2, 2]


@pytest.mark.parametrize("dropout", ["dropout", "recurrent_dropout"])
def test_segments_without_targets(dropout, with_workers):
    """Sequences of one length have a target in the last segment alone."""
    X, y = rng.standard_normal((20, 12, 2)), SUMS[:20]
    model = RNNRegressor(bptt_steps=5, **{dropout: 0.5}, **SMALL)
    alone, several = clone(model).fit(X, y), clone(model).set_params(n_jobs=2).fit(X, y)
    assert_allclose(several.predict(X), alone.predict(X), rtol=1e-9)


@pytest.mark.parametrize("more", [{"n_layers": 2}, {"return_sequences": True}])
def test_masks_of_a_worker_whose_sequences_have_one_timestep(more, with_workers):
    X = [rng.standard_normal((length, 2)) for length in (5, 1) * 5]
    y = [x[:, 0] for x in X] if "return_sequences" in more else SUMS[:10]
    model = RNNRegressor(batch_size=2, dropout=0.5, shuffle=False, **more, **SMALL)
    alone, several = clone(model).fit(X, y), clone(model).set_params(n_jobs=2).fit(X, y)
    assert_allclose(flat(several.predict(X)), flat(alone.predict(X)), rtol=1e-9)


@pytest.mark.parametrize("more", [{"n_layers": 2}, {"pooling": ("last", "max")}])
def test_hidden_states_use_a_part_of_the_parameters(more, with_workers):
    model = RNNRegressor(**more, **SMALL).fit(RAGGED, SUMS)
    for layer in range(model.n_layers_):
        expected = flat(model.set_params(n_jobs=None).hidden_states(RAGGED, layer=layer))
        assert_array_equal(flat(model.set_params(n_jobs=2).hidden_states(RAGGED, layer)), expected)
    assert len(with_workers) == model.n_layers_


def test_the_same_number_of_workers_gives_the_same_bits(with_workers):
    model = RNNRegressor(n_jobs=2, dropout=0.2, **SMALL)
    assert_same_weights(clone(model).fit(RAGGED, SUMS), clone(model).fit(RAGGED, SUMS))
    assert len(with_workers) == 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_tables_and_batches_smaller_than_the_team(dtype, with_workers):
    X, y = rng.standard_normal((290, 6, 2)).astype(dtype), SUMS[:290]
    tolerance = 1e-4 if dtype == np.float32 else 1e-9
    for data in (X, X[:, :, 0]):
        alone = RNNRegressor(batch_size=2, **SMALL).fit(data, y)
        several = RNNRegressor(batch_size=2, n_jobs=3, **SMALL).fit(data, y)
        assert several.weights_["output.W_hy"].dtype == dtype
        assert_allclose(several.predict(data), alone.predict(data), rtol=tolerance, atol=tolerance)


def test_partial_fit_and_warm_start(with_workers):
    fits = []
    for n_jobs in (None, 2):
        model = RNNRegressor(n_jobs=n_jobs, warm_start=True, **SMALL)
        model.partial_fit(RAGGED, SUMS).fit(RAGGED, SUMS)
        fits.append(model.predict(RAGGED[:9]))
    assert_allclose(*fits, rtol=1e-9)
    assert len(with_workers) == 2


def test_a_validation_that_diverges_says_so(with_workers):
    model = RNNRegressor(n_jobs=2, solver="sgd", learning_rate_init=1e200, max_grad_norm=None)
    with pytest.raises(ValueError, match="became infinite or NaN in epoch 1"):
        model.set_params(**SMALL).fit(RAGGED, SUMS)


PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder that shared memory lies in, and no other test's."""
    monkeypatch.setattr("sklearn_rnn._parallel.memory.MEMORY_FOLDER", str(tmp_path))
    return tmp_path


def has_files(folder):
    return any(folder.iterdir())


class Interrupting(Team):
    """A team in which an interrupt comes, in a process that waits for a result."""

    def __init__(self, n_workers):
        super().__init__(n_workers)
        self.n_received = 0
        type(self).last = self

    def receive(self, k):
        self.n_received += 1
        if self.n_received == 8:
            raise KeyboardInterrupt
        return super().receive(k)


def test_an_interrupt_leaves_nothing_behind(with_workers, monkeypatch, folder):
    monkeypatch.setattr("sklearn_rnn._training.descent.Team", Interrupting)
    with pytest.warns(match="interrupted"):
        model = RNNRegressor(n_jobs=2, batch_size=20, **SMALL).fit(RAGGED, SUMS)
    assert np.isfinite(model.predict(RAGGED)).all()
    assert all(worker.returncode is not None for worker in Interrupting.last._workers)
    assert not has_files(folder)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a file in use can't be removed")
def test_the_file_is_removed_as_soon_as_all_have_mapped_it(folder, monkeypatch):
    """So even the end of the process by force leaves nothing behind."""
    seen = []
    with Team(2) as team:
        new = team_module.new_file

        def recorded(size):
            seen.append(new(size))
            return seen[0]

        monkeypatch.setattr(team_module, "new_file", recorded)
        SharedNetwork(team, make_network("gru", seed=0)).assign(slot_size=1)
        assert seen[0].startswith(str(folder))
        assert not has_files(folder)
        team.call_all("refresh")


def test_workers_ignore_an_interrupt_from_the_keyboard():
    """It comes to all processes of a terminal; the one that fits decides."""
    network = make_network("gru", seed=0)
    with Team(1) as team:
        SharedNetwork(team, network).assign(slot_size=1)
        os.kill(team._workers[0].pid, signal.SIGINT)
        team.call_all("refresh")


def test_modules_in_the_working_directory_hide_none(tmp_path, monkeypatch):
    """The path of the modules is that of this process."""
    (tmp_path / "pickle.py").write_text("raise SystemExit('the wrong module')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [folder for folder in sys.path if folder])
    with Team(1) as team:
        SharedNetwork(team, make_network("gru", seed=0)).assign(slot_size=1)
        team.call_all("refresh")


def test_what_a_worker_prints_does_no_harm(tmp_path, monkeypatch, capfd):
    (tmp_path / "sitecustomize.py").write_text("print('hello from a startup file')")
    monkeypatch.syspath_prepend(tmp_path)
    with Team(1) as team:
        SharedNetwork(team, make_network("gru", seed=0)).assign(slot_size=1)
        team.call_all("refresh")


def test_workers_that_can_not_start(monkeypatch):
    """What has started is ended."""
    started = []

    def start(environment):
        if started:
            raise OSError("no more processes")
        started.append(subprocess.Popen([sys.executable, "-c", "input()"], **PIPES))
        return started[0]

    monkeypatch.setattr("sklearn_rnn._parallel.team.start", start)
    with pytest.raises(OSError, match="no more processes"):
        Team(2)
    assert started[0].returncode is not None


def test_an_error_in_a_worker_is_raised_here():
    network = make_network("gru", seed=0)
    with Team(1) as team:
        SharedNetwork(team, network).assign(slot_size=1)
        team.send(0, "compute", "predict", np.array([4]), np.dtype(float))
        with pytest.raises(TypeError, match="buffer is too small") as caught:
            team.receive(0)
    assert "in compute" in caught.value.__notes__[0]


def test_the_loss_of_a_worker_is_an_error(with_workers, monkeypatch, folder):
    class Killed(Team):
        def send(self, k, method, *args):
            if method == "evaluate":
                self._workers[1].kill()
                self._workers[1].wait()
            super().send(k, method, *args)

    monkeypatch.setattr("sklearn_rnn._training.descent.Team", Killed)
    with pytest.raises(RuntimeError, match=r"worker process of n_jobs has ended.*n_jobs=None"):
        RNNRegressor(n_jobs=2, **SMALL).fit(RAGGED, SUMS)
    assert not has_files(folder)
