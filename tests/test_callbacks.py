"""The callbacks of sklearn_rnn.callbacks, but for Checkpoint, which has a file of its own."""

import csv
import json
import pickle
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.callback import FitCallback
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from datasets import ragged
from sklearn_rnn import RNNClassifier, RNNRegressor, callbacks
from sklearn_rnn.callbacks import Checkpoint, HistoryLogger, TimeLimit

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 18
FAST = {"hidden_size": 3, "max_iter": 4, "learning_rate_init": 0.05, "random_state": 0}
X = ragged(N, n_features=2, seed=0)
Y = np.random.default_rng(1).standard_normal(N)
LABELS = np.where(Y > 0, "up", "down")
BOTH = pytest.mark.parametrize(
    ("Estimator", "y"), [(RNNRegressor, Y), (RNNClassifier, LABELS)], ids=["reg", "cls"]
)


@pytest.mark.parametrize("make", [Checkpoint, HistoryLogger, lambda path: TimeLimit(1)])
def test_they_are_for_networks(make, tmp_path):
    callback = make(tmp_path / "file.csv")
    assert isinstance(callback, FitCallback)
    pipeline = make_pipeline(StandardScaler(), RNNRegressor(**FAST)).set_callbacks(callback)
    with pytest.raises(TypeError, match="not for Pipeline: set it on the estimator inside"):
        pipeline.fit(np.ones((N, 3)), Y)
    assert list(tmp_path.iterdir()) == []


class TestTimeLimit:
    @pytest.mark.parametrize(("seconds", "epochs"), [(2.5e6, 3), (2e6, 2), (1, 1), (1e9, 4)])
    @BOTH
    def test_the_epoch_in_which_it_is_over_is_the_last(
        self, Estimator, y, seconds, epochs, monkeypatch
    ):
        """Every epoch takes a million seconds, by the clock that the callback looks at."""

        class Clock(datetime):
            epochs = 0

            @classmethod
            def now(cls, tz=None):
                cls.epochs += 1
                return datetime.now(tz) + timedelta(seconds=1e6 * cls.epochs)

        monkeypatch.setattr(callbacks, "datetime", Clock)
        limit = TimeLimit(seconds)
        model = Estimator(**FAST).set_callbacks(limit).fit(X, y)
        assert model.n_iter_ == epochs
        assert model.loss_curve_ == Estimator(**FAST).fit(X, y).loss_curve_[:epochs]

    @pytest.mark.parametrize("seconds", [0, -1, np.nan, np.inf, "1", None, True])
    def test_what_it_can_not_be(self, seconds):
        with pytest.raises((ValueError, TypeError), match="seconds"):
            TimeLimit(seconds)


def rows_of(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines()]
    rows = list(csv.DictReader(text.splitlines()))
    numbers = {"epoch": int, "loss": float, "seconds": float}
    return [
        {key: numbers.get(key, str)(value) for key, value in row.items()}
        | {"validation_score": float(row["validation_score"]) if row["validation_score"] else None}
        for row in rows
    ]


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl"])
class TestHistoryLogger:
    @BOTH
    def test_a_line_per_epoch(self, Estimator, y, name, tmp_path):
        path = tmp_path / name
        model = Estimator(**FAST).set_callbacks(HistoryLogger(path))
        first = clone(model).fit(X, y)
        second = clone(model).fit(X, y, X_val=X[:9], y_val=y[:9])
        rows = rows_of(path)
        assert list(rows[0]) == ["started", "epoch", "loss", "validation_score", "seconds"]
        assert [row["epoch"] for row in rows] == [1, 2, 3, 4] * 2
        assert [row["loss"] for row in rows] == first.loss_curve_ + second.loss_curve_
        scores = [row["validation_score"] for row in rows]
        assert scores == [None] * 4 + second.validation_scores_
        assert len({row["started"] for row in rows}) == 2
        started = datetime.fromisoformat(rows[0]["started"])
        assert abs(datetime.now(UTC) - started) < timedelta(days=1)
        seconds = [row["seconds"] for row in rows[:4]]
        assert 0 <= seconds[0] <= seconds[1] <= seconds[2] <= seconds[3]

    def test_the_line_is_there_as_soon_as_the_epoch_is_over(self, name, tmp_path):
        path, seen = tmp_path / name, []

        class Reader(HistoryLogger):
            def on_fit_task_end(self, estimator, context):
                seen.append(len(rows_of(path)))

        model = RNNRegressor(**FAST).set_callbacks(HistoryLogger(path), Reader(path))
        model.fit(X, Y)
        assert seen == [1, 2, 3, 4, 4]

    def test_early_stopping_logs_each_epoch_and_not_the_best(self, name, tmp_path):
        path = tmp_path / name
        options = FAST | {"max_iter": 12, "learning_rate_init": 0.3}
        model = RNNRegressor(**options, early_stopping=True, validation_fraction=0.3)
        model.set_callbacks(HistoryLogger(path)).fit(X, Y)
        assert model.best_iteration_ < model.n_iter_
        rows = rows_of(path)
        assert [row["validation_score"] for row in rows] == model.validation_scores_
        assert [row["loss"] for row in rows] == model.loss_curve_

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_the_fits_of_a_search_share_a_file(self, name, n_jobs, tmp_path):
        path = tmp_path / name
        model = RNNRegressor(**FAST).set_callbacks(HistoryLogger(path))
        GridSearchCV(model, {"cell": ["elman", "gru"]}, cv=2, n_jobs=n_jobs).fit(X, Y)
        rows = rows_of(path)
        assert len(rows) == 5 * 4
        assert sorted(row["epoch"] for row in rows) == sorted([1, 2, 3, 4] * 5)

    def test_it_can_be_pickled(self, name, tmp_path):
        model = RNNRegressor(**FAST).set_callbacks(HistoryLogger(tmp_path / name)).fit(X, Y)
        pickle.loads(pickle.dumps(model)).fit(X, Y)
        assert len(rows_of(tmp_path / name)) == 8


@pytest.mark.parametrize("path", ["log", "log.txt", "csv", "log.csv.gz"])
def test_a_history_in_another_format(path):
    with pytest.raises(ValueError, match=r"path must end in \.csv or \.jsonl"):
        HistoryLogger(path)
