"""The stand-in for scikit-learn's callbacks does what they do, whichever version is installed."""

from importlib import import_module
from importlib.util import find_spec

import pytest
from sklearn.base import BaseEstimator, clone

MODULES = [
    "sklearn_rnn._callback_stand_in",
    pytest.param(
        "sklearn.callback",
        marks=pytest.mark.skipif(
            find_spec("sklearn.callback") is None,
            reason="scikit-learn has callbacks of its own from 1.9 on",
        ),
    ),
]
ATTRIBUTES = [
    "task_name",
    "task_id",
    "max_subtasks",
    "sequential_subtasks",
    "estimator_name",
    "source_estimator_name",
    "source_task_name",
]


class Recorder:
    """Keeps what it is told; stops at a task, and fails in the end, if it is asked to."""

    def __init__(self, stop_at=None, fails=False):
        self.stop_at, self.fails, self.told = stop_at, fails, []

    def tell(self, hook, context, **arguments):
        self.told.append((hook, context, arguments))

    def setup(self, estimator, context):
        self.tell("setup", context)

    def on_fit_task_begin(self, estimator, context, *, X=None, metadata=None):
        self.tell("begin", context, X=X, metadata=metadata)

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.tell("end", context, fitted=None if fitted_estimator is None else fitted_estimator.n_)
        return context.task_id == self.stop_at

    def teardown(self, estimator, context):
        self.tell("teardown", context)
        if self.fails:
            raise ValueError("the teardown failed")


class RecorderOfOtherThings(Recorder):
    def on_fit_task_begin(self, estimator, context, *, weather=None): ...


@pytest.fixture(params=MODULES)
def protocol(request):
    return import_module(request.param)


@pytest.fixture
def Counter(protocol):
    class Counter(protocol.CallbackSupportMixin, BaseEstimator):
        """Counts to three, a task a number."""

        @protocol.with_callbacks
        def fit(self, X):
            context = self._init_callback_context(max_subtasks=3)
            context.call_on_fit_task_begin(estimator=self, X=X)
            for n in range(3):
                task = context.subcontext(task_name="count")
                task.call_on_fit_task_begin(estimator=self, X=X)
                self.n_ = n
                state = {"n_": n + 10}
                if task.call_on_fit_task_end(estimator=self, reconstruction_attributes=state.copy):
                    break
            context.call_on_fit_task_end(estimator=self)
            return self

    return Counter


def test_what_callbacks_are_told(Counter):
    first, second = Recorder(), Recorder(stop_at=1)
    model = Counter().set_callbacks(second, first)
    assert model.fit("X") is model
    assert model.n_ == 1
    assert [told[::2] for told in first.told] == [
        ("setup", {}),
        ("begin", {"X": "X", "metadata": None}),
        ("begin", {"X": "X", "metadata": None}),
        ("end", {"fitted": 10}),
        ("begin", {"X": "X", "metadata": None}),
        ("end", {"fitted": 11}),
        ("end", {"fitted": None}),
        ("teardown", {}),
    ]
    (_, fit, _), *_, (_, task, _) = first.told[:6]
    assert [getattr(fit, name) for name in ATTRIBUTES] == ["fit", 0, 3, True, "Counter", None, None]
    assert [getattr(task, name) for name in ATTRIBUTES] == [
        *("count", 1, 0, True, "Counter", None, None)
    ]
    assert fit.parent is None
    assert task.parent is fit
    assert task.root_uuid == fit.root_uuid
    assert task.init_time >= fit.init_time
    assert fit.init_time.tzname() == "UTC"
    assert [context.task_name for context in fit] == ["fit", "count", "count"]
    assert repr(task) == "CallbackContext(estimator_name='Counter', task_name='count', task_id=1)"
    assert vars(model).keys() == {"_skl_callbacks", "n_"}


def test_clones_share_their_callbacks(Counter):
    recorder = Recorder()
    copy = clone(Counter().set_callbacks(recorder)).fit("X")
    assert recorder.told
    assert not hasattr(clone(copy.set_callbacks()), "_skl_callbacks")


def test_all_are_torn_down_whatever_fails(Counter):
    failing, other = Recorder(fails=True), Recorder()
    with pytest.raises(ValueError, match="the teardown failed"):
        Counter().set_callbacks(failing, other).fit("X")
    assert other.told[-1][0] == "teardown"
    with pytest.raises(ExceptionGroup, match="teardown errors"):
        Counter().set_callbacks(failing, failing).fit("X")


def test_a_hook_that_asks_for_what_there_is_not(Counter):
    with pytest.raises(TypeError, match=r"on_fit_task_begin .*RecorderOfOtherThings.*weather"):
        Counter().set_callbacks(RecorderOfOtherThings()).fit("X")


def test_what_is_no_callback(Counter, protocol):
    assert isinstance(Recorder(), protocol.FitCallback)
    for wrong in (Recorder, print, None):
        with pytest.raises(TypeError, match="callbacks must be instances"):
            Counter().set_callbacks(wrong)
