"""DataFrames: what their labels say, and where that has to be the same."""

from collections.abc import Iterable


def is_frame(value) -> bool:
    """Whether a value is a DataFrame, of any library."""
    return hasattr(value, "columns")


def check_columns(parts: Iterable, name: str) -> None:
    """Raise unless all the DataFrames among the parts have the same columns, in the same order.

    name : what errors call the list of parts
    """
    frames = ((i, list(part.columns)) for i, part in enumerate(parts) if is_frame(part))
    first, expected = next(frames, (0, []))
    for i, columns in frames:
        if columns != expected:
            raise ValueError(
                f"{name}[{i}] has the columns {columns}, but {name}[{first}] has {expected}: all "
                "the DataFrames must have the same columns, in the same order."
            )
