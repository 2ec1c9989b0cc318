"""X that can't be sequences, or that doesn't fit the X of the estimator's fit."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError

from refusals import (
    ARRAY,
    FRAME,
    HUGE,
    NUMBERS,
    PADDED,
    PREDICTIONS,
    RAGGED,
    TABLE,
    TARGETS,
    THING,
    F,
    N,
    T,
    by_id,
    changed,
    make,
    refused,
)
from sequences import object_array
from sklearn_rnn import RNNRegressor
from versions import scikit_learn_since

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# What would be right: something that has timesteps.
RIGHT = r"n_timesteps|array \(n_samples|list of (arrays|sequences)"

# Nothing of this holds sequences. A function, since some things can be read only once.
NO_SEQUENCES = {
    "None": (lambda: None, "None"),
    "a number": (lambda: 3.0, "scalar|float|0-D|0 dimensions"),
    "0-D": (lambda: np.array(3.0), r"scalar|0-D|0 dimensions|shape \(\)"),
    "1-D": (lambda: np.arange(6.0), r"1-?D|1 dimension|\(6,\)"),
    "4-D": (lambda: np.zeros((N, 2, 3, 2)), r"4-?D|dim(ension)?s? 4|4 dimensions|\(6, 2, 3, 2\)"),
    "list of numbers": (lambda: [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "1-?D|1 dimension|float|number"),
    "Series of numbers": (lambda: pd.Series(NUMBERS), r"Series|1-?D|\(6,\)"),
    "no sequence": (lambda: [], r"empty|no sequence|0 s|\(0,\)|array=\[\]"),
    "no sequence, tuple": (lambda: (), r"empty|no sequence|0 s|\(0,\)|array=\[\]"),
    "no sequence, array": (lambda: np.array([]), r"empty|no sequence|0 s|\(0,\)|array=\[\]"),
    "no sequence, objects": (
        lambda: np.array([], dtype=object),
        r"empty|no sequence|0 s|\(0,\)|array=\[\]",
    ),
    "str": (lambda: "abcdef", "str|abcdef"),
    "bytes": (lambda: b"abcdef", "bytes|abcdef"),
    "list of str": (lambda: list("abcdef"), "str|'a'"),
    "dict": (lambda: dict(enumerate(RAGGED)), "dict"),
    "set": (lambda: set(range(N)), "set"),
    "generator": (lambda: (x for x in RAGGED), "generator"),
    "thing": (lambda: THING, "Thing"),
    "list of things": (lambda: [THING] * N, "Thing|1-?D|1 dim"),
    "list of sets": (lambda: [{1, 2}] * N, r"set|\{1, 2\}|X\[0\] has 0 dimensions"),
    "list of None": (lambda: [None] * N, "None"),
    "class": (lambda: RNNRegressor, "type|class"),
    "structured": (lambda: np.zeros(N, dtype=[("a", float), ("b", float)]), r"dtype|1-?D|\(6,\)"),
}


@pytest.mark.parametrize(("X", "found"), by_id(NO_SEQUENCES))
class TestNoSequences:
    def test_is_refused(self, kind, X, found):
        y = TARGETS[kind]
        refused(make(kind), "fit", X(), y)
        for fitted_on in (ARRAY, TABLE):
            estimator = make(kind, fitted_on)
            for method in ("fit", "partial_fit", "score"):
                refused(estimator, method, X(), y)
            for method in PREDICTIONS[kind]:
                refused(estimator, method, X())

    def test_in_plain_words_by_fit(self, X, found):
        refused(make("regressor"), "fit", X(), NUMBERS, words=[r"\bX\b", found, RIGHT])

    def test_in_plain_words_by_predict(self, X, found):
        for fitted_on, right in ((ARRAY, RIGHT), (TABLE, r"n_samples|2-?D")):
            estimator = make("regressor", fitted_on)
            refused(estimator, "predict", X(), words=[r"\bX\b", found, right])


# One or all of the sequences are wrong. The words are those of fit and predict alike.
try:
    SPARSE_IN_3D = {
        "sparse in 3-D": (sparse.coo_array(ARRAY), [r"\bX\b", "sparse", "dense"]),
    }
except ValueError:  # SciPy has them from 1.15 on
    SPARSE_IN_3D = {}
BAD_SEQUENCES = {
    "0 sequences": (np.zeros((0, T, F)), [r"\bX\b", r"\(0, 4, 2\)", "at least one"]),
    "0 timesteps": (np.zeros((N, 0, F)), [r"\bX\b", r"\(6, 0, 2\)", "at least one"]),
    "0 features": (np.zeros((N, T, 0)), [r"\bX\b", r"\(6, 4, 0\)", "at least one"]),
    "an empty sequence": (changed(RAGGED, (1,), np.zeros((0, F))), [r"X\[1\]", "at least one"]),
    "empty at the end": (changed(RAGGED, (5,), np.zeros((0, F))), [r"X\[5\]", "at least one"]),
    "empty list": ([[[1.0, 2.0]], [], [[1.0, 2.0]]] * 2, [r"X\[1\]", "at least one"]),
    "empty first": ([[], [[1.0, 2.0]], [[1.0, 2.0]]] * 2, [r"X\[0\]", "at least one"]),
    "a sequence of no features": (changed(RAGGED, (1,), np.zeros((3, 0))), [r"X\[1\]"]),
    "all padding": (changed(ARRAY, (2,), np.nan), [r"X\[2\]", "empty", "NaN"]),
    "nothing but padding": (np.full((N, T, F), np.nan), [r"X\[0\]", "empty", "NaN"]),
    "NaN at the start": (changed(ARRAY, (1, 0), np.nan), ["sample 1", "nan", "timestep 0"]),
    "NaN in the middle": (changed(ARRAY, (2, 2), np.nan), ["sample 2", "nan", "timestep 2"]),
    "NaN in one feature at the end": (
        changed(ARRAY, (3, 3, 1), np.nan),
        ["sample 3", "nan", "timestep 3", "feature 1", "all the features"],
    ),
    "NaN before padding": (
        changed(PADDED, (0, 1), np.nan),
        ["sample 0", "nan", "timestep 1", "end"],
    ),
    "inf at the start": (changed(ARRAY, (5, 0, 1), np.inf), ["sample 5", "inf", "feature 1"]),
    "inf in the middle": (changed(ARRAY, (0, 1, 0), np.inf), ["sample 0", "inf", "timestep 1"]),
    "inf at the end": (changed(ARRAY, (4, 3), np.inf), ["sample 4", "inf", "timestep 3"]),
    "-inf at the end": (changed(ARRAY, (4, 3), -np.inf), ["sample 4", "-inf", "timestep 3"]),
    "inf behind padding": (
        changed(PADDED, (1, 4, 0), np.inf),
        ["sample 1", "nan", "timestep 1"],
    ),
    "inf in float32": (
        changed(ARRAY.astype(np.float32), (4, 3, 0), np.inf),
        ["sample 4", "inf", "timestep 3"],
    ),
    "NaN in a list": (changed(RAGGED, (2, 1, 0), np.nan), ["sample 2", "nan", "timestep 1"]),
    "NaN at the end in a list": (changed(RAGGED, (2, 3), np.nan), ["sample 2", "timestep 3"]),
    "NaN far on in a list": (
        changed(RAGGED * 100, (577, 0, 1), np.nan),
        ["sample 577", "timestep 0", "feature 1"],
    ),
    "NaN far on in an array": (
        changed(np.zeros((600, 300, F)), (577, 0, 1), np.nan),
        ["sample 577", "timestep 0", "feature 1"],
    ),
    "inf in a list": (changed(RAGGED, (5, 1, 1), np.inf), ["sample 5", "inf", "feature 1"]),
    "inf in objects": (
        object_array(changed(RAGGED, (5, 1, 1), np.inf)),
        ["sample 5", "inf", "feature 1"],
    ),
    "None in a sequence": (
        changed([x.astype(object) for x in RAGGED], (2, 1, 0), None),
        ["sample 2", "timestep 1"],
    ),
    "mixed widths": (
        changed(RAGGED, (3,), np.zeros((2, 3))),
        [r"X\[3\] has 3 features", r"X\[0\] has 2", "same"],
    ),
    "mixed dimensions": (
        changed(RAGGED, (3,), np.zeros(2)),
        [r"X\[3\] has 1 feature", r"X\[0\] has 2", "same"],
    ),
    "sequences in 3-D": ([np.zeros((2, 2, 2))] * N, [r"X\[0\]", "3 dim", "n_timesteps"]),
    "one sequence in 3-D": (
        changed(RAGGED, (4,), np.zeros((2, 2, 2))),
        [r"X\[4\]", "3 dim", "n_timesteps"],
    ),
    "a number among them": (changed(RAGGED, (4,), 3.0), [r"X\[4\]", "n_timesteps"]),
    "a number among lists": ([[1.0, 2.0], 3.0, [4.0]] * 2, [r"X\[1\]", "n_timesteps"]),
    "0-D among 1-D": (
        changed([x[:, 0] for x in RAGGED], (4,), np.array(3.0)),
        [r"X\[4\]", "n_timesteps"],
    ),
    "None among them": (changed(RAGGED, (4,), None), [r"X\[4\]", "n_timesteps"]),
    "dict among them": (changed(RAGGED, (4,), {"a": 1}), [r"X\[4\]", "n_timesteps"]),
    "str among them": (changed(RAGGED, (4,), "abc"), [r"X\[4\]", "n_timesteps|number"]),
    "thing among them": (changed(RAGGED, (4,), THING), [r"X\[4\]", "n_timesteps"]),
    "a number first": (changed(RAGGED, (0,), 3.0), [r"X\[0\]|list of float", "n_timesteps"]),
    "None first": (changed(RAGGED, (0,), None), [r"X\[0\]|list of None", "n_timesteps"]),
    "str first": (changed(RAGGED, (0,), "abc"), [r"X\[0\]|list of str", "n_timesteps"]),
    "uneven timesteps": (
        changed(RAGGED, (4,), [[1.0, 2.0], [3.0]]),
        [r"X\[4\]", "n_timesteps", "differ"],
    ),
    "uneven timesteps first": (
        changed(RAGGED, (0,), [[1.0, 2.0], [3.0]]),
        [r"X\[0\]", "n_timesteps", "differ"],
    ),
    "arrays in a 2-D object array": (
        object_array([*RAGGED, *RAGGED]).reshape(N, 2),
        [r"\bX\b", "array|number", "sequence"],
    ),
    "lists in a DataFrame": (
        pd.DataFrame({0: [x[:, 0].tolist() for x in RAGGED]}),
        [r"\bX\b", "array|number", "sequence"],
    ),
    "sparse": (sparse.csr_array(TABLE), [r"\bX\b", "sparse", "dense"]),
    "sparse matrix": (sparse.csc_matrix(TABLE), [r"\bX\b", "sparse", "dense"]),
    **SPARSE_IN_3D,
    "sparse among them": (
        changed(RAGGED, (4,), sparse.csr_array(RAGGED[4])),
        [r"X\[4\]", "sparse", "dense"],
    ),
    "complex": (ARRAY + 0j, [r"\bX\b", "[Cc]omplex"]),
    "complex among them": (changed(RAGGED, (4,), RAGGED[4] + 0j), [r"X\[4\]", "[Cc]omplex"]),
    "complex objects": ((ARRAY + 1j).astype(object), [r"\bX\b", "complex"]),
    "strings": (ARRAY.astype(str), [r"\bX\b", "numbers", "<U"]),
    "strings among them": (
        changed(RAGGED, (4,), RAGGED[4].astype(str)),
        [r"X\[4\]", "numbers", "<U"],
    ),
    "bytes": (ARRAY.astype("S"), [r"\bX\b", "numbers", r"\|S"]),
    "words as objects": (np.full((N, T, F), "a", dtype=object), [r"\bX\b", "numbers", "'a'"]),
    "datetimes": (ARRAY.astype("M8[s]"), [r"\bX\b", "numbers", "datetime"]),
    "datetimes among them": (
        changed(RAGGED, (4,), RAGGED[4].astype("M8[s]")),
        [r"X\[4\]", "numbers", "datetime"],
    ),
    "timedeltas": (ARRAY.astype("m8[s]"), [r"\bX\b", "numbers", "timedelta"]),
    "records": (np.zeros((N, T, F), dtype=[("a", float)]), [r"\bX\b", "numbers"]),
    "too large for a float": (np.full((N, T, F), HUGE), [r"\bX\b", "too large"]),
    "too large for a float among them": (
        changed(RAGGED, (4,), np.full((2, F), HUGE)),
        [r"X\[4\]", "too large"],
    ),
    "too large for float64": (
        changed(ARRAY.astype(np.longdouble), (4, 3), np.finfo(np.longdouble).max),
        [r"\bX\b", "4", "infinity|too large"],
    ),
}
if np.finfo(np.longdouble).max == np.finfo(np.float64).max:
    del BAD_SEQUENCES["too large for float64"]


def refused_everywhere(kind, X, y):
    refused(make(kind), "fit", X, y)
    for fitted_on in (ARRAY, TABLE):
        estimator = make(kind, fitted_on)
        for method in ("fit", "partial_fit", "score"):
            refused(estimator, method, X, y)
        for method in PREDICTIONS[kind]:
            refused(estimator, method, X)


@pytest.mark.parametrize(("X", "words"), by_id(BAD_SEQUENCES))
class TestBadSequences:
    def test_is_refused(self, kind, X, words):
        y = np.resize(TARGETS[kind], len(X) if isinstance(X, (list, np.ndarray)) else N)
        refused_everywhere(kind, X, y)

    def test_in_plain_words(self, X, words):
        # Of what has no samples or several hundred, X is read before y.
        refused(make("regressor"), "fit", X, NUMBERS, words=words)
        refused(make("regressor", RAGGED), "predict", X, words=words)


BAD_TABLES = {
    "0 samples": (np.zeros((0, T)), [r"\bX\b", r"\(0, 4\)"]),
    "0 timesteps": (np.zeros((N, 0)), [r"\bX\b", r"\(6, 0\)"]),
    "NaN at the start": (changed(TABLE, (1, 0), np.nan), ["sample 1", "nan", "timestep 0", "end"]),
    "NaN in the middle": (changed(TABLE, (2, 2), np.nan), ["sample 2", "nan", "timestep 2"]),
    "all padding": (changed(TABLE, (2,), np.nan), [r"X\[2\]", "empty", "NaN"]),
    "inf at the start": (changed(TABLE, (3, 0), np.inf), ["sample 3", "inf", "timestep 0"]),
    "inf at the end": (changed(TABLE, (3, 3), -np.inf), ["sample 3", "-inf", "timestep 3"]),
    "complex": (TABLE + 0j, [r"\bX\b", "[Cc]omplex"]),
    "strings": (TABLE.astype(str), [r"\bX\b", "numbers|numeric", "<U|string"]),
    "list of strings": (TABLE.astype(str).tolist(), [r"\bX\b", "numbers|numeric", "<U|string"]),
    "words as objects": (np.full((N, T), "a", dtype=object), [r"\bX\b", "number|float", "'a'"]),
    "datetimes": (TABLE.astype("M8[s]"), [r"\bX\b", "numbers", "datetime"]),
    "None in it": (changed(TABLE.astype(object), (1, 0), None), ["sample 1", "timestep 0"]),
    "too large for a float": (np.full((N, T), HUGE), [r"\bX\b", "too large"]),
    "np.matrix": (TABLE.view(np.matrix), ["matrix"]),
    "DataFrame of words": (pd.DataFrame(np.full((N, T), "a")), [r"\bX\b", "number|float", "'a'"]),
    "DataFrame of datetimes": (
        pd.DataFrame(TABLE.astype("M8[s]")),
        [r"\bX\b", "numbers|numeric", "[Dd]ate"],
    ),
    "DataFrame with NaN": (
        pd.DataFrame(changed(TABLE, (2, 2), np.nan)),
        ["sample 2", "nan", "timestep 2"],
    ),
    "DataFrame of mixed names": (
        pd.DataFrame(TABLE, columns=["a", 1, "b", 2]),
        ["names", "str", "int"],
    ),
}


@pytest.mark.parametrize(("X", "words"), by_id(BAD_TABLES))
class TestBadTables:
    def test_is_refused(self, kind, X, words):
        refused_everywhere(kind, X, TARGETS[kind])

    def test_in_plain_words(self, X, words):
        refused(make("regressor"), "fit", X, NUMBERS, words=words)


@scikit_learn_since(9, "an error for columns of equal names")
def test_equal_names(kind):
    X = pd.DataFrame(TABLE, columns=["t1", "t2", "t3", "t1"])
    refused_everywhere(kind, X, TARGETS[kind])
    refused(make(kind), "fit", X, TARGETS[kind], words=["names", r"\bt1\b"])


# X may be good, but not what the estimator was fitted on: (fitted on, given, words)
OTHER_INPUT = {
    "fewer features": (ARRAY, ARRAY[:, :, :1], [r"\bX\b", "1 features", "expecting 2"]),
    "more features": (ARRAY, np.zeros((N, T, 3)), [r"\bX\b", "3 features", "expecting 2"]),
    "more features, padded": (
        PADDED,
        np.concatenate([PADDED, PADDED], axis=2),
        [r"\bX\b", "4 features", "expecting 2"],
    ),
    "other features, list": (RAGGED, [x[:, :1] for x in RAGGED], [r"\bX\b", "1 f", "expecting 2"]),
    "one feature, list": (RAGGED, [x[:, 0] for x in RAGGED], [r"\bX\b", "1 f", "expecting 2"]),
    "table after array": (ARRAY, TABLE, [r"\bX\b", r"2-?D|\(6, 4\)", r"n_timesteps, 2\)"]),
    "table after list": (RAGGED, TABLE, [r"\bX\b", r"2-?D|\(6, 4\)", r"n_timesteps, 2\)"]),
    "table after one feature": (
        ARRAY[:, :, :1],
        TABLE,
        [r"\bX\b", r"2-?D|\(6, 4\)", r"n_timesteps, 1\)"],
    ),
    "DataFrame after array": (
        ARRAY,
        FRAME,
        [r"\bX\b", r"2-?D|DataFrame|\(6, 4\)", r"n_timesteps, 2\)"],
    ),
    "array after table": (TABLE, ARRAY, [r"\bX\b", r"\(6, 4, 2\)|3-?D", r"\(n_samples, 4\)"]),
    "one feature after table": (
        TABLE,
        TABLE[:, :, np.newaxis],
        [r"\bX\b", r"\(6, 4, 1\)|3-?D", r"\(n_samples, 4\)"],
    ),
    "list after table": (TABLE, RAGGED, [r"\bX\b", "list", r"\(n_samples, 4\)"]),
    "list of one feature after table": (
        TABLE,
        [x[:, 0] for x in RAGGED],
        [r"\bX\b", "list", r"\(n_samples, 4\)"],
    ),
    "fewer columns": (TABLE, TABLE[:, :3], [r"\bX\b", "3 features", "expecting 4"]),
    "more columns": (TABLE, np.zeros((N, 5)), [r"\bX\b", "5 features", "expecting 4"]),
    "renamed columns": (FRAME, FRAME.rename(columns={"t4": "t5"}), ["names", r"\bt5\b", r"\bt4\b"]),
    "other order of columns": (FRAME, FRAME[["t2", "t1", "t4", "t3"]], ["names", "order"]),
    "fewer columns in a DataFrame": (FRAME, FRAME[["t1", "t2", "t3"]], ["names", r"\bt4\b"]),
    "more columns in a DataFrame": (FRAME, FRAME.assign(t5=1.0), ["names", r"\bt5\b"]),
}


@pytest.mark.parametrize(("fitted_on", "X", "words"), by_id(OTHER_INPUT))
def test_other_input_than_in_fit(kind, fitted_on, X, words):
    estimator = make(kind, fitted_on)
    for method in PREDICTIONS[kind]:
        refused(estimator, method, X, words=words)
    for method in ("score", "partial_fit"):
        refused(estimator, method, X, TARGETS[kind], words=words)
    refused(make(kind, fitted_on, warm_start=True), "fit", X, TARGETS[kind], words=words)


@pytest.mark.parametrize(("X", "_"), by_id(BAD_SEQUENCES | BAD_TABLES))
def test_not_fitted_is_said_before_anything_else(kind, X, _):
    estimator = make(kind)
    for method in (*PREDICTIONS[kind], "score"):
        args = [X, None] if method == "score" else [X]
        with pytest.raises(NotFittedError, match=r"RNN\w+ instance is not fitted yet.*'fit'"):
            getattr(estimator, method)(*args)
    with pytest.raises(NotFittedError, match="not fitted"):
        estimator.weights_  # noqa: B018
    assert not hasattr(estimator, "weights_")
