"""The gradient of a trained network's predictions on its inputs."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sklearn_rnn._fitted import FittedNetwork
from sklearn_rnn._input.errors import describe
from sklearn_rnn._input.sequences import Sequences
from sklearn_rnn._input.targets import target_rows
from sklearn_rnn._settings import one_blas_thread
from sklearn_rnn.core.links import LINK_GRADIENTS
from sklearn_rnn.core.memory import with_small_ufunc_buffers
from sklearn_rnn.core.packing import FlatBatch, decreasing

# How many timesteps are worked on side by side: the backward pass needs memory for each of them.
MAX_TIMESTEPS = 2**14


class Explained(NamedTuple):
    """The predictions whose gradients are asked for, of a flat array with one row per target.

    columns : (n_targets,), the output of each row
    counted : (n_targets,), whether a row counts; the gradients of a sequence's rows are summed
    """

    columns: np.ndarray
    counted: np.ndarray

    @classmethod
    def of(cls, network: FittedNetwork, X: Sequences, output, timestep) -> "Explained":
        """Read what the user asked for."""
        rows = target_rows(X, network._architecture.return_sequences)
        counted = np.ones(rows.total, bool)
        if timestep is not None:
            counted[:] = False
            counted[rows.starts + _steps(network, X, timestep)] = True
        column = _column(network, output)
        if column is None:
            return cls(network._raw(X).argmax(axis=1), counted)
        return cls(np.full(rows.total, column), counted)


def _steps(network: FittedNetwork, X: Sequences, timestep) -> np.ndarray:
    """Return the timestep of each sequence that a number means, (n,)."""
    if not network._architecture.return_sequences:
        raise ValueError(
            f"timestep={timestep!r} needs an estimator with return_sequences=True: this one has "
            "one prediction per sequence."
        )
    if isinstance(timestep, bool) or not isinstance(timestep, (int, np.integer)):
        raise TypeError(f"timestep must be an integer or None, not {timestep!r}.")
    steps = timestep + (X.lengths if timestep < 0 else np.zeros(len(X), dtype=int))
    is_outside = (steps < 0) | (steps >= X.lengths)
    if is_outside.any():
        i = int(is_outside.argmax())
        raise ValueError(f"timestep={timestep}, but X[{i}] has {X.lengths[i]} timesteps.")
    return steps


def _column(network: FittedNetwork, output) -> int | None:
    """Return the number of the raw output that `output` means; None for the predicted class."""
    columns = _columns(network)
    classes = getattr(network, "classes_", None)
    choices = list(columns) if classes is None else classes.tolist()
    if output is None:
        if classes is not None and not network._multilabel:
            return None
        if len(columns) == 1:
            return 0
        raise ValueError(
            f"output=None, but there are {len(columns)} outputs: give the number of one, from "
            f"{choices[0]} to {choices[-1]}."
        )
    is_place = isinstance(choices[0], tuple)
    has_form = isinstance(output, tuple) if is_place else np.ndim(output) == 0
    if not has_form or output not in choices:
        what = "an output" if classes is None else "one of the classes"
        error = ValueError if has_form else TypeError
        raise error(f"output={output!r} ({describe(output)}) is not {what}: {choices}.")
    return list(columns.values())[choices.index(output)]


def _columns(network: FittedNetwork) -> dict[int | tuple[int, ...], int]:
    """Return the raw output of each number that is predicted for a target.

    The keys are places in the predictions for a target: numbers if these have one axis, otherwise
    tuples, such as (target, quantile) with several targets and several quantiles.
    """
    architecture = network._architecture
    row = np.arange(architecture.n_outputs)[np.newaxis]
    columns = architecture.head.by_target(row)[0]
    if len(columns) == 1:
        columns = columns.ravel()
    elif not hasattr(network, "classes_"):
        columns = columns.reshape(*network._target_shape, *columns.shape[1:])
    places = np.ndindex(columns.shape)
    return {place if columns.ndim > 1 else place[0]: int(columns[place]) for place in places}


class OutputGradients:
    """The gradients of the explained predictions, at any values of the timesteps.

    lengths : (n,), of the sequences
    """

    def __init__(self, estimator: FittedNetwork, lengths: np.ndarray, explained: Explained):
        self._network = estimator._new_network()
        self.dtype = self._network.dtype
        self._link_gradient = LINK_GRADIENTS[estimator._link]
        self._lengths = lengths
        self._explained = explained
        self._unused = self._network.architecture.zeros(self.dtype)  # d_parameters

    def at(self, rows: np.ndarray) -> np.ndarray:
        """Return the gradients, (total_timesteps, n_features).

        rows : (total_timesteps, n_features), one sequence after another
        """
        with np.errstate(over="ignore", invalid="ignore"):
            return one_blas_thread.run(with_small_ufunc_buffers, self._at, rows)

    def _at(self, rows: np.ndarray) -> np.ndarray:
        network, starts = self._network, np.cumsum(self._lengths) - self._lengths
        out = np.empty(rows.shape, self.dtype)
        for chosen in self._batches():
            batch = FlatBatch(rows, starts[chosen], self._lengths[chosen])
            raw, tape = network.forward(batch)
            d_raw = self._d_raw(raw, batch, chosen, starts[chosen])
            d_inputs = network.backward(tape, d_raw, self._unused, input_gradient=True)
            is_real = batch.is_real()
            out[batch.positions(batch.starts)[is_real]] = d_inputs.T[is_real]
        return out

    def _batches(self) -> Iterator[np.ndarray]:
        """Yield the numbers of sequences by decreasing length, some at a time."""
        order = decreasing(self._lengths)
        block_of = np.cumsum(self._lengths[order]) // MAX_TIMESTEPS
        yield from np.split(order, np.flatnonzero(np.diff(block_of)) + 1)

    def _d_raw(self, raw: np.ndarray, batch: FlatBatch, chosen, starts) -> np.ndarray:
        """Return the gradient of the explained predictions on the raw outputs, as `raw`."""
        if self._network.architecture.return_sequences:
            rows, is_real = batch.positions(starts), batch.is_real()
        else:
            rows, is_real = chosen, True
        counted = np.flatnonzero(self._explained.counted[rows] & is_real)
        d_predictions = np.zeros_like(raw)
        d_predictions[self._explained.columns[rows[counted]], counted] = 1
        scaling = self._network.units.targets
        if scaling is None:
            return self._link_gradient(raw, d_predictions)
        head = self._network.architecture.head
        d_raw = self._link_gradient(head.in_units(raw.T, scaling).T, d_predictions)
        return (d_raw * head.slopes_in_units(scaling)[:, np.newaxis]).astype(raw.dtype)
