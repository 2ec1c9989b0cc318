"""Splitters: folds of sequences by their labels, and of windows by their time."""

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    TimeSeriesSplit,
    cross_val_score,
)

from sequences import object_array, padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.metrics import make_sequence_scorer
from sklearn_rnn.model_selection import StratifiedSequenceKFold, TimeSeriesWindowSplit
from sklearn_rnn.preprocessing import sliding_windows
from versions import scikit_learn_since

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Sequences of A and some B, and of C alone, in an order in which KFold gives one fold all the C.
X = ragged(24, 1, longest=9)
RARE = [i >= 18 for i in range(24)]
rng = np.random.default_rng(0)
Y = [
    np.full(len(x), "C") if rare else rng.choice(["A", "B"], len(x), p=[0.8, 0.2])
    for x, rare in zip(X, RARE, strict=True)
]
SPEAKERS = np.arange(24) // 2


def as_lists(folds):
    return [(train.tolist(), test.tolist()) for train, test in folds]


def shares(y, folds):
    """The shares of the labels in each test set, (n_folds, n_labels)."""
    labels = np.unique(np.concatenate(y))
    tests = [np.concatenate([y[i] for i in test]) for _, test in folds]
    return np.array([[np.mean(test == label) for label in labels] for test in tests])


# Before, StratifiedGroupKFold shuffled in another way, with less even folds.
since_the_shuffle_is_stable = scikit_learn_since(8, "today's shuffle in StratifiedGroupKFold")


@pytest.mark.parametrize(
    "options",
    [{}, pytest.param({"shuffle": True, "random_state": 3}, marks=since_the_shuffle_is_stable)],
)
def test_sequences_are_stratified_as_groups_of_timesteps(options):
    folds = list(StratifiedSequenceKFold(3, **options).split(X, Y))
    owner = np.repeat(np.arange(24), [len(x) for x in X])
    by_hand = StratifiedGroupKFold(3, **options).split(owner, np.concatenate(Y), groups=owner)
    for (train, test), (train_steps, test_steps) in zip(folds, by_hand, strict=True):
        assert set(train) == set(owner[train_steps])
        assert set(test) == set(owner[test_steps])
        assert sorted([*train, *test]) == list(range(24))
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(24))
    of_all = shares(Y, [([], range(24))])
    worst = abs(shares(Y, folds) - of_all).max()
    assert worst < 0.1 < abs(shares(Y, list(KFold(3).split(X))) - of_all).max()


@since_the_shuffle_is_stable
@given(
    st.integers(0, 2**32 - 1),
    st.integers(2, 11),
    st.integers(1, 12),
    st.booleans(),
    st.sampled_from([1, 4]),
)
def test_folds_are_exactly_those_of_scikit_learn(seed, n_splits, n_labels, shuffle, longest):
    """Also where many folds are equally good, so that the last bit decides."""
    rng = np.random.default_rng(seed)
    X = [np.zeros((length, 1)) for length in rng.integers(1, longest + 1, 40)]
    y = [rng.integers(0, n_labels, len(x)) for x in X]
    speakers = rng.integers(0, 40 if rng.random() < 0.5 else 15, 40)
    assume(len(set(speakers)) >= n_splits)
    options = {"shuffle": shuffle, "random_state": seed if shuffle else None}
    owner = np.repeat(np.arange(40), [len(x) for x in X])
    with warnings.catch_warnings(action="ignore"):
        for groups in (None, speakers):
            of_steps = owner if groups is None else groups[owner]
            by_steps = StratifiedGroupKFold(n_splits, **options)
            folds = StratifiedSequenceKFold(n_splits, **options).split(X, y, groups)
            try:
                expected = list(by_steps.split(owner, np.concatenate(y), of_steps))
            except ValueError:
                with pytest.raises(ValueError, match="more than the timesteps of every label"):
                    list(folds)
                continue
            for fold, fold_of_steps in zip(folds, expected, strict=True):
                for mine, theirs in zip(fold, fold_of_steps, strict=True):
                    np.testing.assert_array_equal(mine, np.unique(owner[theirs]))


def test_a_label_that_is_too_rare_for_every_fold():
    y = [np.full(len(x), "A") for x in X]
    y[3][0] = "B"
    with pytest.warns(UserWarning, match="label B at only 1 timesteps.*n_splits=3") as warned:
        list(StratifiedSequenceKFold(3).split(X, y))
    assert warned[0].filename == __file__


