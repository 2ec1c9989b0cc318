"""Good input, and what it means that other input is refused.

By ValueError or TypeError, before any training, in plain words. They are searched for what they
have to say: which argument, which sample where there is one, what was found, what would be right.
A refused call changes nothing, to the last bit.
"""

import pickle
import re

import numpy as np
import pandas as pd
import pytest

from fits import ESTIMATORS
from sequences import padded

N, T, F = 6, 4, 2
LENGTHS = [3, 1, 4, 2, 5, 2]
RNG = np.random.default_rng(0)
ARRAY = RNG.normal(size=(N, T, F))
TABLE = RNG.normal(size=(N, T))
FRAME = pd.DataFrame(TABLE, columns=["t1", "t2", "t3", "t4"])
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

TARGETS = {"regressor": NUMBERS, "classifier": LABELS}
PREDICTIONS = {
    "regressor": ["predict"],
    "classifier": ["predict", "predict_proba", "predict_log_proba"],
}


def make(kind, X=None, y=None, **parameters):
    """A small estimator; fitted if there is X."""
    estimator = ESTIMATORS[kind](
        **{"hidden_size": 2, "max_iter": 1, "random_state": 0, **parameters}
    )
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
