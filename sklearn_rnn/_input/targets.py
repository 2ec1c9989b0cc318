"""Targets and weights: read from any container into flat arrays with one row per target.

With one target per sequence, a flat array has one row per sequence. With one target per timestep,
it has one row per valid timestep: first all rows of the first sequence, then all of the second.
"""

import math
from numbers import Real
from typing import Any, NamedTuple, Protocol

import numpy as np

from sklearn_rnn._input.containers import opened
from sklearn_rnn._input.content import as_numbers, is_constant, surely_finite
from sklearn_rnn._input.errors import about, describe
from sklearn_rnn._input.frames import check_columns
from sklearn_rnn._input.sequences import Sequences

# What y may be with one target per sequence.
SHAPES = ("(n_samples,)", "(n_samples, n_outputs)", "(n_samples, horizon, n_outputs)")
MOST_AXES = len(SHAPES)


class TargetRows(NamedTuple):
    """The rows of a flat array that belong to each sequence."""

    starts: np.ndarray  # (n,), the first row of each sequence
    counts: np.ndarray  # (n,), the number of rows of each sequence

    @property
    def total(self) -> int:
        return int(self.starts[-1] + self.counts[-1])


def target_rows(X: Sequences, per_step: bool) -> TargetRows:
    """Return the rows of each sequence's targets: one row, or one row per timestep."""
    starts, _ = first_rows(X, per_step)
    return TargetRows(starts, X.lengths if per_step else np.ones(len(X), dtype=int))


def first_rows(X: Sequences, per_step: bool) -> tuple[np.ndarray, int]:
    """Return the first row of each sequence's targets, and the number of rows of all of them."""
    if per_step:
        ends = X.lengths.cumsum()
        return ends - X.lengths, int(ends[-1])
    return np.arange(len(X)), len(X)


class Targets(Protocol):
    """Targets in the form that the loss takes, and the attributes that describe them."""

    values: np.ndarray  # (n_targets, n_outputs), or (n_targets,) class numbers

    @property
    def n_outputs(self) -> int:
        """The number of raw outputs of the network."""

    def attributes(self) -> dict[str, Any]:
        """Return the estimator's attributes that describe the targets, by name."""


class RegressionTargets(NamedTuple):
    """The targets of a regressor."""

    values: np.ndarray
    shape: tuple[int, ...]  # of one target, and so of a prediction: (), (n_outputs,) or more axes

    @classmethod
    def of(cls, y: np.ndarray) -> "RegressionTargets":
        """Targets (n_targets, ...)."""
        return cls(y.reshape(len(y), -1), y.shape[1:])

    @property
    def n_outputs(self) -> int:
        return self.values.shape[1]

    def attributes(self) -> dict[str, Any]:
        return {"n_outputs_": self.n_outputs, "_target_shape": self.shape}


class Examples(NamedTuple):
    """Training or validation data, read and checked."""

    X: Sequences
    targets: Targets
    weights: np.ndarray  # (n_targets,)
    groups: np.ndarray | None = None  # (n_samples,), numbers


def read_regression_targets(
    y, X: Sequences, per_step: bool, weights: np.ndarray | None = None
) -> np.ndarray:
    """Return y as (n_targets,) or (n_targets, n_outputs), in float64 or float32.

    With one target per sequence, y may also be (n_targets, horizon, n_outputs).

    weights : (n_targets,); what y is where they are zero has no influence
    """
    with about("y"):
        rows = rows_of_targets(y, X, per_step, MOST_AXES)
        y = as_numbers(without_ignored(rows, weights), "y")
    if per_step and y.ndim > 2:
        raise ValueError(
            "y has too many dimensions: with return_sequences=True the targets of a sequence are "
            "(n_timesteps,) or (n_timesteps, n_outputs)."
        )
    if y.dtype != np.float32:
        with np.errstate(over="ignore"):
            y = y.astype(np.float64, copy=False)
    check_finite(y, X, "y")
    return y


def check_target_shape(shape: tuple[int, ...], trained: tuple[int, ...]) -> None:
    """Raise unless targets have the axes that those of the training data had.

    shape, trained : of one target
    """
    if shape != trained and not math.prod(shape) == math.prod(trained) == 1:
        raise ValueError(
            f"y has {_in_words(shape)}, but the targets of the training data have "
            f"{_in_words(trained)}."
        )


def _in_words(shape: tuple[int, ...]) -> str:
    outputs = f"{shape[-1] if shape else 1} outputs"
    return f"{shape[0]} timesteps of {outputs}" if len(shape) == 2 else outputs


