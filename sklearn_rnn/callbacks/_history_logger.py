"""HistoryLogger: a file with one line per epoch."""

import csv
import json
from contextlib import suppress
from datetime import UTC, datetime

from sklearn_rnn._input.paths import read_path, writing
from sklearn_rnn.callbacks._callback import FileCallback, is_epoch


class HistoryLogger(FileCallback):
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
        if not is_epoch(context):
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
