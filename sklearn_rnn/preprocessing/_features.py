"""Features that users choose by number or by name."""

import numpy as np

from sklearn_rnn._input.errors import describe
from sklearn_rnn._input.frames import is_frame


def places(chosen, known: list, name: str) -> list[int]:
    """Return the places of one feature, or of several in a list; None chooses all.

    known : the numbers of the features, or their names
    name : what errors call the argument
    """
    if chosen is None:
        return list(range(len(known)))
    plain = as_plain(chosen)
    several = plain if isinstance(plain, list) else [plain]
    if not several:
        raise ValueError(f"{name} is an empty list: name at least one feature, or give None.")
    for feature in several:
        if is_frame(feature) or isinstance(feature, (list, np.ndarray)):
            raise TypeError(
                f"{name} must choose among the features {known}, by name or number, and can't hold "
                f"values of features; got {describe(chosen)}."
            )
        if isinstance(feature, (bool, np.bool_)) or feature not in known:
            raise ValueError(
                f"{name}={feature!r} is not among the features, which are {known}. Give several "
                "features as a list."
            )
    return [known.index(feature) for feature in several]


def as_plain(chosen):
    """Return an array or a tuple as a list, and a NumPy scalar as a Python number."""
    if isinstance(chosen, tuple):
        return list(chosen)
    return chosen.tolist() if hasattr(chosen, "tolist") else chosen
