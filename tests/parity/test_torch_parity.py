"""The same numbers as torch's, in float64: recurrent layers, losses, clipping."""

import numpy as np
import pytest

from networks import (
    HEADS,
    HYPER,
    OUTPUTS,
    make_network,
    make_sequences,
    make_targets,
    pack,
    predict,
    unset_gradients,
)
from sklearn_rnn.core.heads import Head
from sklearn_rnn.core.losses import LOSSES
from sklearn_rnn.core.optimizers import clip_by_norm, clip_by_value

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

N_INPUTS, HIDDEN_SIZE, N_OUTPUTS = 3, 4, 2

# torch's class, its options, and the order in which its gates stand here.
CELLS = {
    ("elman", "tanh"): (torch.nn.RNN, {"nonlinearity": "tanh"}, [0]),
    ("elman", "relu"): (torch.nn.RNN, {"nonlinearity": "relu"}, [0]),
    ("lstm", "tanh"): (torch.nn.LSTM, {}, [1, 3, 2, 0]),  # i, f, g, o of o, i, g, f
    ("gru", "tanh"): (torch.nn.GRU, {}, [1, 0, 2]),  # r, z, n of z, r, n
}
LENGTHS = {"equal": [6, 6, 6], "ragged": [3, 9, 1, 9, 5]}


def tensor(array):
    return torch.tensor(np.asarray(array), dtype=torch.float64)


def assert_close(actual, expected):
    """Assert equality to 1e-10, relative to max(1, |expected|)."""
    expected = expected.detach().numpy()
    assert actual.shape == expected.shape
    np.testing.assert_array_less(np.abs(actual - expected), 1e-10 * np.maximum(1, abs(expected)))


def torch_gates(array, order):
    """Put the gates' rows into torch's order."""
    blocks = np.split(array, len(order))
    return np.concatenate([blocks[k] for k in order])


def torch_layer(named, k, order, bidirectional):
    """Return torch's arrays of layer k, by torch's names, made from ours."""
    suffixes = {"": "", ".reverse": "_reverse"} if bidirectional else {"": ""}
    arrays = {}
    for ours, theirs in suffixes.items():
        part = f"layer_{k}{ours}"
        W_xh, W_hh, b_h = (
            torch_gates(named[f"{part}.{letter}"], order) for letter in ("W_xh", "W_hh", "b_h")
        )
        b_hh = np.zeros_like(b_h)
        if f"{part}.b_hn" in named:  # torch has a second bias for every gate; one does something
            b_hh[2 * HIDDEN_SIZE :] = named[f"{part}.b_hn"]
        values = {"weight_ih": W_xh, "weight_hh": W_hh, "bias_ih": b_h, "bias_hh": b_hh}
        arrays |= {f"{name}_l{k}{theirs}": array for name, array in values.items()}
    return arrays


def torch_twin(network, n_layers):
    """Return torch's recurrent layers and output layer with a network's parameters."""
    architecture = network.architecture
    named = architecture.named(network.parameters)
    cls, options, order = CELLS[architecture.cell, architecture.activation]
    both_ways = architecture.bidirectional
    options = {**options, "bidirectional": both_ways, "dtype": torch.float64}
    layers = cls(N_INPUTS, HIDDEN_SIZE, n_layers, **options)
    output = torch.nn.Linear(architecture.n_features, N_OUTPUTS, dtype=torch.float64)
    with torch.no_grad():
        for k in range(n_layers):
            for name, array in torch_layer(named, k, order, both_ways).items():
                getattr(layers, name).copy_(tensor(array))
        output.weight.copy_(tensor(named["output.W_hy"]))
        output.bias.copy_(tensor(named["output.b_y"]))
    return layers, output


# Of h of one sequence, (T, hidden).
TORCH_POOLS = {
    "last": lambda h: h[-1],
    "mean": lambda h: h.mean(dim=0),
    "max": lambda h: h.max(dim=0).values,
}


def run_torch(layers, output, inputs, return_sequences, pooling):
    """Return raw outputs, (n_outputs,) for each sequence, or (T_i, n_outputs)."""
    lengths = [len(x) for x in inputs]
    if len(set(lengths)) == 1:
        hidden, last = layers(torch.stack(inputs, dim=1))
    else:
        hidden, last = layers(torch.nn.utils.rnn.pack_sequence(inputs, enforce_sorted=False))
        hidden, _ = torch.nn.utils.rnn.pad_packed_sequence(hidden)
    of_each = [hidden[:length, i] for i, length in enumerate(lengths)]
    if return_sequences:
        return [output(h) for h in of_each]
    h_n = last[0] if isinstance(last, tuple) else last  # (layers * directions, batch, hidden)
    of_all = torch.cat(list(h_n[-2 if layers.bidirectional else -1 :]), dim=1)
    return [
        output(torch.cat([h_T if name == "last" else TORCH_POOLS[name](h) for name in pooling]))
        for h, h_T in zip(of_each, of_all, strict=True)
    ]


