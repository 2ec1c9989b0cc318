"""Scorers of targets per timestep, compared with metrics of targets flattened by hand."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    get_scorer,
    get_scorer_names,
    log_loss,
    make_scorer,
    max_error,
    mean_absolute_error,
    precision_score,
    r2_score,
    roc_auc_score,
)
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sequences import padded
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.callbacks import EarlyStopping
from sklearn_rnn.metrics import make_sequence_scorer
from timestep_targets import (
    BINARY,
    LABELS,
    LENGTHS,
    NUMBERS,
    OF_SEQUENCES,
    SMALL,
    WEIGHTS,
    WRAPPERS,
    ClassifierOfLists,
    N,
    RegressorOfLists,
    X,
    fit_classifier,
    predicted_numbers,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("container", WRAPPERS)
def test_scores_are_those_of_hand_flattened_targets(container):
    as_X, as_y = WRAPPERS[container]
    regressor = RegressorOfLists(0.1).fit(X, NUMBERS)
    score = make_sequence_scorer("neg_mean_absolute_error")(regressor, as_X(X), as_y(NUMBERS))
    flat = np.concatenate(NUMBERS), np.concatenate(predicted_numbers(0.1))
    assert score == -mean_absolute_error(*flat)

    model = fit_classifier()
    flat = np.concatenate(LABELS), np.concatenate(model.predict(X))
    score = make_sequence_scorer("f1_macro")(model, as_X(X), as_y(LABELS))
    assert score == pytest.approx(f1_score(*flat, average="macro"), rel=1e-12)
    assert make_sequence_scorer(accuracy_score)(model, as_X(X), as_y(LABELS)) == pytest.approx(
        model.score(X, LABELS), rel=1e-12
    )


def test_table_of_one_feature():
    """2-D X, with a column per timestep."""
    frame = pd.DataFrame(padded(X)[:, :, 0])
    model = RNNClassifier(**SMALL).fit(frame, LABELS)
    score = make_sequence_scorer("accuracy")(model, frame, LABELS)
    assert score == pytest.approx(model.score(frame, LABELS), rel=1e-12)
    flat = np.concatenate(model.predict_proba(frame))
    expected = -log_loss(np.concatenate(LABELS), flat[~np.isnan(flat).any(axis=1)])
    score = make_sequence_scorer("neg_log_loss")(model, frame, padded(LABELS, fill="?"))
    assert score == pytest.approx(expected, rel=1e-12)


NAMED = {
    "accuracy": lambda y, label, p: accuracy_score(y, label),
    "balanced_accuracy": lambda y, label, p: balanced_accuracy_score(y, label),
    "neg_log_loss": lambda y, label, p: -log_loss(y, p),
    "roc_auc_ovr": lambda y, label, p: roc_auc_score(y, p, multi_class="ovr"),
}


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("as_X", [list, padded])
def test_scorers_by_name_with_three_classes(name, as_X):
    model = fit_classifier()
    flat = [np.concatenate(values) for values in (model.predict(X), model.predict_proba(X))]
    expected = NAMED[name](np.concatenate(LABELS), *flat)
    assert make_sequence_scorer(name)(model, as_X(X), LABELS) == pytest.approx(expected, rel=1e-12)


class FlatRegressor(RegressorMixin, BaseEstimator):
    """A model of sequences, as scikit-learn's own scorers want it."""

    def __init__(self, model=None):
        self.model = model

    def predict(self, X):
        return np.concatenate(self.model.predict(X))


class FlatClassifier(ClassifierMixin, FlatRegressor):
    @property
    def classes_(self):
        return self.model.classes_

    def predict_proba(self, X):
        return np.concatenate(self.model.predict_proba(X))


