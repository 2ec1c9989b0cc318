"""Searches over Dask find what the serial ones find, also when a worker is killed half-way."""

import os
import signal
from contextlib import suppress
from itertools import chain
from pathlib import Path

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingRandomSearchCV,
    KFold,
    ParameterSampler,
    RandomizedSearchCV,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from threadpoolctl import threadpool_info, threadpool_limits

from sequences import object_array, padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.callbacks import Checkpoint, HistoryLogger

pytest.importorskip("distributed")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 200  # joblib's backend scatters arrays above 1 kB, also the rows of a split
FAST = {"max_iter": 4, "learning_rate_init": 0.05, "random_state": 0}
SEQUENCES = ragged(N, 2, longest=6)
LABELS = np.array(["up" if x[:, 0].sum() > 0 else "down" for x in SEQUENCES])
STEPS = [np.cumsum(x[:, 0]) for x in SEQUENCES]

SPACE = {"hidden_size": [2, 4, 8], "cell": ["elman", "gru"]}
SEARCHES = {
    "grid": lambda model: GridSearchCV(model, SPACE, cv=2),
    "randomized": lambda model: RandomizedSearchCV(model, SPACE, n_iter=4, cv=2, random_state=0),
    "halving": lambda model: HalvingRandomSearchCV(
        model, SPACE, resource="max_iter", max_resources=8, min_resources=2, cv=2, random_state=0
    ),
}
PER_STEP = RNNRegressor(**FAST, return_sequences=True)
PROBLEMS = {
    "list": (RNNClassifier(**FAST), SEQUENCES, LABELS),
    "object array": (RNNClassifier(**FAST), object_array(SEQUENCES), LABELS),
    "array": (RNNClassifier(**FAST), np.stack([np.resize(x, (5, 2)) for x in SEQUENCES]), LABELS),
    "padded array": (RNNClassifier(**FAST), padded(SEQUENCES), LABELS),
    "list, per step": (PER_STEP, SEQUENCES, STEPS),
}


@pytest.fixture(scope="module")
def client(local_cluster):
    with local_cluster() as client:
        # Held for all tests: data that one search lets go while the next scatters them get lost.
        held = client.scatter(list(chain.from_iterable(data for _, *data in PROBLEMS.values())))
        yield client
        del held


def over_dask(search, X, y, **options):
    with joblib.parallel_config(backend="dask", **options):
        return search.fit(X, y)


def assert_same(search, serial):
    """Scores, choice and weights are the same, to the last bit."""
    scores = [name for name in serial.cv_results_ if "score" in name and "time" not in name]
    assert len(scores) >= 5
    for name in scores:
        assert np.isfinite(serial.cv_results_[name]).all()
        assert_array_equal(search.cv_results_[name], serial.cv_results_[name])
    assert search.best_params_ == serial.best_params_
    for name, weights in serial.best_estimator_.weights_.items():
        assert_array_equal(search.best_estimator_.weights_[name], weights)


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("kind", ["grid", "randomized"])
def test_finds_what_the_serial_search_finds(client, kind, problem):
    model, X, y = PROBLEMS[problem]
    serial = SEARCHES[kind](model).fit(X, y)
    assert_same(over_dask(SEARCHES[kind](model), X, y), serial)
    assert_same(over_dask(SEARCHES[kind](model), X, y, scatter=[X, y]), serial)


def test_halving_over_epochs(client):
    model, X, y = PROBLEMS["list"]
    serial = SEARCHES["halving"](model).fit(X, y)
    assert set(serial.cv_results_["n_resources"]) == {2, 6}
    assert_same(over_dask(SEARCHES["halving"](model), X, y), serial)


def set_blas_threads(n):
    """Set the number for every thread, and let any thread change it later.

    sklearn_rnn._settings says why that takes two limits.
    """
    threadpool_limits(n, user_api="blas")
    with threadpool_limits(n, user_api="blas"):
        pass


