"""Training by L-BFGS: all the data at once, for small data. An epoch is an iteration of scipy's."""

import math
import sys

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from sklearn_rnn._training.data import TrainingData
from sklearn_rnn._training.descent import Descent, Monitor
from sklearn_rnn._training.objective import Evaluation, Objective
from sklearn_rnn._training.progress import Ending, Progress, StoppingRule
from sklearn_rnn._training.units import scaling_advice
from sklearn_rnn.core.batch_loss import TrainingLoss
from sklearn_rnn.core.network import Network
from sklearn_rnn.core.parameters import Parameters

ENDINGS = {0: Ending.CONVERGED, 1: Ending.MAX_ITERATIONS, 2: Ending.STUCK}  # by scipy's status


class LBFGS:
    """In place of a solver from `core.optimizers`: without state, since scipy keeps its own."""

    def init(self, theta: np.ndarray) -> None:
        return None


class LBFGSDescent(Descent):
    """Runs scipy's L-BFGS-B.

    The objective is in float64, whatever precision the trained network has: a line search would
    soon be lost in the noise of float32. The trained network has the parameters of the last
    iteration; the objective's network tries others.
    """

    unit = "Iteration"
    exhausted = Ending.MAX_ITERATIONS

    def __init__(
        self,
        objective: Objective,
        network: Network,
        progress: Progress,
        rule: StoppingRule,
        monitor: Monitor,
        tol: float,
    ):
        super().__init__(objective, network, progress, rule, monitor)
        self.all_data = objective.data.one_segment(np.arange(len(objective.data)))
        self.tol = tol  # the largest entry of the gradient at which to stop
        self.is_begun = False  # the present iteration
        self.tried: Evaluation | None = None  # at the parameters that were tried last
        self.accepted: Evaluation | None = None  # at the parameters of the last iteration

    @property
    def per_update(self):
        return len(self.objective.data), None

    def descend(self, n_epochs: int) -> None:
        progress = self.progress
        with np.errstate(over="ignore", invalid="ignore"):
            self.tried = self.objective.evaluate(self.all_data)
            self._accept_tried()
            result = minimize(
                self._try,
                self.objective.network.parameters.vector.copy(),
                method="L-BFGS-B",
                jac=True,
                callback=self._end_iteration,
                options={"maxiter": n_epochs, "maxfun": sys.maxsize, "gtol": self.tol},
            )
            if not result.nit:  # a minimum from the start: there still is a loss to record
                self._record()
            progress.ending = progress.ending or ENDINGS[result.status]

    def train(self, n_epochs: int) -> Ending:
        ending = super().train(n_epochs)
        if n_epochs and not self.rule.early_stopping:
            self.progress.epochs_without_improvement = 0  # it counts for minibatches only
        return ending

    def _try(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the loss and its gradient at theta, as scipy asks for them."""
        if not self.is_begun:
            self.begin_epoch()
            self.is_begun = True
        objective = self.objective
        objective.network.parameters.vector[...] = theta
        objective.network.refresh()
        self.tried = objective.evaluate(self.all_data)
        self.progress.n_samples_seen += len(objective.data)
        if math.isfinite(self.tried.value):
            return self.tried.value, objective.gradients.vector.copy()
        # A step too far. Infinity would make the line search fail; a high number makes it try
        # shorter steps.
        value = self.accepted.value
        return value + 100 * (1 + abs(value)), np.zeros_like(theta)

    def _accept_tried(self) -> None:
        """Take the loss that was tried last as the loss of the iteration."""
        if not math.isfinite(self.tried.value):
            raise self.diverged("The loss")
        self.accepted = self.tried

    def _end_iteration(self, intermediate_result: OptimizeResult) -> None:
        """Take over the parameters of an iteration, which were tried last."""
        self._accept_tried()
        self.network.parameters.vector[...] = intermediate_result.x
        self.network.refresh()
        self._record()
        if self.progress.ending is not None:
            raise StopIteration

    def _record(self) -> None:
        self.is_begun = False
        self.objective.meter.end_epoch(self.progress.health, self.network.parameters.vector)
        self.end_epoch(self.accepted.loss)

    def must_stop(self) -> bool:
        """Stop by the validation score; without early stopping scipy decides, by `tol`."""
        return self.rule.early_stopping and self.is_out_of_patience()

    @property
    def remedy(self) -> str:
        return f"{scaling_advice(self.network.units)}Raise alpha, or try solver='adam'."


def objective_in_double(
    network: Network, data: TrainingData, loss: TrainingLoss, alpha: float
) -> Objective:
    """Return the objective with a copy of the network and the data in float64."""
    parameters = network.parameters
    double = Parameters(parameters.shapes, parameters.vector.astype(np.float64))
    return Objective(
        Network(network.architecture, double, network.units), data.in_double(), loss, alpha
    )