def outcome_of(scorer, *arguments):
    """The score, or what is wrong."""
    try:
        return scorer(*arguments)
    except (ValueError, TypeError, AttributeError) as error:
        return re.sub("FlatRegressor", "RNNRegressor", f"{type(error).__name__}: {error}")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("flat", "y"),
    [
        (FlatRegressor, NUMBERS),
        (FlatRegressor, [np.column_stack([y, y**2]) + 9 for y in NUMBERS]),
        (FlatClassifier, [(y == "yes").astype(int) for y in BINARY]),
        (FlatClassifier, [y == "yes" for y in BINARY]),
        (FlatClassifier, BINARY),
        (FlatClassifier, LABELS),
    ],
    ids=["numbers", "two outputs", "integers", "booleans", "strings", "three classes"],
)
def test_every_scorer_by_name(flat, y):
    """Where a metric is not for such targets, its error is the same, too."""
    network = RNNRegressor if flat is FlatRegressor else RNNClassifier
    model = network(**SMALL).fit(X, y)
    scored = 0
    for name in get_scorer_names():
        expected = outcome_of(get_scorer(name), flat(model), X, np.concatenate(y))
        found = outcome_of(make_sequence_scorer(name), model, X, y)
        assert str(found) == str(expected), name  # as strings, since some are NaN
        scored += not isinstance(found, str)
    assert scored >= 8


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "neg_brier_score"])
def test_threshold_scorers_with_two_classes(name):
    """The scorers choose the method and the column; scikit-learn's do the same on flat data."""
    y = [(labels == "yes").astype(int) for labels in BINARY]
    model = fit_classifier(y)
    probabilities = np.concatenate(model.predict_proba(X))

    class Flat(ClassifierMixin, BaseEstimator):
        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            return probabilities

    expected = get_scorer(name)(Flat(), None, np.concatenate(y))
    assert make_sequence_scorer(name)(model, padded(X), y) == expected
    if name == "roc_auc":
        margins = ClassifierOfLists(-0.2).fit(X, y)
        by_hand = roc_auc_score(np.concatenate(y), np.concatenate(predicted_numbers(-0.2)))
        assert make_sequence_scorer(name)(margins, X, y) == by_hand


def test_arguments_of_a_metric():
    model = fit_classifier(BINARY)
    y, predicted = np.concatenate(BINARY), np.concatenate(model.predict(X))
    scorer = make_sequence_scorer(precision_score, pos_label="no", zero_division=0.0)
    assert scorer(model, X, BINARY) == precision_score(
        y, predicted, pos_label="no", zero_division=0.0
    )
    loss = make_sequence_scorer(log_loss, greater_is_better=False, response_method="predict_proba")
    expected = -log_loss(y == "yes", np.concatenate(model.predict_proba(X))[:, 1])
    assert loss(model, X, BINARY) == pytest.approx(expected, rel=1e-12)
    made = make_sequence_scorer(make_scorer(max_error, greater_is_better=False))
    regressor = RegressorOfLists(5.0).fit(X, NUMBERS)
    flat = np.concatenate(NUMBERS), np.concatenate(predicted_numbers(5.0))
    assert made(regressor, X, NUMBERS) == -max_error(*flat)


def test_averaged_by_sequence():
    regressor = RegressorOfLists(0.1).fit(X, NUMBERS)
    pairs = list(zip(NUMBERS, predicted_numbers(0.1), strict=True))
    each = [-mean_absolute_error(*pair) for pair in pairs]
    scorer = make_sequence_scorer("neg_mean_absolute_error", averaged_by="sequence")
    score = scorer(regressor, X, NUMBERS)
    assert score == pytest.approx(np.mean(each), rel=1e-12)
    by_step = make_sequence_scorer("neg_mean_absolute_error")(regressor, X, NUMBERS)
    assert abs(score - by_step) > 0.005

    weighted = scorer(regressor, padded(X), NUMBERS, sample_weight=OF_SEQUENCES)
    assert weighted == pytest.approx(np.average(each, weights=OF_SEQUENCES), rel=1e-12)
    each = [
        -mean_absolute_error(*pair, sample_weight=w) for pair, w in zip(pairs, WEIGHTS, strict=True)
    ]
    expected = np.average(each, weights=[w.mean() for w in WEIGHTS])
    weighted = scorer(regressor, X, NUMBERS, sample_weight=WEIGHTS)
    assert weighted == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("averaged_by", ["step", "sequence"])
def test_a_metric_that_returns_an_array(averaged_by):
    class Twice(RegressorOfLists):
        def predict(self, X):
            return [np.column_stack([y, 3 * y]) for y in super().predict(X)]

    y = [np.column_stack([y, 3 * y]) for y in NUMBERS]
    score = make_sequence_scorer(
        mean_absolute_error, multioutput="raw_values", averaged_by=averaged_by
    )
    of_one = make_sequence_scorer(mean_absolute_error, averaged_by=averaged_by)
    expected = np.array([1, 3]) * of_one(RegressorOfLists(0.1).fit(X, NUMBERS), X, NUMBERS)
    scores = score(Twice(0.1).fit(X, y), X, y)
    np.testing.assert_allclose(scores, expected, rtol=1e-12)


