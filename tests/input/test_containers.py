"""Containers of other libraries: read right, or refused with the conversion that makes them so."""

from collections import UserList, deque

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from readers import READERS, VALUES
from refusals import ARRAY, make, refused
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.preprocessing import from_channels_first, pad_sequences, sliding_windows

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Column(UserList):
    """Like a column of a data set of Hugging Face: a sequence that is no list."""


class Ragged:
    """Like an array of awkward: iterable, with a length, and no array for NumPy."""

    def __init__(self, parts):
        self.parts = parts

    def __len__(self):
        return len(self.parts)

    def __iter__(self):
        return iter(self.parts)

    def __contains__(self, value):
        return False

    def __array__(self, dtype=None, copy=None):
        raise ValueError("cannot convert to RegularArray")


READ = {
    "deque": deque,
    "column": Column,
    "column of lists": lambda parts: Column([part.tolist() for part in parts]),
    "ragged": Ragged,
    "Series": pd.Series,
}


def tensors(parts):
    return list(map(pytest.importorskip("torch").as_tensor, parts))


@pytest.mark.parametrize("contained", [*READ.values(), tensors], ids=[*READ, "tensors"])
@pytest.mark.parametrize(
    "read",
    [
        case[1]
        for name, case in READERS.items()
        if not name.endswith(("splitter", "channels_first"))
    ],
    ids=[name for name in READERS if not name.endswith(("splitter", "channels_first"))],
)
def test_are_read_like_lists(read, contained):
    for actual, expected in zip(
        numbers(read(contained(VALUES))), numbers(read(VALUES)), strict=True
    ):
        assert_array_equal(actual, expected)


def numbers(result):
    """What a reader returned or learned, as a list of arrays."""
    if hasattr(result, "regressor_"):
        result = result.regressor_
    if hasattr(result, "weights_"):
        return list(result.weights_.values())
    if hasattr(result, "transformer_"):
        return [result.transformer_.mean_]
    return list(result) if isinstance(result, (list, tuple, np.ndarray)) else [result]


def test_whole_tensors_are_read_like_arrays():
    torch = pytest.importorskip("torch")
    X, y = torch.as_tensor(ARRAY), torch.arange(6) % 2
    expected = make("classifier", ARRAY, y.numpy()).predict_proba(ARRAY)
    assert_array_equal(make("classifier", X, y).predict_proba(X), expected)
    assert_array_equal(from_channels_first(X), from_channels_first(ARRAY))
    assert_array_equal(sliding_windows(X[0], 2)[0], sliding_windows(ARRAY[0], 2)[0])


LONG = pd.DataFrame({"key": [0, 0, 1, 1, 1], "x": [1.0, 2.0, 1.0, 2.0, 1.0]})
NESTED = pd.DataFrame({"a": pd.Series(VALUES), "b": pd.Series(VALUES)})


class Dataset:
    """Like an xarray.Dataset."""

    data_vars = ("a", "b")


def packed():
    torch = pytest.importorskip("torch")
    return torch.nn.utils.rnn.pack_sequence(tensors(VALUES), enforce_sorted=False)


def needing_grad():
    torch = pytest.importorskip("torch")
    return torch.ones(6, 4, requires_grad=True)


def nested_tensor():
    torch = pytest.importorskip("torch")
    return torch.nested.nested_tensor(tensors(VALUES), layout=torch.jagged)


# (what holds sequences and can't be read as it is, the type and the conversion that an error names)
REFUSED = {
    "groupby": (
        lambda: LONG.groupby("key"),
        ["DataFrameGroupBy", r"\[group for _, group in NAME\]"],
    ),
    "SeriesGroupBy": (lambda: LONG.groupby("key")["x"], ["SeriesGroupBy", "for _, group in NAME"]),
    "list of a groupby": (
        lambda: list(LONG.groupby("key")),
        [r"pairs \(key, sequence\)", r"\[sequence for _, sequence in NAME\]"],
    ),
    "list of pairs": (lambda: [*enumerate(VALUES)], [r"pairs \(key, sequence\)"]),
    "nested": (lambda: NESTED, ["DataFrame whose cells", "np.column_stack"]),
    "Dataset": (Dataset, ["Dataset", "to_dataarray"]),
    "PackedSequence": (packed, ["PackedSequence", r"unpack_sequence\(NAME\)"]),
    "requires grad": (needing_grad, ["requires grad", r"NAME\.detach\(\)\.numpy\(\)"]),
    "requires grad in a list": (
        lambda: [needing_grad()] * 6,
        ["requires grad", r"NAME\[0\]\.detach\(\)\.numpy\(\)"],
    ),
    "nested tensor": (nested_tensor, ["nested tensor", r"NAME\.unbind\(\)"]),
}


@pytest.mark.parametrize(("container", "words"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize(
    ("name", "read"),
    [case for name, case in READERS.items() if not name.endswith(("splitter", "channels_first"))],
    ids=[name for name in READERS if not name.endswith(("splitter", "channels_first"))],
)
def test_are_refused_with_the_conversion(name, read, container, words):
    with pytest.raises(TypeError) as caught:
        read(container())
    for word in words:
        assert caught.match(word.replace("NAME", name))


def test_the_conversions_work():
    torch = pytest.importorskip("torch")
    X = torch.nn.utils.rnn.unpack_sequence(packed())
    assert_array_equal(pad_sequences(X), pad_sequences(VALUES))
    assert_array_equal(pad_sequences(nested_tensor().unbind()), pad_sequences(VALUES))
    columns = [np.column_stack(row) for row in NESTED.to_numpy()]
    assert [x.shape for x in columns] == [(len(x), 2) for x in VALUES]
    groups = [group for _, group in LONG.groupby("key")["x"]]
    assert pad_sequences(groups).tolist()[1] == [1.0, 2.0, 1.0]


@pytest.mark.parametrize("estimator", [RNNRegressor, RNNClassifier])
def test_one_sequence_belongs_into_a_list(estimator):
    """The example of the issue: X (T, F), y (T,)."""
    x, y = np.zeros((7, 3)), np.arange(7) % 2
    model = estimator(return_sequences=True, max_iter=2)
    words = [r"one sequence of 7 timesteps of 3 features, give \[X\] and \[y\]"]
    refused(model, "fit", x, y, words=words)
    refused(estimator(max_iter=2), "fit", x, 1, words=[r"the lists \[X\] and \[y\]"])
    model.fit([x], [y])
    for call in (model.predict, lambda x: model.score(x, y)):
        with pytest.raises(ValueError, match=r"for one sequence, a list of one array, \[X\]"):
            call(x)
