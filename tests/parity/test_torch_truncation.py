"""The same truncated backpropagation as torch's, with `detach()` from segment to segment."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone

from networks import OUTPUTS
from sklearn_rnn import RNNRegressor

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

from test_torch_parity import (  # noqa: E402, which needs torch
    CELLS,
    HIDDEN_SIZE,
    N_INPUTS,
    N_OUTPUTS,
    TORCH_POOLS,
    assert_close,
    tensor,
    torch_layer,
    torch_twin,
)

LENGTHS = {"equal": [11] * 6, "ragged": [7, 1, 11, 4, 9, 4]}
RATE, MOMENTUM, BATCH_SIZE, EPOCHS = 0.05, 0.9, 4, 3


def run_segment(layers, inputs, states):
    """Read some timesteps of some sequences; return hidden states, and those to go on from."""
    packed = torch.nn.utils.rnn.pack_sequence(inputs, enforce_sorted=False)
    before = tuple(torch.stack(part, dim=1) for part in zip(*states, strict=True))
    hidden, after = layers(packed, before if len(before) == 2 else before[0])
    after = after if isinstance(after, tuple) else (after,)
    hidden, lengths = torch.nn.utils.rnn.pad_packed_sequence(hidden)
    hidden = [hidden[:length, i] for i, length in enumerate(lengths)]
    return hidden, list(zip(*(part.detach().unbind(dim=1) for part in after), strict=True))


def train_by_segments(layers, output, X, y, sample_weight, n_steps, pooling):
    """An update per segment that has targets, in place; return how many that were.

    What a pool has read of earlier segments are numbers to it. None: a target for each timestep.
    """
    optimizer = torch.optim.SGD([*layers.parameters(), *output.parameters()], RATE, MOMENTUM)
    n_states = 2 if isinstance(layers, torch.nn.LSTM) else 1
    zeros = (torch.zeros(layers.num_layers, HIDDEN_SIZE, dtype=torch.float64),) * n_states
    n_updates = 0
    for start in [*range(0, len(X), BATCH_SIZE)] * EPOCHS:
        states = dict.fromkeys(range(start, min(start + BATCH_SIZE, len(X))), zeros)
        earlier = {i: torch.zeros(0, HIDDEN_SIZE, dtype=torch.float64) for i in states}
        for first in range(0, max(len(X[i]) for i in states), n_steps):
            now = slice(first, first + n_steps)
            running = [i for i in states if len(X[i]) > first]
            inputs, before = [X[i][now] for i in running], [states[i] for i in running]
            hidden, after = run_segment(layers, inputs, before)
            states |= dict(zip(running, after, strict=True))
            parts = []
            for i, h in zip(running, hidden, strict=True):
                h_so_far = torch.cat([earlier[i], h])
                earlier[i] = h_so_far.detach()
                if pooling is None:
                    parts.append((output(h), y[i][now], sample_weight[i][now]))
                elif len(X[i]) <= first + n_steps:
                    pooled = torch.cat([TORCH_POOLS[name](h_so_far) for name in pooling])
                    parts.append((output(pooled)[None], y[i][None], sample_weight[i][None]))
            if not parts:
                continue
            raw, target, weight = map(torch.cat, zip(*parts, strict=True))
            losses = 0.5 * torch.nn.functional.mse_loss(raw, target, reduction="none").mean(dim=1)
            optimizer.zero_grad()
            (losses @ weight / weight.sum()).backward()
            optimizer.step()
            n_updates += 1
    return n_updates


def without_second_biases(layers):
    """Train those of torch's second biases alone that are parameters here."""
    trained = torch.zeros_like(layers.bias_hh_l0)
    if isinstance(layers, torch.nn.GRU):
        trained[2 * HIDDEN_SIZE :] = 1
    for name, parameter in layers.named_parameters():
        if name.startswith("bias_hh"):
            parameter.register_hook(lambda gradient: gradient * trained)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("cell", "activation"), CELLS)
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("of", OUTPUTS.values(), ids=OUTPUTS)
@pytest.mark.parametrize(("n_layers", "bptt_steps"), [(1, 1), (1, 4), (2, 3)])
def test_segments(cell, activation, lengths, of, n_layers, bptt_steps):
    return_sequences = of["return_sequences"]
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((length, N_INPUTS)) for length in lengths]
    shapes = [(length,) if return_sequences else () for length in lengths]
    y = [rng.standard_normal((*shape, N_OUTPUTS)) for shape in shapes]
    weights = [rng.uniform(0.5, 2, shape) for shape in shapes]
    model = RNNRegressor(
        cell=cell,
        activation=activation,
        hidden_size=HIDDEN_SIZE,
        n_layers=n_layers,
        **of,
        bptt_steps=bptt_steps,
        standardize=False,
        solver="sgd",
        momentum=MOMENTUM,
        nesterovs_momentum=False,
        alpha=0.0,
        max_grad_norm=None,
        batch_size=BATCH_SIZE,
        shuffle=False,
        max_iter=EPOCHS,
        random_state=0,
    )
    start = clone(model).set_params(learning_rate_init=1e-300, max_iter=1).fit(X, y, weights)
    network = SimpleNamespace(architecture=start._architecture, parameters=start._parameters)
    layers, output = torch_twin(network, n_layers)
    without_second_biases(layers)
    data = [[tensor(array) for array in arrays] for arrays in (X, y, weights)]
    pooling = None if return_sequences else of["pooling"]
    n_updates = train_by_segments(layers, output, *data, bptt_steps, pooling)

    model.set_params(learning_rate_init=RATE).fit(X, y, weights)
    assert model._progress.n_updates == n_updates
    _, _, order = CELLS[cell, activation]
    for k in range(n_layers):
        for name, array in torch_layer(model.weights_, k, order, False).items():
            assert_close(array, getattr(layers, name))
    assert_close(model.weights_["output.W_hy"], output.weight)
    assert_close(model.weights_["output.b_y"], output.bias)
    for name, array in start.weights_.items():
        assert np.abs(model.weights_[name] - array).max() > 1e-5
