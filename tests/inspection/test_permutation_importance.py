"""Permutation importance finds what was planted, in every container and for every scorer."""

import numpy as np
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.impute import SimpleImputer
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from covering import only_thorough
from planted import FEATURE, TIMESTEP, Picker, Signs, planted
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.inspection import permutation_importance
from sklearn_rnn.metrics import make_sequence_scorer
from sklearn_rnn.preprocessing import PerTimestep, pad_sequences

# Training stops early: what the networks learn need not be perfect.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"solver": "lbfgs", "hidden_size": 4, "max_iter": 100}

SEEDS = [(seed, True) for seed in range(20)]
MORE_SEEDS = only_thorough((seed, False) for seed in range(20))


@pytest.mark.parametrize(("seed", "ragged"), [*SEEDS, *MORE_SEEDS])
def test_networks_read_the_planted_feature_and_timestep(seed, ragged):
    X, y = planted(seed, n=200, ragged=ragged)
    model = make_pipeline(PerTimestep(StandardScaler()), RNNRegressor(**SMALL, random_state=seed))
    model.fit(X, y)
    by_feature = permutation_importance(model, X, y, n_repeats=2, random_state=seed)
    assert by_feature.importances_mean.argmax() == FEATURE
    by_time = permutation_importance(model, X, y, by="timestep", n_repeats=2, random_state=seed)
    assert by_time.importances_mean.argmax() == TIMESTEP


@pytest.mark.parametrize(
    ("by", "block_size", "shape", "place"),
    [
        ("feature", None, (3,), FEATURE),
        ("timestep", None, (6,), TIMESTEP),
        ("block", 2, (3,), 0),
        ("block", 4, (2,), 0),
        ("block", 99, (1,), 0),
        (("feature", "timestep"), None, (3, 6), (FEATURE, TIMESTEP)),
        (["feature", "block"], 2, (3, 3), (FEATURE, 0)),
    ],
)
def test_only_what_is_read_is_important(by, block_size, shape, place):
    X, y = planted(0, ragged=True)
    result = permutation_importance(
        Picker(), X, y, by=by, block_size=block_size, n_repeats=3, random_state=0
    )
    assert result.importances.shape == (*shape, 3)
    assert_allclose(result.importances_mean, result.importances.mean(axis=-1))
    assert_allclose(result.importances_std, result.importances.std(axis=-1))
    expected = np.zeros(shape, bool)
    expected[place] = True
    assert_array_equal(result.importances_mean > 0, expected)
    assert result.importances_mean[place] > 1  # R² falls from about 1 to about -1
    assert (result.importances[~expected] == 0).all()


def test_parts_say_where_they_are():
    X, y = planted(0, ragged=True)
    lengths = np.array([len(x) for x in X])
    result = permutation_importance(Picker(), X, y, by="block", block_size=2, random_state=0)
    assert result.by == "block"
    assert result.starts.tolist() == [0, 2, 4]
    assert result.ends.tolist() == [2, 4, 6]
    assert result.n_sequences.tolist() == [(lengths > start).sum() for start in (0, 2, 4)]
    result = permutation_importance(Picker(), X, y, by="block", block_size=4, random_state=0)
    assert result.ends.tolist() == [4, 6]
    result = permutation_importance(Picker(), X, y, random_state=0)
    assert result.starts is result.ends is None
    assert result.n_sequences is None


def test_scores_are_those_of_the_exchanged_sequences():
    X, y = planted(1)
    model = Picker()
    result = permutation_importance(model, X, y, n_repeats=2, random_state=0)
    assert_array_equal(model.seen[0], X)
    assert len(model.seen) == 1 + 3 * 2
    scores = [r2_score(y, exchanged[:, TIMESTEP, FEATURE]) for exchanged in model.seen[1:]]
    before = r2_score(y, X[:, TIMESTEP, FEATURE])
    assert_allclose(result.importances.ravel(), before - np.array(scores))
    for exchanged, feature in zip(model.seen[1:], [0, 0, 1, 1, 2, 2], strict=True):
        others = [k for k in range(3) if k != feature]
        assert_array_equal(exchanged[:, :, others], X[:, :, others])
        assert not np.array_equal(exchanged, X)


