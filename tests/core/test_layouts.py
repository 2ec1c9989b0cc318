"""Layouts are kept for lengths that have come before, and are the same as new ones."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_rnn.core.layouts import KEPT_TIMESTEPS, MAX_KEPT, PREDICT_BATCH, Layouts, new_layouts

MAX_COLUMNS = 8  # so that there are several chunks


MANY = [1] * (PREDICT_BATCH + 1)


@pytest.mark.parametrize("lengths", [[9], [1, 3, 2], [40, 40, 3], MANY], ids=len)
def test_kept_layouts_are_those_that_would_be_made(lengths):
    lengths, layouts = np.array(lengths), Layouts()
    first = layouts.of(lengths, MAX_COLUMNS)
    again = layouts.of(lengths.copy(), MAX_COLUMNS)
    assert again is first
    for kept, new in zip(again, new_layouts(lengths, MAX_COLUMNS), strict=True):
        assert_array_equal(kept.chosen, new.chosen)
        assert_array_equal(kept.packing.lengths, new.packing.lengths)
        assert kept.chunks == list(new.chunks)


def test_other_lengths_and_other_chunks_have_other_layouts():
    layouts = Layouts()
    ((_, _, chunks),) = layouts.of(np.array([20]), MAX_COLUMNS)
    assert [chunk.shapes for chunk in chunks] == [((16, 1),), ((4, 1),)]
    ((_, packing, _),) = layouts.of(np.array([20, 20]), MAX_COLUMNS)
    assert len(packing.lengths) == 2
    ((_, _, chunks),) = layouts.of(np.array([20]), 2 * MAX_COLUMNS)
    assert [chunk.shapes for chunk in chunks] == [((20, 1),)]


def test_few_and_short_ones_are_kept():
    layouts = Layouts()
    for lengths in ([KEPT_TIMESTEPS + 1], [1] * (KEPT_TIMESTEPS + 1)):
        for layout in layouts.of(np.array(lengths), MAX_COLUMNS):
            assert len(layout.chosen) <= PREDICT_BATCH
        assert not layouts._kept
    for length in range(1, 3 * MAX_KEPT):
        layouts.of(np.array([length]), MAX_COLUMNS)
        assert len(layouts._kept) <= MAX_KEPT
