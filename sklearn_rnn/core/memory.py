"""Memory that is allocated once and laid out again for every batch, and how ufuncs work on it."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextvars import Context, copy_context
from typing import TypeVar

import numpy as np

Shape = tuple[int, ...]
T = TypeVar("T")

# The numbers in a ufunc's buffer; see with_small_ufunc_buffers.
UFUNC_BUFFER = 1024


class Arena:
    """Memory for some arrays. It grows to the largest need, and stays."""

    def __init__(self, dtype):
        self.flat = np.empty(0, dtype)

    def reserve(self, shapes: Sequence[Shape]) -> bool:
        """Make room for arrays of these shapes; return whether the memory is new."""
        size = sum(map(math.prod, shapes))
        if size <= self.flat.size:
            return False
        self.flat = np.empty(size, self.flat.dtype)
        return True


def carve(flat: np.ndarray, shapes: Sequence[Shape]) -> Iterator[np.ndarray]:
    """Lay out arrays of these shapes, one behind the other."""
    start = 0
    for shape in shapes:
        end = start + math.prod(shape)
        yield flat[start:end].reshape(shape)
        start = end


class Workspace:
    """Memory for the backward pass. The layers of a network use it one after another."""

    def __init__(self, dtype):
        self.dtype = dtype
        self.scratch = Arena(dtype)
        self.columns = Arena(dtype)


def with_small_ufunc_buffers(work: Callable[..., T], *args) -> T:
    """Return work(*args), computed by ufuncs in place on the slots of memory, not on copies.

    The slots of successive timesteps are not adjacent. On such arrays a ufunc gathers several slots
    in its buffer, and copies the result back, unless a slot is longer than the buffer. The default
    buffer holds 8192 numbers, and the copies would take as long as the work itself.

    NumPy has the buffer's size in a context variable. So it is as before outside the work's own
    context, even after an interrupt between any two lines.
    """
    context = copy_context()
    context.run(np.setbufsize, UFUNC_BUFFER)
    return context.run(work, *args)


def prediction_context() -> Context:
    """Return a context for predictions: small ufunc buffers, and no warnings of overflow.

    What overflows is found in the outputs. To enter a context takes no time; to set one up takes as
    long as a few timesteps.
    """
    context = Context()
    context.run(np.setbufsize, UFUNC_BUFFER)
    context.run(np.seterr, over="ignore", invalid="ignore")
    return context
