"""The peers in the benchmarks: torch, skorch and JAX, each in its fastest form."""

from collections.abc import Callable
from itertools import cycle

import torch
from torch.nn.functional import cross_entropy, mse_loss
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_sequence
from torch.utils.data import Dataset, default_collate

from steps import BETAS, EPSILON, MAX_NORM, RATE, Minibatch, Task

TORCH_CELLS = {"elman": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
FUSED = True  # torch's fastest Adam on a CPU, by 0.1 ms per step
GATES = {"elman": 1, "gru": 3, "lstm": 4}


class TorchRNN(torch.nn.Module):
    """Recurrent layers and a linear output, on the last valid timestep or on every one."""

    def __init__(self, cell, n_inputs, hidden_size, n_layers, n_outputs, per_step):
        super().__init__()
        self.recurrent = TORCH_CELLS[cell](n_inputs, hidden_size, n_layers, batch_first=True)
        self.output = torch.nn.Linear(hidden_size, n_outputs)
        self.per_step = per_step

    def forward(self, X, lengths=None):
        """Return raw outputs of a tensor (batch, timesteps, features) or a PackedSequence.

        Outputs per step are packed if X is packed. In a padded tensor, `lengths` gives the last
        valid steps, and outputs per step in padding are meaningless.
        """
        h, last = self.recurrent(X)
        if self.per_step:
            if isinstance(h, PackedSequence):
                return h._replace(data=self.output(h.data))
            return self.output(h)
        if lengths is not None:
            return self.output(h[torch.arange(len(h)), lengths - 1])
        h_last = last[0] if isinstance(last, tuple) else last  # LSTM: h and c
        return self.output(h_last[-1])


def torch_step(task: Task, batches: list[Minibatch]) -> Callable[[], float]:
    """One optimisation step on sequences of equal length; `steps` says what a contender is."""

    def prepare(data):
        X, y = torch.from_numpy(data.X), torch.from_numpy(data.y)
        return lambda network: mse_loss(network(X), y)

    return _torch_steps(task, [prepare(data) for data in batches])


def torch_packed_step(task: Task, batches: list[Minibatch]) -> Callable[[], float]:
    """One optimisation step on a PackedSequence, with packing inside the step.

    Packing belongs to the step because every batch has other lengths. Targets are packed before.
    """

    def pack(values, lengths):
        return pack_padded_sequence(values, lengths, batch_first=True, enforce_sorted=True)

    def prepare(data):
        X, y, lengths = map(torch.from_numpy, data)
        if not task.per_step:
            return lambda network: mse_loss(network(pack(X, lengths)), y)
        targets = pack(y, lengths).data
        return lambda network: mse_loss(network(pack(X, lengths)).data, targets)

    return _torch_steps(task, [prepare(data) for data in batches])


def torch_padded_step(task: Task, batches: list[Minibatch]) -> Callable[[], float]:
    """One optimisation step on padded data, with a masked loss or the last valid hidden state."""

    def prepare(data):
        X, y, lengths = map(torch.from_numpy, data)
        if not task.per_step:
            return lambda network: mse_loss(network(X, lengths), y)
        valid = (torch.arange(X.shape[1]) < lengths[:, None]).float()[:, :, None]
        weights = valid / (valid.sum() * task.n_outputs)
        return lambda network: ((network(X) - y).square() * weights).sum()

    return _torch_steps(task, [prepare(data) for data in batches])


def _torch_steps(task: Task, losses: list[Callable[[TorchRNN], torch.Tensor]]):
    network = TorchRNN(*task)
    parameters = list(network.parameters())
    solver = torch.optim.Adam(parameters, RATE, BETAS, EPSILON, fused=FUSED)
    turns = cycle(losses)

    def step():
        solver.zero_grad()
        loss = next(turns)(network)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, MAX_NORM)
        solver.step()
        return loss.item()

    return step


def torch_fit(network, X, y, lengths=None, *, batch_size, n_epochs, rate, max_norm) -> None:
    """Train a TorchRNN classifier in a hand-written loop.

    With lengths, X is padded, and each batch is cut to its longest sequence.
    """
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    lengths = None if lengths is None else torch.from_numpy(lengths)
    parameters = list(network.parameters())
    solver = torch.optim.Adam(parameters, rate, fused=FUSED)
    for _ in range(n_epochs):
        for chosen in torch.randperm(len(X)).split(batch_size):
            solver.zero_grad()
            if lengths is None:
                raw = network(X[chosen])
            else:
                raw = network(X[chosen, : lengths[chosen].max()], lengths[chosen])
            loss = cross_entropy(raw, y[chosen])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, max_norm)
            solver.step()


class RaggedData(Dataset):
    """Sequences of different lengths with their classes."""

    def __init__(self, X: list, y):
        self.X = [torch.from_numpy(x) for x in X]
        self.y = torch.from_numpy(y)

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        return self.X[i], self.y[i]


