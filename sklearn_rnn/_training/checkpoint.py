"""What a checkpoint is made of: which fit it belongs to, and how it gets into a file and out."""

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

MAGIC = b"sklearn_rnn checkpoint"


@dataclass(frozen=True)
class Saved:
    """Where a fit stands after an epoch."""

    fingerprint: dict[str, str]
    parameters: Parameters
    progress: Progress

    def restore(self, network: Network, progress: Progress) -> None:
        """Take a fit that has just begun to where this one stood."""
        vars(progress).update(vars(self.progress))
        network.parameters.vector[...] = self.parameters.vector
        progress.take_back_last(network.parameters.vector)
        network.refresh()


def fingerprint(estimator, start, data: dict[str, Any]) -> dict[str, str]:
    """Return digests, by name, of everything that decides how a fit ends.

    start : the estimator as it is before the first epoch
    data : the arguments of `fit` by name
    """
    decisive = {
        "the estimator's class": type(estimator).__name__,
        **{k: v for k, v in estimator.get_params(deep=False).items() if k != "verbose"},
        **data,
        # The parameters decide a new fit; a fit that goes on also depends on its start.
        "the fit that it goes on from": start._parameters.vector if start.n_iter_ else None,
    }
    return {name: joblib.hash(value) for name, value in decisive.items()}


def write(path: Path, saved: Saved) -> None:
    """Replace the file, so that at any moment there is the whole of the old or of the new one."""
    payload = pickle.dumps(saved, protocol=5)
    digest = hashlib.sha256(payload).hexdigest().encode()
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(b"%s %s %s\n" % (MAGIC, __version__.encode(), digest))
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())  # else a crash of the machine may leave an empty file
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def remove(path: Path) -> None:
    """Remove the file, and what killed writers have left beside it."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        left.unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def read(path: Path) -> Saved:
    """Read what `write` has written, or raise ValueError. Nothing else is unpickled."""
    header, _, payload = path.read_bytes().partition(b"\n")
    if not header.startswith(MAGIC + b" "):
        raise ValueError(f"{path} is no checkpoint: choose another file.")
    version, digest = header.decode().split()[-2:]
    if version != __version__:
        raise ValueError(
            f"The checkpoint {path} was written by sklearn_rnn {version}, and {__version__} might "
            "train otherwise. Finish the fit with that version, or delete the file to start anew."
        )
    if hashlib.sha256(payload).hexdigest() != digest:
        raise ValueError(f"The checkpoint {path} is damaged: delete it to start anew.")
    return pickle.loads(payload)
