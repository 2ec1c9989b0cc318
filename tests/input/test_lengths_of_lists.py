"""X a list, y and weights padded arrays: the lengths are those of X, in the whole and in parts."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from fits import ESTIMATORS, assert_same_fit
from sequences import object_array, padded, ragged
from sklearn_rnn import RNNRegressor
from sklearn_rnn._input.content import STEPS
from sklearn_rnn._input.sequences import as_sequences
from sklearn_rnn._input.targets import is_per_timestep
from sklearn_rnn.callbacks import EarlyStopping
from sklearn_rnn.metrics import flatten_sequences, make_sequence_scorer
from sklearn_rnn.model_selection import StratifiedSequenceKFold
from sklearn_rnn.preprocessing import (
    InstanceNormalizedRegressor,
    PatchedRegressor,
    PerTimestep,
    PerTimestepTarget,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = ragged(n=12, n_features=2, longest=8)
NUMBERS = [x[:, 0] for x in X]
LABELS = [(y > 0).astype(int) for y in NUMBERS]
WEIGHTS = [1.0 + (y > 0.5) for y in NUMBERS]
PART = np.flatnonzero([len(x) < 6 for x in X])  # a part that is shorter than the whole


def part_of(values):
    return values[PART] if isinstance(values, np.ndarray) else [values[i] for i in PART]


def small(kind, **parameters):
    return ESTIMATORS[kind](
        return_sequences=True, hidden_size=2, max_iter=2, random_state=0, **parameters
    )


def per_step(**parameters):
    return RNNRegressor(return_sequences=True, max_iter=2, random_state=0, **parameters)


def attributes(splits):
    return [part.tolist() for split in splits for part in split]


# Everything that reads values per timestep beside X: (X, y, weights, model) -> what comes of it.
READERS = {
    "fit": lambda X, y, w, model: model.fit(X, y, w),
    "partial_fit": lambda X, y, w, model: model.partial_fit(X, y, sample_weight=w),
    "validation data": lambda X, y, w, model: model.fit(
        X, y, w, X_val=X, y_val=y, sample_weight_val=w
    ),
    "score": lambda X, y, w, model: model.score(X, y, w),
    "scorer": lambda X, y, w, model: make_sequence_scorer("r2")(model, X, y, w),
    "scorer by sequence": lambda X, y, w, model: make_sequence_scorer(
        "neg_mean_absolute_error", averaged_by="sequence"
    )(model, X, y, w),
    "flatten_sequences": lambda X, y, w, model: flatten_sequences(y, y, w, X=X),
    "flatten_sequences without X": lambda X, y, w, model: flatten_sequences(y, model.predict(X), w),
    "flatten_sequences of predictions": lambda X, y, w, model: flatten_sequences(
        model.predict(X), y, w
    ),
    "StratifiedSequenceKFold": lambda X, y, w, model: attributes(
        StratifiedSequenceKFold(2).split(X, y)
    ),
    "PerTimestep": lambda X, y, w, model: (
        PerTimestep(SelectKBest(f_classif, k=1)).fit(X, y).transformer_.scores_
    ),
    "PerTimestepTarget": lambda X, y, w, model: (
        PerTimestepTarget(per_step()).fit(X, y, sample_weight=w).score(X, y, w)
    ),
    "PatchedRegressor": lambda X, y, w, model: (
        PatchedRegressor(per_step(), size=2).fit(X, y, sample_weight=w).score(X, y, w)
    ),
    "InstanceNormalizedRegressor": lambda X, y, w, model: (
        InstanceNormalizedRegressor(per_step(), target=0)
        .fit(X, y, sample_weight=w, X_val=X, y_val=y)
        .score(X, y, w)
    ),
    "held out": lambda X, y, w, model: (
        per_step(early_stopping=True, validation_fraction=0.5)
        .set_callbacks(EarlyStopping(make_sequence_scorer("r2")))
        .fit(X, y, w)
        .validation_scores_
    ),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize("contained", [list, object_array], ids=["list", "objects"])
@pytest.mark.parametrize("kind", ESTIMATORS)
@pytest.mark.parametrize("of", [lambda values: values, part_of], ids=["whole", "part"])
def test_padded_values_are_read_like_lists(read, contained, kind, of):
    model = small(kind, warm_start=True)
    model.fit(X, LABELS)
    of_X = contained(of(X))
    results = []
    for wrap in (list, padded):
        y, weights = of(wrap(LABELS)), of(wrap(WEIGHTS))
        model = small(kind, warm_start=True).fit(X, LABELS)
        results.append(read(of_X, y, weights, model))
    if isinstance(results[0], type(model)):
        assert_same_fit(*results)
    else:
        for actual, expected in zip(*map(np.atleast_1d, map(list_of, results)), strict=True):
            assert_array_equal(actual, expected)


def list_of(result):
    return object_array(list(result)) if isinstance(result, (tuple, list)) else result


def test_the_examples_of_the_issue():
    model = small("classifier").fit(X, padded(LABELS))
    assert len(X[PART[0]]) < 8
    assert model.score([X[PART[0]]], padded(LABELS)[PART[:1]]) == model.score(
        [X[PART[0]]], [LABELS[PART[0]]]
    )
    for scoring in (None, make_sequence_scorer("accuracy")):
        tools = {"cv": KFold(4), "scoring": scoring, "error_score": "raise"}
        scores = cross_val_score(model, X, padded(LABELS), **tools)
        assert_array_equal(scores, cross_val_score(model, X, LABELS, **tools))
        grid = {"hidden_size": [1, 2]}
        search = GridSearchCV(model, grid, **tools).fit(X, padded(LABELS))
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_values_beyond_the_longest_are_refused_where_nothing_is_padded():
    for y in (
        [np.append(y, 1) for y in LABELS],  # a list has no padding
        padded(LABELS)[:, :7],
    ):
        with pytest.raises(ValueError, match=r"y.* has \d (values|timesteps), but .*X.* has \d"):
            small("classifier").fit(X, y)
    with pytest.raises(ValueError, match="y has 9 timesteps, but X has 8"):
        small("classifier").fit(padded(X), np.zeros((12, 9), int))


def test_several_targets_per_sequence_stay_what_they_are():
    """A forecast may be longer than the sequences; padding is constant, a forecast isn't."""
    sequences = as_sequences(X, STEPS)
    forecast = np.random.default_rng(0).normal(size=(12, 10))
    assert not is_per_timestep(forecast, sequences)
    for fill in (np.nan, 0.0, None):
        beyond = np.full((12, 2), fill, object if fill is None else float)
        assert is_per_timestep(np.hstack([forecast[:, :8], beyond]), sequences)
