"""PatchedRegressor: targets per timestep, from a network that reads patches."""

import pickle

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sequences import CONTAINERS, padded, ragged, stacked
from sklearn_rnn import RNNRegressor
from sklearn_rnn.preprocessing import PatchedRegressor, Patches, SequenceNormalizer, unpad_sequences
from sklearn_rnn.utils import check_sequence_estimator

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = ragged(n=10, n_features=2)
LENGTHS = [len(x) for x in X]
Y = [x.cumsum(axis=0)[:, 0] for x in X]
Y2 = [x.cumsum(axis=0) for x in X]


def network(**parameters):
    settings = {"return_sequences": True, "hidden_size": 3, "max_iter": 3, "random_state": 0}
    return RNNRegressor(**settings | parameters)


@pytest.mark.parametrize("y", [Y, Y2], ids=["one output", "two outputs"])
@pytest.mark.parametrize("size", [1, 3, 20])
@pytest.mark.parametrize("container", CONTAINERS)
def test_is_the_network_on_patches(y, size, container):
    patches, targets = Patches(size).fit(X), Patches(size).fit(y)
    inner = network().fit(patches.transform(X), targets.transform(y))
    expected = targets.inverse_transform(inner.predict(patches.transform(X)), lengths=LENGTHS)
    wrap = CONTAINERS[container]
    model = PatchedRegressor(network(), size).fit(wrap(X), wrap(y))
    predicted = model.predict(wrap(X))
    assert type(predicted) is type(network().fit(wrap(X), wrap(y)).predict(wrap(X)))
    parts = unpad_sequences(predicted) if container == "padded array" else predicted
    for part, known in zip(parts, expected, strict=True):
        assert part.shape == known.shape
        assert_allclose(part, known)
    assert model.score(wrap(X), wrap(y)) == pytest.approx(r2_score(stacked(y), stacked(expected)))


def test_2d_x():
    table = np.random.default_rng(0).normal(size=(8, 5))
    y = table.cumsum(axis=1)
    predicted = PatchedRegressor(network(), 2).fit(table, y).predict(table)
    assert predicted.shape == (8, 5)
    same = PatchedRegressor(network(), 2).fit(table[:, :, np.newaxis], y)
    assert_array_equal(predicted, same.predict(table[:, :, np.newaxis]))


class TestWeights:
    weights = np.array([1, 0, 3, 1, 2, 1, 0, 1, 1, 2])
    model = PatchedRegressor(network(), 2)

    def test_per_sequence(self):
        weighted = clone(self.model).fit(X, Y, sample_weight=self.weights)
        again = np.repeat(np.arange(10), self.weights)
        other = clone(self.model).fit([X[i] for i in again], [Y[i] for i in again])
        assert_allclose(stacked(weighted.predict(X)), stacked(other.predict(X)), atol=1e-8)

    def test_per_timestep_are_averaged_over_a_patch(self):
        rng = np.random.default_rng(0)
        weights = [rng.random(n) for n in LENGTHS]
        per_patch = [part.mean(axis=1) for part in Patches(2).fit_transform(weights)]
        patches = Patches(2).fit_transform(X)
        inner = network().fit(patches, Patches(2).fit_transform(Y), sample_weight=per_patch)
        for wrap in (list, padded):
            model = clone(self.model).fit(wrap(X), wrap(Y), sample_weight=wrap(weights))
            assert_allclose(
                stacked(model.regressor_.predict(patches)), stacked(inner.predict(patches))
            )

    def test_of_validation_data(self):
        weights = [np.linspace(1, 2, n) for n in LENGTHS[:7]]
        model = PatchedRegressor(network(), 2)
        model.fit(X, Y, X_val=X[:7], y_val=Y[:7], sample_weight_val=weights)
        given = (Patches(2).fit_transform(part) for part in (X[:7], Y[:7], weights))
        X_val, y_val, per_patch = given
        inner = network().fit(
            Patches(2).fit_transform(X),
            Patches(2).fit_transform(Y),
            X_val=X_val,
            y_val=y_val,
            sample_weight_val=[part.mean(axis=1) for part in per_patch],
        )
        assert_allclose(model.regressor_.validation_scores_, inner.validation_scores_)

    def test_wrong_ones_are_refused(self):
        for wrong in (3, [1, 2], [np.ones(n + 1) for n in LENGTHS]):
            with pytest.raises((ValueError, TypeError), match="sample_weight"):
                clone(self.model).fit(X, Y, sample_weight=wrong)

    def test_routed(self):
        with sklearn.config_context(enable_metadata_routing=True):
            routed = PatchedRegressor(network().set_fit_request(sample_weight=True), 2)
            pipeline = make_pipeline(SequenceNormalizer(), routed)
            pipeline.fit(X, Y, sample_weight=self.weights)
        assert np.isfinite(pipeline.score(X, Y))


def test_as_an_estimator():
    results = check_sequence_estimator(
        PatchedRegressor(network(), 2),
        on_fail=None,
        on_skip=None,
    )
    assert not {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert sum(r["status"] == "passed" for r in results) > 25
    model = PatchedRegressor(network(), 2).fit(X, Y)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(stacked(again.predict(X)), stacked(model.predict(X)))
    search = GridSearchCV(model, {"size": [1, 4], "regressor__hidden_size": [2, 3]}, cv=2)
    assert np.isfinite(search.fit(X, Y).cv_results_["mean_test_score"]).all()


class TestRefusals:
    def test_one_target_per_sequence(self):
        with pytest.raises(ValueError, match=r"one target per timestep.*make_pipeline\(Patches"):
            PatchedRegressor(network(return_sequences=False)).fit(X, np.arange(10.0))

    def test_no_regressor_and_no_size(self):
        with pytest.raises(TypeError, match="regressor must be a scikit-learn regressor"):
            PatchedRegressor(StandardScaler()).fit(X, Y)
        with pytest.raises(ValueError, match="size == 0, must be >= 1"):
            PatchedRegressor(network(), 0).fit(X, Y)

    def test_bad_y(self):
        with pytest.raises(ValueError, match=r"y\[0\] has \d values, but X\[0\] has \d timesteps"):
            PatchedRegressor(network()).fit(X, [y[:-1] for y in Y])
        with pytest.raises(ValueError, match="requires y to be passed"):
            PatchedRegressor(network()).fit(X, None)
