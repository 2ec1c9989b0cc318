"""Where the weight is zero, a target is absent: its class isn't known, and it may be NaN."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from fits import ESTIMATORS, assert_same_fit
from sequences import object_array, padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.callbacks import EarlyStopping
from sklearn_rnn.metrics import flatten_sequences, make_sequence_scorer
from sklearn_rnn.preprocessing import (
    InstanceNormalizedRegressor,
    PatchedRegressor,
    PerTimestepTarget,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = ragged(n=12, n_features=2, longest=6)
KEPT = np.arange(12) % 3 > 0
PART = [x for x, keep in zip(X, KEPT, strict=True) if keep]
SIGNS = np.array([float(x[:, 0].sum() > 0) for x in X])
SMALL = {"hidden_size": 3, "max_iter": 3, "random_state": 0}

# What y may be where the weight is zero.
IGNORED = {
    "another class": 7.0,
    "NaN": np.nan,
    "infinite": np.inf,
    "None": None,
    "negative": -1.0,
}


def ignored(value, y, kept):
    """Targets that have another value where they are ignored."""
    changed = y.astype(object) if value is None else y.copy()
    changed[~kept] = value
    return changed


@pytest.mark.parametrize("value", IGNORED.values(), ids=IGNORED)
@pytest.mark.parametrize(
    "options",
    [{}, {"loss": "poisson"}, {"early_stopping": True, "validation_fraction": 0.5}],
    ids=["plain", "poisson", "early stopping"],
)
@pytest.mark.parametrize("kind", ESTIMATORS)
class TestSequences:
    def models(self, kind, value, options):
        if kind == "classifier" and "loss" in options:
            pytest.skip("a loss of the regressor")
        y = ignored(value, SIGNS, KEPT)
        return ESTIMATORS[kind](**SMALL, **options), ESTIMATORS[kind](**SMALL, **options), y

    def test_fit(self, kind, options, value):
        model, expected, y = self.models(kind, value, options)
        model.fit(X, y, KEPT * 1.0)
        assert_same_fit(model, expected.fit(PART, SIGNS[KEPT]))
        if kind == "classifier":
            assert model.classes_.tolist() == [0, 1]

    def test_validation_data_and_score(self, kind, options, value):
        model, expected, y = self.models(kind, value, options)
        val = {"X_val": X, "y_val": y, "sample_weight_val": KEPT * 1.0}
        model.fit(PART, SIGNS[KEPT], **val)
        expected.fit(PART, SIGNS[KEPT], X_val=PART, y_val=SIGNS[KEPT])
        np.testing.assert_allclose(model.validation_scores_, expected.validation_scores_)
        assert model.score(X, y, KEPT * 1.0) == pytest.approx(expected.score(PART, SIGNS[KEPT]))

    def test_partial_fit(self, kind, options, value):
        model, expected, y = self.models(kind, value, options)
        if "early_stopping" in options:
            pytest.skip("not for partial_fit")
        classes = {"classes": [0.0, 1.0]} if kind == "classifier" else {}
        for _ in range(2):
            model.partial_fit(X, y, sample_weight=KEPT * 1.0, **classes)
            expected.partial_fit(PART, SIGNS[KEPT], **classes)
        assert_same_fit(model, expected)


STEPS_KEPT = [np.arange(len(x)) != 1 for x in X]
STEP_WEIGHTS = [kept * 1.0 for kept in STEPS_KEPT]
STEP_Y = [(x[:, 0] > 0) * 1.0 for x in X]
AROUND = {
    "PerTimestepTarget": PerTimestepTarget,
    "PatchedRegressor": lambda regressor: PatchedRegressor(regressor, size=1),
    "InstanceNormalizedRegressor": lambda regressor: InstanceNormalizedRegressor(
        regressor, target=0
    ),
}
CONTAINERS = {"list": list, "objects": object_array, "padded": padded}


@pytest.mark.parametrize("value", IGNORED.values(), ids=IGNORED)
@pytest.mark.parametrize("contained", CONTAINERS.values(), ids=CONTAINERS)
class TestTimesteps:
    def targets(self, value, contained):
        changed = [ignored(value, y, kept) for y, kept in zip(STEP_Y, STEPS_KEPT, strict=True)]
        return padded(changed, fill=np.nan) if contained is padded else contained(changed)

    @pytest.mark.parametrize("kind", ESTIMATORS)
    def test_fit_and_score(self, kind, value, contained):
        y = self.targets(value, contained)
        model = ESTIMATORS[kind](return_sequences=True, **SMALL).fit(X, y, STEP_WEIGHTS)
        expected = ESTIMATORS[kind](return_sequences=True, **SMALL).fit(X, STEP_Y, STEP_WEIGHTS)
        assert_same_fit(model, expected)
        assert model.score(X, y, STEP_WEIGHTS) == expected.score(X, STEP_Y, STEP_WEIGHTS)

    @pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
    def test_converted_targets(self, value, contained, around):
        y = self.targets(value, contained)
        val = {"X_val": X, "sample_weight_val": STEP_WEIGHTS, "sample_weight": STEP_WEIGHTS}
        results = []
        for targets in (y, STEP_Y):
            model = around(RNNRegressor(return_sequences=True, **SMALL))
            model.fit(X, targets, y_val=targets, **val)
            results.append(model)
        assert_same_fit(*(model.regressor_ for model in results))
        assert results[0].score(X, y, STEP_WEIGHTS) == results[1].score(X, STEP_Y, STEP_WEIGHTS)

    @pytest.mark.parametrize("averaged_by", ["step", "sequence"])
    @pytest.mark.parametrize("metric", ["f1_macro", "accuracy", "neg_log_loss"])
    def test_scorers(self, value, contained, averaged_by, metric):
        """The mean over classes has no class that only ignored timesteps have."""
        if metric == "neg_log_loss" and averaged_by == "sequence":
            pytest.skip("a sequence may lack a class")
        y = self.targets(value, contained)
        model = RNNClassifier(return_sequences=True, **SMALL).fit(X, STEP_Y)
        scorer = make_sequence_scorer(metric, averaged_by=averaged_by)
        expected = scorer(model, X, STEP_Y, STEP_WEIGHTS)
        if value is None:  # scikit-learn's metrics take no objects that are numbers
            y = [np.where(k, part, np.nan) for part, k in zip(STEP_Y, STEPS_KEPT, strict=True)]
        assert scorer(model, X, y, STEP_WEIGHTS) == expected

    def test_flatten_sequences_leaves_them_out(self, value, contained):
        y = self.targets(value, contained)
        flat = flatten_sequences(y, STEP_Y, STEP_WEIGHTS, X=X)
        kept = np.concatenate(STEPS_KEPT)
        expected = np.concatenate(STEP_Y)[kept]
        for values in flat[:2]:
            assert_array_equal(values.astype(float), expected)
        assert_array_equal(flat[2], np.ones(kept.sum()))


class TestPatches:
    """A patch of two timesteps has the mean of their weights."""

    x = np.arange(8.0).reshape(4, 2, 1)
    weights = np.array([[1, 1], [0, 0], [0, 1], [1, 1]])

    def fit(self, y):
        model = PatchedRegressor(RNNRegressor(return_sequences=True, **SMALL), size=2)
        return model.fit(self.x, y, sample_weight=self.weights)

    def test_whole_patches_of_weight_zero_are_ignored(self):
        y = np.arange(8.0).reshape(4, 2)
        missing = y.copy()
        missing[1] = np.nan
        assert_same_fit(self.fit(missing).regressor_, self.fit(y).regressor_)

    def test_a_target_that_counts_is_checked(self):
        y = np.arange(8.0).reshape(4, 2)
        y[2, 0] = np.nan
        with pytest.raises(ValueError, match="y of sample 2 is nan"):
            self.fit(y)


@pytest.mark.parametrize("scoring", [make_sequence_scorer("r2"), None])
def test_held_out_targets(scoring):
    models = []
    for value in (np.nan, 0.5):
        y = [ignored(value, y, kept) for y, kept in zip(STEP_Y, STEPS_KEPT, strict=True)]
        model = RNNRegressor(
            return_sequences=True, early_stopping=True, validation_fraction=0.5, **SMALL
        )
        if scoring is not None:
            model.set_callbacks(EarlyStopping(scoring))
        models.append(model.fit(X, y, STEP_WEIGHTS))
    assert_same_fit(*models)


def test_the_example_of_the_issue():
    """Three classes instead of two, and other probabilities."""
    y = np.where(KEPT, SIGNS.astype(int), 2)
    model = RNNClassifier(**SMALL).fit(X, y, KEPT * 1.0)
    assert model.classes_.tolist() == [0, 1]
    expected = RNNClassifier(**SMALL).fit(PART, SIGNS[KEPT].astype(int))
    assert_array_equal(model.predict_proba(X), expected.predict_proba(X))


def test_multilabel():
    y = np.column_stack([SIGNS, 1 - SIGNS])
    model = RNNClassifier(**SMALL).fit(X, ignored(np.nan, y, KEPT), KEPT * 1.0)
    assert_same_fit(model, RNNClassifier(**SMALL).fit(PART, y[KEPT]))


def test_what_is_not_ignored_is_checked():
    y = ignored(np.nan, SIGNS, KEPT)
    for estimator in ESTIMATORS.values():
        with pytest.raises(ValueError, match="y of sample 0 is nan"):
            estimator(**SMALL).fit(X, y)
        with pytest.raises(ValueError, match="y of sample 3 is nan"):
            estimator(**SMALL).fit(X, y, KEPT + (np.arange(12) == 3) * 1.0)
        dirty = [*X[:3], np.full((2, 2), np.nan), *X[4:]]
        with pytest.raises(ValueError, match="sample 3 has nan"):  # X is checked in full
            estimator(**SMALL).fit(dirty, SIGNS, KEPT * 1.0)
