"""One optimisation step on sequences of different lengths, against torch, packed and padded.

    python benchmarks/ragged.py [--json FILE] [--threads N] [--quick] [--cells gru lstm]

Lengths are uniform between T/4 and T. As in a fit, 20 batches take turns and all have different
lengths, so that a contender can't reuse a layout. torch packs the sequences inside the step; they
are sorted by length before. With padding, torch computes on the padding too, and then takes the
last valid step or masks the loss. Targets, masks and padding are made before the step.
"""

import sys

import numpy as np

from common import PEERS_CELLS, Result, alternate, arguments, report_results
from peers import torch_packed_step, torch_padded_step
from steps import QUICK_SHAPES, SHAPES, minibatch, ours, output, task_of

N_BATCHES = 20
CONTENDERS = {"ours": ours, "torch packed": torch_packed_step, "torch padded": torch_padded_step}


def draw(task, shape):
    T, B, _, _ = shape
    rng = np.random.default_rng(0)
    return [minibatch(task, rng.integers(T // 4, T + 1, B), rng) for _ in range(N_BATCHES)]


def measure(cell, shape, per_step, seconds):
    task = task_of(cell, shape, 1, per_step)
    batches = draw(task, shape)
    times = alternate({n: f(task, batches) for n, f in CONTENDERS.items()}, seconds)
    labels = {"cell": cell, "(T, B, D, H)": shape, "output": output(task)}
    ratios = {
        "packed / ours": times["torch packed"] / times["ours"],
        "padded / ours": times["torch padded"] / times["ours"],
    }
    print(labels, ratios, file=sys.stderr, flush=True)
    return Result(cell, labels, times, ratios)


def main():
    options = arguments(__doc__, cells=PEERS_CELLS)
    results = [
        measure(cell, shape, per_step, seconds=0.3 if options.quick else 2.0)
        for cell in options.cells
        for shape in (QUICK_SHAPES if options.quick else SHAPES)
        for per_step in (False, True)
    ]
    title = f"Training step, ragged, float32, {options.threads} thread(s), medians"
    report_results(title, results, options.json)


if __name__ == "__main__":
    main()
