"""A grid search over networks, against skorch.

    python benchmarks/search.py [--json FILE] [--quick] [--jobs 1 2 16]

Both train the same networks for the same number of epochs on 600 digits, with the same batches,
Adam and clipping. The search has 12 candidates and 5 folds, and a refit of the best candidate.
`--jobs` has the numbers of worker processes. They start before the clock does, and have one thread
each for BLAS and torch.

Each contender has a process of its own, with workers of its own. A worker of joblib collects
garbage after its first task, and then once a second. That takes twice as long where torch is
loaded, which our estimators don't need.

"fits" is the time in the fits and scores themselves, divided by the number of workers, and the
refit. The rest of the search is scikit-learn's and joblib's: their loops, and workers that wait.
"""

import os
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from statistics import median
from typing import NamedTuple

import joblib
from joblib.externals.loky import get_reusable_executor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from common import Result, arguments, report_results
from fits import MAX_NORM, RATE, Plan, digits_in_rows, our_classifier

N_SAMPLES = 600
SIZES, RATES, CELLS = [16, 32, 64], [0.002, 0.01], ["gru", "lstm"]


class Run(NamedTuple):
    """The seconds of one search."""

    total: float
    fits: float
    best_score: float


def ours(plan: Plan):
    grid = {"hidden_size": SIZES, "learning_rate_init": RATES, "cell": CELLS}
    return our_classifier(plan), grid


def skorch(plan: Plan):
    import torch

    from peers import skorch_classifier

    torch.set_num_threads(1)
    X, y = digits_in_rows()
    architecture = {
        "cell": plan.cell,
        "n_inputs": X.shape[2],
        "hidden_size": plan.hidden_size,
        "n_layers": 1,
        "n_outputs": len(set(y)),
        "per_step": False,
    }
    model = skorch_classifier(
        architecture,
        batch_size=plan.batch_size,
        n_epochs=plan.n_epochs,
        rate=RATE,
        max_norm=MAX_NORM,
    )
    return model, {"module__hidden_size": SIZES, "lr": RATES, "module__cell": CELLS}


CONTENDERS = {"ours": ours, "skorch": skorch}


@cache
def search_of(name: str, n_jobs: int, quick: bool) -> GridSearchCV:
    warnings.simplefilter("ignore", ConvergenceWarning)
    model, grid = CONTENDERS[name](Plan("gru", 64, 64, 1 if quick else 4))
    return GridSearchCV(model, grid, cv=2 if quick else 5, n_jobs=n_jobs, scoring="accuracy")


def run(name: str, n_jobs: int, quick: bool) -> Run:
    """Search once, in the contender's own process."""
    X, y = digits_in_rows()
    search = search_of(name, n_jobs, quick)
    with joblib.parallel_config("loky", inner_max_num_threads=1):
        start = time.perf_counter()
        search.fit(X[:N_SAMPLES], y[:N_SAMPLES])
        total = time.perf_counter() - start
    results = search.cv_results_
    seconds = search.n_splits_ * (results["mean_fit_time"] + results["mean_score_time"]).sum()
    return Run(total, seconds / n_jobs + search.refit_time_, search.best_score_)


def stop_workers() -> None:
    get_reusable_executor().shutdown()


def measure(processes: dict[str, ProcessPoolExecutor], n_jobs: int, quick: bool) -> Result:
    searches = {name: partial(p.submit, run, name, n_jobs, quick) for name, p in processes.items()}
    runs: dict[str, list[Run]] = {name: [] for name in searches}
    for search in searches.values():
        search().result()  # starts the workers
    for _ in range(1 if quick else 7):
        for name, search in searches.items():
            runs[name].append(search().result())
    times = {name: median(r.total for r in of) for name, of in runs.items()}
    fits = {name: median(r.fits for r in of) for name, of in runs.items()}
    labels = {
        "n_jobs": n_jobs,
        "best score in the folds: ours, skorch": ", ".join(
            f"{of[0].best_score:.3f}" for of in runs.values()
        ),
    }
    ratios = {
        "skorch / ours": times["skorch"] / times["ours"],
        "the same, fits alone": fits["skorch"] / fits["ours"],
    }
    seconds = {**times, **{f"{name}, fits": value for name, value in fits.items()}}
    print(labels, seconds, ratios, file=sys.stderr, flush=True)
    return Result("GridSearchCV", labels, seconds, ratios)


def main():
    options = arguments(
        __doc__,
        add=lambda parser: parser.add_argument("--jobs", nargs="+", type=int, default=[1, 2]),
    )
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = "1"  # of the contenders' processes
    spawn = get_context("spawn")
    processes = {name: ProcessPoolExecutor(1, spawn) for name in CONTENDERS}
    results = [measure(processes, n_jobs, options.quick) for n_jobs in options.jobs]
    report_results("Grid searches, float32, one thread a process, medians", results, options.json)
    for process in processes.values():
        process.submit(stop_workers).result()
        process.shutdown()


if __name__ == "__main__":
    main()
