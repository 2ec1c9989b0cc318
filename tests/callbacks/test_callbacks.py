"""The callbacks of sklearn_rnn.callbacks, but for Checkpoint, which has a file of its own."""

import csv
import json
import pickle
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sequences import ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn._callback_protocol import FitCallback
from sklearn_rnn.callbacks import Checkpoint, EarlyStopping, HistoryLogger, TimeLimit, _time_limit
from versions import scikit_learn_since

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 18
FAST = {"hidden_size": 3, "max_iter": 4, "learning_rate_init": 0.05, "random_state": 0}
X = ragged(N, n_features=2, seed=0)
Y = np.random.default_rng(1).standard_normal(N)
LABELS = np.where(Y > 0, "up", "down")
BOTH = pytest.mark.parametrize(
    ("Estimator", "y"), [(RNNRegressor, Y), (RNNClassifier, LABELS)], ids=["reg", "cls"]
)


OURS = pytest.mark.parametrize(
    "make",
    [Checkpoint, HistoryLogger, lambda path: TimeLimit(1), lambda path: EarlyStopping("r2")],
    ids=["Checkpoint", "HistoryLogger", "TimeLimit", "EarlyStopping"],
)


@OURS
def test_they_follow_the_protocol(make, tmp_path):
    assert isinstance(make(tmp_path / "file.csv"), FitCallback)


@scikit_learn_since(9, "pipelines with callbacks")
@OURS
def test_they_are_for_networks(make, tmp_path):
    callback = make(tmp_path / "file.csv")
    pipeline = make_pipeline(StandardScaler(), RNNRegressor(**FAST)).set_callbacks(callback)
    name = type(callback).__name__
    match = f"{name} is for RNNRegressor .* not for Pipeline: set it on the RNN estimator inside"
    with pytest.raises(TypeError, match=match):
        pipeline.fit(np.ones((N, 3)), Y)
    assert list(tmp_path.iterdir()) == []


X_VAL, Y_VAL = ragged(9, n_features=2, seed=3), np.random.default_rng(4).standard_normal(9)
W_VAL = np.linspace(1, 2, 9)


def assert_same(model, other):
    assert model.validation_scores_ == pytest.approx(other.validation_scores_, rel=1e-12)
    assert model.best_iteration_ == other.best_iteration_
    for name, array in other.weights_.items():
        assert_array_equal(model.weights_[name], array)


