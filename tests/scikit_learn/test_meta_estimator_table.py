"""The tables in docs/meta_estimators.md, cell by cell."""

import re
from collections import Counter
from dataclasses import replace
from functools import partial
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import AdaBoostClassifier
from sklearn.metrics import accuracy_score, get_scorer, r2_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score, permutation_test_score
from sklearn.multiclass import OneVsRestClassifier, OutputCodeClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.utils.discovery import all_estimators

import cases_of_ensembles  # noqa: F401
import cases_of_features  # noqa: F401
import cases_of_selection  # noqa: F401
from problems import (
    CASES,
    CONTAINERS,
    FOLDS,
    LABELS,
    NUMBERS,
    SMALL,
    STEP_LABELS,
    STEP_NUMBERS,
    THREE_LABELS,
    N,
    Problem,
    fold_scores,
    in_container,
)
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.metrics import flatten_sequences, make_sequence_scorer
from sklearn_rnn.model_selection import StratifiedSequenceKFold
from sklearn_rnn.preprocessing import PerTimestepTarget
from versions import scikit_learn_since
from workarounds import WORKAROUNDS, row_numbers

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # Stacking takes timesteps for labels before it refuses.
    pytest.mark.filterwarnings("ignore:Number of classes in training fold:RuntimeWarning"),
]

TEXT = (Path(__file__).parents[2] / "docs" / "meta_estimators.md").read_text(encoding="utf-8")
COLUMNS = ["array", "padded array", "list", "object array"]
LINK = re.compile(r"\[[^]]+\]\(#([a-z-]+)\)")
# How scikit-learn's tools refuse: object arrays also by looking for columns that aren't there
# (IndexError), VotingClassifier several labels by the NotImplementedError that it has for them.
REFUSALS = (ValueError, TypeError, IndexError, NotImplementedError)


def rows(heading):
    """The rows of the tables under a heading: tools, and one cell per container.

    A row of one cell says the same of all containers, a row of two the second of all but arrays.
    """
    section = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if "| `" in line]
    return [
        (re.findall("`([^`]+)`", tools), cells if len(cells) > 2 else cells[:1] + cells[-1:] * 3)
        for tools, *cells in lines
    ]


def cells(heading):
    return {
        (tool, container): cell
        for tools, cells in rows(heading)
        for tool in tools
        for container, cell in zip(COLUMNS, cells, strict=True)
    }


PER_SEQUENCE = cells("One target per sequence")
PER_TIMESTEP = cells("One target per timestep")
# What isn't in the second table is said to refuse.
PER_TIMESTEP |= {cell: "no" for cell in PER_SEQUENCE if cell not in PER_TIMESTEP}


def problem(container, *, per_step) -> Problem:
    rng = np.random.default_rng(5)
    classifier = RNNClassifier(return_sequences=per_step, **SMALL)
    shape = (N, 5, 2) if per_step else (N, 2)
    n_timesteps = 5 if container == "padded array" else 4
    many_labels = np.tile(np.arange(N)[:, np.newaxis] % n_timesteps, 5)
    many_labels[:, 1:] = many_labels[:, 1:].clip(2)
    targets = {
        "numbers": STEP_NUMBERS if per_step else NUMBERS,
        "labels": STEP_NUMBERS > 0 if per_step else LABELS,
        "three_labels": STEP_LABELS if per_step else THREE_LABELS,
        "many_labels": many_labels if per_step else many_labels[:, 0],
        "number_pairs": rng.normal(size=shape),
        "label_pairs": rng.integers(2, size=shape),
    }
    if per_step:
        targets = {name: in_container(container, values) for name, values in targets.items()}
    return Problem(
        X=CONTAINERS[container],
        regressor=RNNRegressor(return_sequences=per_step, **SMALL),
        classifier=classifier,
        weighted_classifier=classifier,
        **targets,
    )


def check_works(tool, new_problem, workaround=None):
    plain = new_problem()
    steps = CASES[tool](plain if workaround is None else WORKAROUNDS[workaround](plain), plain)
    next(steps)
    assert next(steps, "the end") == "the end"


