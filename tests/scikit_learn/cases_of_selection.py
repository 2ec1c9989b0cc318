"""What to do with each of scikit-learn's tools, and the same done by hand.

A case is a generator. Up to its `yield` it does what a user would, with the problem `p`; this is
where a tool refuses. After it, the outcome is compared with what follows from `q`, which has plain
sequences and networks also where `p` is a workaround.
"""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    train_test_split,
    validation_curve,
)
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from problems import (
    FOLDS,
    N,
    assert_same,
    case,
    fitted,
    flat,
    fold_scores,
    is_table,
    score_by_hand,
    steps,
    take,
)


@case("train_test_split")
def _(p, q):
    X, X_test, y, y_test = train_test_split(p.X, p.numbers, random_state=0)
    score = clone(p.regressor).fit(X, y).score(X_test, y_test)
    yield
    folds = [train_test_split(np.arange(N), random_state=0)]
    assert [score] == pytest.approx(fold_scores(q.regressor, q.X, q.numbers, folds))


@case("cross_val_score")
def _(p, q):
    scores = cross_val_score(p.regressor, p.X, p.numbers, cv=FOLDS, error_score="raise")
    yield
    assert scores == pytest.approx(fold_scores(q.regressor, q.X, q.numbers))


@case("cross_validate")
def _(p, q):
    results = cross_validate(
        p.regressor,
        p.X,
        p.numbers,
        cv=FOLDS,
        return_estimator=True,
        return_train_score=True,
        error_score="raise",
    )
    yield
    assert results["test_score"] == pytest.approx(fold_scores(q.regressor, q.X, q.numbers))
    on_train = [(train, train) for train, _ in FOLDS]
    expected = fold_scores(q.regressor, q.X, q.numbers, on_train)
    assert results["train_score"] == pytest.approx(expected)
    for network, (train, _) in zip(results["estimator"], FOLDS, strict=True):
        alone = fitted(q.regressor, take(q.X, train), take(q.numbers, train))
        assert_same(network.predict(q.X), alone.predict(q.X))


def same_predictions(predicted, estimator, q, targets, method="predict"):
    for train, test in FOLDS:
        alone = fitted(estimator, take(q.X, train), take(targets, train))
        expected = getattr(alone, method)(take(q.X, test))
        for a, b in zip(take(predicted, test), expected, strict=True):
            np.testing.assert_array_equal(a, b)


@case("cross_val_predict")
def _(p, q):
    predicted = p.cross_val_predict(p.regressor, p.X, p.numbers, cv=FOLDS)
    labels = p.cross_val_predict(p.classifier, p.X, p.three_labels, cv=FOLDS)
    yield
    same_predictions(predicted, q.regressor, q, q.numbers)
    same_predictions(labels, q.classifier, q, q.three_labels)


@case('cross_val_predict(method="predict_proba")')
def _(p, q):
    methods = ["predict_proba", "predict_log_proba"]
    responses = [
        p.cross_val_predict(p.classifier, p.X, p.many_labels, cv=FOLDS, method=method)
        for method in methods
    ]
    yield
    for method, response in zip(methods, responses, strict=True):
        same_predictions(response, q.classifier, q, q.many_labels, method)


@case("learning_curve")
def _(p, q):
    _, on_train, scores = learning_curve(
        p.regressor, p.X, p.numbers, cv=FOLDS, train_sizes=[8, 16], error_score="raise"
    )
    yield
    for size, row in zip([8, 16], scores, strict=True):
        folds = [(train[:size], test) for train, test in FOLDS]
        assert row == pytest.approx(fold_scores(q.regressor, q.X, q.numbers, folds))
    folds = [(train, train) for train, _ in FOLDS]
    assert on_train[-1] == pytest.approx(fold_scores(q.regressor, q.X, q.numbers, folds))


@case("validation_curve")
def _(p, q):
    _, scores = validation_curve(
        p.regressor,
        p.X,
        p.numbers,
        cv=FOLDS,
        param_name="hidden_size",
        param_range=[1, 2],
        error_score="raise",
    )
    yield
    for size, row in zip([1, 2], scores, strict=True):
        network = clone(q.regressor).set_params(hidden_size=size)
        assert row == pytest.approx(fold_scores(network, q.X, q.numbers))


