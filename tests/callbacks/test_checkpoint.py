"""Checkpoints: a fit that was cut short ends as if it hadn't been."""

import json
import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from checkpoints import (
    EPOCHS,
    FAST,
    LABELS,
    VALIDATION,
    Cut,
    CutShort,
    N,
    X,
    Y,
    assert_same,
    cut_short,
    resumed,
)
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn._training import checkpoint as checkpoint_files
from sklearn_rnn.callbacks import Checkpoint, TimeLimit
from sklearn_rnn.core.optimizers import Adam

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fit.checkpoint"


class Epochs(Cut):
    """Note the epochs that were made."""

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch":
            self.epochs.append(context.task_id)


CASES = {
    "adam": {},
    "sgd, invscaling": {"solver": "sgd", "learning_rate": "invscaling", "batch_size": 7},
    "adaptive": {"learning_rate": "adaptive", "tol": 1e9, "n_iter_no_change": 1},
    "early stopping": {
        "early_stopping": True,
        "validation_fraction": 0.3,
        "learning_rate_init": 0.3,
    },
    "converges": {"tol": 1e9, "n_iter_no_change": 5},
    "rmsprop, cosine": {"solver": "rmsprop", "learning_rate": "cosine", "batch_size": 7},
    "one cycle": {"learning_rate": "one_cycle", "batch_size": 7},
    "two layers": {"n_layers": 2, "cell": "lstm", "batch_size": 7},
    "both ways, dropout": {
        "n_layers": 2,
        "bidirectional": True,
        "dropout": 0.3,
        "recurrent_dropout": 0.3,
    },
    "segments": {"bptt_steps": 2, "batch_size": 7},
    "pooled, cut": {"pooling": ["mean", "max"], "bptt_steps": 2, "dropout": 0.3},
    "segments, one cycle": {"bptt_steps": 3, "batch_size": 7, "learning_rate": "one_cycle"},
    "segments, rmsprop, cosine": {
        "bptt_steps": 2,
        "solver": "rmsprop",
        "learning_rate": "cosine",
        "dropout": 0.3,
        "recurrent_dropout": 0.3,
        "n_layers": 2,
    },
    "segments, sgd, adaptive": {
        "bptt_steps": 2,
        "solver": "sgd",
        "learning_rate": "adaptive",
        "tol": 1e9,
        "n_iter_no_change": 1,
    },
    "segments, invscaling, early stopping": {
        "bptt_steps": 2,
        "cell": "lstm",
        "batch_size": 7,
        "learning_rate": "invscaling",
        "early_stopping": True,
        "validation_fraction": 0.3,
        "learning_rate_init": 0.3,
    },
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    ("Estimator", "y"), [(RNNRegressor, Y), (RNNClassifier, LABELS)], ids=["reg", "cls"]
)
def test_a_fit_that_was_cut_short_ends_as_if_it_had_not_been(Estimator, y, name, path):
    model = Estimator(**FAST | CASES[name])
    whole = clone(model).fit(X, y)
    for epochs in (1, 4, whole.n_iter_):  # the last one was the last
        cut_short(model, path, epochs, X, y)
        assert len(checkpoint_files.read(path).progress.loss_curve) == epochs
        assert_same(resumed(model, path, X, y), whole)
        assert os.listdir(path.parent) == []

    # Saved from time to time only, and cut short twice.
    cut_short(model, path, 4, X, y, every=3)
    cut_short(model, path, 2, X, y, every=1)
    assert len(checkpoint_files.read(path).progress.loss_curve) == 5
    assert_same(resumed(model, path, X, y), whole)


@pytest.mark.parametrize("name", ["adam", *(name for name in CASES if "segments" in name)])
def test_with_a_target_per_timestep(name, path):
    y = [np.cumsum(x[:, 0]) for x in X]
    model = RNNRegressor(return_sequences=True, **FAST | CASES[name])
    whole = clone(model).fit(X, y)
    for epochs in (1, 5):
        cut_short(model, path, epochs, X, y)
        assert_same(resumed(model, path, X, y), whole)


