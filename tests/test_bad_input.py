"""What can't be used is refused: by ValueError or TypeError, before any training, in plain words.

The words are searched for what they have to say: which argument, which sample where there is one,
what was found, what would be right. A refused call changes nothing, to the last bit.
"""

import pickle
import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError

from datasets import object_array, padded
from sklearn_rnn import RNNClassifier, RNNRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N, T, F = 6, 4, 2
LENGTHS = [3, 1, 4, 2, 5, 2]
RNG = np.random.default_rng(0)
ARRAY = RNG.normal(size=(N, T, F))
TABLE = RNG.normal(size=(N, T))
FRAME = pd.DataFrame(TABLE, columns=list("abcd"))
RAGGED = [RNG.normal(size=(length, F)) for length in LENGTHS]
PADDED = padded(RAGGED)

NUMBERS = RNG.normal(size=N)
LABELS = np.arange(N) % 2
STEP_NUMBERS = RNG.normal(size=(N, T))
STEP_LABELS = RNG.integers(3, size=(N, T))
RAGGED_NUMBERS = [RNG.normal(size=length) for length in LENGTHS]
RAGGED_LABELS = [np.arange(length) % 2 for length in LENGTHS]
WEIGHTS = np.arange(1.0, N + 1)

HUGE = 10**400  # an int greater than any float


class Thing:
    def __repr__(self):
        return "Thing()"


THING = Thing()

CLASSES = {"regressor": RNNRegressor, "classifier": RNNClassifier}
TARGETS = {"regressor": NUMBERS, "classifier": LABELS}
PREDICTIONS = {
    "regressor": ["predict"],
    "classifier": ["predict", "predict_proba", "predict_log_proba"],
}


@pytest.fixture(params=CLASSES)
def kind(request):
    return request.param


def make(kind, X=None, y=None, **parameters):
    """A small estimator; fitted if there is X."""
    estimator = CLASSES[kind](**{"hidden_size": 2, "max_iter": 1, "random_state": 0, **parameters})
    return estimator if X is None else estimator.fit(X, TARGETS[kind] if y is None else y)


def changed(values, where, value):
    """A copy of an array, or of a list of arrays, with something else in one place."""
    if isinstance(values, np.ndarray):
        copy = values.copy()
        copy[where] = value
        return copy
    sample, *rest = where
    copy = list(values)
    copy[sample] = changed(copy[sample], tuple(rest), value) if rest else value
    return copy


def by_id(cases):
    return [pytest.param(*case, id=name) for name, case in cases.items()]


def good_input(estimator):
    """Something that a fitted estimator can predict."""
    if hasattr(estimator, "feature_names_in_"):
        return FRAME
    if estimator._fitted_on_table:
        return TABLE
    return ARRAY[:, :, : estimator.n_features_in_]


def refused(estimator, method, *args, words=(), **kwargs):
    """A call raises, in these words (regular expressions), trains nothing, and changes nothing."""
    fitted = hasattr(estimator, "n_features_in_")
    predictions = estimator.predict(good_input(estimator)) if fitted else None
    before = pickle.dumps(estimator)
    with pytest.raises((ValueError, TypeError)) as caught:
        getattr(estimator.set_params(verbose=1), method)(*args, **kwargs)
    estimator.set_params(verbose=0)
    assert pickle.dumps(estimator) == before
    if fitted:
        np.testing.assert_array_equal(estimator.predict(good_input(estimator)), predictions)
    message = str(caught.value)
    assert not re.search(r"in epoch \d", message)
    for word in words:
        assert re.search(word, message), f"no {word!r} in the message: {message}"


@pytest.fixture(autouse=True)
def nothing_is_trained(capsys):
    """A refused call is verbose: an epoch would leave a line."""
    yield
    assert capsys.readouterr().out == ""


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
    "sparse in 3-D": (sparse.coo_array(ARRAY), [r"\bX\b", "sparse", "dense"]),
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


@pytest.mark.parametrize(("X", "words"), by_id(BAD_SEQUENCES))
class TestBadSequences:
    def test_is_refused(self, kind, X, words):
        y = np.resize(TARGETS[kind], len(X) if isinstance(X, (list, np.ndarray)) else N)
        refused(make(kind), "fit", X, y)
        for fitted_on in (ARRAY, TABLE):
            estimator = make(kind, fitted_on)
            for method in ("fit", "partial_fit", "score"):
                refused(estimator, method, X, y)
            for method in PREDICTIONS[kind]:
                refused(estimator, method, X)

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
    "DataFrame of equal names": (pd.DataFrame(TABLE, columns=list("abca")), ["names", r"\ba\b"]),
    "DataFrame of mixed names": (
        pd.DataFrame(TABLE, columns=["a", 1, "b", 2]),
        ["names", "str", "int"],
    ),
}


