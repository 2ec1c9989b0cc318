"""Checks of the estimators' parameters, made at the start of every fit."""

import math
import sys
from collections.abc import Collection
from itertools import pairwise
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state, check_scalar

from sklearn_rnn._input.errors import about
from sklearn_rnn.core.cells import CELLS
from sklearn_rnn.core.optimizers import SOLVERS
from sklearn_rnn.core.pooling import POOLS
from sklearn_rnn.core.schedules import SCHEDULES

CHOICES: dict[str, Collection[str]] = {
    "cell": CELLS,
    "activation": dict.fromkeys(name for cell in CELLS.values() for name in cell.activations),
    "solver": (*SOLVERS, "lbfgs"),
    "learning_rate": SCHEDULES,
}

# More float64 numbers than an address space holds are none that a parameter may ask for.
MOST_NUMBERS = sys.maxsize // 8

DEFAULT_ACTIVATION = "tanh"  # cells with fixed activations accept it as well

FLAGS = (
    "bidirectional",
    "return_sequences",
    "shuffle",
    "standardize",
    "nesterovs_momentum",
    "warm_start",
)

# flags that may have one other value
FLAGS_OR = {"early_stopping": "auto"}

# type, smallest value, largest value, and which of these two are allowed
NUMBERS = {
    "hidden_size": (Integral, 1, None, "left"),
    "n_layers": (Integral, 1, None, "left"),
    "dropout": (Real, 0, 1, "left"),
    "recurrent_dropout": (Real, 0, 1, "left"),
    "alpha": (Real, 0, None, "left"),
    "learning_rate_init": (Real, 0, None, "neither"),
    "power_t": (Real, 0, None, "left"),
    "max_iter": (Integral, 1, None, "left"),
    "tol": (Real, 0, None, "left"),
    "validation_fraction": (Real, 0, 1, "neither"),
    "delta": (Real, 0, None, "neither"),
    "label_smoothing": (Real, 0, 1, "left"),
    "momentum": (Real, 0, 1, "left"),
    "beta_1": (Real, 0, 1, "left"),
    "beta_2": (Real, 0, 1, "left"),
    "rho": (Real, 0, 1, "left"),
    "epsilon": (Real, 0, None, "neither"),
    "verbose": (Integral, 0, None, "left"),
}

# as above, for `quantile`, and for each one of several
QUANTILE = (Real, 0, 1, "neither")

# parameters that may have one other value in place of a number
NUMBERS_OR = {
    "batch_size": ("auto", (Integral, 1, None, "left")),
    "n_iter_no_change": ("auto", (Integral, 1, None, "left")),
    "bptt_steps": (None, (Integral, 1, None, "left")),
    "max_grad_norm": (None, (Real, 0, None, "neither")),
    "max_grad_value": (None, (Real, 0, None, "neither")),
}


def check_hyperparameters(estimator) -> None:
    """Raise TypeError or ValueError if a parameter is invalid, naming the parameter."""
    for name, choices in CHOICES.items():
        value = getattr(estimator, name)
        is_rate = name == "learning_rate" and isinstance(value, Real)
        hint = f". A number is learning_rate_init={value!r}" if is_rate else ""
        check_choice(name, value, choices, hint)
    check_choice("loss", estimator.loss, estimator._losses)
    for name in FLAGS:
        check_flag(name, getattr(estimator, name))
    for name, other in FLAGS_OR.items():
        check_flag_or(name, getattr(estimator, name), other)
    parameters = estimator.get_params(deep=False)
    for name, bounds in NUMBERS.items():
        if name in parameters:  # the regressor and the classifier each have parameters of their own
            check_number(name, parameters[name], *bounds)
    check_quantile(parameters.get("quantile", 0.5))
    check_class_weight(parameters.get("class_weight"))
    for name, (other, bounds) in NUMBERS_OR.items():
        check_number_or(name, getattr(estimator, name), other, bounds)
    check_pooling(estimator.pooling, estimator.return_sequences)
    check_n_jobs(estimator.n_jobs)
    check_size(estimator)
    if not is_seed(estimator.random_state):
        with about("random_state"):
            check_random_state(estimator.random_state)
    check_activation(estimator.cell, estimator.activation)
    for name in ("dropout", "recurrent_dropout"):
        rate = getattr(estimator, name)
        if estimator.solver == "lbfgs" and rate > 0:
            raise ValueError(
                f"{name}={rate} can't be used with solver='lbfgs', which needs a loss without "
                f"randomness: set {name}=0, or another solver."
            )
    if estimator.bptt_steps is not None:
        check_truncation(estimator)