def test_folds_are_the_same_in_every_container():
    expected = as_lists(StratifiedSequenceKFold(3).split(X, Y))
    numbers = [np.where(y == "C", -1, np.where(y == "B", 1, 0)) for y in Y]
    dirty = padded(X)
    dirty[:, 0] = np.where(np.isin(np.arange(24), [2, 5])[:, None], np.nan, dirty[:, 0])
    for of_X, y in [
        (tuple(X), tuple(Y)),
        (object_array(X), object_array(Y)),
        (padded(X), padded(Y, fill="C")),
        (padded(X), Y),
        (padded(X)[:, :, 0], padded(numbers, fill=7)),
        (X, numbers),
        ([x.tolist() for x in X], [y.tolist() for y in Y]),
    ]:
        assert as_lists(StratifiedSequenceKFold(3).split(of_X, y)) == expected


def test_groups_of_sequences_stay_together():
    folds = list(StratifiedSequenceKFold(3).split(X, Y, groups=SPEAKERS))
    for train, test in folds:
        assert not set(SPEAKERS[train]) & set(SPEAKERS[test])
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(24))
    scorer = make_sequence_scorer("accuracy")
    model = RNNClassifier(return_sequences=True, hidden_size=2, max_iter=2, random_state=0)
    options = {"cv": StratifiedSequenceKFold(3), "scoring": scorer}
    expected = cross_val_score(model, X, Y, cv=folds, scoring=scorer)
    plain = cross_val_score(model, X, Y, groups=SPEAKERS, **options)
    with config_context(enable_metadata_routing=True):
        routed = cross_val_score(model, X, Y, params={"groups": SPEAKERS}, **options)
    np.testing.assert_array_equal(plain, expected)
    np.testing.assert_array_equal(routed, expected)
    assert not np.array_equal(cross_val_score(model, X, Y, **options), expected)


def test_search_with_stratified_sequences():
    model = RNNClassifier(return_sequences=True, max_iter=2, random_state=0)
    grid = {"hidden_size": [2, 3]}
    scorer = make_sequence_scorer("f1_macro")
    folds = list(StratifiedSequenceKFold(3).split(X, Y))
    scores = [
        GridSearchCV(model, grid, cv=cv, scoring=scorer).fit(X, Y).cv_results_["mean_test_score"]
        for cv in (StratifiedSequenceKFold(3), folds)
    ]
    np.testing.assert_array_equal(*scores)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (X, None, "y must be given"),
        (X, [y[0] for y in Y], "y has one value per sequence, not one per timestep"),
        (X, Y[:-1], "inconsistent numbers of samples"),
        (X, [Y[0][:-1], *Y[1:]], r"y\[0\] has . values, but X\[0\] has"),
        (
            X,
            [x + 0.5 for x in X],
            "y must have one label per timestep to stratify by, but is of type 'continuous'",
        ),
        (X[:2], Y[:2], "n_splits=3 needs at least 3 sequences, or groups of sequences; there"),
        (np.zeros(24), Y, "X must be an array"),
    ],
)
def test_bad_input_to_stratify(X, y, message):
    with pytest.raises(ValueError, match=message):
        list(StratifiedSequenceKFold(3).split(X, y))


def test_groups_to_stratify_by():
    column = StratifiedSequenceKFold(3).split(X, Y, groups=SPEAKERS[:, np.newaxis])
    assert as_lists(column) == as_lists(StratifiedSequenceKFold(3).split(X, Y, groups=SPEAKERS))
    cases = {
        r"^groups: ": np.c_[SPEAKERS, SPEAKERS],
        "groups has no group for sample 0: it is None": [None] * 24,
        "groups has no group for sample 5: it is nan": np.where(np.arange(24) == 5, np.nan, 1.0),
    }
    for message, groups in cases.items():
        with pytest.raises(ValueError, match=message):
            list(StratifiedSequenceKFold(3).split(X, Y, groups=groups))


def test_splitters_are_shown_cloned_and_pickled():
    stratified = StratifiedSequenceKFold(4, shuffle=True, random_state=1)
    by_time = TimeSeriesWindowSplit(3, gap=2)
    assert repr(stratified) == "StratifiedSequenceKFold(n_splits=4, random_state=1, shuffle=True)"
    assert " ".join(repr(by_time).split()) == (
        "TimeSeriesWindowSplit(by_series=False, gap=2, max_train_size=None, n_splits=3, "
        "test_size=None)"
    )
    for splitter, n_splits in ((stratified, 4), (by_time, 3)):
        search = clone(GridSearchCV(RNNClassifier(), {}, cv=splitter))
        for copy in (search.cv, pickle.loads(pickle.dumps(splitter))):
            assert repr(copy) == repr(splitter)
            assert copy.get_n_splits() == n_splits


