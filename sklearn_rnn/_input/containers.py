"""What users put values into: opened in one place, all the way down, before anything is read.

NumPy would take the values under a mask, and make one object of a sparse matrix. So both are
refused, in an argument and in the parts of a list alike.
"""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import issparse

from sklearn_rnn._input.frames import refuse_panel

# Types of single values, which hold no others.
SCALARS = (int, float, complex, str, bytes, type(None), np.generic)


def check_container(values, name: str) -> None:
    """Raise for values that can't be read rightly, at any depth of lists and arrays of objects.

    name : what errors call the values
    """
    if np.ma.is_masked(values):
        raise ValueError(
            f"{name} is a masked array with masked values. Masks are not supported: fill the "
            "masked values first, with NaN for padding at the end of sequences in X."
        )
    if issparse(values):
        raise TypeError(
            f"{name} is sparse, but has to be dense: use {name}.toarray() to convert it."
        )
    for i, part in _parts(values):
        check_container(part, f"{name}[{i}]")
        refuse_panel(part, f"{name}[{i}]")


def _parts(values) -> Iterator[tuple[int, object]]:
    """The parts of a list, of a Series or an array of objects, that may hold others, by number."""
    if isinstance(values, (list, tuple)):
        parts = values
    elif _holds_objects(values) and np.ndim(values) == 1:
        parts = list(values)
    else:
        return
    holding = {kind for kind in set(map(type, parts)) if not issubclass(kind, SCALARS)}
    if not holding:
        return
    for i, part in enumerate(parts):
        if type(part) in holding and not _is_plain(part):
            yield i, part


def _is_plain(part) -> bool:
    """Whether a part surely is an ordinary array of single values."""
    return type(part) is np.ndarray and not _holds_objects(part)


def _holds_objects(array) -> bool:
    return getattr(getattr(array, "dtype", None), "kind", "") == "O"
