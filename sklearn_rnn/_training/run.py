"""What the steps of one training share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sklearn_rnn._training.plateau import ConstantLoss
from sklearn_rnn._training.progress import Progress, StoppingRule
from sklearn_rnn.core.network import Network


@dataclass
class Run:
    """A network, what trains it, and by which rule training stops."""

    network: Network
    progress: Progress
    solver: Any  # an instance of one of core.optimizers.SOLVERS, or of LBFGS
    rule: StoppingRule
    goes_on: bool  # from an earlier fit, in the same units
    scorer: Callable | None = None  # a callback's, which scores the validation data
    constant_losses: Callable[[], dict[str, ConstantLoss]] = dict  # see `_training.plateau`
