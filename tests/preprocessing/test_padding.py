"""Padding and back, and the order of axes."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from sequences import object_array, padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.preprocessing import (
    from_channels_first,
    pad_sequences,
    to_channels_first,
    unpad_sequences,
)

NAN = np.nan


@st.composite
def sequences(draw, dtypes, elements=None):
    """Lists of arrays (n_timesteps_i,) or (n_timesteps_i, n_features) or with more dimensions."""
    rest = draw(st.sampled_from([(), (1,), (3,), (2, 2)]))
    lengths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=5))
    dtype = draw(st.sampled_from(dtypes))
    return [draw(hnp.arrays(dtype, (n, *rest), elements=elements)) for n in lengths]


def assert_same(actual, expected):
    assert isinstance(actual, list)
    assert len(actual) == len(expected)
    for a, b in zip(actual, expected, strict=True):
        assert a.dtype == b.dtype
        assert_array_equal(a, b)
        assert a.shape == b.shape


FLOATS = [np.float32, np.float64, np.float16]
FINITE = st.floats(-100, 100, width=16)


class TestRoundTrip:
    @given(sequences(FLOATS, FINITE), st.integers(0, 3))
    def test_of_floats(self, X, more):
        array = pad_sequences(X, length=max(map(len, X)) + more)
        assert array.dtype == X[0].dtype
        assert array.shape == (len(X), max(map(len, X)) + more, *X[0].shape[1:])
        assert_same(unpad_sequences(array), X)
        for row, x in zip(array, X, strict=True):
            assert np.isnan(row[len(x) :]).all()

    @given(sequences([np.int64, np.int8, np.uint16, np.bool_, "U3", "M8[s]"]), st.data())
    def test_of_anything_with_its_lengths(self, y, data):
        fill = data.draw(hnp.arrays(y[0].dtype, ()))[()]
        array = pad_sequences(y, fill=fill)
        assert array.dtype == y[0].dtype
        assert_same(unpad_sequences(array, lengths=[len(part) for part in y]), y)

    @given(
        sequences([np.float32, np.int64, "U3"], None),
        st.sampled_from(["post", "pre"]),
        st.integers(0, 2),
        st.data(),
    )
    def test_by_a_value_on_either_side(self, X, side, more, data):
        """What ends (or begins) with the value itself is cut short, as documented."""
        fill = data.draw(hnp.arrays(X[0].dtype, ()))[()]
        array = pad_sequences(X, fill=fill, side=side, length=max(map(len, X)) + more)
        lengths = [len(x) for x in X]
        assert_same(unpad_sequences(array, lengths=lengths, side=side), X)
        outer = -1 if side == "post" else 0
        if all(np.any(x[outer] != fill) for x in X) and fill == fill:
            assert_same(unpad_sequences(array, fill=fill, side=side), X)
            numbers = np.arange(array.shape[0] * array.shape[1]).reshape(array.shape[:2])
            _, kept, again = unpad_sequences(array, numbers, array, fill=fill, side=side)
            assert_same(again, X)
            for row, part in zip(numbers, kept, strict=True):
                valid = row[: len(part)] if side == "post" else row[len(row) - len(part) :]
                assert_array_equal(part, valid)

    @given(sequences([np.int32, np.uint8, np.bool_]))
    def test_of_integers_by_nan_gives_the_same_numbers(self, X):
        back = unpad_sequences(pad_sequences(X))
        assert_same(back, [x.astype(float) for x in X])

    @given(sequences(FLOATS, st.sampled_from([1.0, NAN])))
    def test_of_missing_values_needs_the_lengths(self, X):
        assert_same(unpad_sequences(pad_sequences(X), lengths=[len(x) for x in X]), X)

    @given(
        hnp.arrays(np.float64, hnp.array_shapes(min_dims=3, max_dims=3, max_side=4)),
    )
    def test_of_axes(self, X):
        there = from_channels_first(X)
        assert there.flags.c_contiguous
        assert there.shape == (X.shape[0], X.shape[2], X.shape[1])
        assert_array_equal(to_channels_first(there), X)
        assert not np.shares_memory(there, X)

    @given(
        st.integers(1, 3),
        st.lists(st.integers(1, 5), min_size=1, max_size=4),
        st.sampled_from([np.float32, np.int16, "U2"]),
        st.data(),
    )
    def test_of_axes_in_lists(self, n_channels, lengths, dtype, data):
        X = [data.draw(hnp.arrays(dtype, (n_channels, n))) for n in lengths]
        there = from_channels_first(X)
        for x, y in zip(X, there, strict=True):
            assert_array_equal(y, x.T)
            assert y.flags.c_contiguous
        assert_same(to_channels_first(there), X)
        objects = from_channels_first(object_array(X))
        assert objects.dtype == object
        assert_same(list(objects), there)


class TestMaskValues:
    """Zeros, and values before the sequences, become padding that estimators read."""

    @pytest.mark.parametrize("side", ["post", "pre"])
    @pytest.mark.parametrize("fill", [0, -999.9, np.float64(-999.9), NAN, None])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_with_targets_and_weights(self, side, fill, dtype):
        X = [x.astype(dtype) for x in ragged()]
        y = [(x[:, 0] > 0).astype(int) for x in X]
        weights = [np.abs(x[:, :2]) for x in X]
        value = NAN if fill is None else float(fill)
        array = pad_sequences(X, fill=value, side=side)
        padded_y, padded_weights = (pad_sequences(part, fill=0, side=side) for part in (y, weights))
        result = unpad_sequences(array, padded_y, padded_weights, fill=fill, side=side)
        for actual, expected in zip(result, (X, y, weights), strict=True):
            assert_same(actual, expected)
        model = RNNRegressor(tol=1, random_state=0).fit(X, np.arange(6.0))
        assert_allclose(model.predict(pad_sequences(result[0])), model.predict(X), rtol=1e-5)

    def test_inner_and_partial_values_are_no_padding(self):
        X = np.array([[[0, 0], [1, 0], [0, 0], [0, 2], [0, 0]]])
        assert_same(unpad_sequences(X, fill=0), [X[0, :4]])
        assert_same(unpad_sequences(X, fill=0, side="pre"), [X[0, 1:]])
        assert_same(unpad_sequences(np.array([["a", ""]]), fill=""), [np.array(["a"])])
        assert_same(
            unpad_sequences(np.array([["", "a"]], object), fill="", side="pre"),
            [np.array(["a"], object)],
        )

    def test_estimators_refuse_nan_in_front(self):
        """Why `side` is there."""
        with pytest.raises(ValueError, match="at timestep 0"):
            RNNRegressor().fit(pad_sequences(ragged(), side="pre"), np.arange(6.0))

    @pytest.mark.parametrize(
        ("X", "arrays", "options", "error", "message"),
        [
            ([[0, 0], [1, 0]], [], {"fill": 0}, ValueError, r"X\[0\] is an empty.* values are 0"),
            ([[1, 0]], [], {"fill": "0"}, TypeError, "fill='0' can't occur in X of dtype int64"),
            ([["a"]], [], {"fill": 0}, TypeError, "fill=0 can't occur"),
            ([[1, 0]], [], {"fill": [0]}, TypeError, "can't occur"),
            ([[1, 0]], [], {"fill": 0, "lengths": [1]}, ValueError, "lengths or fill, not both"),
            (
                [[1, 0]],
                [],
                {"side": "left"},
                ValueError,
                "side='left' is not one of.*'post', 'pre'",
            ),
            ([[1, 0]], [[[1]]], {"fill": 0}, ValueError, r"arrays\[0\] has shape \(1, 1\), but X"),
            ([[1, 0]], [[[1, 2]], [3]], {"fill": 0}, ValueError, r"arrays\[1\] must be an array"),
            (
                [[1, 0]],
                [np.ma.masked_equal([[1, 2]], 2)],
                {"fill": 0},
                ValueError,
                r"arrays\[0\] is a masked",
            ),
        ],
    )
    def test_refusals(self, X, arrays, options, error, message):
        with pytest.raises(error, match=message):
            unpad_sequences(X, *arrays, **options)

    def test_refusal_of_a_side(self):
        with pytest.raises(ValueError, match="side='left' is not one of"):
            pad_sequences([[1.0]], side="left")


class TestPad:
    def test_is_what_the_estimators_read(self):
        X = ragged()
        assert_array_equal(pad_sequences(X), padded(X))
        model = RNNRegressor(tol=1, random_state=0).fit(X, np.arange(len(X)))
        assert_allclose(model.predict(pad_sequences(X, length=20)), model.predict(X))

    def test_one_dimensional_sequences_make_2d_x(self):
        X = [x[:, 0] for x in ragged(n=8)]
        model = RNNRegressor(tol=1, random_state=0).fit(pad_sequences(X), np.arange(8.0))
        longest = max(map(len, X))
        assert model.n_features_in_ == longest
        short = pad_sequences([X[0], X[1]], length=longest)
        assert_allclose(model.predict(short), model.predict(pad_sequences(X))[:2])

    def test_targets(self):
        X = ragged()
        y = [np.where(x[:, 0] > 0, "up", "down") for x in X]
        array = pad_sequences(y, fill="")
        model = RNNClassifier(return_sequences=True, tol=1, random_state=0)
        predicted = model.fit(pad_sequences(X), array).predict(pad_sequences(X))
        lengths = [len(x) for x in X]
        assert_same(unpad_sequences(predicted, lengths=lengths), model.fit(X, y).predict(X))

    @pytest.mark.parametrize("wrap", [list, tuple, object_array])
    def test_kinds_of_list(self, wrap):
        assert_array_equal(pad_sequences(wrap(ragged())), padded(ragged()))
        frames = wrap([pd.DataFrame(x) for x in ragged()])
        assert_array_equal(pad_sequences(frames), padded(ragged()))

    @pytest.mark.parametrize(
        ("X", "fill", "dtype"),
        [
            ([[1, 2], [3]], NAN, np.float64),
            ([[1, 2], [3, 4]], NAN, np.float64),  # though nothing is filled
            ([[1, 2], [3]], -1, np.int64),
            ([np.array([1, 2], np.uint8), [3]], 255, np.int64),
            ([np.array([1, 2], np.uint8)], 255, np.uint8),
            ([[True, False], [True]], False, np.bool_),
            ([np.ones(2, np.float32), np.ones(1)], NAN, np.float64),
            ([["a", "b"], ["c"]], "none", "U4"),
            ([["a", NAN], ["c"]], NAN, object),
            ([np.array(["a"], object), ["c"]], None, object),
        ],
    )
    def test_dtype(self, X, fill, dtype):
        array = pad_sequences(X, fill=fill)
        assert array.dtype == dtype
        assert array[0, 1:].tolist() == list(X[0][1:]) or pd.isna(X[0][1])

    @pytest.mark.parametrize(
        ("X", "options", "error", "message"),
        [
            ([], {}, ValueError, "an empty list"),
            ("abc", {}, ValueError, "sequences must be a list"),
            (3.0, {}, ValueError, "sequences must be a list"),
            (pd.DataFrame([[1.0]]), {}, ValueError, "sequences must be a list"),
            (scipy.sparse.eye_array(3), {}, TypeError, "sequences is sparse"),
            ([1.0, 2.0], {}, ValueError, r"sequences\[0\] must be an array"),
            ([[1.0], []], {}, ValueError, r"sequences\[1\] must be an array .* an empty list"),
            ([[[1.0], [2.0, 3.0]]], {}, ValueError, "sequences"),
            (
                [np.ones((2, 3)), np.ones((3, 2))],
                {},
                ValueError,
                r"sequences\[1\] has shape \(3, 2",
            ),
            ([np.ones((2, 3)), np.ones(2)], {}, ValueError, "only their first dimension"),
            ([np.ones((2, 3)), np.ones((2, 4))], {}, ValueError, "from_channels_first"),
            ([np.ma.masked_equal([1.0, 2.0], 2.0)], {}, ValueError, "masked"),
            ([[1, 2], ["a"]], {}, TypeError, "mix strings"),
            ([[1.0, 2.0]], {"length": 1}, ValueError, "length=1 is less than the 2"),
            (
                [[1.0, 2.0]],
                {"length": 2.0},
                TypeError,
                "length must be an?",
            ),
            (
                [[1.0, 2.0]],
                {"length": True},
                TypeError,
                "length must be an?",
            ),
            ([[1.0, 2.0]], {"fill": "x"}, TypeError, "fill='x' doesn't fit"),
            ([["a", "b"]], {}, TypeError, "fill=nan doesn't fit"),
            ([[1.0, 2.0]], {"fill": [0, 1]}, TypeError, "fill"),
            ([np.ones(2, "M8[s]")], {}, TypeError, "fill=nan doesn't fit"),
            ([np.ones(2, np.uint8)], {"fill": -1}, ValueError, "out of the range of uint8"),
            ([[2**53 + 1]], {}, ValueError, r"sequences\[0\] has integers that float64"),
            ([[0], [-(2**60)]], {}, ValueError, r"sequences\[1\] has integers that float64"),
        ],
    )
    def test_refusals(self, X, options, error, message):
        with pytest.raises(error, match=message):
            pad_sequences(X, **options)


class TestUnpad:
    def test_gives_views(self):
        array = padded(ragged())
        assert all(np.shares_memory(x, array) for x in unpad_sequences(array))

    def test_inner_nan_is_no_padding(self):
        X = np.array([[[NAN, 1.0], [NAN, NAN], [2.0, NAN], [NAN, NAN]]])
        assert_same(unpad_sequences(X), [X[0, :3]])

    def test_integers_have_no_padding(self):
        assert_same(unpad_sequences(np.array([[1, -1]])), [np.array([1, -1])])

    def test_data_frame(self):
        assert_same(unpad_sequences(pd.DataFrame([[1.0, NAN]])), [np.array([1.0])])

    @pytest.mark.parametrize(
        ("X", "lengths", "error", "message"),
        [
            (np.ones(3), None, ValueError, r"X must be an array \(n_samples, n_timesteps\)"),
            (np.ones((2, 0)), None, ValueError, "X must be an array"),
            ([[1.0], [1.0, 2.0]], None, ValueError, "X"),
            ([[1.0], [NAN]], None, ValueError, r"X\[1\] is an empty sequence"),
            (scipy.sparse.eye_array(3), None, TypeError, "sparse"),
            (np.ma.masked_equal([[1.0, 2.0]], 2.0), None, ValueError, "masked"),
            (
                np.ones((2, 3)),
                [1, 4],
                ValueError,
                r"lengths\[1\] is 4, but must be between 1 and 3",
            ),
            (np.ones((2, 3)), [0, 3], ValueError, r"lengths\[0\] is 0"),
            (np.ones((2, 3)), [1], ValueError, "lengths must be 2 integers"),
            (np.ones((2, 3)), [1.0, 2.0], ValueError, "lengths must be 2 integers"),
        ],
    )
    def test_refusals(self, X, lengths, error, message):
        with pytest.raises(error, match=message):
            unpad_sequences(X, lengths=lengths)


class TestChannels:
    def test_padding_stays_padding(self):
        X = ragged()
        array = to_channels_first(padded(X))
        assert np.isnan(array[:, :, -1]).all(axis=1).any()
        assert_same(unpad_sequences(from_channels_first(array)), X)

    @pytest.mark.parametrize(
        ("convert", "shapes"),
        [(from_channels_first, [(2, 3), (4, 3)]), (to_channels_first, [(3, 2), (3, 4)])],
    )
    def test_the_wrong_order_is_told(self, convert, shapes):
        X = [np.ones(shape) for shape in shapes]
        with pytest.raises(ValueError, match=r"X.1. has 4 channels.*seem to be in the other order"):
            convert(X)
        with pytest.raises(ValueError, match=r"X.2. has 1 channels.*same channels\.$"):
            convert([np.ones(shapes[0]), np.ones(shapes[0]), np.ones((1, 1))])

    @pytest.mark.parametrize("convert", [from_channels_first, to_channels_first])
    @pytest.mark.parametrize("X", [[], 3.0, np.ones(3), np.ones((2, 3)), np.ones((2, 3, 4, 5))])
    def test_other_input_is_refused(self, convert, X):
        with pytest.raises(ValueError, match=r"X.*n_channels"):
            convert(X)

    def test_estimators_hint_at_it(self):
        X = [x.T for x in ragged()]
        model = RNNRegressor(tol=1)
        with pytest.raises(ValueError, match=r"all have 3 rows.*from_channels_first\(X\)"):
            model.fit(X, np.arange(6))
        with pytest.raises(ValueError, match=r"same features\.$"):
            model.fit([np.ones((2, 3)), np.ones((4, 5))], [1, 2])
        model.fit(from_channels_first(X), np.arange(6))

    def test_estimators_hint_at_it_where_padding_is_in_the_wrong_place(self):
        array = padded(ragged()).swapaxes(1, 2)
        model = RNNRegressor(tol=1)
        with pytest.raises(ValueError, match=r"NaN ends the features.*from_channels_first\(X\)"):
            model.fit(array, np.arange(6))
        model.fit(from_channels_first(array), np.arange(6))
        array[:, 0, 0] = np.nan
        with pytest.raises(ValueError, match=r"all the features are NaN\.$"):
            model.fit(array, np.arange(6))
