"""What users put values into: opened in one place, all the way down, before anything is read.

NumPy would take the values under a mask, and make one object of a sparse matrix. It fails on some
containers of sequences, in words about itself. So these are refused here, with the conversion that
makes them readable, in an argument and in the parts of a list alike.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence, Set

import numpy as np
from scipy.sparse import issparse

from sklearn_rnn._input.errors import describe
from sklearn_rnn._input.frames import is_frame, refuse_panel

# Types of single values, which hold no others.
SCALARS = (int, float, complex, str, bytes, type(None), np.generic)
# Sequences that NumPy reads as arrays or as single values.
NO_LISTS = (str, bytes, bytearray, memoryview, range)


def opened(values, name: str):
    """Return values in a list, a tuple, a DataFrame or an array; raise if that can't be right.

    What is nothing of this, such as a number, is returned as it is.

    Other sequences, such as a deque or a column of a data set, become lists. So do collections of
    which NumPy can't make an array, such as ragged arrays of other libraries.

    name : what errors call the values
    """
    if _is_plain(values):
        return values
    check_container(values, name)
    if isinstance(values, (list, tuple, np.ndarray)) or is_frame(values):
        return values
    if isinstance(values, Sequence) and not isinstance(values, NO_LISTS):
        return list(values)
    try:
        array = np.asarray(values)
    except ValueError:
        if isinstance(values, Collection) and not isinstance(values, (Mapping, Set)):
            parts = list(values)
            check_container(parts, name)
            return parts
        raise
    except RuntimeError as error:
        raise TypeError(
            f"{name} ({describe(values)}) can't be converted to an array: {error}"
        ) from error
    return array if array.ndim else values


def check_container(values, name: str) -> None:
    """Raise for values that can't be read rightly, at any depth of lists and arrays of objects."""
    if np.ma.is_masked(values):
        raise ValueError(
            f"{name} is a masked array with masked values. Masks are not supported: fill the "
            "masked values first, with NaN for padding at the end of sequences in X."
        )
    if issparse(values):
        raise TypeError(
            f"{name} is sparse, but has to be dense: use {name}.toarray() to convert it."
        )
    conversion = _conversion(values, name)
    if conversion:
        raise TypeError(f"{name} is {conversion}.")
    for i, part in _parts(values):
        check_container(part, f"{name}[{i}]")
        refuse_panel(part, f"{name}[{i}]")


def _conversion(values, name: str) -> str:
    """What a container is, and the code that makes it readable; empty if it may be readable."""
    kind = type(values).__name__
    if isinstance(values, np.ndarray) and not _holds_objects(values):
        return ""
    if is_frame(values):  # without the questions below: pandas looks for a column of each name
        return _nested_cells(values, name)
    if kind == "PackedSequence":
        return f"a PackedSequence: give torch.nn.utils.rnn.unpack_sequence({name})"
    if getattr(values, "is_nested", False) is True:
        return f"a nested tensor: give {name}.unbind()"
    if getattr(values, "requires_grad", False) is True:
        return f"a {kind} that requires grad: give {name}.detach().numpy()"
    if "GroupBy" in kind:
        return (
            f"a {kind}, not a list of sequences: give [group for _, group in {name}], without the "
            "columns of the keys"
        )
    if isinstance(values, (list, tuple)) and values and _is_pair(values[0]):
        return (
            "a list of pairs (key, sequence), as iterating over a groupby gives them: give "
            f"[sequence for _, sequence in {name}]"
        )
    if hasattr(values, "data_vars"):
        dims = 'transpose("sample", "time", "feature")'
        return f'a {kind}: give an array, {name}.to_dataarray("feature").{dims}'
    return ""


def _is_pair(part) -> bool:
    """Whether a part is a key with a DataFrame, a Series or an array."""
    if not isinstance(part, tuple) or len(part) != 2:
        return False
    key, values = part
    is_key = isinstance(key, (str, int, np.generic)) or hasattr(values, "iloc")
    return is_key and (is_frame(values) or (hasattr(values, "shape") and len(values.shape) > 0))


def _nested_cells(values, name: str) -> str:
    """The conversion of a DataFrame with Series, arrays or lists in its cells; empty without."""
    if not (hasattr(values, "iloc") and len(values)):
        return ""
    if not any(_holds_values(cell) for cell in values.iloc[0]):
        return ""
    return (
        f"a {type(values).__name__} whose cells hold sequences: give a list of arrays "
        f"(n_timesteps_i, n_features), [np.column_stack(row) for row in {name}.to_numpy()]"
    )


def _holds_values(cell) -> bool:
    return isinstance(cell, (list, tuple)) or len(getattr(cell, "shape", ())) > 0


def _parts(values) -> Iterator[tuple[int, object]]:
    """The parts of a list, of a Series or an array of objects, that may hold others, by number."""
    if isinstance(values, Sequence) and not isinstance(values, NO_LISTS):
        parts = values
    elif _holds_objects(values) and np.ndim(values) == 1:
        parts = list(values)
    else:
        return
    kinds = set(map(type, parts))
    if kinds == {np.ndarray} and not any(of.hasobject for of in {part.dtype for part in parts}):
        return  # the usual case, and to ask each of a million takes longer
    holding = {kind for kind in kinds if not issubclass(kind, SCALARS)}
    if holding:
        yield from ((i, part) for i, part in enumerate(parts) if type(part) in holding)


def _is_plain(part) -> bool:
    """Whether a part surely is an ordinary array of single values."""
    return type(part) is np.ndarray and part.dtype.kind != "O"


def _holds_objects(array) -> bool:
    return getattr(getattr(array, "dtype", None), "kind", "") == "O"
