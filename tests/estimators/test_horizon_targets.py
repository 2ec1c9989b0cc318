"""Targets for several timesteps ahead, (n_samples, horizon, n_outputs), with one row per sequence.

The network is the one for the same targets side by side, (n_samples, horizon * n_outputs): to the
last bit. Only the axes differ.
"""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from covering import cover
from sequences import CONTAINERS, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.callbacks import EarlyStopping
from sklearn_rnn.inspection import input_gradients, permutation_importance
from sklearn_rnn.metrics import make_forecast_scorer
from sklearn_rnn.model_selection import cross_val_predict

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FAST = {"hidden_size": 4, "max_iter": 4, "learning_rate_init": 0.02, "random_state": 0}
SEQUENCES = ragged(30, n_features=2, seed=0)
HORIZON, N_OUTPUTS = 3, 2
Y = np.random.default_rng(1).standard_normal((30, HORIZON, N_OUTPUTS)) * [1, 50] + [0, 7]
FLAT = Y.reshape(30, -1)
WEIGHTS = np.random.default_rng(2).integers(0, 3, 30)
QUANTILES = {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]}


def axes_of_y(flat):
    """Predictions of the flat targets, with the axes of y."""
    return flat.reshape(len(flat), HORIZON, N_OUTPUTS, *flat.shape[2:])


CASES = cover(
    {
        "cell": ["elman", "gru", "lstm"],
        "container": CONTAINERS,
        "dtype": [np.float32, np.float64],
        "options": [
            {},
            {"bidirectional": True, "n_layers": 2},
            {"early_stopping": True, "standardize": False},
            {"solver": "lbfgs"},
            QUANTILES,
            {"loss": "gaussian"},
            {"loss": "poisson"},
            {"loss": "huber", "delta": 2.0},
        ],
    },
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case.values())))
def test_is_the_network_of_flat_targets(case):
    X = CONTAINERS[case["container"]]([x.astype(case["dtype"]) for x in SEQUENCES])
    y = Y.astype(case["dtype"])
    y = np.abs(y) if case["options"].get("loss") == "poisson" else y
    model = RNNRegressor(cell=case["cell"], **FAST | case["options"])
    flat = clone(model).fit(X, y.reshape(len(y), -1), WEIGHTS)
    model.fit(X, y.tolist() if case["dtype"] is np.float64 else y, WEIGHTS)
    predicted = model.predict(X)
    assert predicted.shape[:3] == y.shape
    assert predicted.dtype == case["dtype"]
    assert_array_equal(predicted, axes_of_y(flat.predict(X)))
    assert model.n_outputs_ == HORIZON * N_OUTPUTS
    assert model.loss_curve_ == flat.loss_curve_
    assert model.validation_scores_ == flat.validation_scores_
    expected = flat.score(X, y.reshape(len(y), -1), WEIGHTS)
    assert model.score(X, y, WEIGHTS) == expected
    if case["options"].get("loss") == "gaussian":
        for part, of_flat in zip(
            model.predict(X, return_std=True), flat.predict(X, return_std=True), strict=True
        ):
            assert_array_equal(part, axes_of_y(of_flat))


def test_the_score_is_the_mean_r2_of_all_timesteps_and_outputs():
    model = RNNRegressor(**FAST).fit(SEQUENCES, Y)
    predicted = model.predict(SEQUENCES)
    each = [r2_score(Y[:, h, k], predicted[:, h, k]) for h in range(3) for k in range(2)]
    assert_allclose(model.score(SEQUENCES, Y), np.mean(each))


@pytest.mark.parametrize("shape", [(1, 2), (3, 1), (1, 1)])
def test_axes_of_length_one_stay(shape):
    y = Y[:, : shape[0], : shape[1]]
    model = RNNRegressor(**FAST).fit(SEQUENCES, y)
    assert model.predict(SEQUENCES).shape == y.shape
    assert np.isfinite(model.score(SEQUENCES, y))
    model.set_params(**QUANTILES).fit(SEQUENCES, y)
    assert model.predict(SEQUENCES).shape == (*y.shape, 3)


def test_parts_of_training():
    """Validation data, targets of weight zero, parts, and going on."""
    missing = Y.copy()
    missing[WEIGHTS == 0] = np.nan
    fits = []
    for y, y_val in ((missing, Y[:5]), (missing.reshape(30, -1), FLAT[:5])):
        model = RNNRegressor(**FAST, early_stopping=True, warm_start=True)
        model.fit(SEQUENCES, y, WEIGHTS, X_val=SEQUENCES[:5], y_val=y_val)
        scores = model.validation_scores_
        model.set_params(early_stopping=False).fit(SEQUENCES, y, WEIGHTS)
        fits.append((scores, model.partial_fit(SEQUENCES, y, WEIGHTS)))
    assert fits[0][0] == fits[1][0]
    assert_array_equal(fits[0][1].predict(SEQUENCES), axes_of_y(fits[1][1].predict(SEQUENCES)))


def test_stream_hidden_states_and_pickles():
    X = np.random.default_rng(3).standard_normal((30, 5, 2))
    model = RNNRegressor(**FAST, **QUANTILES).fit(X, Y)
    expected = model.predict(X)
    stream = model.stream(30)
    for t in range(5):
        y = stream.step(X[:, t])
    assert_allclose(y, expected, rtol=1e-12)
    assert_allclose(model.stream(30).read(X), expected, rtol=1e-12)
    assert model.stream().step(X[0, 0]).shape == (1, HORIZON, N_OUTPUTS, 3)
    assert model.hidden_states(X).shape == (30, 5, 4)
    assert model.transform(X).shape == (30, 4)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), expected)


