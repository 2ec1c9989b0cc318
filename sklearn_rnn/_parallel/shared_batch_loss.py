"""The loss of a network on a batch, each part of which a worker evaluates."""

import math
from functools import partial

import numpy as np

from sklearn_rnn._parallel.memory import Sizes, put
from sklearn_rnn._parallel.replica import Blueprint, Part, TrainingReplica, dealt
from sklearn_rnn._parallel.team import Team
from sklearn_rnn.core.batch_loss import BatchLoss
from sklearn_rnn.core.packing import Batch


class Remote:
    """Stands for a carry, which each worker keeps for its part."""


class SharedBatchLoss:
    """Does what a `BatchLoss` does, with a team of workers.

    Results are the same to rounding, and of the same team size the same to the bit.

    slot_size : the bytes of the timesteps that a worker may have to read at once
    """

    def __init__(self, team: Team, alone: BatchLoss, slot_size: int):
        self.team = team
        self.network = network = alone.network
        self.gradients = alone.gradients
        dropouts = [dropout for dropout in alone.dropouts if dropout is not None]
        self._rng = dropouts[0].rng if dropouts else None
        rates = tuple(0.0 if dropout is None else dropout.rate for dropout in alone.dropouts)
        n_parameters = len(network.parameters.vector)
        sizes = Sizes(len(team), n_parameters, network.dtype.str, slot_size)
        team.assign(sizes, TrainingReplica, Blueprint.of(network), alone.loss, rates)

    def evaluate(self, batch: Batch, targets: np.ndarray, weights: np.ndarray, carry):
        """See `BatchLoss.evaluate`."""
        take = partial(self._take, batch, targets, weights)
        replies = self._call("evaluate", batch, carry, take)
        value = sum(value for value, _, _ in replies)
        loss = sum(loss for _, loss, _ in replies)
        if math.isfinite(value):
            parts = self.team.memory.gradients[: len(replies)]
            np.add.reduce(parts, axis=0, out=self.gradients.vector)
        return value, loss, Remote()

    def pass_over(self, batch: Batch, carry) -> Remote:
        """See `BatchLoss.pass_over`."""
        self._call("pass_over", batch, carry, lambda *_: ())
        return Remote()

    def _call(self, method: str, batch: Batch, carry, take) -> list:
        """Call a method of each worker that has a part of a batch; return the replies."""
        team, n = self.team, len(batch.lengths)
        team.memory.parameters[...] = self.network.parameters.vector
        rng_state = None if self._rng is None else self._rng.bit_generator.state
        workers = range(min(len(team), n))
        for k in workers:
            numbers = dealt(n, k, len(team))
            share = batch.take(numbers)
            dtype = put(share.rows_by_sequence(), team.memory.slots[k])
            part = Part(batch.lengths, dtype, carry is not None, rng_state)
            team.send(k, method, part, *take(share, numbers))
        replies = [team.receive(k) for k in workers]
        if self._rng is not None:
            self._rng.bit_generator.state = replies[0][-1]
        return replies

    def _take(self, batch: Batch, targets, weights, share: Batch, numbers: np.ndarray):
        """Return the targets and weights of a worker's share of a batch."""
        if not self.network.architecture.return_sequences:
            return targets[..., numbers], weights[numbers]
        columns = batch.columns_of(share, numbers)
        return targets[..., columns], weights[columns] * share.is_real()
