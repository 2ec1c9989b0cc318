"""A whole pipeline on real sequences of different lengths: impute, scale, classify, search."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sequences import padded
from sklearn_rnn import RNNClassifier
from sklearn_rnn.preprocessing import PerTimestep, unpad_sequences

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DATA = Path(__file__).parents[2] / "examples" / "data" / "japanese_vowels.npz"
FOLDS = StratifiedKFold(2, shuffle=True, random_state=0)
PIPELINE = make_pipeline(
    PerTimestep(SimpleImputer()),
    PerTimestep(StandardScaler()),
    RNNClassifier(
        standardize=False,
        cell="elman",
        hidden_size=32,
        batch_size=16,
        learning_rate_init=0.01,
        max_iter=15,
        random_state=0,
    ),
)
GRID = {
    "pertimestep-1__transformer__strategy": ["median", "constant"],
    "pertimestep-2__transformer__with_mean": [True, False],
    "rnnclassifier__hidden_size": [1, 32],
}


@pytest.fixture(scope="module")
def utterances():
    """Every third utterance of the Japanese vowels, a twentieth of whose values are missing."""
    with np.load(DATA) as data:
        frames, lengths = data["values"], data["lengths"].astype(int)
        X, y = np.split(frames, np.cumsum(lengths)[:-1])[::3], data["speakers"][::3]
    rng = np.random.default_rng(0)
    X = [np.where(rng.random(x.shape) < 0.05, np.float32(np.nan), x) for x in X]
    assert len({len(x) for x in X}) > 15
    assert all(np.isnan(x).any() for x in X[:3])
    return X, y


@pytest.fixture(scope="module")
def search(utterances):
    return GridSearchCV(PIPELINE, GRID, cv=FOLDS, n_jobs=2).fit(*utterances)


def test_the_search_finds_what_one_would_expect(search):
    assert search.best_params_["rnnclassifier__hidden_size"] == 32
    assert search.best_score_ > 0.75
    scores = search.cv_results_["mean_test_score"]
    assert len(scores) == 8
    assert len(set(scores)) > 4  # each of the parameters makes a difference


def test_workers_find_the_same_as_this_process(search, utterances):
    best = search.best_estimator_
    scores = cross_validate(best, *utterances, cv=FOLDS)["test_score"]
    assert scores.mean() == pytest.approx(search.best_score_)


def test_pickled_and_reloaded(search, utterances):
    X, _ = utterances
    again = pickle.loads(pickle.dumps(search))
    assert_array_equal(again.predict_proba(X), search.predict_proba(X))


def test_padded_or_one_by_one_it_is_the_same(search, utterances):
    X, _ = utterances
    expected = search.predict_proba(X[:20])
    assert expected.dtype == np.float32
    assert_allclose(search.predict_proba(padded(X[:20])), expected, atol=1e-6)
    one_by_one = np.concatenate([search.predict_proba([x]) for x in X[:20]])
    assert_allclose(one_by_one, expected, atol=1e-6)
    prepared = search.best_estimator_[:-1].transform(padded(X[:20]))
    for x, given in zip(unpad_sequences(prepared), X, strict=False):
        assert x.shape == given.shape
        assert not np.isnan(x).any()


def test_statistics_come_from_the_training_fold(utterances):
    X, y = utterances
    fitted = cross_validate(PIPELINE, X, y, cv=FOLDS, return_estimator=True)["estimator"]
    for (train, _), pipeline in zip(FOLDS.split(X, y), fitted, strict=True):
        frames = np.concatenate([X[i] for i in train])
        means = np.nanmean(frames, axis=0, dtype=float)
        assert_allclose(pipeline[0].transformer_.statistics_, means, rtol=1e-5)
        filled = np.where(np.isnan(frames), means, frames)
        assert_allclose(pipeline[1].transformer_.scale_, filled.std(axis=0), rtol=1e-5)
        everything = np.nanmean(np.concatenate(X), axis=0, dtype=float)
        assert not np.allclose(means, everything, rtol=1e-3)  # what leakage would give
