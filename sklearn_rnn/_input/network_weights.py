"""The weights of a network as a user gives them: checked arrays under the textbook's names."""

from collections.abc import Mapping

import numpy as np

from sklearn_rnn._input.containers import opened
from sklearn_rnn._input.content import as_numbers
from sklearn_rnn._input.errors import about, describe


def read_network_weights(weights, present: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return an array for each present one, in its precision, or raise.

    present : the weights that the network has, by name
    """
    if not isinstance(weights, Mapping):
        raise TypeError(
            f"weights must be a dict of arrays by the names in weights_; got {describe(weights)}."
        )
    if weights.keys() != present.keys():
        missing, unknown = present.keys() - weights.keys(), weights.keys() - present.keys()
        raise ValueError(
            f"weights must have the names in weights_, {[*present]}; missing are "
            f"{sorted(missing)}, and unknown are {sorted(unknown, key=str)}."
        )
    return {
        name: _read(f"weights[{name!r}]", weights[name], array) for name, array in present.items()
    }


def _read(name: str, given, present: np.ndarray) -> np.ndarray:
    with about(name):
        array = np.asarray(opened(given, name))
    numbers = as_numbers(array, name)
    if numbers.shape != present.shape:
        raise ValueError(f"{name} must have shape {present.shape}; got {describe(given)}.")
    with np.errstate(over="ignore"):
        numbers = numbers.astype(present.dtype)
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name} must have finite values that {present.dtype.name} holds.")
    return numbers