@case("permutation_test_score")
def _(p, q):
    score, permuted, p_value = permutation_test_score(
        p.regressor, p.X, p.numbers, cv=FOLDS, n_permutations=2, groups=p.groups, random_state=0
    )
    yield
    assert score == pytest.approx(np.mean(fold_scores(q.regressor, q.X, q.numbers)))
    rng = np.random.RandomState(0)
    groups = np.zeros(N) if p.groups is None else p.groups
    for value in permuted:
        order = np.arange(N)
        for group in np.unique(groups):
            order[groups == group] = rng.permutation(order[groups == group])
        y = take(q.numbers, order)
        assert value == pytest.approx(np.mean(fold_scores(q.regressor, q.X, y)))
    assert p_value == pytest.approx((1 + np.sum(permuted >= score)) / 3)


def same_search(search, q, n_candidates=2):
    """Whether a search over `hidden_size` is the same as one by hand, over all samples."""
    candidates = search.cv_results_["params"]
    assert len(candidates) == n_candidates
    networks = [clone(q.regressor).set_params(**params) for params in candidates]
    expected = [np.mean(fold_scores(network, q.X, q.numbers)) for network in networks]
    assert search.cv_results_["mean_test_score"] == pytest.approx(expected)
    best = fitted(networks[np.argmax(expected)], q.X, q.numbers)
    assert_same(search.predict(q.X), best.predict(q.X))


@case("GridSearchCV")
def _(p, q):
    grid = {"hidden_size": [1, 2]}
    search = GridSearchCV(p.regressor, grid, cv=FOLDS, error_score="raise").fit(p.X, p.numbers)
    yield
    same_search(search, q)


@case("RandomizedSearchCV")
def _(p, q):
    search = RandomizedSearchCV(
        p.regressor,
        {"hidden_size": [1, 2, 3]},
        n_iter=2,
        cv=FOLDS,
        random_state=0,
        error_score="raise",
    ).fit(p.X, p.numbers)
    yield
    same_search(search, q)


def halving(search, p):
    return search(
        p.regressor,
        {"hidden_size": [1, 2]},
        cv=KFold(2),
        factor=2,
        min_resources=12,
        random_state=0,
        error_score="raise",
    ).fit(p.X, p.numbers)


def same_halving(search, q):
    assert search.n_resources_ == [12, 24]
    best = clone(q.regressor).set_params(**search.best_params_)
    folds = list(KFold(2).split(np.zeros(N)))
    assert search.best_score_ == pytest.approx(np.mean(fold_scores(best, q.X, q.numbers, folds)))
    assert_same(search.predict(q.X), best.fit(q.X, q.numbers).predict(q.X))


@case("HalvingGridSearchCV")
def _(p, q):
    search = halving(HalvingGridSearchCV, p)
    yield
    same_halving(search, q)


@case("HalvingRandomSearchCV")
def _(p, q):
    search = halving(HalvingRandomSearchCV, p)
    yield
    same_halving(search, q)


@case('get_scorer("accuracy")')
def _(p, q):
    network = fitted(p.classifier, p.X, p.labels)
    score = p.get_scorer("accuracy")(network, p.X, p.labels)
    yield
    alone = fitted(q.classifier, q.X, q.labels)
    assert score == pytest.approx(score_by_hand(alone, q.X, q.labels))


@case('get_scorer("neg_mean_absolute_error")')
def _(p, q):
    network = fitted(p.regressor, p.X, p.numbers)
    score = p.get_scorer("neg_mean_absolute_error")(network, p.X, p.numbers)
    yield
    alone = fitted(q.regressor, q.X, q.numbers)
    error = mean_absolute_error(flat(q.X, q.numbers), flat(q.X, alone.predict(q.X)))
    assert score == pytest.approx(-error)


@case("DummyClassifier")
def _(p, q):
    X, y = p.to_table(p.X), p.to_table(p.labels)
    predicted = DummyClassifier().fit(X, y).predict(X)
    yield
    outputs = [flat(q.X, q.labels)]
    if len(predicted) == N:
        lengths = np.array([len(x) for x in steps(q.X)])
        outputs = [y[lengths > t] for t, y in enumerate(np.reshape(q.labels, (N, -1)).T)]
    for y, says in zip(outputs, predicted.reshape(len(predicted), -1).T, strict=True):
        values, counts = np.unique(y, return_counts=True)
        assert set(says) == {values[counts.argmax()]}


