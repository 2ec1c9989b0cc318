"""The settings under which networks compute, and that are as before afterwards.

Whatever ends the work, the settings come back: also an interrupt from the keyboard, or any other
exception out of a signal handler. Such an exception may come between any two lines. It may come
before the first line of an `__exit__`, too, so a context manager in Python can't be relied on.
"""

import os
from collections.abc import Callable
from contextvars import copy_context
from functools import wraps
from threading import RLock, get_ident
from typing import TypeVar

from threadpoolctl import ThreadpoolController

T = TypeVar("T")


class OneBlasThread:
    """Limits BLAS to one thread while at least one Python thread is inside.

    The matrix products of a timestep are small. Splitting one among threads costs more than it
    saves, and far more if other processes use the same cores.

    The number of BLAS threads belongs to the whole process. If each Python thread restored the
    number that it found on entry, the limit of one thread could stay after all have left. So the
    first thread to enter sets the limit, and the last one to leave restores the old number.
    """

    def __init__(self):
        # Reentrant, because a signal handler may predict while its thread holds the lock.
        self._lock = RLock()
        # A pair for every call of `run`; the first item is the thread's number.
        self._inside: set[tuple] = set()
        self._blas = None  # controls the BLAS libraries
        self._owner = None  # see `_set`
        self._found: list[int] | None = None  # the numbers of threads before the limit
        self._is_limited = False

    def run(self, work: Callable[..., T], *args) -> T:
        """Return work(*args), computed with one BLAS thread."""
        call = get_ident(), object()
        try:
            try:
                self._enter(call)
                return work(*args)
            finally:
                self._leave(call)
        finally:
            self._leave(call)  # once more: an interrupt may have cut the first time short

    def _enter(self, call: tuple) -> None:
        # An interrupt may come after each of these lines. Then `_leave` puts everything back.
        with self._lock:
            self._inside.add(call)
            if self._found is None:
                numbers = self._numbers()
                if numbers.count(1) == len(numbers):
                    return  # there is nothing to limit
                self._found = numbers
            if not self._is_limited:
                self._set([1] * len(self._found))
                self._is_limited = True

    def _leave(self, call: tuple | None) -> None:
        # An interrupt may come after each of these lines. Then a second call does the rest.
        with self._lock:
            self._inside.discard(call)
            if self._found is not None and not self._inside:
                self._is_limited = False
                self._set(self._found)
                self._found = None

    def _numbers(self) -> list[int]:
        """Return the number of threads of each BLAS library."""
        if self._blas is None:  # slow, since it searches all loaded libraries: done once
            libraries = ThreadpoolController()
            self._owner = libraries.select(user_api="of no library").limit()
            self._blas = libraries.select(user_api="blas")
        return [library.num_threads for library in self._blas.lib_controllers]

    def _set(self, numbers: list[int]) -> None:
        """Set the numbers of threads, and let all threads set limits again.

        Since threadpoolctl 3.8, a thread that sets a limit keeps control of it: no other thread can
        change the limit until that thread leaves the context of a limiter. But the thread that
        restores the numbers may be another one than the thread that sets the limit. The limiter
        here serves to leave its context, and limits nothing.

        threadpoolctl counts a thread's contexts and frees control when the count is zero or less.
        So the context is left before it is entered. After an interrupt between the two lines the
        count is too low, which does no harm. A count that is too high would keep control for good.
        """
        for library, number in zip(self._blas.lib_controllers, numbers, strict=True):
            library.set_num_threads(number)
        self._owner.__exit__(None, None, None)
        self._owner.__enter__()

    # Around a fork. No thread but the one that forks lives on in the child. With the lock held, no
    # other thread is just changing the limit.

    def before_fork(self) -> None:
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """Forget the calls of threads that the child lacks, and the limit if it was only theirs."""
        self._lock = RLock()
        self._inside = {call for call in self._inside if call[0] == get_ident()}
        self._leave(None)


one_blas_thread = OneBlasThread()

if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(
        before=one_blas_thread.before_fork,
        after_in_parent=one_blas_thread.after_fork_in_parent,
        after_in_child=one_blas_thread.after_fork_in_child,
    )


def keeps_numpy_settings(method: Callable[..., T]) -> Callable[..., T]:
    """Decorate a method: np.geterr() and np.getbufsize() are as before it, whatever ends it.

    NumPy has both in a context variable. `np.errstate` restores it in Python, which an interrupt
    may prevent: in this package's code or in scikit-learn's. A method that runs in a context of its
    own changes a copy.
    """

    @wraps(method)
    def in_own_context(*args, **kwargs):
        return copy_context().run(method, *args, **kwargs)

    return in_own_context
