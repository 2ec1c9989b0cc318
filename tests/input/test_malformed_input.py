"""Whatever is thrown at the estimators: ValueError, TypeError, or a right result."""

import pickle
from collections import OrderedDict, deque
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import sparse

from covering import only_thorough
from fits import ESTIMATORS
from sequences import object_array, padded

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # scikit-learn's words about a column as y, and about the R² of one number
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning"),
]

REFUSED = (ValueError, TypeError)


class Thing:
    """Neither a number nor a sequence."""


SCALARS = [
    None,
    True,
    7,
    -0.5,
    np.nan,
    np.inf,
    -np.inf,
    1e150,
    5e-324,
    10**400,
    2**63,
    1 + 1j,
    "",
    "a",
    "1",
    b"a",
    Decimal("0.5"),
    Decimal("nan"),
    Fraction(1, 2),
    np.float32(0.5),
    np.int8(3),
    np.array(0.5),
    pd.NA,
    pd.NaT,
    pd.Timestamp("2020-01-01"),
    Thing(),
    Thing,
    {},
    {"a": 1},
    {1, 2},
    range(2),
    slice(2),
    ...,
]
NUMERIC = ["f8", "f4", "f2", ">f4", "i8", "i1", "u8", "?", np.longdouble, object]
ODD_DTYPES = [*NUMERIC, "c16", "U2", "S2", "V2", "M8[s]", "m8[s]", [("a", "f8"), ("b", "f8")]]
scalars = st.sampled_from(SCALARS)

nested = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.lists(inner, max_size=3).map(object_array)
    ),
    max_leaves=12,
)


@st.composite
def odd_arrays(draw):
    shape = draw(array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3))
    dtype = np.dtype(draw(st.sampled_from(ODD_DTYPES)))
    if dtype.kind == "O":
        return draw(arrays(dtype, shape, elements=scalars, fill=st.just(0.5)))
    if dtype.kind in "fc":
        special = st.sampled_from([0.0, 1.0, -0.5, 2.0, np.nan, np.inf])
        return draw(arrays(dtype, shape, elements=special, fill=st.just(0.5)))
    return np.ones(shape, "i1").astype(dtype) if dtype.names is None else np.zeros(shape, dtype)


# What anything may be wrapped in, if that can be done.
WRAPPERS = [
    list,
    tuple,
    np.array,
    object_array,
    lambda x: np.array(x, dtype=object),
    lambda x: np.asarray(x)[..., np.newaxis],
    lambda x: np.asarray(x)[np.newaxis],
    lambda x: np.asarray(x)[0],
    lambda x: np.asarray(x)[::-1],
    lambda x: np.asarray(x).T,
    lambda x: np.asarray(x).tolist(),
    lambda x: np.asarray(x).astype(str),
    lambda x: np.asarray(x).astype(complex),
    lambda x: np.ma.masked_array(x),
    lambda x: memoryview(np.asarray(x)),
    lambda x: bytes(np.asarray(x)),
    lambda x: sparse.csr_array(np.asarray(x)),
    lambda x: [sparse.csr_array(part) for part in x],
    lambda x: [pd.DataFrame(part) for part in x],
    pd.Series,
    pd.DataFrame,
    lambda x: pd.DataFrame(x).astype("Float64"),
    lambda x: pd.DataFrame(x).astype(str),
    pd.Index,
    pd.Categorical,
    iter,
    deque,
    lambda x: dict(enumerate(x)),
    lambda x: OrderedDict(enumerate(x)),
    lambda x: {"data": x},
    lambda x: [*x, *x],
    lambda x: x[:-1],
    lambda x: [],
    str,
]


@st.composite
def wrapped(draw, inner):
    thing = draw(inner)
    wrapper = draw(st.sampled_from(WRAPPERS))
    try:
        return wrapper(thing)
    except Exception:  # whatever pandas or NumPy make of it
        return thing


@st.composite
def with_one_changed(draw, values):
    """A list of arrays in which one array, or one element, is replaced by something else."""
    copy = [np.array(part) for part in values]
    i = draw(st.integers(0, len(copy) - 1))
    if draw(st.booleans()):
        copy[i] = draw(nested | odd_arrays())
    elif copy[i].size:
        part = copy[i].astype(object)
        part.flat[draw(st.integers(0, part.size - 1))] = draw(scalars)
        copy[i] = part
    return copy


def garbage(values):
    """Anything, and often a list of arrays with a mistake."""
    return (
        with_one_changed(values)
        | with_one_changed(values)
        | with_one_changed(values)
        | wrapped(with_one_changed(values))
        | wrapped(st.just(values))
        | odd_arrays()
        | wrapped(odd_arrays())
        | nested
    )


