"""Callbacks for `RNNRegressor` and `RNNClassifier`, set by their ``set_callbacks``.

They follow scikit-learn's protocol, `sklearn.callback.FitCallback`. scikit-learn's own callbacks,
`sklearn.callback.ProgressBar` and `sklearn.callback.ScoringMonitor`, work as well.
"""

import csv
import json
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from numbers import Integral, Real
from pathlib import Path

import joblib
from sklearn.metrics import check_scoring

from sklearn_rnn._base import BaseRNN
from sklearn_rnn._input.hyperparameters import (
    NUMBERS_OR,
    check_number,
    check_number_or,
    plain,
)
from sklearn_rnn._input.paths import read_path, writing
from sklearn_rnn._training import checkpoint
from sklearn_rnn._training.hooks import ScoredStopping
from sklearn_rnn._training.progress import Ending, StoppingRule

__all__ = ["Checkpoint", "EarlyStopping", "HistoryLogger", "TimeLimit"]


class _Callback:
    """The hooks of the protocol, which do nothing."""

    def setup(self, estimator, context):
        """Refuse other estimators than those of this package."""
        if not isinstance(estimator, BaseRNN):
            raise TypeError(
                f"{type(self).__name__} is for RNNRegressor and RNNClassifier, not for "
                f"{type(estimator).__name__}: set it on the RNN estimator inside."
            )

    def on_fit_task_begin(self, estimator, context):
        """Do nothing."""

    def on_fit_task_end(self, estimator, context):
        """Do nothing."""

    def teardown(self, estimator, context):
        """Do nothing."""


def _is_epoch(context) -> bool:
    return context.task_name == "epoch"


class EarlyStopping(_Callback):
    """Stop training when any score on the validation data no longer improves.

    This works like ``early_stopping=True``, but with a score of your choice. The estimator keeps
    the weights that scored best, and ``validation_scores_``, ``best_validation_score_`` and
    ``best_iteration_`` record this score. The validation data are ``X_val``, ``y_val`` and, if
    given, ``sample_weight_val`` of ``fit``. Without them, set ``early_stopping=True`` as well: then
    they are the samples that the estimator holds out, with their ``sample_weight`` if ``fit`` was
    given one (but without ``class_weight``).

    Parameters
    ----------
    scoring : str or callable
        The name of one of scikit-learn's scorers, or a callable ``scorer(estimator, X, y)`` that
        returns a number. Greater is better.
    n_iter_no_change : int or "auto", default="auto"
        Training stops after more than this many consecutive epochs without improvement. "auto" is
        10, or as many epochs as have 100 updates if those are more. This takes the place of the
        estimator's parameter.
    tol : float, default=1e-4
        The smallest change of the score that counts as an improvement. This takes the place of the
        estimator's parameter.

    Raises
    ------
    ValueError, TypeError
        If scoring is not a scorer, or a number is out of range. ``fit`` raises ValueError without
        validation data.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNClassifier
    >>> from sklearn_rnn.callbacks import EarlyStopping
    >>> X = np.random.default_rng(0).standard_normal((80, 5, 1))
    >>> y = X.sum(axis=(1, 2)) > 0
    >>> model = RNNClassifier(batch_size=16, random_state=0)
    >>> model = model.set_callbacks(EarlyStopping("neg_log_loss"))
    >>> model = model.fit(X[:60], y[:60], X_val=X[60:], y_val=y[60:])
    >>> model.best_validation_score_ == max(model.validation_scores_)
    True

    The estimator may also hold out the validation data, for instance in a search:

    >>> from sklearn.model_selection import GridSearchCV
    >>> model = model.set_params(early_stopping=True, learning_rate_init=0.05)
    >>> model = model.set_callbacks(EarlyStopping("neg_log_loss", n_iter_no_change=5))
    >>> search = GridSearchCV(model, {"hidden_size": [4, 8]}, cv=2).fit(X, y)
    >>> max(search.best_estimator_.validation_scores_) < 0  # the log-loss, times -1
    True
    """

    def __init__(self, scoring, *, n_iter_no_change="auto", tol=1e-4):
        if not (isinstance(scoring, str) or callable(scoring)):
            raise TypeError(f"scoring must be the name of a scorer or a callable, not {scoring!r}.")
        check_number_or("n_iter_no_change", n_iter_no_change, *NUMBERS_OR["n_iter_no_change"])
        check_number("tol", tol, Real, 0, None, "left")
        self.scoring = scoring
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol

    def on_fit_task_begin(self, estimator, context):
        """Pass the scorer and the stopping rule to the fit."""
        if _is_epoch(context):
            return
        requests = estimator._callback_requests
        if not requests.validates:
            raise ValueError(
                "EarlyStopping needs validation data: give X_val and y_val to fit, or set "
                "early_stopping=True, which holds out some samples."
            )
        scorer = check_scoring(estimator, self.scoring)
        rule = StoppingRule(plain(self.tol), plain(self.n_iter_no_change), early_stopping=True)
        requests.stopping = ScoredStopping(scorer, rule)


