"""Sequences looked up by row number, for tools that insist on a table."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from joblib import Parallel, delayed
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import BaggingClassifier, StackingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsOneClassifier
from sklearn.multioutput import ClassifierChain, RegressorChain
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.utils import get_tags

from sequences import object_array, padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.preprocessing import PerTimestep, SequenceLookup

X = ragged(12, 2)
LABELS = np.arange(12) % 3
NUMBERS = np.linspace(0, 1, 12)
SMALL = {"hidden_size": 3, "tol": 1, "random_state": 0}
EQUAL = np.arange(24.0).reshape(4, 3, 2)


def assert_same_sequences(actual, expected):
    assert isinstance(actual, list)
    assert len(actual) == len(expected)
    for a, b in zip(actual, expected, strict=True):
        assert_array_equal(a, b)
        assert a.shape == b.shape


class TestLookUp:
    @pytest.mark.parametrize("wrap", [list, tuple, object_array, padded])
    def test_containers(self, wrap):
        lookup = SequenceLookup(wrap(X))
        assert_array_equal(lookup.rows, np.arange(12)[:, np.newaxis])
        assert_same_sequences(lookup.fit_transform(lookup.rows), X)
        assert_same_sequences(lookup.transform([[3], [0], [3]]), [X[3], X[0], X[3]])

    def test_other_containers(self):
        assert_same_sequences(SequenceLookup(EQUAL).transform([[2]]), [EQUAL[2]])
        table = [[1.0, 2.0], [3.0, np.nan]]  # sequences of one feature
        assert_same_sequences(SequenceLookup(table).transform([[1]]), [np.array([[3.0]])])
        frames = [pd.DataFrame(x) for x in X]
        assert_same_sequences(SequenceLookup(frames).transform([[4]]), [X[4]])
        words = [np.array([["a", "b"]]), np.array([["b", "a"], ["c", "c"]])]
        made = make_pipeline(SequenceLookup(words), PerTimestep(OneHotEncoder(sparse_output=False)))
        assert made.fit_transform([[1], [0]])[0].shape == (2, 6)
        mixed = [np.array([["a"]]), np.array([[1.5]])]
        assert SequenceLookup(mixed).transform([[1]])[0][0, 0] == 1.5

    @pytest.mark.parametrize("rows", [np.array([[2.0], [1.0]]), pd.DataFrame({"row": [2, 1]})])
    def test_kinds_of_row_numbers(self, rows):
        assert_same_sequences(SequenceLookup(X).fit(rows).transform(rows), [X[2], X[1]])

    def test_needs_no_fit(self):
        assert not get_tags(SequenceLookup(X)).requires_fit

    def test_further_columns_become_features(self):
        made = SequenceLookup(X).transform([[3, 0.5, 7.0], [1, -1.0, 8.0]])
        assert_array_equal(made[0][:, :2], X[3])
        assert_array_equal(made[0][:, 2:], [[0.5, 7.0]] * len(X[3]))
        assert_array_equal(made[1][:, 2:], [[-1.0, 8.0]] * len(X[1]))

    def test_rows_that_were_interpolated_are_refused(self):
        """Over-samplers that interpolate return the dtype of X."""
        rows = SequenceLookup(X).rows
        between = np.mean(rows[[1, 4]], axis=0, keepdims=True).astype(rows.dtype)
        with pytest.raises(ValueError, match=r"is 2\.5, but must be the row number"):
            SequenceLookup(X).transform(between)

    def test_precision(self):
        single = [x.astype(np.float32) for x in X]
        for rows in ([[3.0]], [[3.0, 0.5]]):
            assert SequenceLookup(single).transform(rows)[0].dtype == np.float32
        integers = SequenceLookup(EQUAL.astype(int)).transform([[1, 0.5]])[0]
        assert_array_equal(integers[:, 2], [0.5] * 3)

    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            ([[12]], r"X\[0, 0\] is 12, .* from 0 to 11"),
            ([[0], [-1]], r"X\[1, 0\] is -1"),
            ([[1.5]], r"X\[0, 0\] is 1\.5, .*SMOTE"),
            ([[1e300]], "is 1e"),
            ([0, 1], r"row numbers of sequences, \(n_samples, 1\): Expected 2D"),
            ([[np.nan]], r"row numbers.*NaN"),
            ([["a"]], "row numbers"),
            (np.zeros((2, 3, 1)), "row numbers .*dim 3"),
            (X, "row numbers"),
            (np.ma.masked_equal([[1], [2]], 2), "row numbers.* masked array"),
            (np.empty((0, 1)), "row numbers"),
        ],
    )
    @pytest.mark.parametrize("method", ["fit", "transform"])
    def test_what_is_no_row_number(self, rows, message, method):
        with pytest.raises(ValueError, match=message):
            getattr(SequenceLookup(X), method)(rows)

    def test_refusals(self):
        with pytest.raises(TypeError, match=r"row numbers.*[Ss]parse"):
            SequenceLookup(X).transform(scipy.sparse.eye_array(1))
        with pytest.raises(ValueError, match="has 2 features, but SequenceLookup is expecting 1"):
            SequenceLookup(X).fit([[0]]).transform([[0, 1]])
        for sequences in ([], 3.0, [np.ones((2, 2)), np.ones((2, 3))]):
            with pytest.raises(ValueError, match=r"sequences must be|sequences.1. has 3"):
                SequenceLookup(sequences)


class TestStore:
    def test_clones_share_the_sequences(self):
        pipeline = make_pipeline(SequenceLookup(X), RNNClassifier())
        again = clone(pipeline)
        assert again[0] is not pipeline[0]
        first, second = pipeline[0].transform([[3]])[0], again[0].transform([[3]])[0]
        assert np.shares_memory(first, second)

    def test_a_3d_array_is_not_copied(self):
        assert np.shares_memory(SequenceLookup(EQUAL).transform([[1]])[0], EQUAL)

    def test_sequences_can_be_added_for_all_clones(self):
        lookup = SequenceLookup(X)
        other = clone(lookup).fit(lookup.rows)
        rows = lookup.add([10 * X[0], X[1]])
        assert_array_equal(rows, [[12], [13]])
        assert_same_sequences(other.transform(rows), [10 * X[0], X[1]])
        assert len(other.rows) == 14
        assert_same_sequences(other.transform([[0]]), [X[0]])
        with pytest.raises(ValueError, match=r"have 3 features, but those .* have 2\."):
            lookup.add([np.ones((4, 3))])
        assert len(lookup.rows) == 14

    def test_other_sequences_as_parameter(self):
        lookup = SequenceLookup(X)
        other = clone(lookup).set_params(sequences=EQUAL)
        assert_same_sequences(other.transform([[1]]), [EQUAL[1]])
        assert_same_sequences(lookup.transform([[1]]), [X[1]])
        assert repr(other) == "SequenceLookup(sequences=<4 sequences>)"
        assert len(other.get_params()["sequences"]) == 4

    def test_a_pickle_holds_the_sequences_once(self):
        long = np.random.default_rng(0).normal(size=(12, 500, 2))
        lookup = SequenceLookup(list(long))
        model = make_pipeline(lookup, RNNClassifier(pooling="mean", **SMALL))
        bagging = BaggingClassifier(model, n_estimators=4, random_state=0).fit(lookup.rows, LABELS)
        data = pickle.dumps(bagging)
        again = pickle.loads(data)
        assert_array_equal(again.predict(lookup.rows), bagging.predict(lookup.rows))
        rows = again.estimator[0].add([X[0]])
        assert again.predict(rows).shape == (1,)  # the members share what was added
        assert_same_sequences(copy.deepcopy(lookup).transform([[2]]), [long[2]])

        bagging.estimator[0].clear()
        without = pickle.dumps(bagging)
        assert long.nbytes < len(data) - len(without) < 1.1 * long.nbytes
        again = pickle.loads(without)
        with pytest.raises(ValueError, match="holds no sequences: add"):
            again.predict([[0]])
        rows = again.estimator[0].add(long)
        assert_array_equal(rows, lookup.add(long))
        assert_array_equal(again.predict(rows), bagging.predict(lookup.rows))

    def test_workers_get_a_memory_map(self):
        """joblib writes an array of 1 MB or more to a file once, however many clones there are."""
        lookup = SequenceLookup(list(np.zeros((10, 10_000, 2))))
        kinds = Parallel(n_jobs=2)(delayed(kind_of_memory)(clone(lookup)) for _ in range(3))
        assert kinds == ["memmap"] * 3


def kind_of_memory(lookup):
    array = lookup.transform([[1]])[0]
    while isinstance(array.base, np.ndarray):
        array = array.base
    return type(array).__name__


class TestInTools:
    """Each of these tools gives what it gives for a table that the network could read itself."""

    table = np.random.default_rng(0).normal(size=(12, 5))  # sequences of one feature to a network
    lookup = SequenceLookup(table)
    classifier = make_pipeline(lookup, RNNClassifier(**SMALL))
    regressor = make_pipeline(lookup, RNNRegressor(**SMALL))

    @pytest.mark.parametrize(
        ("tool", "y"),
        [
            (lambda model: BaggingClassifier(model, n_estimators=3, random_state=0), LABELS),
            (OneVsOneClassifier, LABELS),
        ],
        ids=["bagging", "one-vs-one"],
    )
    def test_as_with_a_table(self, tool, y):
        by_row = tool(self.classifier).fit(self.lookup.rows, y)
        plain = tool(RNNClassifier(**SMALL)).fit(self.table, y)
        assert_array_equal(by_row.predict(self.lookup.rows), plain.predict(self.table))
        rows = self.lookup.rows[:3]
        assert_array_equal(by_row.predict(rows), plain.predict(self.table[:3]))

    @pytest.mark.parametrize(
        ("chain", "y"),
        [
            (lambda s: ClassifierChain(s.classifier), np.column_stack([LABELS > 0, LABELS > 1])),
            (lambda s: RegressorChain(s.regressor), np.column_stack([NUMBERS, -NUMBERS])),
        ],
        ids=["classifier", "regressor"],
    )
    def test_chains(self, chain, y):
        made = chain(self).fit(self.lookup.rows, y)
        sequences = self.table[:, :, np.newaxis]
        with_first = [
            np.column_stack([x, np.full(len(x), first)])
            for x, first in zip(sequences, y[:, 0], strict=True)
        ]
        second = clone(made.estimators_[1][1]).fit(with_first, y[:, 1])
        predicted = made.predict(self.lookup.rows)
        with_predicted = [
            np.column_stack([x, np.full(len(x), first)])
            for x, first in zip(sequences, predicted[:, 0], strict=True)
        ]
        assert_allclose(second.predict(with_predicted), predicted[:, 1])

    def test_stacking_with_passthrough(self):
        means = FunctionTransformer(lambda found: np.array([x.mean(axis=0) for x in found]))
        summary = make_column_transformer(
            (make_pipeline(self.lookup, means), [-1]), remainder="passthrough"
        )
        final = make_pipeline(summary, LinearRegression())
        model = StackingRegressor([("rnn", self.regressor)], final, cv=3, passthrough=True)
        model.fit(self.lookup.rows, NUMBERS)
        network = model.estimators_[0]
        features = np.column_stack([self.table.mean(axis=1), network.predict(self.lookup.rows)])
        assert_allclose(
            model.predict(self.lookup.rows), model.final_estimator_[-1].predict(features)
        )

    def test_a_search_in_processes(self):
        model = make_pipeline(
            SequenceLookup(X), PerTimestep(StandardScaler()), RNNClassifier(**SMALL)
        )
        grid = {"rnnclassifier__hidden_size": [2, 3]}
        rows = model[0].rows
        search = GridSearchCV(model, grid, cv=3, n_jobs=2).fit(rows, LABELS)
        plain = GridSearchCV(model[1:], grid, cv=3).fit(X, LABELS)
        for name in ("mean_test_score", "std_test_score"):
            assert_array_equal(search.cv_results_[name], plain.cv_results_[name])
        assert_array_equal(search.predict_proba(rows), plain.predict_proba(X))
