"""flatten_sequences, compared with flattening by hand."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from sequences import padded
from sklearn_rnn.metrics import flatten_sequences
from timestep_targets import (
    LENGTHS,
    NUMBERS,
    OF_SEQUENCES,
    WEIGHTS,
    WRAPPERS,
    N,
    X,
    fit_classifier,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_flatten_puts_valid_timesteps_one_after_another():
    expected = np.concatenate(NUMBERS), np.concatenate(WEIGHTS)
    given = {name: (as_X(X), as_y(NUMBERS)) for name, (as_X, as_y) in WRAPPERS.items()}
    for of_X, y_true in given.values():
        for _, y_pred in given.values():
            for told_by in (of_X, None):
                flat = flatten_sequences(y_true, y_pred, X=told_by)
                np.testing.assert_array_equal(flat, [expected[0]] * 2)
        weighted = flatten_sequences(y_true, y_true, WEIGHTS, X=of_X)
        np.testing.assert_array_equal(weighted[2], expected[1])
        repeated = flatten_sequences(y_true, y_true, OF_SEQUENCES)[2]
        np.testing.assert_array_equal(repeated, np.repeat(OF_SEQUENCES, LENGTHS))


def test_flatten_several_outputs():
    outputs = [np.column_stack([y, -y]) for y in NUMBERS]
    for y_pred in (outputs, padded(outputs)):
        for y in flatten_sequences(outputs, y_pred):
            np.testing.assert_array_equal(y, np.concatenate(outputs))


@pytest.mark.parametrize("labels", [[-1, 0, 1], [3, 4, 5], ["", "a", "b"], [False, True, True]])
def test_flatten_labels_and_what_stands_for_padding(labels):
    """X tells what is padding, also where a label looks like it."""
    y = [np.array(labels)[np.digitize(y, [-0.5, 0.5])] for y in NUMBERS]
    predicted = fit_classifier(y).predict(padded(X))
    assert predicted.shape == (N, max(LENGTHS))
    y_true, y_pred = flatten_sequences(y, predicted, X=padded(X))
    np.testing.assert_array_equal(y_true, np.concatenate(y))
    by_hand = [row[:length] for row, length in zip(predicted, LENGTHS, strict=True)]
    np.testing.assert_array_equal(y_pred, np.concatenate(by_hand))
    garbage = padded(y, fill=labels[0])
    np.testing.assert_array_equal(flatten_sequences(garbage, predicted, X=padded(X))[0], y_true)


def test_flatten_by_what_tells_the_lengths_without_X():
    true = np.array([[1.0, 2.0, 7.0], [3.0, 4.0, 5.0]])  # 7 lies in padding
    predicted = np.array([[1.0, 2.0, np.nan], [3.0, 4.0, 6.0]])
    np.testing.assert_array_equal(flatten_sequences(true, predicted)[0], [1, 2, 3, 4, 5])
    objects = np.array([["a", "b", None], ["a", "a", "a"]], dtype=object)
    assert flatten_sequences(objects, objects)[1].tolist() == list("abaaa")
    whole = np.array([[-1, 2], [3, 4]])
    np.testing.assert_array_equal(flatten_sequences(whole, whole * 1.0)[0], [-1, 2, 3, 4])


def test_flatten_the_example_of_the_issue():
    """-1 is padding in y_true, and the predictions there are none."""
    X = np.array([[[1.0], [2.0], [3.0]], [[4.0], [5.0], [np.nan]]])
    y_true, y_pred = np.array([[1, 0, 1], [0, 1, -1]]), np.array([[1, 0, 1], [0, 1, 0]])
    for pair in ((y_true, y_pred), (y_pred, y_true)):
        assert accuracy_score(*flatten_sequences(*pair, X=X)) == 1.0
        with pytest.raises(ValueError, match=r"y_(true|pred)\[1\] ends with -1.* give X"):
            flatten_sequences(*pair)


ENDS = {
    "negative": np.array([[1, 1], [0, -1]]),
    "int8": np.array([[1, 1], [0, -2]], dtype=np.int8),
    "empty": np.array([["a", "a"], ["b", ""]]),
    "bytes": np.array([[b"a", b"a"], [b"b", b""]]),
    "False": np.array([[True, True], [True, False]]),
    "unsigned": np.array([[1, 1], [0, 255]], dtype=np.uint8),
    "objects": np.array([["a", "a"], ["b", ""]], dtype=object),
    "object integers": np.array([[1, 1], [0, -1]], dtype=object),
    "several outputs": np.array([[[1, 1], [1, 1]], [[1, 1], [0, -1]]]),
}


@pytest.mark.parametrize("labels", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("other", ["same", "whole"])
@pytest.mark.parametrize("name", ["y_true", "y_pred"])
def test_flatten_asks_for_X_where_an_end_may_be_padding(labels, other, name):
    other = labels if other == "same" else np.broadcast_to(labels[:1, :1], labels.shape)
    pair = {"y_true": other, "y_pred": other, name: labels}
    with pytest.raises(ValueError, match=r"y_(true|pred)\[1\] ends with .* give X"):
        flatten_sequences(**pair)
    flat = flatten_sequences(**pair, X=np.zeros((2, 2, 1)))
    expected = labels.reshape(4, *labels.shape[2:])
    np.testing.assert_array_equal(flat[name == "y_pred"], expected)
    as_list = {**pair, "y_true": list(pair["y_true"])}  # a list has no padding
    np.testing.assert_array_equal(flatten_sequences(**as_list)[name == "y_pred"], expected)


@pytest.mark.parametrize("order", [1, -1])
def test_flatten_needs_no_X_where_the_other_array_shows_its_padding(order):
    labels = np.array([[1, 0, -1], [0, -1, -1]])
    scores = np.array([[0.9, 0.1, 0.5], [0.4, np.nan, np.nan]])
    flat = flatten_sequences(*[labels, scores][::order])[::order]
    assert [part.tolist() for part in flat] == [[1, 0, -1, 0], [0.9, 0.1, 0.5, 0.4]]


def test_flatten_errors_name_the_sequence():
    short = [*NUMBERS[:3], NUMBERS[3][:-1], *NUMBERS[4:]]
    n = LENGTHS[3]
    five = np.zeros((N, 5))
    cases = {
        rf"y_pred\[3\] has {n - 1} values, but X\[3\] has {n} timesteps": (NUMBERS, short, X),
        rf"y_pred\[3\] has {n - 1} values, but y_true\[3\] has {n} timesteps": (NUMBERS, short),
        rf"y_true\[3\] has {n - 1} values, but X\[3\] has {n}": (short, NUMBERS, X),
        "X has 17 sequences, y_true has 18": (NUMBERS, NUMBERS, X[1:]),
        "y_true has 18 sequences, y_pred has 17": (NUMBERS, NUMBERS[1:]),
        "y_pred has 5 timesteps, but y_true has 6": (padded(NUMBERS, fill=0.0), five),
        "y_pred has 6 timesteps, but X has 5": (
            np.zeros((N, 5)),
            padded(NUMBERS),
            np.ones((N, 5, 1)),
        ),
        "y_pred has one value per sequence, not one per timestep": (NUMBERS, np.zeros(N)),
        "y_true has one value per sequence": (["a", "b"], NUMBERS),
        "y_true is empty": ([], [], X),
        r"X\[1\] .* is an empty sequence": (NUMBERS, NUMBERS, [X[0], X[1][:0], *X[2:]]),
        r"y_true\[0\] is an empty sequence": (np.full((2, 2), np.nan), np.zeros((2, 2))),
        "X must be an array .* got ndarray of shape": (NUMBERS, NUMBERS, np.zeros(N)),
        "X must be an array .* got an empty list": (NUMBERS, NUMBERS, []),
        "X must be an array .* got list of int": (NUMBERS, NUMBERS, [1, 2]),
    }
    for message, (y_true, y_pred, *told_by) in cases.items():
        with pytest.raises(ValueError, match=message):
            flatten_sequences(y_true, y_pred, X=told_by[0] if told_by else None)
    with pytest.raises(ValueError, match=rf"sample_weight\[3\] has {n - 1} values"):
        flatten_sequences(
            NUMBERS, NUMBERS, [w[: len(s)] for w, s in zip(WEIGHTS, short, strict=True)]
        )


def test_X_need_not_be_clean_to_tell_the_lengths():
    """As a pipeline gets it: with missing values inside, or with strings to be encoded."""
    dirty = padded(X)
    dirty[:, 0, 0] = np.nan
    dirty[0, LENGTHS[0] - 1, 1] = np.nan
    words = [np.where(x > 0, "up", "down") for x in X]
    as_objects = np.full((N, max(LENGTHS), 2), None, dtype=object)
    for row, sequence in zip(as_objects, words, strict=True):
        row[: len(sequence)] = sequence
    with_nan = [np.where(x > 1, np.nan, x) for x in X]
    for told_by in (dirty, words, as_objects, with_nan, [x.tolist() for x in X]):
        flat = flatten_sequences(padded(NUMBERS, fill=0.0), NUMBERS, X=told_by)
        np.testing.assert_array_equal(flat[0], np.concatenate(NUMBERS))
    of_numbers = [[1.0, 2.0, np.nan], [3.0, 4.0, 5.0]]  # nested lists of one length are 2-D
    of_strings = [["a", "b", np.nan], ["b", "b", "a"]]
    for table in (of_numbers, of_strings):
        flat = flatten_sequences(np.array([[1, 2, 9], [3, 4, 5]]), [[1, 2], [3, 4, 5]], X=table)
        assert flat[0].tolist() == [1, 2, 3, 4, 5]
    of_tokens = [[["a", "b"], ["c"]], [["d", "e", "f"]]]
    assert flatten_sequences([[1, 2], [3]], [[1, 2], [3]], X=of_tokens)[0].tolist() == [1, 2, 3]