def read_weights(sample_weight, X: Sequences, per_step: bool) -> np.ndarray:
    """Return one weight, at least zero, per target."""
    n_targets = target_rows(X, per_step).total
    if sample_weight is None:
        return np.broadcast_to(1.0, n_targets)  # a view of one number
    name = "sample_weight"
    with about(name):
        sample_weight = array_or_list(sample_weight, name, "one number per sequence")
        check_count(len(sample_weight), X, name)
        is_per_sample = are_single(sample_weight)
        if not is_per_sample and not per_step:
            raise ValueError(
                "sample_weight must be 1-D, one number per sequence. Numbers per timestep of X "
                "need return_sequences=True."
            )
        weights = sample_weight if is_per_sample else flatten(sample_weight, X, name)
        weights = as_numbers(np.asarray(weights), name).astype(np.float64)
    if is_per_sample:
        if weights.shape != (len(X),):
            raise ValueError(
                f"sample_weight has shape {weights.shape}, but X has {len(X)} samples: expected "
                f"({len(X)},)."
            )
        weights = np.repeat(weights, X.lengths) if per_step else weights
    if weights.shape != (n_targets,):
        raise ValueError("sample_weight must be one number per sequence or one per timestep.")
    check_finite(weights, X, name)
    if (weights < 0).any():
        row = int((weights < 0).argmax())
        raise ValueError(
            f"sample_weight is negative for sample {_sample_of(row, len(weights), X)}: "
            f"{weights[row]}; weights must not be negative."
        )
    if not weights.any():
        raise ValueError("sample_weight is zero throughout: at least one weight must be non-zero.")
    with np.errstate(over="ignore"):
        if not np.isfinite(weights.sum()):
            raise ValueError("sample_weight is so large that its sum is infinite.")
    return weights


def flatten(values, X: Sequences, name: str) -> np.ndarray:
    """Concatenate values per timestep into one array of all valid timesteps.

    values : (n, n_timesteps, ...) array, or a list of (n_timesteps_i, ...) arrays. The lengths of
        the sequences are those of X. If X is a list, what an array has beyond them is padding.
    """
    expected = "(n_samples, n_timesteps) or a list of arrays (n_timesteps_i,)"
    values = array_or_list(values, name, expected)
    check_count(len(values), X, name)
    if isinstance(values, np.ndarray) and values.ndim > 1:
        return _flatten_padded(values, X, name)
    parts = [_part(part, name, i) for i, part in enumerate(values)]
    lengths, padded_length = X.lengths.tolist(), None if X.is_list else X.n_timesteps
    for i, (part, length) in enumerate(zip(parts, lengths, strict=True)):
        if part.ndim == 0:
            raise ValueError(
                f"{name} has one value per sequence, but return_sequences=True needs one per "
                f"timestep: {name}[{i}] should have {length} values.{hint_at_one(X, name)}"
            )
        if len(part) not in (length, padded_length):
            raise ValueError(
                f"{name}[{i}] has {len(part)} values, but X[{i}] has {length} timesteps."
            )
    of_one = parts[0].shape[1:]
    for i, part in enumerate(parts):
        if part.shape[1:] != of_one:
            raise ValueError(
                f"{name}[{i}] has shape {part.shape}, but {name}[0] has {parts[0].shape}: they "
                "may differ in timesteps, but not in outputs."
            )
    check_columns(values, name)
    if X.is_padded:
        parts = [part[:length] for part, length in zip(parts, lengths, strict=True)]
    return np.concatenate(parts)


def hint_at_one(X: Sequences, name: str) -> str:
    """The hint for 2-D X, which may be one sequence with a value for each of its timesteps."""
    if X.container != "table":
        return ""
    n, n_timesteps = len(X), X.n_timesteps
    return (
        f" (X was read as {n} sequences of {n_timesteps} timesteps of one feature. If it is one "
        f"sequence of {n} timesteps of {n_timesteps} features, give [X] and [{name}].)"
    )


def flatten_targets(values, steps: Sequences, name: str) -> np.ndarray:
    """Concatenate targets or predictions of all valid timesteps, (n_steps, ...)."""
    return flatten(read_per_step(values, name), steps, name)


def read_per_step(values, name: str) -> np.ndarray | list | tuple:
    """Return targets or predictions; raise if they are empty, or one per sequence."""
    values = array_or_list(values, name, "(n_samples, n_timesteps) or a list of arrays")
    if not len(values):
        raise ValueError(f"{name} is empty: there must be at least one sequence.")
    if all(_part(value, name, i).ndim == 0 for i, value in enumerate(values)):
        raise ValueError(
            f"{name} has one value per sequence, not one per timestep ({describe(values)}). For "
            "such targets, or for values that are flat already, use scikit-learn's own metrics, "
            "scorers and splitters. (RNNRegressor and RNNClassifier predict for every timestep "
            "with return_sequences=True.)"
        )
    return values


def array_or_list(values, name: str, expected: str) -> np.ndarray | list | tuple:
    """Return a list unchanged, since its parts may differ in length; convert others to an array."""
    container = opened(values, name)
    if isinstance(container, (list, tuple)):
        return container
    array = np.asarray(container)
    if array.ndim == 0:
        raise TypeError(f"{name} must be an array or a list, {expected}; got {describe(values)}.")
    return array


def are_single(values: np.ndarray | list | tuple) -> bool:
    """Whether no value is a container of others."""
    if isinstance(values, np.ndarray) and not values.dtype.hasobject:
        return values.ndim == 1
    return all(np.ndim(value) == 0 for value in values)


def _part(part, name: str, i: int) -> np.ndarray:
    try:
        return np.asarray(part)
    except ValueError as error:
        raise ValueError(f"{name}[{i}] has timesteps of different lengths: {error}") from error


