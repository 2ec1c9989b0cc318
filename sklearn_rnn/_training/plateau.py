"""Whether training got anywhere: its loss against that of the best constant prediction."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from sklearn_rnn._training.data import TrainingData
from sklearn_rnn._training.progress import Progress
from sklearn_rnn.core.losses import Loss

HARDLY = 0.01  # of the constant's loss, or of a unit of a loss whose zero depends on the units
NEGLIGIBLE = 1e-4  # of a loss without units: a label with next to no weight is not to be learned

PLATEAU = (
    "Training stopped on a plateau: after {n_iter} epochs the {judge} is {reached:.4g}, and "
    "that of a constant prediction is {constant:.4g}. The network has learned next to nothing. "
    "Unless y does not depend on X, let it train longer (a larger max_iter or n_iter_no_change, "
    "tol=0) or otherwise (another learning_rate_init, a smaller batch_size)."
)


class ConstantLoss(NamedTuple):
    """The loss of a constant prediction, and by how much a network must be better at least."""

    value: float
    margin: float


def constant_losses(
    loss: Loss, n_outputs: int, data: TrainingData, held_out: TrainingData | None
) -> dict[str, ConstantLoss]:
    """Return what each judge of `Progress` says of the best constant of the training data.

    Targets that are all the same, or nearly all, leave nothing to learn.

    data, held_out : with targets in their units
    """
    first = data.targets[data.target_starts[0]]
    if all((data.targets[rows] == first).all() for rows in data.target_blocks()):
        return {}
    raw = loss.intercept(*data.weighted_targets(n_outputs))
    losses = {"loss": loss_of_constant(loss, raw, data)}
    if loss.power is None and abs(losses["loss"]) < NEGLIGIBLE:
        return {}
    if held_out is not None:
        losses["validation loss"] = loss_of_constant(loss, raw, held_out)
    has_zero = loss.power != 0
    return {
        judge: ConstantLoss(value, HARDLY * (abs(value) if has_zero else 1))
        for judge, value in losses.items()
    }


def loss_of_constant(loss: Loss, raw: np.ndarray, data: TrainingData) -> float:
    blocks = list(data.target_blocks(len(raw)))
    value, total = 0.0, sum(data.weights[rows].sum() for rows in blocks)
    for rows in blocks:
        everywhere = np.broadcast_to(raw[:, np.newaxis], (len(raw), len(rows)))
        weights = data.weights[rows] / total
        value += loss.evaluate(everywhere, data.targets_at(rows), weights)[0]
    return value


def on_plateau(progress: Progress, constants: Mapping[str, ConstantLoss]) -> str | None:
    """Return a warning if training learned hardly more than the best constant."""
    constant, reached = constants.get(progress.judge), -progress.improved_to
    if constant is None or reached < constant.value - constant.margin:
        return None
    return PLATEAU.format(
        judge=progress.judge, reached=reached, constant=constant.value, n_iter=progress.n_epochs
    )