@pytest.mark.parametrize(("X", "words"), by_id(BAD_TABLES))
class TestBadTables:
    def test_is_refused(self, kind, X, words):
        y = TARGETS[kind]
        refused(make(kind), "fit", X, y)
        for fitted_on in (TABLE, ARRAY):
            estimator = make(kind, fitted_on)
            for method in ("fit", "partial_fit", "score"):
                refused(estimator, method, X, y)
            for method in PREDICTIONS[kind]:
                refused(estimator, method, X)

    def test_in_plain_words(self, X, words):
        refused(make("regressor"), "fit", X, NUMBERS, words=words)


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
    "renamed columns": (FRAME, FRAME.rename(columns={"d": "e"}), ["names", r"\be\b", r"\bd\b"]),
    "other order of columns": (FRAME, FRAME[list("badc")], ["names", "order"]),
    "fewer columns in a DataFrame": (FRAME, FRAME[list("abc")], ["names", r"\bd\b"]),
    "more columns in a DataFrame": (FRAME, FRAME.assign(e=1.0), ["names", r"\be\b"]),
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


# One target per sequence: (y, words)
BAD_TARGETS = {
    "None": (lambda: None, ["None", "require"]),
    "too few": (lambda: LABELS[:5], ["6", "5", r"\bX\b"]),
    "too many": (lambda: np.append(LABELS, 1), ["6", "7", r"\bX\b"]),
    "none": (lambda: [], ["6", "0"]),
    "a row": (lambda: LABELS[np.newaxis], ["6", "1"]),
    "a number": (lambda: 1.0, ["one target per sequence"]),
    "0-D": (lambda: np.array(1), ["one target per sequence"]),
    "3-D": (lambda: np.zeros((N, 2, 2), int), ["return_sequences", "one", r"n_samples"]),
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
    "words": (lambda: list("abcdef"), ["number|float", "'a'|<U"]),
    "sparse": (lambda: sparse.csr_array(np.ones((N, 2))), ["[Ss]parse"]),
    "datetimes": (lambda: np.zeros(N, "M8[s]"), ["number", "datetime"]),
}
BAD_LABELS = {
    "continuous": (lambda: NUMBERS, ["continuous", "class"]),
    "continuous outputs": (lambda: np.c_[NUMBERS, NUMBERS], ["continuous", "class"]),
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
ALL_BAD_TARGETS = [
    pytest.param(kind, *case, id=f"{kind}-{name}")
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
    "bytes": (ARRAY, STEP_LABELS.astype("S"), ["bytes"]),
    "None among words": (
        ARRAY,
        changed(STEP_LABELS.astype(str).astype(object), (1, 3), None),
        [],
    ),
}
ALL_BAD_STEP_TARGETS = [
    pytest.param(kind, *case, id=f"{kind}-{name}")
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


# Weights of sequences; the words are those without and with return_sequences.
BAD_WEIGHTS = {
    "too few": (WEIGHTS[:5], [r"\(5,\)|\b5\b", r"\(6,\)|\b6\b"]),
    "too many": (np.ones(7), [r"\(7,\)|\b7\b", r"\(6,\)|\b6\b"]),
    "none": ([], ["0|empty"]),
    "negative": (changed(WEIGHTS, (3,), -1.0), [r"sample 3|\[3\]", "-1", "negative"]),
    "NaN": (changed(WEIGHTS, (3,), np.nan), [r"sample 3|\[3\]", "[Nn]a[Nn]"]),
    "inf": (changed(WEIGHTS, (3,), np.inf), [r"sample 3|\[3\]", "inf"]),
    "all zero": (np.zeros(N), ["zero"]),
    "a number": (2.0, ["float|scalar", r"\(6,\)|n_samples|per sequence"]),
    "0-D": (np.array(2.0), [r"float|scalar|0-D|shape \(\)", r"\(6,\)|n_samples|per sequence"]),
    "column": (WEIGHTS[:, np.newaxis], ["1-D|per timestep"]),
    "row": (WEIGHTS[np.newaxis], ["1-D|inconsistent"]),
    "3-D": (np.ones((N, T, 1)), ["1-D|per timestep"]),
    "complex": (WEIGHTS + 0j, ["[Cc]omplex"]),
    "word": ("balanced", ["str|balanced"]),
    "words": (list("abcdef"), ["number|float", "'a'|<U"]),
    "None among them": ([1.0, None, 1.0, 1.0, 1.0, 1.0], [r"sample 1|\[1\]", "[Nn]a[Nn]|None"]),
    "dict": (dict.fromkeys(range(N), 1.0), ["dict"]),
    "set": (set(range(N)), ["set"]),
    "thing": (THING, ["Thing"]),
    "sparse": (sparse.csr_array(np.ones((1, N))), ["[Ss]parse|csr_array"]),
    "2-D memoryview": (memoryview(np.ones((N, 3))), ["timestep"]),
    "numbers and lists": ([1.0, [1.0, 2.0]] * 3, []),
    "too large for a float": ([HUGE] * N, []),
}


@pytest.mark.parametrize(("weights", "words"), by_id(BAD_WEIGHTS))
class TestBadWeights:
    def test_is_refused(self, kind, weights, words):
        y = TARGETS[kind]
        refused(make(kind), "fit", ARRAY, y, sample_weight=weights)
        for X, y, per_step in ((ARRAY, TARGETS[kind], False), (RAGGED, RAGGED_LABELS, True)):
            estimator = make(kind, X, y, return_sequences=per_step)
            for method in ("fit", "partial_fit", "score"):
                refused(estimator, method, X, y, sample_weight=weights)

    def test_in_plain_words(self, weights, words):
        words = ["sample_weight", *words]
        refused(make("regressor"), "fit", ARRAY, NUMBERS, sample_weight=weights, words=words)

    def test_in_plain_words_per_step(self, weights, words):
        estimator = make("regressor", return_sequences=True)
        words = ["sample_weight", *words]
        refused(estimator, "fit", ARRAY, STEP_NUMBERS, sample_weight=weights, words=words)


ONES = [np.ones(length) for length in LENGTHS]
BAD_STEP_WEIGHTS = {
    "one too short": (
        changed(ONES, (2,), np.ones(3)),
        [r"sample_weight\[2\] has 3", r"X\[2\] has 4"],
    ),
    "one too long": (
        changed(ONES, (2,), np.ones(5)),
        [r"sample_weight\[2\] has 5", r"X\[2\] has 4"],
    ),
    "too few sequences": (ONES[:5], ["sample_weight", "6", "5"]),
    "too few timesteps": (np.ones((N, 4)), ["sample_weight", "4", "5"]),
    "a negative one": (
        changed(ONES, (4, 3), -1.0),
        ["sample_weight", "negative", r"sample 4|\[4\]"],
    ),
    "NaN": (changed(ONES, (4, 3), np.nan), ["sample_weight", "[Nn]a[Nn]", r"sample 4|\[4\]"]),
    "all zero": ([0 * ones for ones in ONES], ["sample_weight", "zero"]),
    "per output": ([np.ones((length, 2)) for length in LENGTHS], ["sample_weight", "timestep"]),
}


@pytest.mark.parametrize(("weights", "words"), by_id(BAD_STEP_WEIGHTS))
def test_bad_weights_per_timestep(kind, weights, words):
    estimator = make(kind, RAGGED, RAGGED_LABELS, return_sequences=True)
    for method in ("fit", "partial_fit", "score"):
        refused(estimator, method, RAGGED, RAGGED_LABELS, sample_weight=weights, words=words)


@pytest.mark.parametrize("weights", [ONES, object_array(ONES), np.ones((N, 5))])
def test_weights_per_timestep_want_targets_per_timestep(kind, weights):
    words = ["sample_weight", "return_sequences", "one number per sequence"]
    estimator = make(kind, RAGGED)
    for method in ("fit", "partial_fit", "score"):
        refused(estimator, method, RAGGED, LABELS, sample_weight=weights, words=words)


# Numbers that a float can hold, though what is computed from them may overflow or vanish: a clear
# error, or a finite result, and no RuntimeWarning.
class TestExtremes:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("weight", [1e300, 1e39, 1e-39, 1e-50, 1e-300])
    def test_weights(self, kind, dtype, weight):
        estimator, X = make(kind), ARRAY.astype(dtype)
        try:
            estimator.fit(X, TARGETS[kind], sample_weight=np.full(N, weight))
        except (ValueError, TypeError) as error:
            assert "sample_weight" in str(error)  # noqa: PT017
        else:
            assert np.isfinite(estimator.predict(X)).all()

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("scale", [1e300, 1e200, 1e39, 1e20])
    def test_targets(self, dtype, scale):
        estimator, X = make("regressor"), ARRAY.astype(dtype)
        try:
            estimator.fit(X, NUMBERS * scale)
        except (ValueError, TypeError) as error:
            assert re.search(r"\by\b|targets", str(error))  # noqa: PT017
        else:
            assert np.isfinite(estimator.predict(X)).all()

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
    @pytest.mark.parametrize("scale", [1e308, 1e300, 1e39, 1e20, 1e-300])
    def test_predict(self, kind, cell, dtype, scale):
        estimator = make(kind, ARRAY.astype(dtype), cell=cell)
        X = np.sign(ARRAY) * scale
        for method in PREDICTIONS[kind]:
            try:
                predicted = getattr(estimator, method)(X)
            except (ValueError, TypeError) as error:
                assert re.search(r"\bX\b", str(error))  # noqa: PT017
            else:
                assert not np.isnan(predicted).any()
                assert method == "predict_log_proba" or np.isfinite(predicted).all()

    @pytest.mark.parametrize("scale", [1e300, 1e39, 1e20, 1e-300])
    def test_score(self, kind, scale):
        estimator = make(kind, ARRAY)
        assert np.isfinite(estimator.score(ARRAY, LABELS, sample_weight=np.full(N, scale)))

    @pytest.mark.parametrize(
        ("labels", "dtype", "fill"),
        [
            ([0, 1], "i8", -1),
            ([-1, 0], "i8", -2),
            ([-(2**63), -(2**63) + 1], "i8", -1),
            ([-(2**63), -1], "i8", None),
            ([-128, -1], "i1", None),
            ([0, 1], "u1", 255),
            ([0, 255], "u1", 254),
            ([2**63, 2**64 - 1], "u8", None),
        ],
        ids=str,
    )
    def test_labels_beside_padding(self, labels, dtype, fill):
        """There is room for another value than the labels, -1 where it can be and is no label."""
        y = np.resize(np.array(labels, dtype), (N, 5))
        predicted = make("classifier", PADDED, y, return_sequences=True).predict(PADDED)
        valid = ~np.isnan(PADDED[:, :, 0])
        assert set(predicted[valid].tolist()) <= set(labels)
        (filled_with,) = set(predicted[~valid].tolist())
        assert filled_with not in labels
        assert fill is None or filled_with == fill


CHOICES = {
    "cell": ["elman", "lstm", "gru"],
    "activation": ["tanh", "relu", "logistic", "identity"],
    "solver": ["adam", "rmsprop", "sgd", "lbfgs"],
    "learning_rate": ["constant", "invscaling", "adaptive", "cosine", "one_cycle"],
    "loss": [],  # what is right depends on the estimator
}
FLAGS = [
    "bidirectional",
    "return_sequences",
    "shuffle",
    "early_stopping",
    "nesterovs_momentum",
    "warm_start",
]
# What is not allowed any more, at the lower and at the upper end.
INTEGERS = {
    "hidden_size": (0, None),
    "n_layers": (0, None),
    "batch_size": (0, None),
    "bptt_steps": (0, None),
    "max_iter": (0, None),
    "n_iter_no_change": (0, None),
    "verbose": (-1, None),
}
REALS = {
    "alpha": (-1e-9, None),
    "learning_rate_init": (0, None),
    "power_t": (-0.1, None),
    "max_grad_norm": (0, None),
    "max_grad_value": (0, None),
    "tol": (-1e-9, None),
    "validation_fraction": (0, 1),
    "momentum": (-0.1, 1),
    "dropout": (-0.1, 1),
    "beta_1": (-0.1, 1),
    "beta_2": (-0.1, 1),
    "rho": (-0.1, 1),
    "epsilon": (0, None),
    "delta": (0, None),
    "quantile": (0, 1),
    "label_smoothing": (-0.1, 1),
}
OWN = {
    "regressor": {"delta", "quantile"},
    "classifier": {"label_smoothing", "class_weight"},
}
MAY_BE_NONE = {"bptt_steps", "max_grad_norm", "max_grad_value", "random_state"}
NO_STRINGS = [None, True, 0, 1.5, np.nan, b"gru", ["gru"], ("adam",), {"tanh"}, THING]
NO_NUMBERS = [None, "1", "auto ", b"1", [1], (1,), {1: 1}, 1j, np.array(1), np.ones(2), THING]


def wrong_values():
    """Yield parameter, value, error and words."""
    for name, choices in CHOICES.items():
        for value in NO_STRINGS:
            yield name, value, TypeError, choices
        for value in ("", "no such", "GRU", "gru ", "None"):
            yield name, value, ValueError, [re.escape(repr(value)), *choices]
    for name in FLAGS:
        for value in (None, 0, 1, 1.0, "True", np.nan, [True], np.array(True), THING):
            yield name, value, TypeError, ["True or False"]
    for name, (low, _) in INTEGERS.items():
        for value in NO_NUMBERS:
            if not (value is None and name in MAY_BE_NONE):
                error = (TypeError, ValueError) if isinstance(value, str) else TypeError
                words = [] if name in ("batch_size", "bptt_steps") else [r"int|number"]
                yield name, value, error, words
        for value in (1.0, 2.5, np.float64(3), np.nan, np.inf, Decimal(3)):
            yield name, value, TypeError, ["int"]
        for value in (low, np.int64(low), -3, -HUGE):
            yield name, value, ValueError, [str(int(value)), f">= {low + 1}"]
    for name, (low, high) in REALS.items():
        for value in NO_NUMBERS:
            if not (value is None and name in MAY_BE_NONE):
                error = (TypeError, ValueError) if isinstance(value, str) else TypeError
                yield name, value, error, []
        yield name, Decimal("0.5"), TypeError, ["float|real|number"]
        for value in (low, np.float64(low), -1.5, -HUGE):
            yield name, value, ValueError, [">"]
        for value in () if high is None else (high, np.float32(high), 1.5, HUGE):
            yield name, value, ValueError, [f"< {high}"]
        for value in (np.nan, np.inf, -np.inf, np.float32(np.nan)):
            yield name, value, ValueError, [str(value)]
    for name in (*INTEGERS, *REALS):
        for value in (True, False, np.bool_(True)):
            if name != "verbose":
                yield name, value, TypeError, ["number|int", str(value)]
    for value in ("0", 1.5, -1, np.nan, [1], THING, np.random.default_rng(0)):
        yield "random_state", value, (TypeError, ValueError), []
    for value in ("", "Balanced", "None"):
        yield "class_weight", value, ValueError, [re.escape(repr(value)), "'balanced' or a dict"]
    for value in (0, 1.5, True, [1.0, 2.0], np.ones(2), ("balanced",), THING):
        yield "class_weight", value, TypeError, ["'balanced' or a dict"]
    for weight, error in [
        *((weight, ValueError) for weight in (-1, -0.1, np.nan, np.inf)),
        *((weight, TypeError) for weight in (None, "1", True, 1j, [1], THING)),
    ]:
        yield "class_weight", {0: 1.0, 1: weight}, error, [r"class_weight\[1\]"]
    yield "class_weight", {0: 2.0, "1": 3.0}, ValueError, [r"\['1'\]", r"\[1\]", "classes"]
    yield "class_weight", {0: 0.0, 1: 0.0}, ValueError, ["sum of the weights"]
    yield "class_weight", {0: 1e308, 1: 1e308}, ValueError, ["sum of the weights"]


def kinds_with(name):
    """The estimators that have a parameter."""
    return [kind for kind in CLASSES if not any(name in OWN[other] for other in {*OWN} - {kind})]


WRONG_VALUES = [
    pytest.param(kind, *case, id=f"{kind}-{case[0]}-{str(case[1])[:12]}-{type(case[1]).__name__}")
    for case in wrong_values()
    for kind in kinds_with(case[0])
]


@pytest.mark.parametrize(("kind", "name", "value", "error", "words"), WRONG_VALUES)
def test_wrong_parameter(kind, name, value, error, words):
    y = TARGETS[kind]
    with pytest.raises(error) as caught:
        make(kind, **{name: value}).fit(ARRAY, y)
    for word in (rf"\b{name}\b", *words):
        assert re.search(word, str(caught.value)), f"no {word!r} in: {caught.value}"

    classes = {"classes": [0, 1]} if kind == "classifier" else {}
    if name != "verbose":  # which `refused` sets
        for estimator in (make(kind), make(kind, ARRAY)):
            estimator.set_params(**{name: value})
            refused(estimator, "fit", ARRAY, y)
            estimator.set_params(**make(kind).get_params())
        if name not in ("random_state", "early_stopping"):
            refused(make(kind, **{name: value}), "partial_fit", ARRAY, y, **classes)


def test_no_parameter_is_forgotten(kind):
    checked = {*CHOICES, *FLAGS, *INTEGERS, *REALS, "random_state", "class_weight"}
    assert {name for name in checked if kind in kinds_with(name)} == set(make(kind).get_params())


@pytest.mark.parametrize(
    ("kind", "loss"), [("regressor", "log_loss"), ("classifier", "squared_error")]
)
def test_the_other_ones_loss(kind, loss):
    right = {"regressor": "squared_error", "classifier": "log_loss"}[kind]
    refused(make(kind, loss=loss), "fit", ARRAY, TARGETS[kind], words=["loss", loss, right])


@pytest.mark.parametrize(
    ("name", "value", "method"),
    [
        ("bidirectional", True, "fit"),
        ("bidirectional", True, "partial_fit"),
        ("solver", "lbfgs", "fit"),
    ],
)
def test_what_does_not_go_with_truncation(kind, name, value, method):
    classes = {"classes": [0, 1]} if (kind, method) == ("classifier", "partial_fit") else {}
    estimator = make(kind, bptt_steps=100, **{name: value})
    words = ["bptt_steps=100", name, str(value), "bptt_steps=None"]
    refused(estimator, method, ARRAY, TARGETS[kind], words=words, **classes)


RIGHT_VALUES = {
    "hidden_size": [1, np.int64(2), np.uint8(3)],
    "n_layers": [1, np.int32(2)],
    "batch_size": ["auto", np.str_("auto"), 1, np.int64(4), 10**30],
    "bptt_steps": [None, 1, np.int64(2), 10**30],
    "max_iter": [1, np.int64(2)],
    "n_iter_no_change": [1, np.int64(2), 10**30],
    "verbose": [0, np.int64(0), False],
    "alpha": [0, 0.0, 1, np.float32(0.1), np.int64(1)],
    "learning_rate_init": [1, 1e-9, np.float32(0.1), np.int64(1)],
    "power_t": [0, 1, np.float64(0.5)],
    "max_grad_norm": [None, 1, np.float32(0.1), 1e300],
    "max_grad_value": [None, 1, np.float32(0.1), 1e300],
    "tol": [0, 1, np.float32(0.1)],
    "validation_fraction": [0.5, np.float32(0.5), 1e-9],
    "momentum": [0, 0.0, np.float32(0.5)],
    "dropout": [0, 0.0, np.float32(0.5), 0.999],
    "bidirectional": [False, True, np.bool_(True)],
    "beta_1": [0, 0.999, np.float32(0.5)],
    "beta_2": [0, 0.9999, np.float32(0.5)],
    "rho": [0, 0.99, np.float32(0.5)],
    "epsilon": [1e-12, 1, np.float32(1e-8)],
    "delta": [1e-12, 1, np.float32(0.5)],
    "quantile": [1e-12, 0.999, np.float32(0.5)],
    "label_smoothing": [0, 0.999, np.float32(0.5)],
    "class_weight": [None, "balanced", np.str_("balanced"), {}, {0: 2}, {0: np.float32(0.5), 1: 0}],
    "shuffle": [False, np.bool_(True)],
    "nesterovs_momentum": [False, np.bool_(True)],
    "warm_start": [np.bool_(False), True],
    "early_stopping": [np.bool_(False)],
    "return_sequences": [np.bool_(False)],
    "random_state": [None, 0, np.int64(7), 2**32 - 1, np.random.RandomState(0)],
    "cell": [np.str_("gru"), "elman"],
    "activation": [np.str_("tanh")],
    "solver": [np.str_("sgd"), "adam", "rmsprop", "lbfgs"],
    "learning_rate": [np.str_("adaptive"), "cosine", "one_cycle"],
}


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (kind, name, value)
        for name, values in RIGHT_VALUES.items()
        for value in values
        for kind in kinds_with(name)
    ],
)
def test_right_parameter(kind, name, value):
    uses = {"solver": "sgd"} if "momentum" in name else {}
    uses |= {"loss": "quantile"} if name == "quantile" else {}
    uses |= {"loss": "huber"} if name == "delta" else {}
    estimator = make(kind, ARRAY, **{**uses, name: value})
    assert np.isfinite(estimator.predict(ARRAY)).all()
    assert estimator.get_params()[name] is value


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("activation", ["relu", "logistic", "identity"])
def test_fixed_activations(kind, cell, activation):
    estimator = make(kind, ARRAY).set_params(cell=cell, activation=activation)
    refused(estimator, "fit", ARRAY, TARGETS[kind], words=["activation", activation, cell, "elman"])


