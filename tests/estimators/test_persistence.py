"""Pickle, joblib and copies: the same predictions, nothing superfluous, no silent other version."""

import copy
import io
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning, NotFittedError

from sequences import padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor, __version__, _versioned
from sklearn_rnn.core.cells import CELLS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FAST = {"hidden_size": 6, "max_iter": 3, "learning_rate_init": 0.02, "random_state": 0}
X = ragged(20, seed=0)
Y = np.random.default_rng(1).standard_normal(20)
LABELS = np.where(Y > 0.2, "up", "down")


def pickled(model):
    return pickle.loads(pickle.dumps(model))


def dumped(model, path, mmap_mode=None, **options):
    joblib.dump(model, path, **options)
    return joblib.load(path, mmap_mode=mmap_mode)


ROUND_TRIPS = {
    "pickle": lambda model, path: pickled(model),
    "oldest protocol": lambda model, path: pickle.loads(pickle.dumps(model, protocol=0)),
    "joblib": lambda model, path: dumped(model, path),
    "joblib, compressed": lambda model, path: dumped(model, path, compress=3),
    "joblib, memory-mapped": lambda model, path: dumped(model, path, mmap_mode="r"),
    "deepcopy": lambda model, path: copy.deepcopy(model),
    "copy": lambda model, path: copy.copy(model),
    "pickled twice": lambda model, path: pickled(pickled(model)),
    "mapped, then pickled": lambda model, path: pickled(dumped(model, path, mmap_mode="r")),
}
round_trips = pytest.mark.parametrize("round_trip", ROUND_TRIPS.values(), ids=ROUND_TRIPS)


def public(model):
    """All that is public of a model, but for the parameters."""
    return {name: value for name, value in vars(model).items() if name.endswith("_")}


@round_trips
@pytest.mark.parametrize("per_step", [False, True], ids=["per sequence", "per step"])
@pytest.mark.parametrize("cell", CELLS)
def test_the_same_predictions_and_attributes(tmp_path, round_trip, cell, per_step):
    y = [np.full(len(x), label) for x, label in zip(X, LABELS, strict=True)]
    model = RNNClassifier(cell=cell, n_layers=2, return_sequences=per_step, **FAST)
    model.fit(X, y if per_step else LABELS)
    again = round_trip(model, tmp_path / "model.joblib")
    for method in ("predict", "predict_proba"):
        for one, other in zip(getattr(model, method)(X), getattr(again, method)(X), strict=True):
            assert_array_equal(one, other)
    assert again.get_params() == model.get_params()
    np.testing.assert_equal(public(again), public(model))
    assert list(again.weights_) == list(model.weights_)
    for name, array in model.weights_.items():
        assert_array_equal(again.weights_[name], array)
        assert not again.weights_[name].flags.writeable


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("container", ["table", "3-D"])
def test_what_was_fitted_on_is_remembered(container, dtype):
    array = padded(ragged(20, n_features=1, dtype=dtype))
    array = array[:, :, 0] if container == "table" else array
    again = pickled(RNNRegressor(**FAST).fit(array, Y))
    assert again.predict(array).dtype == dtype
    with pytest.raises(ValueError, match="fitted on"):
        again.predict(array[:, :, np.newaxis] if container == "table" else array[:, :, 0])


def test_a_clone_is_unfitted():
    model = RNNRegressor(**FAST).fit(X, Y)
    cloned = clone(model)
    assert vars(cloned) == vars(RNNRegressor(**FAST))
    assert_array_equal(cloned.fit(X, Y).predict(X), model.predict(X))


@round_trips
@pytest.mark.parametrize("Estimator", [RNNRegressor, RNNClassifier])
def test_an_unfitted_estimator(tmp_path, round_trip, Estimator):
    model = Estimator(cell="lstm", hidden_size=3)
    again = round_trip(model, tmp_path / "model.joblib")
    assert type(again) is Estimator
    assert again.get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        again.predict(X)


def size(model):
    return len(pickle.dumps(model))


@pytest.mark.parametrize(
    "options", [{}, {"early_stopping": True}, {"n_layers": 2, "cell": "lstm"}], ids=str
)
def test_the_file_holds_the_parameters_once(options):
    """Nothing in it grows with the data. 4 kB are names, numbers and the random generator."""
    options = FAST | {"hidden_size": 64, "max_iter": 5} | options
    model = RNNRegressor(**options).fit(X, Y)
    n_bytes = sum(array.nbytes for array in model.weights_.values())
    assert n_bytes > 50_000
    assert n_bytes < size(model) < n_bytes + 4_000

    many = padded(ragged(300, longest=50))
    of_many = RNNRegressor(**options).fit(many, np.arange(300.0))
    of_many.predict(many)
    of_many.score(many, np.arange(300.0))
    assert abs(size(of_many) - size(model)) < 200
    single = RNNRegressor(**options).fit([x.astype(np.float32) for x in X], Y)
    assert n_bytes / 2 < size(single) < n_bytes / 2 + 4_000

    # A copy in memory isn't greater either.
    assert size(copy.deepcopy(of_many)) == pytest.approx(size(of_many), abs=200)


