"""The estimators inside scikit-learn's tools, with all that X and y can be.

Every result is compared with what the tool is to do, done by hand. What a tool does with regressors
is one of the cases of test_meta_estimator_table.py, and is not tried again here.
"""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    VotingClassifier,
)
from sklearn.exceptions import FitFailedWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    log_loss,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    roc_auc_score,
)
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    train_test_split,
    validation_curve,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from problems import (
    CONTAINERS,
    EQUAL_SEQUENCES,
    FOLDS,
    GRID,
    LABELS,
    NUMBERS,
    PROBLEMS,
    SMALL,
    THREE_LABELS,
    N,
    assert_same,
    fold_scores,
    score_by_hand,
    take,
)
from sequences import object_array
from sklearn_rnn import RNNClassifier, RNNRegressor
from versions import scikit_learn_since

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(params=CONTAINERS)
def container(request):
    return request.param


@pytest.fixture(params=PROBLEMS)
def problem(request, container):
    """An estimator, X and y."""
    estimator, targets = PROBLEMS[request.param]
    return clone(estimator), CONTAINERS[container], targets(container)


@pytest.fixture(params=["classification", "classification per step"])
def labelled_problem(request, container):
    """A classifier, X and y."""
    estimator, targets = PROBLEMS[request.param]
    return clone(estimator), CONTAINERS[container], targets(container)


@pytest.fixture
def X(container):
    return CONTAINERS[container]


class TestCrossValidation:
    def test_cross_val_score(self, labelled_problem):
        estimator, X, y = labelled_problem
        scores = cross_val_score(estimator, X, y, cv=FOLDS, error_score="raise")
        assert scores == pytest.approx(fold_scores(estimator, X, y), abs=1e-14)

    def test_an_integer_cv_stratifies_by_labels_and_accepts_labels_per_step(self, problem):
        estimator, X, y = problem
        scores = cross_val_score(estimator, X, y, cv=3, error_score="raise")
        folds = FOLDS
        if y is LABELS:
            folds = list(StratifiedKFold(3).split(np.zeros(N), y))
        assert scores == pytest.approx(fold_scores(estimator, X, y, folds), abs=1e-14)

    def test_cross_validate(self, labelled_problem):
        estimator, X, y = labelled_problem
        results = cross_validate(
            estimator,
            X,
            y,
            cv=FOLDS,
            return_train_score=True,
            return_estimator=True,
            error_score="raise",
        )
        for i, (train, test) in enumerate(FOLDS):
            fitted = results["estimator"][i]
            X_train, X_test = take(X, train), take(X, test)
            assert_same(
                fitted.predict(X_test),
                clone(estimator).fit(X_train, take(y, train)).predict(X_test),
            )
            assert results["train_score"][i] == score_by_hand(fitted, X_train, take(y, train))
            assert results["test_score"][i] == score_by_hand(fitted, X_test, take(y, test))

    def test_learning_curve(self, labelled_problem):
        estimator, X, y = labelled_problem
        sizes, train_scores, test_scores = learning_curve(
            estimator, X, y, cv=FOLDS, train_sizes=[8, 16], error_score="raise"
        )
        assert sizes.tolist() == [8, 16]
        for size, row in zip(sizes, test_scores, strict=True):
            folds = [(train[:size], test) for train, test in FOLDS]
            assert row == pytest.approx(fold_scores(estimator, X, y, folds), abs=1e-14)
        folds = [(train, train) for train, _ in FOLDS]
        assert train_scores[-1] == pytest.approx(fold_scores(estimator, X, y, folds), abs=1e-14)

    def test_validation_curve(self, labelled_problem):
        estimator, X, y = labelled_problem
        sizes = [1, 5]
        _, scores = validation_curve(
            estimator,
            X,
            y,
            cv=FOLDS,
            param_name="hidden_size",
            param_range=sizes,
            error_score="raise",
        )
        for size, row in zip(sizes, scores, strict=True):
            expected = fold_scores(clone(estimator).set_params(hidden_size=size), X, y)
            assert row == pytest.approx(expected, abs=1e-14)

    def test_train_test_split(self, labelled_problem):
        estimator, X, y = labelled_problem
        X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
        train, test = train_test_split(np.arange(N), random_state=0)
        assert clone(estimator).fit(X_train, y_train).score(X_test, y_test) == pytest.approx(
            fold_scores(estimator, X, y, [(train, test)])[0], abs=1e-14
        )


