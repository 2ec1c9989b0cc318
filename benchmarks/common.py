"""Running contenders side by side, and writing down what came out."""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from avx2 import instructions, restart_with_avx2

DATA = Path(__file__).parent.parent / "examples" / "data"


class Result(NamedTuple):
    """One line of a table."""

    group: str  # whose geometric means it goes into
    labels: dict[str, object]  # what was measured
    seconds: dict[str, float]  # the median of each contender
    ratios: dict[str, float]


# The cells that torch and JAX have too (see peers.py).
PEERS_CELLS = ("elman", "gru", "lstm")


def arguments(
    description: str,
    cells: Iterable[str] = (),
    add: Callable[[argparse.ArgumentParser], object] | None = None,
) -> argparse.Namespace:
    """Read the options that all benchmarks share.

    cells : the choices of --cells; without them there is no such option
    add : adds a benchmark's own options to the parser
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--threads", type=int, default=1, help="threads of every contender")
    parser.add_argument("--quick", action="store_true", help="few repetitions, to try it out")
    parser.add_argument("--avx2", action="store_true", help="keep all libraries to AVX2")
    if cells:
        parser.add_argument("--cells", nargs="+", choices=cells, default=cells)
    if add is not None:
        add(parser)
    options = parser.parse_args()
    if options.avx2:
        restart_with_avx2()
    limit_threads(options.threads)
    return options


def limit_threads(n: int) -> None:
    """Give every contender this many threads; call it before JAX is used for the first time."""
    threadpool_limits(n)
    os.environ["NPROC"] = str(n)  # XLA's threads; its flags leave it as many as there are cores
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(n)


def alternate(
    contenders: Mapping[str, Callable[[], object]],
    seconds: float,
    rounds: int = 15,
    of: Callable[[list[float]], float] = statistics.median,
) -> dict[str, float]:
    """Run contenders in turn, round after round; return the median time of a run of each.

    of : takes the place of the median

    Each contender has about `seconds` in all. Turns are short, so that what else goes on in the
    machine falls on all alike; where single runs are long, there are fewer rounds, but five.
    """
    once = {}
    for name, run in contenders.items():
        run()  # warm up
        once[name] = seconds_of(run)
    rounds = min(rounds, max(5, round(seconds / max(once.values()))))
    repeats = {name: max(1, round(seconds / rounds / once[name])) for name in contenders}
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            times[name].append(seconds_of(run, repeats[name]))
    return {name: of(values) for name, values in times.items()}


def seconds_of(run: Callable[[], object], repeats: int = 1) -> float:
    """The mean time of a run."""
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    return (time.perf_counter() - start) / repeats


def environment() -> dict[str, object]:
    """Say what the figures were measured on."""
    blas = [
        f"{info['internal_api']} {info['version']} {info.get('architecture', '')}".strip()
        + f", {info['num_threads']} threads"
        for info in threadpool_info()
        if info["user_api"] == "blas"
    ]
    packages = {}
    for package in ("numpy", "scikit-learn", "torch", "onnxruntime", "jax", "skorch"):
        try:
            packages[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "blas": blas,
        "instructions": instructions(),
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
    print("Instructions:", "; ".join(f"{k}: {v}" for k, v in about["instructions"].items()), "\n")
    print("|", " | ".join(columns), "|")
    print("|", " | ".join("---" for _ in columns), "|")
    for row in rows:
        print("|", " | ".join(row), "|")
    if path is not None:
        path.write_text(json.dumps({"title": title, **about, "figures": figures}, indent=1))


def report_results(title: str, results: list[Result], path: Path | None) -> None:
    """Report results; below each group stand the geometric means of its ratios.

    The results of a group follow one another.
    """
    labels = list(results[0].labels)
    contenders = unique(name for result in results for name in result.seconds)
    ratios = unique(name for result in results for name in result.ratios)
    columns = [*labels, *(f"{name}, ms" for name in contenders), *ratios]
    rows, means = [], {}
    for group, members in groupby(results, key=lambda result: result.group):
        members = list(members)
        for member in members:
            milliseconds = [member.seconds.get(name) for name in contenders]
            rows.append(
                [str(label) for label in member.labels.values()]
                + ["" if ms is None else f"{ms * 1e3:.3g}" for ms in milliseconds]
                + [two_decimals(member.ratios.get(name)) for name in ratios]
            )
        means[group] = {
            name: geometric_mean(m.ratios[name] for m in members if name in m.ratios)
            for name in ratios
            if any(name in m.ratios for m in members)
        }
        empty = [""] * (len(labels) - 1 + len(contenders))
        bold = [f"**{two_decimals(means[group].get(name)) or '-'}**" for name in ratios]
        rows.append([f"**{group}**, geometric mean", *empty, *bold])
    figures = {"results": [result._asdict() for result in results], "geometric means": means}
    report(title, columns, rows, figures, path)


def two_decimals(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
