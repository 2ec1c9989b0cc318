"""Large data: what reading, an epoch, prediction and memory cost as the data grow tenfold.

    python benchmarks/large.py [--json FILE] [--quick] [--parts memory disk]
        [--sizes 1000 10000] [--containers "3-D array"] [--gigabytes 0.1 1 10] [--folder /tmp]

Each size of each container is measured in fresh processes: one for the times, one for the memory.

"memory": sequences of 8 to 16 timesteps of 4 features, float32, in the containers that the
package takes; 12 timesteps where they are equally long. "Read" is what `fit` does before it makes a
network; "prepare" is weights, units and hold-out; "epoch" has shuffling, batches, gathering and
the steps; "bare" are the same steps on batches that lie ready. All are microseconds per sequence.
Peaks are megabytes of resident memory beyond the data and the libraries.

"disk": a file of sequences of 100 timesteps of 25 features, float32, as np.memmap. Peaks are of
memory that isn't the file's. The file is written to --folder, in pieces, and deleted afterwards.
After writing, it is dropped from the page cache, so that the first reading is cold.
"""

import os
import statistics
import sys
import threading
import time
import warnings
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline

from common import alternate, arguments, report
from fresh import in_fresh_process, megabytes, peak_bytes, status
from sklearn_rnn import RNNRegressor
from sklearn_rnn._base import BaseRNN
from sklearn_rnn._training.minibatch import MinibatchDescent
from sklearn_rnn._training.validation import Validator
from sklearn_rnn.preprocessing import SequenceLookup, to_sequences
from steps import Task, minibatch, ours

SIZES = (1_000, 10_000, 100_000, 1_000_000)
SHORTEST, EQUAL, LONGEST, N_FEATURES = 8, 12, 16, 4
BATCH, N_EPOCHS, HIDDEN = 200, 3, 16
GIGABYTES = (0.1, 1.0, 10.0)
N_TIMESTEPS, WIDTH = 100, 25  # of the sequences on disk: 10 kB each
PIECE = 10_000  # sequences, 100 MB
# A list of a million DataFrames alone takes several GB.
MOST = {"list of DataFrames": 10_000}

# What the parts of `fit` are, by the methods that do them.
STAGES = {
    (BaseRNN, "_read"): "read",
    (BaseRNN, "_prepare_run"): "prepare",
    (BaseRNN, "_prepare_data"): "prepare",
    (BaseRNN, "_descent"): "prepare",
    (MinibatchDescent, "epoch"): "epoch",
    (Validator, "__call__"): "validate",
}


def network(hidden_size=HIDDEN, **options):
    options = {"cell": "gru", "batch_size": BATCH, "max_iter": N_EPOCHS, "tol": 0} | options
    return RNNRegressor(hidden_size=hidden_size, random_state=0, **options)