@pytest.mark.parametrize(("solver", "n_vectors"), [("adam", 3), ("sgd", 2)])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_solvers_state_is_kept_where_training_may_go_on(solver, n_vectors, early_stopping):
    options = FAST | {"hidden_size": 64, "solver": solver}
    warm = RNNRegressor(**options, warm_start=True, early_stopping=early_stopping).fit(X, Y)
    n_bytes = sum(array.nbytes for array in warm.weights_.values())
    n_vectors += early_stopping  # the best so far, and the last
    assert n_vectors * n_bytes < size(warm) < n_vectors * n_bytes + 4_000
    if not early_stopping:
        partial = RNNRegressor(**options).partial_fit(X, Y)
        assert n_vectors * n_bytes < size(partial) < n_vectors * n_bytes + 4_000
        assert size(partial.fit(X, Y)) < n_bytes + 4_000


@round_trips
@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 6},
        {"batch_size": 6, "solver": "sgd", "learning_rate": "invscaling"},
        {"learning_rate": "adaptive", "tol": 1e9, "n_iter_no_change": 1},
        {"early_stopping": True, "validation_fraction": 0.3},
    ],
    ids=str,
)
def test_training_goes_on_as_if_there_had_been_no_round_trip(tmp_path, round_trip, options):
    def compare(model, again):
        assert again.loss_curve_ == model.loss_curve_
        assert again.validation_scores_ == model.validation_scores_
        assert again.t_ == model.t_
        assert_array_equal(again.predict(X), model.predict(X))

    model = RNNRegressor(**FAST, **options, warm_start=True).fit(X, Y)
    again = round_trip(model, tmp_path / "model.joblib")
    compare(model.fit(X, Y), again.fit(X, Y))
    again = round_trip(again, tmp_path / "again.joblib")
    compare(model.fit(X, Y), again.fit(X, Y))
    whole = RNNRegressor(**FAST | {"max_iter": 9}, **options).fit(X, Y)
    compare(whole, again)
    if "early_stopping" not in options:
        model = RNNRegressor(**FAST, **options).partial_fit(X, Y)
        again = round_trip(model, tmp_path / "model.joblib")
        compare(model.partial_fit(X, Y), again.partial_fit(X, Y))


def test_a_copy_is_independent():
    model = RNNRegressor(**FAST, warm_start=True).fit(X, Y)
    before, history = model.predict(X), list(model.loss_curve_)
    for other in (copy.deepcopy(model), copy.copy(model), pickled(model)):
        other.fit(X, Y)
        assert_array_equal(model.predict(X), before)
        assert model.loss_curve_ == history


def test_another_version_warns(monkeypatch):
    model = RNNRegressor(**FAST).fit(X, Y)
    with monkeypatch.context() as patch:
        patch.setattr(_versioned, "__version__", "0.0.7")
        file = pickle.dumps(model)
    with pytest.warns(InconsistentVersionWarning, match="RNNRegressor") as caught:
        again = pickle.loads(file)
    assert len(caught) == 1
    warning = caught[0].message
    assert warning.original_sklearn_version == "0.0.7"
    assert warning.current_sklearn_version == __version__
    assert_array_equal(again.predict(X), model.predict(X))
    assert pickled(again).get_params() == model.get_params()  # silent: now it is of this version


def plain_only(value):
    """Raise if a value, or one in it, is of another kind than the plain ones."""
    if isinstance(value, dict):
        plain_only([*value.keys(), *value.values()])
    elif isinstance(value, (list, tuple)):
        assert type(value) in (list, tuple)
        for part in value:
            plain_only(part)
    else:
        allowed = (np.ndarray, str, bool, int, float, np.float64, type(None))
        assert type(value) in allowed, type(value)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", ["adam", "rmsprop", "sgd", "lbfgs"])
def test_the_state_has_plain_values_only(solver, early_stopping):
    """A file of this version must not need the private classes of a later one."""
    options = FAST | {"solver": solver, "early_stopping": early_stopping, "warm_start": True}
    for model in (
        RNNRegressor(loss="quantile", quantile=[0.1, 0.9], **options).fit(X, Y),
        RNNRegressor(loss="gaussian", **options).fit(X, Y),
        RNNClassifier(**options).fit(X, LABELS),
    ):
        plain_only(model.__getstate__())


