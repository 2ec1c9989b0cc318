"""Checkpoint: a file from which a fit that was killed goes on."""

import time
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path

import joblib

from sklearn_rnn._input.hyperparameters import (
    check_flag,
    check_number,
)
from sklearn_rnn._input.paths import read_path, writing
from sklearn_rnn._training import checkpoint
from sklearn_rnn._training.progress import Ending
from sklearn_rnn.callbacks._callback import FileCallback, is_epoch


@dataclass
class _CheckpointedFit:
    path: Path
    fingerprint: dict[str, str]
    epoch: int  # the epoch of the last save, or of the start
    when: float  # its time


class Checkpoint(FileCallback):
    """Save the state of training, and continue from it if training was cut short.

    If the file exists when ``fit`` begins, training continues from its state. It ends with the same
    weights, to the last bit, as a fit that was never cut short. So if a script was killed, run it
    again. The data and the parameters must be the same, except ``verbose``, and except ``max_iter``
    unless ``learning_rate`` is "cosine" or "one_cycle", which depend on it. Only
    ``solver="lbfgs"`` ends with other weights, because the checkpoint does not hold its estimate
    of the curvature.

    The file is replaced atomically, so it is always a complete checkpoint. It is deleted when
    training ends by itself, unless ``keep=True``. It stays when ``fit`` is killed, fails, is
    interrupted, or is stopped by another callback such as `TimeLimit`.

    Parameters
    ----------
    path : str or path-like
        The file; every fit needs its own. Or an existing folder, in which each fit gets a file of
        its own, named by a hash of its data and parameters (also of ``max_iter``). A folder is for
        searches and ensembles, whose fits may run at the same time. Their ``random_state`` must
        then be an int.
    every_epochs : int or None, default=1
        Save after every so many epochs. None saves by time only.
    every_minutes : float or None, default=None
        Save after the first epoch that ends at least this many minutes after the last save. None
        saves by epochs only.
    keep : bool, default=False
        Keep the file also when training ends by itself. If that was at ``max_iter``, a fit with a
        larger ``max_iter`` goes on from there. If training had converged, a fit does nothing more.

    Raises
    ------
    ValueError, TypeError
        If path is not a path, a number is not positive, or both are None. ``fit`` raises ValueError
        if the file is not a checkpoint, is damaged, comes from another version of this package,
        belongs to a fit with other data or parameters, or has more epochs than ``max_iter``.
    OSError
        From ``fit`` before training, if the file can't be written.

    Notes
    -----
    The files are pickles: use only files that you trust. A process that is killed while it writes
    leaves a temporary file ``.NAME.*.tmp``. This file is deleted together with the checkpoint.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from sklearn_rnn import RNNRegressor
    >>> from sklearn_rnn.callbacks import Checkpoint, TimeLimit
    >>> X, y = np.ones((4, 3, 1)), np.ones(4)
    >>> model = RNNRegressor(hidden_size=4, tol=0.1, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     checkpoint = Checkpoint(Path(folder, "fit.checkpoint"))
    ...     epochs = model.set_callbacks(checkpoint, TimeLimit(1e-6)).fit(X, y).n_iter_
    ...     model = model.set_callbacks(checkpoint).fit(X, y)
    >>> epochs
    1
    >>> same = RNNRegressor(hidden_size=4, tol=0.1, random_state=0).fit(X, y)
    >>> model.loss_curve_ == same.loss_curve_
    True
    """

    def __init__(self, path, *, every_epochs=1, every_minutes=None, keep=False):
        if every_epochs is None and every_minutes is None:
            raise ValueError("every_epochs and every_minutes are both None: give at least one.")
        if every_epochs is not None:
            check_number("every_epochs", every_epochs, Integral, 1, None, "left")
        if every_minutes is not None:
            check_number("every_minutes", every_minutes, Real, 0, None, "neither")
        check_flag("keep", keep)
        self.path = read_path(path)
        self.every_epochs = every_epochs
        self.every_minutes = every_minutes
        self.keep = keep
        self._fits = {}  # by context, since several fits may share this callback

    def __getstate__(self):
        return {**super().__getstate__(), "_fits": {}}

    def setup(self, estimator, context):
        """Refuse a path that can't be written."""
        super().setup(estimator, context)
        with writing(self.path):
            checkpoint.check_writable(self.path)

    def on_fit_task_begin(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        """Continue from the file if it exists."""
        if is_epoch(context):
            return
        requests = estimator._callback_requests
        X_val, y_val, sample_weight_val = requests.validation
        data = {
            "X": X,
            "y": y,
            "sample_weight": (metadata or {}).get("sample_weight"),
            "X_val": X_val,
            "y_val": y_val,
            "sample_weight_val": sample_weight_val,
            "groups": requests.groups,
        }
        fingerprint = checkpoint.fingerprint(estimator, fitted_estimator, data)
        path = self.path
        if path.is_dir():
            of_fit = fingerprint, int(estimator.max_iter)  # which a search may vary
            path /= f"{joblib.hash(of_fit)}.checkpoint"
        fit = _CheckpointedFit(path, fingerprint, fitted_estimator.n_iter_, time.monotonic())
        self._fits[context] = fit
        if not path.exists():
            return
        saved = checkpoint.read(path)
        names = [name for name in fingerprint if fingerprint[name] != saved.fingerprint.get(name)]
        if names:
            raise ValueError(
                f"The checkpoint {path} is of another fit, which differs in {', '.join(names)}. "
                "Finish that fit, delete the file to start anew, or choose another file. In a "
                "folder, each fit has a file of its own."
            )
        n_epochs = saved.progress.n_epochs - fitted_estimator.n_iter_
        if n_epochs > estimator.max_iter:
            raise ValueError(
                f"The checkpoint {path} has {n_epochs} epochs, but max_iter={estimator.max_iter}: "
                f"set max_iter to {n_epochs} or more, or delete the file to start anew."
            )
        requests.resume_from = saved
        fit.epoch, fit.when = saved.progress.n_epochs, time.monotonic()

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        """Save after an epoch if it is due; after the fit, save or delete the file."""
        if is_epoch(context):
            self._save_if_due(self._fits[context.parent], fitted_estimator)
            return
        ending = fitted_estimator._progress.ending
        if ending is Ending.STOPPED or (self.keep and ending is not Ending.INTERRUPTED):
            self._save(self._fits[context], fitted_estimator)
        elif ending is not Ending.INTERRUPTED:  # after half an epoch: the last save stays
            checkpoint.remove(self._fits[context].path)

    def teardown(self, estimator, context):
        """Forget the fit."""
        self._fits.pop(context, None)

    def _save_if_due(self, fit, fitted) -> None:
        epochs, minutes = fitted.n_iter_ - fit.epoch, (time.monotonic() - fit.when) / 60
        by_epochs = self.every_epochs is not None and epochs >= self.every_epochs
        if by_epochs or (self.every_minutes is not None and minutes >= self.every_minutes):
            self._save(fit, fitted)

    def _save(self, fit, fitted) -> None:
        saved = checkpoint.Saved(fit.fingerprint, fitted._parameters, fitted._progress)
        checkpoint.write(fit.path, saved)
        fit.epoch, fit.when = fitted.n_iter_, time.monotonic()