def test_averaged_by_sequence_asks_for_predictions_once():
    class Counting(RegressorOfLists):
        def predict(self, X):
            calls.append(len(X))
            return super().predict(X)

    calls = []
    scorer = make_sequence_scorer("r2", averaged_by="sequence")
    long = [x for x in X if len(x) > 2]
    scorer(Counting(), long, [y for y in NUMBERS if len(y) > 2])
    assert calls == [len(long)]


def test_averaged_by_sequence_leaves_out_weight_zero():
    """Sequences of one timestep, for which R² has no meaning (and warns)."""
    regressor = RegressorOfLists(0.1).fit(X, NUMBERS)
    scorer = make_sequence_scorer(r2_score, averaged_by="sequence")
    weights = np.array([float(n > 2) for n in LENGTHS])
    pairs = [pair for pair in zip(NUMBERS, predicted_numbers(0.1), strict=True) if len(pair[0]) > 2]
    assert len(pairs) < N
    score = scorer(regressor, X, NUMBERS, sample_weight=weights)
    assert score == pytest.approx(np.mean([r2_score(*pair) for pair in pairs]), rel=1e-12)
    # a metric that takes no weights is fine, since the sequences are what is weighted
    largest = make_sequence_scorer(max_error, greater_is_better=False, averaged_by="sequence")
    score = largest(regressor, X, NUMBERS, sample_weight=weights)
    assert score == pytest.approx(-np.mean([max_error(*pair) for pair in pairs]), rel=1e-12)


def test_search_over_each_container_in_two_processes():
    grid = {"hidden_size": [2, 4]}
    scoring = {
        "mae": make_sequence_scorer("neg_mean_absolute_error"),
        "by sequence": make_sequence_scorer(
            mean_absolute_error, greater_is_better=False, averaged_by="sequence"
        ),
    }
    results = {}
    for container in ("list", "object array", "padded array"):
        as_X, as_y = WRAPPERS[container]
        search = GridSearchCV(
            RNNRegressor(**SMALL), grid, scoring=scoring, refit="mae", cv=KFold(3), n_jobs=2
        ).fit(as_X(X), as_y(NUMBERS))
        results[container] = search.cv_results_
    for result in results.values():
        for name in scoring:
            np.testing.assert_allclose(
                result[f"mean_test_{name}"], results["list"][f"mean_test_{name}"], rtol=1e-9
            )
    for i, hidden_size in enumerate(grid["hidden_size"]):
        scores = []
        for train, test in KFold(3).split(X):
            model = RNNRegressor(**{**SMALL, "hidden_size": hidden_size})
            model.fit([X[j] for j in train], [NUMBERS[j] for j in train])
            predicted = model.predict([X[j] for j in test])
            flat = np.concatenate([NUMBERS[j] for j in test]), np.concatenate(predicted)
            scores.append(-mean_absolute_error(*flat))
        assert results["list"]["mean_test_mae"][i] == pytest.approx(np.mean(scores), rel=1e-9)


def test_inside_pipelines_that_change_X():
    """The scorer sees X as it was given: padded, with NaN inside, or with strings."""

    def impute(X):
        return np.where(np.isnan(X) & ~np.isnan(X).all(axis=2, keepdims=True), 0.0, X)

    def encode(X):
        return [np.where(x == "up", 1.0, -1.0) for x in X]

    dirty = padded(X)
    dirty[::2, 0, 0] = np.nan
    words = [np.where(x > 0, "up", "down") for x in X]
    valid = np.arange(max(LENGTHS)) < np.array(LENGTHS)[:, np.newaxis]
    flatteners = {impute: (dirty, lambda p: p[valid]), encode: (words, np.concatenate)}
    for step, (given, flattened) in flatteners.items():
        pipeline = make_pipeline(FunctionTransformer(step), RNNClassifier(**SMALL))
        pipeline.fit(given, LABELS)
        accuracy = make_sequence_scorer("accuracy")(pipeline, given, LABELS)
        assert accuracy == pytest.approx(pipeline[-1].score(step(given), LABELS), rel=1e-12)
        probabilities = flattened(pipeline[-1].predict_proba(step(given)))
        expected = -log_loss(np.concatenate(LABELS), probabilities)
        score = make_sequence_scorer("neg_log_loss")(pipeline, given, LABELS)
        assert score == pytest.approx(expected, rel=1e-12)