class TestCrossValPredict:
    def test_one_label_per_sequence(self, X):
        predicted = cross_val_predict(RNNClassifier(**SMALL), X, LABELS, cv=FOLDS)
        for train, test in FOLDS:
            alone = RNNClassifier(**SMALL).fit(take(X, train), LABELS[train])
            assert np.array_equal(predicted[test], alone.predict(take(X, test)))

    @pytest.mark.parametrize("y", [LABELS, THREE_LABELS], ids=["binary", "multiclass"])
    @pytest.mark.parametrize("method", ["predict_proba", "predict_log_proba"])
    def test_probabilities(self, X, y, method):
        estimator = RNNClassifier(**SMALL)
        predicted = cross_val_predict(estimator, X, y, cv=FOLDS, method=method)
        for train, test in FOLDS:
            alone = clone(estimator).fit(take(X, train), y[train])
            assert np.array_equal(predicted[test], getattr(alone, method)(take(X, test)))

    @pytest.mark.parametrize("name", ["regression per step", "classification per step"])
    @pytest.mark.parametrize("container", ["array", "padded array", "object array", "table"])
    def test_one_target_per_timestep(self, container, name):
        # A list of sequences can't be had back: scikit-learn joins the folds by np.concatenate.
        estimator, X = clone(PROBLEMS[name][0]), CONTAINERS[container]
        y = PROBLEMS[name][1](container)
        predicted = cross_val_predict(estimator, X, y, cv=FOLDS)
        assert isinstance(predicted, np.ndarray)
        assert len(predicted) == N
        for train, test in FOLDS:
            alone = clone(estimator).fit(take(X, train), take(y, train))
            assert_same(predicted[test], alone.predict(take(X, test)))

    def test_equally_long_sequences_in_an_object_array(self):
        X = object_array(EQUAL_SEQUENCES)
        y = object_array([x[:, 0] for x in EQUAL_SEQUENCES])
        estimator = RNNRegressor(return_sequences=True, **SMALL)
        predicted = cross_val_predict(estimator, X, y, cv=FOLDS)
        assert predicted.shape == (N,)
        same = cross_val_predict(estimator, np.stack(X), np.stack(y), cv=FOLDS)
        assert np.array_equal(np.stack(predicted), same)


