"""Trained networks between two calls."""

from collections.abc import Callable
from contextvars import Context
from typing import TypeVar

from sklearn_rnn.core.architecture import Architecture
from sklearn_rnn.core.memory import prediction_context
from sklearn_rnn.core.network import Network
from sklearn_rnn.core.parameters import Parameters
from sklearn_rnn.core.scaling import Units

T = TypeVar("T")

# How many idle networks are kept: as many threads find one that is ready. After long sequences,
# each keeps about twice `network.CHUNK_BYTES` for every layer and direction.
MAX_IDLE = 8
# How many sequences a call may have for which networks are kept. More take longer than to make a
# network does, and leave it with more memory.
FEW = 8


class IdleNetworks:
    """Networks with the same parameters, each ready for the next thread that computes.

    A network has weights in working order, buffers and layouts, and a context to work in. To make
    one takes longer than a short sequence takes, so networks are kept. Each works for one thread at
    a time.

    The parameters must not change.
    """

    def __init__(self, architecture: Architecture, parameters: Parameters, units: Units):
        self._parts = architecture, parameters, units
        self._idle: list[tuple[Network, Context]] = []

    def compute(self, work: Callable[[Network], T], n_sequences: int) -> T:
        """Return work(network). A network whose work fails or is interrupted isn't used again."""
        few = n_sequences <= FEW
        try:
            pair = self._idle.pop() if few else self._new()
        except IndexError:
            pair = self._new()
        network, context = pair
        result = context.run(work, network)
        if few and len(self._idle) < MAX_IDLE:
            self._idle.append(pair)
        return result

    def _new(self) -> tuple[Network, Context]:
        return Network(*self._parts), prediction_context()
