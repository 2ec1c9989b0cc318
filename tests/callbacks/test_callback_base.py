"""`Callback`, from which users' callbacks derive."""

from inspect import signature

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fits import assert_same_fit
from sklearn_rnn import RNNRegressor
from sklearn_rnn.callbacks import Callback
from versions import scikit_learn_since

X = np.random.default_rng(0).standard_normal((20, 5))
Y = X.sum(axis=1)
OPTIONS = {"hidden_size": 3, "learning_rate": "cosine", "max_iter": 4, "random_state": 0}


@pytest.mark.parametrize("hook", ["setup", "on_fit_task_begin", "on_fit_task_end", "teardown"])
def test_it_asks_for_nothing_that_would_be_copied(hook):
    assert [*signature(getattr(Callback(), hook)).parameters] == ["estimator", "context"]


def test_it_changes_nothing():
    plain = RNNRegressor(**OPTIONS).fit(X, Y)
    assert_same_fit(RNNRegressor(**OPTIONS).set_callbacks(Callback()).fit(X, Y), plain)


def test_one_hook_is_enough():
    class Stop(Callback):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            return context.task_name == "epoch" and fitted_estimator.n_iter_ == 2

    assert RNNRegressor(**OPTIONS).set_callbacks(Stop()).fit(X, Y).n_iter_ == 2


@scikit_learn_since(9, "pipelines with callbacks")
def test_it_is_for_networks():
    pipeline = make_pipeline(StandardScaler(), RNNRegressor(**OPTIONS)).set_callbacks(Callback())
    with pytest.raises(TypeError, match="not for Pipeline: set it on the RNN estimator inside"):
        pipeline.fit(X, Y)
