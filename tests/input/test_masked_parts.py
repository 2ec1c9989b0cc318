"""Masked and sparse arrays are refused in the parts of a list as in whole arguments."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from readers import READERS, VALUES
from sequences import object_array
from sklearn_rnn import RNNClassifier
from sklearn_rnn.model_selection import StratifiedSequenceKFold
from sklearn_rnn.preprocessing import Patches, sliding_windows, unpad_sequences

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

MASKED = [np.ma.masked_array(x, np.arange(len(x)) == 1) for x in VALUES]
PATCHES = Patches(2).fit_transform(VALUES)

# (a list that holds masked values, which of its parts an error names)
HIDDEN = {
    "every part": (MASKED, r"\[0\]"),
    "one part": ([*VALUES[:3], MASKED[3], *VALUES[4:]], r"\[3\]"),
    "one part of a tuple": ((*VALUES[:3], MASKED[3], *VALUES[4:]), r"\[3\]"),
    "objects": (object_array([*VALUES[:3], MASKED[3], *VALUES[4:]]), r"\[3\]"),
    "Series": (pd.Series([*VALUES[:3], MASKED[3], *VALUES[4:]]), r"\[3\]"),
    "single values": (
        [*VALUES[:3], [1.0, np.ma.masked, 2.0, 1.0], *VALUES[4:]],
        r"\[3\](\[0\])?\[1\]",
    ),
    "lists of parts": (
        [*([[v] for v in x] for x in VALUES[:3]), MASKED[3][:, np.newaxis], *VALUES[4:]],
        r"\[3\]",
    ),
    "rows of a part": (
        [*VALUES[:3], [[1.0], np.ma.masked_equal([1.0], 1.0), [2.0], [1.0]], *VALUES[4:]],
        r"\[3\](\[0\])?\[1\]",
    ),
}


@pytest.mark.parametrize(("values", "place"), HIDDEN.values(), ids=HIDDEN)
@pytest.mark.parametrize(("name", "read"), READERS.values(), ids=READERS)
def test_masked_parts_are_refused_by_every_reader(name, read, values, place):
    with pytest.raises(ValueError, match=rf"{name}{place}.* masked values"):
        read(values)


@pytest.mark.parametrize(("name", "read"), READERS.values(), ids=READERS)
def test_a_mask_that_masks_nothing_is_no_mask(name, read):
    read([np.ma.masked_array(x) for x in VALUES])


@pytest.mark.parametrize(("name", "read"), READERS.values(), ids=READERS)
def test_sparse_parts_are_refused_by_every_reader(name, read):
    parts = [*VALUES[:3], sparse.csr_array(VALUES[3][np.newaxis]), *VALUES[4:]]
    with pytest.raises(TypeError, match=rf"{name}\[3\].* is sparse"):
        read(parts)


def test_the_example_of_the_issue():
    """The mean of what isn't masked is 1.8; that of all values is -284."""
    values = np.ma.masked_equal([1.0, 2.0, -999.0], -999.0)
    for read in (lambda v: sliding_windows(v, 1), lambda v: sliding_windows([v], 1)):
        with pytest.raises(ValueError, match="masked values"):
            read(values)


def test_masked_arguments_with_one_value_per_sequence():
    masked = np.ma.masked_equal([1, 2, 1, 2, 1, 2], 2)
    calls = {
        "y": lambda: RNNClassifier().fit(VALUES, masked),
        r"y\[1\]": lambda: RNNClassifier().fit(VALUES, list(masked)),
        "classes": lambda: RNNClassifier().partial_fit(VALUES, [1, 2] * 3, masked),
        "lengths": lambda: unpad_sequences(np.ones((6, 2)), lengths=masked),
        "groups": lambda: next(StratifiedSequenceKFold(2).split(VALUES, VALUES, masked)),
        "groups ": lambda: RNNClassifier().fit(VALUES, [1, 2] * 3, groups=masked),
        r"groups\[1\]": lambda: RNNClassifier().fit(VALUES, [1, 2] * 3, groups=list(masked)),
        "lengths ": lambda: Patches(2).fit(VALUES).inverse_transform(PATCHES, lengths=masked),
    }
    for name, call in calls.items():
        with pytest.raises(ValueError, match=rf"^{name.strip()} .*masked"):
            call()
