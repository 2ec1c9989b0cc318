"""How a network does on validation data."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from sklearn_rnn._parallel.shared_network import SharedNetwork
from sklearn_rnn._training.data import TrainingData, blocks_of_rows
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
        self._rows = data.target_positions()
        # The targets may be those of all samples; the outputs are only those of this part.
        counts = data.target_counts
        self._out_starts = np.cumsum(counts) - counts
        self._places = replace(data, target_starts=self._out_starts).target_positions()

    def __call__(self, network: Network) -> Validation:
        data, rows = self.data, self._rows
        targets, weights = data.targets[rows], data.weights[rows]
        total, value = weights.sum(), 0.0
        with np.errstate(over="ignore", invalid="ignore"):
            predict = network.predict
            if self.shared is not None:
                predict = partial(self.shared.compute, "predict")
            raw = predict(data.lengths, data.inputs, self._out_starts, len(rows))
            raw = raw[self._places]
            for block in blocks_of_rows(raw.shape):
                part = raw[block].T, targets[block].T, weights[block] / total
                value += self.loss.evaluate(*part)[0]
        if not math.isfinite(value):
            return Validation(math.nan, value)
        return Validation(self.score(targets, raw, weights), value)