class TestSearch:
    def test_grid_search(self, problem):
        estimator, X, y = problem
        n_jobs = 2 if isinstance(estimator, RNNRegressor) else 1
        search = GridSearchCV(estimator, GRID, cv=FOLDS, n_jobs=n_jobs, error_score="raise")
        search.fit(X, y)
        results = search.cv_results_
        for row, params in enumerate(results["params"]):
            expected = fold_scores(clone(estimator).set_params(**params), X, y)
            scores = [results[f"split{i}_test_score"][row] for i in range(len(FOLDS))]
            assert scores == pytest.approx(expected, abs=1e-14)
        means = results["mean_test_score"]
        assert search.best_params_ == results["params"][np.argmax(means)]

        best = clone(estimator).set_params(**search.best_params_).fit(X, y)
        assert_same(search.predict(X), best.predict(X))
        assert_same(search.best_estimator_.predict(X), best.predict(X))
        if estimator.return_sequences:
            assert type(search.predict(X)) is type(X)
        assert search.score(X, y) == pytest.approx(score_by_hand(best, X, y), abs=1e-14)
        assert search.n_features_in_ == estimator.fit(X, y).n_features_in_

    def test_grid_search_passes_probabilities_on(self, X):
        search = GridSearchCV(RNNClassifier(**SMALL), {"n_layers": [2]}, cv=FOLDS).fit(X, LABELS)
        alone = RNNClassifier(n_layers=2, **SMALL).fit(X, LABELS)
        assert search.classes_.tolist() == ["no", "yes"]
        assert np.array_equal(search.predict_proba(X), alone.predict_proba(X))
        assert np.array_equal(search.predict_log_proba(X), alone.predict_log_proba(X))

    def test_randomized_search(self, labelled_problem):
        estimator, X, y = labelled_problem
        search = RandomizedSearchCV(
            estimator, GRID, n_iter=2, cv=FOLDS, random_state=0, error_score="raise"
        ).fit(X, y)
        for params, mean in zip(
            search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
        ):
            expected = fold_scores(clone(estimator).set_params(**params), X, y)
            assert mean == pytest.approx(np.mean(expected), abs=1e-14)

    def test_halving_search(self, labelled_problem):
        estimator, X, y = labelled_problem
        search = HalvingGridSearchCV(
            estimator, GRID, cv=KFold(2), min_resources=6, random_state=0, error_score="raise"
        ).fit(X, y)
        assert search.n_resources_ == [6, 18]
        best = clone(estimator).set_params(**search.best_params_).fit(X, y)
        assert_same(search.predict(X), best.predict(X))

    def test_halving_search_over_epochs(self, X):
        search = HalvingGridSearchCV(
            RNNRegressor(**SMALL),
            {"cell": GRID["cell"]},
            resource="max_iter",
            min_resources=2,
            max_resources=4,
            factor=2,
            cv=FOLDS,
            random_state=0,
            error_score="raise",
        ).fit(X, NUMBERS)
        assert search.n_resources_ == [2, 4]
        assert search.best_estimator_.n_iter_ == 4

    def test_pickle_of_a_fitted_search(self, problem):
        estimator, X, y = problem
        search = GridSearchCV(estimator, {"cell": GRID["cell"]}, cv=FOLDS).fit(X, y)
        again = pickle.loads(pickle.dumps(search))
        assert_same(again.predict(X), search.predict(X))
        assert again.score(X, y) == search.score(X, y)
        assert again.cv_results_["params"] == search.cv_results_["params"]

    def test_a_failing_candidate_does_not_end_the_search(self):
        search = GridSearchCV(RNNRegressor(**SMALL), {"hidden_size": [-1, 2]}, cv=FOLDS)
        with (
            pytest.warns(FitFailedWarning, match="hidden_size"),
            pytest.warns(UserWarning, match="non-finite"),
        ):
            search.fit(CONTAINERS["list"], NUMBERS)
        assert np.isnan(search.cv_results_["mean_test_score"][0])
        assert search.best_params_ == {"hidden_size": 2}


def reverse(X):
    """Reverse time in whatever holds sequences without padding."""
    if isinstance(X, list):
        return [x[::-1] for x in X]
    return object_array([x[::-1] for x in X]) if X.dtype == object else X[:, ::-1]


def in_sequences(table):
    return table.reshape(-1, 4, 2)


