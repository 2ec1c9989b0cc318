"""Both directions of time: what a bidirectional network promises beside right gradients."""

import numpy as np
import pytest

from networks import make_network, make_sequences, predict
from sklearn_rnn.core.cells import CELLS
from sklearn_rnn.core.network import Network

RAGGED = [3, 9, 1, 3, 14, 1, 2]
H = 3

cells = pytest.mark.parametrize("cell", CELLS)
per_step = pytest.mark.parametrize("return_sequences", [False, True], ids=["last", "all"])
depths = pytest.mark.parametrize("n_layers", [1, 2, 3])


def mirror_image(network):
    """A copy of a network whose two directions are exchanged."""
    image = Network(network.architecture, network.architecture.zeros(network.dtype))
    ours = network.architecture.named(network.parameters)
    theirs = network.architecture.named(image.parameters)
    for name, array in ours.items():
        layer, _, letter = name.partition(".")
        other = letter.removeprefix("reverse.") if "reverse" in letter else f"reverse.{letter}"
        target = theirs[name if layer == "output" else f"{layer}.{other}"]
        reads_both = letter == "W_hy" or (letter.endswith("W_xh") and layer != "layer_0")
        target[...] = np.roll(array, H, axis=1) if reads_both else array
    image.refresh()
    return image


@cells
@per_step
@depths
def test_reversing_time_mirrors_the_outputs(cell, return_sequences, n_layers):
    network = make_network(
        cell,
        hidden_size=H,
        n_layers=n_layers,
        return_sequences=return_sequences,
        bidirectional=True,
    )
    sequences = make_sequences(RAGGED)
    expected = predict(network, sequences)
    actual = predict(mirror_image(network), [x[::-1] for x in sequences])
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a[::-1] if return_sequences else a, b, rtol=0, atol=1e-12)


@cells
@per_step
@depths
def test_a_reverse_direction_alone_is_a_network_on_reversed_sequences(
    cell, return_sequences, n_layers
):
    """With the forward direction's outputs unread; that is a network of one direction."""
    options = {"hidden_size": H, "n_layers": n_layers, "return_sequences": return_sequences}
    both = make_network(cell, bidirectional=True, **options)
    one = make_network(cell, **options)
    ours, theirs = (n.architecture.named(n.parameters) for n in (both, one))
    for name, array in theirs.items():
        layer, _, letter = name.partition(".")
        target = ours[name if layer == "output" else f"{layer}.reverse.{letter}"]
        if target.shape != array.shape:
            target[:, :H] = 0
            target = target[:, H:]
        target[...] = array
    both.refresh()
    sequences = make_sequences(RAGGED)
    expected = predict(one, [x[::-1] for x in sequences])
    for a, b in zip(predict(both, sequences), expected, strict=True):
        np.testing.assert_allclose(a, b[::-1] if return_sequences else b, rtol=0, atol=1e-12)


@cells
@pytest.mark.parametrize("n_layers", [1, 2])
def test_every_output_looks_at_its_whole_sequence_and_at_no_other(cell, n_layers):
    network = make_network(cell, n_layers=n_layers, return_sequences=True, bidirectional=True)
    sequences = make_sequences(RAGGED)
    before = predict(network, sequences)
    for t in (0, -1):
        changed = [x.copy() for x in sequences]
        changed[1][t] += 1.0
        after = predict(network, changed)
        assert (after[1] != before[1]).any(axis=1).all()
        for i in (0, 2, 3, 4, 5, 6):
            np.testing.assert_array_equal(after[i], before[i])
