"""Tasks and batches for the benchmarks of one optimisation step, and our own contender.

A contender is a function of a task and its batches. It returns a function that makes one step on
the next batch, and returns the loss.
"""

from collections.abc import Callable
from itertools import cycle
from typing import NamedTuple

import numpy as np

from sklearn_rnn._parallel.shared_batch_loss import SharedBatchLoss
from sklearn_rnn._parallel.team import Team
from sklearn_rnn.core.architecture import Architecture
from sklearn_rnn.core.batch_loss import BatchLoss, Dropouts, TrainingLoss
from sklearn_rnn.core.losses import LOSSES
from sklearn_rnn.core.memory import UFUNC_BUFFER
from sklearn_rnn.core.network import Network
from sklearn_rnn.core.optimizers import Adam, clip_by_norm
from sklearn_rnn.core.packing import Batch, FlatBatch

# (timesteps, batch, features, hidden size)
SHAPES = (
    (8, 32, 8, 32),
    (50, 32, 8, 32),
    (100, 32, 8, 64),
    (100, 64, 16, 128),
    (100, 200, 16, 64),
    (50, 256, 8, 32),
    (200, 128, 32, 256),
    (784, 32, 1, 64),
)
QUICK_SHAPES = [shape for shape in SHAPES if shape[0] * shape[1] * shape[3] < 10**6]
N_OUTPUTS = 3
RATE, MAX_NORM = 1e-3, 1.0
BETAS, EPSILON = (0.9, 0.999), 1e-8


class Task(NamedTuple):
    """A network to train; the loss is the squared error."""

    cell: str
    n_inputs: int
    hidden_size: int
    n_layers: int
    n_outputs: int
    per_step: bool


class Minibatch(NamedTuple):
    """Sequences in order of decreasing length, float32.

    X : (batch, timesteps, features), with padding after the end of a sequence
    y : (batch, n_outputs), or (batch, timesteps, n_outputs) one per step
    lengths : (batch,)
    """

    X: np.ndarray
    y: np.ndarray
    lengths: np.ndarray


def task_of(cell: str, shape, n_layers: int, per_step: bool) -> Task:
    _, _, D, H = shape
    return Task(cell, D, H, n_layers, N_OUTPUTS, per_step)


def output(task: Task) -> str:
    return "each step" if task.per_step else "last step"


def minibatch(task: Task, lengths: np.ndarray, rng: np.random.Generator) -> Minibatch:
    """Draw a minibatch with the given lengths."""
    B, T = len(lengths), int(lengths.max())
    y_shape = (B, T, task.n_outputs) if task.per_step else (B, task.n_outputs)
    return Minibatch(
        rng.standard_normal((B, T, task.n_inputs), np.float32),
        rng.standard_normal(y_shape, np.float32),
        -np.sort(-lengths),
    )


def ours(task: Task, batches: list[Minibatch], team: Team | None = None) -> Callable[[], float]:
    """Return our step; with a team, its workers compute the gradient."""
    cell, n_inputs, hidden_size, n_layers, n_outputs, per_step = task
    architecture = Architecture(cell, "tanh", n_inputs, hidden_size, n_layers, n_outputs, per_step)
    network = Network(architecture, architecture.zeros(np.float32))
    network.initialize(np.random.default_rng(0))
    theta = network.parameters.vector
    solver = Adam(*BETAS, EPSILON)
    state, gradients = solver.init(theta), architecture.zeros(np.float32)
    loss = TrainingLoss.of(LOSSES["squared_error"], None, None)
    of_batch: BatchLoss | SharedBatchLoss = BatchLoss(network, loss, Dropouts(), gradients)
    if team is not None:
        of_batch = SharedBatchLoss(team, of_batch, max(data.X.nbytes for data in batches))
    turns = cycle([for_core(task, batch) for batch in batches])

    np.setbufsize(UFUNC_BUFFER)  # outside the step, since a fit sets it only once

    def step():
        value, _, _ = of_batch.evaluate(*next(turns), None)
        clip_by_norm(gradients.vector, MAX_NORM)
        solver.update(theta, gradients.vector, state, RATE)
        network.refresh()
        return value

    return step


def for_core(task: Task, data: Minibatch) -> tuple[Batch, np.ndarray, np.ndarray]:
    """Convert a minibatch for the core: the batch, and the targets and weights of its columns."""
    X, y, lengths = data
    B, T, D = X.shape
    batch = FlatBatch(X.reshape(B * T, D), np.arange(B) * T, lengths)
    rows, weights = np.arange(B), np.ones(B, np.float32)
    if task.per_step:
        rows, weights = batch.positions(batch.starts), batch.is_real().astype(np.float32)
    targets = np.ascontiguousarray(y.reshape(-1, task.n_outputs)[rows].T)
    return batch, targets, weights / weights.sum()