@pytest.mark.parametrize(
    ("splitter", "parameters", "error", "message"),
    [
        (StratifiedSequenceKFold, {"n_splits": 1}, ValueError, "n_splits == 1"),
        (StratifiedSequenceKFold, {"random_state": 0}, ValueError, "random_state"),
        (TimeSeriesWindowSplit, {"n_splits": 0}, ValueError, "n_splits == 0, must be >= 1"),
        (TimeSeriesWindowSplit, {"gap": -1}, ValueError, "gap == -1, must be >= 0"),
        (TimeSeriesWindowSplit, {"test_size": 0.2}, TypeError, "test_size must be an instance"),
        (TimeSeriesWindowSplit, {"max_train_size": 0}, ValueError, "max_train_size == 0"),
        (TimeSeriesWindowSplit, {"by_series": "no"}, TypeError, "by_series must be True or"),
    ],
)
def test_bad_parameters(splitter, parameters, error, message):
    with pytest.raises(error, match=message):
        splitter(**parameters)


# TimeSeriesWindowSplit


@st.composite
def windows_and_splitter(draw):
    """Windows of some series, and a splitter; not each can split them."""
    window, horizon, stride = (draw(st.integers(1, 4)) for _ in range(3))
    lengths = draw(st.lists(st.integers(window + horizon + 1, 40), min_size=1, max_size=3))
    X, y, index = sliding_windows(
        [np.arange(float(length)) for length in lengths],
        window,
        horizon,
        stride,
        gap=draw(st.integers(0, 1)),
        return_index=True,
    )
    splitter = TimeSeriesWindowSplit(
        draw(st.integers(1, 4)),
        gap=draw(st.integers(0, 5)),
        test_size=draw(st.none() | st.integers(1, 5)),
        max_train_size=draw(st.none() | st.integers(8, 30)),
        by_series=draw(st.booleans()),
    )
    return X, y, index, splitter


def steps_of(windows, first):
    """All timesteps (series, time) of windows, from the field `first` on."""
    return {(w["series"], t) for w in windows for t in range(w[first], w["stop"])}


@given(windows_and_splitter())
def test_no_tested_timestep_nor_any_later_one_is_seen_in_training(drawn):
    X, y, index, splitter = drawn
    try:
        folds = list(splitter.split(X, y, groups=index))
    except ValueError as error:
        if "n_splits" not in str(error):
            raise
        assume(False)  # too few windows
    assert len(folds) == splitter.n_splits
    tested = []
    for train, test in folds:
        seen, targets = steps_of(index[train], "start"), steps_of(index[test], "first_target")
        assert not seen & targets
        clocks = set(index["series"]) if splitter.by_series else {None}
        for clock in clocks:
            times_seen = [t for s, t in seen if clock in (s, None)]
            times_tested = [t for s, t in targets if clock in (s, None)]
            if times_seen and times_tested:  # of a series of its own there may be none of one kind
                assert max(times_seen) + splitter.gap < min(times_tested)
            if times_seen and splitter.max_train_size is not None:
                assert max(times_seen) + 1 - min(times_seen) <= splitter.max_train_size
        tested += test.tolist()
    assert len(tested) == len(set(tested))
    # every window whose first target is not before the first stretch is tested
    for series in set(index["series"]) if splitter.by_series else [None]:
        of_series = (index["series"] == series) | (series is None)
        chosen = np.intersect1d(tested, np.flatnonzero(of_series))
        if len(chosen):
            later = index["first_target"] >= index["first_target"][chosen].min()
            assert set(np.flatnonzero(later & of_series)) == set(chosen)


@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("gap", [0, 2])
@pytest.mark.parametrize("test_size", [None, 4])
def test_of_one_series_it_is_TimeSeriesSplit(horizon, gap, test_size):
    X, y, index = sliding_windows(np.arange(50.0), 5, horizon, return_index=True)
    by_time = TimeSeriesWindowSplit(4, gap=gap, test_size=test_size).split(X, y, index)
    expected = TimeSeriesSplit(4, gap=horizon - 1 + gap, test_size=test_size).split(X)
    assert as_lists(by_time) == as_lists(expected)


