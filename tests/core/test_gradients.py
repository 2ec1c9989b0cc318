"""The gradients against finite differences and against the slow reference.

Every network on every layout of a batch; the losses, which meet a network in the gradients on its
outputs alone, come along so that each is paired with everything.
"""

import numpy as np

import reference
from covering import covering
from networks import (
    HEADS,
    OUTPUTS,
    VARIANTS,
    assert_equal_slopes,
    central_differences,
    evaluate,
    loss_and_gradients,
    make_network,
    make_sequences,
    make_targets,
    pack,
    unset_gradients,
)
from sklearn_rnn.core.heads import Head
from sklearn_rnn.core.losses import LOSSES

# lengths, network.max_columns (None: as it comes). Where several of three or five sequences are
# running, 7 or 4 columns make spans of one timestep, of several, and shorter last ones.
LAYOUTS = {
    "equal": ([4, 4, 4], None),
    "equal, many spans": ([5, 5, 5], 7),
    "ragged": ([2, 5, 1, 3, 3], None),
    "ragged, many spans": ([2, 7, 1, 7, 2], 4),
}
MORE_LAYOUTS = LAYOUTS | {
    "one sequence": ([6], None),
    "one sequence, many spans": ([6], 4),
    "one timestep": ([1, 1, 1], None),
    "one value": ([1], None),
    "very unequal": ([1, 40, 2, 1], None),
    "very unequal, many spans": ([1, 40, 2, 1], 1),
}
# The reference's name of a loss, and its parameters there; here they are networks.HYPER.
REFERENCE_LOSSES = {
    "squared_error": ("squared_error", {}),
    "absolute_error": ("absolute_error", {}),
    "huber": ("huber", {"delta": 0.7}),
    "quantile": ("quantile", {"q": 0.8}),
    "poisson": ("poisson", {}),
    "gaussian": ("gaussian", {}),
    "softmax_cross_entropy": ("softmax", {"s": 0.15}),
    "sigmoid_cross_entropy": ("sigmoid", {"s": 0.15}),
}


def networks_and_losses(layouts, depths):
    factors = {
        "loss": LOSSES,
        "layout": layouts,
        "n_layers": depths,
        "bidirectional": [False, True],
        "output": OUTPUTS,
        "variant": VARIANTS,
    }
    return covering(
        factors,
        ("layout", "variant", "bidirectional"),
        ("n_layers", "bidirectional", "output"),
        thorough=(factors, [name for name in factors if name != "loss"]),
    )


@networks_and_losses(LAYOUTS, [1, 2])
def test_finite_differences(loss, layout, n_layers, bidirectional, output, variant):
    lengths, max_columns = LAYOUTS[layout]
    network = make_network(
        *variant,
        n_layers=n_layers,
        bidirectional=bidirectional,
        max_columns=max_columns,
        seed=6 if bidirectional else 0,  # in which none of the three rectified units is always 0
        head=HEADS.get(loss, Head()),
        **OUTPUTS[output],
    )
    packed = pack(make_sequences(lengths))
    per_step = OUTPUTS[output]["return_sequences"]
    targets, weights = make_targets(loss, lengths, 2, per_step)
    _, d_outputs, tape = evaluate(network, packed, loss, targets, weights)
    gradients = unset_gradients(network)
    d_inputs = network.backward(tape, d_outputs, gradients, input_gradient=True)

    def total():
        network.refresh()
        return evaluate(network, packed, loss, targets, weights)[0]

    numeric = network.architecture.zeros(np.float64)
    numeric.vector[...] = central_differences(total, network.parameters.vector)
    named = network.architecture.named(numeric)
    for name, gradient in network.architecture.named(gradients).items():
        assert_equal_slopes(gradient, named[name], name)
    of_values = np.concatenate(packed.by_sequence(d_inputs, return_sequences=True))
    assert_equal_slopes(of_values, central_differences(total, packed.batch.values), "inputs")


@networks_and_losses(MORE_LAYOUTS, [1, 2, 3])
def test_reference(loss, layout, n_layers, bidirectional, output, variant):
    cell, activation = variant
    lengths, max_columns = MORE_LAYOUTS[layout]
    network = make_network(
        cell,
        activation,
        n_inputs=2,
        hidden_size=4,
        n_outputs=3,
        n_layers=n_layers,
        bidirectional=bidirectional,
        max_columns=max_columns,
        head=HEADS.get(loss, Head()),
        **OUTPUTS[output],
    )
    if loss == "poisson" and activation in ("relu", "identity"):
        network.parameters.vector *= 0.5  # e^raw has its limits, and h has none over many timesteps
        network.refresh()
    sequences = make_sequences(lengths)
    packed = pack(sequences)
    per_step = OUTPUTS[output]["return_sequences"]
    targets, weights = make_targets(loss, lengths, 3, per_step)
    weights_by_name = network.architecture.named(network.parameters)
    raw, _ = network.forward(packed.batch)
    outputs = packed.by_sequence(raw, per_step)
    value, gradients, d_inputs = loss_and_gradients(network, packed, loss, targets, weights)

    options = {"cell": cell, "activation": activation, **OUTPUTS[output]}
    expected = reference.forward(weights_by_name, sequences, **options)
    if loss == "gaussian":
        expected = [np.concatenate(reference.mean_and_deviation(a.T)).T for a in expected]
    reference_loss, loss_parameters = REFERENCE_LOSSES[loss]
    expected_value, expected_gradients, expected_d_inputs = reference.loss_and_gradients(
        weights_by_name,
        sequences,
        targets,
        loss=reference_loss,
        sample_weight=weights,
        **options,
        **loss_parameters,
    )
    assert_close(outputs, expected)
    assert_close([value], [expected_value])
    assert gradients.keys() == expected_gradients.keys()
    assert_close(gradients.values(), expected_gradients.values())
    assert_close(d_inputs, expected_d_inputs)


def assert_close(actual, expected):
    """Assert arrays to be equal to 1e-10, relative to max(1, |expected|)."""
    for a, b in zip(actual, expected, strict=True):
        assert np.shape(a) == np.shape(b)
        error = np.max(np.abs(a - b) / np.maximum(1, np.abs(b)))
        assert error < 1e-10, f"error {error:.1e}"
