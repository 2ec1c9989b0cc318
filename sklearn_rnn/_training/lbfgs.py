"""Training by L-BFGS: all the data at once, for small ones. An iteration is what an epoch is."""

import math
import sys
import time
from dataclasses import replace

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from sklearn_rnn._training.data import TrainingData
from sklearn_rnn._training.epochs import (
    Ending,
    Progress,
    Trainer,
    TrainingOptions,
    Watcher,
    must_stop,
    report,
)
from sklearn_rnn.core.network import Network
from sklearn_rnn.core.parameters import Parameters

ENDINGS = {0: Ending.CONVERGED, 1: Ending.MAX_ITERATIONS, 2: Ending.STUCK}  # by scipy's status


class LBFGS:
    """Marks the solver that is no rule for updates; it remembers nothing from fit to fit."""

    def init(self, theta: np.ndarray) -> None:
        return None


def by_lbfgs(network, data, loss, options, progress, n_iterations, validate, watcher) -> None:
    """Run scipy's L-BFGS-B; see `_training.by_epochs` for the arguments.

    It works in float64, since its search along a line would soon be lost in the noise of float32.
    """
    if not n_iterations:
        return
    progress.ending = None
    options = replace(options, max_grad_norm=None, learning_rate="constant")  # not its own
    with np.errstate(over="ignore", invalid="ignore"):
        objective = _Objective(network, data, loss, options, progress, validate, watcher)
        try:
            result = minimize(
                objective.evaluate,
                objective.start,
                method="L-BFGS-B",
                jac=True,
                callback=objective.accept,
                options={"maxiter": n_iterations, "maxfun": sys.maxsize, "gtol": options.tol},
            )
            if not result.nit:  # at a minimum from the start: still there is a loss to be told
                objective.record()
            progress.ending = progress.ending or ENDINGS[result.status]
        except KeyboardInterrupt:
            progress.ending = Ending.INTERRUPTED
    if not options.early_stopping:  # steps below tol aren't what a solver by epochs counts
        progress.epochs_without_improvement = 0


class _Objective:
    """The loss of all the data as a function of the parameters, and the way that is taken.

    The network has the parameters of the last iteration; a copy in float64 tries others.
    """

    def __init__(self, network, data, loss, options, progress, validate, watcher):
        self.network: Network = network
        self.options: TrainingOptions = options
        self.progress: Progress = progress
        self.validate = validate
        self.watcher: Watcher = watcher
        self.is_begun = False
        self.started = time.perf_counter()
        parameters = network.parameters
        self.start = parameters.vector.astype(np.float64)
        double = Network(network.architecture, Parameters(parameters.shapes, self.start.copy()))
        self.trainer = Trainer(double, in_double(data), loss, options, progress)
        self.batch = self.trainer.data.batch(np.arange(len(data)))
        self.last, _ = self.trainer.evaluate(self.batch)
        self.take_over_last()

    def take_over_last(self) -> None:
        """Let the loss of the last evaluation be that of the accepted parameters."""
        if not math.isfinite(self.last):
            raise ValueError(self.trainer.diverged("The loss"))
        self.value = self.last

    def evaluate(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        if not self.is_begun:
            self.watcher.begin_epoch()
            self.is_begun = True
        trainer = self.trainer
        trainer.network.parameters.vector[...] = theta
        trainer.network.refresh()
        self.last, _ = trainer.evaluate(self.batch)
        self.progress.n_samples_seen += len(trainer.data)
        if math.isfinite(self.last):
            return self.last, trainer.gradients.vector.copy()
        # A step too far. Of infinity, the search along the line would make NaN, or no step at all
        # and its end; a number that is just high makes it try shorter steps.
        return self.value + 100 * (1 + abs(self.value)), np.zeros_like(theta)

    def accept(self, intermediate_result: OptimizeResult) -> None:
        """Go on from the parameters of an iteration, which were evaluated last."""
        self.take_over_last()
        self.network.parameters.vector[...] = intermediate_result.x
        self.network.refresh()
        self.record()
        if self.progress.ending is not None:
            raise StopIteration

    def record(self) -> None:
        """Take an iteration into the history; its end is the training's, if somebody says so."""
        progress, options = self.progress, self.options
        self.trainer.meter.end_epoch(progress.health, self.network.parameters.vector)
        self.trainer.record(self.value, self.validate, self.network)
        if options.verbose:
            now = time.perf_counter()
            print(report(progress, now - self.started, "Iteration"))
            self.started = now
        if options.early_stopping and must_stop(progress, options):
            progress.ending = Ending.CONVERGED
        self.is_begun = False
        if self.watcher.end_epoch():
            progress.ending = progress.ending or Ending.STOPPED


def in_double(data: TrainingData) -> TrainingData:
    """Return the data in float64; class numbers stay integers."""
    targets = data.targets
    if targets.dtype.kind == "f":
        targets = targets.astype(np.float64, copy=False)
    return replace(data, values=data.values.astype(np.float64, copy=False), targets=targets)