class TimeLimit(_Callback):
    """Stop training after a number of seconds.

    Training stops after the epoch in which the limit is reached, as with ``max_iter`` but without a
    warning. If a `Checkpoint` is set too, the next ``fit`` continues from there.

    Parameters
    ----------
    seconds : float
        The limit, counted from the start of ``fit``.

    Raises
    ------
    ValueError, TypeError
        If seconds is not a positive number.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNRegressor
    >>> from sklearn_rnn.callbacks import TimeLimit
    >>> model = RNNRegressor(max_iter=100_000, tol=0).set_callbacks(TimeLimit(0.01))
    >>> model.fit(np.ones((4, 3, 1)), np.ones(4)).n_iter_ < 100_000
    True
    """

    def __init__(self, seconds):
        check_number("seconds", seconds, Real, 0, None, "neither")
        self.seconds = seconds

    def on_fit_task_end(self, estimator, context):
        """Stop if the limit is reached."""
        if not _is_epoch(context):
            return False
        return (datetime.now(UTC) - context.parent.init_time).total_seconds() >= self.seconds


class HistoryLogger(_Callback):
    """Write one line per epoch to a file during training.

    A line has ``started`` (the start of the fit, in UTC), ``epoch``, ``loss``, ``validation_loss``,
    ``validation_score``, ``gradient_norm``, ``weight_norm`` and ``seconds`` (since the start of the
    fit). The norms are the values of the estimator's attributes. Without validation data,
    ``validation_loss`` and ``validation_score`` are null, or empty in CSV. Lines are appended to an
    existing file, each in one write, so that several fits may share a file.

    Parameters
    ----------
    path : str or path-like
        The file. The ending ".csv" gives CSV with a header, ".jsonl" gives JSON lines.

    Raises
    ------
    ValueError
        If path has another ending.
    TypeError
        If path is not a path.
    OSError
        From ``fit`` before training, if the file can't be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from sklearn_rnn import RNNRegressor
    >>> from sklearn_rnn.callbacks import HistoryLogger
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = Path(folder, "history.csv")
    ...     model = RNNRegressor(tol=1.0).set_callbacks(HistoryLogger(log))
    ...     model = model.fit(np.ones((4, 3, 1)), np.ones(4))
    ...     lines = log.read_text().splitlines()
    >>> lines[0]
    'started,epoch,loss,validation_loss,validation_score,gradient_norm,weight_norm,seconds'
    >>> len(lines) == 1 + model.n_iter_
    True
    """

    def __init__(self, path):
        self.path = read_path(path)
        if self.path.suffix not in _WRITERS:
            raise ValueError(f"path must end in {' or '.join(_WRITERS)}, not {path!s}.")

    def setup(self, estimator, context):
        """Write the header of a CSV file, before fits that share the file write lines."""
        super().setup(estimator, context)
        with writing(self.path):
            with suppress(FileExistsError), self._open("x") as file:
                if self.path.suffix == ".csv":
                    file.write(",".join(_COLUMNS) + "\n")
            self._open("a").close()  # an existing file may be read-only

    def _open(self, mode: str):
        return self.path.open(mode, encoding="utf-8", newline="")

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        """Write the epoch's line."""
        if not _is_epoch(context):
            return
        started = context.parent.init_time
        row = {
            "started": started.isoformat(),
            "epoch": fitted_estimator.n_iter_,
            "loss": float(fitted_estimator.loss_),
            "validation_loss": _last(fitted_estimator.validation_loss_curve_),
            "validation_score": _last(fitted_estimator.validation_scores_),
            "gradient_norm": fitted_estimator.gradient_norms_[-1],
            "weight_norm": fitted_estimator.weight_norms_[-1],
            "seconds": (datetime.now(UTC) - started).total_seconds(),
        }
        with self._open("a") as file:
            _WRITERS[self.path.suffix](file, row)


