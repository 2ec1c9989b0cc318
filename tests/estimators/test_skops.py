"""skops: files of plain values, which name no class of this package but the public ones."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fits import assert_same_weights
from sequences import ragged
from sklearn_rnn import RNNClassifier, RNNRegressor, callbacks, metrics, preprocessing
from sklearn_rnn.metrics import make_forecast_scorer, make_sequence_scorer
from sklearn_rnn.model_selection import StratifiedSequenceKFold, TimeSeriesWindowSplit
from sklearn_rnn.preprocessing import (
    Differences,
    InstanceNormalizedRegressor,
    Lags,
    PatchedRegressor,
    Patches,
    PerSequence,
    PerTimestep,
    PerTimestepTarget,
    SequenceLookup,
    SequenceNormalizer,
)
from sklearn_rnn.streaming import Stream, stream

skops = pytest.importorskip("skops.io")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

CALLBACKS = {name for name in callbacks.__all__ if name != "Callback"}  # a base, never saved itself
PAGE = Path(__file__).parents[2] / "docs" / "saving.md"
FAST = {"hidden_size": 3, "max_iter": 2, "random_state": 0}
X = np.random.default_rng(0).standard_normal((12, 6, 2))
Y = X[:, :, 0].sum(axis=1)
LABELS = np.where(Y > 0, "up", "down")


def name_of(kind):
    return f"{kind.__module__}.{kind.__qualname__}"


def round_trip(model, *own):
    """Save and load a model whose file may name these classes of the package, and no others."""
    file = io.BytesIO()
    skops.dump(model, file)
    names = sorted(map(name_of, own))
    assert skops.get_untrusted_types(data=file.getvalue()) == names
    return skops.loads(file.getvalue(), trusted=names)


def assert_same(results, others):
    assert type(results) is type(others)
    for one, other in zip(results, others, strict=True):
        assert_array_equal(one, other)


NETWORKS = {
    "elman": {},
    "lstm, both directions": {"cell": "lstm", "bidirectional": True, "n_layers": 2},
    "gru, three pools": {"cell": "gru", "pooling": ["last", "mean", "max"]},
    "several quantiles": {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]},
    "gaussian": {"loss": "gaussian"},
    "raw units": {"standardize": False},
    "lbfgs": {"solver": "lbfgs"},
}


@pytest.mark.parametrize("options", NETWORKS.values(), ids=NETWORKS)
def test_a_regressor(options):
    model = RNNRegressor(**FAST, **options).fit(X, Y)
    again = round_trip(model, RNNRegressor)
    assert_same(again.predict(X), model.predict(X))
    assert_same(again.transform(X), model.transform(X))
    assert_same_weights(again, model)
    np.testing.assert_equal(vars(again)["loss_curve_"], model.loss_curve_)
    assert again.get_params() == model.get_params()
    assert again.score(X, Y) == model.score(X, Y)


@pytest.mark.parametrize(
    "y",
    [LABELS, Y > 0, np.digitize(Y, [-1, 1]), np.stack([Y > 0, Y > 1], axis=1).astype(int)],
    ids=["strings", "booleans", "integers", "several labels"],
)
def test_a_classifier(y):
    model = RNNClassifier(**FAST).fit(X, y)
    again = round_trip(model, RNNClassifier)
    assert_same(again.predict(X), model.predict(X))
    assert_same(again.predict_proba(X), model.predict_proba(X))
    assert_same(again.classes_, model.classes_)


@pytest.mark.parametrize("class_weight", ["balanced", {"up": 1.0, "down": 2.0}], ids=str)
def test_class_weights_and_single_precision_per_timestep(class_weight):
    X = ragged(12, dtype=np.float32)
    y = [np.where(x[:, 0] > 0, "up", "down") for x in X]
    model = RNNClassifier(return_sequences=True, class_weight=class_weight, **FAST).fit(X, y)
    again = round_trip(model, RNNClassifier)
    assert again.get_params() == model.get_params()
    assert_same(again.predict_proba(X), model.predict_proba(X))
    assert again.predict_proba(X)[0].dtype == np.float32


@pytest.mark.parametrize("solver", ["adam", "rmsprop", "sgd", "lbfgs"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_warm_start(solver, early_stopping):
    options = FAST | {"solver": solver, "early_stopping": early_stopping, "batch_size": 5}
    model = RNNRegressor(**options, warm_start=True).fit(X, Y)
    again = round_trip(model, RNNRegressor)
    assert_same_weights(again.fit(X, Y), model.fit(X, Y))
    assert again.validation_scores_ == model.validation_scores_


@pytest.mark.parametrize("solver", ["adam", "rmsprop", "sgd"])
def test_partial_fit(solver):
    model = RNNRegressor(solver=solver, batch_size=5, **FAST).partial_fit(X, Y)
    again = round_trip(model, RNNRegressor)
    assert_same_weights(again.partial_fit(X, Y), model.partial_fit(X, Y))


def test_callbacks(tmp_path):
    given = [
        callbacks.Checkpoint(tmp_path / "fit.checkpoint"),
        callbacks.HistoryLogger(tmp_path / "history.csv"),
        callbacks.TimeLimit(1000),
        callbacks.EarlyStopping("r2"),
    ]
    assert {type(callback).__name__ for callback in given} == CALLBACKS
    model = RNNRegressor(**FAST).set_callbacks(*given).fit(X, Y, X_val=X, y_val=Y)
    again = round_trip(model, RNNRegressor, *map(type, given))
    assert_same(again.predict(X), model.predict(X))
    again.fit(X, Y, X_val=X, y_val=Y)  # the callbacks work
    assert_same_weights(again, model)
    assert len((tmp_path / "history.csv").read_text().splitlines()) == 1 + 2 * FAST["max_iter"]


PIPELINES = {
    "PerTimestep": (
        make_pipeline(PerTimestep(StandardScaler()), RNNClassifier(**FAST)),
        LABELS,
        [PerTimestep, RNNClassifier],
    ),
    "PerTimestepTarget": (
        PerTimestepTarget(RNNRegressor(**FAST), transformer=StandardScaler()),
        Y,
        [PerTimestepTarget, RNNRegressor],
    ),
    "InstanceNormalizedRegressor": (
        InstanceNormalizedRegressor(RNNRegressor(**FAST), target=0),
        X[:, :2, 0],
        [InstanceNormalizedRegressor, RNNRegressor],
    ),
    "PatchedRegressor": (
        PatchedRegressor(RNNRegressor(return_sequences=True, **FAST)),
        X[:, :, 0],
        [PatchedRegressor, RNNRegressor],
    ),
    "Patches and Differences": (
        make_pipeline(Differences(), Patches(2), RNNRegressor(**FAST)),
        Y,
        [Differences, Patches, RNNRegressor],
    ),
}


@pytest.mark.parametrize(("model", "y", "own"), PIPELINES.values(), ids=PIPELINES)
def test_in_pipelines_and_wrappers(model, y, own):
    assert_same(round_trip(model.fit(X, y), *own).predict(X), model.predict(X))


TRANSFORMERS = [
    Differences(),
    Lags(2),
    Patches(2),
    PerSequence(StandardScaler()),
    PerSequence(np.abs),
    PerTimestep(StandardScaler()),
    SequenceNormalizer(),
]


@pytest.mark.parametrize("model", TRANSFORMERS, ids=str)
def test_transformers(model):
    given = ragged(5)
    again = round_trip(model.fit(given).set_output(transform="pandas"), type(model))
    for one, other in zip(again.transform(given), model.transform(given), strict=True):
        assert type(one) is type(other)
        assert_array_equal(one, other)


SCORERS = [make_sequence_scorer("accuracy"), make_forecast_scorer("r2")]
SEARCHES = [
    (RNNClassifier(return_sequences=True, **FAST), X[:, :, 0] > 0, StratifiedSequenceKFold(2)),
    (RNNRegressor(**FAST), X[:, :4].reshape(len(X), 2, -1), KFold(2)),
]


def test_every_public_class_that_can_be_saved_is_here_and_on_the_page():
    public = [getattr(preprocessing, name) for name in preprocessing.__all__]
    fitted = {kind for kind in public if hasattr(kind, "fit")}
    own = {kind for *_, kinds in PIPELINES.values() for kind in kinds}
    networks = {RNNClassifier, RNNRegressor}
    assert networks | fitted == {SequenceLookup, *own, *map(type, TRANSFORMERS)}
    kinds = {Stream, *networks, *fitted}
    kinds |= {getattr(callbacks, name) for name in CALLBACKS}
    named = re.findall(r"^\| `(sklearn_rnn\..*?)` \|", PAGE.read_text("utf-8"), re.MULTILINE)
    helpers = {"sklearn_rnn.preprocessing._sequence_lookup.SharedSequences"}
    helpers |= {"sklearn_rnn.streaming.TimestepTransform"}
    kinds |= {StratifiedSequenceKFold, TimeSeriesWindowSplit}
    makers = (getattr(metrics, name) for name in metrics.__all__ if name.startswith("make_"))
    kinds |= {type(make("r2")) for make in makers}
    assert set(named) == set(map(name_of, kinds)) | helpers
    assert len(named) == len(set(named))


@pytest.mark.parametrize(
    ("model", "y", "folds", "scorer"),
    [(*search, scorer) for search, scorer in zip(SEARCHES, SCORERS, strict=True)],
    ids=map(str, SCORERS),
)
def test_a_whole_search(model, y, folds, scorer):
    """Its file has names of scikit-learn, too: skops doesn't know all of its functions."""
    search = GridSearchCV(model, {"hidden_size": [2, 3]}, cv=folds, scoring=scorer).fit(X, y)
    file = skops.dumps(search)
    names = skops.get_untrusted_types(data=file)
    own = {kind for kind in map(type, (model, folds, scorer)) if "sklearn_rnn" in kind.__module__}
    assert {name for name in names if "sklearn_rnn" in name} == set(map(name_of, own))
    again = skops.loads(file, trusted=names)
    assert_same(again.predict(X), search.predict(X))
    assert again.score(X, y) == search.score(X, y)