GOOD_CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "object array": object_array,
    "Series": lambda x: pd.Series(list(object_array(x)), index=range(7, 7 + len(x))),
    "padded": padded,
    "DataFrames": lambda x: [pd.DataFrame(part) for part in x],
    "array": np.array,
    "array of objects": lambda x: np.array(x).astype(object),
    "nested lists": lambda x: np.array(x).tolist(),
    "memoryview": lambda x: memoryview(np.array(x)),
    "Fortran": lambda x: np.asfortranarray(x),
    "view": lambda x: np.array([*x, *x])[::2],
    "masked array": lambda x: np.ma.masked_array(x),
    "table": lambda x: np.array(x)[:, :, 0],
    "padded table": lambda x: padded(x)[:, :, 0],
    "DataFrame": lambda x: pd.DataFrame(padded(x)[:, :, 0]).rename(columns=str),
    "lists of numbers": lambda x: [part[:, 0].tolist() for part in x],
    "1-D arrays": lambda x: [part[:, 0] for part in x],
}
RAGGED_CONTAINERS = {
    *("list", "tuple", "object array", "Series", "padded", "DataFrames"),
    *("padded table", "DataFrame", "lists of numbers", "1-D arrays"),
}
ONE_FEATURE = {"table", "padded table", "DataFrame", "lists of numbers", "1-D arrays"}


