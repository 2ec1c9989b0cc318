"""Where training stands: its history, what it needs in order to go on, and when it stops."""

import math
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, NamedTuple

import numpy as np

from sklearn_rnn._training.health import GradientHealth


class Ending(Enum):
    """Why training came to its end."""

    CONVERGED = auto()
    MAX_ITER = auto()
    INTERRUPTED = auto()
    MAX_ITERATIONS = auto()  # of L-BFGS
    STUCK = auto()  # L-BFGS found no lower loss along the gradient
    STOPPED = auto()  # by a callback


class Validation(NamedTuple):
    """How the network does on the validation data.

    score : R², accuracy, or what a callback's scorer returns
    loss : without the penalty and without dropout; None if a callback's scorer decides
    """

    score: float
    loss: float | None = None

    @property
    def judge(self) -> str:
        """What early stopping goes by."""
        return "validation score" if self.loss is None else "validation loss"

    @property
    def worth(self) -> float:
        """The same as a number, the higher the better."""
        return self.score if self.loss is None else -self.loss


@dataclass(frozen=True)
class StoppingRule:
    """When epochs without improvement end the training; the names are the estimators'.

    n_iter_no_change : "auto" is for the descent to decide
    early_stopping : whether the validation data decide, and the parameters that did best there are
        kept; otherwise the training loss decides. "auto" is decided by the number of samples.
    """

    tol: float
    n_iter_no_change: int | str
    early_stopping: bool | str


@dataclass
class Progress:
    """What training remembers from epoch to epoch, and needs in order to go on another time."""

    rng: np.random.Generator
    solver_state: Any
    split_seed: int | None = None  # holds out the same samples when training goes on; None draws it
    n_updates: int = 0
    n_samples_seen: int = 0
    rate_factor: float = 1.0  # halved by an adaptive learning rate
    cycle_start: int = 0  # the epoch in which the present cycle of the learning rate began
    learning_rates: list[float] = field(default_factory=list)
    epochs_without_improvement: int = 0
    improved_to: float = -math.inf  # in the last epoch that improved, by the judge
    judge: str = ""  # "loss", or a `Validation.judge`
    loss_curve: list[float] = field(default_factory=list)
    best_loss: float = math.inf
    validation_scores: list[float] = field(default_factory=list)
    validation_loss_curve: list[float] = field(default_factory=list)
    best_worth: float = -math.inf  # of a Validation
    best_judge: str = ""  # of that
    best_validation_score: float | None = None  # in the epoch of that worth
    best_iteration: int | None = None  # that epoch; the first epoch is 1
    best_parameters: np.ndarray | None = None  # at the end of that epoch
    last_parameters: np.ndarray | None = None  # training goes on from these after `put_back_best`
    health: GradientHealth = field(default_factory=GradientHealth)
    ending: Ending | None = None  # None while training goes on

    def __post_init__(self):
        if self.split_seed is None:
            self.split_seed = int(self.rng.integers(2**31))

    @property
    def n_epochs(self) -> int:
        """The epochs so far."""
        return len(self.loss_curve)

    def begin_cycle(self) -> None:
        """Let the learning rate start a new cycle with the next epoch."""
        self.cycle_start = self.n_epochs

    def adopt(self, solver, parameters: np.ndarray) -> None:
        """Go on with a solver. It starts anew if the state is that of another kind of solver."""
        fresh = solver.init(parameters)
        if type(fresh) is not type(self.solver_state):
            self.solver_state = fresh

    def record(
        self, rule: StoppingRule, loss: float, validation: Validation | None, theta: np.ndarray
    ) -> None:
        """Take an epoch into the history.

        It is compared with the last epoch that improved, so that small improvements add up.

        validation : how the network with parameters theta does; None without validation data
        """
        self.loss_curve.append(loss)
        self.best_loss = min(self.best_loss, loss)
        judge, worth = "loss", -loss
        if validation is not None:
            self._record_validation(validation, theta)
            if rule.early_stopping:
                judge, worth = validation.judge, validation.worth
        if judge != self.judge or worth >= self.improved_to + rule.tol:
            self.judge, self.improved_to = judge, worth
            self.epochs_without_improvement = 0
        else:
            self.epochs_without_improvement += 1

    def _record_validation(self, validation: Validation, theta: np.ndarray) -> None:
        self.validation_scores.append(validation.score)
        if validation.loss is not None:
            self.validation_loss_curve.append(validation.loss)
        if validation.judge != self.best_judge or validation.worth > self.best_worth:
            self.best_judge, self.best_worth = validation.judge, validation.worth
            self.best_validation_score = validation.score
            self.best_iteration = self.n_epochs
            self.best_parameters = theta.copy()

    def put_back_best(self, rule: StoppingRule, parameters: np.ndarray) -> None:
        """With early stopping, overwrite the parameters with the best-scoring ones."""
        is_done = self.last_parameters is not None
        if rule.early_stopping and self.best_parameters is not None and not is_done:
            self.last_parameters = parameters.copy()
            parameters[...] = self.best_parameters
            self.best_parameters = parameters  # one array, so a pickle holds it once

    def take_back_last(self, parameters: np.ndarray) -> None:
        """Overwrite the parameters with those of the last epoch, from which training goes on."""
        if self.last_parameters is not None:
            parameters[...] = self.last_parameters
        self.last_parameters = None

    def drop_arrays(self) -> None:
        """Free the large arrays. Training can still go on, but not exactly as without a break."""
        self.solver_state = self.best_parameters = self.last_parameters = None

    def begin_with_other_parameters(self) -> None:
        """Compare the epochs to come with each other, not with those of the parameters so far."""
        self.drop_arrays()
        self.judge = self.best_judge = ""