def test_the_result_depends_on_random_state_alone():
    X, y = planted(2, ragged=True)
    model = RNNRegressor(**SMALL, random_state=0).fit(X, y)
    with parallel_config("threading"):  # processes would take seconds to start
        results = [
            permutation_importance(model, X, y, random_state=seed, n_jobs=n_jobs).importances
            for seed, n_jobs in [(0, None), (0, 2), (1, None)]
        ]
    assert_array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])


def test_a_list_and_a_padded_array_have_the_same_importances():
    X, y = planted(3, ragged=True)
    of_list, of_array = (
        permutation_importance(Picker(), X, y, by="timestep", random_state=0).importances
        for X in (X, pad_sequences(X, length=9))
    )
    assert_array_equal(of_list, of_array)


def test_a_timestep_of_one_sequence_has_no_importance():
    X, _ = planted(4, ragged=True)
    X[0] = np.vstack([X[0], np.ones((7 - len(X[0]), 3))])
    result = permutation_importance(
        Picker(timestep=-1), X, [x[-1, FEATURE] for x in X], by="timestep", random_state=0
    )
    assert result.n_sequences[-1] == 1
    assert (result.importances[-1] == 0).all()
    assert (result.importances_mean[:-1] > 0).any()


PER_STEP = make_sequence_scorer("accuracy")


@pytest.mark.parametrize("weighted", [False, True])
def test_targets_per_timestep(weighted):
    X, _ = planted(5, ragged=True)
    y = Signs().predict(X)
    weights = [np.where(np.arange(len(x)) == 0, 1.0, 0.0) for x in X] if weighted else None
    result = permutation_importance(
        Signs(), X, y, by="timestep", scoring=PER_STEP, sample_weight=weights, random_state=0
    )
    important = result.importances_mean > 0
    if weighted:  # only the first timestep counts
        assert important.tolist() == [True] + [False] * 5
        assert result.importances_mean[0] > 0.3
    else:
        assert important.all()


def test_networks_with_labels_per_timestep():
    X, _ = planted(6, ragged=True)
    y = Signs().predict(X)
    model = RNNClassifier(return_sequences=True, **SMALL, random_state=0)
    model.fit(X, y)
    for scoring in (None, PER_STEP):
        result = permutation_importance(model, X, y, scoring=scoring, random_state=0)
        assert result.importances_mean.argmax() == FEATURE


def test_several_scorers():
    X, y = planted(7)
    scoring = {"r2": "r2", "error": "neg_mean_absolute_error"}
    results = permutation_importance(Picker(), X, y, scoring=scoring, random_state=0)
    assert results.keys() == scoring.keys()
    for name, scorer in scoring.items():
        alone = permutation_importance(Picker(), X, y, scoring=scorer, random_state=0)
        assert_array_equal(results[name].importances, alone.importances)
        assert results[name].by == "feature"


def test_missing_values_are_exchanged_before_a_pipeline_imputes_them():
    X, y = planted(8, ragged=True)
    X = [x.copy() for x in X]
    for x in X[::3]:
        x[0, 0] = np.nan
    model = make_pipeline(PerTimestep(SimpleImputer()), Picker())
    model.fit(X, y)
    result = permutation_importance(model, X, y, random_state=0)
    assert result.importances_mean.argmax() == FEATURE


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"by": "step"}, ValueError, "by='step' is not one of the choices: 'feature', "),
        ({"by": ("timestep", "feature")}, ValueError, "by=.* is not one of the choices"),
        ({"by": None}, TypeError, "by=None is not one of the choices"),
        ({"by": "block"}, ValueError, "by='block' needs block_size"),
        ({"by": "block", "block_size": 0}, ValueError, "block_size == 0"),
        ({"by": "block", "block_size": 1.5}, TypeError, "block_size"),
        ({"block_size": 2}, ValueError, "block_size=2 has no meaning for by='feature'"),
        ({"n_repeats": 0}, ValueError, "n_repeats == 0"),
        ({"scoring": "no_such"}, ValueError, "scoring"),
        ({"scoring": lambda *_: np.ones(2)}, ValueError, r"one number, .* of shape \(2,\)"),
    ],
)
def test_what_is_refused(options, error, words):
    X, y = planted(0, n=10)
    with pytest.raises(error, match=words):
        permutation_importance(Picker(), X, y, **options)


def test_one_sequence_is_refused():
    X, y = planted(0, n=1)
    with pytest.raises(ValueError, match="X has one sequence: there is no other"):
        permutation_importance(Picker(), X, y)
