"""Memory that several processes share."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sklearn_rnn.core.packing import decreasing

# A folder whose files lie in memory. Not every system has one.
MEMORY_FOLDER = "/dev/shm"

# The bytes of the largest number in X, a long double. Memory that nobody writes to isn't taken.
MOST_BYTES = 16


class Sizes(NamedTuple):
    """What lies in the memory: parameters, and for each worker gradients and a slot.

    slot_size : the bytes of a slot, which holds the timesteps that a worker is to read
    """

    n_workers: int
    n_parameters: int
    dtype: str
    slot_size: int

    @property
    def vectors(self) -> tuple[int, int]:
        """The shape of the parameters, in row 0, and the gradients."""
        return 1 + self.n_workers, self.n_parameters

    @property
    def start_of_slots(self) -> int:
        size = self.vectors[0] * self.vectors[1] * np.dtype(self.dtype).itemsize
        return -(-size // 64) * 64  # a multiple of a line of the cache

    @property
    def size(self) -> int:
        return self.start_of_slots + self.n_workers * self.slot_size


class SharedMemory:
    """A file that this process and its workers map into their memory.

    (multiprocessing.shared_memory would tie its life to the first worker that ends: until Python
    3.13 each process that opens it has it removed at its own end.)

    parameters : (n_parameters,)
    gradients : (n_workers, n_parameters)
    slots : (n_workers, slot_size) bytes
    """

    def __init__(self, path: str, sizes: Sizes):
        memory = np.asarray(np.memmap(path, np.uint8, "r+", shape=(sizes.size,)))
        vectors = np.ndarray(sizes.vectors, sizes.dtype, memory)
        self.parameters, self.gradients = vectors[0], vectors[1:]
        slots = sizes.n_workers, sizes.slot_size
        self.slots = np.ndarray(slots, np.uint8, memory, sizes.start_of_slots)


def size_of_slot(lengths: np.ndarray, n_features: int, batch_size: int) -> int:
    """Return the bytes that hold the timesteps of any batch of this size."""
    longest = lengths[decreasing(lengths)[:batch_size]]
    return int(longest.sum()) * n_features * MOST_BYTES


def put(rows: np.ndarray, slot: np.ndarray) -> np.dtype:
    """Copy an array into a slot; return its precision."""
    np.ndarray(rows.shape, rows.dtype, slot)[...] = rows
    return rows.dtype


def new_file(size: int) -> str:
    """Return the path of a new file of this size, in memory if there is room for it."""
    folders = [MEMORY_FOLDER, tempfile.gettempdir()]
    for folder in folders[:-1]:
        if not os.access(folder, os.W_OK) or shutil.disk_usage(folder).free < 2 * size:
            folders.remove(folder)
    handle, path = tempfile.mkstemp(prefix="sklearn_rnn-", dir=folders[0])
    with os.fdopen(handle, "wb") as file:
        file.truncate(size)
    return path


def remove(path: str) -> None:
    """Remove a file. Where the system allows it, those who have mapped it keep the memory."""
    Path(path).unlink(missing_ok=True)
