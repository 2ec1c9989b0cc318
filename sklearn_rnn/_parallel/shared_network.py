"""Prediction by worker processes."""

from collections.abc import Callable

import numpy as np

from sklearn_rnn._parallel.memory import Layout
from sklearn_rnn._parallel.replica import Replica
from sklearn_rnn._parallel.shared_batch_loss import put
from sklearn_rnn._parallel.team import Team
from sklearn_rnn.core.network import Network, in_batches
from sklearn_rnn.core.packing import Batch, ranges


def assign(team: Team, network: Network, slot_size: int) -> None:
    """Prepare a team for `compute`.

    slot_size : the bytes of the timesteps that a worker may have to read at once
    """
    n_parameters = len(network.parameters.vector)
    layout = Layout(len(team), n_parameters, network.dtype.str, slot_size)
    team.assign(layout, Replica, network.architecture, network.units)


def compute(
    team: Team,
    method: str,
    network: Network,
    lengths: np.ndarray,
    batch_of: Callable[[np.ndarray], Batch],
    out_starts: np.ndarray,
    n_rows: int,
) -> np.ndarray:
    """Return what `Network.predict` or `Network.features` returns, to the bit.

    The workers take turns: each gets its next batch when the result of its last one is there.
    """
    per_step = network.architecture.return_sequences
    architecture = network.architecture
    n_columns = architecture.n_outputs if method == "predict" else architecture.n_features
    out = np.empty((n_rows, n_columns), network.dtype)
    team.memory.parameters[...] = network.parameters.vector
    for k in range(len(team)):
        team.send(k, "refresh")
    for k in range(len(team)):
        team.receive(k)
    at_work: dict[int, np.ndarray] = {}  # by worker, the rows of `out` that it computes

    def receive(k: int) -> None:
        out[at_work.pop(k)] = team.receive(k)

    for number, chosen in enumerate(in_batches(lengths)):
        k = number % len(team)
        rows = ranges(out_starts[chosen], lengths[chosen]) if per_step else out_starts[chosen]
        batch = batch_of(chosen)
        if k in at_work:
            receive(k)
        dtype = put(batch, team.memory.slots[k])
        team.send(k, "compute", method, batch.lengths, dtype)
        at_work[k] = rows
    for k in list(at_work):
        receive(k)
    return out
