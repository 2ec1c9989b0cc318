"""Two ways to compute σ: each is right, also far from zero, and every cell works with each."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import reference
from networks import (
    VARIANTS,
    assert_equal_slopes,
    central_differences,
    evaluate,
    make_network,
    make_sequences,
    make_targets,
    pack,
    predict,
    unset_gradients,
)
from sklearn_rnn.core.cells.base import Cell, constants
from sklearn_rnn.core.cells.sigmoid import BY_EXP, BY_TANH, faster

ways = pytest.mark.parametrize("sigmoid", [BY_TANH, BY_EXP], ids=["tanh", "exp"])


def apply(sigmoid, a):
    half, one = constants(a.dtype)
    scaled = a * a.dtype.type(sigmoid.scale)
    with np.errstate(over="ignore"):
        sigmoid.apply(scaled, SimpleNamespace(half=half, one=one), scaled)
    return scaled


@ways
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values(sigmoid, dtype):
    a = np.linspace(-30, 30, 1001)
    expected = np.array([reference.sigmoid(x) for x in a])
    atol = 2 * np.finfo(dtype).eps
    assert apply(sigmoid, a.astype(dtype)).dtype == dtype
    assert_allclose(apply(sigmoid, a.astype(dtype)), expected, rtol=0, atol=atol)


@ways
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_from_zero(sigmoid, dtype):
    far = np.finfo(dtype).max / 4
    a = np.array([-np.inf, -far, -1e4, 0, 1e4, far, np.inf, np.nan], dtype)
    assert_allclose(apply(sigmoid, a), [0, 0, 0, 0.5, 1, 1, 1, np.nan], rtol=0, atol=0)


@ways
@pytest.mark.parametrize("variant", VARIANTS, ids="-".join)
def test_cells(monkeypatch, sigmoid, variant):
    monkeypatch.setattr(Cell, "sigmoid", sigmoid)
    lengths = [2, 5, 1, 3, 3]
    network, sequences = make_network(*variant, n_layers=2), make_sequences(lengths)
    packed = pack(sequences)
    targets, weights = make_targets("squared_error", lengths, 2, return_sequences=False)

    def forward():
        network.refresh()
        return evaluate(network, packed, "squared_error", targets, weights)

    by_name = network.architecture.named(network.parameters)
    cell, activation = variant
    expected = reference.forward(by_name, sequences, cell=cell, activation=activation)
    assert_allclose(predict(network, sequences), expected, rtol=0, atol=1e-12)
    _, d_outputs, tape = forward()
    gradients = unset_gradients(network)
    network.backward(tape, d_outputs, gradients)
    numeric = central_differences(lambda: forward()[0], network.parameters.vector)
    assert_equal_slopes(gradients.vector, numeric, "parameters")


@pytest.mark.parametrize(
    ("instructions", "expected"),
    [
        ([], BY_TANH),
        (["NEON", "ASIMD"], BY_TANH),
        (["X86_V3"], BY_EXP),
        (["X86_V3", "X86_V4", "AVX512_ICL"], BY_TANH),
        (["SSE41", "AVX", "F16C", "FMA3", "AVX2"], BY_EXP),  # before NumPy 2.4
        (["FMA3", "AVX2", "AVX512F", "AVX512CD", "AVX512_SKX"], BY_TANH),
    ],
)
def test_the_choice(instructions, expected):
    assert faster(instructions) is expected