def check_n_jobs(n_jobs) -> None:
    """Raise TypeError or ValueError unless this is None or an integer other than 0."""
    check_number_or("n_jobs", n_jobs, None, (Integral, None, None, "both"))
    if n_jobs == 0:
        raise ValueError("n_jobs=0 has no meaning: give a number of cores, -1 for all, or None.")


def is_seed(value) -> bool:
    """Whether a value is a seed. `check_random_state` would make a generator: 0.1 ms."""
    return isinstance(value, Integral) and 0 <= value < 2**32


def check_size(estimator) -> None:
    """Raise ValueError for a network that has more parameters than an address space can hold."""
    hidden_size, n_layers = int(estimator.hidden_size), int(estimator.n_layers)
    if n_layers * hidden_size**2 > MOST_NUMBERS:
        raise ValueError(
            f"hidden_size={hidden_size} and n_layers={n_layers} make a network that is too large "
            "for any computer: choose a smaller one. Most networks have a hidden_size below 1000 "
            "and an n_layers below 10."
        )


def check_activation(name: str, activation: str) -> None:
    """Raise ValueError for an activation that the cell doesn't know."""
    if activation == DEFAULT_ACTIVATION or activation in CELLS[name].activations:
        return
    cells = [other for other, cell in CELLS.items() if activation in cell.activations]
    raise ValueError(
        f"activation={activation!r} has no meaning for cell={name!r}, which has fixed ones: leave "
        f"activation={DEFAULT_ACTIVATION!r}, or set cell={' or '.join(map(repr, cells))}."
    )


def check_pooling(pooling, return_sequences: bool) -> None:
    """Raise TypeError or ValueError unless this is "auto", the name of a pool, or several."""
    if isinstance(pooling, str) and pooling == "auto":
        return
    pools = ", ".join(map(repr, POOLS))
    expected = f"'auto', {pools}, or a tuple or list of some of the latter, each once"
    names = names_of_pools(pooling) if isinstance(pooling, (str, tuple, list)) else (pooling,)
    if not all(isinstance(name, str) for name in names):
        raise TypeError(f"pooling={pooling!r} must be {expected}.")
    if not names or len(set(names)) < len(names) or not set(names) <= POOLS.keys():
        raise ValueError(f"pooling={pooling!r} must be {expected}.")
    if return_sequences and names != ("last",):
        raise ValueError(
            f"pooling={pooling!r} can't be used with return_sequences=True, where every timestep "
            "has an output of its own: set pooling='auto' or 'last', or return_sequences=False."
        )


def names_of_pools(pooling) -> tuple[str, ...]:
    """Return the value of the parameter `pooling` as the core has it."""
    return (pooling,) if isinstance(pooling, str) else tuple(pooling)


def pools_of(estimator) -> tuple[str, ...]:
    """Return the pools of an estimator's network."""
    if estimator.pooling != "auto":
        return names_of_pools(estimator.pooling)
    return ("last",) if estimator.return_sequences else estimator._auto_pooling


def check_truncation(estimator) -> None:
    """Raise ValueError for networks and solvers that can't train on segments."""
    if estimator.bidirectional:
        raise ValueError(
            f"bptt_steps={estimator.bptt_steps} can't be used with bidirectional=True, whose "
            "reverse direction starts at the end of a sequence: set bptt_steps=None, or "
            "bidirectional=False."
        )
    if estimator.solver == "lbfgs":
        raise ValueError(
            f"bptt_steps={estimator.bptt_steps} can't be used with solver='lbfgs', which uses all "
            "the data in every update: set bptt_steps=None, or another solver."
        )


def only_in_epochs(estimator) -> bool:
    """A condition for `available_if`: whether the solver trains by epochs."""
    if estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit is not available with solver='lbfgs', which uses all the data at once."
        )
    return True