def check_is_refused(tool, new_problem):
    plain = new_problem()
    with pytest.raises(REFUSALS) as refusal:
        next(CASES[tool](plain, plain))
    assert refusal.traceback[-1].path.parent != Path(__file__).parent, "it is the test that fails"


def check_goes_wrong(tool, new_problem):
    plain = new_problem()
    steps = CASES[tool](plain, plain)
    next(steps)
    with pytest.raises(AssertionError):
        next(steps)


CHECKS = {"yes": check_works, "no": check_is_refused, "wrong": check_goes_wrong}


def check_cell(cell, tool, new_problem):
    word = cell.split(", ")[0]
    workarounds = [anchor.replace("-", " ") for anchor in LINK.findall(cell)]
    assert workarounds or word in CHECKS
    CHECKS.get(word, check_is_refused)(tool, new_problem)
    for workaround in workarounds:
        check_works(tool, new_problem, workaround)


def cells_of(table):
    newer = {"FeatureUnion": scikit_learn_since(7, "a FeatureUnion that refuses 3-D arrays")}
    return [pytest.param(*cell, marks=newer.get(cell[0], ())) for cell in table]


@pytest.mark.parametrize(("tool", "container"), cells_of(PER_SEQUENCE))
def test_one_target_per_sequence(tool, container):
    check_cell(PER_SEQUENCE[tool, container], tool, partial(problem, container, per_step=False))


@pytest.mark.parametrize(("tool", "container"), cells_of(PER_TIMESTEP))
def test_one_target_per_timestep(tool, container):
    check_cell(PER_TIMESTEP[tool, container], tool, partial(problem, container, per_step=True))


@pytest.mark.parametrize("tool", CASES)
def test_tables_work_but_for_the_tools_that_are_named(tool):
    named = TEXT.split("\n2-D X")[1].split(":")[0]
    check = check_is_refused if f"`{tool}`" in named else check_works
    check(tool, partial(problem, "table", per_step=False))


@pytest.mark.parametrize("heading", ["One target per sequence", "One target per timestep"])
def test_each_row_has_a_case_and_each_case_a_row(heading):
    named = Counter(tool for tools, _ in rows(heading) for tool in tools)
    assert set(named.values()) == {1}
    assert set(named) <= set(CASES)
    if heading == "One target per sequence":
        assert set(named) == set(CASES)


def test_each_workaround_is_described_and_used():
    described = re.findall("\n### (.*)\n", TEXT.split("\n## Workarounds\n")[1].split("\n## ")[0])
    all_cells = [*PER_SEQUENCE.values(), *PER_TIMESTEP.values()]
    used = {name for cell in all_cells for name in LINK.findall(cell)}
    assert {name.lower() for name in described} == set(WORKAROUNDS)
    assert {name.replace("-", " ") for name in used} == set(WORKAROUNDS)


def test_no_meta_estimator_of_scikit_learn_is_missing():
    words = {"estimator", "estimators", "regressor", "transformers", "transformer_list", "steps"}
    inside = {name for name, found in all_estimators() if words & set(signature(found).parameters)}
    assert "BaggingRegressor" in inside
    assert inside <= set(CASES)


def test_adaboost_classifier_wants_weights_that_a_plain_pipeline_does_not_take():
    plain = row_numbers(problem("list", per_step=False))
    model = AdaBoostClassifier(plain.classifier, n_estimators=2)
    with pytest.raises(ValueError, match="doesn't support sample_weight"):
        model.fit(plain.X, LABELS)


CONSTANT = [
    (OneVsRestClassifier(RNNClassifier(**SMALL)), np.column_stack([THREE_LABELS == 1, np.ones(N)])),
    (OutputCodeClassifier(RNNClassifier(**SMALL), random_state=0), THREE_LABELS),
]


