"""Errors that name the user's arguments."""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ContextDecorator, contextmanager


class about(ContextDecorator):
    """Adds the argument's name to errors from NumPy or scikit-learn that don't contain it.

    It isn't a generator, which would take several times as long where there is no error.
    """

    def __init__(self, name: str):
        self.name = name

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, _, error: BaseException | None, __) -> None:
        if not isinstance(error, (ValueError, TypeError, OverflowError)):
            return
        if re.search(rf"\b{re.escape(self.name)}(?!\w)", str(error)):
            return
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{self.name}: {error}") from error


@contextmanager
def renamed(names: Mapping[str, str]) -> Iterator[None]:
    """Replace argument names in errors: one argument was read by the code for another."""
    word = re.compile(rf"""\b({"|".join(names)})(?![\w'"])""")
    try:
        yield
    except (ValueError, TypeError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(word.sub(lambda found: names[found[0]], str(error))) from error


def about_validation_data() -> AbstractContextManager[None]:
    """Let errors name the arguments of the validation data, which are read like the others."""
    return renamed({"X": "X_val", "y": "y_val", "sample_weight": "sample_weight_val"})


def describe(value) -> str:
    """Describe a value's type, and its shape if it has one, for an error message."""
    name = type(value).__name__
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if hasattr(value, "shape"):
        return f"{name} of shape {value.shape}" if value.shape else f"a 0-D {name}"
    if isinstance(value, (list, tuple)):
        return f"{name} of {type(value[0]).__name__}" if value else f"an empty {name}"
    return name


class unchanged_on_error:
    """A context that restores the estimator's attributes if the block raises.

    It isn't a generator: after an interrupt, Python may close a generator much later, and the
    attributes of a later fit would be lost.
    """

    def __init__(self, estimator):
        self.attributes = vars(estimator)
        self.before = dict(self.attributes)

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind, *_) -> None:
        if kind is not None:
            self.attributes.update(self.before)  # first, so that no attribute is ever missing
            for name in self.attributes.keys() - self.before.keys():
                del self.attributes[name]
