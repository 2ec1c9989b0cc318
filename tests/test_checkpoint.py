"""Checkpoints: a fit that was cut short ends as if it hadn't been; files are whole, or refused."""

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

from datasets import ragged
from sklearn_rnn import RNNClassifier, RNNRegressor, _checkpoint, callbacks
from sklearn_rnn.callbacks import Checkpoint, TimeLimit
from sklearn_rnn.core.optimizers import Adam

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N, EPOCHS = 18, 9
FAST = {"hidden_size": 3, "max_iter": EPOCHS, "learning_rate_init": 0.05, "random_state": 0}
X = ragged(N, n_features=2, seed=0)
Y = np.random.default_rng(1).standard_normal(N)
LABELS = np.where(Y > 0, "up", "down")
VALIDATION = {"X_val": ragged(6, n_features=2, seed=5), "y_val": Y[:6]}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fit.checkpoint"


class CutShort(Exception):
    """What ends a fit where a process could have been killed."""


class Cut:
    """Cut a fit short after some epoch, once the callbacks before this one have been called."""

    def __init__(self, epochs):
        self.epochs = epochs

    def setup(self, estimator, context): ...
    def teardown(self, estimator, context): ...
    def on_fit_task_begin(self, estimator, context): ...

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch" and context.task_id + 1 == self.epochs:
            raise CutShort


class Epochs(Cut):
    """Note the epochs that were made."""

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch":
            self.epochs.append(context.task_id)


def cut_short(model, path, epochs, *data, every=1, **validation):
    cut = clone(model).set_callbacks(Checkpoint(path, every_epochs=every), Cut(epochs))
    with pytest.raises(CutShort):
        cut.fit(*data, **validation)


def resumed(model, path, *data, **validation):
    return clone(model).set_callbacks(Checkpoint(path)).fit(*data, **validation)


def assert_same(model, other):
    for name in ("loss_curve_", "best_loss_", "n_iter_", "t_"):
        assert getattr(model, name) == getattr(other, name), name
    for name in ("validation_scores_", "best_validation_score_", "best_iteration_"):
        assert getattr(model, name) == getattr(other, name), name
    for name in ("gradient_norms_", "weight_norms_", "learning_rates_"):
        assert getattr(model, name) == getattr(other, name), name
    for name, array in other.weights_.items():
        assert_array_equal(model.weights_[name], array)


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
        assert len(_checkpoint.read(path).progress.loss_curve) == epochs
        assert_same(resumed(model, path, X, y), whole)
        assert os.listdir(path.parent) == []

    # Saved from time to time only, and cut short twice.
    cut_short(model, path, 4, X, y, every=3)
    cut_short(model, path, 2, X, y, every=1)
    assert len(_checkpoint.read(path).progress.loss_curve) == 5
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
    with pytest.raises(ValueError, match="the fit that it goes on from"):
        resumed(model, path, X, Y)
    assert_same(second.set_callbacks().fit(X, Y), whole.fit(X, Y))


def test_without_a_random_state(path):
    model = RNNRegressor(**FAST | {"random_state": None}, early_stopping=True)
    cut_short(model, path, 5, X, Y)
    saved = _checkpoint.read(path).progress
    again = resumed(model, path, X, Y)
    assert again.loss_curve_[:5] == saved.loss_curve
    assert again._progress.split_seed == saved.split_seed


def test_what_had_converged_has_converged(path):
    """And says nothing about max_iter."""
    model = RNNRegressor(**FAST, n_iter_no_change=2, tol=1e9)
    with warnings.catch_warnings(action="error"):
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
    assert model.n_iter_ == len(_checkpoint.read(path).progress.loss_curve) == 1
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
    assert len(_checkpoint.read(path).progress.loss_curve) == 3
    model = RNNRegressor(**options)
    assert_same(resumed(model, path, X, Y), clone(model).fit(X, Y))


@pytest.fixture
def saved_epochs(monkeypatch):
    epochs = []
    original = _checkpoint.write

    def write(path, saved):
        epochs.append(len(saved.progress.loss_curve))
        original(path, saved)

    monkeypatch.setattr(_checkpoint, "write", write)
    return epochs


