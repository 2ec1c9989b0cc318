"""Training by L-BFGS: all the data at once, for small ones. There are no epochs."""

import math
import sys
import time
from dataclasses import replace

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from sklearn_rnn._threads import one_blas_thread
from sklearn_rnn._training import Ending, Progress, Trainer, TrainingData, TrainingOptions
from sklearn_rnn.core.losses import Loss
from sklearn_rnn.core.network import Network
from sklearn_rnn.core.parameters import Parameters
from sklearn_rnn.core.recurrent import small_ufunc_buffers


class LBFGS:
    """Marks the solver that is no rule for updates; it remembers nothing from fit to fit."""

    def init(self, theta: np.ndarray) -> None:
        return None


def train_by_lbfgs(
    network: Network,
    data: TrainingData,
    loss: Loss,
    options: TrainingOptions,
    progress: Progress,
    n_iterations: int,
) -> Ending:
    """Train the network in place, with scipy's L-BFGS-B.

    It works in float64, since its search along a line would soon be lost in the noise of float32.
    An interrupt from the keyboard ends training early.
    """
    ignoring = np.errstate(over="ignore", invalid="ignore")
    with one_blas_thread, small_ufunc_buffers(), ignoring:
        objective = _Objective(network, data, loss, options, progress)
        try:
            result = minimize(
                objective.evaluate,
                objective.accepted,
                method="L-BFGS-B",
                jac=True,
                callback=objective.accept,
                options={"maxiter": n_iterations, "maxfun": sys.maxsize, "gtol": options.tol},
            )
            if not result.nit:  # at a minimum from the start: still there is a loss to be told
                objective.record()
            ending = ENDINGS[result.status]
        except KeyboardInterrupt:
            ending = Ending.INTERRUPTED
    network.parameters.vector[...] = objective.accepted
    network.refresh()
    progress.best_parameters = progress.last_parameters = None  # of an earlier training
    return ending


ENDINGS = {0: Ending.CONVERGED, 1: Ending.MAX_ITERATIONS, 2: Ending.STUCK}  # by scipy's status


class _Objective:
    """The loss of all the data as a function of the parameters, and the way that was taken."""

    def __init__(self, network, data, loss, options, progress):
        self.progress: Progress = progress
        self.verbose: bool = options.verbose
        self.started = time.perf_counter()
        parameters = network.parameters
        self.accepted = parameters.vector.astype(np.float64)
        double = Parameters(parameters.shapes, self.accepted.copy())
        self.network = Network(network.architecture, double)
        self.trainer = Trainer(self.network, in_double(data), loss, options, progress)
        self.batch = self.trainer.data.batch(np.arange(len(data)))
        self.last, _ = self.trainer.evaluate(*self.batch)
        self.take_over_last()

    def take_over_last(self) -> None:
        """Let the loss of the last evaluation be that of the accepted parameters."""
        if not math.isfinite(self.last):
            raise ValueError(self.trainer.diverged("The loss"))
        self.value = self.last

    def evaluate(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        self.network.parameters.vector[...] = theta
        self.network.refresh()
        self.last, _ = self.trainer.evaluate(*self.batch)
        self.progress.n_samples_seen += len(self.trainer.data)
        if math.isfinite(self.last):
            return self.last, self.trainer.gradients.vector.copy()
        # A step too far. Of infinity, the search along the line would make NaN, or no step at all
        # and its end; a number that is just high makes it try shorter steps.
        return self.value + 100 * (1 + abs(self.value)), np.zeros_like(theta)

    def accept(self, intermediate_result: OptimizeResult) -> None:
        """Go on from the parameters of an iteration, which were evaluated last."""
        self.take_over_last()
        self.accepted = intermediate_result.x.copy()
        self.record()

    def record(self) -> None:
        progress = self.progress
        progress.loss_curve.append(self.value)
        progress.best_loss = min(progress.best_loss, self.value)
        if self.verbose:
            now = time.perf_counter()
            seconds, self.started = now - self.started, now
            print(f"Iteration {len(progress.loss_curve)}: loss {self.value:.6g} ({seconds:.3g} s)")


def in_double(data: TrainingData) -> TrainingData:
    """Return the data in float64; class numbers stay integers."""
    targets = data.targets
    if targets.dtype.kind == "f":
        targets = targets.astype(np.float64, copy=False)
    return replace(data, values=data.values.astype(np.float64, copy=False), targets=targets)