class TestPipeline:
    def test_reshape(self):
        flat_X = CONTAINERS["array"].reshape(N, 8)
        reshape = FunctionTransformer(in_sequences)
        pipeline = make_pipeline(StandardScaler(), reshape, RNNClassifier(**SMALL))
        pipeline.fit(flat_X, LABELS)
        scaled = StandardScaler().fit_transform(flat_X).reshape(-1, 4, 2)
        alone = RNNClassifier(**SMALL).fit(scaled, LABELS)
        assert np.array_equal(pipeline.predict_proba(flat_X), alone.predict_proba(scaled))
        assert pipeline.n_features_in_ == 8
        assert pipeline[-1].n_features_in_ == 2
        again = pickle.loads(pickle.dumps(pipeline))
        assert np.array_equal(again.predict(flat_X), pipeline.predict(flat_X))

    @pytest.mark.parametrize("container", ["array", "list", "object array", "table"])
    @pytest.mark.parametrize("name", PROBLEMS)
    def test_all_containers(self, container, name):
        estimator, X = clone(PROBLEMS[name][0]), CONTAINERS[container]
        y = PROBLEMS[name][1](container)
        pipeline = Pipeline([("reverse", FunctionTransformer(reverse)), ("rnn", estimator)])
        pipeline.fit(X, y)
        alone = clone(estimator).fit(reverse(X), y)
        assert_same(pipeline.predict(X), alone.predict(reverse(X)))
        assert pipeline.score(X, y) == score_by_hand(alone, reverse(X), y)

    def test_set_params(self):
        X = CONTAINERS["list"]
        pipeline = Pipeline(
            [("reverse", FunctionTransformer(reverse)), ("rnn", RNNRegressor(**SMALL))]
        )
        pipeline.set_params(rnn__cell="lstm", rnn__hidden_size=5)
        assert pipeline.get_params()["rnn__hidden_size"] == 5
        pipeline.fit(X, NUMBERS)
        assert pipeline["rnn"].weights_["layer_0.W_hh"].shape == (20, 5)
        copy = clone(pipeline)
        assert copy["rnn"].get_params() == pipeline["rnn"].get_params()
        assert not hasattr(copy["rnn"], "weights_")

    def test_grid_search_through_it(self):
        X = CONTAINERS["list"]
        pipeline = Pipeline(
            [("reverse", FunctionTransformer(reverse)), ("rnn", RNNRegressor(**SMALL))]
        )
        search = GridSearchCV(
            pipeline, {"reverse": ["passthrough", pipeline[0]], "rnn__cell": ["gru"]}, cv=FOLDS
        ).fit(X, NUMBERS)
        expected = [fold_scores(RNNRegressor(**SMALL), x, NUMBERS) for x in (X, reverse(X))]
        assert search.cv_results_["mean_test_score"] == pytest.approx(np.mean(expected, axis=1))


# What a scoring string calls is given predictions as they come. Those per timestep have to be one
# rectangular array without padding, and even so mean what scikit-learn means by several outputs.
class TestScoring:
    @pytest.mark.parametrize(
        ("scoring", "metric"),
        [
            ("r2", r2_score),
            ("neg_mean_squared_error", lambda y, p: -mean_squared_error(y, p)),
            ("neg_mean_absolute_error", lambda y, p: -mean_absolute_error(y, p)),
        ],
    )
    def test_regression(self, X, scoring, metric):
        estimator = RNNRegressor(**SMALL)
        scores = cross_val_score(estimator, X, NUMBERS, cv=FOLDS, scoring=scoring)
        predicted = cross_val_predict(estimator, X, NUMBERS, cv=FOLDS)
        assert scores == pytest.approx([metric(NUMBERS[i], predicted[i]) for _, i in FOLDS])

    @pytest.mark.parametrize(
        ("scoring", "metric"),
        [
            ("accuracy", lambda y, p: accuracy_score(y, p.argmax(axis=1))),
            ("f1_macro", lambda y, p: f1_score(y, p.argmax(axis=1), average="macro")),
            ("neg_log_loss", lambda y, p: -log_loss(y, p)),
            ("roc_auc_ovr", lambda y, p: roc_auc_score(y, p, multi_class="ovr")),
        ],
    )
    def test_classification(self, X, scoring, metric):
        estimator = RNNClassifier(**SMALL)
        scores = cross_val_score(estimator, X, THREE_LABELS, cv=FOLDS, scoring=scoring)
        predicted = cross_val_predict(estimator, X, THREE_LABELS, cv=FOLDS, method="predict_proba")
        assert scores == pytest.approx([metric(THREE_LABELS[i], predicted[i]) for _, i in FOLDS])

    def test_binary_roc_auc(self, X):
        estimator, y = RNNClassifier(**SMALL), (LABELS == "yes").astype(int)
        scores = cross_val_score(estimator, X, y, cv=FOLDS, scoring="roc_auc")
        predicted = cross_val_predict(estimator, X, y, cv=FOLDS, method="predict_proba")[:, 1]
        assert scores == pytest.approx([roc_auc_score(y[i], predicted[i]) for _, i in FOLDS])

    @pytest.mark.parametrize("container", ["array", "table"])
    def test_regression_per_step(self, container):
        estimator, targets = PROBLEMS["regression per step"]
        X, y = CONTAINERS[container], targets(container)
        scores = cross_val_score(estimator, X, y, cv=FOLDS, scoring="neg_mean_squared_error")
        predicted = cross_val_predict(estimator, X, y, cv=FOLDS)
        expected = [-np.mean((y[i] - predicted[i]) ** 2) for _, i in FOLDS]
        assert scores == pytest.approx(expected)

    def test_a_callable_may_score_ragged_predictions(self, problem):
        estimator, X, y = problem
        scores = cross_val_score(estimator, X, y, cv=FOLDS, scoring=score_by_hand)
        assert scores == pytest.approx(fold_scores(estimator, X, y))


