"""y that can't be targets, per sequence or per timestep."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from refusals import (
    ARRAY,
    HUGE,
    LABELS,
    LENGTHS,
    NUMBERS,
    PADDED,
    RAGGED,
    RAGGED_LABELS,
    RAGGED_NUMBERS,
    STEP_LABELS,
    STEP_NUMBERS,
    TABLE,
    THING,
    N,
    T,
    changed,
    make,
    refused,
)
from sequences import object_array, padded
from versions import scikit_learn_since

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# One target per sequence: (y, words)
BAD_TARGETS = {
    "None": (lambda: None, ["None", "require"]),
    "too few": (lambda: LABELS[:5], ["6", "5", r"\bX\b"]),
    "too many": (lambda: np.append(LABELS, 1), ["6", "7", r"\bX\b"]),
    "none": (lambda: [], ["6", "0"]),
    "a row": (lambda: LABELS[np.newaxis], ["6", "1"]),
    "a number": (lambda: 1.0, ["one target per sequence"]),
    "0-D": (lambda: np.array(1), ["one target per sequence"]),
    "4-D": (lambda: np.zeros((N, 2, 2, 1), int), ["return_sequences", "one", r"n_samples"]),
    "no outputs": (
        lambda: np.zeros((N, 0), int),
        [r"\(6, 0\)|0 (feature|output)", "at least|minim"],
    ),
    "ragged": (lambda: RAGGED_LABELS, ["return_sequences", "one", "n_samples"]),
    "ragged objects": (
        lambda: object_array(RAGGED_LABELS),
        ["return_sequences", "one", "n_samples"],
    ),
    "one is longer": (lambda: [[1], [0], [1], [0], [1], [0, 1]], ["one"]),
    "NaN": (lambda: changed(LABELS + 0.0, (2,), np.nan), ["sample 2", "nan", "finite"]),
    "inf": (lambda: changed(LABELS + 0.0, (5,), -np.inf), ["sample 5", "inf", "finite"]),
    "NA": (lambda: pd.Series([1, 0, None, 0, 1, 0], dtype="Int64"), ["sample 2", "nan|NA"]),
    "complex": (lambda: LABELS + 1j, ["[Cc]omplex"]),
    "str": (lambda: "aaaaab", ["str|aaaaab"]),
    "bytes": (lambda: b"aaaaab", ["bytes|aaaaab"]),
    "dict": (lambda: dict.fromkeys(range(N), 1), ["dict|{0: 1"]),
    "set": (lambda: set(range(N)), ["set|{0, 1"]),
    "generator": (lambda: (1 for _ in range(N)), ["generator"]),
    "thing": (lambda: THING, ["Thing"]),
    "list of things": (lambda: [THING] * N, []),
    "list of dicts": (lambda: [{}] * N, []),
    "too large for a float": (lambda: [HUGE] * N, []),
}
BAD_NUMBERS = {
    "None among them": (lambda: [1.0, None, 2.0, 3.0, 4.0, 5.0], ["sample 1"]),
    "NaN in an output": (
        lambda: changed(np.zeros((N, 2)), (3, 1), np.nan),
        ["sample 3", "nan", "finite"],
    ),
    "no outputs of a horizon": (lambda: np.zeros((N, 2, 0)), [r"\(6, 2, 0\)", "at least"]),
    "NaN in a horizon": (
        lambda: changed(np.zeros((N, 2, 3)), (4, 1, 2), np.nan),
        ["sample 4", "nan", "finite"],
    ),
    "words": (lambda: list("abcdef"), ["number|float", "'a'|<U"]),
    "sparse": (lambda: sparse.csr_array(np.ones((N, 2))), ["[Ss]parse"]),
    "datetimes": (lambda: np.zeros(N, "M8[s]"), ["number", "datetime"]),
}
BAD_LABELS = {
    "continuous": (lambda: NUMBERS, ["continuous", "class"]),
    "3-D": (lambda: np.zeros((N, 2, 2), int), ["return_sequences", "one", r"n_samples"]),
    "continuous outputs": (lambda: np.c_[NUMBERS, NUMBERS], ["continuous", "class"]),
    "too large for an integer": (lambda: [1e150, *LABELS[1:]], ["continuous", "class"]),
    "multiclass-multioutput": (
        lambda: np.c_[LABELS, np.arange(N)],
        ["multiclass-multioutput", "indicator", "return_sequences"],
    ),
    "lists of labels": (lambda: [[1, 2], [1], [2], [1, 2], [1], [2]], ["one", "return_seq"]),
    "None among them": (lambda: ["a", None, "b", "a", "b", "a"], []),
    "NaN among words": (lambda: np.array(["a", np.nan] * 3, dtype=object), []),
    "numbers among words": (lambda: np.array(["a", 1] * 3, dtype=object), []),
    "bytes in an array": (lambda: np.array([b"a", b"b"] * 3), ["bytes"]),
    "things": (lambda: np.array([THING, int] * 3, dtype=object), []),
}
# Before, scikit-learn warned that they would be refused.
SINCE = {"bytes in an array": scikit_learn_since(7, "an error for labels that are bytes")}
ALL_BAD_TARGETS = [
    pytest.param(kind, *case, id=f"{kind}-{name}", marks=SINCE.get(name, ()))
    for kind, own in (("regressor", BAD_NUMBERS), ("classifier", BAD_LABELS))
    for name, case in (BAD_TARGETS | own).items()
]


@pytest.mark.parametrize(("kind", "y", "words"), ALL_BAD_TARGETS)
class TestBadTargets:
    def test_is_refused(self, kind, y, words):
        classes = {"classes": [0, 1]} if kind == "classifier" else {}
        for X in (ARRAY, RAGGED, TABLE):
            refused(make(kind), "fit", X, y())
            refused(make(kind), "partial_fit", X, y(), **classes)
            estimator = make(kind, X)
            for method in ("fit", "partial_fit", "score"):
                refused(estimator, method, X, y())

    def test_in_plain_words(self, kind, y, words):
        refused(make(kind), "fit", ARRAY, y(), words=[r"\by\b", *words])


# One target per timestep: (X, y, words)
BAD_STEP_TARGETS = {
    "one per sequence": (ARRAY, LABELS, ["return_sequences", r"y\[0\]", "4"]),
    "one per sequence, list": (RAGGED, LABELS.tolist(), ["return_sequences", r"y\[0\]", "3"]),
    "one for a sequence": (
        RAGGED,
        changed(RAGGED_LABELS, (4,), 1),
        ["return_sequences", r"y\[4\]", "5"],
    ),
    "None": (ARRAY, None, ["None", "require"]),
    "None for a sequence": (RAGGED, changed(RAGGED_LABELS, (4,), None), [r"y\[4\]", "5"]),
    "too few sequences": (RAGGED, RAGGED_LABELS[:5], ["6", "5", r"\bX\b"]),
    "too many rows": (ARRAY, np.zeros((7, T), int), ["6", "7", r"\bX\b"]),
    "too few timesteps": (ARRAY, STEP_LABELS[:, :3], ["3", "4", "timestep"]),
    "too many timesteps": (ARRAY, np.zeros((N, 5), int), ["5", "4", "timestep"]),
    "too few timesteps, padded": (PADDED, np.zeros((N, 4), int), ["4", "5", "timestep"]),
    "too few timesteps, list": (RAGGED, STEP_LABELS, ["4", "5", "timestep"]),
    "one too short": (
        RAGGED,
        changed(RAGGED_LABELS, (2,), [1, 0, 1]),
        [r"y\[2\] has 3", r"X\[2\] has 4", "timesteps"],
    ),
    "one too long": (
        RAGGED,
        changed(RAGGED_LABELS, (2,), [1, 0, 1, 0, 1]),
        [r"y\[2\] has 5", r"X\[2\] has 4", "timesteps"],
    ),
    "one too short, padded": (
        PADDED,
        changed(RAGGED_LABELS, (2,), [1, 0, 1]),
        [r"y\[2\] has 3", r"X\[2\] has 4", "timesteps"],
    ),
    "one too short, objects": (
        object_array(RAGGED),
        object_array(changed(RAGGED_LABELS, (2,), np.array([1, 0, 1]))),
        [r"y\[2\] has 3", r"X\[2\] has 4", "timesteps"],
    ),
    "one empty": (
        RAGGED,
        changed(RAGGED_LABELS, (2,), []),
        [r"y\[2\] has 0", r"X\[2\] has 4", "timesteps"],
    ),
    "short for a table": (TABLE, STEP_LABELS[:, :3], ["3", "4", "timestep"]),
    "4-D": (ARRAY, np.zeros((N, T, 1, 1), int), ["dimensions", "n_timesteps"]),
    "3-D for a sequence": (
        RAGGED,
        [x[:, np.newaxis, np.newaxis] for x in RAGGED_LABELS],
        ["dimensions", "n_timesteps"],
    ),
    "mixed dimensions": (
        RAGGED,
        changed(RAGGED_LABELS, (2,), np.zeros((4, 1), int)),
        ["differ|dimensions|shape", r"y\[2\]"],
    ),
    "uneven": (RAGGED, changed(RAGGED_LABELS, (2,), [[1], [1, 2], 3, 4]), [r"y\[2\]"]),
    "NaN": (
        ARRAY,
        changed(STEP_LABELS + 0.0, (2, 1), np.nan),
        ["sample 2", "nan", "finite"],
    ),
    "NaN before padding": (
        PADDED,
        changed(padded(RAGGED_NUMBERS).round(), (3, 1), np.nan),
        ["sample 3", "nan", "finite"],
    ),
    "NaN in a list": (
        RAGGED,
        changed([x + 0.0 for x in RAGGED_LABELS], (4, 4), np.nan),
        ["sample 4", "nan", "finite"],
    ),
    "inf": (ARRAY, changed(STEP_LABELS + 0.0, (0, 0), np.inf), ["sample 0", "inf", "finite"]),
    "complex": (ARRAY, STEP_LABELS + 1j, ["[Cc]omplex"]),
    "number": (ARRAY, 1.0, ["float", "n_timesteps"]),
    "str": (ARRAY, "abcdef", ["str", "n_timesteps"]),
    "list of str": (RAGGED, ["abc", "a", "abcd", "ab", "abcde", "ab"], [r"y\[0\]", "3"]),
    "dict": (ARRAY, dict(enumerate(STEP_LABELS)), ["dict", "n_timesteps"]),
    "set": (ARRAY, set(range(N)), ["set", "n_timesteps"]),
    "dicts": (RAGGED, [{}] * N, [r"y\[0\]", "3"]),
    "thing": (ARRAY, THING, ["Thing", "n_timesteps"]),
    "too large for a float": (ARRAY, np.full((N, T), HUGE), []),
}
BAD_STEP_NUMBERS = {
    "sparse": (ARRAY, sparse.csr_array(STEP_NUMBERS), ["sparse|csr_array"]),
    "no outputs": (ARRAY, np.zeros((N, T, 0)), [r"\(6, 4, 0\)|0 (feature|output)"]),
    "mixed outputs": (
        RAGGED,
        [np.zeros((length, 1 + (i == 2))) for i, length in enumerate(LENGTHS)],
        [r"y\[2\]", "outputs", "1", "2"],
    ),
    "words": (RAGGED, [["a"] * length for length in LENGTHS], ["number|float", "'a'|<U"]),
    "datetimes": (ARRAY, np.zeros((N, T), "M8[s]"), ["number", "datetime"]),
}
BAD_STEP_LABELS = {
    "continuous": (ARRAY, STEP_NUMBERS, ["continuous", "class"]),
    "continuous, list": (RAGGED, RAGGED_NUMBERS, ["continuous", "class"]),
    "several": (ARRAY, np.zeros((N, T, 2), int), ["dimensions", "n_timesteps"]),
    "several, list": (
        RAGGED,
        [np.zeros((length, 2), int) for length in LENGTHS],
        ["dimensions", "n_timesteps"],
    ),
    "bytes in an array": (ARRAY, STEP_LABELS.astype("S"), ["bytes"]),
    "None among words": (
        ARRAY,
        changed(STEP_LABELS.astype(str).astype(object), (1, 3), None),
        [],
    ),
}
ALL_BAD_STEP_TARGETS = [
    pytest.param(kind, *case, id=f"{kind}-{name}", marks=SINCE.get(name, ()))
    for kind, own in (("regressor", BAD_STEP_NUMBERS), ("classifier", BAD_STEP_LABELS))
    for name, case in (BAD_STEP_TARGETS | own).items()
]


@pytest.mark.parametrize(("kind", "X", "y", "words"), ALL_BAD_STEP_TARGETS)
class TestBadTargetsPerTimestep:
    def test_is_refused(self, kind, X, y, words):
        classes = {"classes": [0, 1]} if kind == "classifier" else {}
        good = {id(ARRAY): STEP_LABELS, id(TABLE): STEP_LABELS, id(PADDED): np.zeros((N, 5), int)}
        estimator = make(kind, X, good.get(id(X), RAGGED_LABELS), return_sequences=True)
        for method in ("fit", "partial_fit", "score"):
            refused(estimator, method, X, y)
        refused(make(kind, return_sequences=True), "fit", X, y)
        refused(make(kind, return_sequences=True), "partial_fit", X, y, **classes)

    def test_in_plain_words(self, kind, X, y, words):
        refused(make(kind, return_sequences=True), "fit", X, y, words=[r"\by\b", *words])