def test_gap_of_a_window_keeps_inputs_apart():
    series = [np.arange(60.0), np.arange(45.0)]
    X, y, index = sliding_windows(series, 6, horizon=2, stride=2, return_index=True)
    overlaps = []
    for gap in (0, 6):
        folds = TimeSeriesWindowSplit(3, gap=gap).split(X, y, index)
        overlaps.append(
            [steps_of(index[a], "start") & steps_of(index[b], "start") for a, b in folds]
        )
    assert all(overlaps[0])
    assert not any(overlaps[1])


def test_series_on_one_clock_or_each_on_its_own():
    series = [np.arange(40.0), np.arange(16.0)]
    X, y, index = sliding_windows(series, 4, return_index=True)
    (train, test), *_ = TimeSeriesWindowSplit(2).split(X, y, index)
    assert index["stop"][train].max() <= index["first_target"][test].min() == 16
    assert set(index["series"][test]) == {0}  # the other one is over by then
    folds = list(TimeSeriesWindowSplit(2, by_series=True).split(X, y, index))
    for i in range(2):
        alone = index["series"] == i
        X_i, y_i, index_i = sliding_windows(series[i], 4, return_index=True)
        expected = TimeSeriesWindowSplit(2).split(X_i, y_i, index_i)
        places = np.flatnonzero(alone)
        for fold, parts in zip(folds, expected, strict=True):
            for chosen, part in zip(fold, parts, strict=True):
                assert chosen[alone[chosen]].tolist() == places[part].tolist()

    first = np.array([0, 14])  # the second series began later
    for field in ("start", "first_target", "stop"):
        index[field] += first[index["series"]]
    for train, test in TimeSeriesWindowSplit(2).split(X, y, index):
        assert index["stop"][train].max() <= index["first_target"][test].min()
        assert set(index["series"][test]) == {0, 1}


def test_whole_series_in_a_fold():
    series = [np.arange(n) for n in (9, 12, 7, 10)]
    X, y, index = sliding_windows(series, 4, return_index=True)
    for train, test in GroupKFold(4).split(X, y, groups=index["series"]):
        assert not set(index["series"][train]) & set(index["series"][test])


def test_search_over_windows():
    series = [np.sin(np.arange(40.0) + phase) for phase in (0, 2)]
    X, y, index = sliding_windows(series, 6, return_index=True)
    model, grid = RNNRegressor(max_iter=2, random_state=0), {"hidden_size": [2, 3]}
    splitter = TimeSeriesWindowSplit(3)
    expected = GridSearchCV(model, grid, cv=list(splitter.split(X, y, index))).fit(X, y)
    search = GridSearchCV(model, grid, cv=splitter)
    plain = search.fit(X, y, groups=index).cv_results_["mean_test_score"]
    with config_context(enable_metadata_routing=True):
        routed = search.fit(X, y, groups=index).cv_results_["mean_test_score"]
    for scores in (plain, routed):
        np.testing.assert_array_equal(scores, expected.cv_results_["mean_test_score"])


def test_bad_input_to_split_by_time():
    X, _, index = sliding_windows([np.arange(20.0), np.arange(6.0)], 3, return_index=True)
    cases = {
        "groups must be the index that sliding_windows.* got NoneType": ({}, X, None),
        "groups must be the index that .* got ndarray of shape": ({}, X, index["series"]),
        "groups must be the index .* got list": ({}, X, index.tolist()),
        "inconsistent numbers of samples": ({}, X[1:], index),
        "n_splits=17 is too many: the first targets span 17 timesteps": (
            {"n_splits": 17},
            X,
            index,
        ),
        "n_splits=3 is too many: the first targets of series 1 span 3 timesteps": (
            {"n_splits": 3, "by_series": True},
            X,
            index,
        ),
        "Fold 0 has no windows to train on: choose another n_splits": (
            {"n_splits": 2, "gap": 9},
            X,
            index,
        ),
        "Fold 1 has no windows to test on": ({"n_splits": 4, "test_size": 1}, X[::3], index[::3]),
    }
    for message, (parameters, windows, groups) in cases.items():
        with pytest.raises(ValueError, match=message):
            list(TimeSeriesWindowSplit(**parameters).split(windows, groups=groups))
