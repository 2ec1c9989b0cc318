"""Early stopping with groups: whole groups are held out."""

import re

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fits import ESTIMATORS, assert_same_fit
from sequences import ragged
from sklearn_rnn import RNNClassifier, RNNRegressor, _base
from sklearn_rnn.preprocessing import PerTimestepTarget

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 40
FAST = {"hidden_size": 3, "max_iter": 2, "random_state": 0, "early_stopping": True}
X = ragged(N, n_features=2, seed=0)
Y = np.random.default_rng(1).standard_normal(N)
LABELS = np.where(np.arange(N) % 4 == 0, "rare", "common")
TARGETS = {"regressor": Y, "classifier": LABELS}
GROUPS = np.random.default_rng(2).permutation(np.repeat(list("abcdefgh"), [8, 7, 6, 6, 5, 4, 2, 2]))


@pytest.fixture
def split(monkeypatch):
    """The samples that were trained on, and those held out, of the last fit."""
    parts = []
    original = _base.hold_out

    def hold_out(*arguments):
        parts[:] = original(*arguments)
        return tuple(parts)

    monkeypatch.setattr(_base, "hold_out", hold_out)
    return lambda: tuple(np.sort(part.samples) for part in parts)


@pytest.fixture(params=ESTIMATORS)
def kind(request):
    return request.param


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("random_state", [0, 1])
def test_no_group_is_on_both_sides(split, kind, fraction, shuffle, random_state):
    model = ESTIMATORS[kind](**FAST | {"random_state": random_state}, shuffle=shuffle)
    model.set_params(validation_fraction=fraction).fit(X, TARGETS[kind], groups=GROUPS)
    training, held_out = split()
    assert_array_equal(np.sort(np.concatenate([training, held_out])), np.arange(N))
    assert not set(GROUPS[training]) & set(GROUPS[held_out])
    assert abs(len(held_out) - fraction * N) <= 4


@pytest.mark.parametrize("random_state", range(5))
def test_labels_are_stratified_as_well_as_whole_groups_allow(split, random_state):
    """Half of the groups have no rare label, and a third of the labels of the others is rare."""
    groups = np.repeat(np.arange(20), 6)
    labels = np.where((groups % 2 == 0) & (np.arange(120) % 3 == 0), "rare", "common")
    model = RNNClassifier(**FAST | {"random_state": random_state}, validation_fraction=0.2)
    model.fit(ragged(120, n_features=1), labels, groups=groups)
    _, held_out = split()
    assert len(held_out) == 24
    assert np.sum(labels[held_out] == "rare") == 4


def test_the_only_group_of_a_class_is_trained_on(split):
    labels = np.where(GROUPS == "g", "rare", "common")
    for random_state in range(5):
        RNNClassifier(**FAST | {"random_state": random_state}).fit(X, labels, groups=GROUPS)
        training, _ = split()
        assert "g" in GROUPS[training]


def test_the_random_state_draws_the_groups(split):
    def held_out(**options):
        groups = np.arange(N) // 2
        RNNRegressor(**FAST | options).fit(X, Y, groups=groups)
        return sorted(set(groups[split()[1]]))

    assert held_out() == held_out()
    assert len({tuple(held_out(random_state=k)) for k in range(6)}) > 3
    assert held_out(shuffle=False) == held_out(shuffle=False, random_state=1) == [18, 19]


def test_without_shuffling_the_groups_that_end_last_are_held_out(split):
    groups = np.repeat([3, 1, 2, 0], 10)
    groups[[5, 35]] = 0, 2  # group 0 starts early; group 2 ends later than group 1
    RNNRegressor(**FAST, shuffle=False, validation_fraction=0.5).fit(X, Y, groups=groups)
    assert set(groups[split()[1]]) == {0, 2}


def test_groups_without_weight_do_not_count(split):
    weights = np.where(np.isin(GROUPS, list("abc")), 0.0, 1.0)
    RNNRegressor(**FAST, validation_fraction=0.5).fit(X, Y, weights, groups=GROUPS)
    training, held_out = split()
    assert set(GROUPS[training]) | set(GROUPS[held_out]) == set("defgh")
    weights = (GROUPS == "a").astype(float)
    with pytest.raises(ValueError, match=r"groups has 1 group \(of samples with positive weight\)"):
        RNNRegressor(**FAST).fit(X, Y, weights, groups=GROUPS)


def test_statistics_are_of_the_training_part(split):
    model = RNNRegressor(**FAST).fit(X, Y, groups=GROUPS)
    training, _ = split()
    assert_allclose(model.X_mean_, np.concatenate([X[i] for i in training]).mean(axis=0))
    assert_allclose(model.y_mean_, Y[training].mean())


def test_targets_per_timestep(split):
    y = [x[:, 0] > 0 for x in X]
    RNNClassifier(**FAST, return_sequences=True).fit(X, y, groups=GROUPS)
    training, held_out = split()
    assert not set(GROUPS[training]) & set(GROUPS[held_out])


@pytest.mark.parametrize(
    "groups",
    [list(GROUPS), pd.Series(GROUPS), pd.Categorical(GROUPS), GROUPS.astype(object)],
    ids=["list", "Series", "Categorical", "objects"],
)
def test_every_container_of_groups(kind, groups):
    model = ESTIMATORS[kind](**FAST)
    expected = clone(model).fit(X, TARGETS[kind], groups=GROUPS)
    assert_same_fit(model.fit(X, TARGETS[kind], groups=groups), expected)


