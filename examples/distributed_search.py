"""
A search over several processes or machines: Dask
=================================================

This example searches over networks that recognize nine speakers (see speaker_recognition.py). It
runs the search once in this process, and once on a Dask cluster of two worker processes. The scores
are the same, to the last bit. Here the cluster is on this machine. For a cluster of many machines,
change ``Client(cluster)`` to ``Client("tcp://scheduler:8786")``, with your scheduler's address.

The utterances are a list of arrays of different lengths. joblib would send this list with every
batch of fits. ``scatter`` sends it to each worker once. docs/distributed.md has the details.

How to run::

    pip install '.[distributed]'
    python examples/distributed_search.py
"""

import pickle
import warnings
from itertools import chain
from time import perf_counter

import joblib
import numpy as np
from dask.distributed import Client, LocalCluster
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import RandomizedSearchCV, StratifiedKFold
from speaker_recognition import load

from sklearn_rnn import RNNClassifier

SPACE = {
    "cell": ["elman", "gru", "lstm"],
    "hidden_size": [16, 32, 64],
    "learning_rate_init": loguniform(2e-3, 2e-2),
}


def timed_fit(search, X, y):
    began = perf_counter()
    search.fit(X, y)
    return perf_counter() - began


def report_sizes(model, fitted, X, y, split):
    """Print the pickled sizes of what is sent between processes."""
    things = {
        "the model, not fitted": clone(model),
        "the model, fitted": fitted,
        f"X, {len(X)} utterances": X,
        "y": y,
        "one split": split,
    }
    print("Sizes of what is sent between processes, in bytes:")
    for name, thing in things.items():
        print(f"  {name:<24}{len(pickle.dumps(thing, protocol=5)):>9,}")


def main():
    # Twenty epochs are enough to compare the candidates. Warnings that they have not converged
    # don't matter here.
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, X_test, y, y_test = load()
    splits = list(StratifiedKFold(n_splits=3, shuffle=True, random_state=0).split(X, y))
    model = RNNClassifier(batch_size=32, max_iter=20, random_state=0)
    search = RandomizedSearchCV(model, SPACE, n_iter=20, cv=splits, random_state=0)

    serial = clone(search)
    seconds = timed_fit(serial, X, y)
    print(f"Serial: best score {serial.best_score_:.3f} in {seconds:.1f} s")

    with (
        # One thread per worker, as many workers as cores: training uses one thread.
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        client.amm.stop()  # or Dask drops copies that a lost worker makes necessary
        everything = [X, y, *chain.from_iterable(splits)]
        with joblib.parallel_config(backend="dask", scatter=everything):
            seconds = timed_fit(search, X, y)
        n_workers = len(client.scheduler_info()["workers"])
    print(f"Dask, {n_workers} workers: best score {search.best_score_:.3f} in {seconds:.1f} s\n")

    names = [name for name in serial.cv_results_ if name.endswith("_test_score")]
    same = all(np.array_equal(search.cv_results_[n], serial.cv_results_[n]) for n in names)
    print(f"All scores are the same, to the last bit: {same}")
    print(f"The best parameters are the same: {search.best_params_ == serial.best_params_}")
    print(f"  {search.best_params_}")
    accuracy = search.score(X_test, y_test)
    print(f"Accuracy on {len(X_test)} utterances of another recording: {accuracy:.3f}\n")
    report_sizes(model, search.best_estimator_, X, y, splits[0])


if __name__ == "__main__":
    main()