class TestEarlyStopping:
    words = ("early_stopping", "validation_fraction", "samples")

    @pytest.mark.parametrize("validation_fraction", [0.1, 0.9, 1e-9, 0.999])
    def test_too_few_samples(self, kind, validation_fraction):
        estimator = make(kind, early_stopping=True, validation_fraction=validation_fraction)
        refused(estimator, "fit", ARRAY, TARGETS[kind], words=self.words)

    def test_too_few_samples_of_positive_weight(self, kind):
        estimator = make(kind, early_stopping=True, validation_fraction=0.5)
        estimator.fit(ARRAY, TARGETS[kind])
        weights = [1, 1, 0, 0, 0, 0]
        refused(
            estimator, "fit", ARRAY, TARGETS[kind], sample_weight=weights, words=["early_stopping"]
        )

    def test_one_sequence(self, kind):
        estimator = make(kind, ARRAY).set_params(early_stopping=True)
        refused(estimator, "fit", ARRAY[:1], TARGETS[kind][:1], words=self.words)

    @pytest.mark.parametrize("value", [True, np.bool_(True)])
    def test_is_nothing_for_partial_fit(self, kind, value):
        classes = {"classes": [0, 1]} if kind == "classifier" else {}
        X, y = np.tile(ARRAY, (9, 1, 1)), np.tile(TARGETS[kind], 9)
        for estimator in (make(kind), make(kind, ARRAY)):
            estimator.set_params(early_stopping=value)
            words = ["early_stopping", "partial_fit"]
            refused(estimator, "partial_fit", X, y, **classes, words=words)
            estimator.set_params(early_stopping=False)


