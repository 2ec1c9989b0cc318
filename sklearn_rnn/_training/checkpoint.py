"""Checkpoint files: the state of a fit, the fingerprint of that fit, writing and reading."""

import glob
import hashlib
import os
import pickle
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib

from sklearn_rnn._training.progress import Progress
from sklearn_rnn._version import __version__
from sklearn_rnn.core.network import Network
from sklearn_rnn.core.parameters import Parameters
from sklearn_rnn.core.schedules import STRETCHED

MAGIC = b"sklearn_rnn checkpoint"


@dataclass(frozen=True)
class Saved:
    """The state of a fit after an epoch."""

    fingerprint: dict[str, str]
    parameters: Parameters
    progress: Progress

    def restore(self, network: Network, progress: Progress) -> None:
        """Bring a fit that has just begun to the saved state."""
        vars(progress).update(vars(self.progress))
        network.parameters.vector[...] = self.parameters.vector
        progress.take_back_last(network.parameters.vector)
        network.refresh()


def fingerprint(estimator, start, data: dict[str, Any]) -> dict[str, str]:
    """Return a digest of everything that determines the result of a fit, by name.

    start : the estimator as it is before the first epoch
    data : the arguments of `fit` by name
    """
    parameters = estimator.get_params(deep=False)
    del parameters["verbose"], parameters["n_jobs"]  # which changes no more than the rounding
    if estimator.learning_rate not in STRETCHED:
        del parameters["max_iter"]  # it only says when to stop
    decisive = {
        "the estimator's class": type(estimator).__name__,
        **parameters,
        **data,
        # With warm_start, the result also depends on the weights that the fit starts from.
        "the earlier fit that it continues": start._parameters.vector if start.n_iter_ else None,
    }
    return {name: joblib.hash(value) for name, value in decisive.items()}


def _temporary(path: Path) -> tuple[int, str]:
    """Make a file beside the checkpoint, to write to; return its handle and its name."""
    return tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")


def check_writable(path: Path) -> None:
    """Raise if `write` can't write to a file or into a folder, whichever path is."""
    handle, temporary = _temporary(path / "fit" if path.is_dir() else path)
    os.close(handle)
    os.unlink(temporary)


def write(path: Path, saved: Saved) -> None:
    """Replace the file atomically: a reader finds the whole old file or the whole new one."""
    payload = pickle.dumps(saved, protocol=5)
    digest = hashlib.sha256(payload).hexdigest().encode()
    handle, temporary = _temporary(path)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(b"%s %s %s\n" % (MAGIC, __version__.encode(), digest))
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())  # without it, a crash of the machine may leave an empty file
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def remove(path: Path) -> None:
    """Remove the file, and the temporary files that killed processes left beside it."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        left.unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def read(path: Path) -> Saved:
    """Read a file that `write` wrote, or raise ValueError. No other file is unpickled."""
    header, _, payload = path.read_bytes().partition(b"\n")
    if not header.startswith(MAGIC + b" "):
        raise ValueError(f"{path} is not a checkpoint: choose another file.")
    version, _, digest = header.removeprefix(MAGIC + b" ").decode(errors="replace").partition(" ")
    if version != __version__:
        raise ValueError(
            f"The checkpoint {path} was written by sklearn_rnn {version}, and {__version__} may "
            "train differently. Finish the fit with that version, or delete the file to start anew."
        )
    if hashlib.sha256(payload).hexdigest() != digest:
        raise ValueError(f"The checkpoint {path} is damaged: delete it to start anew.")
    return pickle.loads(payload)
