"""sample_weight that can't be weights, and values that are masked."""

import numpy as np
import pytest
from scipy import sparse

from refusals import (
    ARRAY,
    HUGE,
    LABELS,
    LENGTHS,
    NUMBERS,
    RAGGED,
    RAGGED_LABELS,
    STEP_NUMBERS,
    TARGETS,
    THING,
    WEIGHTS,
    N,
    T,
    by_id,
    changed,
    make,
    refused,
)
from sequences import object_array

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


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


@pytest.mark.parametrize("return_sequences", [False, True])
def test_masked_values_are_not_used(kind, return_sequences):
    """NumPy would drop the mask. A masked array without masked values is accepted."""
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
