"""How many workers pay: estimates of the time that work takes.

The numbers were fitted to 57 training steps of Elman, GRU and LSTM networks with one and two layers
(docs/decisions.md, "Several cores"); they are right to about 20 %. On other machines all of them
change by about the same factor, so the comparison of one worker with several stays.

An estimate depends on shapes alone, never on a clock. So the same fit always has as many workers,
and the same result to the bit.
"""

from typing import NamedTuple

from sklearn_rnn.core.architecture import Architecture

SECONDS_PER_STEP = 1.2e-4  # of the optimizer, however small the network is
SECONDS_PER_CALLS = 2.1e-6  # of the calls of NumPy for one gate at one timestep
SECONDS_PER_NUMBER = 4.4e-9  # of a gate's value
SECONDS_PER_PRODUCT = 4.8e-11  # of a multiplication and an addition in a matrix product

# A worker computes more slowly while others do, and it has smaller arrays to compute with.
SLOWER_CALLS = 1.55
SLOWER_NUMBERS = 1.17
SECONDS_TO_MEET = 5e-4  # to wake the workers, and to wait for them
SECONDS_PER_WORKER = 1e-4  # to hand out a part, and to take the result

SECONDS_TO_START = 0.2  # a team
FORWARD = 0.35  # the share of the forward pass in a training step

# Several workers must be so much faster, for an estimate may be wrong.
MARGIN = 1.2


class Cost(NamedTuple):
    """The seconds of a training step: those that don't depend on the batch, and the others."""

    fixed: float
    shared: float

    def of_team(self, n: int) -> float:
        """Return the seconds of a step with n workers; 1 stands for none."""
        if n == 1:
            return self.fixed + self.shared
        meeting = SECONDS_TO_MEET + n * SECONDS_PER_WORKER
        return meeting + SLOWER_CALLS * self.fixed + SLOWER_NUMBERS * self.shared / n


def cost_of_step(architecture: Architecture, n_timesteps: int, n_columns: float) -> Cost:
    """Return the cost of a training step.

    n_timesteps : of the longest sequence
    n_columns : the timesteps of all sequences
    """
    H, directions = architecture.hidden_size, architecture.width // architecture.hidden_size
    n_gates = len(architecture.make_cell().gates) * directions
    products = sum(H * (H + 1 + n_inputs) for n_inputs in architecture.widths())
    n_layers = architecture.n_layers
    fixed = SECONDS_PER_STEP + SECONDS_PER_CALLS * n_timesteps * n_layers * n_gates
    per_column = SECONDS_PER_NUMBER * n_layers * H + SECONDS_PER_PRODUCT * products
    return Cost(fixed, n_gates * n_columns * per_column)


def workers_for_steps(cost: Cost, n_steps: int, limit: int) -> int:
    """Return how many workers make steps fastest, at most `limit`; 1 stands for none."""
    n = min(range(1, limit + 1), key=cost.of_team)
    alone = n_steps * cost.of_team(1)
    return n if alone > MARGIN * (n_steps * cost.of_team(n) + SECONDS_TO_START) else 1


def workers_for_batches(cost: Cost, n_batches: int, limit: int) -> int:
    """Return how many workers predict batches fastest, at most `limit`; 1 stands for none.

    cost : of a training step with such a batch
    """
    n = min(limit, n_batches)
    alone = FORWARD * sum(cost) * n_batches
    together = SECONDS_PER_WORKER * n_batches + SLOWER_NUMBERS * alone / n
    return n if alone > MARGIN * (together + SECONDS_TO_START) else 1