def test_a_warm_start_holds_out_the_same_groups(kind):
    whole = ESTIMATORS[kind](**FAST | {"max_iter": 4}).fit(X, TARGETS[kind], groups=GROUPS)
    model = ESTIMATORS[kind](**FAST, warm_start=True)
    for _ in range(2):
        model.fit(X, TARGETS[kind], groups=GROUPS)
    assert_same_fit(model, whole)


def test_where_nothing_is_held_out_groups_have_no_effect(kind):
    y = TARGETS[kind]
    plain = ESTIMATORS[kind](**FAST | {"early_stopping": False})
    assert_same_fit(clone(plain).fit(X, y, groups=np.zeros(N)), plain.fit(X, y))
    given = {"X_val": X[:9], "y_val": y[:9]}
    model = ESTIMATORS[kind](**FAST)
    assert_same_fit(clone(model).fit(X, y, groups=np.zeros(N), **given), model.fit(X, y, **given))


MISSING = GROUPS.astype(object)
MISSING[7] = None
BAD = {
    "too few": (GROUPS[:-1], "X has 40 sequences, groups has 39"),
    "NaN": (np.where(np.arange(N) == 7, np.nan, 1.0), "groups has no group for sample 7: .* nan"),
    "None": (MISSING, "groups has no group for sample 7: .* None"),
    "pandas' NA": (pd.Series([*range(7), pd.NA, *range(8, N)], dtype="Int64"), "sample 7"),
    "two columns": (np.ones((N, 2)), "groups"),
    "no array": (3, "groups"),
    "masked": (np.ma.masked_array(np.arange(N), np.arange(N) == 7), "groups is a masked array"),
    "mixed": (np.array([1, "a"] * (N // 2), dtype=object), "groups: '<' not supported"),
}


def test_one_group(kind):
    model = ESTIMATORS[kind](**FAST)
    with pytest.raises(ValueError, match=r"groups has 1 group .* needs at least 2: give X_val"):
        model.fit(X, TARGETS[kind], groups=np.zeros(N))


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("name", BAD)
def test_bad_groups(kind, name, early_stopping):
    groups, words = BAD[name]
    model = ESTIMATORS[kind](**FAST | {"early_stopping": early_stopping})
    with pytest.raises((ValueError, TypeError)) as caught:
        model.fit(X, TARGETS[kind], groups=groups)
    assert re.search(words, str(caught.value)), caught.value
    assert vars(model) == model.get_params()


class TestRouting:
    @pytest.fixture(autouse=True)
    def routing(self):
        with sklearn.config_context(enable_metadata_routing=True):
            yield

    table = np.random.default_rng(3).normal(size=(N, 5))

    @pytest.mark.parametrize("wrap", [make_pipeline, PerTimestepTarget], ids=lambda f: f.__name__)
    def test_groups_reach_the_network_inside(self, wrap):
        model = RNNRegressor(**FAST).set_fit_request(groups=True)
        if wrap is make_pipeline:
            outer = make_pipeline(StandardScaler(), model).fit(self.table, Y, groups=GROUPS)
            inner, X_inside, y = outer[-1], outer[:-1].transform(self.table), Y
        else:
            outer = PerTimestepTarget(model).fit(X, Y, groups=GROUPS)
            inner, X_inside = outer.regressor_, X
            y = outer.transformer_.transform(Y[:, np.newaxis])[:, 0]
        assert_same_fit(inner, clone(model).fit(X_inside, y, groups=GROUPS))
        assert inner.loss_curve_ != clone(model).fit(X_inside, y).loss_curve_

    def test_a_search_by_groups_passes_each_fit_the_groups_of_its_samples(self):
        model = RNNClassifier(**FAST).set_fit_request(groups=True)
        folds = GroupKFold(2)
        search = GridSearchCV(
            make_pipeline(StandardScaler(), model),
            {"rnnclassifier__hidden_size": [2, 3]},
            cv=folds,
            scoring="neg_log_loss",
        ).fit(self.table, LABELS, groups=GROUPS)
        for k, (train, test) in enumerate(folds.split(self.table, LABELS, GROUPS)):
            for params, score in zip(
                search.cv_results_["params"],
                search.cv_results_[f"split{k}_test_score"],
                strict=True,
            ):
                alone = clone(search.estimator).set_params(**params)
                alone.fit(self.table[train], LABELS[train], groups=GROUPS[train])
                assert search.scorer_(alone, self.table[test], LABELS[test]) == score

    @pytest.mark.parametrize("request_", [None, False], ids=["default", "False"])
    def test_the_groups_of_a_splitter_are_not_passed_on_unless_requested(self, request_):
        model = RNNClassifier(**FAST)
        if request_ is not None:
            model.set_fit_request(groups=request_)
        options = {"cv": GroupKFold(2), "return_estimator": True, "params": {"groups": GROUPS}}
        fitted = cross_validate(model, self.table, LABELS, **options)["estimator"][0]
        train, _ = next(GroupKFold(2).split(self.table, LABELS, GROUPS))
        assert_same_fit(fitted, clone(model).fit(self.table[train], LABELS[train]))


def test_without_routing_a_pipeline_takes_them_by_its_steps_name():
    table = TestRouting.table
    pipeline = make_pipeline(StandardScaler(), RNNRegressor(**FAST))
    pipeline.fit(table, Y, rnnregressor__groups=GROUPS)
    alone = RNNRegressor(**FAST).fit(pipeline[:-1].transform(table), Y, groups=GROUPS)
    assert_same_fit(pipeline[-1], alone)
