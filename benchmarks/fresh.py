"""Measuring in a fresh process, which memory needs: what ran before has left its mark there."""

import ctypes
import gc
import multiprocessing
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from common import limit_threads


def in_fresh_process(measure: Callable, *args, threads: int):
    """Call a module's function in a process of its own and return what it returns."""
    spawn = multiprocessing.get_context("spawn")  # a fork would have this process's memory
    with ProcessPoolExecutor(1, spawn, initializer=limit_threads, initargs=(threads,)) as pool:
        return pool.submit(measure, *args).result()


def peak_bytes(run: Callable[[], object]) -> int:
    """The most memory that a run holds beyond what the process held before, to about 0.3 MB.

    It is what Linux counts, so NumPy's and torch's memory count alike (other systems, and Linux
    without glibc, won't do). What `run` returns is in it.
    """
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what a warm-up freed is not to be used again for nothing
    Path("/proc/self/clear_refs").write_text("5")  # brings the high-water mark down to what is held
    before = _status("VmRSS")
    run()
    return _status("VmHWM") - before


def megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f}"


def _status(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024
