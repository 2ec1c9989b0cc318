"""How much longer it takes to import an estimator than `import sklearn.neural_network` takes.

    python benchmarks/import_time.py [--json FILE] [--quick]

Fresh processes import the two in turn, with bytecode and files in caches. A third measurement is
the time of our import after `import sklearn.neural_network`. A second table lists the
slowest modules that it loads and `import sklearn.neural_network` doesn't.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile

from common import arguments, report

OURS = "from sklearn_rnn import RNNRegressor"  # `import sklearn_rnn` alone imports no estimator
PEER = "import sklearn.neural_network"
STATEMENTS = {  # the statement that is timed, and the one before it
    "sklearn_rnn": (OURS, ""),
    "sklearn.neural_network": (PEER, ""),
    "sklearn_rnn after sklearn.neural_network": (OURS, PEER),
}
TIMED = """
import time
{before}
start = time.perf_counter()
{statement}
print(time.perf_counter() - start)
"""
TOP = 12


def output_of(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True)


def cache_bytecode(folder: str) -> None:
    """Make new processes cache bytecode in a folder, whatever the user's settings are."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = folder


def seconds(statement: str, before: str) -> float:
    return float(output_of("-c", TIMED.format(statement=statement, before=before)).stdout)


def imported(statement: str) -> dict[str, float]:
    """Return the modules that a statement imports, with the seconds of each one itself."""
    lines = output_of("-X", "importtime", "-c", statement).stderr.splitlines()
    found = [re.fullmatch(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", line) for line in lines]
    return {match[2]: int(match[1]) * 1e-6 for match in found if match}


def added() -> dict[str, float]:
    """Return the modules that only sklearn_rnn imports, with their seconds, slowest first."""
    others = imported(PEER)
    modules = {name: s for name, s in imported(OURS).items() if name not in others}
    return dict(sorted(modules.items(), key=lambda item: -item[1]))


def measure(n_rounds: int) -> dict[str, list[float]]:
    times = {name: [] for name in STATEMENTS}
    for _ in range(1 + n_rounds):
        for name, statement in STATEMENTS.items():
            times[name].append(seconds(*statement))
    return {name: values[1:] for name, values in times.items()}  # the first fills the caches


def main():
    options = arguments(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        cache_bytecode(folder)
        times = measure(5 if options.quick else 21)
        modules = added()
    medians = {name: statistics.median(values) * 1e3 for name, values in times.items()}
    rows = [[name, f"{ms:.1f}", f"{min(times[name]) * 1e3:.1f}"] for name, ms in medians.items()]
    ours, peer, _ = medians.values()
    rows.append(["sklearn_rnn over sklearn.neural_network", f"{ours - peer:.1f}", ""])
    figures = {"seconds": times, "added modules": modules}
    report("Import", ["import", "median ms", "fastest ms"], rows, figures, options.json)
    print(f"\nAdded: {len(modules)} modules, {sum(modules.values()) * 1e3:.1f} ms; the slowest:\n")
    print("| module | its own ms |\n| --- | --- |")
    for name, s in list(modules.items())[:TOP]:
        print(f"| {name} | {s * 1e3:.2f} |")


if __name__ == "__main__":
    main()