# No conversion of the second to the type of the first makes these labels the same.
UNSEEN_LABELS = [
    ([0, 1], [0, 1, 2]),
    ([0, 1], ["a", "b"]),
    ([0, 1], ["0", "1"]),
    ([0, 1], [0.0, 7.0]),
    (np.array([0, 1], np.int8), [0, 257]),
    ([0, -(2**63)], np.array([0, 2**63], np.uint64)),
    (["a", "b"], ["a", "b", "c"]),
    (["a", "b"], ["ab", "b"]),
    (["0", "1"], [0, 1]),
    (np.array(["a", "b"], dtype=object), ["ab", "b"]),
    ([False, True], [0, 2]),
]


class TestGoingOn:
    """partial_fit, and fit with warm_start, want the network that is there."""

    @pytest.fixture(params=["partial_fit", "warm_start"])
    def method(self, request):
        return request.param

    def refused(self, estimator, method, *args, **kwargs):
        estimator.set_params(warm_start=method == "warm_start")
        refused(estimator, "partial_fit" if method == "partial_fit" else "fit", *args, **kwargs)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("cell", "lstm"),
            ("hidden_size", 3),
            ("n_layers", 2),
            ("bidirectional", True),
            ("return_sequences", True),
        ],
    )
    def test_another_architecture(self, kind, method, name, value):
        estimator = make(kind, ARRAY).set_params(**{name: value})
        y = STEP_LABELS if name == "return_sequences" else TARGETS[kind]
        if kind == "classifier":
            y = y % 2
        self.refused(estimator, method, ARRAY, y, words=[name, str(value), "warm_start"])

    def test_another_activation(self, kind, method):
        estimator = make(kind, ARRAY, cell="elman").set_params(activation="relu")
        words = ["activation", "relu", "tanh"]
        self.refused(estimator, method, ARRAY, TARGETS[kind], words=words)

    @pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1), (2, 3)])
    def test_other_outputs(self, method, before, after):
        y = np.zeros((N, 3))
        estimator = make("regressor", ARRAY, y[:, :before])
        words = [r"\by\b|outputs", str(before), str(after)]
        self.refused(estimator, method, ARRAY, y[:, :after], words=words)

    @pytest.mark.parametrize(("before", "after"), [(2, 3), (3, 2)])
    def test_another_number_of_labels(self, method, before, after):
        y = RNG.integers(2, size=(N, 3))
        estimator = make("classifier", ARRAY, y[:, :before])
        words = [r"\by\b", str(after), "labels"]
        self.refused(estimator, method, ARRAY, y[:, :after], words=words)

    @pytest.mark.parametrize(
        ("before", "after"), [(LABELS, np.c_[LABELS, 1 - LABELS]), (np.c_[LABELS, LABELS], LABELS)]
    )
    def test_multilabel_or_not(self, method, before, after):
        estimator = make("classifier", ARRAY, before)
        self.refused(estimator, method, ARRAY, after, words=[r"\by\b", "multilabel"])

    @pytest.mark.parametrize(("known", "given"), UNSEEN_LABELS)
    def test_unseen_labels(self, method, known, given):
        for X, per_step in ((ARRAY, False), (TABLE, True)):
            shape = X.shape if per_step else N
            estimator = make("classifier", X, np.resize(known, shape), return_sequences=per_step)
            y = np.resize(given, shape)
            self.refused(estimator, method, X, y, words=[r"\by\b", "label|class"])

    def test_a_refused_call_makes_no_difference_to_the_next(self, kind, method):
        calls = []
        for refusals in (0, 3):
            estimator = make(kind, ARRAY, warm_start=True, max_iter=2)
            for _ in range(refusals):
                self.refused(estimator, method, ARRAY, TARGETS[kind][:3])
                self.refused(estimator, method, TABLE, TARGETS[kind])
            if method == "partial_fit":
                estimator.partial_fit(ARRAY, TARGETS[kind])
            else:
                estimator.set_params(warm_start=True).fit(ARRAY, TARGETS[kind])
            calls.append(estimator.predict(ARRAY))
        assert np.array_equal(*calls)


