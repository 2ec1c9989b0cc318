"""The settings under which the loop over time runs."""

import numpy as np
import pytest

from sklearn_rnn.core.memory import with_small_ufunc_buffers


def test_the_buffer_is_small_inside_and_as_before_outside():
    before = np.getbufsize()
    assert with_small_ufunc_buffers(np.getbufsize) < before
    assert np.getbufsize() == before


def test_an_error_puts_the_buffer_back():
    before = np.getbufsize()
    with pytest.raises(ZeroDivisionError):
        with_small_ufunc_buffers(divmod, 1, 0)
    assert np.getbufsize() == before
