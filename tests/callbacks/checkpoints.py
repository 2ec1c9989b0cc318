"""Fits that are cut short after some epoch, and go on from their checkpoint."""

import numpy as np
import pytest
from sklearn.base import clone

from fits import assert_same_fit
from sequences import ragged
from sklearn_rnn.callbacks import Checkpoint

N, EPOCHS = 18, 9
FAST = {"hidden_size": 3, "max_iter": EPOCHS, "learning_rate_init": 0.05, "random_state": 0}
X = ragged(N, n_features=2, seed=0)
Y = np.random.default_rng(1).standard_normal(N)
LABELS = np.where(Y > 0, "up", "down")
VALIDATION = {"X_val": ragged(6, n_features=2, seed=5), "y_val": Y[:6]}


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


def cut_short(model, path, epochs, *data, every=1, **validation):
    cut = clone(model).set_callbacks(Checkpoint(path, every_epochs=every), Cut(epochs))
    with pytest.raises(CutShort):
        cut.fit(*data, **validation)


def resumed(model, path, *data, **validation):
    return clone(model).set_callbacks(Checkpoint(path)).fit(*data, **validation)


def assert_same(model, other):
    """The same fit, and all that is recorded of it."""
    assert_same_fit(model, other)
    for name in ("n_iter_", "t_", "best_loss_", "best_validation_score_"):
        assert getattr(model, name) == getattr(other, name), name
    for name in ("gradient_norms_", "weight_norms_"):
        assert getattr(model, name) == getattr(other, name), name