def check_quantile(quantile) -> None:
    """Raise TypeError or ValueError unless this is a quantile, or several in increasing order."""
    if is_number(quantile):
        check_number("quantile", quantile, *QUANTILE)
        return
    expected = "a number in (0, 1), or a list of such numbers in increasing order"
    is_list = isinstance(quantile, (list, tuple))
    if not (is_list or (isinstance(quantile, np.ndarray) and quantile.ndim == 1)):
        raise TypeError(f"quantile={quantile!r} must be {expected}.")
    for place, value in enumerate(quantile):
        check_number(f"quantile[{place}]", value, *QUANTILE)
    if not len(quantile) or any(low >= high for low, high in pairwise(quantile)):
        raise ValueError(f"quantile={quantile!r} must be {expected}, each once.")


def quantiles_of(estimator) -> tuple[float, ...] | None:
    """Return the quantiles of an estimator that was given a list of them; otherwise None."""
    if estimator.loss != "quantile" or is_number(estimator.quantile):
        return None
    return tuple(map(float, estimator.quantile))


def is_number(value) -> bool:
    """Whether a value isn't a list or an array of several."""
    return not isinstance(value, (list, tuple)) and np.ndim(value) == 0


def check_class_weight(class_weight) -> None:
    """Raise TypeError or ValueError if class_weight is invalid."""
    if isinstance(class_weight, dict):
        for label, weight in class_weight.items():
            check_number(f"class_weight[{label!r}]", weight, Real, 0, None, "left")
    elif class_weight is not None and not isinstance(class_weight, str):
        raise TypeError(f"class_weight must be None, 'balanced' or a dict, not {class_weight!r}.")
    elif class_weight not in (None, "balanced"):
        raise ValueError(f"class_weight={class_weight!r} must be None, 'balanced' or a dict.")


def check_choice(name: str, value, choices: Collection, hint: str = "") -> None:
    """Raise unless the value is one of the choices. An error ends with the hint."""
    if not (value is None or isinstance(value, str)) or value not in choices:
        expected = ", ".join(repr(choice) for choice in choices)
        error = ValueError if isinstance(value, str) else TypeError
        raise error(f"{name}={value!r} is not one of the choices: {expected}{hint}.")


def check_flag(name: str, value) -> None:
    """Raise TypeError unless the value is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, not {value!r}.")


def check_flag_or(name: str, value, other: str) -> None:
    """Raise TypeError or ValueError unless the value is True, False, or the other."""
    if (isinstance(value, str) and value == other) or isinstance(value, (bool, np.bool_)):
        return
    error = ValueError if isinstance(value, str) else TypeError
    raise error(f"{name} must be True, False or {other!r}, not {value!r}.")


def check_number_or(name: str, value, other, bounds) -> None:
    """Raise TypeError or ValueError unless a value is a number within bounds, or the other."""
    if value is not None and not isinstance(value, str):
        check_number(name, value, *bounds)
    elif value != other:
        kind = "an integer" if bounds[0] is Integral else "a number"
        error = TypeError if value is None else ValueError
        raise error(f"{name} must be {other!r} or {kind}, not {value!r}.")


def check_number(name: str, value, kind: type, low, high, boundaries: str) -> None:
    """Raise unless the value is a number of this kind and within these bounds."""
    if name == "hidden_size" and isinstance(value, (tuple, list)):
        raise TypeError(
            f"hidden_size must be an int, not {value!r}: the size of every layer. Set the number "
            f"of layers by n_layers={len(value)}."
        )
    # NumPy derives timedelta64 from its integers.
    is_flag = isinstance(value, (bool, np.bool_)) and name != "verbose"
    if is_flag or isinstance(value, np.timedelta64):
        raise TypeError(f"{name} must be a number (int or float), not {value!r}.")
    check_scalar(value, name, kind, min_val=low, max_val=high, include_boundaries=boundaries)
    try:
        is_finite = math.isfinite(float(value))
    except OverflowError:
        digits = f"an integer of about {int(math.log10(abs(value))) + 1} digits"
        raise ValueError(f"{name} is too large, {digits}: no float holds it.") from None
    if not is_finite:
        raise ValueError(f"{name} == {value}, must be finite.")


def plain(value):
    """Return a Python number for a NumPy scalar, and anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value