@pytest.mark.parametrize("loss", RNNRegressor._losses)
def test_with_every_loss(loss, path):
    """Some start with an intercept, which one that goes on must not begin with again."""
    model, y = RNNRegressor(**FAST, loss=loss), 10 + np.abs(Y)
    whole = clone(model).fit(X, y)
    for epochs in (1, 5):
        cut_short(model, path, epochs, X, y)
        assert_same(resumed(model, path, X, y), whole)


def test_with_class_weight(path):
    model = RNNClassifier(**FAST, class_weight={"up": 3, "down": 1})
    whole = clone(model).fit(X, LABELS)
    cut_short(model, path, 5, X, LABELS)
    assert_same(resumed(model, path, X, LABELS), whole)
    cut_short(model, path, 5, X, LABELS)
    with pytest.raises(ValueError, match=r"differs in class_weight\."):
        resumed(clone(model).set_params(class_weight="balanced"), path, X, LABELS)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_with_validation_data_and_weights(early_stopping, path):
    model = RNNRegressor(**FAST, early_stopping=early_stopping)
    weights = np.linspace(1, 2, N)
    whole = clone(model).fit(X, Y, weights, **VALIDATION)
    cut_short(model, path, 5, X, Y, weights, **VALIDATION)
    assert_same(resumed(model, path, X, Y, weights, **VALIDATION), whole)


def test_a_fit_that_goes_on_from_another(path):
    model = RNNRegressor(**FAST, warm_start=True)
    whole = clone(model).fit(X, Y).fit(X, Y)
    first = clone(model).fit(X, Y)
    state = pickle.dumps(first)
    with pytest.raises(CutShort):
        first.set_callbacks(Checkpoint(path), Cut(4)).fit(X, Y)
    second = pickle.loads(state).set_callbacks(Checkpoint(path)).fit(X, Y)
    assert_same(second, whole)
    assert second.n_iter_ == 2 * EPOCHS
    # Not what the checkpoint goes on from:
    with pytest.raises(CutShort):
        pickle.loads(state).set_callbacks(Checkpoint(path), Cut(4)).fit(X, Y)
    with pytest.raises(ValueError, match="the earlier fit that it continues"):
        resumed(model, path, X, Y)
    assert_same(second.set_callbacks().fit(X, Y), whole.fit(X, Y))


def test_without_a_random_state(path):
    model = RNNRegressor(**FAST | {"random_state": None}, early_stopping=True)
    cut_short(model, path, 5, X, Y)
    saved = checkpoint_files.read(path).progress
    again = resumed(model, path, X, Y)
    assert again.loss_curve_[:5] == saved.loss_curve
    assert again._progress.split_seed == saved.split_seed


def test_what_had_converged_has_converged(path):
    """The resumed fit trains no further, and does not warn about max_iter."""
    model = RNNRegressor(**FAST, n_iter_no_change=2, tol=1e9)
    with warnings.catch_warnings(action="error"):
        warnings.filterwarnings("ignore", "Training stopped on a plateau")
        whole = clone(model).fit(X, Y)
        cut_short(model, path, whole.n_iter_, X, Y)
        assert_same(resumed(model, path, X, Y), whole)


def test_what_ends_by_itself_leaves_no_file(path):
    model = RNNRegressor(**FAST).set_callbacks(Checkpoint(path))
    assert_same(model.fit(X, Y), RNNRegressor(**FAST).fit(X, Y))
    assert os.listdir(path.parent) == []


def test_what_is_stopped_by_another_callback_leaves_the_last_epoch(path):
    checkpoint = Checkpoint(path, every_epochs=100)
    model = RNNRegressor(**FAST).set_callbacks(checkpoint, TimeLimit(1e-9)).fit(X, Y)
    assert model.n_iter_ == len(checkpoint_files.read(path).progress.loss_curve) == 1
    assert clone(model).fit(X, Y).n_iter_ == 2
    assert_same(resumed(model, path, X, Y), RNNRegressor(**FAST).fit(X, Y))