def test_input_gradients_name_the_timestep_and_the_output():
    X = SEQUENCES[:4]
    for options, place in (({}, (2, 1)), (QUANTILES, (2, 1, 0))):
        model = RNNRegressor(**FAST, **options).fit(SEQUENCES, Y)
        gradients = input_gradients(model, X, output=place)
        step = 1e-6
        moved = [x.copy() for x in X]
        for x in moved:
            x[0, 1] += step
        slopes = (model.predict(moved) - model.predict(X))[:, *place] / step
        assert_allclose([gradient[0, 1] for gradient in gradients], slopes, atol=1e-5)
        for wrong in (None, 1, (3, 0), (0, 2), (*place, 0), place[:-1]):
            with pytest.raises((ValueError, TypeError), match="output="):
                input_gradients(model, X, output=wrong)


class TestTools:
    def test_predictions_by_cross_validation(self):
        model, folds = RNNRegressor(**FAST), KFold(3)
        predicted = cross_val_predict(model, SEQUENCES, Y, cv=folds)
        assert_array_equal(
            predicted, axes_of_y(cross_val_predict(model, SEQUENCES, FLAT, cv=folds))
        )

    def test_scores_and_searches(self):
        model, folds = RNNRegressor(**FAST), KFold(3)
        assert_array_equal(
            cross_val_score(model, SEQUENCES, Y, cv=folds),
            cross_val_score(model, SEQUENCES, FLAT, cv=folds),
        )
        name = "neg_mean_absolute_error"
        search = GridSearchCV(
            model, {"hidden_size": [2, 3]}, scoring=make_forecast_scorer(name), cv=folds
        )
        search.fit(SEQUENCES, Y)
        flat = clone(search).set_params(scoring=name).fit(SEQUENCES, FLAT)
        assert_array_equal(
            search.cv_results_["mean_test_score"], flat.cv_results_["mean_test_score"]
        )

    def test_early_stopping_by_a_scorer(self):
        curves = []
        for y in (Y, FLAT):
            model = RNNRegressor(**FAST).set_callbacks(EarlyStopping("neg_mean_absolute_error"))
            model.fit(SEQUENCES[5:], y[5:], X_val=SEQUENCES[:5], y_val=y[:5])
            curves.append(model.validation_scores_)
        assert curves[0] == curves[1]

    def test_permutation_importance(self):
        model = RNNRegressor(**FAST).fit(SEQUENCES, Y)
        result = permutation_importance(model, SEQUENCES, Y, n_repeats=2, random_state=0)
        assert result.importances_mean.shape == (2,)


class TestRefusals:
    @pytest.mark.parametrize(
        ("y", "words"),
        [
            (FLAT, "y has 6 outputs, but the targets of the training data have 3 timesteps of 2"),
            (Y[:, :2], "y has 2 timesteps of 2 outputs, but .* have 3 timesteps of 2 outputs"),
            (Y[:, :, :1], "y has 3 timesteps of 1 outputs, but"),
            (Y.swapaxes(1, 2), "y has 2 timesteps of 3 outputs, but"),
            (Y[:, 0, 0], "y has 1 outputs, but"),
        ],
    )
    def test_other_axes_than_in_training(self, y, words):
        model = RNNRegressor(**FAST, warm_start=True).fit(SEQUENCES, Y)
        before = model.predict(SEQUENCES)
        for call in (model.score, model.partial_fit, model.fit):
            with pytest.raises(ValueError, match=words):
                call(SEQUENCES, y)
        with pytest.raises(ValueError, match=f"y_val{words[1:]}"):
            clone(model).fit(SEQUENCES, Y, X_val=SEQUENCES, y_val=y)
        assert_array_equal(model.predict(SEQUENCES), before)

    def test_horizon_after_flat_targets(self):
        model = RNNRegressor(**FAST).fit(SEQUENCES, FLAT)
        with pytest.raises(ValueError, match=r"y has 3 timesteps of 2 outputs, but .* 6 outputs"):
            model.score(SEQUENCES, Y)

    def test_forecast(self):
        model = RNNRegressor(**FAST).fit(SEQUENCES, Y[:, :, :1])
        with pytest.raises(ValueError, match=r"an axis of 3 timesteps.*call predict"):
            model.forecast(SEQUENCES, 2)

    def test_four_axes(self):
        message = r"give \(n_samples,\) or \(n_samples, n_outputs\) or \(n_samples, horizon, n_o"
        with pytest.raises(ValueError, match=message):
            RNNRegressor(**FAST).fit(SEQUENCES, Y[..., np.newaxis])

    def test_classifiers(self):
        with pytest.raises(ValueError, match="y has several targets per sequence"):
            RNNClassifier(**FAST).fit(SEQUENCES, np.ones((30, 2, 2), int))

    def test_targets_per_timestep_keep_their_meaning(self):
        X = np.random.default_rng(3).standard_normal((30, HORIZON, 2))
        model = RNNRegressor(**FAST, return_sequences=True).fit(X, Y)
        assert model.n_outputs_ == N_OUTPUTS
        assert model.predict(X).shape == Y.shape
        with pytest.raises(ValueError, match="y has too many dimensions"):
            model.fit(X, Y[..., np.newaxis])
