"""Checks of labels, probabilities, scores and targets per timestep."""

import numpy as np
from sklearn.metrics import accuracy_score, r2_score

from sklearn_rnn.utils._case import Case

# Sorted labels, three of each kind.
LABELS = {
    "strings": ("ant", "bee", "cicada"),
    "negative integers": (-7, -1, 4),
    "numbers far apart": (10, 200, 3000),
}


def check_labels(name, estimator, **declared):
    """Labels may be strings or any integers. `classes_` sorts them, and `predict` returns them."""
    case = Case(name, estimator, declared, needs=("classifier",))
    plain = case.problem()
    n_classes = len(np.unique(np.concatenate([np.ravel(y) for y in plain.y])))
    places = case.outputs(case.fit(plain), plain)["predict"]
    for kind, labels in LABELS.items():
        labels = np.array(labels[:n_classes])
        problem = case.problem(labels=labels)
        model = case.fit(problem)
        classes = getattr(model, "classes_", None)
        assert np.array_equal(classes, labels), (
            f"{name}.classes_ is {classes} for labels that are {kind}, not {labels}."
        )
        predicted = case.outputs(model, problem)["predict"]
        known = np.isin(np.concatenate([np.ravel(part) for part in predicted]), labels)
        assert known.all(), f"{name}.predict returns values that are not labels ({kind})."
        for i, (part, place) in enumerate(zip(predicted, places, strict=True)):
            assert np.array_equal(part, labels[place]) or not case.is_repeatable, (
                f"{name}.predict returns {part} for sequence {i}. With 0, 1, ... in place of the "
                f"labels {labels} it returned {place}."
            )


def check_probabilities(name, estimator, **declared):
    """Probabilities sum to 1, and `predict` returns the most probable class.

    `predict_log_proba`, if it exists, returns their logarithms.
    """
    case = Case(name, estimator, declared, needs=("classifier", "predict_proba"))
    problem = case.problem()
    model = case.fit(problem)
    outputs = case.outputs(model, problem)
    for i, p in enumerate(outputs["predict_proba"]):
        assert ((p >= 0) & (p <= 1)).all(), f"{name}.predict_proba is outside 0 to 1: {p}."
        assert np.allclose(p.sum(axis=-1), 1, atol=1e-5), (
            f"{name}.predict_proba sums to {p.sum(axis=-1)} for sequence {i}, not to 1."
        )
        likeliest = model.classes_[p.argmax(axis=-1)]
        assert np.array_equal(likeliest, outputs["predict"][i]), (
            f"{name}.predict returns {outputs['predict'][i]} for sequence {i}, but the most "
            f"probable class is {likeliest}."
        )
        if "predict_log_proba" in outputs:
            log_p = outputs["predict_log_proba"][i]
            assert np.allclose(np.exp(log_p), p, atol=1e-5), (
                f"{name}.predict_log_proba is not the logarithm of predict_proba."
            )


def check_decision_function(name, estimator, **declared):
    """`predict` returns the class with the largest value; with two classes, the sign decides."""
    case = Case(name, estimator, declared, needs=("classifier", "decision_function"))
    for labels in ((0, 1), (0, 1, 2)) if case.tags.classifier_tags.multi_class else ((0, 1),):
        problem = case.problem(labels=labels)
        model = case.fit(problem)
        outputs = case.outputs(model, problem)
        for i, values in enumerate(outputs["decision_function"]):
            places = np.asarray(values > 0, int) if len(labels) == 2 else values.argmax(axis=-1)
            predicted = outputs["predict"][i]
            assert np.array_equal(model.classes_[places], predicted), (
                f"{name}.predict returns {predicted} for sequence {i}, but decision_function "
                f"{values}, which is class {model.classes_[places]}."
            )


def check_score(name, estimator, **declared):
    """`score` is R² for regressors and accuracy for classifiers, over all valid timesteps."""
    case = Case(name, estimator, declared, needs=("kind",))
    metric = accuracy_score if case.kind == "classifier" else r2_score
    for container in case.accepted:
        problem = case.problem_in(container)
        model = case.fit(problem, container)
        score = model.score(*problem.within(container))
        assert np.ndim(score) == 0, f"{name}.score must return a number, not {score!r}."
        assert np.isfinite(score), f"{name}.score is {score}."
        predicted = case.outputs(model, problem, container)["predict"]
        join = np.concatenate if case.declared.per_timestep else np.stack
        expected = metric(join(list(problem.y)), join(predicted))
        assert np.isclose(score, expected, rtol=1e-5, atol=1e-6), (
            f"{name}.score is {score} in the container {container!r}, but {metric.__name__} of all "
            f"valid targets together is {expected}."
        )


def check_targets_in_padding(name, estimator, **declared):
    """Values of y where X is padding are ignored: NaN, or a label that occurs nowhere else."""
    needs = ("padded", "per_timestep", "y", "repeatable")
    case = Case(name, estimator, declared, needs=needs)
    problem = case.problem(lengths=case.lengths)
    X, y = problem.within("padded")
    expected = case.outputs(case.fit_to(X, y), problem, "padded")
    in_padding = np.arange(max(case.lengths)) >= np.array(case.lengths)[:, np.newaxis]
    for value in (-1,) if case.kind == "classifier" else (np.nan, 1e6):
        other = y.copy()
        other[in_padding] = value
        try:
            model = case.fit_to(X, other)
        except (ValueError, TypeError) as error:
            raise AssertionError(f"{name}.fit refuses {value} in y in padding: {error}") from error
        what = f"predictions after fit with {value} in y in padding, and with other values"
        case.assert_same(case.outputs(model, problem, "padded"), expected, what)
