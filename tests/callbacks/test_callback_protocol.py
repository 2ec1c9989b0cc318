"""scikit-learn's callback protocol: what any callback is told and may do."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

from fits import assert_same_fit
from sequences import ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.core.optimizers import Adam

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 18
FAST = {"hidden_size": 4, "max_iter": 4, "learning_rate_init": 0.05, "random_state": 0}
X = ragged(N, n_features=2, seed=0)
Y = np.random.default_rng(1).standard_normal(N)
LABELS = np.where(Y > 0, "up", "down")
WEIGHTS = np.linspace(1, 3, N)
BOTH = pytest.mark.parametrize(
    ("Estimator", "y"),
    [(RNNRegressor, Y), (RNNClassifier, LABELS)],
    ids=["regressor", "classifier"],
)


class Recorder:
    """Keeps what the hooks are given; returns `stop` after some epoch, or fails at some hook."""

    def __init__(self, stop_after=None, fail_at=None):
        self.stop_after, self.fail_at = stop_after, fail_at
        self.calls = []

    def setup(self, estimator, context):
        self._note("setup", context)

    def on_fit_task_begin(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        self._note("begin", context, X, y, metadata, fitted_estimator)

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        self._note("end", context, X, y, metadata, fitted_estimator)
        return context.task_name == "epoch" and context.task_id + 1 == self.stop_after

    def teardown(self, estimator, context):
        self._note("teardown", context)

    def _note(self, hook, context, *arguments):
        self.calls.append((hook, context, *arguments))
        if self.fail_at == (hook, context.task_name):
            raise ValueError("the callback failed")

    @property
    def order(self):
        return [(hook, context.task_name, context.task_id) for hook, context, *_ in self.calls]

    def fitted(self, hook="end", task="epoch"):
        return [call[-1] for call in self.calls if (call[0], call[1].task_name) == (hook, task)]


def with_callbacks_removed(model):
    return {name: value for name, value in vars(model).items() if "callback" not in name}


@BOTH
def test_the_order_of_the_hooks(Estimator, y):
    recorder = Recorder()
    model = Estimator(**FAST).set_callbacks(recorder)
    assert model.fit(X, y, WEIGHTS) is model
    epochs = [(hook, "epoch", k) for k in range(4) for hook in ("begin", "end")]
    start, end = [("setup", "fit", 0), ("begin", "fit", 0)], [("end", "fit", 0)]
    assert recorder.order == [*start, *epochs, *end, ("teardown", "fit", 0)]
    root = recorder.calls[0][1]
    assert root.max_subtasks == 4
    assert root.estimator_name == Estimator.__name__
    for _, context, *arguments in recorder.calls:
        assert context is root or (context.parent is root and context.max_subtasks == 0)
        if arguments:
            assert arguments[0] is X
            assert arguments[1] is y
            assert list(arguments[2]) == ["sample_weight"]
            assert arguments[2]["sample_weight"] is WEIGHTS
    recorder = Recorder()
    clone(model).set_callbacks(recorder).fit(X, y)
    assert recorder.calls[1][4] is None  # no weights


@pytest.mark.parametrize("early_stopping", [False, True])
@BOTH
def test_the_fitted_estimator_is_as_if_training_had_stopped_there(Estimator, y, early_stopping):
    recorder = Recorder()
    options = FAST | {"max_iter": 8, "early_stopping": early_stopping, "validation_fraction": 0.3}
    options |= {"learning_rate_init": 0.2}
    model = Estimator(**options).set_callbacks(recorder).fit(X, y)
    if early_stopping:
        assert model.best_iteration_ < 8, "the last epoch is the best: nothing is shown"
    fitted = recorder.fitted()
    assert len(fitted) == 8
    for epoch, (before, after) in enumerate(zip(recorder.fitted("begin"), fitted, strict=True)):
        same = Estimator(**options | {"max_iter": epoch + 1}).fit(X, y)
        assert_same_fit(after, same)
        assert_array_equal(after.predict(X), same.predict(X))
        for name in ("n_iter_", "t_", "validation_scores_", "best_iteration_", "loss_"):
            assert getattr(after, name) == getattr(same, name), name
        if epoch:
            assert_same_fit(before, fitted[epoch - 1])
        else:
            assert before.n_iter_ == 0
            assert before.predict(X).shape == (N,)
    assert_same_fit(recorder.fitted("end", "fit")[0], model)


@BOTH
def test_what_callbacks_do_to_their_copies_changes_nothing(Estimator, y):
    class Vandal(Recorder):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            fitted_estimator._parameters.vector[...] = 1e9
            fitted_estimator._progress.rng.random(100)
            fitted_estimator._progress.solver_state.first_moment[...] = 1e9
            fitted_estimator.loss_curve_.clear()

        on_fit_task_begin = on_fit_task_end

    plain = Estimator(**FAST, early_stopping=True, validation_fraction=0.3).fit(X, y)
    model = clone(plain).set_callbacks(Vandal()).fit(X, y)
    assert_same_fit(model, plain)
    assert model.validation_scores_ == plain.validation_scores_


@BOTH
def test_callbacks_leave_nothing_but_themselves(Estimator, y):
    plain = Estimator(**FAST).fit(X, y)
    model = clone(plain).set_callbacks(Recorder()).fit(X, y)
    assert with_callbacks_removed(model).keys() == vars(plain).keys()
    assert vars(plain).keys() == vars(clone(plain).set_callbacks().fit(X, y)).keys()
    assert_same_fit(model, plain)


@BOTH
def test_true_from_a_hook_stops_the_fit(Estimator, y):
    model = Estimator(**FAST, warm_start=True).set_callbacks(Recorder(), Recorder(stop_after=2))
    with warnings.catch_warnings(action="error"):
        model.fit(X, y)  # it has not come to max_iter, and doesn't say so
    assert_same_fit(model, Estimator(**FAST | {"max_iter": 2}).fit(X, y))
    model.set_callbacks().set_params(max_iter=2)
    model.fit(X, y)  # and goes on, if it may
    assert_same_fit(model, Estimator(**FAST).fit(X, y))


@pytest.mark.parametrize(
    "fail_at",
    [
        ("setup", "fit"),
        ("begin", "fit"),
        ("begin", "epoch"),
        ("end", "epoch"),
        ("end", "fit"),
    ],
    ids="-".join,
)
@BOTH
def test_a_failing_callback_leaves_the_estimator_as_it_was(Estimator, y, fail_at):
    model = Estimator(**FAST).fit(X, y)
    before = pickle.dumps(model)
    failing, other = Recorder(fail_at=fail_at), Recorder()
    with pytest.raises(ValueError, match="the callback failed"):
        model.set_callbacks(other, failing).fit(X, y)
    assert pickle.dumps(model.set_callbacks()) == before
    assert other.order[-1] == failing.order[-1] == ("teardown", "fit", 0)


@BOTH
def test_callbacks_are_torn_down_when_fit_fails(Estimator, y):
    recorder = Recorder()
    model = Estimator(**FAST).set_callbacks(recorder)
    with pytest.raises(ValueError, match="X_val"):
        model.fit(X, y, X_val=X[0], y_val=y)
    assert recorder.order == [("setup", "fit", 0), ("teardown", "fit", 0)]
    assert vars(clone(model).set_callbacks()) == with_callbacks_removed(model)
    with pytest.raises(ValueError, match="max_iter"):
        model.set_params(max_iter=-1).fit(X, y)
    assert len(recorder.calls) == 2  # nothing was begun


@BOTH
def test_callbacks_are_torn_down_after_an_interrupt(Estimator, y, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    recorder = Recorder()
    monkeypatch.setattr(Adam, "update", interrupted)
    with pytest.warns(UserWarning, match="interrupted") as caught:
        Estimator(**FAST).set_callbacks(recorder).fit(X, y)
    assert [warning.filename for warning in caught] == [__file__]
    assert recorder.order[-2:] == [("end", "fit", 0), ("teardown", "fit", 0)]


def test_partial_fit_calls_no_callbacks():
    recorder = Recorder()
    RNNRegressor(**FAST).set_callbacks(recorder).partial_fit(X, Y)
    assert recorder.calls == []


def test_what_is_no_callback_is_refused():
    for wrong in (Recorder, print, None, 3):
        with pytest.raises(TypeError, match="callbacks must be instances"):
            RNNRegressor().set_callbacks(wrong)
