"""Features that users choose by number or by name."""

import numpy as np


def places(chosen, known: list, name: str) -> list[int]:
    """Return the places of one feature, or of several in a list; None chooses all.

    known : the numbers of the features, or their names
    name : what errors call the argument
    """
    if chosen is None:
        return list(range(len(known)))
    chosen = as_plain(chosen)
    several = chosen if isinstance(chosen, list) else [chosen]
    if not several:
        raise ValueError(f"{name} is an empty list: name at least one feature, or give None.")
    for feature in several:
        if isinstance(feature, (bool, np.bool_, np.ndarray)) or feature not in known:
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
