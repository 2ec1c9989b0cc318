"""scikit-learn's own callbacks on networks: ScoringMonitor and ProgressBar."""

import pickle
import re
from itertools import chain

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from fits import assert_same_fit
from sequences import ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.metrics import make_sequence_scorer

callback = pytest.importorskip(
    "sklearn.callback", reason="scikit-learn has callbacks of its own from 1.9 on"
)
ProgressBar, ScoringMonitor = callback.ProgressBar, callback.ScoringMonitor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 18
FAST = {"hidden_size": 4, "max_iter": 4, "learning_rate_init": 0.05, "random_state": 0}
X = ragged(N, n_features=2, seed=0)
Y = np.random.default_rng(1).standard_normal(N)
LABELS = np.where(Y > 0, "up", "down")
WEIGHTS = np.linspace(1, 3, N)
SCORE = {RNNRegressor: "r2", RNNClassifier: "accuracy"}
BOTH = pytest.mark.parametrize(
    ("Estimator", "y"),
    [(RNNRegressor, Y), (RNNClassifier, LABELS)],
    ids=["regressor", "classifier"],
)


def twice(X):
    return [2 * x for x in X]


def search_of(estimator, **options):
    return GridSearchCV(estimator, {"cell": ["elman", "gru"]}, cv=KFold(2), **options)


class TestScoringMonitor:
    def monitored(self, Estimator, scoring=None):
        monitor = ScoringMonitor(scoring=scoring or SCORE[Estimator])
        return monitor, Estimator(**FAST).set_callbacks(monitor)

    def expected(self, model, X, y, *weights):
        for epochs in range(1, 5):
            yield clone(model).set_callbacks().set_params(max_iter=epochs).fit(X, y, *weights)

    @BOTH
    def test_alone(self, Estimator, y):
        monitor, model = self.monitored(Estimator)
        model.fit(X, y, WEIGHTS)
        rows = monitor.get_logs().data
        assert [row["task_name"] for row in rows] == ["fit"] + ["epoch"] * 4
        assert [row["task_id"] for row in rows[1:]] == [0, 1, 2, 3]
        scores = [same.score(X, y, WEIGHTS) for same in self.expected(model, X, y, WEIGHTS)]
        assert [row[SCORE[Estimator]] for row in rows[1:]] == scores
        assert rows[0][SCORE[Estimator]] == scores[-1]

    @BOTH
    def test_it_can_be_pickled_and_cloned(self, Estimator, y):
        plain = Estimator(**FAST).fit(X, y)
        _, model = self.monitored(Estimator)
        model.fit(X, y)
        assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), plain.predict(X))
        assert_same_fit(clone(model).fit(X, y), plain)

    def test_in_a_pipeline_with_a_named_score(self):
        monitor, model = self.monitored(RNNRegressor, "neg_mean_absolute_error")
        make_pipeline(FunctionTransformer(twice), model).fit(X, Y)
        rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
        assert [row["neg_mean_absolute_error"] for row in rows] == [
            -np.abs(same.predict(twice(X)) - Y).mean() for same in self.expected(model, twice(X), Y)
        ]
        assert {row["estimator_name"] for row in rows} == {"RNNRegressor"}

    def test_a_sequence_scorer(self):
        labels, scorer = [x[:, 0] > 0 for x in X], make_sequence_scorer("f1_macro")
        monitor, model = self.monitored(RNNClassifier, {"f1": scorer})
        model.set_params(return_sequences=True).fit(X, labels)
        epochs = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
        assert [row["f1"] for row in epochs][-1] == scorer(model, X, labels)

    @pytest.mark.parametrize("n_jobs", [1, 2])
    @BOTH
    def test_in_a_grid_search(self, Estimator, y, n_jobs):
        monitor, model = self.monitored(Estimator)
        search = search_of(model, n_jobs=n_jobs).fit(X, y)
        rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
        assert len({row["parent_task_id_path"] for row in rows}) == 2 * 2 + 1  # and the refit
        expected = [
            [same.score(part, y[train]) for same in self.expected(candidate, part, y[train])]
            for candidate in (clone(model).set_params(cell=cell) for cell in ("elman", "gru"))
            for train, _ in KFold(2).split(X)
            for part in [[X[i] for i in train]]
        ]
        refit = [same.score(X, y) for same in self.expected(search.best_estimator_, X, y)]
        assert sorted(row[SCORE[Estimator]] for row in rows) == sorted(chain(*expected, refit))


class TestProgressBar:
    """What is drawn, and that each bar comes to its end."""

    @pytest.fixture(autouse=True)
    def wide(self, monkeypatch):
        monkeypatch.setenv("COLUMNS", "150")

    def drawn(self, capsys):
        out = capsys.readouterr().out
        assert "100%" in out
        assert not re.search(r"\b\d{1,2}%", out)
        return out

    def test_alone(self, capsys):
        RNNRegressor(**FAST).set_callbacks(ProgressBar()).fit(X, Y)
        assert "RNNRegressor - fit" in self.drawn(capsys)

    def test_a_fit_that_converges_early(self, capsys):
        model = RNNRegressor(
            **FAST | {"max_iter": 1000}, tol=1e9, n_iter_no_change=9
        ).set_callbacks(ProgressBar())
        assert model.fit(X, Y).n_iter_ < 20
        assert "RNNRegressor - fit" in self.drawn(capsys)

    def test_in_a_pipeline(self, capsys):
        pipeline = make_pipeline(StandardScaler(), RNNClassifier(**FAST))
        table = np.random.default_rng(0).normal(size=(N, 5))
        pipeline.set_callbacks(ProgressBar()).fit(table, LABELS)
        assert re.search(r"Pipeline - fit.*RNNClassifier - fit", self.drawn(capsys), re.DOTALL)

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_in_a_grid_search(self, n_jobs, capsys):
        search_of(RNNRegressor(**FAST), n_jobs=n_jobs).set_callbacks(
            ProgressBar(max_propagation_depth=None)
        ).fit(X, Y)
        out = self.drawn(capsys)
        assert "GridSearchCV - fit" in out
        assert len(re.findall(r"\| RNNRegressor - fit", out)) >= 5
