"""Memory that is laid out again and again without being allocated again, and ufuncs on it."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

Shape = tuple[int, ...]

# See small_ufunc_buffers.
UFUNC_BUFFER = 1024


@contextmanager
def small_ufunc_buffers() -> Iterator[None]:
    """Keep ufuncs from copying what they could work on in place.

    A ufunc on slots of memory, which don't lie side by side, copies several of them at a time to
    its buffer and back, unless they are longer than the buffer. By default that is 8192 numbers;
    the copies take as long as the work.
    """
    with np.errstate():  # which at its end puts back the size too
        np.setbufsize(UFUNC_BUFFER)
        yield


class Arena:
    """Memory that is laid out anew, time and again, without being allocated anew."""

    def __init__(self, dtype):
        self.flat = np.empty(0, dtype)

    def reserve(self, shapes: Sequence[Shape]) -> bool:
        """See to it that there is memory for arrays of these shapes; return whether it is new."""
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
    """Memory that the layers of a network use one after another, on the way back."""

    def __init__(self, dtype):
        self.scratch = Arena(dtype)
        self.columns = Arena(dtype)
