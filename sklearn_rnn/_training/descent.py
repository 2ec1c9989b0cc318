"""What every way of training has in common: epochs, their history, and the reasons to end.

`minibatch` and `lbfgs` are the two ways.
"""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

from sklearn_rnn._jobs import Training, fit_workers
from sklearn_rnn._parallel.memory import size_of_slot
from sklearn_rnn._parallel.shared_network import SharedNetwork
from sklearn_rnn._parallel.team import Team
from sklearn_rnn._settings import one_blas_thread
from sklearn_rnn._training.objective import Objective
from sklearn_rnn._training.progress import Ending, Progress, StoppingRule, Validation
from sklearn_rnn._training.validation import Validator
from sklearn_rnn.core.layouts import PREDICT_BATCH
from sklearn_rnn.core.memory import with_small_ufunc_buffers
from sklearn_rnn.core.network import Network

# n_iter_no_change="auto" is at least as many epochs.
MIN_EPOCHS_NO_CHANGE = 10


class Watcher:
    """Is called around every epoch; this one does nothing."""

    def begin_epoch(self) -> None:
        """Before an epoch."""

    def end_epoch(self) -> bool:
        """After an epoch; return whether training is to stop."""
        return False


@dataclass(frozen=True)
class Monitor:
    """What happens after each epoch besides training.

    validate : says how a network does on the validation data; None if there are none
    verbose : whether to print a line per epoch
    """

    validate: Callable[[Network], Validation] | None = None
    watcher: Watcher = field(default_factory=Watcher)
    verbose: bool = False


class Descent(ABC):
    """Trains a network in place, epoch after epoch.

    With validation data, their loss and score after every epoch are recorded. With early stopping
    as well, that decides when training stops, and the network ends with the parameters that did
    best.
    An interrupt from the keyboard ends training early.

    network : the network to train. The objective's network is the same one, or a copy in float64.
    """

    unit = "Epoch"  # what a line of the report calls it
    exhausted = Ending.MAX_ITER  # the ending after the last epoch that the user allows

    def __init__(
        self,
        objective: Objective,
        network: Network,
        progress: Progress,
        rule: StoppingRule,
        monitor: Monitor = Monitor(),
    ):
        self.objective = objective
        self.network = network
        self.progress = progress
        self.rule = rule
        self.monitor = monitor
        self._started = time.perf_counter()  # when the present epoch began

    def train_on(self, n_jobs: int | None, n_epochs: int) -> Ending:
        """Train, see `train`, on as many cores as n_jobs allows and as pay."""
        architecture, lengths = self.network.architecture, self.objective.data.lengths
        n_sure = min(n_epochs, MIN_EPOCHS_NO_CHANGE)  # the others may never come
        n = fit_workers(n_jobs, Training(architecture, lengths, *self.per_update, n_sure))
        if n == 1:
            return self.train(n_epochs)
        with Team(n) as team:
            self.share_out(team)
            return self.train(n_epochs)

    def share_out(self, team: Team) -> None:
        """Let workers compute the gradients, and the outputs for the validation data."""
        network, validate, data = self.objective.network, self.monitor.validate, self.objective.data
        batch_size, _ = self.per_update
        slot = size_of_slot(data.lengths, network.architecture.n_inputs, batch_size)
        # L-BFGS validates a network in another precision than the workers'.
        if isinstance(validate, Validator) and network is self.network:
            validate.shared = SharedNetwork(team, network)
            lengths = validate.data.lengths
            slot = max(slot, size_of_slot(lengths, network.architecture.n_inputs, PREDICT_BATCH))
        self.objective.share_out(team, slot)

    def train(self, n_epochs: int) -> Ending:
        """Train for this many epochs at most; return why training ended."""
        progress, network = self.progress, self.network
        if self.monitor.validate is None:
            progress.best_parameters = None  # of an earlier training
        if n_epochs:
            progress.ending = None
            try:
                one_blas_thread.run(with_small_ufunc_buffers, self.descend, n_epochs)
            except KeyboardInterrupt:
                progress.ending = Ending.INTERRUPTED
        progress.ending = progress.ending or self.exhausted
        progress.put_back_best(self.rule, network.parameters.vector)
        network.refresh()
        return progress.ending

    @property
    @abstractmethod
    def per_update(self) -> tuple[int, int | None]:
        """How many sequences an update learns from, and how many of their timesteps; None: all."""

    @abstractmethod
    def descend(self, n_epochs: int) -> None:
        """Train for at most `n_epochs` epochs, and stop once `progress.ending` is set."""

    @abstractmethod
    def must_stop(self) -> bool:
        """Decide after an epoch whether to stop because there was no improvement.

        This is called exactly once per epoch, since it may change the learning rate.
        """

    @property
    @abstractmethod
    def remedy(self) -> str:
        """What the user can do if training diverges, in words for an error."""

    def begin_epoch(self) -> None:
        self._started = time.perf_counter()
        self.monitor.watcher.begin_epoch()

    def end_epoch(self, loss: float) -> None:
        """Take an epoch into the history, report it, and find out whether training ends."""
        progress, monitor = self.progress, self.monitor
        validation = None if monitor.validate is None else monitor.validate(self.network)
        if validation is not None and not math.isfinite(validation.worth):
            what = "score" if validation.loss is None else "loss"
            raise self.diverged(f"The validation {what}")
        progress.record(self.rule, loss, validation, self.network.parameters.vector)
        if monitor.verbose:
            print(self._report())
        if self.must_stop():
            progress.ending = Ending.CONVERGED
        if monitor.watcher.end_epoch():
            progress.ending = progress.ending or Ending.STOPPED

    @property
    def auto_patience(self) -> int:
        """What n_iter_no_change="auto" is."""
        return MIN_EPOCHS_NO_CHANGE

    def is_out_of_patience(self) -> bool:
        """Whether more epochs than n_iter_no_change brought no improvement."""
        patience = self.rule.n_iter_no_change
        patience = self.auto_patience if patience == "auto" else patience
        return self.progress.epochs_without_improvement > patience

    def diverged(self, what: str) -> ValueError:
        epoch = self.progress.n_epochs + 1
        return ValueError(f"{what} became infinite or NaN in epoch {epoch}. {self.remedy}")

    def _report(self) -> str:
        progress, seconds = self.progress, time.perf_counter() - self._started
        line = f"{self.unit} {progress.n_epochs}: loss {progress.loss_curve[-1]:.6g}"
        if progress.validation_loss_curve:
            line += f", validation loss {progress.validation_loss_curve[-1]:.6g}"
        if progress.validation_scores:
            line += f", validation score {progress.validation_scores[-1]:.6g}"
        return f"{line} ({seconds:.3g} s)"