class TestWhenToSave:
    @pytest.fixture
    def clock(self, monkeypatch):
        """Every epoch takes 20 seconds, by the clock that the callbacks look at."""

        class Clock:
            seconds = 0.0

            def monotonic(self):
                return self.seconds

        class Tick(Cut):
            def on_fit_task_end(self, estimator, context):
                clock.seconds += 20

        clock = Clock()
        monkeypatch.setattr(callbacks, "time", clock)
        return Tick(None)

    @pytest.mark.parametrize(("every", "epochs"), [(1, [*range(1, 10)]), (4, [4, 8]), (10, [])])
    def test_by_epochs(self, path, saved_epochs, every, epochs):
        RNNRegressor(**FAST).set_callbacks(Checkpoint(path, every_epochs=every)).fit(X, Y)
        assert saved_epochs == epochs

    def test_counted_from_the_last_time_also_by_another_process(self, path, saved_epochs):
        model = RNNRegressor(**FAST)
        cut_short(model, path, 4, X, Y, every=3)
        model.set_callbacks(Checkpoint(path, every_epochs=3)).fit(X, Y)
        assert saved_epochs == [3, 6, 9]

    @pytest.mark.parametrize(
        ("options", "epochs"),
        [
            ({"every_epochs": None, "every_minutes": 1}, [3, 6, 9]),
            ({"every_epochs": None, "every_minutes": 10}, []),
            ({"every_epochs": None, "every_minutes": 1e-9}, [*range(1, 10)]),
            ({"every_epochs": 2, "every_minutes": 1}, [2, 4, 6, 8]),
            ({"every_epochs": 4, "every_minutes": 1}, [3, 6, 9]),
        ],
        ids=str,
    )
    def test_by_minutes(self, path, saved_epochs, clock, options, epochs):
        RNNRegressor(**FAST).set_callbacks(clock, Checkpoint(path, **options)).fit(X, Y)
        assert saved_epochs == epochs

    @pytest.mark.parametrize(
        ("options", "error", "words"),
        [
            ({"every_epochs": 0}, ValueError, "every_epochs"),
            ({"every_epochs": 1.5}, TypeError, "every_epochs"),
            ({"every_epochs": True}, TypeError, "every_epochs"),
            ({"every_minutes": 0}, ValueError, "every_minutes"),
            ({"every_minutes": "1"}, TypeError, "every_minutes"),
            ({"every_minutes": np.nan}, ValueError, "every_minutes"),
            ({"every_epochs": None}, ValueError, "every_epochs and every_minutes"),
        ],
        ids=str,
    )
    def test_what_can_not_be(self, path, options, error, words):
        with pytest.raises(error, match=words):
            Checkpoint(path, **options)


OTHERS = {
    "X": ({}, {"X": [*X[:-1], X[-1] + 1e-12]}),
    "y": ({}, {"y": Y + 1e-12}),
    "sample_weight": ({}, {"sample_weight": np.ones(N)}),
    "X_val": ({}, VALIDATION | {"X_val": [x + 1 for x in VALIDATION["X_val"]]}),
    "y_val": ({}, VALIDATION | {"y_val": -VALIDATION["y_val"]}),
    "sample_weight_val": ({}, VALIDATION | {"sample_weight_val": np.ones(6)}),
    "X_val, y_val": ({}, {"X_val": None, "y_val": None}),
    "alpha": ({"alpha": 0.1}, {}),
    "alpha, max_iter": ({"alpha": 0.1, "max_iter": 30}, {}),
    "hidden_size": ({"hidden_size": 4}, {}),
    "random_state": ({"random_state": 1}, {}),
    "cell": ({"cell": "elman"}, {}),
}


