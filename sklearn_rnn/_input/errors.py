"""Errors in the user's words."""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import numpy as np


@contextmanager
def about(name: str) -> Iterator[None]:
    """Let an error from NumPy or scikit-learn say which argument it is about."""
    try:
        yield
    except (ValueError, TypeError, OverflowError) as error:
        if re.search(rf"\b{name}\b", str(error)):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{name}: {error}") from error


@contextmanager
def renamed(names: Mapping[str, str]) -> Iterator[None]:
    """Let an error that speaks of one argument speak of another, which is read like it."""
    word = re.compile(rf"""\b({"|".join(names)})(?![\w'"])""")
    try:
        yield
    except (ValueError, TypeError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(word.sub(lambda found: names[found[0]], str(error))) from error


def about_validation_data() -> AbstractContextManager[None]:
    """Let errors name the arguments of the validation data, which are read like the others."""
    return renamed({"X": "X_val", "y": "y_val", "sample_weight": "sample_weight_val"})


def refuse_masked(values, name: str) -> None:
    """Raise where values of a masked array would be used as if they weren't masked."""
    if np.ma.is_masked(values):
        raise ValueError(
            f"{name} is a masked array with masked values, which would be used all the same; fill "
            "them first. Padding at the end of sequences in X is NaN."
        )


def describe(value) -> str:
    """Say what kind of thing was given."""
    name = type(value).__name__
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if hasattr(value, "shape"):
        return f"{name} of shape {value.shape}" if value.shape else f"a 0-D {name}"
    if isinstance(value, (list, tuple)):
        return f"{name} of {type(value[0]).__name__}" if value else f"an empty {name}"
    return name


@contextmanager
def unchanged_on_error(estimator) -> Iterator[None]:
    """Give an estimator back the attributes it had, if what is done with it fails."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
