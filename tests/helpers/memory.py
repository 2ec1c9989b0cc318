"""How much memory work takes."""

import gc
import tracemalloc


def peak_bytes(work):
    """Return the most memory, in bytes, that `work()` has at a time; mapped files don't count."""
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
