"""Peak memory of one training step and of a whole fit, against torch.

    python benchmarks/memory.py [--json FILE] [--threads N] [--quick] [--cells gru lstm]

The figures include parameters, gradients, the state of Adam and all temporary memory, but neither
the data nor the libraries. Each figure is from a fresh process. A ragged fit has lengths from T/4
to T: a list of arrays for our estimator, a padded array for torch.
"""

import sys
import warnings
from functools import partial

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from common import PEERS_CELLS, arguments, geometric_mean, report
from fresh import in_fresh_process, megabytes, peak_bytes
from sklearn_rnn import RNNClassifier
from steps import N_OUTPUTS, Task, minibatch, ours, output, task_of

# (timesteps, batch, features, hidden size)
STEPS = ((50, 32, 8, 32), (100, 64, 16, 128), (100, 200, 16, 64), (1000, 32, 8, 64))
NETWORKS = ((1, False), (2, True))  # (layers, one output per step)
# (sequences, batch, epochs, timesteps, whether ragged), of 8 features, with 64 hidden units
FITS = (
    (2000, 200, 20, 100, False),
    (2000, 200, 20, 100, True),
    (64, 32, 3, 1000, False),
    (64, 32, 3, 2000, False),
)


def torch_step(task, batches):
    from peers import torch_step

    return torch_step(task, batches)


def fit(task, X, y, lengths, batch_size, n_epochs):
    """Fit the estimator for a fixed number of epochs."""
    model = RNNClassifier(
        cell=task.cell,
        hidden_size=task.hidden_size,
        batch_size=batch_size,
        max_iter=n_epochs,
        n_iter_no_change=n_epochs,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)


def torch_fit(task, X, y, lengths, batch_size, n_epochs):
    from peers import TorchRNN, torch_fit

    options = {"batch_size": batch_size, "n_epochs": n_epochs, "rate": 1e-3, "max_norm": 5.0}
    torch_fit(TorchRNN(*task), X, y, lengths, **options)


STEP_CONTENDERS = {"ours": ours, "torch": torch_step}
FIT_CONTENDERS = {"ours": fit, "torch": torch_fit}


def step_peak(contender: str, task: Task, T: int, batch_size: int) -> int:
    def on(T, batch_size):
        batches = [minibatch(task, np.full(batch_size, T), np.random.default_rng(0))]
        return lambda: STEP_CONTENDERS[contender](task, batches)()

    on(3, 2)()  # warm up: load the libraries' code into memory
    return peak_bytes(on(T, batch_size))


def fit_peak(contender: str, task: Task, n, batch_size, n_epochs, T, ragged) -> int:
    def on(n, T, n_epochs):
        rng = np.random.default_rng(0)
        X = rng.standard_normal((n, T, task.n_inputs), np.float32)
        y, lengths = np.arange(n) % N_OUTPUTS, None
        if ragged:
            lengths = rng.integers(T // 4, T + 1, n)
            if contender == "ours":
                X = [x[:length].copy() for x, length in zip(X, lengths, strict=True)]
        return partial(FIT_CONTENDERS[contender], task, X, y, lengths, batch_size, n_epochs)

    on(6, 4, 1)()  # warm up
    return peak_bytes(on(n, T, n_epochs))


def cases(cells, quick):
    """Yield the measurements: labels for the table, and arguments of the measuring function."""
    for cell in cells:
        for shape in STEPS[:2] if quick else STEPS:
            for network in NETWORKS:
                task = task_of(cell, shape, *network)
                yield "step", task, shape, step_peak, shape[:2]
    for cell in cells:
        task = Task(cell, 8, 64, 1, N_OUTPUTS, False)
        for fit in FITS[:1] if quick else FITS:
            _, batch_size, _, T, ragged = fit
            yield "ragged fit" if ragged else "fit", task, (T, batch_size, 8, 64), fit_peak, fit


def main():
    options = arguments(__doc__, cells=PEERS_CELLS)
    rows, figures, ratios = [], [], []
    for what, task, shape, measure, args in cases(options.cells, options.quick):
        peaks = {
            name: in_fresh_process(measure, name, task, *args, threads=options.threads)
            for name in ("ours", "torch")
        }
        ratios.append(peaks["torch"] / peaks["ours"])
        row = [what, task.cell, str(shape), str(task.n_layers), output(task)]
        row += [megabytes(peak) for peak in peaks.values()] + [f"{ratios[-1]:.2f}"]
        print(row, file=sys.stderr, flush=True)
        rows.append(row)
        figures.append({"what": what, "shape": shape} | task._asdict() | {"peak_bytes": peaks})
    rows.append(["geometric mean", *[""] * 6, f"{geometric_mean(ratios):.2f}"])
    columns = ["what", "cell", "(T, B, D, H)", "layers", "output", "ours MB", "torch MB"]
    columns.append("torch / ours")
    title = f"Peak memory of training, float32, {options.threads} thread(s)"
    report(title, columns, rows, figures, options.json)


if __name__ == "__main__":
    main()
