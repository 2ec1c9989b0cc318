"""What scikit-learn's own scorers make of targets per timestep: docs/meta_estimators.md has it all.

Nothing that the estimators do can change these outcomes. If a release of scikit-learn does, these
tests say which lines to change.
"""

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline

from sequences import object_array, padded
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.metrics import make_sequence_scorer

pytestmark = pytest.mark.filterwarnings("ignore")

TEXT = (Path(__file__).parents[2] / "docs" / "meta_estimators.md").read_text(encoding="utf-8")
SECTION = TEXT.split("\n### Metrics per timestep\n")[1].split("\n### ")[0]
NAMES = get_scorer_names()

N, T = 40, 4
X = np.random.default_rng(0).standard_normal((N, T, 1))
LENGTHS = np.random.default_rng(1).integers(2, T + 1, N)
SUMS = X[:, :, 0].cumsum(axis=1)
BITS = (SUMS > 0).astype(int)
THREE = BITS + (SUMS > 0.8)
OPTIONS = {"return_sequences": True, "hidden_size": 3, "max_iter": 5, "random_state": 0}


def cut(rows):
    return [row[:length] for row, length in zip(rows, LENGTHS, strict=True)]


def filled(y, fill):
    return {f"{y.dtype} {fill}": (padded(cut(X)), padded(cut(y), fill=fill))}


# By the first column of the table in the docs: X and y.
LABELS = {
    "strings": {"array": (X, np.where(BITS, "yes", "no"))} | filled(BITS.astype(str), ""),
    "an object array as y": {"array": (X, object_array(BITS))},
    "a list of arrays of different lengths": {"lists": (cut(X), cut(BITS))},
    "floats padded with NaN": filled(BITS.astype(float), np.nan),
    "integers padded with -1": filled(BITS, -1),
    "three or more numbers": {"three": (list(X), list(THREE)), "four": (X, THREE + (SUMS > -0.5))},
    "two numbers or booleans, in sequences of one length": {
        "0 and 1": (X, BITS),
        "lists": (list(X), BITS.tolist()),
        "booleans": (X, SUMS > 0),
        "floats": (X, BITS.astype(float)),
        "1 and 2": (X, BITS + 1),
        "-1 and 0": (X, BITS - 1),
    },
    "two numbers or booleans, padded with one of them": filled(BITS, 0) | filled(SUMS > 0, False),
}
NUMBERS = {
    "sequences of one length, in an array or a list": {
        "array": (X, SUMS + 9),
        "lists": (list(X), list(SUMS + 9)),
    },
    "all others": {
        "different lengths": (cut(X), cut(SUMS + 9)),
        "object array": (X, object_array(SUMS + 9)),
        "padded": (padded(cut(X)), padded(cut(SUMS + 9))),
    },
}


def table(heading):
    """First column and second column of a table."""
    after = SECTION.split(f"| {heading} |")[1].split("\n\n")[0]
    return dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", after, flags=re.MULTILINE))


def names_in(start):
    """The scorers that a sentence of the docs names, from its first words to its end."""
    sentence = SECTION[SECTION.index(start) :]
    sentence = sentence[: re.search(r"(?<=[a-z`])\.\s", sentence).start()]
    return set(re.findall("`([a-z0-9_]+)`", sentence)) & set(NAMES)


AVERAGED = {
    f"{metric}{ending}"
    for metric in ("f1", "jaccard", "precision", "recall")
    for ending in ("_macro", "_micro", "_samples", "_weighted")
}
MISREAD = {"accuracy"} | AVERAGED | names_in("`roc_auc`, `roc_auc_ovo`")
MEANS = names_in("A mean over timesteps: ")
SAME = names_in("`neg_mean_absolute_error`, `neg_mean_squared_error`")


@cache
def fitted(row, case):
    """A network, its X and its y."""
    estimator, cases = (RNNClassifier, LABELS) if row in LABELS else (RNNRegressor, NUMBERS)
    x, y = cases[row][case]
    return estimator(**OPTIONS).fit(x, y), x, y


def score(scorer, *arguments):
    """The score; None if the scorer raises an error."""
    try:
        return scorer(*arguments)
    except (ValueError, TypeError, AttributeError, IndexError):
        return None


def outcome(name, row, case):
    found = score(get_scorer(name), *fitted(row, case))
    if found is None:
        return "refuse"
    right = score(make_sequence_scorer(name), *fitted(row, case))
    return "right" if right is not None and np.isclose(found, right) else "wrong"


@pytest.mark.parametrize(("heading", "cases"), [("labels", LABELS), ("numbers", NUMBERS)])
def test_each_row_has_cases(heading, cases):
    assert set(table(heading)) == set(cases)


@pytest.mark.parametrize("row", LABELS)
@pytest.mark.parametrize("name", sorted(set(NAMES) - MEANS - SAME))
def test_labels(name, row):
    found = {outcome(name, row, case) for case in LABELS[row]}
    may_be_wrong = table("labels")[row] == "wrong" and name in MISREAD
    assert found <= ({"refuse", "wrong"} if may_be_wrong else {"refuse"})


@pytest.mark.parametrize("name", sorted(MISREAD))
def test_labels_that_are_misread(name):
    row = "two numbers or booleans, in sequences of one length"
    assert outcome(name, row, "0 and 1") == "wrong"


@pytest.mark.parametrize("row", NUMBERS)
@pytest.mark.parametrize("name", NAMES)
def test_numbers(name, row):
    found = {outcome(name, row, case) for case in NUMBERS[row]}
    of_outputs = "wrong" if name in MEANS else "right" if name in SAME else "refuse"
    assert found == {"refuse" if table("numbers")[row] == "refuse" else of_outputs}


class Column(RegressorMixin, BaseEstimator):
    """What a network predicts for one timestep."""

    def __init__(self, network=None, t=0):
        self.network = network
        self.t = t

    def predict(self, X):
        return self.network.predict(X)[:, self.t]


@pytest.mark.parametrize("name", sorted(MEANS | SAME))
def test_a_mean_over_timesteps_is_one(name):
    network, x, y = fitted("sequences of one length, in an array or a list", "array")
    scorer = get_scorer(name)
    each = [scorer(Column(network, t), x, y[:, t]) for t in range(T)]
    assert scorer(network, x, y) == pytest.approx(np.mean(each))


@pytest.mark.parametrize("wrap", [lambda network: network, make_pipeline], ids=["", "pipeline"])
def test_a_search_is_given_the_same_scores(wrap):
    model = wrap(RNNClassifier(**OPTIONS))
    folds = list(KFold(3).split(X))
    networks = [clone(model).fit(X[train], BITS[train]) for train, _ in folds]
    right = [
        BITS[test] == network.predict(X[test])
        for network, (_, test) in zip(networks, folds, strict=True)
    ]
    by_name = cross_val_score(model, X, BITS, cv=folds, scoring="accuracy")
    assert by_name == pytest.approx([part.all(axis=1).mean() for part in right])
    scorer = make_sequence_scorer("accuracy")
    of_steps = cross_val_score(model, X, BITS, cv=folds, scoring=scorer)
    assert of_steps == pytest.approx([part.mean() for part in right])
    assert cross_val_score(model, X, BITS, cv=folds) == pytest.approx(of_steps)
