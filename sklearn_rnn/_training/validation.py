"""How a network does on validation data."""

import math
from collections.abc import Callable

import numpy as np

from sklearn_rnn._parallel.shared_network import compute
from sklearn_rnn._parallel.team import Team
from sklearn_rnn._training.data import TrainingData
from sklearn_rnn._training.progress import Validation
from sklearn_rnn.core.losses import Loss
from sklearn_rnn.core.network import Network


class Validator:
    """Computes loss and score of a network on validation data, in the units of the targets.

    score : maps targets, raw outputs and weights, one row per target, to a number
    team : workers that compute the outputs, if there are any
    """

    def __init__(self, data: TrainingData, loss: Loss, score: Callable[..., float]):
        self.data = data
        self.loss = loss
        self.score = score
        self.team: Team | None = None
        self._valid = data.target_positions()

    def __call__(self, network: Network) -> Validation:
        data, valid = self.data, self._valid
        targets, weights = data.targets[valid], data.weights[valid]
        with np.errstate(over="ignore", invalid="ignore"):
            call = data.lengths, data.inputs, data.target_starts, len(data.targets)
            if self.team is None:
                raw = network.predict(*call)[valid]
            else:
                raw = compute(self.team, "predict", network, *call)[valid]
            value, _ = self.loss.evaluate(raw.T, targets.T, weights / weights.sum())
        if not math.isfinite(value):
            return Validation(math.nan, value)
        return Validation(self.score(targets, raw, weights), value)