@pytest.mark.parametrize("names", OTHERS)
def test_the_checkpoint_of_another_fit_is_refused(names, path, capsys):
    model = RNNRegressor(**FAST)
    data = {"X": X, "y": Y, **VALIDATION}
    cut_short(model, path, 4, **data)
    content = path.read_bytes()
    params, changed = OTHERS[names]
    other = clone(model).set_params(**params, verbose=1).set_callbacks(Checkpoint(path))
    with pytest.raises(ValueError, match=rf"is of another fit, which differs in {names}\. "):
        other.fit(**data | changed)
    assert vars(other.set_callbacks()) == other.get_params()
    assert capsys.readouterr().out == ""
    assert path.read_bytes() == content
    assert_same(resumed(model, path, **data), clone(model).fit(**data))


def test_the_checkpoint_of_another_class_is_refused(path):
    y = np.arange(N) % 2
    cut_short(RNNRegressor(**FAST), path, 2, X, y)
    with pytest.raises(ValueError, match=r"differs in the estimator's class, .*loss\."):
        resumed(RNNClassifier(**FAST), path, X, y)


def test_verbose_makes_no_other_fit(path, capsys):
    cut_short(RNNRegressor(**FAST), path, 7, X, Y)
    resumed(RNNRegressor(**FAST, verbose=1), path, X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["Epoch 8", "Epoch 9"]


class TestBadFiles:
    @pytest.mark.parametrize("content", [b"", b"\n", b"no checkpoint", pickle.dumps(3)])
    def test_no_checkpoint(self, path, content):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"fit\.checkpoint is no checkpoint"):
            resumed(RNNRegressor(**FAST), path, X, Y)
        assert path.read_bytes() == content

    def test_damaged(self, path):
        cut_short(RNNRegressor(**FAST), path, 2, X, Y)
        content = path.read_bytes()
        for damaged in (content[:-1], content[: len(content) // 2], content[:-9] + bytes(9)):
            path.write_bytes(damaged)
            with pytest.raises(ValueError, match="is damaged: delete it"):
                resumed(RNNRegressor(**FAST), path, X, Y)

    def test_of_another_version(self, path, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(_checkpoint, "__version__", "99.1")
            cut_short(RNNRegressor(**FAST), path, 2, X, Y)
        with pytest.raises(ValueError, match=r"written by sklearn_rnn 99\.1"):
            resumed(RNNRegressor(**FAST), path, X, Y)

    def test_a_folder_that_is_not_there(self, path):
        model = RNNRegressor(**FAST).set_callbacks(Checkpoint(path / "x"))
        with pytest.raises(FileNotFoundError):
            model.fit(X, Y)
        assert vars(model.set_callbacks()) == model.get_params()


@pytest.mark.parametrize("broken", ["fsync", "replace", "fdopen"])
def test_a_write_that_fails_leaves_the_file_before(path, monkeypatch, broken):
    model = RNNRegressor(**FAST)
    cut_short(model, path, 3, X, Y)
    content = path.read_bytes()

    def fail(*args, **kwargs):
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(os, broken, fail)
        with pytest.raises(OSError, match="no space left"):
            resumed(model, path, X, Y)
    assert path.read_bytes() == content
    assert os.listdir(path.parent) == [path.name]
    assert_same(resumed(model, path, X, Y), clone(model).fit(X, Y))


def test_the_file_is_complete_before_it_takes_its_place(path, monkeypatch):
    """Written through to the disk, then renamed: the order that a crash of the machine survives."""
    done = []
    for name in ("fsync", "replace"):
        original = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *args, f=original, name=name: (done.append(name), f(*args))
        )
    cut_short(RNNRegressor(**FAST), path, 2, X, Y)
    assert done == ["fsync", "replace"] * 2


def double(X):
    return [2 * x for x in X]


def test_in_a_pipeline(path):
    cut_short(RNNRegressor(**FAST), path, 4, double(X), Y)
    model = RNNRegressor(**FAST).set_callbacks(Checkpoint(path))
    pipeline = make_pipeline(FunctionTransformer(double), model).fit(X, Y)
    assert_same(pipeline[-1], RNNRegressor(**FAST).fit(double(X), Y))
    assert not path.exists()
    with pytest.raises(TypeError, match=r"Checkpoint is for RNNRegressor .* not for Pipeline"):
        pipeline.set_callbacks(Checkpoint(path)).fit(X, Y)


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
