"""Cases, as in cases_of_selection.py, of tools that choose features, or look into a model."""

from copy import copy

import numpy as np
import pytest
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFE, RFECV, SelectFromModel, SequentialFeatureSelector
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.pipeline import Pipeline

from problems import (
    FOLDS,
    N,
    case,
    fitted,
    fold_scores,
    input_norms,
    is_table,
    score_by_hand,
    steps,
    take,
    with_one_feature,
)


@case("RFE")
def _(p, q):
    model = RFE(p.regressor, n_features_to_select=1, importance_getter=p.importance_getter)
    support, score = model.fit(p.X, p.numbers).get_support(), model.score(p.X, p.numbers)
    yield
    norms = input_norms(fitted(q.regressor, q.X, q.numbers))
    assert np.array_equal(support, norms == norms.max())
    X = with_one_feature(q.X, norms.argmax())
    assert score == pytest.approx(score_by_hand(fitted(q.regressor, X, q.numbers), X, q.numbers))


@case("RFECV")
def _(p, q):
    options = {"cv": FOLDS, "scoring": p.scoring, "importance_getter": p.importance_getter}
    model = RFECV(p.regressor, **options)
    results = model.fit(p.X, p.numbers).cv_results_
    yield
    assert results["mean_test_score"][1] == pytest.approx(
        np.mean(fold_scores(q.regressor, q.X, q.numbers))
    )
    fewer = []
    for train, test in FOLDS:
        norms = input_norms(fitted(q.regressor, take(q.X, train), take(q.numbers, train)))
        X = with_one_feature(q.X, norms.argmax())
        fewer.extend(fold_scores(q.regressor, X, q.numbers, [(train, test)]))
    assert results["mean_test_score"][0] == pytest.approx(np.mean(fewer))


@case("SelectFromModel")
def _(p, q):
    model = SelectFromModel(p.regressor, importance_getter=p.importance_getter, threshold="mean")
    selected = model.fit(p.X, p.numbers).transform(p.X)
    yield
    norms = input_norms(fitted(q.regressor, q.X, q.numbers))
    assert model.threshold_ == pytest.approx(norms.mean())
    assert np.array_equal(model.get_support(), norms >= norms.mean())
    assert len(selected) == N


@case("SequentialFeatureSelector")
def _(p, q):
    seen = []

    def score(estimator, X, y):
        seen.append(estimator.score(X, y))
        return seen[-1]

    options = {"n_features_to_select": 1, "cv": FOLDS, "scoring": score}
    support = SequentialFeatureSelector(p.regressor, **options).fit(p.X, p.numbers).get_support()
    yield
    scores = [
        fold_scores(q.regressor, with_one_feature(q.X, i), q.numbers) for i in range(len(support))
    ]
    assert seen == pytest.approx(np.ravel(scores))
    assert np.flatnonzero(support).tolist() == [np.mean(scores, axis=1).argmax()]


@case("permutation_importance")
def _(p, q):
    seen = []

    def score(estimator, X, y):
        X = p.from_table(X)
        seen.append(estimator[:-1].transform(X) if isinstance(estimator, Pipeline) else copy(X))
        return estimator.score(X, y)

    model = fitted(p.regressor, p.X, p.numbers)
    importances = permutation_importance(
        model, p.to_table(p.X), p.numbers, scoring=score, n_repeats=1, random_state=0
    ).importances[:, 0]
    yield
    network = fitted(q.regressor, q.X, q.numbers)
    baseline = score_by_hand(network, q.X, q.numbers)
    before = p.to_table(q.X)
    shape = before.shape[1:]
    places = [(..., i) for i in range(shape[-1])]  # a feature, at all timesteps
    if len(importances) == np.prod(shape):
        places = list(np.ndindex(shape))
    for importance, X, place in zip(importances, seen[1:], places, strict=True):
        after = np.asarray(p.to_table(X))
        changed = (after != before).any(axis=0)
        assert changed[place].all()
        changed[place] = False
        assert not changed.any()
        assert np.array_equal(np.sort(after, axis=0), np.sort(before, axis=0))
        expected = baseline - score_by_hand(network, X, q.numbers)
        assert importance == pytest.approx(expected)


@case("partial_dependence")
def _(p, q):
    model = fitted(p.regressor, p.X, p.numbers)
    results = partial_dependence(model, p.X, [1], grid_resolution=3)
    yield
    network, dependence = fitted(q.regressor, q.X, q.numbers), []
    for value in results["grid_values"][0]:
        X = q.X.copy() if is_table(q.X) else steps(q.X)
        for x in X:
            x.reshape(-1)[1] = value  # column 1, or feature 1 of the first timestep
        dependence.append(network.predict(X).mean())
    assert results["average"][0] == pytest.approx(dependence)
