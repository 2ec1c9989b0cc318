"""Whole fits against skorch, a hand-written torch loop and MLPClassifier.

    python benchmarks/fit.py [--json FILE] [--threads N] [--quick] [--cells gru lstm]

All contenders train the same network for the same number of epochs on the same shuffled float32
data, with the same batches, Adam and clipping. The time includes making the network. Nobody stops
early. Training accuracies are similar but not equal, because torch starts from other weights.
MLPClassifier does different work: it trains one hidden layer of the same width on flattened data.

If lengths differ, torch and skorch pad each batch to its longest sequence. Packed batches were
slower for them, by far with the LSTM.
"""

import sys
import warnings
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score
from sklearn.neural_network import MLPClassifier

from common import DATA, PEERS_CELLS, Result, alternate, arguments, report_results
from fits import MAX_NORM, RATE, Plan, digits_in_rows, our_classifier
from peers import RaggedData, TorchRNN, collate_padded, skorch_classifier, torch_fit

MLP = "MLPClassifier (other work)"
ACCURACIES = "training accuracy: ours, torch, skorch, MLP"


class Data(NamedTuple):
    """X for our estimators, and the same data padded, (n, timesteps, features), for the peers."""

    X: np.ndarray | list[np.ndarray]
    padded: np.ndarray
    lengths: np.ndarray | None  # None if all lengths are equal
    y: np.ndarray  # class numbers

    @property
    def n_classes(self) -> int:
        return int(self.y.max()) + 1


def digits() -> Data:
    X, y = digits_in_rows()
    return Data(X, X, None, y)


def series() -> Data:
    """Random walks with drift down, none, or up."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 2000)
    drift = (y[:, np.newaxis] - 1) / 50
    X = np.cumsum(drift + rng.standard_normal((2000, 100)) / 20, axis=1).astype(np.float32)
    return Data(X, X[:, :, np.newaxis], None, y)


def vowels() -> Data:
    data = np.load(DATA / "japanese_vowels.npz")
    values, lengths = data["values"], data["lengths"].astype(np.int64)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    padded = np.zeros((len(lengths), lengths.max(), values.shape[1]), np.float32)
    padded[np.arange(lengths.max()) < lengths[:, np.newaxis]] = values
    y = data["speakers"].astype(np.int64) - 1
    return Data(np.split(values, np.cumsum(lengths)[:-1]), padded, lengths, y)


def architecture(data: Data, plan: Plan) -> dict[str, object]:
    return {
        "cell": plan.cell,
        "n_inputs": data.padded.shape[2],
        "hidden_size": plan.hidden_size,
        "n_layers": 1,
        "n_outputs": data.n_classes,
        "per_step": False,
    }


# A contender makes and trains a network, and returns a function that predicts the training data.


def ours(data: Data, plan: Plan):
    model = our_classifier(plan).fit(data.X, data.y)
    return lambda: model.predict(data.X)


def by_torch(data: Data, plan: Plan):
    torch.manual_seed(0)
    network = TorchRNN(**architecture(data, plan))
    torch_fit(
        network,
        data.padded,
        data.y,
        data.lengths,
        batch_size=plan.batch_size,
        n_epochs=plan.n_epochs,
        rate=RATE,
        max_norm=MAX_NORM,
    )
    inputs = [torch.from_numpy(a) for a in (data.padded, data.lengths) if a is not None]
    return lambda: network(*inputs).argmax(dim=1).numpy()


def by_skorch(data: Data, plan: Plan):
    torch.manual_seed(0)
    net = skorch_for(data, plan)
    if data.lengths is None:
        net.fit(data.padded, data.y)
        return lambda: net.predict(data.padded)
    ragged = RaggedData(data.X, data.y)
    net.fit(ragged, None)
    return lambda: net.predict(ragged)


def skorch_for(data: Data, plan: Plan):
    collate = () if data.lengths is None else (collate_padded,)
    return skorch_classifier(
        architecture(data, plan),
        *collate,
        batch_size=plan.batch_size,
        n_epochs=plan.n_epochs,
        rate=RATE,
        max_norm=MAX_NORM,
    )


def by_mlp(data: Data, plan: Plan):
    X = data.padded.reshape(len(data.padded), -1)
    model = MLPClassifier(
        hidden_layer_sizes=(plan.hidden_size,),
        activation="tanh",
        batch_size=plan.batch_size,
        max_iter=plan.n_epochs,
        n_iter_no_change=plan.n_epochs,
        learning_rate_init=RATE,
        alpha=0.0,
        random_state=0,
    ).fit(X, data.y)
    return lambda: model.predict(X)


CONTENDERS = {"ours": ours, "torch loop": by_torch, "skorch": by_skorch, MLP: by_mlp}


def measure(name: str, data: Data, plan: Plan, quick: bool) -> Result:
    runs = {n: partial(contender, data, plan) for n, contender in CONTENDERS.items()}
    times = alternate(runs, seconds=0.2 if quick else 1.5, rounds=1 if quick else 7)
    accuracies = [f"{accuracy_score(data.y, run()()):.3f}" for run in runs.values()]
    labels = {
        "what": name,
        "cell": plan.cell,
        "batch": plan.batch_size,
        ACCURACIES: ", ".join(accuracies),
    }
    ratios = {f"{n} / ours": times[n] / times["ours"] for n in ("torch loop", "skorch")}
    print(labels, times, ratios, file=sys.stderr, flush=True)
    return Result(name, labels, times, ratios)


def main():
    options = arguments(__doc__, cells=PEERS_CELLS)
    warnings.simplefilter("ignore", ConvergenceWarning)
    sets = [  # name, data, batch size, epochs
        ("digits 8×8", digits(), 32, 10),
        ("digits 8×8", digits(), 200, 10),
        ("series 2000×100", series(), 200, 4),
        ("Japanese vowels, ragged", vowels(), 32, 10),
    ]
    results = [
        measure(name, data, Plan(cell, 64, size, 1 if options.quick else n_epochs), options.quick)
        for name, data, size, n_epochs in sets
        for cell in options.cells
    ]
    title = f"Whole fits, float32, {options.threads} thread(s), medians"
    report_results(title, results, options.json)


if __name__ == "__main__":
    main()
