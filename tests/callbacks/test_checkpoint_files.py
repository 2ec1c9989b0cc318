"""Checkpoint files: when they are written, that they are whole, and which ones are refused."""

import os
import pickle

import numpy as np
import pytest
from sklearn.base import clone

from checkpoints import FAST, VALIDATION, Cut, N, X, Y, assert_same, cut_short, resumed
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn._training import checkpoint as checkpoint_files
from sklearn_rnn.callbacks import Checkpoint, _checkpoint

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fit.checkpoint"


@pytest.fixture
def saved_epochs(monkeypatch):
    epochs = []
    original = checkpoint_files.write

    def write(path, saved):
        epochs.append(len(saved.progress.loss_curve))
        original(path, saved)

    monkeypatch.setattr(checkpoint_files, "write", write)
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
        monkeypatch.setattr(_checkpoint, "time", clock)
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
    "alpha, tol": ({"alpha": 0.1, "tol": 0.5, "max_iter": 30}, {}),
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
        with pytest.raises(ValueError, match=r"fit\.checkpoint is not a checkpoint"):
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
            patch.setattr(checkpoint_files, "__version__", "99.1")
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