def test_splits_of_a_series():
    splits = round_trip(TimeSeriesWindowSplit(n_splits=2, gap=1), TimeSeriesWindowSplit)
    assert repr(splits) == repr(TimeSeriesWindowSplit(n_splits=2, gap=1))


def test_looked_up_sequences():
    lookup = SequenceLookup(X)
    model = make_pipeline(lookup, RNNRegressor(**FAST)).fit(lookup.rows, Y)
    shared = type(lookup.sequences)
    again = round_trip(model, SequenceLookup, shared, RNNRegressor)
    assert_same(again.predict(lookup.rows), model.predict(lookup.rows))


@pytest.mark.parametrize("through_a_scaler", [False, True])
def test_a_stream(through_a_scaler):
    model, own = RNNRegressor(cell="lstm", **FAST), [RNNRegressor, Stream]
    if through_a_scaler:
        model = make_pipeline(PerTimestep(StandardScaler()), model)
    live = stream(model.fit(X, Y))
    live.read(X[:1, :3])
    own += [PerTimestep, *map(type, live._transformers)] if through_a_scaler else []
    again = round_trip(live, *own)
    for x in X[0, 3:]:
        assert_array_equal(again.step(x), live.step(x))


@pytest.mark.parametrize("damage", [lambda file: file[:-200], lambda file: b"", lambda file: b"PK"])
def test_a_damaged_file(damage):
    file = damage(skops.dumps(RNNRegressor(**FAST).fit(X, Y)))
    with pytest.raises(Exception, match="zip"):
        skops.loads(file, trusted=[name_of(RNNRegressor)])


def test_a_changed_number():
    file = bytearray(skops.dumps(RNNRegressor(**FAST).fit(X, Y)))
    place = file.index(b"NUMPY") + 200  # behind the header of the first array
    file[place] ^= 1
    with pytest.raises(Exception, match="CRC"):
        skops.loads(bytes(file), trusted=[name_of(RNNRegressor)])


def test_what_is_not_trusted_is_not_loaded():
    file = skops.dumps(RNNRegressor(**FAST).fit(X, Y))
    with pytest.raises(Exception, match=r"Untrusted types.*RNNRegressor"):
        skops.loads(file)