def test_a_state_of_objects_loads():
    """Development versions before 0.2.0 pickled the objects themselves."""
    model = RNNRegressor(**FAST, warm_start=True).fit(X, Y)
    again = RNNRegressor()
    again.__setstate__({**vars(model), "_sklearn_rnn_version": __version__})
    assert_array_equal(again.predict(X), model.predict(X))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("_architecture", {"n_heads": 2}),
        ("_architecture", {"kind": "Transformer"}),
        ("_parameters", {"vector": np.zeros(3)}),
        ("_progress", {"ending": {"kind": "Ending", "name": "BORED"}}),
        ("_progress", {"rng": {"kind": "Generator", "state": {"bit_generator": "Dice"}}}),
        ("_progress", {"rng": {"kind": "Generator", "state": {"bit_generator": "seed"}}}),
    ],
    ids=["field", "kind", "size", "ending", "generator", "function of np.random"],
)
def test_a_state_of_a_newer_version_says_so(monkeypatch, name, change):
    monkeypatch.setattr(np.random, "seed", lambda _: pytest.fail("The file called a function."))
    model = RNNRegressor(**FAST).fit(X, Y)
    state = model.__getstate__()
    state |= {name: {**state[name], **change}, "_sklearn_rnn_version": "9.0"}
    with (
        pytest.warns(InconsistentVersionWarning, match=r"version 9\.0"),
        pytest.raises(ValueError, match=f"sklearn_rnn {__version__}.*newer version"),
    ):
        RNNRegressor().__setstate__(state)


def test_a_parameter_that_an_older_version_did_not_have_takes_its_default():
    model = RNNRegressor(**FAST).fit(X, Y)
    state = model.__getstate__() | {"_sklearn_rnn_version": "0.1"}
    del state["pooling"], state["standardize"]
    again = RNNRegressor(pooling="mean")
    del again.pooling, again.standardize
    with pytest.warns(InconsistentVersionWarning):
        again.__setstate__(state)
    assert again.get_params() == model.get_params()


@pytest.mark.parametrize("n_lost", [1, 300, 10**9])
@pytest.mark.parametrize("library", [pickle, joblib], ids=lambda library: library.__name__)
def test_a_truncated_file_fails(library, n_lost):
    file = io.BytesIO()
    library.dump(RNNRegressor(**FAST).fit(X, Y), file)
    truncated = io.BytesIO(file.getvalue()[:-n_lost])
    with pytest.raises((EOFError, ValueError, IndexError, pickle.UnpicklingError)):
        library.load(truncated)


def test_a_mapped_file_serves_all_methods_and_stays_as_it_was(tmp_path):
    path = tmp_path / "model.joblib"
    options = FAST | {"cell": "lstm"}
    model = RNNRegressor(**options).partial_fit(X, Y)
    mapped = dumped(model, path, mmap_mode="r")
    assert isinstance(mapped._parameters.vector, np.memmap)
    before = path.read_bytes()
    assert_array_equal(mapped.transform(X), model.transform(X))
    assert_array_equal(mapped.hidden_states(X)[3], model.hidden_states(X)[3])
    stream, other = mapped.stream(), model.stream()
    for x in X[0]:
        assert_array_equal(stream.step(x), other.step(x))
    for fit in ("partial_fit", "fit"):
        getattr(mapped, fit)(X, Y)
        getattr(model, fit)(X, Y)
        assert_array_equal(mapped.predict(X), model.predict(X))
    assert path.read_bytes() == before


def test_an_unknown_version_warns():
    model = RNNRegressor(**FAST).fit(X, Y)
    state = model.__getstate__()
    assert state["_sklearn_rnn_version"] == __version__
    del state["_sklearn_rnn_version"]
    again = RNNRegressor()
    with pytest.warns(InconsistentVersionWarning, match="unknown"):
        again.__setstate__(state)
    assert_array_equal(again.predict(X), model.predict(X))


def test_the_version_is_no_attribute():
    assert not any("version" in name for name in vars(pickled(RNNRegressor(**FAST).fit(X, Y))))


SCRIPT = """
import sys, warnings
warnings.simplefilter("error")
import joblib, numpy
model, X, expected = joblib.load(sys.argv[1])
for method, result in expected.items():
    numpy.testing.assert_array_equal(numpy.concatenate(getattr(model, method)(X)), result)
print("same")
"""


@pytest.mark.parametrize("cell", CELLS)
def test_a_new_process_predicts_the_same(tmp_path, cell):
    y = [np.full(len(x), label) for x, label in zip(X, LABELS, strict=True)]
    model = RNNClassifier(cell=cell, return_sequences=True, **FAST).fit(X, y)
    expected = {
        name: np.concatenate(getattr(model, name)(X)) for name in ("predict", "predict_proba")
    }
    joblib.dump((model, X, expected), tmp_path / "all.joblib")
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "all.joblib")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "same\n"


def test_a_file_object():
    model = RNNRegressor(**FAST).fit(X, Y)
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    assert_array_equal(joblib.load(file).predict(X), model.predict(X))
