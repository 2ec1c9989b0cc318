"""One BLAS thread while networks compute.

The matrix products of a timestep are small. Splitting one among threads costs more than it saves,
and far more if other processes use the same cores.
"""

from functools import cached_property
from threading import Lock

from threadpoolctl import ThreadpoolController


class OneBlasThread:
    """A context that limits BLAS to one thread while at least one Python thread is inside.

    The number of BLAS threads belongs to the whole process. If each Python thread restored the
    number that it found on entry, the limit of one thread could stay after all have left. So the
    first thread to enter sets the limit, and the last one to leave restores the old number.

    These two may be different threads. But since threadpoolctl 3.8, a thread that sets a limit
    keeps control of it: no other thread can change the limit until that thread leaves the context
    of a limiter. So each limiter's context is left as soon as it is entered.
    """

    def __init__(self):
        self._lock = Lock()
        self._n_inside = 0
        self._limiter = None

    @cached_property
    def _controller(self) -> ThreadpoolController:
        return ThreadpoolController()  # slow, since it searches all loaded libraries: done once

    def _limit(self):
        return self._controller.limit(limits=1, user_api="blas")

    def __enter__(self) -> None:
        with self._lock:
            if self._n_inside == 0:
                self._limiter = self._limit()
                with self._limit():  # gives up control; on exit it restores 1, which it found
                    pass
            self._n_inside += 1

    def __exit__(self, *_) -> None:
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0:
                with self._limiter:  # on exit it restores the number found before the limit
                    pass


one_blas_thread = OneBlasThread()
