"""Checks of the estimators' parameters, made at the start of every fit."""

from collections.abc import Collection
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state, check_scalar

from sklearn_rnn._errors import about
from sklearn_rnn.core.cells import CELLS
from sklearn_rnn.core.cells.elman import ACTIVATIONS
from sklearn_rnn.core.optimizers import SOLVERS
from sklearn_rnn.core.schedules import SCHEDULES

CHOICES: dict[str, Collection[str]] = {
    "cell": CELLS,
    "activation": ACTIVATIONS,
    "solver": SOLVERS,
    "learning_rate": SCHEDULES,
}

FLAGS = (
    "bidirectional",
    "return_sequences",
    "shuffle",
    "early_stopping",
    "nesterovs_momentum",
    "warm_start",
)

# type, smallest, largest, and which of the two are themselves allowed
NUMBERS = {
    "hidden_size": (Integral, 1, None, "left"),
    "n_layers": (Integral, 1, None, "left"),
    "dropout": (Real, 0, 1, "left"),
    "alpha": (Real, 0, None, "left"),
    "learning_rate_init": (Real, 0, None, "neither"),
    "power_t": (Real, 0, None, "left"),
    "max_iter": (Integral, 1, None, "left"),
    "tol": (Real, 0, None, "left"),
    "n_iter_no_change": (Integral, 1, None, "left"),
    "validation_fraction": (Real, 0, 1, "neither"),
    "momentum": (Real, 0, 1, "left"),
    "beta_1": (Real, 0, 1, "left"),
    "beta_2": (Real, 0, 1, "left"),
    "epsilon": (Real, 0, None, "neither"),
    "verbose": (Integral, 0, None, "left"),
}

# numbers too, unless they are this
NUMBERS_OR = {
    "batch_size": ("auto", (Integral, 1, None, "left")),
    "max_grad_norm": (None, (Real, 0, None, "neither")),
    "max_grad_value": (None, (Real, 0, None, "neither")),
}


def check_hyperparameters(estimator) -> None:
    """Raise TypeError or ValueError for what can't be used, naming the parameter."""
    for name, choices in CHOICES.items():
        check_choice(name, getattr(estimator, name), choices)
    check_choice("loss", estimator.loss, estimator._losses)
    for name in FLAGS:
        value = getattr(estimator, name)
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError(f"{name} must be True or False, not {value!r}.")
    for name, bounds in NUMBERS.items():
        check_number(name, getattr(estimator, name), *bounds)
    for name, (other, bounds) in NUMBERS_OR.items():
        value = getattr(estimator, name)
        if value is None or isinstance(value, str):
            check_choice(name, value, [other])
        else:
            check_number(name, value, *bounds)
    with about("random_state"):
        check_random_state(estimator.random_state)
    if estimator.cell != "elman" and estimator.activation != "tanh":
        raise ValueError(
            f"activation={estimator.activation!r} has no meaning for cell={estimator.cell!r}, "
            "which has fixed ones: leave activation='tanh', or set cell='elman'."
        )


def check_choice(name: str, value, choices: Collection) -> None:
    """Raise unless the value is one of the choices."""
    if not (value is None or isinstance(value, str)) or value not in choices:
        expected = ", ".join(repr(choice) for choice in choices)
        error = ValueError if isinstance(value, str) else TypeError
        raise error(f"{name}={value!r} is not among what it can be: {expected}.")


def check_number(name: str, value, kind: type, low, high, boundaries: str) -> None:
    """Raise unless the value is a number of this kind and within these bounds."""
    if isinstance(value, (bool, np.bool_)) and name != "verbose":
        raise TypeError(f"{name} must be a number, not {value!r}.")
    check_scalar(value, name, kind, min_val=low, max_val=high, include_boundaries=boundaries)
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"{name} == {value}, must be finite.")
