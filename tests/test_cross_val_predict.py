"""`sklearn_rnn.model_selection.cross_val_predict`, compared with folds that are fitted by hand."""

import re
from itertools import product

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    TimeSeriesSplit,
)
from sklearn.model_selection import cross_val_predict as for_tables
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from sequences import CONTAINERS, object_array, padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn._wrapped_scorer import RESPONSES
from sklearn_rnn.callbacks import HistoryLogger
from sklearn_rnn.metrics import flatten_sequences
from sklearn_rnn.model_selection import StratifiedSequenceKFold, cross_val_predict
from sklearn_rnn.preprocessing import PerTimestepTarget, pad_sequences

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 18
FOLDS = list(KFold(3, shuffle=True, random_state=0).split(np.zeros(N)))
SMALL = {"hidden_size": 3, "max_iter": 3, "learning_rate_init": 0.03, "random_state": 0}
PER_STEP = SMALL | {"return_sequences": True}
RAGGED = ragged(N, n_features=2)
EQUAL = [np.resize(x, (3, 2)) for x in RAGGED]
WRAPPERS = {
    **{name: (RAGGED, wrap) for name, wrap in CONTAINERS.items()},
    "3-D array": (EQUAL, np.array),
    "list of one length": (EQUAL, list),
    "object array of one length": (EQUAL, object_array),
}
PROBABILITIES = ["predict_proba", "predict_log_proba"]
rng = np.random.default_rng(1)
LABELS = np.arange(N) % 3
TARGETS = {
    "numbers": rng.normal(size=N),
    "pairs of numbers": rng.normal(size=(N, 2)),
    "two labels": np.array(["no", "yes"])[LABELS % 2],
    "three labels": LABELS * 2 - 1,
    "multilabel": rng.integers(2, size=(N, 3)),
}
OF_STEPS = {
    "numbers": lambda x: np.sin(x[:, 0]),
    "pairs of numbers": lambda x: x[:, :2] ** 2,
    "two labels": lambda x: np.where(x[:, 0] > 0, "yes", "no"),
    "three labels": lambda x: np.digitize(x[:, 0], [-0.5, 0.5]) - 1,  # as many as timesteps
    "booleans": lambda x: x[:, 0] > 0,
}


def means(X):
    return np.array([x.mean(axis=0) for x in X])


MEANS = FunctionTransformer(means)


def take(values, chosen):
    return values[chosen] if isinstance(values, np.ndarray) else [values[i] for i in chosen]


def by_hand(estimator, X, y, method, folds=FOLDS):
    """What each sequence is predicted, in a list."""
    predicted = [None] * len(X)
    for train, test in folds:
        model = clone(estimator).fit(take(X, train), take(y, train))
        for i, row in zip(test, getattr(model, method)(take(X, test)), strict=True):
            predicted[i] = row
    return predicted