class TestClassesOfPartialFit:
    def test_missing_in_the_first_call(self):
        words = ["classes", "first call"]
        refused(make("classifier"), "partial_fit", ARRAY, LABELS, words=words)
        refused(make("classifier"), "partial_fit", ARRAY, LABELS, classes=None, words=words)

    @pytest.mark.parametrize(("classes", "labels"), [*UNSEEN_LABELS, ([0], [0, 1])])
    def test_labels_that_are_not_among_them(self, classes, labels):
        y = np.resize(labels, N)
        words = [r"\by\b", "label|class"]
        refused(make("classifier"), "partial_fit", ARRAY, y, classes=classes, words=words)

    @pytest.mark.parametrize(
        "classes",
        [[], 1, "ab", [0, np.nan], [0, None], [0, "a"], {0: 1}, {0, 1}, THING, [[0], [1, 2]]],
        ids=str,
    )
    def test_nonsense(self, classes):
        words = ["classes"]
        refused(make("classifier"), "partial_fit", ARRAY, LABELS, classes=classes, words=words)

    @pytest.mark.parametrize("classes", [[0], [0, 1, 2], ["0", "1"], [1, 2]])
    def test_others_than_before(self, classes):
        words = ["classes", "first call"]
        for estimator in (
            make("classifier", ARRAY),
            make("classifier").partial_fit(ARRAY, LABELS, classes=[0, 1]),
        ):
            refused(estimator, "partial_fit", ARRAY, LABELS, classes=classes, words=words)

    @pytest.mark.parametrize("classes", [[1, 0], [0, 1, 1], np.array([0.0, 1.0]), (0, 1)])
    def test_the_same_in_other_words(self, classes):
        estimator = make("classifier").partial_fit(ARRAY, LABELS, classes=[0, 1])
        estimator.partial_fit(ARRAY, LABELS, classes=classes)
        assert estimator.classes_.tolist() == [0, 1]

    def test_of_multilabel_targets(self):
        y = np.c_[LABELS, 1 - LABELS, LABELS]
        words = [r"\by\b", "3 labels"]
        refused(make("classifier"), "partial_fit", ARRAY, y, classes=[0, 1], words=words)