def ragged(n: int) -> tuple[np.ndarray, np.ndarray]:
    """All timesteps, and the lengths of the sequences."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(SHORTEST, LONGEST + 1, n)
    return rng.standard_normal((lengths.sum(), N_FEATURES), np.float32), lengths


def listed(n: int) -> list[np.ndarray]:
    rows, lengths = ragged(n)
    ends = np.cumsum(lengths)
    return [rows[a:b].copy() for a, b in zip(ends - lengths, ends, strict=True)]


def equal(n: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((n, EQUAL, N_FEATURES), np.float32)


def padded(n: int) -> np.ndarray:
    rows, lengths = ragged(n)
    X = np.full((n, LONGEST, N_FEATURES), np.nan, np.float32)
    X[np.arange(LONGEST) < lengths[:, np.newaxis]] = rows
    return X


def long_table(n: int):
    import pandas as pd

    rows, lengths = ragged(n)
    columns = {f"x{k}": rows[:, k] for k in range(N_FEATURES)}
    return pd.DataFrame({"sequence": np.repeat(np.arange(n), lengths), **columns})


def frames(n: int) -> list:
    import pandas as pd

    return [pd.DataFrame(x, columns=list("abcd")) for x in listed(n)]


# What the data are at first, and what makes X of them.
CONTAINERS = {
    "3-D array": (equal, None),
    "NaN-padded array": (padded, None),
    "list of arrays": (listed, None),
    "SequenceLookup": (listed, SequenceLookup),
    "long DataFrame": (long_table, lambda table: to_sequences(table, group="sequence")[0]),
    "list of DataFrames": (frames, None),
}


def prepared(container: str, n: int):
    """Return a model, X and y; and the seconds that it took to make X of the data."""
    make, convert = CONTAINERS[container]
    data, started, model = make(n), time.perf_counter(), network()
    X = data if convert is None else convert(data)
    seconds = time.perf_counter() - started
    if isinstance(X, SequenceLookup):
        model, X = make_pipeline(X, model), X.rows
    return model, X, np.random.default_rng(1).standard_normal(n).astype(np.float32), seconds


@contextmanager
def clocked():
    """Measure the seconds in each of STAGES."""
    seconds, originals = defaultdict(list), {}

    def timed(original, stage):
        def method(*args, **kwargs):
            started = time.perf_counter()
            result = original(*args, **kwargs)
            seconds[stage].append(time.perf_counter() - started)
            return result

        return method

    for (owner, name), stage in STAGES.items():
        originals[owner, name] = getattr(owner, name)
        setattr(owner, name, timed(originals[owner, name], stage))
    try:
        yield seconds
    finally:
        for (owner, name), original in originals.items():
            setattr(owner, name, original)


def fitted(model, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y)


def bare_steps(n: int, container: str, T: int, D: int, hidden_size: int, cell: str) -> float:
    """The seconds of the steps of an epoch on batches that lie ready."""
    rng = np.random.default_rng(0)
    lengths = np.full((8, BATCH), T)
    if container not in ("3-D array", "disk"):
        lengths = rng.integers(SHORTEST, LONGEST + 1, (8, BATCH))
    task = Task(cell, D, hidden_size, 1, 1, False)
    step = ours(task, [minibatch(task, part, rng) for part in lengths])
    return alternate({"step": step}, 0.5)["step"] * n / BATCH


def times(container: str, n: int) -> dict[str, float]:
    """Seconds of each part."""
    warm_up(container)
    model, X, y, convert = prepared(container, n)
    with clocked() as seconds:
        fitted(model, X, y)
    result = {stage: sum(values) for stage, values in seconds.items()} | {"convert": convert}
    result["epoch"] = statistics.median(seconds["epoch"])
    result["validate"] = statistics.median(seconds["validate"])
    for name in ("predict", "score"):
        method, args = getattr(model, name), (X, y)[: 2 if name == "score" else 1]
        started = time.perf_counter()
        method(*args)
        result[name] = time.perf_counter() - started
    n_training = n - -(-n // 10)  # of the rest, the validation data
    bare = bare_steps(n_training, container, EQUAL, N_FEATURES, HIDDEN, "gru")
    return result | {"bare": bare, "n_training": n_training}


def peaks(container: str, n: int) -> dict[str, float]:
    """Peak memory beyond the data, in bytes."""
    warm_up(container)
    model, X, y, _ = prepared(container, n)
    learner = model.steps[-1][1] if hasattr(model, "steps") else model
    inner = [model.steps[0][1].transform(X)] if hasattr(model, "steps") else [X]
    return {
        "fit": peak_bytes(lambda: fitted(model.set_params(**once(model)), X, y)),
        "predict": peak_bytes(lambda: model.predict(X)),
        "score": peak_bytes(lambda: model.score(X, y)),
        "partial_fit": peak_bytes(lambda: learner.partial_fit(inner[0], y)),
    }


def once(model) -> dict[str, int]:
    return {name: 1 for name in model.get_params() if name.endswith("max_iter")}


def warm_up(container: str) -> None:
    """Load the code of the libraries, and what Python allocates once and for all."""
    model, X, y, _ = prepared(container, 100)
    fitted(model, X, y)
    model.score(X, y)


# On disk.


class OwnMemory:
    """The most memory that a process has at a time, without files that it has mapped."""

    def __enter__(self):
        self._before = self._most = status("RssAnon")
        self._is_over = threading.Event()
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()
        return self

    def _watch(self) -> None:
        while not self._is_over.wait(0.005):
            self._most = max(self._most, status("RssAnon"))

    def __exit__(self, *_) -> None:
        self._is_over.set()
        self._watcher.join()

    @property
    def peak(self) -> int:
        return self._most - self._before


def write(path: Path, n: int) -> None:
    """Write random sequences piece by piece, and drop them from the page cache."""
    X = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n, N_TIMESTEPS, WIDTH))
    for start in range(0, n, PIECE):
        part = X[start : start + PIECE]
        part[...] = np.random.default_rng(start).standard_normal(part.shape, np.float32)
        X.flush()
    del X
    file = os.open(path, os.O_RDONLY)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(file)


def by_pieces(model, X, y):
    for start in range(0, len(X), PIECE):
        part = slice(start, start + PIECE)
        model.partial_fit(X[part], y[part])


def on_disk(path: Path) -> dict[str, dict[str, float]]:
    """Seconds and peaks of the process's own memory, of each kind of work on a file."""
    X = np.load(path, mmap_mode="r")
    y = np.random.default_rng(1).standard_normal(len(X)).astype(np.float32)
    options = {"cell": "elman", "hidden_size": 8, "max_iter": 1, "early_stopping": False}
    model = fitted(network(**options), X[-BATCH:], y[-BATCH:])
    work = {
        "cold reading": lambda: [X[k : k + PIECE].sum() for k in range(0, len(X), PIECE)],
        "fit": lambda: fitted(model, X, y),
        "predict": lambda: model.predict(X),
        "score": lambda: model.score(X, y),
        "partial_fit": lambda: by_pieces(network(**options), X, y),
    }
    result = {}
    for name, run in work.items():
        with clocked() as stages, OwnMemory() as memory:
            started = time.perf_counter()
            run()
            seconds = time.perf_counter() - started
        parts = {stage: sum(values) for stage, values in stages.items()}
        result[name] = {"seconds": seconds, "peak": memory.peak} | parts
        print(path.name, name, result[name], file=sys.stderr, flush=True)
    bare = bare_steps(len(X), "disk", N_TIMESTEPS, WIDTH, 8, "elman")
    return result | {"bare steps": {"seconds": bare}}


