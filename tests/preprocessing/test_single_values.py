"""Transformers of dicts and strings, and "passthrough" in place of a transformer."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, StandardScaler

from sequences import CONTAINERS, object_array, padded, ragged, split_like
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.preprocessing import PerSequence, PerTimestep, PerTimestepTarget

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DICTS = [[{"a": 1.0, "k": "x"}, {"a": 2.0}], [{"a": 3.0, "k": "y"}]]
WORDS = [["good day", "bad"], ["good"]]
TRANSFORMERS = {
    "DictVectorizer": (DictVectorizer(), DICTS),
    "FeatureHasher": (FeatureHasher(4), DICTS),
    "pipeline": (make_pipeline(DictVectorizer(), MaxAbsScaler()), DICTS),
    "pipeline of pipelines": (
        make_pipeline(make_pipeline(DictVectorizer()), MaxAbsScaler()),
        DICTS,
    ),
    "CountVectorizer": (CountVectorizer(), WORDS),
    "TfidfVectorizer": (TfidfVectorizer(), WORDS),
    "HashingVectorizer": (HashingVectorizer(n_features=4), WORDS),
}


@pytest.mark.parametrize(("inner", "X"), TRANSFORMERS.values(), ids=TRANSFORMERS)
@pytest.mark.parametrize("contained", [list, tuple, object_array])
def test_get_one_value_per_timestep(inner, X, contained):
    rows = clone(inner).fit_transform([value for x in X for value in x]).toarray()
    transformer = PerTimestep(inner)
    for result in (transformer.fit_transform(contained(X)), transformer.transform(contained(X))):
        for actual, expected in zip(result, split_like(rows, X), strict=True):
            assert_array_equal(actual, expected)
    assert_array_equal(PerTimestep(inner).fit(X).transform(X[:1])[0], rows[:2])


@pytest.mark.parametrize(("inner", "X"), TRANSFORMERS.values(), ids=TRANSFORMERS)
def test_refuse_numbers_and_several_features(inner, X):
    with pytest.raises(TypeError, match=r"takes one dict or string per timestep, but X has 1\.0"):
        PerTimestep(inner).fit([np.ones((2, 1)), np.ones((1, 1))])
    with pytest.raises(ValueError, match="one dict or string per timestep, but X has 2 features"):
        PerTimestep(inner).fit([np.ones((2, 2)), np.ones((1, 2))])


@pytest.mark.parametrize("X", [DICTS, WORDS], ids=["dicts", "words"])
def test_one_sequence_at_a_time(X):
    inner = FeatureHasher(4) if X is DICTS else HashingVectorizer(n_features=4)
    for actual, x in zip(PerSequence(inner).fit_transform(X), X, strict=True):
        assert_array_equal(actual, inner.fit_transform(x).toarray())
    with pytest.raises(TypeError, match="takes one dict or string per timestep"):
        PerSequence(inner).fit([np.ones((2, 1)), np.ones((1, 1))])


def test_dicts_and_back():
    transformer = PerTimestep(DictVectorizer())
    back = transformer.inverse_transform(transformer.fit_transform(DICTS))
    assert [list(x) for x in back] == [
        [{"a": 1.0, "k=x": 1.0}, {"a": 2.0}],
        [{"a": 3.0, "k=y": 1.0}],
    ]
    assert transformer.get_feature_names_out().tolist() == ["a", "k=x", "k=y"]


class TestPassthrough:
    X = ragged(n=8, n_features=2)

    @pytest.mark.parametrize("contained", CONTAINERS.values(), ids=CONTAINERS)
    def test_changes_nothing(self, contained):
        X = contained(self.X)
        transformer = PerTimestep("passthrough").set_output(transform="pandas")
        for result in (
            transformer.fit_transform(X),
            transformer.transform(X),
            transformer.inverse_transform(X),
        ):
            for actual, expected in zip(result, X, strict=True):
                assert_array_equal(actual, expected)
        assert transformer.n_features_in_ == 2
        assert transformer.get_feature_names_out(["u", "v"]).tolist() == ["u", "v"]
        assert not hasattr(transformer, "partial_fit")
        assert clone(transformer).get_params() == {"transformer": "passthrough"}

    @pytest.mark.parametrize("contained", CONTAINERS.values(), ids=CONTAINERS)
    def test_changes_nothing_of_each_sequence(self, contained):
        X = contained(self.X)
        transformer = PerSequence("passthrough")
        for actual, expected in zip(transformer.fit_transform(X), X, strict=True):
            assert_array_equal(actual, expected)
        assert transformer.get_feature_names_out(["u", "v"]).tolist() == ["u", "v"]

    def test_is_searched_over(self):
        pipeline = make_pipeline(
            PerTimestep(StandardScaler()), RNNClassifier(hidden_size=2, max_iter=2, random_state=0)
        )
        grid = {"pertimestep__transformer": ["passthrough", StandardScaler()]}
        search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(self.X, [0, 1] * 4)
        assert len(search.cv_results_["params"]) == 2

    def test_of_targets(self):
        network = RNNRegressor(return_sequences=True, hidden_size=2, max_iter=2, random_state=0)
        y = padded([x[:, 0] for x in self.X])
        model = PerTimestepTarget(network, "passthrough").fit(padded(self.X), y)
        assert_array_equal(
            model.predict(padded(self.X)), network.fit(padded(self.X), y).predict(padded(self.X))
        )
        identity = PerTimestepTarget(network, FunctionTransformer()).fit(padded(self.X), y)
        assert_array_equal(model.predict(padded(self.X)), identity.predict(padded(self.X)))

    @pytest.mark.parametrize("transformer", ["drop", "", None, 3])
    def test_other_words_are_refused(self, transformer):
        with pytest.raises(TypeError, match="fit and transform, or 'passthrough'; got"):
            PerTimestep(transformer).fit(self.X)
        with pytest.raises(TypeError, match="or 'passthrough'; got"):
            PerSequence(transformer).fit(self.X)