@st.composite
def good_sequences(draw, container=None):
    """Sequences as a list of arrays, and what X may hold them in."""
    if container is None:
        container = draw(st.sampled_from(sorted(GOOD_CONTAINERS)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    n_features = 1 if container in ONE_FEATURE else draw(st.integers(1, 3))
    lengths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    if container not in RAGGED_CONTAINERS:
        lengths = [lengths[0]] * len(lengths)
    dtypes = ["f8", "f4"] if "padded" in container or container == "DataFrame" else NUMERIC[:-1]
    dtype = draw(st.sampled_from(dtypes))
    values = [4 * rng.random((length, n_features)) for length in lengths]
    sequences = [value.round(1 if np.dtype(dtype).kind == "f" else 0) for value in values]
    sequences = [sequence.astype(dtype) for sequence in sequences]
    return sequences, GOOD_CONTAINERS[container](sequences)


LABELS = [[0, 1], [-1, 0, 3], ["a", "bc"], [True, False], [0.0, 2.0], [1], [2**63, 2**63 + 1]]


@st.composite
def good_targets(draw, kind, lengths, per_step):
    """Targets as a list, one array or scalar per sequence, and what y may hold them in."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    shapes = [(length,) for length in lengths] if per_step else [()] * len(lengths)
    if kind == "classifier":
        labels = np.array(draw(st.sampled_from(LABELS)))
        targets = [labels[rng.integers(len(labels), size=shape)] for shape in shapes]
    else:
        outputs = draw(st.sampled_from([(), (1,), (2,)]))
        targets = [rng.normal(size=shape + outputs) for shape in shapes]
    if per_step and len(set(lengths)) > 1:
        wrappers = [list, tuple, object_array]
    else:
        wrappers = [list, np.array, lambda y: np.array(y).tolist()]
    return targets, draw(st.sampled_from(wrappers))(targets)


@st.composite
def good_weights(draw, lengths, per_step):
    n = len(lengths)
    choices = [None, np.ones(n), np.arange(1, n + 1), [0.5] * n, pd.Series(np.ones(n))]
    if per_step:
        choices.append([np.arange(1, length + 1) for length in lengths])
    return draw(st.sampled_from(choices))


@st.composite
def problems(draw):
    """kind, return_sequences, X, y, sample_weight, and whether all of it is right."""
    kind = draw(st.sampled_from(sorted(ESTIMATORS)))
    per_step = draw(st.booleans())
    sequences, X = draw(good_sequences())
    lengths = [len(sequence) for sequence in sequences]
    targets, y = draw(good_targets(kind, lengths, per_step))
    weights = draw(good_weights(lengths, per_step))
    wrong = draw(st.sampled_from(["X", "y", "weights", "nothing", "everything"]))
    if wrong in ("X", "everything"):
        X = draw(garbage(sequences))
    if wrong in ("y", "everything"):
        y = draw(garbage(targets))
    if wrong in ("weights", "everything"):
        weights = draw(garbage([np.ones(length) for length in lengths]))
    return kind, per_step, X, y, weights, wrong == "nothing"


def make(kind, **parameters):
    return ESTIMATORS[kind](hidden_size=2, max_iter=1, random_state=0, **parameters)


def sequences_in(X):
    """What X holds, if it is right, in one's own words: a list of (n_timesteps, n_features)."""
    if isinstance(X, pd.DataFrame):
        X = X.to_numpy(dtype=float, na_value=np.nan)
    elif not isinstance(X, (list, tuple)):
        X = np.asarray(X)
    elif {np.ndim(x) for x in X} == {1} and len({len(x) for x in X}) == 1:
        X = np.array(X, dtype=float)  # may be meant as 2-D, which may be padded
    padded = isinstance(X, np.ndarray) and X.ndim > 1
    sequences = [np.array(x).astype(float) for x in X]
    sequences = [x if x.ndim == 2 else x[:, np.newaxis] for x in sequences]
    if padded:
        return [x[: np.flatnonzero(~np.isnan(x).all(axis=1))[-1] + 1] for x in sequences]
    return sequences


def one_of(X, i):
    """Sequence i alone, in a container of the same kind."""
    if isinstance(X, pd.DataFrame):
        return X.iloc[i : i + 1]
    return (X if isinstance(X, (list, tuple)) else np.asarray(X))[i : i + 1]


def assert_right(estimator, X, method="predict"):
    """Predictions have a shape that makes sense, are finite, and don't depend on company."""
    sequences = sequences_in(X)
    n_features = estimator.weights_["layer_0.W_xh"].shape[1]
    for sequence in sequences:
        assert sequence.shape == (len(sequence), n_features)
        assert len(sequence) > 0
        assert np.isfinite(sequence).all()
    predict = getattr(estimator, method)
    predictions = predict(X)
    assert len(predictions) == len(sequences)
    for i, (sequence, together) in enumerate(zip(sequences, predictions, strict=True)):
        alone = predict(one_of(X, i))
        assert len(alone) == 1
        together, alone = np.asarray(together), np.asarray(alone[0])
        if estimator.return_sequences:
            assert len(together) >= len(sequence)
            together, alone = together[: len(sequence)], alone[: len(sequence)]
            assert together.ndim == alone.ndim
        if together.dtype.kind == "f":
            assert np.isfinite(together).all()
            tolerance = 1e-4 if together.dtype == np.float32 else 1e-9
            np.testing.assert_allclose(together, alone, rtol=tolerance, atol=tolerance)
        else:
            assert np.array_equal(together, alone)
        if method == "predict_proba":
            assert together.sum(axis=-1) == pytest.approx(1, abs=1e-5)


def state(estimator):
    return pickle.dumps(estimator)


def so_many(few, many):
    """How many examples a test goes through."""
    return pytest.mark.parametrize("max_examples", [few, *only_thorough([[many]])])


def is_right_or_refused_by_fit(problem):
    kind, per_step, X, y, weights, right = problem
    estimator = make(kind, return_sequences=per_step)
    before = state(estimator)
    try:
        estimator.fit(X, y, sample_weight=weights)
    except REFUSED:
        if right:
            raise
        assert state(estimator) == before
        return
    assert_right(estimator, X)
    if kind == "classifier" and not estimator._multilabel:
        assert_right(estimator, X, "predict_proba")
    assert not estimator.score(X, y) > 1  # NaN is the R² of one number


@so_many(200, 800)
def test_fit(max_examples):
    settings(max_examples=max_examples)(given(problems())(is_right_or_refused_by_fit))()


def is_right_or_refused_by_a_fitted_estimator(problem, n_features):
    kind, per_step, X, y, weights, _ = problem
    X_good = np.arange(12.0).reshape(2, 3, 2)[:, :, :n_features]
    estimator = make(kind, return_sequences=per_step)
    estimator.fit(X_good, [[0, 1, 1], [1, 0, 1]] if per_step else [0, 1])
    calls = {
        "predict": lambda: estimator.predict(X),
        "score": lambda: estimator.score(X, y, sample_weight=weights),
        "partial_fit": lambda: estimator.partial_fit(X, y, sample_weight=weights),
        "fit": lambda: estimator.fit(X, y, sample_weight=weights),
    }
    for name, call in calls.items():
        before, predictions = state(estimator), estimator.predict(X_good)
        try:
            call()
        except REFUSED:
            assert state(estimator) == before
            assert np.array_equal(estimator.predict(X_good), predictions)
        else:
            assert_right(estimator, X)
            assert name in ("partial_fit", "fit") or state(estimator) == before


@so_many(150, 800)
def test_a_fitted_estimator(max_examples):
    examples = given(problems(), st.integers(1, 2))
    settings(max_examples=max_examples)(examples(is_right_or_refused_by_a_fitted_estimator))()


FITTED_ON = {
    "array": np.arange(12.0).reshape(2, 3, 2) / 6,
    "one feature": np.arange(6.0).reshape(2, 3, 1) / 6,
    "float32": np.arange(12, dtype=np.float32).reshape(2, 3, 2) / 6,
    "table": np.arange(6.0).reshape(2, 3) / 6,
}


@pytest.mark.parametrize("per_step", [False, True])
@pytest.mark.parametrize("fitted_on", FITTED_ON)
@pytest.mark.parametrize("kind", ESTIMATORS)
@so_many(40, 200)
def test_predict(kind, fitted_on, per_step, max_examples):
    X_good = FITTED_ON[fitted_on]
    estimator = make(kind, return_sequences=per_step)
    estimator.fit(X_good, [[0, 1, 1], [1, 0, 1]] if per_step else [0, 1])
    before, predictions = state(estimator), estimator.predict(X_good)

    @settings(max_examples=max_examples)
    @given(garbage(list(X_good)))
    @example(X_good)
    def is_refused_or_right(X):
        try:
            estimator.predict(X)
        except REFUSED:
            pass
        else:
            assert_right(estimator, X)
        assert state(estimator) == before
        assert np.array_equal(estimator.predict(X_good), predictions)

    is_refused_or_right()
