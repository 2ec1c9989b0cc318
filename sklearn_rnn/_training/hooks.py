"""A fit and its callbacks, by scikit-learn's protocol: the fit is a task, and so is every epoch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse

from sklearn_rnn._input.containers import opened
from sklearn_rnn._training.checkpoint import Saved
from sklearn_rnn._training.descent import Watcher
from sklearn_rnn._training.progress import StoppingRule


class FitArguments(NamedTuple):
    """Training or validation data as `fit` was given them."""

    X: Any = None
    y: Any = None
    sample_weight: Any = None

    def are_validation_data(self) -> bool:
        """Whether there are validation data; raise if a part of them is missing."""
        missing = [f"{name}_val" for name in ("X", "y") if getattr(self, name) is None]
        if missing and any(part is not None for part in self):
            raise ValueError(
                f"{' and '.join(missing)} must be given too: validation data are X_val and y_val, "
                "with or without sample_weight_val."
            )
        return not missing

    def take(self, samples: np.ndarray) -> "FitArguments":
        """Return some of the samples, in the containers of all."""
        return FitArguments(*(None if of is None else take(of, samples) for of in self))

    def score(self, scorer: Callable, fitted) -> float:
        """Score a fitted estimator on these data."""
        weighted = {} if self.sample_weight is None else {"sample_weight": self.sample_weight}
        return float(scorer(fitted, self.X, self.y, **weighted))


def take(container, samples: np.ndarray):
    """Return some samples of whatever `fit` takes, in the same container or in a list."""
    if hasattr(container, "iloc"):
        return container.iloc[samples]
    if issparse(container):  # indicators of several labels
        return container.tocsr()[samples]
    container = opened(container, "X")
    if isinstance(container, (list, tuple)):
        return [container[k] for k in samples]
    return container[samples]


class ScoredStopping(NamedTuple):
    """Early stopping by a scorer, in place of the estimator's own."""

    scorer: Callable
    rule: StoppingRule


@dataclass
class Requests:
    """What passes between a fit that begins and the callbacks of this package.

    It is the estimator's `_callback_requests` while the callbacks' `on_fit_task_begin` runs. The
    callbacks read the first ones, and may set the last two.

    validates : whether there are validation data, given or held out
    """

    validation: FitArguments
    groups: Any
    validates: bool
    stopping: ScoredStopping | None = None  # by EarlyStopping
    resume_from: Saved | None = None  # by Checkpoint


class FitHooks(Watcher):
    """Calls the hooks of an estimator's callbacks.

    context : the estimator's, from scikit-learn
    arguments : what every hook is given
    snapshot : returns the fitted attributes as if training had stopped now. They are copies: hooks
        can't change the training, and training can't change what a hook has kept.
    """

    def __init__(self, context, arguments: dict[str, Any], snapshot: Callable[[], dict[str, Any]]):
        self.context = context
        self.arguments = {**arguments, "reconstruction_attributes": snapshot}
        self._epoch = None  # the context of the present epoch

    def begin(self) -> None:
        """Before the first epoch."""
        self.context.call_on_fit_task_begin(**self.arguments)

    def begin_epoch(self) -> None:
        self._epoch = self.context.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(**self.arguments)

    def end_epoch(self) -> bool:
        return self._epoch.call_on_fit_task_end(**self.arguments)

    def end(self) -> None:
        """After the estimator has got its fitted attributes."""
        self.context.call_on_fit_task_end(**self.arguments)
