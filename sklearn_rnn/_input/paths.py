"""Files that users name by the argument `path`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def read_path(path) -> Path:
    """Convert a str or path-like object."""
    try:
        return Path(path)
    except TypeError as error:
        raise TypeError(f"path must be a str or a path-like object, not {path!r}.") from error


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Let errors say that the argument `path` is the cause."""
    words = f"path={str(path)!r} can't be written: %s. Give one in an existing, writable folder."
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, words % error.strerror) from error
    except ValueError as error:  # a null character
        raise ValueError(words % error) from error