def collate_padded(samples):
    """Pad a batch to its longest sequence; return the arguments of TorchRNN, and the classes."""
    sequences, y = zip(*samples, strict=True)
    lengths = torch.tensor([len(x) for x in sequences])
    return {"X": pad_sequence(sequences, batch_first=True), "lengths": lengths}, torch.stack(y)


def skorch_classifier(
    architecture: dict, collate=default_collate, *, batch_size, n_epochs, rate, max_norm
):
    """A TorchRNN as a scikit-learn classifier, with gradient clipping as its only callback.

    For sequences of different lengths, pass the collate function and the data as RaggedData.
    """
    from skorch import NeuralNetClassifier
    from skorch.callbacks import GradientNormClipping

    names = ("epoch_timer", "train_loss", "valid_loss", "valid_acc", "print_log")
    return NeuralNetClassifier(
        TorchRNN,
        **{f"module__{name}": value for name, value in architecture.items()},
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        optimizer__fused=FUSED,
        lr=rate,
        batch_size=batch_size,
        max_epochs=n_epochs,
        iterator_train__shuffle=True,
        iterator_train__collate_fn=collate,
        iterator_valid__collate_fn=collate,
        iterator_valid__batch_size=256,  # the batch size of prediction, as in our estimators
        train_split=None,
        callbacks=[GradientNormClipping(max_norm)],
        **{f"callbacks__{name}": None for name in names},
        verbose=0,
    )


def jax_step(task: Task, batches: list[Minibatch]) -> Callable[[], float]:
    """One optimisation step on sequences of equal length, compiled as a whole."""
    import jax
    import jax.numpy as jnp

    def loss_of(parameters, X, y):
        h = X
        for p in parameters["layers"]:
            start = (jnp.zeros((X.shape[1], task.hidden_size)),) * 2
            inputs = h @ p["x"] + p["b"]
            (last, _), h = jax.lax.scan(
                lambda carry, x, p=p: _jax_timestep(task.cell, p, carry, x), start, inputs
            )
        raw = (h if task.per_step else last) @ parameters["output"] + parameters["bias"]
        return ((raw - y) ** 2).mean()

    @jax.jit
    def update(parameters, m, v, t, X, y):
        loss, gradients = jax.value_and_grad(loss_of)(parameters, X, y)
        norm = jnp.sqrt(sum(jnp.vdot(g, g) for g in jax.tree.leaves(gradients)))
        scale = jnp.minimum(1.0, MAX_NORM / norm)
        gradients = jax.tree.map(lambda g: g * scale, gradients)
        b1, b2 = BETAS
        m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, m, gradients)
        v = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, v, gradients)
        parameters = jax.tree.map(
            lambda p, m, v: p - RATE * (m / (1 - b1**t)) / (jnp.sqrt(v / (1 - b2**t)) + EPSILON),
            parameters,
            m,
            v,
        )
        return (parameters, m, v, t + 1), loss

    def time_major(data):
        X, y = jnp.asarray(data.X.swapaxes(0, 1)), jnp.asarray(data.y)
        return X, y.swapaxes(0, 1) if task.per_step else y

    parameters = _jax_parameters(task, jax.random.key(0))
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    state = (parameters, zeros, zeros, jnp.float32(1))
    turns = cycle([time_major(data) for data in batches])

    def step():
        nonlocal state
        state, loss = jax.block_until_ready(update(*state, *next(turns)))
        return float(loss)

    return step


def _jax_timestep(cell: str, p, carry, x):
    """One timestep, given the product of x with its weights plus the bias."""
    import jax
    import jax.numpy as jnp

    h, c = carry
    from_h = h @ p["h"]
    if cell == "elman":
        h = jnp.tanh(x + from_h)
    elif cell == "gru":
        (x_r, x_z, x_n), (h_r, h_z, h_n) = jnp.split(x, 3, 1), jnp.split(from_h, 3, 1)
        r, z = jax.nn.sigmoid(x_r + h_r), jax.nn.sigmoid(x_z + h_z)
        n = jnp.tanh(x_n + r * (h_n + p["b_n"]))
        h = n + z * (h - n)
    else:
        i, f, g, o = jnp.split(x + from_h, 4, 1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return (h, c), h


def _jax_parameters(task: Task, key):
    """Initial parameters as in torch: uniform between -1/√H and 1/√H."""
    import jax

    H, n = task.hidden_size, GATES[task.cell] * task.hidden_size
    shapes = {
        "layers": [
            {"x": (task.n_inputs if k == 0 else H, n), "h": (H, n), "b": (n,)}
            | ({"b_n": (H,)} if task.cell == "gru" else {})
            for k in range(task.n_layers)
        ],
        "output": (H, task.n_outputs),
        "bias": (task.n_outputs,),
    }
    leaves, tree = jax.tree.flatten(shapes, is_leaf=lambda node: isinstance(node, tuple))
    keys = jax.random.split(key, len(leaves))
    drawn = [
        jax.random.uniform(k, shape, minval=-(H**-0.5), maxval=H**-0.5)
        for k, shape in zip(keys, leaves, strict=True)
    ]
    return jax.tree.unflatten(tree, drawn)