def test_early_stopping_callback():
    scorer = make_sequence_scorer("f1_macro")
    model = RNNClassifier(**{**SMALL, "max_iter": 6, "learning_rate_init": 0.1})
    model.set_callbacks(EarlyStopping(scorer))
    for weighted in ({}, {"sample_weight": WEIGHTS[12:]}):
        given = {f"{name}_val": weights for name, weights in weighted.items()}
        model.fit(X[:12], LABELS[:12], X_val=X[12:], y_val=LABELS[12:], **given)
        assert len(set(model.validation_scores_)) > 1
        assert model.best_validation_score_ == max(model.validation_scores_)
        assert scorer(model, X[12:], LABELS[12:], **weighted) == model.best_validation_score_


def test_scorer_is_pickled_cloned_and_shown():
    scorer = make_sequence_scorer(accuracy_score, normalize=True, averaged_by="sequence")
    model = fit_classifier()
    search = GridSearchCV(RNNClassifier(), {}, scoring=scorer)
    for copy in (pickle.loads(pickle.dumps(scorer)), clone(search).scoring):
        assert repr(copy) == repr(scorer)
        assert copy(model, X, LABELS) == scorer(model, X, LABELS)
    assert repr(scorer) == (
        "make_sequence_scorer(make_scorer(accuracy_score, response_method='predict', "
        "normalize=True), averaged_by='sequence')"
    )
    named = make_sequence_scorer("f1_macro")
    assert repr(named) == "make_sequence_scorer('f1_macro', averaged_by='step')"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"metric": "f2"}, ValueError, "'f2' is not a valid scoring value"),
        ({"metric": None}, TypeError, "metric must be the name of a scorer"),
        ({"metric": make_sequence_scorer("f1")}, TypeError, "not make_sequence_scorer"),
        ({"metric": "f1", "averaged_by": "macro"}, ValueError, "averaged_by='macro'.*'sequence'"),
        ({"metric": "f1", "average": "macro"}, ValueError, "'f1' is a scorer, which has its own"),
        ({"metric": "f1", "response_method": "predict_proba"}, ValueError, "is a scorer"),
        ({"metric": get_scorer("r2"), "greater_is_better": False}, ValueError, "is a scorer"),
    ],
)
def test_bad_scorers(arguments, error, message):
    with pytest.raises(error, match=message):
        make_sequence_scorer(**arguments)


def test_bad_input_of_scorers():
    per_sequence = RNNClassifier(**{**SMALL, "return_sequences": False})
    per_sequence.fit(X, [labels[0] for labels in LABELS])
    accuracy = make_sequence_scorer("accuracy")
    n = LENGTHS[0]
    cases = {
        r"y has one value per sequence, .*\(list of": (per_sequence, X, [y[0] for y in LABELS]),
        r"predict\(X\) has one value per sequence": (per_sequence, X, LABELS),
        rf"y\[0\] has {n + 1} values, but X\[0\] has {n} timesteps": (
            fit_classifier(),
            X,
            [[*LABELS[0], "no"], *LABELS[1:]],
        ),
        r"X has 18 sequences, y has 17": (fit_classifier(), X, LABELS[1:]),
    }
    for message, arguments in cases.items():
        with pytest.raises(ValueError, match=message):
            accuracy(*arguments)
    with pytest.raises(ValueError, match="sample_weight is negative for sample 3"):
        accuracy(fit_classifier(), X, LABELS, sample_weight=np.where(np.arange(N) == 3, -1, 1))
    with pytest.raises(AttributeError, match=re.escape("RNNRegressor")):
        make_sequence_scorer("roc_auc")(RNNRegressor(**SMALL).fit(X, NUMBERS), X, NUMBERS)


def test_cross_val_score_of_an_estimator_that_returns_lists():
    scores = cross_val_score(
        ClassifierOfLists(), X, BINARY, cv=KFold(3), scoring=make_sequence_scorer("accuracy")
    )
    by_hand = [
        np.mean(np.concatenate([(X[i][:, 0] > 0) == (BINARY[i] == "yes") for i in test]))
        for _, test in KFold(3).split(X)
    ]
    np.testing.assert_allclose(scores, by_hand, rtol=1e-12)
