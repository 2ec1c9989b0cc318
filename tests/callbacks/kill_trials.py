"""Kill fits at random moments, and let them go on: `kill_trials.py FOLDER N_TRIALS`.

Prints a JSON object per trial. A process of its own, since it forks: pytest has other threads.
"""

import json
import os
import random
import signal
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.base import clone

from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn._training import checkpoint as checkpoint_files
from sklearn_rnn.callbacks import Checkpoint

RNG = np.random.default_rng(0)
X = [RNG.standard_normal((length, 2)) for length in RNG.integers(1, 6, size=16)]
Y = RNG.standard_normal(16)
STEPS = [np.where(x[:, 0] > 0, "up", "down") for x in X]
FAST = {"hidden_size": 4, "max_iter": 25, "batch_size": 5, "tol": 0, "random_state": 0}

FITS = [
    (RNNRegressor(**FAST, solver="adam"), X, Y),
    (RNNRegressor(**FAST, cell="elman", early_stopping=True, validation_fraction=0.3), X, Y),
    (RNNRegressor(**FAST | {"tol": 1e9}, solver="sgd", learning_rate="adaptive"), X, Y),
    (RNNClassifier(**FAST, cell="lstm", return_sequences=True), X, STEPS),
    (RNNRegressor(**FAST, n_iter_no_change=25), [x.astype(np.float32) for x in X], Y),
    (RNNClassifier(**FAST, bptt_steps=2, learning_rate="one_cycle"), X, Y > 0),
    (RNNRegressor(**FAST, bidirectional=True, dropout=0.3, solver="rmsprop"), X, Y),
]


class Ticker:
    """Write a byte after every epoch."""

    def __init__(self, file_descriptor):
        self.file_descriptor = file_descriptor

    def setup(self, estimator, context): ...
    def teardown(self, estimator, context): ...
    def on_fit_task_begin(self, estimator, context): ...

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch":
            os.write(self.file_descriptor, b".")


def fit(model, X, y, *callbacks):
    with warnings.catch_warnings(action="ignore"):
        return clone(model).set_callbacks(*callbacks).fit(X, y)


def kill_a_fit(path, problem, rng) -> bool:
    """Kill a fit some moment after some epoch; return whether it was still running."""
    for_parent, for_child = os.pipe()
    pid = os.fork()
    if pid == 0:
        fit(*problem, Ticker(for_child), Checkpoint(path))
        os._exit(0)
    os.close(for_child)
    began = time.monotonic()
    epochs = len([os.read(for_parent, 1) for _ in range(rng.randrange(1, 12))])
    time.sleep(rng.uniform(0, 2 * (time.monotonic() - began) / epochs))
    os.kill(pid, signal.SIGKILL)
    os.close(for_parent)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def n_iter_saved(path) -> int:
    """The epochs that a checkpoint holds; an error if it is not whole."""
    return len(checkpoint_files.read(path).progress.loss_curve) if path.exists() else 0


def is_same(model, other) -> bool:
    weights = (
        np.array_equal(model.weights_[name], other.weights_[name]) for name in model.weights_
    )
    return (
        all(weights)
        and model.loss_curve_ == other.loss_curve_
        and model.validation_scores_ == other.validation_scores_
        and model.best_iteration_ == other.best_iteration_
    )


def main(folder, n_trials):
    whole = [fit(*problem) for problem in FITS]
    for trial in range(n_trials):
        rng, which = random.Random(trial), trial % len(FITS)
        path = Path(folder, f"{trial}.checkpoint")
        killed = [kill_a_fit(path, FITS[which], rng) for _ in range(1 + trial % 2)]
        n_saved = n_iter_saved(path)
        model = fit(*FITS[which], Checkpoint(path))
        print(
            json.dumps(
                {
                    "killed": killed,
                    "epochs saved": n_saved,
                    "epochs": model.n_iter_,
                    "same": is_same(model, whole[which]),
                    "file left": path.exists(),
                }
            )
        )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
