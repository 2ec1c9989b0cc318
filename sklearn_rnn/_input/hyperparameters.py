"""Checks of the estimators' parameters, made at the start of every fit."""

from collections.abc import Collection
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state, check_scalar

from sklearn_rnn._input.errors import about
from sklearn_rnn.core.cells import CELLS
from sklearn_rnn.core.optimizers import SOLVERS
from sklearn_rnn.core.schedules import SCHEDULES

CHOICES: dict[str, Collection[str]] = {
    "cell": CELLS,
    "activation": dict.fromkeys(name for cell in CELLS.values() for name in cell.activations),
    "solver": (*SOLVERS, "lbfgs"),
    "learning_rate": SCHEDULES,
}

DEFAULT_ACTIVATION = "tanh"  # cells with fixed activations accept it as well

FLAGS = (
    "bidirectional",
    "return_sequences",
    "shuffle",
    "early_stopping",
    "standardize",
    "nesterovs_momentum",
    "warm_start",
)

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
    "n_iter_no_change": (Integral, 1, None, "left"),
    "validation_fraction": (Real, 0, 1, "neither"),
    "delta": (Real, 0, None, "neither"),
    "quantile": (Real, 0, 1, "neither"),
    "label_smoothing": (Real, 0, 1, "left"),
    "momentum": (Real, 0, 1, "left"),
    "beta_1": (Real, 0, 1, "left"),
    "beta_2": (Real, 0, 1, "left"),
    "rho": (Real, 0, 1, "left"),
    "epsilon": (Real, 0, None, "neither"),
    "verbose": (Integral, 0, None, "left"),
}

# parameters that may have one other value in place of a number
NUMBERS_OR = {
    "batch_size": ("auto", (Integral, 1, None, "left")),
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
        value = getattr(estimator, name)
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError(f"{name} must be True or False, not {value!r}.")
    parameters = estimator.get_params(deep=False)
    for name, bounds in NUMBERS.items():
        if name in parameters:  # the regressor and the classifier each have parameters of their own
            check_number(name, parameters[name], *bounds)
    check_class_weight(parameters.get("class_weight"))
    for name, (other, bounds) in NUMBERS_OR.items():
        value = getattr(estimator, name)
        if value is None or isinstance(value, str):
            number = "an int" if bounds[0] is Integral else "a number"
            check_choice(name, value, [other], f"; or give {number}")
        else:
            check_number(name, value, *bounds)
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


def check_activation(name: str, activation: str) -> None:
    """Raise ValueError for an activation that the cell doesn't know."""
    if activation == DEFAULT_ACTIVATION or activation in CELLS[name].activations:
        return
    cells = [other for other, cell in CELLS.items() if activation in cell.activations]
    raise ValueError(
        f"activation={activation!r} has no meaning for cell={name!r}, which has fixed ones: leave "
        f"activation={DEFAULT_ACTIVATION!r}, or set cell={' or '.join(map(repr, cells))}."
    )


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


def check_number(name: str, value, kind: type, low, high, boundaries: str) -> None:
    """Raise unless the value is a number of this kind and within these bounds."""
    if name == "hidden_size" and isinstance(value, (tuple, list)):
        raise TypeError(
            f"hidden_size must be an int, not {value!r}: the size of every layer. Set the number "
            f"of layers by n_layers={len(value)}."
        )
    if isinstance(value, (bool, np.bool_)) and name != "verbose":
        raise TypeError(f"{name} must be a number, not {value!r}.")
    check_scalar(value, name, kind, min_val=low, max_val=high, include_boundaries=boundaries)
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"{name} == {value}, must be finite.")


def plain(value):
    """Return a Python number for a NumPy scalar, and anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value
