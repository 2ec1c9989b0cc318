"""Files hold plain values in place of all the classes that a trained network is made of."""

from typing import get_args, get_type_hints

import numpy as np

from sklearn_rnn import RNNRegressor
from sklearn_rnn._training.plain_state import BY_NAME, FORMS
from sklearn_rnn._training.progress import Progress
from sklearn_rnn.core.architecture import Architecture
from sklearn_rnn.core.optimizers import SOLVERS
from sklearn_rnn.core.parameters import Parameters
from sklearn_rnn.core.scaling import Units


def classes_in(hint):
    """The classes of this package, and NumPy's generators, that an annotation names."""
    for part in get_args(hint):
        yield from classes_in(part)
    if isinstance(hint, type) and hint.__module__.startswith(("sklearn_rnn.", "numpy.random")):
        yield hint


def made_of(*kinds):
    """Classes, their subclasses, and those that their annotations name."""
    found = set()
    for kind in kinds:
        hints = [*get_type_hints(kind).values(), *kind.__subclasses__()]
        parts = {part for hint in hints for part in classes_in(hint)}
        found |= {kind} | made_of(*parts - {kind})
    return found


def test_every_class_has_a_form_of_its_own_name():
    theta = np.zeros(2)
    states = [type(solver(RNNRegressor()).init(theta)) for solver in SOLVERS.values()]
    assert made_of(Architecture, Parameters, Units, Progress, *states) == set(FORMS)
    assert len(BY_NAME) == len(FORMS)