def n_blas_threads():
    return {info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"}


def test_fits_in_the_threads_of_one_worker(local_cluster):
    """They share one limit on BLAS threads, and take it back at the end."""
    model, X, y = PROBLEMS["list"]
    with local_cluster(n_workers=1, n_threads=2) as client:
        client.run(set_blas_threads, 2)
        assert_same(over_dask(SEARCHES["grid"](model), X, y), SEARCHES["grid"](model).fit(X, y))
        assert list(client.run(n_blas_threads).values()) == [{2}]


class KillWorker:
    """A callback that kills its process: once, in an epoch of the first fit after `n_fits`."""

    def __init__(self, folder, n_fits):
        self.folder, self.n_fits = Path(folder), n_fits
        self.survivor = os.getpid()

    def setup(self, estimator, context): ...
    def teardown(self, estimator, context): ...

    def on_fit_task_begin(self, estimator, context):
        if context.task_name == "fit":
            with (self.folder / "fits").open("a") as file:
                file.write(".")

    def on_fit_task_end(self, estimator, context):
        if os.getpid() == self.survivor or context.task_name != "epoch" or context.task_id != 1:
            return
        if len((self.folder / "fits").read_text()) > self.n_fits:
            with suppress(FileExistsError), (self.folder / "killed").open("x") as file:
                print(os.getpid(), file=file, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("problem", ["list", "array"])
def test_survives_a_killed_worker(local_cluster, tmp_path, problem):
    model, X, y = PROBLEMS[problem]
    splits = list(KFold(3).split(X))
    serial = GridSearchCV(model, SPACE, cv=splits).fit(X, y)
    n_fits = len(SPACE["hidden_size"]) * len(SPACE["cell"]) * len(splits)

    checkpoints = tmp_path / "checkpoints"
    checkpoints.mkdir()
    dying = clone(model).set_callbacks(Checkpoint(checkpoints), KillWorker(tmp_path, n_fits // 2))
    with local_cluster() as client:
        pids = set(client.run(os.getpid).values())
        client.amm.stop()
        search = GridSearchCV(dying, SPACE, cv=splits)
        over_dask(search, X, y, scatter=[X, y, *chain.from_iterable(splits)])
        client.wait_for_workers(2)
        pids_after = set(client.run(os.getpid).values())
    killed = int((tmp_path / "killed").read_text())
    assert killed in pids
    assert len(pids_after) == 2  # and the survivor goes on
    assert pids_after - pids
    assert killed not in pids_after
    assert len((tmp_path / "fits").read_text()) > n_fits + 1  # all, the last one, and some again
    assert_same(search, serial)
    assert not list(checkpoints.iterdir())  # every fit has ended by itself, and deleted its own


def test_a_fit_whose_worker_is_killed_goes_on_from_its_checkpoint(local_cluster, tmp_path):
    model, X, y = PROBLEMS["list"]
    history = tmp_path / "history.csv"
    dying = clone(model).set_callbacks(
        Checkpoint(tmp_path / "checkpoint"), HistoryLogger(history), KillWorker(tmp_path, 0)
    )
    with local_cluster() as client:
        fitted = client.submit(dying.fit, X, y).result()
    assert (tmp_path / "killed").exists()
    assert len(history.read_text().splitlines()) == 1 + FAST["max_iter"]  # no epoch again
    here = clone(model).fit(X, y)
    assert fitted.loss_curve_ == here.loss_curve_
    assert_array_equal(fitted.predict_proba(X), here.predict_proba(X))


class Counted:
    """An array that counts how often it is pickled."""

    n_times = 0

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return np.array(self.array, dtype)

    def __reduce__(self):
        Counted.n_times += 1
        return Counted, (self.array,)


def test_a_list_travels_with_every_batch_of_fits_unless_it_is_scattered(client):
    model, X, y = PROBLEMS["list"]
    X = [*X[:-1], Counted(X[-1])]

    with joblib.parallel_config(backend="dask", scatter=[X]):
        before = Counted.n_times
        SEARCHES["grid"](model).fit(X, y)
        assert Counted.n_times == before > 0
    with joblib.parallel_config(backend="dask"):
        SEARCHES["grid"](model).fit(X, y)
        assert Counted.n_times >= before + 4  # batches that are made before the first has ended


def test_workers_open_the_file_themselves(client, tmp_path):
    """What travels is the numbers of the rows."""
    model, X, y = PROBLEMS["array"]
    np.save(tmp_path / "X.npy", X)
    rows = np.arange(len(X))[:, np.newaxis]
    reading = make_pipeline(FunctionTransformer(read_rows, kw_args={"path": tmp_path / "X.npy"}))
    reading.steps.append(("rnn", model))
    space = {f"rnn__{name}": values for name, values in SPACE.items()}
    search = over_dask(GridSearchCV(reading, space, cv=2), rows, y)
    serial = GridSearchCV(model, SPACE, cv=2).fit(X, y)
    assert_array_equal(search.cv_results_["mean_test_score"], serial.cv_results_["mean_test_score"])


def read_rows(rows, path):
    return np.load(path, mmap_mode="r")[rows[:, 0]]


def test_callbacks_work_on_the_workers(client, tmp_path):
    model, X, y = PROBLEMS["array"]
    logged = clone(model).set_callbacks(HistoryLogger(tmp_path / "history.csv"))
    search = over_dask(GridSearchCV(logged, {"hidden_size": [2, 4]}, cv=2), X, y)
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert len(lines) == 1 + (2 * 2 + 1) * FAST["max_iter"]
    assert_same(search, GridSearchCV(model, {"hidden_size": [2, 4]}, cv=2).fit(X, y))


def test_models_trained_on_the_workers_come_back_whole(client):
    model, X, y = PROBLEMS["list"]
    here = clone(model).fit(X, y)
    there = client.submit(clone(model).fit, X, y).result()
    assert_array_equal(there.predict_proba(X), here.predict_proba(X))
    assert there.loss_curve_ == here.loss_curve_


def train_by_chunks(params, path, y, n_chunks):
    X = np.load(path, mmap_mode="r")
    model = RNNRegressor(**FAST, **params)
    for rows in np.array_split(np.arange(len(X)), n_chunks):
        part = slice(rows[0], rows[-1] + 1)
        model.partial_fit(X[part], y[part])
    return model


def test_a_search_by_partial_fit_over_a_file(client, tmp_path):
    """Chunks of a file that only the workers open, a task for each candidate."""
    _, X, _ = PROBLEMS["array"]
    y, path = X[:, -1, 0], tmp_path / "X.npy"
    np.save(path, X)
    candidates = list(ParameterSampler(SPACE, 4, random_state=0))
    here = [train_by_chunks(params, path, y, 5) for params in candidates]
    there = client.gather(client.map(train_by_chunks, candidates, path=path, y=y, n_chunks=5))
    for one, other in zip(there, here, strict=True):
        assert_array_equal(one.predict(X), other.predict(X))