class TestEarlyStopping:
    options = FAST | {"max_iter": 40, "learning_rate_init": 0.2}

    def problem(self, Estimator):
        if Estimator is RNNRegressor:
            return Y, Y_VAL, "r2", "neg_mean_absolute_error"
        return LABELS, np.where(Y_VAL > 0, "up", "down"), "accuracy", "neg_log_loss"

    @pytest.mark.parametrize("weights", [None, W_VAL], ids=["", "weighted"])
    @pytest.mark.parametrize("Estimator", [RNNRegressor, RNNClassifier])
    def test_any_score_decides(self, Estimator, weights):
        y, y_val, _, scoring = self.problem(Estimator)
        stopping = EarlyStopping(scoring, n_iter_no_change=3, tol=1e-3)
        model = Estimator(**self.options).set_callbacks(stopping)
        model.fit(X, y, X_val=X_VAL, y_val=y_val, sample_weight_val=weights)
        weighted = {} if weights is None else {"sample_weight": weights}
        best, stale, scores = -np.inf, 0, []
        for epochs in range(1, 41):
            same = Estimator(**self.options | {"max_iter": epochs}).fit(X, y)
            scores.append(get_scorer(scoring)(same, X_VAL, y_val, **weighted))
            stale = stale + 1 if scores[-1] < best + 1e-3 else 0
            best = max(best, scores[-1])
            if stale > 3:
                break
        assert model.n_iter_ == len(scores) < 40
        assert model.validation_scores_ == pytest.approx(scores, rel=1e-12)
        assert model.best_validation_score_ == max(model.validation_scores_)
        assert model.best_iteration_ == np.argmax(scores) + 1 < len(scores)
        best_model = Estimator(**self.options | {"max_iter": model.best_iteration_}).fit(X, y)
        for name, array in best_model.weights_.items():
            assert_array_equal(model.weights_[name], array)

    @pytest.mark.parametrize("Estimator", [RNNRegressor, RNNClassifier])
    def test_by_the_estimators_own_score_it_is_the_same_as_the_parameter(self, Estimator):
        y, y_val, scoring, _ = self.problem(Estimator)
        given = {"X_val": X_VAL, "y_val": y_val}
        # The parameter goes by the loss. Where the score is a number of times the loss, both agree.
        scoring = "neg_mean_squared_error" if Estimator is RNNRegressor else "neg_log_loss"
        model = Estimator(**self.options, tol=0)
        same = clone(model).set_params(early_stopping=True).fit(X, y, **given)
        model.set_callbacks(EarlyStopping(scoring, tol=0)).fit(X, y, **given)
        assert model.n_iter_ == same.n_iter_
        assert model.best_iteration_ == same.best_iteration_
        assert_array_equal(model._parameters.vector, same._parameters.vector)

    @pytest.mark.parametrize("first", [0, 1])
    def test_it_goes_on_from_a_checkpoint(self, first, tmp_path):
        given = {"X_val": X_VAL, "y_val": Y_VAL}
        stopping = EarlyStopping("neg_mean_absolute_error", n_iter_no_change=4)
        whole = RNNRegressor(**self.options).set_callbacks(stopping).fit(X, Y, **given)
        both = [stopping, Checkpoint(tmp_path / "checkpoint")]
        both = both[first:] + both[:first]
        for epochs in range(1, whole.n_iter_):
            model = RNNRegressor(**self.options).set_callbacks(*both, TimeLimit(1e-9))
            assert model.fit(X, Y, **given).n_iter_ == epochs
        assert_same(clone(model).set_callbacks(*both).fit(X, Y, **given), whole)

    def test_what_a_scorer_does_to_the_weights_changes_nothing(self):
        def vandal(estimator, X, y):
            score = estimator.score(X, y)
            estimator._parameters.vector[...] = 1e9
            return score

        given = {"X_val": X_VAL, "y_val": Y_VAL}
        model = RNNRegressor(**self.options).set_callbacks(EarlyStopping(vandal))
        assert_same(
            model.fit(X, Y, **given),
            RNNRegressor(**self.options, early_stopping=True).fit(X, Y, **given),
        )

    def test_sequences_per_step_by_a_scorer_of_ones_own(self):
        def share_of_long(estimator, X, y):
            right = [
                (estimator.predict([x])[0] == labels).all() for x, labels in zip(X, y, strict=True)
            ]
            return np.mean(right)

        y, y_val = ([x[:, 0] > 0 for x in part] for part in (X, X_VAL))
        model = RNNClassifier(**self.options, return_sequences=True)
        model.set_callbacks(EarlyStopping(share_of_long)).fit(X, y, X_val=X_VAL, y_val=y_val)
        assert model.best_validation_score_ == share_of_long(model, X_VAL, y_val) > 0

    def test_other_callbacks_see_the_best_weights(self):
        seen = []

        class Look(TimeLimit):
            def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
                seen.append(fitted_estimator.score(X_VAL, Y_VAL))

        model = RNNRegressor(**self.options).set_callbacks(EarlyStopping("r2"), Look(1))
        scores = model.fit(X, Y, X_val=X_VAL, y_val=Y_VAL).validation_scores_
        best = np.maximum.accumulate(scores)
        assert scores[-1] < best[-1]
        assert seen == pytest.approx([*best, best[-1]], rel=1e-9)

    def test_it_leaves_nothing_behind(self):
        given = {"X_val": X_VAL, "y_val": Y_VAL}
        model = RNNRegressor(**FAST).set_callbacks(EarlyStopping("r2")).fit(X, Y, **given)
        plain = RNNRegressor(**FAST).fit(X, Y, **given)
        assert vars(model.set_callbacks()).keys() == vars(plain).keys()

    def test_what_it_can_not_do(self):
        model = RNNRegressor(**FAST).set_callbacks(EarlyStopping("r2"))
        with pytest.raises(ValueError, match="X_val and y_val to fit, or set early_stopping=True"):
            model.fit(X, Y)
        given = {"X_val": X_VAL, "y_val": Y_VAL}
        with pytest.raises(ValueError, match="validation score became infinite or NaN in epoch 1"):
            model.set_callbacks(EarlyStopping(lambda *_: np.nan)).fit(X, Y, **given)
        with pytest.raises(ValueError, match="no such score"):
            model.set_callbacks(EarlyStopping("no such score")).fit(X, Y, **given)
        assert vars(model.set_callbacks()) == model.get_params()

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"scoring": None}, "scoring"),
            ({"scoring": ["r2"]}, "scoring"),
            ({"scoring": "r2", "n_iter_no_change": 0}, "n_iter_no_change"),
            ({"scoring": "r2", "n_iter_no_change": 1.5}, "n_iter_no_change"),
            ({"scoring": "r2", "tol": -1}, "tol"),
            ({"scoring": "r2", "tol": None}, "tol"),
        ],
        ids=str,
    )
    def test_what_it_can_not_be(self, options, words):
        with pytest.raises((ValueError, TypeError), match=words):
            EarlyStopping(**options)


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

        monkeypatch.setattr(_time_limit, "datetime", Clock)
        limit = TimeLimit(seconds)
        model = Estimator(**FAST).set_callbacks(limit).fit(X, y)
        assert model.n_iter_ == epochs
        assert model.loss_curve_ == Estimator(**FAST).fit(X, y).loss_curve_[:epochs]

    @pytest.mark.parametrize("seconds", [0, -1, np.nan, np.inf, "1", None, True])
    def test_what_it_can_not_be(self, seconds):
        with pytest.raises((ValueError, TypeError), match="seconds"):
            TimeLimit(seconds)


