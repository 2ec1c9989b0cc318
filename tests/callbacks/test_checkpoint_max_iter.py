"""Checkpoints of fits that go on with another max_iter."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from checkpoints import EPOCHS, FAST, Cut, N, X, Y, assert_same, cut_short, resumed
from sklearn_rnn import RNNRegressor
from sklearn_rnn._training import checkpoint as checkpoint_files
from sklearn_rnn.callbacks import Checkpoint, TimeLimit

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

LONGER = EPOCHS + 5
CASES = {
    "adam": {},
    "batches, dropout": {"batch_size": 7, "dropout": 0.3},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling"},
    "adaptive": {"learning_rate": "adaptive", "tol": 1e9, "n_iter_no_change": 1},
    "early stopping": {"early_stopping": True, "validation_fraction": 0.3},
    "segments": {"bptt_steps": 2, "batch_size": 7},
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fit.checkpoint"


def keeping(model, path, *others):
    return clone(model).set_callbacks(Checkpoint(path, keep=True), *others)


@pytest.mark.parametrize("name", CASES)
def test_a_fit_that_was_cut_short_goes_on_to_another_end(name, path):
    model = RNNRegressor(**FAST | CASES[name])
    for max_iter in (LONGER, 6):
        other = clone(model).set_params(max_iter=max_iter)
        cut_short(model, path, 4, X, Y)
        assert_same(resumed(other, path, X, Y), clone(other).fit(X, Y))
        assert not path.exists()


@pytest.mark.parametrize("name", CASES)
def test_a_fit_that_ended_at_max_iter_goes_on(name, path):
    model = RNNRegressor(**FAST | CASES[name])
    assert_same(keeping(model, path).fit(X, Y), clone(model).fit(X, Y))
    assert_same(keeping(model, path).fit(X, Y), clone(model).fit(X, Y))  # nothing more to do
    for max_iter in (LONGER, LONGER + 3):
        longer = clone(model).set_params(max_iter=max_iter)
        assert_same(keeping(longer, path).fit(X, Y), clone(longer).fit(X, Y))
    assert_same(resumed(longer, path, X, Y), clone(longer).fit(X, Y))
    assert not path.exists()


def test_a_fit_that_converged_does_nothing_more(path):
    model = RNNRegressor(**FAST | {"tol": 1e9, "n_iter_no_change": 2})
    whole = keeping(model, path).fit(X, Y)
    assert whole.n_iter_ < EPOCHS
    longer = clone(model).set_params(max_iter=LONGER)
    assert_same(keeping(longer, path, Cut(1)).fit(X, Y), whole)  # would raise after an epoch


@pytest.mark.parametrize("learning_rate", ["cosine", "one_cycle"])
def test_schedules_that_depend_on_max_iter_want_the_same(learning_rate, path):
    model = RNNRegressor(**FAST, learning_rate=learning_rate)
    cut_short(model, path, 4, X, Y)
    with pytest.raises(ValueError, match=r"of another fit, which differs in max_iter\."):
        resumed(clone(model).set_params(max_iter=LONGER), path, X, Y)
    assert_same(resumed(model, path, X, Y), clone(model).fit(X, Y))


def test_a_checkpoint_with_more_epochs_than_max_iter(path):
    model = RNNRegressor(**FAST)
    cut_short(model, path, 6, X, Y)
    words = r"has 6 epochs, but max_iter=5: set max_iter to 6 or more, or delete the file"
    with pytest.raises(ValueError, match=words):
        resumed(clone(model).set_params(max_iter=5), path, X, Y)
    assert resumed(clone(model).set_params(max_iter=6), path, X, Y).n_iter_ == 6


def test_epochs_of_an_earlier_fit_are_not_counted(path):
    model = RNNRegressor(**FAST, warm_start=True)
    first, whole = clone(model).fit(X, Y), clone(model).fit(X, Y)
    first.set_callbacks(Checkpoint(path), TimeLimit(1e-9)).fit(X, Y)
    assert first.n_iter_ == EPOCHS + 1
    second = clone(model).fit(X, Y).set_params(max_iter=2).set_callbacks(Checkpoint(path))
    assert_same(second.fit(X, Y), whole.set_params(max_iter=2).fit(X, Y))


def test_an_interrupt_leaves_the_last_save(path):
    class Interrupt(Cut):
        def on_fit_task_begin(self, estimator, context):
            if context.task_name == "epoch" and context.task_id == self.epochs:
                raise KeyboardInterrupt

        def on_fit_task_end(self, estimator, context): ...

    model = RNNRegressor(**FAST)
    with pytest.warns(UserWarning, match="interrupted"):
        keeping(model, path, Interrupt(3)).fit(X, Y)
    assert len(checkpoint_files.read(path).progress.loss_curve) == 3
    assert_same(keeping(model, path).fit(X, Y), clone(model).fit(X, Y))


def test_in_a_folder_fits_that_differ_in_max_iter_have_their_own_files(tmp_path):
    model = RNNRegressor(**FAST)
    cut_short(model, tmp_path, 6, X, Y)
    other = clone(model).set_params(max_iter=5)
    assert_same(keeping(other, tmp_path).fit(X, Y), clone(other).fit(X, Y))
    assert len(list(tmp_path.iterdir())) == 2
    grid = {"max_iter": [5, 7, EPOCHS]}
    search = GridSearchCV(model.set_callbacks(Checkpoint(tmp_path)), grid, cv=2, n_jobs=2)
    assert search.fit(X, Y).best_estimator_.n_iter_ == search.best_params_["max_iter"]


def test_without_an_end_of_its_own_a_kept_file_is_of_no_other_fit(path):
    model = keeping(RNNRegressor(**FAST), path).fit(X, Y)
    with pytest.raises(ValueError, match=r"of another fit, which differs in y\."):
        model.fit(X, Y + 1)
    with pytest.raises(ValueError, match=r"differs in sample_weight\."):
        model.fit(X, Y, np.ones(N))


@pytest.mark.parametrize("keep", [None, 1, "yes"])
def test_what_keep_can_not_be(path, keep):
    with pytest.raises(TypeError, match="keep must be True or False, not"):
        Checkpoint(path, keep=keep)