def test_an_interrupt_leaves_the_last_whole_epoch(path, monkeypatch):
    original, calls = Adam.update, []

    def update(*args):
        calls.append(None)
        if len(calls) == 3 * 3 + 2:
            raise KeyboardInterrupt
        original(*args)

    options = FAST | {"batch_size": 6}
    interrupted = RNNRegressor(**options).set_callbacks(Checkpoint(path))
    with monkeypatch.context() as patch:
        patch.setattr(Adam, "update", update)
        with pytest.warns(UserWarning, match="interrupted"):
            interrupted.fit(X, Y)
    assert len(checkpoint_files.read(path).progress.loss_curve) == 3
    model = RNNRegressor(**options)
    assert_same(resumed(model, path, X, Y), clone(model).fit(X, Y))


def double(X):
    return [2 * x for x in X]


def test_in_a_pipeline(path):
    cut_short(RNNRegressor(**FAST), path, 4, double(X), Y)
    model = RNNRegressor(**FAST).set_callbacks(Checkpoint(path))
    pipeline = make_pipeline(FunctionTransformer(double), model).fit(X, Y)
    assert_same(pipeline[-1], RNNRegressor(**FAST).fit(double(X), Y))
    assert not path.exists()


def test_a_search_uses_the_file_for_one_fit_after_another(path):
    model = RNNRegressor(**FAST).set_callbacks(Checkpoint(path))
    search = GridSearchCV(model, {"cell": ["elman", "gru"]}, cv=2).fit(X, Y)
    plain = GridSearchCV(RNNRegressor(**FAST), {"cell": ["elman", "gru"]}, cv=2).fit(X, Y)
    assert_array_equal(search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"])
    assert not path.exists()


def test_in_a_folder_each_fit_has_its_own_file(tmp_path):
    models = [RNNRegressor(cell=cell, **FAST) for cell in ("elman", "gru")]
    for epochs, model in enumerate(models, 3):
        cut_short(model, tmp_path, epochs, X, Y)
    cut_short(models[0], tmp_path, 5, X[1:], Y[1:])
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".checkpoint"] * 3
    for left, model in zip((2, 1), models, strict=True):
        history = []
        again = clone(model).set_callbacks(Checkpoint(tmp_path), Epochs(history)).fit(X, Y)
        assert_same(again, clone(model).fit(X, Y))
        assert len(history) == EPOCHS - (5 - left)
        assert len(list(tmp_path.iterdir())) == left


def test_in_a_parallel_search(tmp_path):
    model = RNNRegressor(**FAST).set_callbacks(Checkpoint(tmp_path))
    grid = {"cell": ["elman", "gru"]}
    search = GridSearchCV(model, grid, cv=2, n_jobs=2, error_score="raise").fit(X, Y)
    plain = GridSearchCV(RNNRegressor(**FAST), grid, cv=2).fit(X, Y)
    assert_array_equal(search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"])
    assert not list(tmp_path.iterdir())


def test_the_estimator_and_the_callback_can_be_pickled(path):
    model = RNNRegressor(**FAST).set_callbacks(Checkpoint(path))
    with warnings.catch_warnings(action="ignore"):
        again = pickle.loads(pickle.dumps(model.fit(X, Y)))
    assert_same(again.fit(X, Y), model)
    callback = Checkpoint(path, every_epochs=3)
    assert vars(pickle.loads(pickle.dumps(callback))) == vars(callback)

    class Copy(Cut):
        def on_fit_task_end(self, estimator, context):
            copies.append(pickle.loads(pickle.dumps(callback)))

    copies = []
    RNNRegressor(**FAST).set_callbacks(callback, Copy(None)).fit(X, Y)
    assert [vars(copy) for copy in copies] == [vars(callback)] * (EPOCHS + 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_random_moments(tmp_path):
    """Whatever moment it is, what is left is whole, and the fit goes on to the same end."""
    script = Path(__file__).with_name("kill_trials.py")
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # nothing but one thread to fork
    process = subprocess.run(
        [sys.executable, script, tmp_path, "20"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    trials = [json.loads(line) for line in process.stdout.splitlines()]
    assert len(trials) == 20
    assert all(trial["same"] for trial in trials), trials
    assert all(trial["epochs"] == 25 for trial in trials)
    assert os.listdir(tmp_path) == []
    went_on = [trial for trial in trials if trial["killed"][-1] and trial["epochs saved"]]
    assert went_on, "no fit was killed half-way, so nothing is shown"
