"""Where sequences end, told without judging their values.

Scorers and splitters see X before a pipeline has imputed or encoded it: what `read_sequences` has
to refuse, such as NaN inside a sequence, is no matter here.
"""

import numpy as np

from sklearn_rnn._content import unpadded
from sklearn_rnn._errors import describe, refuse_masked
from sklearn_rnn._sequences import Sequences, _is_rectangular
from sklearn_rnn._targets import array_or_list, flatten


def read_steps(X) -> Sequences:
    """Return X as sequences of which only the lengths and the container count."""
    refuse_masked(X, "X")
    is_list = isinstance(X, (list, tuple))
    if is_list and all(isinstance(x, (list, tuple)) for x in X) and _is_rectangular(X):
        X, is_list = np.array(X), False  # which the estimators read as 2-D
    steps = _of_list(X) if is_list else _of_array(np.asarray(X), X)
    if not steps.lengths.all():
        raise ValueError(
            f"X[{steps.lengths.argmin()}] is an empty sequence: it has no timesteps, or nothing "
            "but padding."
        )
    return steps


def _of_list(X) -> Sequences:
    if len(X) and all(map(np.iterable, X)):
        return Sequences(list(X), np.array([len(x) for x in X]), "list")
    raise _no_sequences(X)


def _of_array(array: np.ndarray, X) -> Sequences:
    if array.ndim == 1 and array.dtype == object:
        return _of_list(array)
    if array.ndim in (2, 3) and len(array):
        return Sequences(array, unpadded(array), "table" if array.ndim == 2 else "array")
    raise _no_sequences(X)


def _no_sequences(X) -> ValueError:
    return ValueError(
        "X must be sequences, an array (n_samples, n_timesteps, n_features) or (n_samples, "
        f"n_timesteps), or a list of arrays (n_timesteps_i, n_features); got {describe(X)}."
    )


def flatten_targets(values, steps: Sequences, name: str) -> np.ndarray:
    """Put targets or predictions of all valid timesteps into one array (n_steps, ...)."""
    return flatten(read_per_step(values, name), steps, name)


def read_per_step(values, name: str) -> np.ndarray | list | tuple:
    """Check that there are targets, and that they are not one per sequence."""
    values = array_or_list(values, name, "(n_samples, n_timesteps) or a list of arrays")
    if not len(values):
        raise ValueError(f"{name} is empty: there must be one sequence at least.")
    if all(np.ndim(value) == 0 for value in values):
        raise ValueError(
            f"{name} has one value per sequence, not one per timestep: for such targets use "
            "scikit-learn's own metrics, scorers and splitters. (RNNRegressor and RNNClassifier "
            "predict for every timestep with return_sequences=True.)"
        )
    return values