# One case of each tool, and those of the tools that aren't here: test_meta_estimator_table.py.
class TestMetaEstimators:
    @pytest.mark.parametrize(
        "method",
        [
            "sigmoid",
            "isotonic",
            pytest.param("temperature", marks=scikit_learn_since(8, "temperature scaling")),
        ],
    )
    def test_calibration_of_a_fitted_one(self, X, method):
        fitted = RNNClassifier(**SMALL).fit(X, LABELS)
        model = CalibratedClassifierCV(FrozenEstimator(fitted), method=method).fit(X, LABELS)
        before, after = fitted.predict_proba(X)[:, 1], model.predict_proba(X)[:, 1]
        steps = np.diff(after[before.argsort()])
        assert (steps >= -1e-12).all()  # a monotonic function of what the network says
        assert steps.any()

    def test_hard_voting(self, X):
        models = [
            (str(seed), RNNClassifier(**{**SMALL, "random_state": seed})) for seed in range(3)
        ]
        voting = VotingClassifier(models).fit(X, LABELS)
        votes = [clone(model).fit(X, LABELS).predict(X) == "yes" for _, model in models]
        assert np.array_equal(voting.predict(X) == "yes", np.mean(votes, axis=0) > 0.5)

    @pytest.mark.parametrize("n_outputs", [1, 2])
    def test_transformed_target(self, X, n_outputs):
        y = np.column_stack([NUMBERS, NUMBERS[::-1] + 7])[:, :n_outputs].squeeze()
        model = TransformedTargetRegressor(RNNRegressor(**SMALL), transformer=StandardScaler())
        scaler = StandardScaler().fit(y.reshape(N, -1))
        scaled = scaler.transform(y.reshape(N, -1)).squeeze()
        alone = RNNRegressor(**SMALL).fit(X, scaled).predict(X).reshape(N, -1)
        expected = scaler.inverse_transform(alone).squeeze()
        assert model.fit(X, y).predict(X) == pytest.approx(expected)

    @pytest.mark.parametrize("container", ["array", "table"])
    def test_transformed_target_per_step(self, container):
        estimator, targets = PROBLEMS["regression per step"]
        X, y = CONTAINERS[container], targets(container)
        model = TransformedTargetRegressor(estimator, func=np.sinh, inverse_func=np.arcsinh)
        alone = clone(estimator).fit(X, np.sinh(y)).predict(X)
        assert model.fit(X, y).predict(X) == pytest.approx(np.arcsinh(alone))


@pytest.mark.parametrize("container", ["padded array", "object array"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_the_container_makes_no_difference(container, name):
    estimator, targets = PROBLEMS[name]
    results = [
        GridSearchCV(estimator, GRID, cv=FOLDS).fit(CONTAINERS[kind], targets(kind)).cv_results_
        for kind in ("list", container)
    ]
    assert results[0]["mean_test_score"] == pytest.approx(results[1]["mean_test_score"], abs=1e-12)
