"""Optuna's trials, ended by the callback of docs/callbacks.md."""

import numpy as np
import pytest

from pages import definition
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.callbacks import Callback

optuna = pytest.importorskip("optuna")

X = np.random.default_rng(0).standard_normal((60, 5, 1))
SUMS = X.sum(axis=(1, 2))
OPTIONS = {"hidden_size": 3, "learning_rate": "cosine", "max_iter": 6, "random_state": 0}
PRUNER = optuna.pruners.ThresholdPruner(upper=0.0, n_warmup_steps=2)  # prunes at the third epoch


@pytest.fixture(autouse=True)
def quiet():
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(level)


def pruning(trial):
    names = {"Callback": Callback, "optuna": optuna}
    exec(definition("callbacks.md", "Pruning"), names)
    return names["Pruning"](trial)


def the_only_trial(objective, pruner):
    study = optuna.create_study(pruner=pruner)
    study.optimize(objective, n_trials=1)
    return study.trials[0]


@pytest.mark.parametrize(
    ("model", "y"),
    [(RNNRegressor(**OPTIONS), SUMS), (RNNClassifier(**OPTIONS), SUMS > 0)],
    ids=["regressor", "classifier"],
)
def test_a_trial_that_is_not_pruned_reports_every_epoch(model, y):
    def objective(trial):
        model.set_callbacks(pruning(trial)).fit(X, y)
        return min(model.validation_loss_curve_)

    trial = the_only_trial(objective, optuna.pruners.NopPruner())
    assert trial.state is optuna.trial.TrialState.COMPLETE
    assert trial.intermediate_values == dict(enumerate(model.validation_loss_curve_))
    assert len(trial.intermediate_values) == 6
    assert trial.value == min(model.validation_loss_curve_)


def test_a_trial_is_pruned_after_an_epoch_and_leaves_no_fit():
    model = RNNRegressor(**OPTIONS)

    def objective(trial):
        model.set_callbacks(pruning(trial)).fit(X, SUMS)

    trial = the_only_trial(objective, PRUNER)
    assert trial.state is optuna.trial.TrialState.PRUNED
    assert list(trial.intermediate_values) == [0, 1, 2]
    assert not hasattr(model, "weights_")


def test_worse_trials_are_pruned():
    def objective(trial):
        rate = trial.suggest_float("learning_rate_init", 1e-7, 1.0)
        model = RNNRegressor(**OPTIONS | {"learning_rate_init": rate})
        model.set_callbacks(pruning(trial)).fit(X, SUMS)
        return min(model.validation_loss_curve_)

    study = optuna.create_study(pruner=optuna.pruners.MedianPruner(n_startup_trials=2))
    for rate in (0.03, 0.02, 1e-6, 0.04):
        study.enqueue_trial({"learning_rate_init": rate})
    study.optimize(objective, n_trials=4)
    states = [trial.state.name for trial in study.trials]
    assert states == ["COMPLETE", "COMPLETE", "PRUNED", "COMPLETE"]
    assert len(study.trials[2].intermediate_values) == 1
