"""Benchmarks as on a CPU that has AVX2 and no AVX-512.

Each library chooses its instructions when it is loaded, so a benchmark starts itself once more with
the variables that limit them all.
"""

import os
import sys

import numpy as np

# What NumPy calls instructions beyond AVX2.
BEYOND = ("AVX512", "X86_V4")


def variables() -> dict[str, str]:
    """Return the variables that limit NumPy, OpenBLAS, torch (ATen, oneDNN, MKL) and JAX (XLA)."""
    beyond = [name for name in numpy_features() if name.startswith(BEYOND)]
    return {
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": os.environ.get("NPY_DISABLE_CPU_FEATURES", " ".join(beyond)),
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "DNNL_MAX_CPU_ISA": "AVX2",  # the older name, for the oneDNN that XLA has
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
    }


def restart_with_avx2() -> None:
    """Start the program once more with these variables, unless it has them."""
    wanted = variables()
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **wanted})


def numpy_features() -> list[str]:
    """Return the instructions for which NumPy has loops, and that it uses."""
    return np.show_config("dicts").get("SIMD Extensions", {}).get("found", [])


def instructions() -> dict[str, str]:
    """Say which instructions the libraries use, as far as they tell; environment() has BLAS's."""
    told = {"NumPy": " ".join(numpy_features())}
    if "torch" in sys.modules:
        told["torch"] = sys.modules["torch"].backends.cpu.get_cpu_capability()
    return told | {name: os.environ[name] for name in variables() if name in os.environ}
