"""Running contenders side by side, and writing down what came out."""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info


def arguments(description: str) -> argparse.Namespace:
    """Read the options that all benchmarks share."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--threads", type=int, default=1, help="threads of every contender")
    parser.add_argument("--quick", action="store_true", help="few repetitions, to try it out")
    options = parser.parse_args()
    # Before NumPy's BLAS and the peers start their threads; see limit_threads for the rest.
    limit_threads(options.threads)
    return options


def limit_threads(n: int) -> None:
    from threadpoolctl import threadpool_limits

    threadpool_limits(n)
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(n)


def alternate(
    contenders: Mapping[str, Callable[[], object]], seconds: float, rounds: int = 15
) -> dict[str, float]:
    """Run contenders in turn, round after round; return the median time of a run of each.

    Each contender has about `seconds` in all. Turns are short, so that what else goes on in the
    machine falls on all alike.
    """
    repeats = {}
    for name, run in contenders.items():
        run()  # warm up
        start = time.perf_counter()
        run()
        once = time.perf_counter() - start
        repeats[name] = max(1, round(seconds / rounds / max(once, 1e-9)))
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            start = time.perf_counter()
            for _ in range(repeats[name]):
                run()
            times[name].append((time.perf_counter() - start) / repeats[name])
    return {name: statistics.median(values) for name, values in times.items()}


def environment() -> dict[str, object]:
    """Say what the figures were measured on."""
    blas = [
        f"{info['internal_api']} {info['version']} {info.get('architecture', '')}".strip()
        + f", {info['num_threads']} threads"
        for info in threadpool_info()
        if info["user_api"] == "blas"
    ]
    packages = {}
    for package in ("numpy", "scikit-learn", "torch", "jax", "skorch"):
        try:
            packages[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "blas": blas,
        "packages": packages,
    }


def cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def geometric_mean(values) -> float:
    return float(np.exp(np.mean(np.log(list(values)))))


def report(title: str, columns: list[str], rows: list[list[str]], figures, path: Path | None):
    """Print a markdown table with its environment, and write the figures as JSON."""
    about = environment()
    print(f"\n### {title}\n")
    print(f"{about['cpu']}, {'; '.join(about['blas'])}; {about['packages']}\n")
    print("|", " | ".join(columns), "|")
    print("|", " | ".join("---" for _ in columns), "|")
    for row in rows:
        print("|", " | ".join(row), "|")
    if path is not None:
        path.write_text(json.dumps({"title": title, **about, "figures": figures}, indent=1))