def assert_same_rows(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert_array_equal(a, b)


def cases_of(targets):
    labels = [name for name in targets if "numbers" not in name]
    return [(name, "predict") for name in targets] + [*product(labels, PROBABILITIES)]


def network_for(name, options):
    return (RNNRegressor if "numbers" in name else RNNClassifier)(**options)


@pytest.mark.parametrize("container", WRAPPERS)
@pytest.mark.parametrize(("targets", "method"), cases_of(TARGETS))
def test_one_target_per_sequence_as_scikit_learns(targets, method, container):
    sequences, wrap = WRAPPERS[container]
    model, y = network_for(targets, SMALL), TARGETS[targets]
    found = cross_val_predict(model, wrap(sequences), y, cv=FOLDS, method=method)
    expected = for_tables(model, wrap(sequences), y, cv=FOLDS, method=method)
    assert_array_equal(found, expected)
    assert found.dtype == expected.dtype


@pytest.mark.parametrize("container", WRAPPERS)
@pytest.mark.parametrize(("targets", "method"), cases_of(OF_STEPS))
def test_one_target_per_timestep(targets, method, container):
    sequences, wrap = WRAPPERS[container]
    X, y = wrap(sequences), wrap([OF_STEPS[targets](x) for x in sequences])
    model = network_for(targets, PER_STEP)
    found = cross_val_predict(model, X, y, cv=FOLDS, method=method)
    assert type(found) is type(getattr(clone(model).fit(X, y), method)(X))
    assert_same_rows(found, by_hand(model, X, y, method))


def test_a_table():
    table = pd.DataFrame(np.array(EQUAL)[:, :, 0], columns=["lag_3", "lag_2", "lag_1"])
    model, y = RNNClassifier(**PER_STEP), table.to_numpy() > 0
    found = cross_val_predict(model, table, y, cv=FOLDS, method="predict_proba")
    assert found.shape == (N, 3, 2)
    assert_same_rows(found, by_hand(model, table.to_numpy(), y, "predict_proba"))


def test_probabilities_where_there_are_as_many_classes_as_timesteps():
    """scikit-learn's function is wrong there, without an error."""
    X = np.random.default_rng(0).standard_normal((60, 2, 1))
    y = (X[:, :, 0].cumsum(axis=1) > 0).astype(int)
    options = {"hidden_size": 8, "learning_rate_init": 0.05, "max_iter": 30, "tol": 0}
    model = RNNClassifier(return_sequences=True, random_state=0, **options)
    found = cross_val_predict(model, X, y, method="predict_proba")
    assert roc_auc_score(y.ravel(), found[:, :, 1].ravel()) > 0.95


class TestMissingClasses:
    """Classes that the training data of some folds lack."""

    y = np.array([0, 2, 7] * 5 + [1, 1, 1])
    folds = list(KFold(3).split(np.zeros(N)))

    def warns(self):
        return pytest.warns(RuntimeWarning, match="of 1 of 3 folds lack some of the 4 classes")

    @pytest.mark.parametrize("method", PROBABILITIES)
    @pytest.mark.filterwarnings("ignore:Number of classes in training fold:RuntimeWarning")
    def test_per_sequence_as_scikit_learns(self, method):
        model = RNNClassifier(**SMALL)
        expected = for_tables(model, RAGGED, self.y, cv=self.folds, method=method)
        with self.warns():
            found = cross_val_predict(model, RAGGED, self.y, cv=self.folds, method=method)
        assert_array_equal(found, expected)

    @pytest.mark.parametrize("container", WRAPPERS)
    @pytest.mark.parametrize("method", PROBABILITIES)
    def test_per_timestep(self, method, container):
        sequences, wrap = WRAPPERS[container]
        X = wrap(sequences)
        y = wrap([np.full(len(x), label) for x, label in zip(sequences, self.y, strict=True)])
        model = RNNClassifier(**PER_STEP)
        with self.warns() as warned:
            found = cross_val_predict(model, X, y, cv=self.folds, method=method)
        assert warned.pop(RuntimeWarning).filename == __file__
        lowest = 0 if method == "predict_proba" else np.finfo(float).min
        for train, test in self.folds:
            fitted = clone(model).fit(take(X, train), take(y, train))
            columns = np.searchsorted([0, 1, 2, 7], fitted.classes_)
            others = np.setdiff1d(np.arange(4), columns)
            expected = getattr(fitted, method)(take(X, test))
            parts = zip(take(found, test), expected, take(sequences, test), strict=True)
            for row, part, x in parts:
                assert_array_equal(row[:, columns], part)
                assert (row[: len(x), others] == lowest).all()
                assert np.isnan(row[len(x) :]).all()

    def test_padding_has_one_value_in_all_folds(self):
        """-1, unless -1 is a label, which not every fold knows."""
        y = padded([np.where(x[:, 0] > 0, 1, 0) for x in RAGGED], fill=0)
        y[self.folds[0][1], 0] = -1
        model = RNNClassifier(**PER_STEP)
        fills = {row[-1] for row in by_hand(model, padded(RAGGED), y, "predict", self.folds)[:12]}
        found = cross_val_predict(model, padded(RAGGED), y, cv=self.folds)
        padding = np.isnan(padded(RAGGED)[:, :, 0])
        assert {-1, -2} <= fills
        assert set(found[padding]) == {-2}
        assert -2 not in found[~padding]

    def test_decision_function(self):
        model = make_pipeline(MEANS, SVC(decision_function_shape="ovo"))
        with pytest.raises(ValueError, match="decision_function has shape"), self.warns():
            cross_val_predict(model, EQUAL, self.y, cv=self.folds, method="decision_function")


class TestEstimators:
    def test_decision_function(self):
        model = make_pipeline(MEANS, LogisticRegression())
        for y in (LABELS, LABELS > 0):
            found = cross_val_predict(model, EQUAL, y, cv=FOLDS, method="decision_function")
            expected = for_tables(model, EQUAL, y, cv=FOLDS, method="decision_function")
            assert_array_equal(found, expected)

    @pytest.mark.parametrize("method", ["predict", "predict_proba"])
    @pytest.mark.parametrize(
        "model",
        [
            MultiOutputClassifier(RNNClassifier(**SMALL)),
            make_pipeline(MEANS, RandomForestClassifier(3, random_state=0)),
        ],
        ids=["networks", "forest"],
    )
    def test_several_outputs(self, model, method):
        y = np.column_stack([LABELS % 2, np.arange(N) // 6 % 2])
        found = cross_val_predict(model, EQUAL, y, cv=FOLDS, method=method)
        expected = for_tables(model, EQUAL, y, cv=FOLDS, method=method)
        assert type(found) is type(expected)
        assert_array_equal(found, expected)

    @pytest.mark.parametrize("method", ["predict", "predict_proba"])
    def test_a_pipeline_that_pads_each_fold_by_itself(self, method):
        model = make_pipeline(FunctionTransformer(pad_sequences), RNNClassifier(**PER_STEP))
        y = [OF_STEPS["three labels"](x) for x in RAGGED]
        longest = max(map(len, RAGGED))
        folds = [(np.arange(9, N), np.arange(9)), (np.arange(9), np.arange(9, N))]
        short = [x[:4] if i < 9 else x for i, x in enumerate(RAGGED)]
        y = [part[:4] if i < 9 else part for i, part in enumerate(y)]
        found = cross_val_predict(model, short, y, cv=folds, method=method)
        assert found.shape[:2] == (N, longest)
        expected = by_hand(model, short, y, method, folds)
        for row, part, x in zip(found, expected, short, strict=True):
            assert_array_equal(row[: len(x)], part[: len(x)])
            padding = row[len(x) :]
            assert (np.isnan(padding) if method != "predict" else padding == -2).all()

    def test_a_search_and_a_target_transformer(self):
        y = [OF_STEPS["numbers"](x) for x in RAGGED]
        search = GridSearchCV(RNNRegressor(**PER_STEP), {"hidden_size": [2, 3]}, cv=2)
        for model in (search, PerTimestepTarget(RNNRegressor(**PER_STEP))):
            found = cross_val_predict(model, RAGGED, y, cv=FOLDS)
            assert_same_rows(found, by_hand(model, RAGGED, y, "predict"))

    def test_the_estimator_stays_as_it_was(self):
        model = RNNRegressor(**SMALL)
        cross_val_predict(model, RAGGED, TARGETS["numbers"], cv=FOLDS)
        assert not hasattr(model, "weights_")

    def test_callbacks_see_every_fit(self, tmp_path):
        log = tmp_path / "history.csv"
        model = RNNRegressor(**SMALL).set_callbacks(HistoryLogger(log))
        cross_val_predict(model, RAGGED, TARGETS["numbers"], cv=FOLDS)
        assert len(log.read_text().splitlines()) == 1 + 3 * SMALL["max_iter"]


class TestSplits:
    y = TARGETS["numbers"]

    def test_cv_is_that_of_scikit_learn(self):
        labels = RNNClassifier(**SMALL)
        for model, y in [(RNNRegressor(**SMALL), self.y), (labels, LABELS)]:
            for cv in (None, 3, KFold(2)):
                assert_array_equal(
                    cross_val_predict(model, RAGGED, y, cv=cv),
                    for_tables(model, RAGGED, y, cv=cv),
                )

    def test_stratified_sequences(self):
        y = [OF_STEPS["three labels"](x) for x in RAGGED]
        cv = StratifiedSequenceKFold(3)
        model = RNNClassifier(**PER_STEP)
        found = cross_val_predict(model, RAGGED, y, cv=cv, method="predict_proba")
        folds = list(cv.split(RAGGED, y))
        assert_same_rows(found, by_hand(model, RAGGED, y, "predict_proba", folds))
        assert found[0].shape == (len(RAGGED[0]), 3)
        flat = flatten_sequences(y, found, X=RAGGED)
        assert len(flat[0]) == len(flat[1]) == sum(map(len, RAGGED))

    def test_groups(self):
        groups, cv = np.arange(N) // 3, GroupKFold(3)
        model = RNNRegressor(**SMALL)
        found = cross_val_predict(model, RAGGED, self.y, groups=groups, cv=cv)
        assert_array_equal(found, for_tables(model, RAGGED, self.y, groups=groups, cv=cv))
        with sklearn.config_context(enable_metadata_routing=True):
            params = {"groups": groups}
            routed = cross_val_predict(model, RAGGED, self.y, params=params, cv=cv)
            with pytest.raises(ValueError, match=r"give params=\{'groups': groups\}"):
                cross_val_predict(model, RAGGED, self.y, groups=groups, cv=cv)
        assert_array_equal(routed, found)

    def test_n_jobs(self):
        y = [OF_STEPS["numbers"](x) for x in RAGGED]
        model = RNNRegressor(**PER_STEP)
        found = cross_val_predict(model, RAGGED, y, cv=FOLDS, n_jobs=2)
        assert_same_rows(found, cross_val_predict(model, RAGGED, y, cv=FOLDS))

    def test_what_is_no_partition(self):
        words = "hold 12 sequences, 12 of them different, and X has 18"
        with pytest.raises(ValueError, match=words):
            cross_val_predict(RNNRegressor(), RAGGED, self.y, cv=TimeSeriesSplit(2))
        with pytest.raises(ValueError, match="hold 36 sequences, 18 of them different"):
            cross_val_predict(RNNRegressor(), RAGGED, self.y, cv=FOLDS * 2)

    def test_what_is_no_method(self):
        with pytest.raises(ValueError, match="method='score' is not one of"):
            cross_val_predict(RNNRegressor(), RAGGED, self.y, method="score")
        for method in set(RESPONSES) - {"predict"}:
            with pytest.raises(AttributeError, match=method):
                cross_val_predict(RNNRegressor(**SMALL), RAGGED, self.y, method=method)

    def test_lengths_that_differ(self):
        words = re.escape("inconsistent numbers of samples: [18, 17]")
        with pytest.raises(ValueError, match=words):
            cross_val_predict(RNNRegressor(), RAGGED, self.y[1:])


class TestMetadata:
    y = [OF_STEPS["numbers"](x) for x in RAGGED]
    of_sequences = np.linspace(0.5, 2, N)
    of_steps = [np.linspace(0.5, 2, len(x)) for x in RAGGED]

    @pytest.mark.parametrize("weights", [of_sequences, of_steps, object_array(of_steps)])
    def test_weights_are_split_like_x(self, weights):
        model = RNNRegressor(**PER_STEP)
        params = {"sample_weight": weights}
        found = cross_val_predict(model, RAGGED, self.y, cv=FOLDS, params=params)
        for train, test in FOLDS:
            alone = clone(model).fit(take(RAGGED, train), take(self.y, train), take(weights, train))
            assert_same_rows(take(found, test), alone.predict(take(RAGGED, test)))
        with sklearn.config_context(enable_metadata_routing=True):
            with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
                cross_val_predict(model, RAGGED, self.y, cv=FOLDS, params=params)
            model.set_fit_request(sample_weight=True)
            routed = cross_val_predict(model, RAGGED, self.y, cv=FOLDS, params=params)
        assert_same_rows(routed, found)

    def test_the_rest_is_passed_on_whole(self):
        X_val, y_val = RAGGED[:5], self.y[:5]
        model = RNNRegressor(**PER_STEP, early_stopping=True)
        params = {"X_val": X_val, "y_val": y_val}
        found = cross_val_predict(model, RAGGED, self.y, cv=FOLDS, params=params)
        for train, test in FOLDS:
            alone = clone(model).fit(take(RAGGED, train), take(self.y, train), **params)
            assert_same_rows(take(found, test), alone.predict(take(RAGGED, test)))
