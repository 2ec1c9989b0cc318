"""BLAS has one thread while networks compute, and as many as before afterwards."""

from threading import Barrier, Thread

import numpy as np
import pytest
from numpy.testing import assert_allclose
from threadpoolctl import threadpool_info, threadpool_limits

from sklearn_rnn import RNNRegressor
from sklearn_rnn._training.threads import one_blas_thread

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).standard_normal((40, 6, 3))
Y = X[:, -1, 0]


def n_threads():
    return [info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"]


def test_one_thread_inside_and_as_before_outside():
    with threadpool_limits(2, user_api="blas"):
        before = n_threads()
        with one_blas_thread, one_blas_thread:
            assert set(n_threads()) == {1}
        assert n_threads() == before


def test_whoever_leaves_last_takes_the_limit_back():
    """Two threads that overlap, the first to come being the first to leave."""
    inside, left, seen = Barrier(2), Barrier(2), []

    def first():
        with one_blas_thread:
            inside.wait()
        left.wait()

    def second():
        inside.wait()
        with one_blas_thread:
            left.wait()
            seen.append(set(n_threads()))

    def overlapping():
        # The second is inside before the first leaves.
        with one_blas_thread:
            threads = [Thread(target=first), Thread(target=second)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    with threadpool_limits(2, user_api="blas"):
        before = n_threads()
        overlapping()
        assert seen == [{1}]
        assert n_threads() == before


def test_every_thread_has_the_limit_whoever_had_it_first():
    seen = []

    def fit():
        with one_blas_thread:
            seen.append(set(n_threads()))

    before = n_threads()  # several, where the machine has several cores
    fit()  # in this thread, which is alive when the others come
    for _ in range(2):
        thread = Thread(target=fit)
        thread.start()
        thread.join()
    assert seen == [{1}] * 3
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
    monkeypatch.setattr(one_blas_thread, "_n_inside", 1)  # as if it were set by someone else
    with threadpool_limits(2, user_api="blas"):
        assert_allclose(model.fit(X, Y).predict(X), limited, rtol=1e-9)