class TestLBFGS:
    """Its iterations are what epochs are to the other solvers."""

    options = {"solver": "lbfgs", "hidden_size": 3, "max_iter": 6, "random_state": 0}

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @BOTH
    def test_callbacks_see_each_iteration(self, Estimator, y, dtype):
        seen = []

        class Look(TimeLimit):
            def on_fit_task_begin(self, estimator, context):
                seen.append(("begin", context.task_name, context.task_id))

            def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
                seen.append(("end", context.task_name, context.task_id))
                models.append(fitted_estimator)

        models, sequences = [], [x.astype(dtype) for x in X]
        given = {"X_val": X_VAL, "y_val": Y_VAL if y is Y else np.where(Y_VAL > 0, "up", "down")}
        model = Estimator(**self.options).set_callbacks(Look(1)).fit(sequences, y, **given)
        iterations = [(hook, "epoch", k) for k in range(6) for hook in ("begin", "end")]
        assert seen == [("begin", "fit", 0), *iterations, ("end", "fit", 0)]
        for k, fitted in enumerate([*models[:-1]]):
            same = Estimator(**self.options | {"max_iter": k + 1}).fit(sequences, y, **given)
            assert_same(fitted, same)
            assert fitted.loss_curve_ == same.loss_curve_
            assert same.validation_scores_[-1] == pytest.approx(same.score(*given.values()))
            assert fitted.weight_norms_ == model.weight_norms_[: k + 1]
        assert_same(models[-1], model)
        assert len(model.gradient_norms_) == 6
        assert min(model.gradient_norms_) > 0
        assert model.best_iteration_ == np.argmax(model.validation_scores_) + 1
        plain = Estimator(**self.options).fit(sequences, y)
        for name, array in plain.weights_.items():
            assert_array_equal(model.weights_[name], array)

    @pytest.mark.filterwarnings("error")
    def test_true_from_a_hook_stops_it(self):
        model = RNNRegressor(**self.options).set_callbacks(TimeLimit(1e-9)).fit(X, Y)
        assert model.n_iter_ == 1


def rows_of(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines()]
    rows = list(csv.DictReader(text.splitlines()))
    numbers = dict.fromkeys(["loss", "gradient_norm", "weight_norm", "seconds"], float)
    numbers["epoch"] = int
    for name in ("validation_loss", "validation_score"):
        numbers[name] = lambda text: float(text) if text else None
    return [{key: numbers.get(key, str)(value) for key, value in row.items()} for row in rows]


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl"])
class TestHistoryLogger:
    @BOTH
    def test_a_line_per_epoch(self, Estimator, y, name, tmp_path):
        path = tmp_path / name
        model = Estimator(**FAST).set_callbacks(HistoryLogger(path))
        first = clone(model).fit(X, y)
        second = clone(model).fit(X, y, X_val=X[:9], y_val=y[:9])
        rows = rows_of(path)
        names = ["started", "epoch", "loss", "validation_loss", "validation_score"]
        assert list(rows[0]) == [*names, "gradient_norm", "weight_norm", "seconds"]
        for name in ("gradient_norm", "weight_norm"):
            expected = [*getattr(first, f"{name}s_"), *getattr(second, f"{name}s_")]
            assert [row[name] for row in rows] == expected
        assert [row["epoch"] for row in rows] == [1, 2, 3, 4] * 2
        assert [row["loss"] for row in rows] == first.loss_curve_ + second.loss_curve_
        scores = [row["validation_score"] for row in rows]
        assert scores == [None] * 4 + second.validation_scores_
        losses = [row["validation_loss"] for row in rows]
        assert losses == [None] * 4 + second.validation_loss_curve_
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
