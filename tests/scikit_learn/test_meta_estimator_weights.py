"""The table of sample weights in docs/meta_estimators.md."""

import re
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.multiclass import OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import Pipeline

from problems import CONTAINERS, FOLDS, LABELS, NUMBERS, SMALL, THREE_LABELS
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.preprocessing import PerTimestepTarget

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = CONTAINERS["array"]
NUMBER_PAIRS = np.column_stack([NUMBERS, -NUMBERS])
LABEL_PAIRS = np.column_stack([LABELS, LABELS[::-1]])
SIZES = {"hidden_size": [1, 2]}
SEEN = []


def weights_of(X):
    return 1 + X[:, 0, 0] ** 2


class Watched:
    """A network that notes whether it was fitted with the weights of its samples."""

    def fit(self, X, y, sample_weight=None):
        SEEN.append(sample_weight is not None and np.array_equal(sample_weight, weights_of(X)))
        return super().fit(X, y, sample_weight)


class Regressor(Watched, RNNRegressor):
    pass


class Classifier(Watched, RNNClassifier):
    pass


def asking(estimator):
    """Have weights routed to an estimator, where that has to be said."""
    if sklearn.get_config()["enable_metadata_routing"]:
        for method in ("fit", "partial_fit", "score"):
            if hasattr(estimator, f"set_{method}_request"):
                getattr(estimator, f"set_{method}_request")(sample_weight=True)
    return estimator


def regressor():
    return asking(Regressor(**SMALL))


def classifier():
    return asking(Classifier(**SMALL))


def accuracy():
    scorer = get_scorer("accuracy")
    routing = sklearn.get_config()["enable_metadata_routing"]
    return scorer.set_score_request(sample_weight=True) if routing else scorer


def halving(search, **weights):
    options = {"cv": 2, "factor": 2, "min_resources": 12, "random_state": 0}
    search(regressor(), SIZES, error_score="raise", **options).fit(X, NUMBERS, **weights)


def two(make):
    return [("first", make()), ("second", make())]


TOOLS = {
    "cross_val_score": lambda **w: cross_val_score(
        regressor(), X, NUMBERS, cv=FOLDS, error_score="raise", **w
    ),
    "cross_validate": lambda **w: cross_validate(
        regressor(), X, NUMBERS, cv=FOLDS, error_score="raise", **w
    ),
    "cross_val_predict": lambda **w: cross_val_predict(regressor(), X, NUMBERS, cv=FOLDS, **w),
    "learning_curve": lambda **w: learning_curve(
        regressor(), X, NUMBERS, cv=FOLDS, train_sizes=[8], error_score="raise", **w
    ),
    "validation_curve": lambda **w: validation_curve(
        regressor(),
        X,
        NUMBERS,
        cv=FOLDS,
        param_name="hidden_size",
        param_range=[1],
        error_score="raise",
        **w,
    ),
    "permutation_test_score": lambda **w: permutation_test_score(
        regressor(), X, NUMBERS, cv=FOLDS, n_permutations=1, **w
    ),
    "GridSearchCV": lambda **w: GridSearchCV(regressor(), SIZES, cv=FOLDS, error_score="raise").fit(
        X, NUMBERS, **w
    ),
    "RandomizedSearchCV": lambda **w: RandomizedSearchCV(
        regressor(), SIZES, n_iter=2, cv=FOLDS, error_score="raise"
    ).fit(X, NUMBERS, **w),
    "HalvingGridSearchCV": lambda **w: halving(HalvingGridSearchCV, **w),
    "HalvingRandomSearchCV": lambda **w: halving(HalvingRandomSearchCV, **w),
    "TunedThresholdClassifierCV": lambda **w: TunedThresholdClassifierCV(
        classifier(), cv=FOLDS, scoring=accuracy()
    ).fit(X, LABELS, **w),
    "FixedThresholdClassifier": lambda **w: FixedThresholdClassifier(classifier()).fit(
        X, LABELS, **w
    ),
    "Pipeline": lambda **w: Pipeline([("rnn", regressor())]).fit(X, NUMBERS, **w),
    "TransformedTargetRegressor": lambda **w: TransformedTargetRegressor(regressor()).fit(
        X, NUMBERS, **w
    ),
    "PerTimestepTarget": lambda **w: PerTimestepTarget(regressor()).fit(X, NUMBERS, **w),
    "VotingClassifier": lambda **w: VotingClassifier(two(classifier)).fit(X, LABELS, **w),
    "VotingRegressor": lambda **w: VotingRegressor(two(regressor)).fit(X, NUMBERS, **w),
    "StackingClassifier": lambda **w: StackingClassifier(
        two(classifier), asking(LogisticRegression()), cv=FOLDS
    ).fit(X, LABELS, **w),
    "StackingRegressor": lambda **w: StackingRegressor(
        two(regressor), asking(LinearRegression()), cv=FOLDS
    ).fit(X, NUMBERS, **w),
    "CalibratedClassifierCV": lambda **w: CalibratedClassifierCV(classifier(), cv=FOLDS).fit(
        X, LABELS, **w
    ),
    "MultiOutputClassifier": lambda **w: MultiOutputClassifier(classifier()).fit(
        X, LABEL_PAIRS, **w
    ),
    "MultiOutputRegressor": lambda **w: MultiOutputRegressor(regressor()).fit(X, NUMBER_PAIRS, **w),
    "OneVsRestClassifier": lambda **w: OneVsRestClassifier(classifier()).fit(X, THREE_LABELS, **w),
    "OutputCodeClassifier": lambda **w: OutputCodeClassifier(classifier(), random_state=6).fit(
        X, THREE_LABELS, **w
    ),
}
WAYS_TO_PASS = {
    "`sample_weight=`": {"sample_weight": weights_of(X)},
    "`params=`": {"params": {"sample_weight": weights_of(X)}},
    "`rnn__sample_weight=`": {"rnn__sample_weight": weights_of(X)},
}

TEXT = (Path(__file__).parents[2] / "docs" / "meta_estimators.md").read_text(encoding="utf-8")
SECTION = TEXT.split("\n## Weights and other metadata\n")[1].split("\n## ")[0]
ROWS = [
    (tool, plain, routed)
    for row in SECTION.splitlines()
    if row.startswith("| `")
    for tools, plain, routed in [row.strip("| ").split(" | ")]
    for tool in re.findall("`([^`]+)`", tools)
]
CELLS = [(tool, cell, routing) for tool, *two in ROWS for routing, cell in enumerate(two)]


@pytest.mark.parametrize(("tool", "cell", "routing"), CELLS)
def test_each_network_gets_the_weights_of_its_own_samples(tool, cell, routing):
    SEEN.clear()
    with sklearn.config_context(enable_metadata_routing=bool(routing)):
        refused = pytest.raises((ValueError, TypeError)) if cell == "no" else nullcontext()
        with refused:
            TOOLS[tool](**WAYS_TO_PASS.get(cell, WAYS_TO_PASS["`sample_weight=`"]))
    assert all(SEEN)
    assert bool(SEEN) == (cell != "no")


def test_without_weights_the_networks_see_that():
    SEEN.clear()
    TOOLS["GridSearchCV"]()
    assert SEEN
    assert not any(SEEN)


def test_each_row_has_a_tool_and_each_tool_a_row():
    assert sorted(tool for tool, *_ in ROWS) == sorted(TOOLS)
