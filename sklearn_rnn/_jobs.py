"""n_jobs: how many cores a fit or a prediction may use, and the workers that use them."""

from multiprocessing import parent_process
from threading import current_thread, main_thread

import joblib
import numpy as np

from sklearn_rnn._parallel import costs
from sklearn_rnn.core.architecture import Architecture
from sklearn_rnn.core.layouts import PREDICT_BATCH
from sklearn_rnn.core.packing import decreasing

# The bytes of the largest number in X, a long double. Memory that nobody writes to isn't taken.
MOST_BYTES = 16
# Training stops early after so many epochs at the soonest.
FEWEST_EPOCHS = 10


def n_cores(n_jobs: int | None) -> int:
    """Return how many cores n_jobs allows here, by joblib's rules.

    It is one within a worker of joblib, or of anyone else: there are others, which need the other
    cores.
    """
    n = joblib.effective_n_jobs(n_jobs)
    if n == 1 or parent_process() is not None or current_thread() is not main_thread():
        return 1
    return min(n, joblib.cpu_count())


def size_of_slot(lengths: np.ndarray, n_features: int, batch_size: int) -> int:
    """Return the bytes that hold the timesteps of any batch of this size."""
    longest = lengths[decreasing(lengths)[:batch_size]]
    return int(longest.sum()) * n_features * MOST_BYTES


def fit_workers(
    n_jobs: int | None,
    architecture: Architecture,
    lengths: np.ndarray,
    batch_size: int,
    n_epochs: int,
) -> int:
    """Return how many workers a fit is to have; 1 stands for none."""
    limit = min(n_cores(n_jobs), batch_size)
    if limit == 1:
        return 1
    cost = costs.cost_of_step(architecture, int(lengths.max()), batch_size * float(lengths.mean()))
    n_steps = -(-len(lengths) // batch_size) * min(n_epochs, FEWEST_EPOCHS)
    return costs.workers_for_steps(cost, n_steps, limit)


def predict_workers(n_jobs: int | None, architecture: Architecture, lengths: np.ndarray) -> int:
    """Return how many workers a prediction is to have; 1 stands for none."""
    n_batches = -(-len(lengths) // PREDICT_BATCH)
    if n_batches == 1 or n_cores(n_jobs) == 1:
        return 1
    size = PREDICT_BATCH * float(lengths.mean())
    cost = costs.cost_of_step(architecture, float(lengths.mean()), size)
    return costs.workers_for_batches(cost, n_batches, n_cores(n_jobs))