def _last(values: list[float] | None) -> float | None:
    return float(values[-1]) if values else None


def _write_csv(file, row: dict) -> None:
    csv.DictWriter(file, _COLUMNS, lineterminator="\n").writerow(row)


def _write_json(file, row: dict) -> None:
    file.write(json.dumps(row) + "\n")


_COLUMNS = (
    "started",
    "epoch",
    "loss",
    "validation_loss",
    "validation_score",
    "gradient_norm",
    "weight_norm",
    "seconds",
)
_WRITERS = {".csv": _write_csv, ".jsonl": _write_json}


@dataclass
class _CheckpointedFit:
    path: Path
    fingerprint: dict[str, str]
    epoch: int  # the epoch of the last save, or of the start
    when: float  # its time


class Checkpoint(_Callback):
    """Save the state of training, and continue from it if training was cut short.

    If the file exists when ``fit`` begins, training continues from its state. It ends with the same
    weights, to the last bit, as a fit that was never cut short. So if a script was killed, run it
    again. The data and the parameters (except ``verbose``) must be the same. Only
    ``solver="lbfgs"`` ends with other weights, because the checkpoint does not hold its estimate
    of the curvature.

    The file is replaced atomically, so it is always a complete checkpoint. It is deleted when
    training ends by itself. It stays when ``fit`` is killed, fails, is interrupted, or is stopped
    by another callback such as `TimeLimit`.

    Parameters
    ----------
    path : str or path-like
        The file; every fit needs its own. Or an existing folder, in which each fit gets a file of
        its own, named by a hash of its data and parameters. A folder is for searches and ensembles,
        whose fits may run at the same time. Their ``random_state`` must then be an int.
    every_epochs : int or None, default=1
        Save after every so many epochs. None saves by time only.
    every_minutes : float or None, default=None
        Save after the first epoch that ends at least this many minutes after the last save. None
        saves by epochs only.

    Raises
    ------
    ValueError, TypeError
        If path is not a path, a number is not positive, or both are None. ``fit`` raises ValueError
        if the file is not a checkpoint, is damaged, comes from another version of this package, or
        belongs to a fit with other data or parameters.
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

    def __init__(self, path, *, every_epochs=1, every_minutes=None):
        if every_epochs is None and every_minutes is None:
            raise ValueError("every_epochs and every_minutes are both None: give at least one.")
        if every_epochs is not None:
            check_number("every_epochs", every_epochs, Integral, 1, None, "left")
        if every_minutes is not None:
            check_number("every_minutes", every_minutes, Real, 0, None, "neither")
        self.path = read_path(path)
        self.every_epochs = every_epochs
        self.every_minutes = every_minutes
        self._fits = {}  # by context, since several fits may share this callback

    def __getstate__(self):
        return {**vars(self), "_fits": {}}

    def setup(self, estimator, context):
        """Refuse a path that can't be written."""
        super().setup(estimator, context)
        with writing(self.path):
            checkpoint.check_writable(self.path)

    def on_fit_task_begin(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        """Continue from the file if it exists."""
        if _is_epoch(context):
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
            path /= f"{joblib.hash(fingerprint)}.checkpoint"
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
        requests.resume_from = saved
        fit.epoch, fit.when = saved.progress.n_epochs, time.monotonic()

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        """Save after an epoch if it is due; after the fit, save or delete the file."""
        if _is_epoch(context):
            self._save_if_due(self._fits[context.parent], fitted_estimator)
            return
        ending = fitted_estimator._progress.ending
        if ending is Ending.STOPPED:
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
