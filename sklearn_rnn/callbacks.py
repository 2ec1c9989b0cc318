"""Callbacks for `RNNRegressor` and `RNNClassifier`, set by their ``set_callbacks``.

They follow scikit-learn's protocol (`sklearn.callback.FitCallback`), whose own callbacks work as
well: `sklearn.callback.ProgressBar` and `sklearn.callback.ScoringMonitor`.
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
from sklearn_rnn._input.hyperparameters import check_number
from sklearn_rnn._training import checkpoint
from sklearn_rnn._training.hooks import ScoredStopping
from sklearn_rnn._training.progress import Ending, StoppingRule

__all__ = ["Checkpoint", "EarlyStopping", "HistoryLogger", "TimeLimit"]


class _Callback:
    """The hooks of the protocol, sorted by what they are about."""

    def setup(self, estimator, context):
        """Refuse estimators that don't train by epochs."""
        if not isinstance(estimator, BaseRNN):
            raise TypeError(
                f"{type(self).__name__} is for RNNRegressor and RNNClassifier, not for "
                f"{type(estimator).__name__}: set it on the estimator inside."
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
    """Stop training when a score of the validation data no longer improves.

    As the estimators' ``early_stopping=True`` does by their ``score``, this does by any other: the
    weights that scored best are kept, ``validation_scores_``, ``best_validation_score_`` and
    ``best_iteration_`` are about this score. The validation data are those given to ``fit`` as
    ``X_val`` and ``y_val``, with ``sample_weight_val`` if that is given.

    Parameters
    ----------
    scoring : str or callable
        The name of one of scikit-learn's scorers, or a callable ``scorer(estimator, X, y)`` that
        returns a number, the greater the better.
    n_iter_no_change : int, default=10
        Training stops after more than this many epochs in a row without improvement.
    tol : float, default=1e-4
        What counts as an improvement.

    Raises
    ------
    ValueError, TypeError
        If scoring is no scorer, or the numbers can't be used. ``fit`` raises ValueError if it is
        given no validation data, or the estimator has ``early_stopping=True`` itself.

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
    """

    def __init__(self, scoring, *, n_iter_no_change=10, tol=1e-4):
        if not (isinstance(scoring, str) or callable(scoring)):
            raise TypeError(f"scoring must be the name of a scorer or a callable, not {scoring!r}.")
        check_number("n_iter_no_change", n_iter_no_change, Integral, 1, None, "left")
        check_number("tol", tol, Real, 0, None, "left")
        self.scoring = scoring
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol

    def setup(self, estimator, context):
        """Refuse what would stop twice."""
        super().setup(estimator, context)
        if estimator.early_stopping:
            raise ValueError(
                "early_stopping=True and EarlyStopping are two rules for one thing: set "
                "early_stopping=False, or leave the callback out."
            )

    def on_fit_task_begin(self, estimator, context):
        """Tell the fit by what to stop."""
        if _is_epoch(context):
            return
        requests = estimator._callback_requests
        if requests.validation.X is None:
            raise ValueError("EarlyStopping needs validation data: give X_val and y_val to fit.")
        scorer = check_scoring(estimator, self.scoring)
        rule = StoppingRule(float(self.tol), int(self.n_iter_no_change), early_stopping=True)
        requests.stopping = ScoredStopping(scorer, rule)


class TimeLimit(_Callback):
    """Stop training after some time.

    Training stops after the epoch in which the limit is reached, as if ``max_iter`` were reached
    but without a warning. With a `Checkpoint` set too, another ``fit`` goes on from there.

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
        """Stop if the time is over."""
        if not _is_epoch(context):
            return False
        return (datetime.now(UTC) - context.parent.init_time).total_seconds() >= self.seconds


class HistoryLogger(_Callback):
    """Write a line per epoch to a file, while training goes on.

    The lines hold ``started`` (of the fit, in UTC), ``epoch``, ``loss``, ``validation_score``
    (null, in CSV empty, without validation data), ``gradient_norm`` and ``weight_norm`` (as in the
    estimators' attributes), and ``seconds`` since the start of the fit. They are added to the end
    of a file that exists, each in one piece, so that several fits may share a file.

    Parameters
    ----------
    path : str or path-like
        The file: CSV with a header if it ends in ".csv", JSON lines if it ends in ".jsonl".

    Raises
    ------
    ValueError
        If path ends otherwise.

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
    'started,epoch,loss,validation_score,gradient_norm,weight_norm,seconds'
    >>> len(lines) == 1 + model.n_iter_
    True
    """

    def __init__(self, path):
        self.path = Path(path)
        if self.path.suffix not in _WRITERS:
            raise ValueError(f"path must end in {' or '.join(_WRITERS)}, not {path!s}.")

    def setup(self, estimator, context):
        """Begin a CSV file with its header: long before the first line, since fits may share it."""
        super().setup(estimator, context)
        with suppress(FileExistsError), self.path.open("x", encoding="utf-8", newline="") as file:
            if self.path.suffix == ".csv":
                file.write(",".join(_COLUMNS) + "\n")

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        """Write the line of an epoch."""
        if not _is_epoch(context):
            return
        started, scores = context.parent.init_time, fitted_estimator.validation_scores_
        row = {
            "started": started.isoformat(),
            "epoch": fitted_estimator.n_iter_,
            "loss": float(fitted_estimator.loss_),
            "validation_score": float(scores[-1]) if scores else None,
            "gradient_norm": fitted_estimator.gradient_norms_[-1],
            "weight_norm": fitted_estimator.weight_norms_[-1],
            "seconds": (datetime.now(UTC) - started).total_seconds(),
        }
        with self.path.open("a", encoding="utf-8", newline="") as file:
            _WRITERS[self.path.suffix](file, row)


def _write_csv(file, row: dict) -> None:
    csv.DictWriter(file, _COLUMNS, lineterminator="\n").writerow(row)


def _write_json(file, row: dict) -> None:
    file.write(json.dumps(row) + "\n")


_COLUMNS = (
    "started",
    "epoch",
    "loss",
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
    epoch: int  # when it was last saved
    when: float


class Checkpoint(_Callback):
    """Save where training stands, and go on from there if it was cut short.

    If the file exists when ``fit`` begins, training goes on from what it holds, and ends with the
    same weights, to the last bit, as if it had never been cut short: so a script that was killed
    is just run again. The data and the parameters (but ``verbose``) must be the same. Only
    ``solver="lbfgs"``, whose memory of curvature is not saved, goes another way from there.

    The file is replaced in one piece: at any moment it is a whole checkpoint. It is deleted when
    training ends by itself. It stays when ``fit`` is killed, fails, is interrupted, or is stopped
    by another callback, such as `TimeLimit`.

    Parameters
    ----------
    path : str or path-like
        The file; every fit needs its own. Or a folder that exists: then each fit has its own file
        in it, named by what decides it, its data and its parameters: for searches and ensembles,
        whose fits may run at the same time. Give them a number as ``random_state`` then.
    every_epochs : int or None, default=1
        Save after this many epochs. None saves by time only.
    every_minutes : float or None, default=None
        Save after the first epoch that ends when this many minutes have gone by since the last
        time. None saves by epochs only.

    Raises
    ------
    ValueError, TypeError
        If the numbers are not positive, or both are None. ``fit`` raises ValueError if the file
        is no checkpoint or a damaged one, or belongs to a fit of other data or parameters or of
        another version of this package.

    Notes
    -----
    The files are pickles: use only those that you trust. A process that is killed while it writes
    leaves a temporary file, ``.NAME.*.tmp``, which is deleted together with the checkpoint.

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
        self.path = Path(path)
        self.every_epochs = every_epochs
        self.every_minutes = every_minutes
        self._fits = {}  # by their contexts, since fits may share this callback

    def __getstate__(self):
        return {**vars(self), "_fits": {}}

    def on_fit_task_begin(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        """Let the fit go on from the file, if there is one."""
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
                "Finish that one, delete the file to start anew, or choose another file, or a "
                "folder, in which each fit has its own."
            )
        requests.resume_from = saved
        fit.epoch, fit.when = saved.progress.n_epochs, time.monotonic()

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        """Save, if it is time to."""
        if _is_epoch(context):
            self._save_if_due(self._fits[context.parent], fitted_estimator)
            return
        ending = fitted_estimator._progress.ending
        if ending is Ending.STOPPED:
            self._save(self._fits[context], fitted_estimator)
        elif ending is not Ending.INTERRUPTED:  # which leaves half an epoch
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
