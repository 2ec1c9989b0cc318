"""One BLAS thread while networks compute.

The matrix products of a timestep are small: sharing one out among threads costs more than it saves,
and much more where other processes use the same cores.
"""

from functools import cached_property
from threading import Lock

from threadpoolctl import ThreadpoolController


class OneBlasThread:
    """Limits BLAS to one thread as long as anybody is inside.

    The limit is the whole process's. So whoever comes first sets it and whoever leaves last takes
    it back: with several threads inside at once, each restoring what it had found, the limit could
    stay for good. threadpoolctl (from 3.8 on) lets only the thread that has set a limit change it,
    until that thread has left the context of a limiter. So the limit is set, and taken back, by
    limiters whose contexts are left at once.
    """

    def __init__(self):
        self._lock = Lock()
        self._n_inside = 0
        self._limiter = None

    @cached_property
    def _controller(self) -> ThreadpoolController:
        return ThreadpoolController()  # looks through all loaded libraries: slow, so once

    def _limit(self):
        return self._controller.limit(limits=1, user_api="blas")

    def __enter__(self) -> None:
        with self._lock:
            if self._n_inside == 0:
                self._limiter = self._limit()
                with self._limit():  # lets go of the limit as it is, since it has found it so
                    pass
            self._n_inside += 1

    def __exit__(self, *_) -> None:
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0:
                with self._limiter:  # whose end restores what it had found
                    pass


one_blas_thread = OneBlasThread()
