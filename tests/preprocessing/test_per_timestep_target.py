"""PerTimestepTarget: targets that are transformed inside the model."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_regressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    Normalizer,
    PowerTransformer,
    StandardScaler,
)
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator

from sequences import object_array, padded, ragged, stacked
from sklearn_rnn import RNNRegressor
from sklearn_rnn.preprocessing import PerTimestep, PerTimestepTarget

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = ragged(n=10, n_features=2)
LENGTHS = [len(x) for x in X]
Y = [500 + 30 * x.cumsum(axis=0)[:, 0] for x in X]
Y2 = [np.stack([y, 1e-3 * y**2], axis=1) for y in Y]


def network(**parameters):
    settings = {"return_sequences": True, "hidden_size": 3, "max_iter": 3, "random_state": 0}
    return RNNRegressor(**{**settings, **parameters})


def rows_of(parts):
    rows = stacked(parts)
    return rows.reshape(len(rows), -1)


def by_hand(X, y, scaler, **parameters):
    """A network fitted to scaled targets, and what it predicts, in the units of y and as rows."""
    scaled = [scaler.transform(part.reshape(len(part), -1)).reshape(part.shape) for part in y]
    model = network(**parameters).fit(X, scaled)
    return model, scaler.inverse_transform(rows_of(model.predict(X)))


class TestPerTimestep:
    @pytest.mark.parametrize("y", [Y, Y2], ids=["one output", "two outputs"])
    @pytest.mark.parametrize("wrap", [list, tuple, object_array, padded])
    def test_is_the_network_on_scaled_targets(self, y, wrap):
        scaler = StandardScaler().fit(rows_of(y))
        _, expected = by_hand(X, y, scaler)
        model = PerTimestepTarget(network()).fit(wrap(X), wrap(y))
        assert_allclose(model.transformer_.mean_, scaler.mean_)
        assert_allclose(model.transformer_.var_, scaler.var_)
        predicted = model.predict(wrap(X))
        if wrap is padded:
            assert predicted.shape == (10, 7, *y[0].shape[1:])
            assert np.isnan(predicted[0, LENGTHS[0] :]).all()
        else:
            assert isinstance(predicted, np.ndarray if wrap is object_array else list)
            assert [part.shape for part in predicted] == [part.shape for part in y]
        flat = [part[:n] for part, n in zip(predicted, LENGTHS, strict=True)]
        assert_allclose(rows_of(flat), expected)

    def test_what_is_padding_is_ignored(self):
        model = PerTimestepTarget(network()).fit(X, Y)
        for fill in (np.nan, 1e9):
            other = PerTimestepTarget(network()).fit(padded(X), padded(Y, fill))
            assert_allclose(other.transformer_.mean_, model.transformer_.mean_)
            assert_allclose(stacked(other.predict(X)), stacked(model.predict(X)))

    def test_score_is_in_the_units_of_y_over_all_timesteps(self):
        model = PerTimestepTarget(network(max_iter=30)).fit(X, Y)
        predicted = stacked(model.predict(X))
        assert model.score(X, Y) == pytest.approx(r2_score(stacked(Y), predicted))
        assert model.score(padded(X), padded(Y)) == pytest.approx(model.score(X, Y))
        weights = np.linspace(0, 2, 10)
        expected = r2_score(stacked(Y), predicted, sample_weight=np.repeat(weights, LENGTHS))
        assert model.score(X, Y, sample_weight=weights) == pytest.approx(expected)
        per_timestep = [np.linspace(1, 2, n) for n in LENGTHS]
        expected = r2_score(stacked(Y), predicted, sample_weight=stacked(per_timestep))
        assert model.score(X, Y, sample_weight=per_timestep) == pytest.approx(expected)
        assert model.score(X, Y) != model.score(X, Y, sample_weight=weights)

    def test_makes_far_off_targets_learnable(self):
        y = [10_000 + 100 * x.cumsum(axis=0)[:, 0] for x in X]
        options = {"max_iter": 200, "learning_rate_init": 0.03, "hidden_size": 8}
        learner = network(standardize=False, **options)
        assert PerTimestepTarget(learner).fit(X, y).score(X, y) > 0.9
        assert learner.fit(X, y).score(X, y) < 0.5

    def test_2d_x(self):
        rng = np.random.default_rng(0)
        table = pd.DataFrame(rng.normal(size=(8, 4)), columns=["t1", "t2", "t3", "t4"])
        table.iloc[2, 3] = np.nan
        y = 100 + table.cumsum(axis=1)
        model = PerTimestepTarget(network()).fit(table, y)
        assert model.n_features_in_ == 4
        assert model.feature_names_in_.tolist() == ["t1", "t2", "t3", "t4"]
        assert_allclose(model.transformer_.mean_, [np.nanmean(y)])
        predicted = model.predict(table)
        assert predicted.shape == (8, 4)
        assert_array_equal(np.isnan(predicted), np.isnan(table))

    def test_precision(self):
        X32 = [x.astype(np.float32) for x in X]
        model = PerTimestepTarget(network()).fit(X32, [y.astype(np.float32) for y in Y])
        assert model.predict(X32)[0].dtype == np.float32


class TestPerSequence:
    means = np.array([1000 + 100 * x.mean() for x in X])

    @pytest.mark.parametrize("several", [False, True])
    def test_is_the_network_on_scaled_targets(self, several):
        y = np.stack([self.means, -self.means / 7], axis=1) if several else self.means
        rows = y.reshape(10, -1)
        scaled = StandardScaler().fit_transform(rows).reshape(y.shape)
        learner = network(return_sequences=False)
        model = PerTimestepTarget(learner).fit(X, y)
        predicted = clone(learner).fit(X, scaled).predict(X).reshape(rows.shape)
        expected = predicted * rows.std(axis=0) + rows.mean(axis=0)
        assert_allclose(model.predict(X), expected.reshape(y.shape))
        assert model.score(X, y) == pytest.approx(r2_score(y, model.predict(X)))

    def test_as_many_outputs_as_timesteps(self):
        equal = np.random.default_rng(0).normal(size=(6, 3, 2))
        y = np.random.default_rng(1).normal(size=(6, 3))
        for n_scales, return_sequences in [(3, False), (1, True)]:
            pipeline = make_pipeline(network(return_sequences=return_sequences))
            model = PerTimestepTarget(pipeline).fit(equal, y)
            assert model.transformer_.n_features_in_ == n_scales
            assert model.predict(equal).shape == (6, 3)

    def test_regressors_without_return_sequences_go_by_the_shape(self):
        table = np.random.default_rng(0).normal(size=(12, 4))
        model = PerTimestepTarget(LinearRegression(), PowerTransformer())
        theirs = TransformedTargetRegressor(LinearRegression(), transformer=PowerTransformer())
        y = np.exp(table @ [0.1, 0.2, 0.3, 0.4])
        for targets in (y, np.stack([y, y**2], axis=1)):
            expected = theirs.fit(table, targets).predict(table)
            assert_allclose(model.fit(table, targets).predict(table), expected)
            assert model.score(table, targets) == pytest.approx(theirs.score(table, targets))
        model.fit(table, table)  # one target per timestep
        assert model.transformer_.n_features_in_ == 1

    def test_per_timestep_targets_are_refused(self):
        with pytest.raises(ValueError, match="return_sequences=False needs one"):
            PerTimestepTarget(network(return_sequences=False)).fit(X, Y)


class TestWeights:
    weights = np.array([1, 0, 3, 1, 2, 1, 0, 1, 1, 2])

    def test_count_for_the_transformer_and_the_regressor(self):
        rows, repeated = stacked(Y), np.repeat(self.weights, LENGTHS)
        mean = np.average(rows, weights=repeated)
        model = PerTimestepTarget(network()).fit(X, Y, sample_weight=self.weights)
        assert_allclose(model.transformer_.mean_, [mean])
        again = [i for i, weight in enumerate(self.weights) for _ in range(weight)]
        other = PerTimestepTarget(network()).fit([X[i] for i in again], [Y[i] for i in again])
        assert_allclose(stacked(other.predict(X)), stacked(model.predict(X)))

    def test_per_timestep(self):
        weights = [np.linspace(0, 1, n + 1)[1:] for n in LENGTHS]
        model = PerTimestepTarget(network()).fit(X, Y, sample_weight=weights)
        mean = np.average(stacked(Y), weights=stacked(weights))
        assert_allclose(model.transformer_.mean_, [mean])

    def test_weight_zero_is_never_seen(self):
        y = [part + 1e6 * (weight == 0) for part, weight in zip(Y, self.weights, strict=True)]
        model = PerTimestepTarget(network(), MinMaxScaler())  # which takes no weights
        model.fit(X, y, sample_weight=self.weights)
        assert model.transformer_.data_max_ < 1e5

    def test_through_a_pipeline(self):
        pipeline = make_pipeline(PerTimestep(StandardScaler()), network())
        model = PerTimestepTarget(pipeline).fit(X, Y, rnnregressor__sample_weight=self.weights)
        mean = np.average(stacked(Y), weights=np.repeat(self.weights, LENGTHS))
        assert_allclose(model.transformer_.mean_, [mean])
        outer = make_pipeline(PerTimestep(StandardScaler()), PerTimestepTarget(network()))
        outer.fit(X, Y, pertimesteptarget__sample_weight=self.weights)
        assert_allclose(outer[-1].transformer_.mean_, [mean])

    def test_none_is_no_weights(self):
        model = PerTimestepTarget(network()).fit(X, Y, sample_weight=None)
        assert_allclose(model.transformer_.mean_, [stacked(Y).mean()])

    def test_routed(self):
        with sklearn.config_context(enable_metadata_routing=True):
            learner = network().set_fit_request(sample_weight=True)
            model = PerTimestepTarget(learner).set_score_request(sample_weight=True)
            search = GridSearchCV(model, {"regressor__hidden_size": [2]}, cv=KFold(2))
            search.fit(X, Y, sample_weight=self.weights)
            mean = np.average(stacked(Y), weights=np.repeat(self.weights, LENGTHS))
            assert_allclose(search.best_estimator_.transformer_.mean_, [mean])
            train, test = next(KFold(2).split(X))
            one = clone(model).set_params(regressor__hidden_size=2)
            one.fit([X[i] for i in train], [Y[i] for i in train], sample_weight=self.weights[train])
            score = one.score(
                [X[i] for i in test], [Y[i] for i in test], sample_weight=self.weights[test]
            )
            assert search.cv_results_["split0_test_score"][0] == pytest.approx(score)


class TestValidationData:
    X_val = ragged(n=5, n_features=2, seed=1)
    y_val = [400 + 20 * x[:, 1] for x in X_val]

    @pytest.mark.parametrize("wrap", [list, padded])
    def test_is_transformed_like_y(self, wrap):
        scaler = StandardScaler().fit(rows_of(Y))
        scaled = [scaler.transform(y[:, np.newaxis])[:, 0] for y in self.y_val]
        learner = network(early_stopping=True, n_iter_no_change=1, max_iter=20)
        expected = clone(learner).fit(
            X,
            [scaler.transform(y[:, np.newaxis])[:, 0] for y in Y],
            X_val=self.X_val,
            y_val=scaled,
            sample_weight_val=[1, 2, 3, 4, 5],
        )
        model = PerTimestepTarget(learner).fit(
            X, Y, X_val=wrap(self.X_val), y_val=wrap(self.y_val), sample_weight_val=[1, 2, 3, 4, 5]
        )
        assert_allclose(model.regressor_.validation_scores_, expected.validation_scores_)
        assert model.regressor_.best_iteration_ == expected.best_iteration_

    def test_through_a_pipeline(self):
        with sklearn.config_context(enable_metadata_routing=True):
            learner = network().set_fit_request(X_val=True, y_val=True)
            scaling = PerTimestep(StandardScaler())
            pipeline = make_pipeline(scaling, learner, transform_input=["X_val"])
            model = PerTimestepTarget(pipeline).fit(X, Y, X_val=self.X_val, y_val=self.y_val)
            outer = make_pipeline(scaling, PerTimestepTarget(learner), transform_input=["X_val"])
            outer.fit(X, Y, X_val=self.X_val, y_val=self.y_val)
        scores = model.regressor_[-1].validation_scores_
        assert len(scores) == 3
        assert_allclose(outer[-1].regressor_.validation_scores_, scores)
        assert abs(scores[0]) < 1000  # unscaled, it would be off by a factor of 1e5

    def test_errors_name_it(self):
        model = PerTimestepTarget(network())
        with pytest.raises(ValueError, match="y_val has 2 outputs, but the targets of"):
            model.fit(X, Y, X_val=X, y_val=Y2)
        with pytest.raises(ValueError, match=r"y_val\[0\] has \d values, but X_val\[0\] has \d"):
            model.fit(X, Y, X_val=X, y_val=[y[:-1] for y in Y])
        with pytest.raises(ValueError, match="X_val must be given too"):
            model.fit(X, Y, y_val=Y)
        with pytest.raises(ValueError, match="y_val must be given too"):
            model.fit(X, Y, X_val=X)


class TestAsAnEstimator:
    quick = RNNRegressor(
        cell="elman", hidden_size=8, learning_rate_init=0.02, tol=1e-3, random_state=0
    )

    @pytest.mark.parametrize("scaled_inside", [False, True])
    def test_check_estimator(self, scaled_inside, monkeypatch):
        monkeypatch.delenv("SCIPY_ARRAY_API", raising=False)
        inside = make_pipeline(PerTimestep(StandardScaler()), self.quick)
        model = PerTimestepTarget(inside if scaled_inside else self.quick)
        results = check_estimator(model, on_fail=None, on_skip=None)
        assert not {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
        skipped = {r["check_name"] for r in results if r["status"] == "skipped"}
        assert skipped <= {"check_array_api_input"}
        assert sum(r["status"] == "passed" for r in results) > 45

    def test_tags(self):
        assert is_regressor(PerTimestepTarget(network()))
        tags = get_tags(PerTimestepTarget(network()))
        assert tags.input_tags.three_d_array
        assert tags.target_tags.multi_output
        assert not tags.input_tags.sparse
        assert not get_tags(PerTimestepTarget(LinearRegression())).input_tags.three_d_array
        assert not tags.regressor_tags.poor_score
        assert get_tags(PerTimestepTarget(DummyRegressor())).regressor_tags.poor_score

    def test_clone_pickle_and_repr(self):
        model = PerTimestepTarget(network(), MinMaxScaler()).fit(X, Y)
        again = pickle.loads(pickle.dumps(model))
        assert_array_equal(stacked(again.predict(X)), stacked(model.predict(X)))
        copied = clone(model)
        assert copied.get_params()["regressor__hidden_size"] == 3
        assert not hasattr(copied, "regressor_")
        assert not hasattr(copied, "n_features_in_")
        assert repr(PerTimestepTarget(RNNRegressor())).startswith("PerTimestepTarget(regressor=RNN")
        assert "RNNRegressor" in model._repr_html_()
        assert not hasattr(model.regressor, "weights_")
        assert not hasattr(model.transformer, "scale_")

    def test_searched_with_nested_parameters(self):
        pipeline = make_pipeline(PerTimestep(StandardScaler()), PerTimestepTarget(network()))
        grid = {
            "pertimesteptarget__regressor__hidden_size": [2, 3],
            "pertimesteptarget__transformer": [None, MinMaxScaler()],
        }
        search = GridSearchCV(pipeline, grid, cv=2).fit(X, Y)
        assert len(search.cv_results_["mean_test_score"]) == 4
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
        scores = cross_val_score(search.best_estimator_, X, Y, cv=2)
        assert scores.mean() == pytest.approx(search.best_score_)

    def test_scaling_comes_from_the_training_fold(self):
        y = [part + 1000 * i for i, part in enumerate(Y)]
        search = GridSearchCV(PerTimestepTarget(network()), {"transformer": [Remembering()]}, cv=2)
        Remembering.means.clear()
        search.fit(X, y)
        expected = [stacked(y[5:]).mean(), stacked(y[:5]).mean(), stacked(y).mean()]
        assert_allclose(np.ravel(Remembering.means), expected)


class Remembering(StandardScaler):
    """Remembers the means of its fits."""

    means = []

    def fit(self, X, y=None):
        super().fit(X)
        self.means.append(self.mean_)
        return self


def test_sparse_results_are_made_dense():
    bins = {"n_bins": 3, "strategy": "uniform"}
    sparse, dense = (
        PerTimestepTarget(network(), KBinsDiscretizer(encode=encode, **bins)).fit(X, Y)
        for encode in ("onehot", "onehot-dense")
    )
    assert_array_equal(stacked(sparse.predict(X)), stacked(dense.predict(X)))


class ThreeQuantiles(LinearRegression):
    """Predicts each target minus one, as it is, and plus one."""

    def predict(self, X):
        return super().predict(X)[..., np.newaxis] + np.array([-1.0, 0.0, 1.0])


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_several_predictions_of_each_target(n_outputs):
    table = np.random.default_rng(0).normal(size=(12, 4))
    y = 100 + 7 * table[:, :2] if n_outputs == 2 else 100 + 7 * table[:, 0]
    predicted = PerTimestepTarget(ThreeQuantiles()).fit(table, y).predict(table)
    assert predicted.shape == (*y.shape, 3)
    steps = y.std(axis=0)[..., np.newaxis] * np.array([-1.0, 0.0, 1.0])
    assert_allclose(predicted, y[..., np.newaxis] + steps)


class TestRefusals:
    @pytest.mark.parametrize("wrong", [RNNRegressor, StandardScaler(), None, "rnn"])
    def test_no_regressor(self, wrong):
        with pytest.raises(TypeError, match="regressor must be"):
            PerTimestepTarget(wrong).fit(X, Y)

    @pytest.mark.parametrize("wrong", [StandardScaler, Normalizer(), LinearRegression(), "std"])
    def test_no_transformer_there_and_back(self, wrong):
        with pytest.raises(TypeError, match=r"transformer must be .* inverse_transform"):
            PerTimestepTarget(network(), wrong).fit(X, Y)

    def test_no_y(self):
        with pytest.raises(ValueError, match="requires y to be passed"):
            PerTimestepTarget(network()).fit(X, None)

    def test_bad_y(self):
        y = [part.copy() for part in Y]
        y[3][0] = np.nan
        with pytest.raises(ValueError, match="Input y contains NaN or infinity: y of sample 3"):
            PerTimestepTarget(network()).fit(X, y)
        with pytest.raises(ValueError, match=r"y\[0\] has \d values, but X\[0\] has \d timesteps"):
            PerTimestepTarget(network()).fit(X, [part[:-1] for part in Y])
        with pytest.raises(ValueError, match="X has 10 sequences, y has 9"):
            PerTimestepTarget(network()).fit(X, Y[:9])

    def test_what_the_transformer_makes(self):
        def fit(transform, inverse=lambda rows: rows):
            inner = FunctionTransformer(transform, inverse, check_inverse=False)
            return PerTimestepTarget(network(), inner).fit(X, Y)

        with pytest.raises(ValueError, match="transformed y of sample 0 is nan"):
            fit(lambda rows: np.where(rows == Y[0][1], np.nan, rows))
        n = sum(LENGTHS)
        made = rf"The transformer made ndarray of shape \({n - 1}, 1\) of {n} rows; it must return"
        with pytest.raises(ValueError, match=made):
            fit(lambda rows: rows[:-1])
        with pytest.raises(ValueError, match=made):
            fit(lambda rows: rows, lambda rows: rows[:-1]).predict(X)

    def test_a_failed_fit_changes_nothing(self):
        model = PerTimestepTarget(network()).fit(X, Y)
        before = dict(vars(model))
        model.set_params(regressor__hidden_size=-1)
        with pytest.raises(ValueError, match="hidden_size"):
            model.fit(X, Y2)
        assert vars(model) == before

    def test_not_fitted(self):
        with pytest.raises(NotFittedError):
            PerTimestepTarget(network()).predict(X)
