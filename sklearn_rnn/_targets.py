"""The one door for what belongs to sequences: targets and weights become flat arrays.

With one target per sequence the rows of a flat array are the samples. With one per timestep they
are the valid timesteps of all the sequences, one sequence after another.
"""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from sklearn_rnn._sequences import Sequences


def read_regression_targets(y, X: Sequences, per_step: bool) -> np.ndarray:
    """Return y as (n_targets,) or (n_targets, n_outputs), of float64 or float32."""
    y = _targets(y, X, per_step)
    if y.ndim > 2:
        raise ValueError(
            "y has too many dimensions: with return_sequences=True the targets of a sequence are "
            "(n_timesteps,) or (n_timesteps, n_outputs)."
        )
    y = check_array(
        y, ensure_2d=False, dtype=(np.float64, np.float32), ensure_all_finite=False, input_name="y"
    )
    _check_finite(y, X, "y")
    return y


def read_labels(y, X: Sequences, per_step: bool) -> np.ndarray:
    """Return y as (n_targets,) labels, or as a multilabel indicator (n_targets, n_labels)."""
    if issparse(y):
        y = y.toarray()
    y = _targets(y, X, per_step)
    if per_step and y.ndim != 1:
        raise ValueError(
            "y has too many dimensions: with return_sequences=True the labels of a sequence are "
            "(n_timesteps,)."
        )
    if y.dtype.kind == "f":
        _check_finite(y, X, "y")
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y", raise_unknown=True)
    if kind == "multiclass-multioutput":
        raise ValueError(
            "y is of type 'multiclass-multioutput', which is not supported: give one label per "
            "sequence, a multilabel indicator of 0 and 1, or set return_sequences=True for one "
            "label per timestep."
        )
    return y if kind == "multilabel-indicator" else column_or_1d(y, warn=True)


def read_weights(sample_weight, X: Sequences, per_step: bool) -> np.ndarray:
    """Return one weight, at least zero, per target."""
    n_targets = int(X.lengths.sum()) if per_step else len(X)
    if sample_weight is None:
        return np.ones(n_targets)
    name = "sample_weight"
    is_per_sample = not hasattr(sample_weight, "__len__") or all(
        np.ndim(weight) == 0 for weight in sample_weight
    )
    if is_per_sample:
        weights = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name=name)
        if weights.shape != (len(X),):
            raise ValueError(
                f"sample_weight has shape {weights.shape}, but X has {len(X)} samples: expected "
                f"({len(X)},)."
            )
        weights = np.repeat(weights, X.lengths) if per_step else weights
    elif per_step:
        weights = flatten(sample_weight, X, name)
        if weights.ndim != 1:
            raise ValueError("sample_weight must be one number per sequence or per timestep.")
        weights = check_array(weights, ensure_2d=False, dtype=np.float64, input_name=name)
    else:
        raise ValueError(
            "sample_weight must be 1-D, one number per sequence; only with return_sequences=True "
            "may there be one per timestep."
        )
    if (weights < 0).any():
        raise ValueError("sample_weight has negative values; weights must be at least zero.")
    if not weights.any():
        raise ValueError("sample_weight is zero throughout: at least one weight must be non-zero.")
    return weights


def flatten(per_step, X: Sequences, name: str) -> np.ndarray:
    """Put what there is per timestep into one array, that of all valid timesteps.

    per_step : (n, n_timesteps, ...) array, or a list of (n_timesteps_i, ...) arrays
    """
    if not hasattr(per_step, "__len__"):
        raise TypeError(
            f"{name} must be an array (n_samples, n_timesteps) or a list of arrays (n_timesteps_i,)"
            f", one value per timestep; got {type(per_step).__name__}."
        )
    _check_count(len(per_step), X, name)
    if not isinstance(per_step, (list, tuple)):
        per_step = np.asarray(per_step)
        if per_step.ndim > 1:
            return _flatten_padded(per_step, X, name)
    parts = [np.asarray(part) for part in per_step]
    for i, (part, length) in enumerate(zip(parts, X.lengths, strict=True)):
        if part.ndim == 0:
            raise ValueError(
                f"{name} has one value per sequence, but return_sequences=True wants one per "
                f"timestep: {name}[{i}] should have {length} values."
            )
        if len(part) not in (
            length,
            X.n_timesteps if X.container in ("table", "array") else length,
        ):
            raise ValueError(
                f"{name}[{i}] has {len(part)} values, but X[{i}] has {length} timesteps."
            )
    trailing = {part.shape[1:] for part in parts}
    if len(trailing) > 1:
        raise ValueError(f"The sequences of {name} differ in their number of outputs.")
    return np.concatenate([part[:length] for part, length in zip(parts, X.lengths, strict=True)])


def _flatten_padded(array: np.ndarray, X: Sequences, name: str) -> np.ndarray:
    if array.shape[1] != X.n_timesteps:
        raise ValueError(
            f"{name} has {array.shape[1]} timesteps, but X has {X.n_timesteps}: with "
            "return_sequences=True there must be one value per timestep."
        )
    return array[X.is_valid()]


def _targets(y, X: Sequences, per_step: bool) -> np.ndarray:
    """Return y as an array with one row per target."""
    if y is None:
        raise ValueError("This estimator requires y to be passed, but the target y is None.")
    if per_step:
        return flatten(y, X, "y")
    try:
        y = np.asarray(y)
    except ValueError:  # parts of different lengths
        y = np.empty((0, 0, 0))
    if y.ndim > 2 or (y.ndim == 1 and len(y) and np.ndim(y[0]) > 0):
        raise ValueError(
            "y has several targets in a sequence, but return_sequences=False wants one per "
            "sequence: give (n_samples,) or (n_samples, n_outputs), or set return_sequences=True."
        )
    if y.ndim == 0:
        raise ValueError(f"y should be an array with one target per sequence, got {y!r}.")
    _check_count(len(y), X, "y")
    return y


def _check_finite(values: np.ndarray, X: Sequences, name: str) -> None:
    """Raise if a value is NaN or infinite, naming the sequence it belongs to."""
    bad = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if bad.any():
        row = int(bad.argmax())
        per_step = len(values) != len(X)
        sample = int(np.searchsorted(np.cumsum(X.lengths), row, side="right")) if per_step else row
        raise ValueError(
            f"Input {name} contains NaN or infinity: {name} of sample {sample} is {values[row]}, "
            "but must be finite."
        )


def _check_count(count: int, X: Sequences, name: str) -> None:
    if count != len(X):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has {len(X)} "
            f"sequences, {name} has {count}."
        )