class TestScore:
    """What is right for the estimator, but not for what it was fitted to."""

    def test_other_outputs(self):
        refused(make("regressor", ARRAY), "score", ARRAY, np.c_[NUMBERS, NUMBERS])
        refused(make("regressor", ARRAY, np.c_[NUMBERS, NUMBERS]), "score", ARRAY, NUMBERS)

    @pytest.mark.parametrize("y", [["a", "b"] * 3, np.c_[LABELS, 1 - LABELS], NUMBERS])
    def test_other_labels(self, y):
        refused(make("classifier", ARRAY), "score", ARRAY, y)

    def test_targets_per_timestep(self, kind):
        refused(make(kind, RAGGED), "score", RAGGED, RAGGED_LABELS, words=["return_sequences"])
        estimator = make(kind, RAGGED, RAGGED_LABELS, return_sequences=True)
        refused(estimator, "score", RAGGED, LABELS, words=["return_sequences", r"y\[0\]"])


DIVERGING = {
    "relu": {"cell": "elman", "activation": "relu"},
    "identity": {"cell": "elman", "activation": "identity"},
}


@pytest.mark.parametrize("activation", DIVERGING)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_loss_that_is_not_finite(activation, dtype):
    parameters = {
        **DIVERGING[activation],
        "solver": "sgd",
        "learning_rate_init": 1e6,
        "max_grad_norm": None,
        "max_iter": 100,
    }
    X = np.tile(ARRAY, (1, 5, 1)).astype(dtype)
    estimator = make("regressor", X.astype(dtype), **DIVERGING[activation])
    before, predictions = pickle.dumps(estimator), estimator.predict(X)
    unfitted = make("regressor", **parameters)
    for diverging in (estimator.set_params(**parameters), unfitted):
        with pytest.raises(ValueError, match="infinite or NaN") as caught:
            diverging.fit(X, NUMBERS)
        for word in ("epoch", "[Ss]cale", "learning_rate_init", "max_grad_norm"):
            assert re.search(word, str(caught.value))
    assert not hasattr(unfitted, "n_features_in_")
    estimator.set_params(**make("regressor", **DIVERGING[activation]).get_params())
    assert pickle.dumps(estimator) == before
    assert np.array_equal(estimator.predict(X), predictions)


@pytest.mark.parametrize("return_sequences", [False, True])
def test_masked_values_are_not_used(kind, return_sequences):
    """NumPy drops a mask when it converts; an array of which nothing is masked may pass."""
    estimator = make(kind, return_sequences=return_sequences)
    y = np.resize(TARGETS[kind], ARRAY.shape[:2]) if return_sequences else TARGETS[kind]
    weights = np.ones(y.shape)
    estimator.fit(np.ma.array(ARRAY), np.ma.array(y), sample_weight=np.ma.array(weights))
    for k, name in enumerate(["X", "y", "sample_weight"]):
        arguments = [ARRAY, y, weights]
        arguments[k] = np.ma.masked_array(arguments[k], np.arange(arguments[k].size) == 1)
        refused(estimator, "fit", *arguments, words=[rf"\b{name}\b", "masked"])
    refused(estimator, "predict", np.ma.masked_equal(ARRAY, ARRAY[0, 0, 0]), words=["X", "masked"])
    refused(
        estimator, "predict", [np.ma.masked_equal(x, x[0, 0]) for x in ARRAY], words=[r"X\[0\]"]
    )
