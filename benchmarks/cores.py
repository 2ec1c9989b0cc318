"""n_jobs: training steps, fits and predictions on several cores, against torch's threads.

    python benchmarks/cores.py [--json FILE] [--quick] [--cells gru lstm] [--jobs 1 2 4 8 16]
                               [--parts steps fits predictions]

A step is shared out among so many workers whether it pays or not, so the table also shows where it
doesn't. Fits and predictions are those of the estimators, which decide by themselves how many
workers they use; starting them is in the time. torch, where it is installed, has as many threads.
Batches are full: all sequences have the same length. A step has one layer and an output for the
last timestep.
"""

import os
import sys
import warnings
from copy import copy
from functools import partial

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from common import PEERS_CELLS, Result, alternate, arguments, report_results
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn._parallel.team import Team
from steps import SHAPES, minibatch, ours, task_of

try:
    import torch

    from peers import TorchRNN, torch_fit, torch_step
except ImportError:  # then ours are compared among themselves
    torch = None

LARGER = ((100, 256, 16, 128), (100, 256, 64, 512))
# (sequences, timesteps, features, hidden size), and the epochs of a fit
FITS = ((2000, 8, 8, 32), 20), ((2000, 50, 8, 64), 5), ((1000, 100, 16, 128), 3)
PREDICTIONS = ((10_000, 8, 8, 32), (10_000, 50, 8, 64), (10_000, 100, 16, 128))
RATE, MAX_NORM, BATCH = 0.003, 5.0, 100


def with_threads(jobs, run):
    """Return a function of torch with each number of threads, by name; none without torch."""

    def work(n):
        torch.set_num_threads(n)
        return run()

    return {} if torch is None else {f"torch, {n}": partial(work, n) for n in jobs}


def compared(label, labels, contenders, seconds):
    """Measure contenders, {"ours, 2": ...}; the ratios are those to ours with one core."""
    times = alternate(contenders, seconds)
    ratios = {f"1 / {name}": times["ours, 1"] / t for name, t in times.items() if name != "ours, 1"}
    print(labels, ratios, file=sys.stderr, flush=True)
    return Result(label, labels, times, ratios)


def steps(cell, jobs, seconds):
    for shape in (*SHAPES[:-1], *LARGER):
        task = task_of(cell, shape, 1, False)
        batches = [minibatch(task, np.full(shape[1], shape[0]), np.random.default_rng(0))]
        teams = {n: None if n == 1 else Team(n) for n in jobs}
        contenders = {f"ours, {n}": ours(task, batches, team) for n, team in teams.items()}
        contenders |= with_threads(jobs, torch and torch_step(task, batches))
        yield compared(f"step, {cell}", {"cell": cell, "shape": shape}, contenders, seconds)
        for team in teams.values():
            if team is not None:
                team.close()


def fit_of_torch(cell, X, y, hidden_size, n_epochs):
    network = TorchRNN(*task_of(cell, (0, 0, X.shape[2], hidden_size), 1, False))
    options = {"batch_size": BATCH, "n_epochs": n_epochs, "rate": RATE, "max_norm": MAX_NORM}
    torch_fit(network, X, y, **options)


def fits(cell, jobs, seconds):
    for (n, T, D, H), n_epochs in FITS:
        rng = np.random.default_rng(0)
        X = rng.standard_normal((n, T, D), np.float32)
        y = X.mean(axis=1)[:, :3].argmax(axis=1)
        options = {"cell": cell, "hidden_size": H, "max_iter": n_epochs, "batch_size": BATCH}
        options |= {"early_stopping": False, "n_iter_no_change": n_epochs}
        contenders = {
            f"ours, {n}": partial(RNNClassifier(**options, random_state=0, n_jobs=n).fit, X, y)
            for n in jobs
        }
        contenders |= with_threads(jobs, partial(fit_of_torch, cell, X, y, H, n_epochs))
        labels = {"cell": cell, "shape": f"{X.shape}, H = {H}, {n_epochs} epochs"}
        yield compared(f"fit, {cell}", labels, contenders, seconds)


def prediction_of_torch(cell, X, hidden_size):
    network = TorchRNN(*task_of(cell, (0, 0, X.shape[2], hidden_size), 1, False))
    with torch.inference_mode():
        return [network(part) for part in torch.from_numpy(X).split(256)]


def predictions(cell, jobs, seconds):
    for n, T, D, H in PREDICTIONS:
        X = np.random.default_rng(0).standard_normal((n, T, D), np.float32)
        y = X[:64].mean(axis=1)[:, :3]
        model = RNNRegressor(cell=cell, hidden_size=H, max_iter=1, random_state=0).fit(X[:64], y)
        contenders = {
            f"ours, {n}": partial(copy(model).set_params(n_jobs=n).predict, X) for n in jobs
        }
        contenders |= with_threads(jobs, partial(prediction_of_torch, cell, X, H))
        labels = {"cell": cell, "shape": f"{X.shape}, H = {H}"}
        yield compared(f"predict, {cell}", labels, contenders, seconds)


PARTS = {"steps": steps, "fits": fits, "predictions": predictions}


def main():
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()

    def add(parser):
        powers = [2**k for k in range(5) if 2**k <= cores]
        parser.add_argument("--jobs", nargs="+", type=int, default=powers)
        parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))

    options = arguments(__doc__, cells=PEERS_CELLS, add=add)
    warnings.simplefilter("ignore", ConvergenceWarning)
    seconds = 0.4 if options.quick else 2.0
    for part in options.parts:
        results = [r for cell in options.cells for r in PARTS[part](cell, options.jobs, seconds)]
        path = options.json and options.json.with_stem(f"{options.json.stem}-{part}")
        report_results(f"Several cores: {part}, float32, medians", results, path)


if __name__ == "__main__":
    main()
