"""The state of a trained network as plain values: dicts, tuples, lists, numbers, strings, arrays.

Files hold these values, and no object of a private class. So a later version may arrange its
classes otherwise and still read the file, and skops has to trust nothing but the estimators.
"""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np

from sklearn_rnn._training.health import GradientHealth
from sklearn_rnn._training.progress import Ending, Progress
from sklearn_rnn._version import __version__
from sklearn_rnn.core.architecture import Architecture
from sklearn_rnn.core.heads import Head, MeanAndDeviation, NonCrossing
from sklearn_rnn.core.optimizers import AdamState, RMSpropState, SGDState
from sklearn_rnn.core.parameters import Parameters
from sklearn_rnn.core.scaling import Scaling, Units

# What np.random.default_rng has, and what NumPy plans for it. A file may not name other attributes
# of np.random: they might be any functions.
BIT_GENERATORS = {kind.__name__: kind for kind in (np.random.PCG64, np.random.PCG64DXSM)}

KIND = "kind"  # the key under which a dict names the class of the object that it stands for


class Form(NamedTuple):
    """How objects of a class become a dict of values, and how they come back.

    parts : returns the values by name; they may have forms of their own
    whole : makes the object; its arguments are the values by name
    """

    parts: Callable[[Any], dict[str, Any]]
    whole: Callable[..., Any]


def _fields_of(record) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _generator(state: dict[str, Any]) -> np.random.Generator:
    bit_generator = BIT_GENERATORS[state["bit_generator"]](0)
    bit_generator.state = state
    return np.random.Generator(bit_generator)


FORMS = {
    Parameters: Form(lambda these: {"shapes": these.shapes, "vector": these.vector}, Parameters),
    Units: Form(Units._asdict, Units),
    Scaling: Form(Scaling._asdict, Scaling),
    Ending: Form(lambda ending: {"name": ending.name}, lambda name: Ending[name]),
    np.random.Generator: Form(lambda rng: {"state": rng.bit_generator.state}, _generator),
}
FORMS |= {
    record: Form(_fields_of, record)
    for record in (
        *(Architecture, Head, NonCrossing, MeanAndDeviation),
        *(Progress, GradientHealth, SGDState, AdamState, RMSpropState),
    )
}
BY_NAME = {kind.__name__: form for kind, form in FORMS.items()}


def as_plain(value):
    """Return an object as a dict if it has a form; any other value as it is."""
    form = FORMS.get(type(value))
    if form is None:
        return value
    parts = {name: as_plain(part) for name, part in form.parts(value).items()}
    return {KIND: type(value).__name__, **parts}


def from_plain(value):
    """Return the object that `as_plain` made a dict of; any other value as it is."""
    if not (isinstance(value, dict) and KIND in value):
        return value
    parts = {name: from_plain(part) for name, part in value.items() if name != KIND}
    try:
        return BY_NAME[value[KIND]].whole(**parts)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"The saved {value[KIND]} has parts that sklearn_rnn {__version__} doesn't know "
            f"({error}): the file is of a newer version, or damaged. Load it with the version "
            "that saved it."
        ) from error