@pytest.mark.filterwarnings("ignore:Label 1 is present in all training examples")
@pytest.mark.parametrize("container", COLUMNS)
@pytest.mark.parametrize(("model", "y"), CONSTANT, ids=["label", "bit"])
def test_where_all_samples_have_a_label_or_a_bit(model, y, container):
    X, model = CONTAINERS[container], clone(model)
    if container != "object array":
        with pytest.raises(ValueError, match=r"_ConstantPredictor|inhomogeneous"):
            model.fit(X, y).predict(X)
        return
    predicted = model.fit(X, y).predict(X)
    assert predicted.shape == y.shape
    if y.ndim == 2:
        assert predicted[:, 1].all()


def test_a_target_scaler_has_a_mean_per_timestep_and_ours_one_for_all():
    p = problem("array", per_step=True)
    for model, axis in [(TransformedTargetRegressor, 0), (PerTimestepTarget, None)]:
        fitted = model(p.regressor, transformer=StandardScaler()).fit(p.X, p.numbers)
        assert fitted.transformer_.mean_ == pytest.approx(p.numbers.mean(axis=axis))


def test_r2_by_name_is_a_mean_over_timesteps():
    p = problem("array", per_step=True)
    network = p.regressor.fit(p.X, p.numbers)
    columns = zip(p.numbers.T, network.predict(p.X).T, strict=True)
    expected = np.mean([r2_score(*column) for column in columns])
    assert get_scorer("r2")(network, p.X, p.numbers) == pytest.approx(expected)
    assert network.score(p.X, p.numbers) != pytest.approx(expected)


AS_A_NETWORK = [
    "cross_val_score",
    "cross_val_predict",
    "learning_curve",
    "permutation_test_score",
    "VotingRegressor",
    "SequentialFeatureSelector",
    "permutation_importance",
]


@pytest.mark.parametrize("container", COLUMNS)
@pytest.mark.parametrize("tool", AS_A_NETWORK)
def test_a_target_transformer_around_a_network_goes_where_that_goes(tool, container):
    def wrapped():
        plain = problem(container, per_step=True)
        return replace(plain, regressor=PerTimestepTarget(plain.regressor))

    check_cell(PER_TIMESTEP[tool, container], tool, wrapped)


def test_folds_of_timesteps_by_sequence_are_those_of_sequences():
    p = problem("list", per_step=True)
    owner = np.repeat(np.arange(N), [len(x) for x in p.X])
    of_steps = StratifiedGroupKFold(3).split(owner, np.concatenate(p.three_labels), owner)
    of_sequences = StratifiedSequenceKFold(3).split(p.X, p.three_labels)
    for (_, rows), (_, expected) in zip(of_steps, of_sequences, strict=True):
        assert np.array_equal(np.unique(owner[rows]), expected)


@pytest.mark.parametrize("container", COLUMNS)
def test_an_int_as_cv_cuts_in_order(container):
    p = problem(container, per_step=True)
    scores = cross_val_score(p.classifier, p.X, p.three_labels, cv=3)
    assert scores == pytest.approx(fold_scores(p.classifier, p.X, p.three_labels))


def test_permuting_padded_labels_makes_padding_a_label():
    p = problem("padded array", per_step=True)
    classes = []

    def score(network, X, y):
        classes.append(set(network.classes_))
        return 0.0

    options = {"cv": FOLDS, "n_permutations": 1, "scoring": score, "random_state": 0}
    permutation_test_score(p.classifier, p.X, p.three_labels, **options)
    assert set.union(*classes[3:]) - set.union(*classes[:3]) == {-1}


@pytest.mark.parametrize("workaround", ["feature numbers", "flat columns", "row numbers"])
def test_sequence_scorers_want_sequences(workaround):
    plain = problem("array", per_step=True)
    p = WORKAROUNDS[workaround](plain)
    network = p.classifier.fit(p.X, p.three_labels)
    with pytest.raises(ValueError, match="timesteps"):
        make_sequence_scorer("accuracy")(network, p.X, p.three_labels)
    by_function = accuracy_score(*flatten_sequences(p.three_labels, network.predict(p.X)))
    assert by_function == pytest.approx(network.score(p.X, p.three_labels))
