"""Cases, as in cases_of_selection.py, of tools that put several networks together."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, RANSACRegressor
from sklearn.model_selection import (
    FixedThresholdClassifier,
    TunedThresholdClassifierCV,
    cross_val_predict,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.semi_supervised import SelfTrainingClassifier

from problems import FOLDS, N, case, fitted, flat, is_table, steps, take, with_features


def bare(estimator):
    """The network itself."""
    if isinstance(estimator, Pipeline):
        return estimator[-1]
    return getattr(estimator, "regressor", estimator)


def pair(estimator):
    """Two networks that differ, by name."""
    other = clone(estimator)
    bare(other).set_params(cell="lstm")
    return [("gru", estimator), ("lstm", other)]


def alone(estimators, X, y):
    return [fitted(estimator, X, y) for _, estimator in estimators]


@case("VotingClassifier")
def _(p, q):
    voting = VotingClassifier(pair(p.classifier), voting="soft").fit(p.X, p.labels)
    probabilities, predicted = voting.predict_proba(p.X), voting.predict(p.X)
    yield
    networks = alone(pair(q.classifier), q.X, q.labels)
    expected = np.mean([network.predict_proba(q.X) for network in networks], axis=0)
    assert probabilities == pytest.approx(expected)
    assert np.array_equal(predicted, networks[0].classes_[expected.argmax(axis=1)])


@case("VotingRegressor")
def _(p, q):
    predicted = VotingRegressor(pair(p.regressor)).fit(p.X, p.numbers).predict(p.X)
    yield
    networks = alone(pair(q.regressor), q.X, q.numbers)
    expected = [network.predict(q.X) for network in networks]
    expected = np.mean([flat(q.X, one) for one in expected], axis=0)
    assert flat(q.X, predicted) == pytest.approx(expected)


@case("StackingClassifier")
def _(p, q):
    stacking = StackingClassifier(pair(p.classifier), LogisticRegression(), cv=FOLDS)
    probabilities = stacking.fit(p.X, p.labels).predict_proba(p.X)
    yield
    inside, after = [], []
    for _, network in pair(q.classifier):
        method = {"cv": FOLDS, "method": "predict_proba"}
        inside.append(cross_val_predict(network, q.X, q.labels, **method)[:, 1])
        after.append(fitted(network, q.X, q.labels).predict_proba(q.X)[:, 1])
    final = LogisticRegression().fit(np.column_stack(inside), q.labels)
    assert probabilities == pytest.approx(final.predict_proba(np.column_stack(after)))


def stack(p, final, **options):
    stacking = StackingRegressor(pair(p.regressor), final, cv=FOLDS, **options)
    return stacking.fit(p.X, p.numbers).predict(p.X)


def stack_by_hand(q, *columns):
    inside, after = list(columns), list(columns)
    for i, (_, network) in enumerate(pair(q.regressor)):
        inside.insert(i, cross_val_predict(network, q.X, q.numbers, cv=FOLDS))
        after.insert(i, fitted(network, q.X, q.numbers).predict(q.X))
    final = LinearRegression().fit(np.column_stack(inside), q.numbers)
    return final.predict(np.column_stack(after))


@case("StackingRegressor")
def _(p, q):
    predicted = stack(p, LinearRegression())
    yield
    assert predicted == pytest.approx(stack_by_hand(q))


@case("StackingRegressor(passthrough=True)")
def _(p, q):
    predicted = stack(p, p.final_estimator(LinearRegression()), passthrough=True)
    yield
    passed = q.X if is_table(q.X) else [x.mean(axis=0) for x in steps(q.X)]
    assert predicted == pytest.approx(stack_by_hand(q, *np.transpose(passed)))


def bagged(model, network, X, y):
    """The networks of a bagging model, by hand."""
    for inner, chosen in zip(model.estimators_, model.estimators_samples_, strict=True):
        network = clone(network).set_params(random_state=bare(inner).random_state)
        if isinstance(inner, Pipeline):  # to which scikit-learn gives no weights
            yield network.fit(take(X, chosen), take(y, chosen))
        else:
            yield network.fit(X, y, sample_weight=np.bincount(chosen, minlength=N))


@case("BaggingClassifier")
def _(p, q):
    model = BaggingClassifier(p.classifier, n_estimators=2, random_state=0).fit(p.X, p.labels)
    probabilities = model.predict_proba(p.X)
    yield
    networks = bagged(model, q.classifier, q.X, q.labels)
    expected = np.mean([network.predict_proba(q.X) for network in networks], axis=0)
    assert probabilities == pytest.approx(expected)


@case("BaggingRegressor")
def _(p, q):
    model = BaggingRegressor(p.regressor, n_estimators=2, random_state=0).fit(p.X, p.numbers)
    predicted = model.predict(p.X)
    yield
    networks = bagged(model, q.regressor, q.X, q.numbers)
    assert predicted == pytest.approx(np.mean([net.predict(q.X) for net in networks], axis=0))


@case("AdaBoostClassifier")
def _(p, q):
    bare(p.weighted_classifier).set_params(max_iter=20)  # each has to be better than chance
    model = AdaBoostClassifier(p.weighted_classifier, n_estimators=2, random_state=0)
    predicted = model.fit(p.X, p.labels).predict(p.X)
    yield
    weights, votes = np.full(N, 1 / N), np.zeros(N)
    for inner in model.estimators_:
        network = clone(q.classifier)
        network.set_params(max_iter=20, random_state=bare(inner).random_state)
        says = network.fit(q.X, q.labels, sample_weight=weights).predict(q.X)
        error = np.average(says != q.labels, weights=weights)
        alpha = np.log((1 - error) / error)
        votes += alpha * np.where(says == "yes", 1, -1)
        weights = weights * np.exp(alpha * (says != q.labels))
        weights /= weights.sum()
    assert len(model.estimators_) == 2
    assert np.array_equal(predicted, np.where(votes > 0, "yes", "no"))


@case("AdaBoostRegressor")
def _(p, q):
    bare(p.regressor).set_params(max_iter=20)
    model = AdaBoostRegressor(p.regressor, n_estimators=2, random_state=0).fit(p.X, p.numbers)
    predicted = model.predict(p.X)
    yield
    rng = np.random.RandomState(0)
    rng.randint(np.iinfo(np.int32).max)  # the random_state of the first network
    chosen = rng.choice(np.arange(N), size=N, replace=True, p=np.full(N, 1 / N))
    network = clone(q.regressor)
    network.set_params(max_iter=20, random_state=bare(model.estimators_[0]).random_state)
    first = network.fit(take(q.X, chosen), q.numbers[chosen]).predict(q.X)
    second = model.estimators_[1].predict(p.X)
    # The weighted median of two: the lower one, if it has half of the weight.
    weights = model.estimator_weights_
    lower_is_first = first < second
    has_half = np.where(lower_is_first, weights[0], weights[1]) >= weights.sum() / 2
    assert np.array_equal(predicted, np.where(has_half == lower_is_first, first, second))


@case("CalibratedClassifierCV")
def _(p, q):
    model = CalibratedClassifierCV(p.classifier, cv=FOLDS).fit(p.X, p.labels)
    probabilities = model.predict_proba(p.X)
    yield
    raised = []
    for train, test in FOLDS:
        network = fitted(q.classifier, take(q.X, train), q.labels[train])
        frozen = CalibratedClassifierCV(FrozenEstimator(network), cv=2)
        raised.append(frozen.fit(take(q.X, test), q.labels[test]).predict_proba(q.X))
    assert probabilities == pytest.approx(np.mean(raised, axis=0))


@case("TunedThresholdClassifierCV")
def _(p, q):
    model = TunedThresholdClassifierCV(p.classifier, cv=FOLDS, thresholds=5, scoring="accuracy")
    predicted = model.fit(p.X, p.labels).predict(p.X)
    yield
    network = fitted(q.classifier, q.X, q.labels)
    above = network.predict_proba(q.X)[:, 1] >= model.best_threshold_
    assert np.array_equal(predicted, np.where(above, "yes", "no"))
    inside = cross_val_predict(q.classifier, q.X, q.labels, cv=FOLDS, method="predict_proba")
    assert inside[:, 1].min() <= model.best_threshold_ <= inside[:, 1].max()


@case("FixedThresholdClassifier")
def _(p, q):
    model = FixedThresholdClassifier(p.classifier, threshold=0.52, pos_label="yes")
    predicted = model.fit(p.X, p.labels).predict(p.X)
    yield
    above = fitted(q.classifier, q.X, q.labels).predict_proba(q.X)[:, 1] >= 0.52
    assert np.array_equal(predicted, np.where(above, "yes", "no"))


@case("SelfTrainingClassifier")
def _(p, q):
    y = [-1 if i % 4 == 0 else label for i, label in enumerate(p.three_labels)]
    model = SelfTrainingClassifier(p.classifier, criterion="k_best", k_best=2, max_iter=1)
    probabilities = model.fit(p.X, y).predict_proba(p.X)
    yield
    y = np.array(y)
    first = fitted(q.classifier, take(q.X, np.flatnonzero(y >= 0)), y[y >= 0])
    unknown = np.flatnonzero(y < 0)
    guessed = first.predict_proba(take(q.X, unknown))
    surest = guessed.max(axis=1).argsort()[-2:]
    y[unknown[surest]] = first.classes_[guessed[surest].argmax(axis=1)]
    second = fitted(q.classifier, take(q.X, np.flatnonzero(y >= 0)), y[y >= 0])
    assert np.array_equal(probabilities, second.predict_proba(q.X))


@case("RANSACRegressor")
def _(p, q):
    # In a pipeline, so that its random_state is left alone.
    network = make_pipeline(FunctionTransformer(), p.regressor)
    model = RANSACRegressor(
        network, min_samples=12, residual_threshold=1.0, max_trials=2, random_state=0
    )
    predicted = model.fit(p.X, p.numbers).predict(p.X)
    yield
    inliers = np.flatnonzero(model.inlier_mask_)
    assert 12 <= len(inliers) < N
    network = fitted(q.regressor, take(q.X, inliers), q.numbers[inliers])
    assert np.array_equal(predicted, network.predict(q.X))


@case("MultiOutputRegressor")
def _(p, q):
    predicted = MultiOutputRegressor(p.regressor).fit(p.X, p.number_pairs).predict(p.X)
    yield
    networks = [fitted(q.regressor, q.X, y) for y in q.number_pairs.T]
    assert np.array_equal(predicted, np.column_stack([net.predict(q.X) for net in networks]))


@case("MultiOutputClassifier")
def _(p, q):
    model = MultiOutputClassifier(p.classifier).fit(p.X, p.label_pairs)
    predicted, probabilities = model.predict(p.X), model.predict_proba(p.X)
    yield
    for i, y in enumerate(q.label_pairs.T):
        network = fitted(q.classifier, q.X, y)
        assert np.array_equal(predicted[:, i], network.predict(q.X))
        assert np.array_equal(probabilities[i], network.predict_proba(q.X))


def chain_by_hand(network, X, pairs):
    first = fitted(network, X, pairs[:, 0])
    second = fitted(network, with_features(X, pairs[:, 0]), pairs[:, 1])
    says = first.predict(X)
    return np.column_stack([says, second.predict(with_features(X, says))])


@case("RegressorChain")
def _(p, q):
    predicted = RegressorChain(p.regressor).fit(p.X, p.number_pairs).predict(p.X)
    yield
    assert np.array_equal(predicted, chain_by_hand(q.regressor, q.X, q.number_pairs))


@case("ClassifierChain")
def _(p, q):
    predicted = ClassifierChain(p.classifier).fit(p.X, p.label_pairs).predict(p.X)
    yield
    assert np.array_equal(predicted, chain_by_hand(q.classifier, q.X, q.label_pairs))


@case("OneVsRestClassifier")
def _(p, q):
    predicted = OneVsRestClassifier(p.classifier).fit(p.X, p.three_labels).predict(p.X)
    yield
    says = [
        fitted(q.classifier, q.X, (q.three_labels == k).astype(int)).predict_proba(q.X)[:, 1]
        for k in range(3)
    ]
    assert np.array_equal(predicted, np.argmax(says, axis=0))


@case("OneVsOneClassifier")
def _(p, q):
    predicted = OneVsOneClassifier(p.classifier).fit(p.X, p.three_labels).predict(p.X)
    yield
    votes, sureness = np.zeros((N, 3)), np.zeros((N, 3))
    for i, j in [(0, 1), (0, 2), (1, 2)]:
        chosen = np.flatnonzero(np.isin(q.three_labels, [i, j]))
        y = (q.three_labels[chosen] == j).astype(int)
        network = fitted(q.classifier, take(q.X, chosen), y)
        votes[np.arange(N), np.where(network.predict(q.X) == 1, j, i)] += 1
        sureness[:, j] += network.predict_proba(q.X)[:, 1]
        sureness[:, i] -= network.predict_proba(q.X)[:, 1]
    votes += sureness / (3 * (np.abs(sureness) + 1))  # decides where there are as many votes
    assert np.array_equal(predicted, votes.argmax(axis=1))


@case("OutputCodeClassifier")
def _(p, q):
    model = OutputCodeClassifier(p.classifier, random_state=6)  # by which no bit is constant
    model.fit(p.X, p.three_labels)
    predicted = model.predict(p.X)
    yield
    codes = model.code_book_
    says = [
        fitted(q.classifier, q.X, bits[q.three_labels].astype(int)).predict_proba(q.X)[:, 1]
        for bits in codes.T
    ]
    distances = np.linalg.norm(np.transpose(says)[:, np.newaxis] - codes, axis=2)
    assert np.array_equal(predicted, distances.argmin(axis=1))
