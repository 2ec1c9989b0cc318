"""Measurements in a fresh process: earlier work in a process distorts its memory figures."""

import ctypes
import gc
import multiprocessing
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from common import limit_threads


def in_fresh_process(measure: Callable, *args, threads: int):
    """Call a module-level function in a fresh process and return its result."""
    spawn = multiprocessing.get_context("spawn")  # a fork would inherit this process's memory
    with ProcessPoolExecutor(1, spawn, initializer=limit_threads, initargs=(threads,)) as pool:
        return pool.submit(measure, *args).result()


def peak_bytes(run: Callable[[], object]) -> int:
    """Return the peak memory of a run beyond what the process held before, to about 0.3 MB.

    The figure is Linux's own, so it counts NumPy's and torch's memory alike. It needs Linux with
    glibc. The result of `run` is included.
    """
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # or the run could reuse freed memory, uncounted
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak to the memory held now
    before = status("VmRSS")
    run()
    return status("VmHWM") - before


def megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f}"


def status(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024