@pytest.mark.parametrize(("cell", "activation"), CELLS)
@pytest.mark.parametrize("n_layers", [1, 2, 3])
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("of", OUTPUTS.values(), ids=OUTPUTS)
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])
@pytest.mark.parametrize("max_columns", [7, None])
def test_network(cell, activation, n_layers, lengths, of, bidirectional, max_columns):
    network = make_network(
        cell,
        activation,
        n_inputs=N_INPUTS,
        hidden_size=HIDDEN_SIZE,
        n_layers=n_layers,
        n_outputs=N_OUTPUTS,
        bidirectional=bidirectional,
        max_columns=max_columns,
        **of,
    )
    return_sequences = of["return_sequences"]
    sequences = make_sequences(lengths, N_INPUTS)
    packed = pack(sequences)
    layers, output = torch_twin(network, n_layers)
    inputs = [tensor(sequence).requires_grad_() for sequence in sequences]
    expected = run_torch(layers, output, inputs, **of)
    for raw, y in zip(predict(network, sequences), expected, strict=True):
        assert_close(raw, y)
    outputs, tape = network.forward(packed.batch)
    for raw, y in zip(packed.by_sequence(outputs, return_sequences), expected, strict=True):
        assert_close(raw, y)

    # Backward from Σ d∘y, with some numbers for d.
    d_of, _ = make_targets("squared_error", lengths, N_OUTPUTS, return_sequences)
    sum((tensor(d) * y).sum() for d, y in zip(d_of, expected, strict=True)).backward()
    gradients = unset_gradients(network)
    d_outputs = packed.by_column(d_of, return_sequences)
    d_inputs = network.backward(tape, d_outputs, gradients, input_gradient=True)
    for d_input, x in zip(packed.by_sequence(d_inputs, True), inputs, strict=True):
        assert_close(d_input, x.grad)
    named = network.architecture.named(gradients)
    _, _, order = CELLS[cell, activation]
    for k in range(n_layers):
        for name, gradient in torch_layer(named, k, order, bidirectional).items():
            theirs = getattr(layers, name).grad
            if not name.startswith("bias_hh"):
                assert_close(gradient, theirs)
            elif cell == "gru":
                assert_close(gradient[2 * HIDDEN_SIZE :], theirs[2 * HIDDEN_SIZE :])
    assert_close(named["output.W_hy"], output.weight.grad)
    assert_close(named["output.b_y"], output.bias.grad)


def mse(raw, target):
    return 0.5 * torch.nn.functional.mse_loss(raw.T, target.T, reduction="none").mean(dim=1)


def l1(raw, target):
    return torch.nn.functional.l1_loss(raw.T, target.T, reduction="none").mean(dim=1)


def huber(raw, target):
    return torch.nn.functional.huber_loss(
        raw.T, target.T, reduction="none", delta=HYPER.delta
    ).mean(dim=1)


def pinball(raw, target):  # torch has none
    q = HYPER.quantile
    return torch.maximum(q * (target - raw), (q - 1) * (target - raw)).mean(dim=0)


def poisson_nll(raw, target):
    return torch.nn.functional.poisson_nll_loss(raw.T, target.T, reduction="none").mean(dim=1)


def gaussian_nll(raw, target):
    mean, deviation = raw.T.chunk(2, dim=1)
    return torch.nn.functional.gaussian_nll_loss(
        mean, target.T, deviation**2, reduction="none"
    ).mean(dim=1)


def cross_entropy(raw, target):
    return torch.nn.functional.cross_entropy(
        raw.T, target, reduction="none", label_smoothing=HYPER.label_smoothing
    )


def binary_cross_entropy(raw, target):
    smoothed = (1 - HYPER.label_smoothing) * target + HYPER.label_smoothing / 2
    return torch.nn.functional.binary_cross_entropy_with_logits(
        raw.T, smoothed.T, reduction="none"
    ).sum(dim=1)


TORCH_LOSSES = {
    "squared_error": (mse, lambda raw: raw),
    "absolute_error": (l1, lambda raw: raw),
    "huber": (huber, lambda raw: raw),
    "quantile": (pinball, lambda raw: raw),
    "poisson": (poisson_nll, torch.exp),
    "gaussian": (gaussian_nll, lambda raw: raw),
    "softmax_cross_entropy": (cross_entropy, lambda raw: torch.softmax(raw, dim=0)),
    "sigmoid_cross_entropy": (binary_cross_entropy, torch.sigmoid),
}


@pytest.mark.parametrize(  # e^raw has its limits
    ("name", "scale"),
    [(name, s) for name in LOSSES for s in (1, 20, *[1e4] * (name != "poisson"))],
)
def test_losses(name, scale):
    torchs, link = TORCH_LOSSES[name]
    n_outputs, columns = 3, 50
    head = HEADS.get(name, Head())
    shape = n_outputs * head.n_per_target, columns
    raw = scale * head.forward(np.random.default_rng(0).standard_normal(shape))
    target, weight = (
        np.stack(arrays, axis=-1) for arrays in make_targets(name, [1] * columns, 3, False)
    )
    weight /= weight.sum()
    value, gradient = LOSSES[name].of(HYPER).evaluate(raw, target, weight)
    theirs = tensor(raw).requires_grad_()
    total = torchs(theirs, torch.tensor(target)) @ tensor(weight)
    total.backward()
    assert value == pytest.approx(total.item(), rel=1e-10)
    assert_close(gradient, theirs.grad)
    assert_close(LOSSES[name].link(raw), link(theirs))


# torch divides by the norm + 1e-6: of long gradients, that is no difference.
@pytest.mark.parametrize("max_norm", [1.0, 1e5, 1e9])
def test_clipping_by_norm(max_norm):
    gradient = 1e6 * np.random.default_rng(0).standard_normal(20)
    parameter = torch.zeros(20, dtype=torch.float64, requires_grad=True)
    parameter.grad = tensor(gradient)
    torch.nn.utils.clip_grad_norm_([parameter], max_norm)
    clip_by_norm(gradient, max_norm)
    assert_close(gradient, parameter.grad)


@pytest.mark.parametrize("max_value", [0.1, 1.0, 10.0])
def test_clipping_by_value(max_value):
    gradient = np.random.default_rng(0).standard_normal(20)
    parameter = torch.zeros(20, dtype=torch.float64, requires_grad=True)
    parameter.grad = tensor(gradient)
    torch.nn.utils.clip_grad_value_([parameter], max_value)
    clip_by_value(gradient, max_value)
    assert_close(gradient, parameter.grad)
