"""Packed columns: every (sequence, timestep) once, in time-major order."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from networks import make_sequences, pack
from sklearn_rnn.core.packing import FlatBatch, ScatteredBatch, Span, decreasing

some_lengths = st.lists(st.integers(1, 30), min_size=1, max_size=8)
some_max_columns = st.integers(1, 40)


@given(some_lengths, some_max_columns)
@example([5, 5, 5], 7)
@example([1, 1], 1)
@example([2, 7, 1, 7, 2], 4)
def test_spans_cover_every_column_once_in_order(lengths, max_columns):
    packed = pack(make_sequences(lengths))
    covered = []
    for span in itertools.chain(*packed.batch.chunks(max_columns)):
        assert span.column == len(covered)
        covered += [
            (packed.order[j], t)
            for t in range(span.start, span.start + span.n_steps)
            for j in range(span.batch_size)
        ]
        assert span.column + span.n_columns == len(covered)
    assert covered == packed.steps
    assert len(set(covered)) == len(covered) == packed.batch.n_columns


@given(some_lengths, some_max_columns, st.integers(1, 15))
@example([5, 5, 5], 7, 15)
@example([2, 7, 1, 7, 2], 40, 15)
def test_chunks_are_as_long_as_allowed(lengths, max_columns, max_steps):
    """A span ends where sequences stop, a chunk where one more timestep would not fit."""
    packed = pack(make_sequences(lengths))
    chunks = list(packed.batch.chunks(max_columns, max_steps))
    for k, chunk in enumerate(chunks):
        assert len(chunk) > 0
        for span in chunk[:-1]:
            assert span.start + span.n_steps in packed.ends
        n_columns, n_steps = sum(span.n_columns for span in chunk), sum(s.n_steps for s in chunk)
        assert n_steps == 1 or n_columns <= max_columns
        assert n_steps <= max_steps
        if k < len(chunks) - 1:
            next_step = chunks[k + 1][0].batch_size
            assert n_columns + next_step > max_columns or n_steps == max_steps


@given(some_lengths, some_max_columns)
def test_inputs_are_the_values_of_the_spans(lengths, max_columns):
    sequences = make_sequences(lengths, n_inputs=3)
    packed = pack(sequences)
    for chunk in packed.batch.chunks(max_columns):
        for span, x in zip(chunk, packed.batch.inputs(chunk), strict=True):
            assert x.shape == (span.n_steps, 3, span.batch_size)
            for k in range(span.n_steps):
                for j in range(span.batch_size):
                    sequence = sequences[packed.order[j]]
                    expected = sequence[min(span.start + k, len(sequence) - 1)]
                    np.testing.assert_array_equal(x[k, :, j], expected)


@given(some_lengths, some_max_columns)
def test_scattered_sequences_are_gathered_alike(lengths, max_columns):
    sequences = make_sequences(lengths, n_inputs=3)
    packed = pack(sequences)
    scattered = ScatteredBatch([sequences[i] for i in packed.order])
    chunks = list(packed.batch.chunks(max_columns))
    assert list(scattered.chunks(max_columns)) == chunks
    for chunk in chunks:
        for x, other in zip(packed.batch.inputs(chunk), scattered.inputs(chunk), strict=True):
            np.testing.assert_array_equal(x, other)


@given(some_lengths, some_max_columns, st.integers(0, 29), st.integers(1, 30))
@example([5, 3, 9], 4, 0, 30)
@example([5, 3, 9], 4, 3, 2)
def test_timesteps_of_a_batch_are_a_batch(lengths, max_columns, first, n_steps):
    first = min(first, max(lengths) - 1)
    sequences = make_sequences(lengths, n_inputs=3)
    packed = pack(sequences)
    scattered = ScatteredBatch([sequences[i] for i in packed.order])
    parts = [sequences[i][first : first + n_steps] for i in packed.order]
    expected = pack([part for part in parts if len(part)]).batch
    chunks = list(expected.chunks(max_columns))
    for batch in (packed.batch, scattered):
        actual = batch.timesteps(first, first + n_steps)
        np.testing.assert_array_equal(actual.lengths, expected.lengths)
        assert list(actual.chunks(max_columns)) == chunks
        for chunk in chunks:
            for x, other in zip(actual.inputs(chunk), expected.inputs(chunk), strict=True):
                np.testing.assert_array_equal(x, other)


@given(some_lengths, some_max_columns)
def test_places_are_positions(lengths, max_columns):
    packed = pack(make_sequences(lengths))
    rows = np.arange(packed.batch.values.shape[0])
    for chunk in packed.batch.chunks(max_columns):
        places = packed.batch.places(packed.batch.starts, chunk)
        np.testing.assert_array_equal(
            rows[places], packed.batch.positions(packed.batch.starts, chunk)
        )
        assert packed.batch.is_exact(chunk) == packed.batch.is_real(chunk).all()


@given(some_lengths, some_max_columns)
def test_unpack_and_positions_agree(lengths, max_columns):
    """A matrix of packed columns, and a flat array of timesteps, hold the same in their ways."""
    packed = pack(make_sequences(lengths))
    starts = packed.batch.starts
    flat = np.arange(sum(lengths)) * 10
    columns = packed.batch.positions(starts)
    real = np.concatenate([packed.batch.is_real(c) for c in packed.batch.chunks(max_columns)])
    np.testing.assert_array_equal(real, packed.is_real)
    np.testing.assert_array_equal(real, packed.batch.is_real())
    np.testing.assert_array_equal(np.sort(columns[real]), np.arange(sum(lengths)))
    matrix = np.stack([flat[columns], -flat[columns]])
    for chunk in packed.batch.chunks(max_columns):
        expected = iter(flat[packed.batch.positions(starts, chunk)])
        for span in chunk:
            part = span.unpack(matrix)
            assert part.shape == (span.n_steps, 2, span.batch_size)
            for value, negative in zip(part[:, 0].ravel(), part[:, 1].ravel(), strict=True):
                assert value == -negative == next(expected)
        assert next(expected, None) is None


@given(some_lengths, some_max_columns)
@example([5, 5, 4, 30], 1000)
def test_every_sequence_ends_once_at_its_last_timestep(lengths, max_columns):
    packed = pack(make_sequences(lengths))
    ended = [
        (packed.order[j], span.start + step)
        for span in itertools.chain(*packed.batch.chunks(max_columns))
        for step, first, last in span.ends
        for j in range(first, last)
    ]
    assert sorted(ended) == [(i, length - 1) for i, length in enumerate(lengths)]


@given(some_lengths)
def test_sequences_run_on_a_little_and_never_longer_than_the_longest(lengths):
    packed = pack(make_sequences(lengths))
    ends, sorted_lengths = packed.batch.ends, packed.batch.lengths
    assert (ends >= sorted_lengths).all()
    assert set(ends) <= set(lengths)
    for end in set(ends):
        assert (end - sorted_lengths[ends == end]).sum() <= 32


@given(some_lengths)
@example([5, 5, 4, 30])
def test_the_mirror_reverses_each_sequence_within_its_own_length(lengths):
    packed = pack(make_sequences(lengths))
    steps = packed.steps
    for (i, t), column in zip(steps, packed.batch.mirror, strict=True):
        runs_on = t >= lengths[i]
        assert steps[column] == ((i, t) if runs_on else (i, lengths[i] - 1 - t))


@given(some_lengths)
def test_positions_for_starts_that_leave_gaps(lengths):
    """The starts are whatever they are: here every sequence has room for 40 timesteps."""
    packed = pack(make_sequences(lengths))
    starts = 40 * np.array(packed.order)
    expected = [40 * i + min(t, lengths[i] - 1) for i, t in packed.steps]
    np.testing.assert_array_equal(packed.batch.positions(starts), expected)


def test_unpack_is_a_view():
    matrix = np.zeros((2, 10))
    Span(start=4, n_steps=2, batch_size=3, column=3, ends=()).unpack(matrix)[1, 0, 2] = 1.0
    assert matrix[0, 8] == 1.0
    assert matrix.sum() == 1.0


def test_chunks_of_an_endless_sequence_cost_no_memory():
    batch = pack(make_sequences([1])).batch
    endless = FlatBatch(batch.values, batch.starts, np.array([10**15]))
    (first,), (second,) = itertools.islice(endless.chunks(1000), 2)
    assert first.n_steps <= 1000
    assert second == first._replace(start=first.n_steps, column=first.n_steps)
    assert endless.n_columns == 10**15


@pytest.mark.parametrize("dtype", [np.int64, np.int32])
def test_decreasing_is_stable(dtype):
    lengths = np.array([2, 3, 1, 3, 2, 1], dtype)
    np.testing.assert_array_equal(decreasing(lengths), [1, 3, 0, 4, 2, 5])
