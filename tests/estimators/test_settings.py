"""BLAS has one thread while networks compute; afterwards all settings are as before.

They are as before in spite of interrupts, and in forked children.
"""

import inspect
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from threading import Barrier, Thread

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.preprocessing import StandardScaler
from threadpoolctl import ThreadpoolController, threadpool_limits

import sklearn_rnn
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn._settings import one_blas_thread
from sklearn_rnn.preprocessing import (
    Differences,
    InstanceNormalizedRegressor,
    Lags,
    PatchedRegressor,
    Patches,
    PerSequence,
    PerTimestep,
    PerTimestepTarget,
    SequenceNormalizer,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).standard_normal((40, 6, 3))
Y = X[:, -1, 0]
FOLDER = Path(sklearn_rnn.__file__).parent


BLAS = ThreadpoolController().select(user_api="blas")


def n_threads():
    return [info["num_threads"] for info in BLAS.info()]


def settings():
    return n_threads(), np.geterr(), np.getbufsize()


def test_one_thread_inside_and_as_before_outside():
    with threadpool_limits(2, user_api="blas"):
        before = n_threads()
        assert set(one_blas_thread.run(one_blas_thread.run, n_threads)) == {1}
        assert n_threads() == before


def test_whoever_leaves_last_takes_the_limit_back():
    """Two threads that overlap, the first to come being the first to leave."""
    inside, left, seen = Barrier(2), Barrier(2), []

    def first():
        one_blas_thread.run(inside.wait)
        left.wait()

    def second():
        inside.wait()
        one_blas_thread.run(lambda: (left.wait(), seen.append(set(n_threads()))))

    def overlapping():
        # The second is inside before the first leaves.
        threads = [Thread(target=first), Thread(target=second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    with threadpool_limits(2, user_api="blas"):
        before = n_threads()
        one_blas_thread.run(overlapping)
        assert seen == [{1}]
        assert n_threads() == before


def in_a_thread(function):
    thread = Thread(target=function)
    thread.start()
    thread.join()


def test_every_thread_has_the_limit_whoever_had_it_first():
    seen = []

    def fit():
        one_blas_thread.run(lambda: seen.append(set(n_threads())))

    before = n_threads()  # several, where the machine has several cores
    fit()  # in this thread, which is alive when the others come
    for _ in range(2):
        in_a_thread(fit)
    assert seen == [{1}] * 3
    assert n_threads() == before


def test_the_users_limit_of_another_thread_comes_back():
    """The thread that leaves last isn't the one that controls BLAS for its user's limit."""
    with threadpool_limits(2, user_api="blas"):
        before = n_threads()
        in_a_thread(lambda: one_blas_thread.run(n_threads))
        one_blas_thread.run(n_threads)
        in_a_thread(lambda: one_blas_thread.run(n_threads))
        assert n_threads() == before


def test_a_failed_fit_takes_the_limit_back():
    with threadpool_limits(2, user_api="blas"):
        before = n_threads()
        model = RNNRegressor(cell="elman", activation="identity", solver="sgd", max_grad_norm=None)
        with pytest.raises(ValueError, match="infinite"):
            model.set_params(learning_rate_init=1e200).fit(X, Y)
        assert n_threads() == before


def test_fits_with_and_without_the_limit_agree(monkeypatch):
    model = RNNRegressor(max_iter=5, random_state=0)
    limited = model.fit(X, Y).predict(X)
    monkeypatch.setattr(one_blas_thread, "run", lambda work, *args: work(*args))
    with threadpool_limits(2, user_api="blas"):
        assert_allclose(model.fit(X, Y).predict(X), limited, rtol=1e-9)


CALLS = {
    "fit": lambda model: model.fit(X[:4], Y[:4] > 0, X_val=X[:2], y_val=Y[:2] > 0),
    "partial_fit": lambda model: model.partial_fit(X[:4], Y[:4] > 0),
    "score": lambda model: model.score(X[:4], Y[:4] > 0),
} | {
    name: lambda model, name=name: getattr(model, name)(X[:4])
    for name in ("predict", "predict_proba", "predict_log_proba")
}


def small_model():
    return RNNClassifier(hidden_size=2, max_iter=1, random_state=0).fit(X[:4], Y[:4] > 0)


OWN = "in_own_context"


def layers(method):
    """A method's function, and those inside it: `set_output` wraps `transform`."""
    function = method.__func__
    while function is not None:
        yield function
        function = getattr(function, "__wrapped__", None)


@pytest.mark.parametrize(
    "estimator",
    [
        RNNClassifier(),
        RNNRegressor(),
        PerTimestep(StandardScaler()),
        PerTimestepTarget(RNNRegressor()),
        Patches(),
        Lags(),
        Differences(),
        SequenceNormalizer(),
        PerSequence(StandardScaler()),
        PatchedRegressor(RNNRegressor()),
        InstanceNormalizedRegressor(RNNRegressor()),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_every_method_that_takes_X_keeps_numpys_settings(estimator):
    methods = [
        getattr(estimator, name)
        for kind in type(estimator).__mro__
        if kind.__module__.startswith("sklearn_rnn")
        for name in vars(kind)
        if not name.startswith("_") and callable(getattr(estimator, name, None))
    ]
    taking = [method for method in methods if "X" in inspect.signature(method).parameters]
    bare = [m.__name__ for m in taking if not any(f.__code__.co_name == OWN for f in layers(m))]
    assert len(taking) >= 2
    assert not bare, "decorate these by keeps_numpy_settings"


@pytest.fixture
def swallowed(monkeypatch):
    """What Python swallows: exceptions while it frees objects. They may be interrupts only."""
    exceptions = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: exceptions.append(args.exc_type))
    yield exceptions
    assert set(exceptions) <= {KeyboardInterrupt}


class Interrupt:
    """Raise KeyboardInterrupt at the n-th moment in which Python would run a signal handler.

    These moments are the starts of functions in Python and the ends of functions in C. (The
    interpreter looks for signals in loops as well.)

    at : n, from 0; None only counts the moments
    """

    def __init__(self, at=None):
        self.at = at
        self.n_moments = 0

    def _see(self, frame, event, arg):
        if event in ("call", "c_return"):
            self.n_moments += 1
            if self.n_moments - 1 == self.at:
                sys.setprofile(None)
                raise KeyboardInterrupt

    def during(self, work):
        sys.setprofile(self._see)
        try:
            work()
        except (KeyboardInterrupt, UserWarning):  # a fit that is interrupted warns
            pass
        finally:
            sys.setprofile(None)
        return self


def test_interrupts_at_every_moment_of_the_limit_leave_no_trace():
    def work():
        one_blas_thread.run(n_threads)

    def see():
        seen.update(one_blas_thread.run(n_threads))

    with threadpool_limits(2, user_api="blas"):
        before = settings()
        work()
        for at in range(Interrupt().during(work).n_moments):
            Interrupt(at).during(work)
            assert settings() == before, at
            for run in (lambda work: work(), in_a_thread):  # every thread may limit, and put back
                seen = set()
                run(see)
                assert seen == {1}, at
                assert settings() == before, at


@pytest.mark.parametrize("call", CALLS)
def test_interrupts_at_many_moments_of_a_call_leave_no_trace(call, swallowed):
    model = small_model()

    def work():
        CALLS[call](model)

    with threadpool_limits(2, user_api="blas"):
        before = settings()
        n_moments = Interrupt().during(work).n_moments
        for at in np.linspace(0, n_moments - 1, 150, dtype=int):
            Interrupt(at).during(work)
            assert settings() == before, at


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timer signals")
@pytest.mark.parametrize("call", ["fit", "predict"])
def test_interrupts_by_a_timer_leave_no_trace(call, swallowed):
    model = small_model()
    interrupted = 0

    def interrupt(*_):
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGALRM, interrupt)
    try:
        with threadpool_limits(2, user_api="blas"):
            before = settings()
            for shot in range(300):
                try:
                    signal.setitimer(signal.ITIMER_REAL, 1e-5 * (1 + shot))
                    for _ in range(100):  # for longer than the timer runs
                        CALLS[call](model)
                except (KeyboardInterrupt, UserWarning):
                    interrupted += 1
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
                assert settings() == before, shot
    finally:
        signal.signal(signal.SIGALRM, old)
    assert interrupted + len(swallowed) == 300


@pytest.fixture(scope="module")
def forks():
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2"}
    command = [sys.executable, Path(__file__).with_name("fork_trials.py")]
    trials = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert trials.returncode == 0, trials.stderr
    return json.loads(trials.stdout)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("work", ["predict", "fit", "stay inside", "fork inside"])
def test_forked_children_neither_hang_nor_keep_the_limit(forks, work):
    assert set(forks["children"][work]) == {0}  # -14: the alarm had to end it
    assert forks["parent is as before"]


def test_nothing_in_the_package_takes_a_lock_but_the_limit():
    """A fork while another thread holds a lock would leave it locked in the child."""
    with_locks = {
        str(path.relative_to(FOLDER))
        for path in FOLDER.rglob("*.py")
        if re.search(r"functools import .*cached_property|R?Lock\b", path.read_text("utf-8"))
    }
    assert with_locks == {"_settings.py"}
