"""The settings under which the loop over time runs, and its two ways to the gradient on W."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from networks import VARIANTS, loss_and_gradients, make_network, make_sequences, make_targets, pack
from sklearn_rnn.core.cells import CELLS
from sklearn_rnn.core.memory import with_small_ufunc_buffers
from sklearn_rnn.core.recurrent import RecurrentLayer


def test_the_buffer_is_small_inside_and_as_before_outside():
    before = np.getbufsize()
    assert with_small_ufunc_buffers(np.getbufsize) < before
    assert np.getbufsize() == before


def test_an_error_puts_the_buffer_back():
    before = np.getbufsize()
    with pytest.raises(ZeroDivisionError):
        with_small_ufunc_buffers(divmod, 1, 0)
    assert np.getbufsize() == before


@pytest.mark.parametrize("variant", VARIANTS, ids="-".join)
@pytest.mark.parametrize("lengths", [[4, 4, 4], [2, 70, 1, 70, 60]], ids=["equal", "ragged"])
def test_many_sequences_have_the_same_gradients(monkeypatch, variant, lengths):
    def gradients(most_copied):
        """Take timesteps of more sequences one by one; return the gradients by name."""
        with monkeypatch.context() as patch:
            patch.setattr(CELLS[variant[0]], "many_sequences", most_copied + 1)
            patch.setattr(RecurrentLayer, "_side_by_side", counting)
            targets, weights = make_targets("squared_error", lengths, 2, return_sequences=True)
            network = make_network(*variant, n_layers=2, max_columns=30, return_sequences=True)
            packed = pack(make_sequences(lengths))
            return loss_and_gradients(network, packed, "squared_error", targets, weights)[1]

    def counting(layer, records, original=RecurrentLayer._side_by_side):
        calls.append(records)
        return original(layer, records)

    calls = []
    expected = gradients(most_copied=len(lengths))
    n_chunks = len(calls)
    for most_copied in (2, 0):
        calls.clear()
        for name, gradient in gradients(most_copied).items():
            assert_allclose(gradient, expected[name], rtol=0, atol=1e-13, err_msg=name)
        assert len(calls) < n_chunks
    assert not calls