def _flatten_padded(array: np.ndarray, X: Sequences, name: str) -> np.ndarray:
    n_timesteps = array.shape[1]
    is_right = n_timesteps >= X.n_timesteps if X.is_list else n_timesteps == X.n_timesteps
    if not is_right:
        longest = "the longest sequence of X" if X.is_list else "X"
        raise ValueError(
            f"{name} has {n_timesteps} timesteps, but {longest} has {X.n_timesteps}: with "
            "return_sequences=True there must be one value per timestep."
        )
    if X.lengths.min() == n_timesteps:  # no padding: a view will do
        return array.reshape(len(array) * n_timesteps, *array.shape[2:])
    return array[np.arange(n_timesteps) < X.lengths[:, np.newaxis]]


def rows_of_targets(y, X: Sequences, per_step: bool, most_axes: int = 2) -> np.ndarray:
    """Return y as an array with one row per target.

    most_axes : the axes that y may have with one target per sequence
    """
    if y is None:
        raise ValueError("This estimator requires y to be passed, but the target y is None.")
    y = flatten(y, X, "y") if per_step else _one_per_sequence(y, X, most_axes)
    if 0 in y.shape[1:]:
        raise ValueError(f"y has shape {y.shape} with 0 outputs; there must be at least one.")
    return y


def without_ignored(y: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Replace targets of weight zero by one that counts: they may be missing, or of other classes.

    y, weights : (n_targets, ...), (n_targets,)
    """
    if weights is None or weights.all():
        return y
    y = y.copy()
    y[weights == 0] = y[weights.argmax()]
    if y.dtype == object and all(isinstance(value, Real) for value in y.flat):
        return np.array(y.tolist())  # None among numbers made objects of them
    return y


def is_per_timestep(y: np.ndarray | list | tuple, X: Sequences) -> bool:
    """Whether y has one target per timestep, for callers without `return_sequences`.

    An array (n_samples, k, ...) has one per timestep if k is the number of timesteps. It may be
    padded further if X is a list: a part of a longer list. With another k it has several targets
    per sequence.
    """
    try:
        shape = np.shape(y)
    except ValueError:  # parts of different lengths
        return True
    if len(shape) == 1 and shape[0]:  # the parts of an array of objects may have a shape too
        return np.ndim(y[0]) > 0
    if len(shape) > 1 and shape[1] > X.n_timesteps and X.is_list and isinstance(y, np.ndarray):
        return is_constant(y[:, X.n_timesteps :])
    return len(shape) > 1 and shape[1] == X.n_timesteps


def _one_per_sequence(y, X: Sequences, most_axes: int) -> np.ndarray:
    y = opened(y, "y")
    try:
        y = np.asarray(y)
    except ValueError:  # parts of different lengths
        are_parts = True
    else:
        are_parts = y.ndim == 1 and len(y) > 0 and np.ndim(y[0]) > 0
    if are_parts or y.ndim > most_axes:
        raise ValueError(
            "y has several targets per sequence, but return_sequences=False needs one: give "
            f"{' or '.join(SHAPES[:most_axes])}, or set return_sequences=True."
        )
    if y.ndim == 0:
        raise ValueError(
            f"y should be an array with one target per sequence, got {y!r}.{_hint_at_lists(X)}"
        )
    check_count(len(y), X, "y")
    return y


def _hint_at_lists(X: Sequences) -> str:
    return " For one sequence, give the lists [X] and [y]." if X.container == "table" else ""


def check_finite(values: np.ndarray, X: Sequences, name: str) -> None:
    """Raise if a value is NaN or infinite, naming its sequence."""
    if surely_finite(values):
        return
    bad = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if bad.any():
        row = int(bad.argmax())
        raise ValueError(
            f"Input {name} contains NaN or infinity: {name} of sample "
            f"{_sample_of(row, len(values), X)} is {values[row]}, but must be finite."
        )


def check_counts(y: np.ndarray, X: Sequences, may_all_be_zero: bool) -> None:
    """Raise if targets for loss="poisson" are negative, or if an output is zero throughout.

    y : (n_targets, n_outputs)
    """
    required = "loss='poisson' requires non-negative y and sum(y) > 0"
    negative = (y < 0).any(axis=1)
    if negative.any():
        row = int(negative.argmax())
        sample = _sample_of(row, len(y), X)
        raise ValueError(f"{required}: y of sample {sample} is {y[row].min()}.")
    if not may_all_be_zero and not y.any(axis=0).all():
        what = "an output of y" if y.shape[1] > 1 else "y"
        raise ValueError(f"{required}: {what} is zero throughout.")


def _sample_of(row: int, n_rows: int, X: Sequences) -> int:
    """Return the number of the sequence that a row of a flat array belongs to."""
    if n_rows == len(X):
        return row
    return int(np.searchsorted(np.cumsum(X.lengths), row, side="right"))


def check_count(count: int, X: Sequences, name: str) -> None:
    if count != len(X):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has {len(X)} "
            f"sequences, {name} has {count}."
        )
