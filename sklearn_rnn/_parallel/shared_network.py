"""A trained network whose outputs workers compute."""

from collections.abc import Callable

import numpy as np

from sklearn_rnn._parallel.memory import Sizes, put
from sklearn_rnn._parallel.replica import Blueprint, Replica
from sklearn_rnn._parallel.team import Team
from sklearn_rnn.core.layouts import new_layouts
from sklearn_rnn.core.network import Network
from sklearn_rnn.core.packing import Batch, ranges


class SharedNetwork:
    """Returns what a network returns, to the bit.

    team : workers with replicas of the network; see `assign`
    """

    def __init__(self, team: Team, network: Network):
        self.team = team
        self.network = network

    def assign(self, slot_size: int) -> None:
        """Give the workers their replicas, if they have no better ones from elsewhere.

        slot_size : the bytes of the timesteps that a worker may have to read at once
        """
        network, team = self.network, self.team
        sizes = Sizes(len(team), len(network.parameters.vector), network.dtype.str, slot_size)
        team.assign(sizes, Replica, Blueprint.of(network))

    def compute(
        self,
        method: str,
        lengths: np.ndarray,
        batch_of: Callable[[np.ndarray], Batch],
        out_starts: np.ndarray,
        n_rows: int,
    ) -> np.ndarray:
        """Return what `Network.predict` or `Network.features` returns, whichever `method` names.

        The workers take turns. Each gets its next batch when the result of its last one is there.
        """
        architecture = self.network.architecture
        widths = {"predict": architecture.n_outputs, "features": architecture.n_features}
        out = np.empty((n_rows, widths[method]), self.network.dtype)
        team, per_step = self.team, self.network.architecture.return_sequences
        team.memory.parameters[...] = self.network.parameters.vector
        team.call_all("refresh")
        rows_of: dict[int, np.ndarray] = {}  # by worker, of the batch that it works on
        for number, layout in enumerate(new_layouts(lengths, self.network.max_columns)):
            k, chosen = number % len(team), layout.chosen
            starts, batch = out_starts[chosen], batch_of(chosen)
            if k in rows_of:
                out[rows_of[k]] = team.receive(k)
            dtype = put(batch.rows_by_sequence(), team.memory.slots[k])
            team.send(k, "compute", method, batch.lengths, dtype)
            rows_of[k] = ranges(starts, batch.lengths) if per_step else starts
        for k, rows in rows_of.items():
            out[rows] = team.receive(k)
        return out