@case("DummyRegressor")
def _(p, q):
    X, y = p.to_table(p.X), p.to_table(p.numbers)
    predicted = DummyRegressor().fit(X, y).predict(X)
    yield
    numbers = q.numbers if len(predicted) == N else flat(q.X, q.numbers)
    assert predicted == pytest.approx(np.broadcast_to(numbers.mean(axis=0), numbers.shape))


@case("Pipeline")
def _(p, q):
    model = make_pipeline(FunctionTransformer(), p.regressor).fit(p.X, p.numbers)
    predicted, score = model.predict(p.X), model.score(p.X, p.numbers)
    yield
    alone = fitted(q.regressor, q.X, q.numbers)
    assert_same(predicted, alone.predict(q.X))
    assert score == pytest.approx(score_by_hand(alone, q.X, q.numbers))


@case("FrozenEstimator")
def _(p, q):
    frozen = FrozenEstimator(fitted(p.regressor, p.X, p.numbers)).fit(p.X, p.numbers)
    predicted = frozen.predict(p.X)
    yield
    assert_same(predicted, fitted(q.regressor, q.X, q.numbers).predict(q.X))


@case("FunctionTransformer")
def _(p, q):
    def from_second_on(X):
        return X[:, 1:] if isinstance(X, np.ndarray) and X.ndim > 1 else [x[1:] for x in X]

    transformed = FunctionTransformer(from_second_on).fit_transform(p.X)
    yield
    for a, x in zip(transformed, q.X, strict=True):
        np.testing.assert_array_equal(a, x[1:])


def rows(X):
    """What a transformer of tables is to work on: a table, or the timesteps of each sequence."""
    return [X] if is_table(X) else steps(X)


@case("StandardScaler")
def _(p, q):
    transformed = p.transformer(StandardScaler()).fit_transform(p.X)
    yield
    scaler = StandardScaler().fit(np.concatenate(rows(q.X)))
    for a, x in zip(rows(transformed), rows(q.X), strict=True):
        assert a == pytest.approx(scaler.transform(x))


@case("PCA")
def _(p, q):
    transformed = p.transformer(PCA(1)).fit_transform(p.X)
    yield
    table = np.concatenate(rows(q.X))
    direction = np.linalg.svd(table - table.mean(axis=0))[2][0]
    values = np.concatenate(rows(transformed))
    assert np.abs(values) == pytest.approx(
        np.abs((table - table.mean(axis=0)) @ direction)[:, None]
    )


@case("ColumnTransformer")
def _(p, q):
    columns = ColumnTransformer([("scaled", StandardScaler(), [0])], remainder="passthrough")
    transformed = p.transformer(columns).fit_transform(p.X)
    yield
    scaler = StandardScaler().fit(np.concatenate(rows(q.X))[:, [0]])
    for a, x in zip(rows(transformed), rows(q.X), strict=True):
        assert a == pytest.approx(np.column_stack([scaler.transform(x[:, [0]]), x[:, 1:]]))


@case("FeatureUnion")
def _(p, q):
    union = FeatureUnion(
        [("as it is", FunctionTransformer()), ("squared", FunctionTransformer(np.square))]
    )
    transformed = p.transformer(union).fit_transform(p.X)
    yield
    for a, x in zip(rows(transformed), rows(q.X), strict=True):
        assert np.array_equal(a, np.column_stack([x, x**2]))


@case("TransformedTargetRegressor")
def _(p, q):
    transformer = FunctionTransformer(np.sinh, np.arcsinh)
    model = p.transformed_target(p.regressor, transformer=transformer)
    predicted = model.fit(p.X, p.numbers).predict(p.X)
    yield
    is_array = isinstance(q.numbers, np.ndarray) and q.numbers.dtype != object
    raised = np.sinh(q.numbers) if is_array else [np.sinh(part) for part in q.numbers]
    alone = flat(q.X, fitted(q.regressor, q.X, raised).predict(q.X))
    assert flat(q.X, predicted) == pytest.approx(np.arcsinh(alone))
