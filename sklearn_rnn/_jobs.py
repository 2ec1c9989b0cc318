"""n_jobs: how many cores a fit or a prediction may use, and the workers that use them."""

from collections.abc import Callable
from multiprocessing import parent_process
from threading import current_thread, main_thread
from typing import NamedTuple

import joblib
import numpy as np

from sklearn_rnn._parallel import costs
from sklearn_rnn._parallel.memory import size_of_slot
from sklearn_rnn._parallel.shared_network import SharedNetwork
from sklearn_rnn._parallel.team import Team
from sklearn_rnn.core.architecture import Architecture
from sklearn_rnn.core.layouts import PREDICT_BATCH
from sklearn_rnn.core.network import Network

# What workers can compute of a trained network.
SHARED = Network.predict, Network.features


def n_cores(n_jobs: int | None) -> int:
    """Return how many cores n_jobs allows here, by joblib's rules.

    It is one within a worker of joblib, or of anyone else: there are others, which need the other
    cores.
    """
    n = joblib.effective_n_jobs(n_jobs)
    if n == 1 or parent_process() is not None or current_thread() is not main_thread():
        return 1
    return min(n, joblib.cpu_count())


class Training(NamedTuple):
    """What a training has to do.

    lengths : (n,), the timesteps of each sequence
    bptt_steps : the timesteps that an update learns from, at most; None for all
    n_epochs : that are made in any case
    """

    architecture: Architecture
    lengths: np.ndarray
    batch_size: int
    bptt_steps: int | None
    n_epochs: int


def fit_workers(n_jobs: int | None, training: Training) -> int:
    """Return how many workers a fit is to have; 1 stands for none."""
    architecture, lengths, batch_size, bptt_steps, n_epochs = training
    limit = min(n_cores(n_jobs), batch_size)
    if limit == 1 or not workers_know(architecture):
        return 1
    longest = int(lengths.max())
    n_timesteps = min(bptt_steps or longest, longest)
    n_segments = -(-longest // n_timesteps)  # of a batch; the workers meet for each
    n_columns = batch_size * float(lengths.mean()) / n_segments
    cost = costs.cost_of_step(architecture, n_timesteps, n_columns)
    n_batches = -(-len(lengths) // batch_size)
    n_steps = n_batches * n_segments * n_epochs
    return costs.workers_for_steps(cost, n_steps, limit)


def predict_workers(n_jobs: int | None, architecture: Architecture, lengths: np.ndarray) -> int:
    """Return how many workers a prediction is to have; 1 stands for none."""
    n_batches = -(-len(lengths) // PREDICT_BATCH)
    limit = min(n_cores(n_jobs), n_batches)
    if limit == 1 or not workers_know(architecture):
        return 1
    n_timesteps = float(lengths.mean())
    cost = costs.cost_of_step(architecture, n_timesteps, PREDICT_BATCH * n_timesteps)
    return costs.workers_for_batches(cost, n_batches, limit)


def workers_know(architecture: Architecture) -> bool:
    """Whether the cell is one of this package, and not registered by the running program alone."""
    return type(architecture.make_cell()).__module__.startswith("sklearn_rnn.")


def shared(n: int, compute: Callable) -> Callable:
    """Return what n workers do in place of `Network.predict` or `Network.features`."""

    def compute_by_workers(network: Network, lengths: np.ndarray, *args) -> np.ndarray:
        with Team(n) as team:
            of_team = SharedNetwork(team, network)
            n_features = network.architecture.n_inputs
            of_team.assign(size_of_slot(lengths, n_features, PREDICT_BATCH))
            return of_team.compute(compute.__name__, lengths, *args)

    return compute_by_workers
