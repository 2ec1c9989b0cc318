"""How a network does on validation data."""

import math
from collections.abc import Callable

import numpy as np

from sklearn_rnn._parallel.shared_network import SharedNetwork
from sklearn_rnn._training.data import TrainingData
from sklearn_rnn._training.progress import Validation
from sklearn_rnn.core.losses import Loss
from sklearn_rnn.core.network import Network


class Validator:
    """Computes loss and score of a network on validation data, in the units of the targets.

    score : maps targets, raw outputs and weights, one row per target, to a number
    shared : the same network, whose outputs workers compute, if there are any
    """

    def __init__(self, data: TrainingData, loss: Loss, score: Callable[..., float]):
        self.data = data
        self.loss = loss
        self.score = score
        self.shared: SharedNetwork | None = None
        self._valid = data.target_positions()

    def __call__(self, network: Network) -> Validation:
        data, valid = self.data, self._valid
        targets, weights = data.targets[valid], data.weights[valid]
        with np.errstate(over="ignore", invalid="ignore"):
            predict = network.predict if self.shared is None else self.shared.predict
            raw = predict(data.lengths, data.inputs, data.target_starts, len(data.targets))[valid]
            value, _ = self.loss.evaluate(raw.T, targets.T, weights / weights.sum())
        if not math.isfinite(value):
            return Validation(math.nan, value)
        return Validation(self.score(targets, raw, weights), value)