def disk_part(options) -> None:
    rows, figures = [], []
    for size in options.gigabytes:
        n = round(size * 100_000)
        with TemporaryDirectory(dir=options.folder) as folder:
            path = Path(folder) / f"{size:g}GB.npy"
            write(path, n)
            found = in_fresh_process(on_disk, path, threads=options.threads)
        figures.append({"gigabytes": size, "n": n} | found)
        fit = found["fit"]
        rows.append(
            [f"{size:g} GB", f"{n:,}", f"{found['cold reading']['seconds']:.3g}"]
            + [f"{fit[part]:.3g}" for part in ("read", "prepare", "epoch")]
            + [f"{found['bare steps']['seconds']:.3g}"]
            + [f"{found[name]['seconds']:.3g}" for name in ("partial_fit", "predict")]
            + [megabytes(found[name]["peak"]) for name in PEAKS]
        )
    columns = ["file", "sequences", "cold reading, s", "fit: read, s", "prepare, s", "epoch, s"]
    columns += ["bare steps, s", "partial_fit by pieces, s", "predict, s"]
    columns += [f"{name}, MB" for name in PEAKS]
    title = "np.memmap of float32, 100 timesteps of 25 features, Elman network with H = 8"
    report(title, columns, rows, figures, options.json and part_of(options.json, "disk"))


# In memory.

PEAKS = ("fit", "partial_fit", "predict", "score")


def memory_part(options) -> None:
    rows, figures = [], []
    for container in options.containers:
        for n in options.sizes:
            if n > MOST.get(container, n):
                continue
            took = in_fresh_process(times, container, n, threads=options.threads)
            most = in_fresh_process(peaks, container, n, threads=options.threads)
            figures.append({"container": container, "n": n, "seconds": took, "peaks": most})
            print(figures[-1], file=sys.stderr, flush=True)
            of_all = [took[name] / n for name in ("convert", "read", "prepare")]
            trained = [took[name] / took["n_training"] for name in ("epoch", "bare")]
            held_out = [took["validate"] / (n - took["n_training"]), took["predict"] / n]
            figured = [f"{1e6 * value:.2f}" for value in of_all + trained + held_out]
            peak = [megabytes(most[name]) for name in PEAKS]
            rows.append([container, f"{n:,}", *figured, *peak])
    columns = ["container", "sequences", "convert", "read", "prepare", "epoch", "bare steps"]
    columns += ["validate", "predict", *(f"{name}, MB" for name in PEAKS)]
    title = f"8 to 16 timesteps of {N_FEATURES} features, GRU with H = {HIDDEN}: µs per sequence"
    report(title, columns, rows, figures, options.json and part_of(options.json, "memory"))


def part_of(path: Path, part: str) -> Path:
    return path.with_stem(f"{path.stem}_{part}")


PARTS = {"memory": memory_part, "disk": disk_part}


def main():
    def add(parser):
        parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
        parser.add_argument("--sizes", nargs="+", type=int)
        parser.add_argument("--containers", nargs="+", choices=CONTAINERS, default=CONTAINERS)
        parser.add_argument("--gigabytes", nargs="+", type=float)
        parser.add_argument("--folder", type=Path, help="where the files on disk are written")

    options = arguments(__doc__, add=add)
    options.sizes = options.sizes or (SIZES[:2] if options.quick else SIZES)
    options.gigabytes = options.gigabytes or (GIGABYTES[:1] if options.quick else GIGABYTES)
    for part in options.parts:
        PARTS[part](options)


if __name__ == "__main__":
    main()
