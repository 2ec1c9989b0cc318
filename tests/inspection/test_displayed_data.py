"""What each display draws is what it was given, and what can't be drawn is refused."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from planted import FEATURE, Picker, planted
from sequences import ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.callbacks import EarlyStopping
from sklearn_rnn.inspection import (
    AttributionDisplay,
    ForecastDisplay,
    HiddenStatesDisplay,
    PermutationImportanceDisplay,
    TimestepLabelsDisplay,
    TrainingDisplay,
    input_gradients,
    permutation_importance,
)
from sklearn_rnn.preprocessing import (
    InstanceNormalizedRegressor,
    PerTimestep,
    PerTimestepTarget,
    sliding_windows,
)

plt = pytest.importorskip("matplotlib.pyplot")
plt.switch_backend("Agg")  # no test needs a screen

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"hidden_size": 2, "max_iter": 6, "random_state": 0}
X = ragged(50, 2)
Y = np.array([x.sum() for x in X])


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def lines_of(ax):
    """The curves of an axes, by their labels."""
    return {line.get_label(): line.get_ydata() for line in ax.get_lines()}


def kept_by(display):
    (line,) = (line for line in display.ax_.get_lines() if line.get_label() == "kept")
    return line.get_xdata()[0]


def test_training_and_validation_losses():
    model = RNNRegressor(early_stopping=True, n_iter_no_change=2, **SMALL).fit(X, Y)
    display = TrainingDisplay.from_estimator(model, panels=["loss", "score"])
    assert_array_equal(lines_of(display.ax_)["training"], model.loss_curve_)
    assert_array_equal(lines_of(display.ax_)["validation"], model.validation_loss_curve_)
    assert_array_equal(lines_of(display.axes_[1, 0])["validation"], model.validation_scores_)
    display = TrainingDisplay.from_estimator(model, panels=["learning_rate", "gradient_norm"])
    assert_array_equal(display.axes_[0, 0].get_lines()[0].get_ydata(), model.learning_rates_)
    assert_array_equal(display.axes_[1, 0].get_lines()[0].get_ydata(), model.gradient_norms_)


def test_the_epoch_whose_weights_were_kept():
    rates = {"learning_rate_init": 0.5, "max_iter": 12, "hidden_size": 2, "random_state": 0}
    model = RNNRegressor(**rates, early_stopping=True, n_iter_no_change=12).fit(X, Y)
    assert model.best_iteration_ < model.n_iter_
    assert kept_by(TrainingDisplay.from_estimator(model)) == model.best_iteration_
    model = RNNRegressor(**rates, early_stopping=False).fit(X, Y, X_val=X, y_val=-Y)
    assert model.best_iteration_ < model.n_iter_
    assert kept_by(TrainingDisplay.from_estimator(model)) == model.n_iter_
    model = RNNRegressor(**rates, early_stopping=False)
    model.set_callbacks(EarlyStopping(scoring="r2", n_iter_no_change=12))
    model.fit(X, Y, X_val=X, y_val=-Y)
    assert model.best_iteration_ < model.n_iter_
    assert kept_by(TrainingDisplay.from_estimator(model)) == model.best_iteration_


def test_networks_inside_others():
    network = RNNRegressor(**SMALL)
    search = GridSearchCV(make_pipeline(PerTimestep(StandardScaler()), network), {}, cv=2)
    search.fit(X, Y)
    display = TrainingDisplay.from_estimator(search)
    assert_array_equal(lines_of(display.ax_)["training"], search.best_estimator_[-1].loss_curve_)
    wrapped = PerTimestepTarget(network).fit(X, Y)
    display = TrainingDisplay.from_estimator(wrapped)
    assert_array_equal(lines_of(display.ax_)["training"], wrapped.regressor_.loss_curve_)


def test_several_fits_side_by_side():
    fits = cross_validate(RNNRegressor(**SMALL), X, Y, cv=3, return_estimator=True)["estimator"]
    display = TrainingDisplay.from_estimators(fits, panels=["loss", "learning_rate"])
    assert display.axes_.shape == (2, 3)
    for k, ax in enumerate(display.axes_[0]):
        assert ax.get_title().startswith(f"fit {k + 1}")
        assert_array_equal(lines_of(ax)["training"], fits[k].loss_curve_)
        assert ax.get_ylim() == display.ax_.get_ylim()
    display = TrainingDisplay.from_estimators({"tiny": fits[0], "lbfgs": lbfgs()})
    assert [ax.get_title().split("\n")[0] for ax in display.axes_[0]] == ["tiny", "lbfgs"]


def lbfgs():
    return RNNRegressor(solver="lbfgs", **SMALL).fit(X, Y)


@pytest.mark.parametrize(("scale", "expected"), [(1.0, "linear"), (100.0, "log")])
def test_losses_that_span_magnitudes_have_a_logarithmic_axis(scale, expected):
    model = RNNRegressor(**SMALL, early_stopping=False).fit(X, Y)
    model.loss_curve_[0] *= scale
    assert TrainingDisplay.from_estimator(model).ax_.get_yscale() == expected


def test_training_that_cannot_be_drawn():
    model = lbfgs()
    with pytest.raises(ValueError, match="panels has 'score', but training left nothing"):
        TrainingDisplay.from_estimator(model, panels="score")
    with pytest.raises(ValueError, match="panels has 'learning_rate'"):
        TrainingDisplay.from_estimator(model, panels=["loss", "learning_rate"])
    with pytest.raises(ValueError, match="panels='weights' is not one of"):
        TrainingDisplay.from_estimator(model, panels="weights")
    with pytest.raises(ValueError, match="panels is empty"):
        TrainingDisplay.from_estimator(model, panels=[])
    with pytest.raises(ValueError, match="estimators is empty"):
        TrainingDisplay.from_estimators([])
    with pytest.raises(TypeError, match="estimators must be a dict or a list"):
        TrainingDisplay.from_estimators(model)
    with pytest.raises(TypeError, match=r"must be a fitted RNNRegressor .* StandardScaler"):
        TrainingDisplay.from_estimator(StandardScaler())
    with pytest.raises(ValueError, match="not fitted"):
        TrainingDisplay.from_estimator(RNNRegressor())


def test_features_are_bars():
    X, y = planted(0, ragged=True)
    display = PermutationImportanceDisplay.from_estimator(Picker(), X, y, random_state=0)
    result = permutation_importance(Picker(), X, y, random_state=0)
    order = np.argsort(-result.importances_mean, kind="stable")
    assert order[0] == FEATURE
    assert_array_equal(
        [bar.get_width() for bar in display.artists_], result.importances_mean[order]
    )
    names = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert names == [f"x{k}" for k in order]
    display.plot(max_features=1)
    assert len(display.artists_) == 1


def test_timesteps_are_a_curve_and_blocks_are_steps():
    X, y = planted(0, ragged=True)
    curve = PermutationImportanceDisplay.from_estimator(
        Picker(), X, y, by="timestep", random_state=0
    )
    assert_array_equal(curve.artists_.get_xdata(), curve.result.starts)
    assert_array_equal(curve.artists_.get_ydata(), curve.result.importances_mean)
    steps = PermutationImportanceDisplay.from_estimator(
        Picker(), X, y, by="block", block_size=4, random_state=0
    )
    values, edges, _ = steps.artists_.get_data()
    assert_array_equal(values, steps.result.importances_mean)
    assert edges.tolist() == [-0.5, 3.5, 5.5]
    strip = steps.ax_.child_axes[0]  # the number of sequences, since they differ in length
    assert_array_equal(strip.patches[0].get_data().values, steps.result.n_sequences)
    equal = PermutationImportanceDisplay.from_estimator(Picker(), *planted(0), by="timestep")
    assert not equal.ax_.child_axes


def test_both_are_a_map():
    X, y = planted(0, ragged=True)
    display = PermutationImportanceDisplay.from_estimator(
        Picker(), X, y, by=("feature", "block"), block_size=2, random_state=0
    )
    assert_array_equal(display.artists_.get_array(), display.result.importances_mean)
    display.plot(max_features=1)
    assert_array_equal(display.artists_.get_array(), display.result.importances_mean[[FEATURE]])


def test_importances_that_cannot_be_drawn():
    X, y = planted(0)
    with pytest.raises(ValueError, match=r"scoring=\['r2', .* has several scorers"):
        PermutationImportanceDisplay.from_estimator(
            Picker(), X, y, scoring=["r2", "neg_mean_squared_error"]
        )
    result = permutation_importance(Picker(), X, y)
    with pytest.raises(ValueError, match="feature_names has 2 names, but there are 3"):
        PermutationImportanceDisplay.from_importances(result, feature_names=["a", "b"])
    with pytest.raises(ValueError, match="max_features == 0"):
        PermutationImportanceDisplay(result).plot(max_features=0)


def test_attributions_lie_behind_the_sequence():
    model = RNNRegressor(**SMALL).fit(X, Y)
    options = {"method": "integrated", "baseline": model.X_mean_}
    display = AttributionDisplay.from_estimator(model, X, sample=1, **options)
    expected = input_gradients(model, X, **options)[1]
    for k, ax in enumerate(display.axes_[:, 0]):
        assert_array_equal(ax.get_lines()[0].get_ydata(), X[1][:, k])
        (mesh,) = ax.collections
        assert_allclose(mesh.get_array().ravel(), expected[:, k])
        low, high = mesh.get_clim()
        assert low == -high == pytest.approx(-np.abs(expected).max())


def test_the_features_with_the_largest_attributions_are_shown():
    attributions = np.array([[1.0, -5.0, 0.0, 2.0]])
    display = AttributionDisplay.from_attributions(np.zeros((1, 4)), attributions)
    display.plot(max_features=2)
    assert [ax.get_ylabel() for ax in display.axes_[:, 0]] == ["x1", "x3"]
    with pytest.raises(ValueError, match=r"attributions has shape \(1, 4\), but sequence"):
        AttributionDisplay.from_attributions(np.zeros((2, 4)), attributions)


def test_wrong_labels_are_marked():
    display = TimestepLabelsDisplay.from_predictions(list("aabbb"), list("abbca"))
    tracks = [
        [tuple(path.get_extents().bounds[:3:2]) for path in track.get_paths()]
        for track in display.ax_.collections
    ]
    assert tracks[:2] == [[(-0.5, 2.0)], [(1.5, 3.0)]]  # true a and b: (start, width)
    assert tracks[2] == [(0.5, 1.0), (2.5, 2.0)]  # wrong
    assert tracks[3:] == [[(-0.5, 1.0), (3.5, 1.0)], [(0.5, 2.0)], [(2.5, 1.0)]]  # predicted a to c
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["a", "b", "c"]


def test_probabilities_are_a_map():
    labels = [np.where(x[:, 0] > 0, 1, 0) for x in X]
    model = RNNClassifier(return_sequences=True, **SMALL).fit(X, labels)
    display = TimestepLabelsDisplay.from_estimator(model, X, sample=3)
    assert display.y_true is None
    (mesh,) = display.axes_[1, 0].collections
    assert_allclose(mesh.get_array(), model.predict_proba(X)[3].T)


def test_more_classes_than_colours_differ_in_hatches():
    display = TimestepLabelsDisplay.from_predictions(None, np.arange(20))
    looks = {
        (tuple(track.get_facecolor()[0]), track.get_hatch()) for track in display.ax_.collections
    }
    assert len(looks) == 20


def test_labels_that_cannot_be_drawn():
    with pytest.raises(ValueError, match="y_true and y_pred must be the labels of one sequence"):
        TimestepLabelsDisplay.from_predictions(["a"], ["a", "b"])
    with pytest.raises(ValueError, match=r"none of the classes \['a'\]: \['b'\]"):
        TimestepLabelsDisplay.from_predictions(None, ["a", "b"], classes=["a"])
    with pytest.raises(ValueError, match=r"probabilities has shape \(1, 2\)"):
        TimestepLabelsDisplay.from_predictions(None, ["a", "b"], probabilities=[[0.1, 0.9]])
    model = RNNClassifier(**SMALL).fit(X, Y > 0)
    with pytest.raises(ValueError, match="not one label per timestep"):
        TimestepLabelsDisplay.from_estimator(model, X)


def test_a_forecast_with_its_band():
    y = np.column_stack([Y, -Y, 2 * Y])
    model, low, high = (
        RNNRegressor(**SMALL, loss="quantile", quantile=q).fit(X, y) for q in (0.5, 0.1, 0.9)
    )
    display = ForecastDisplay.from_estimator(
        model, X, y, sample=4, feature=1, lower=low, upper=high.predict(X)
    )
    lines = lines_of(display.ax_)
    assert_array_equal(lines["history"], X[4][:, 1])
    assert_allclose(lines["forecast"], model.predict(X)[4])
    assert_array_equal(lines["truth"], y[4])
    assert_allclose(display.lower, low.predict(X)[4])
    assert_allclose(display.upper, high.predict(X)[4])
    assert "band" in {text.get_text() for text in display.ax_.get_legend().get_texts()}


@pytest.mark.parametrize("n_ahead", [None, 1, 3], ids=str)
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_forecast_of_several_quantiles(n_ahead, wrapped):
    y = Y if n_ahead is None else np.column_stack([Y, -Y, 2 * Y][:n_ahead])
    model = RNNRegressor(**SMALL, loss="quantile", quantile=[0.1, 0.4, 0.9])
    model = InstanceNormalizedRegressor(model, target=0) if wrapped else model
    display = ForecastDisplay.from_estimator(model.fit(X, y), X, y, sample=4)
    low, median, high = model.predict(X)[4].reshape(-1, 3).T
    assert_allclose(lines_of(display.ax_)["forecast"], median)
    assert_allclose(display.lower, low)
    assert_allclose(display.upper, high)
    others = {"lower": np.tile(low - 1, (len(X), 1)), "upper": np.tile(high + 1, (len(X), 1))}
    display = ForecastDisplay.from_estimator(model, X, sample=4, **others)
    assert_allclose(display.lower, low - 1)
    unused = RNNRegressor(**SMALL, quantile=[0.1, 0.9]).fit(X, y)  # its loss is another
    display = ForecastDisplay.from_estimator(unused, X, sample=4)
    assert_allclose(display.forecast, np.atleast_1d(unused.predict(X)[4]))
    assert display.lower is None


def test_a_forecast_of_one_value_at_dates():
    times = np.arange("2024-01", "2024-05", dtype="datetime64[M]")
    display = ForecastDisplay.from_predictions(
        [4.0], history=[1.0, 2.0, 3.0], lower=[3.0], upper=[5.0], times=times
    )
    line = next(line for line in display.ax_.get_lines() if line.get_label() == "forecast")
    assert line.get_xdata().tolist() == times[3:].tolist()
    assert display.ax_.collections[0].get_paths()[0].get_extents().height == 2
    display.figure_.canvas.draw()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lower": [1.0, 2.0]}, "lower and upper are the sides of the band: give both"),
        ({"truth": [1.0]}, r"truth .* must have the shape \(2,\)"),
        ({"history": [[1.0]]}, r"history .* must have the shape \(1,\)"),
        ({"times": [1.0, 2.0], "history": [3.0]}, r"times .* must have the shape \(3,\)"),
    ],
)
def test_forecasts_that_cannot_be_drawn(options, words):
    with pytest.raises(ValueError, match=words):
        ForecastDisplay.from_predictions([1.0, 2.0], **options)


def test_a_feature_that_does_not_exist():
    model = RNNRegressor(**SMALL).fit(X, Y)
    with pytest.raises(ValueError, match="feature=2, but X has 2 features"):
        ForecastDisplay.from_estimator(model, X, feature=2)


def test_hidden_states_by_number_and_by_peak():
    states = np.array([[0.1, -0.9, 0.0], [0.8, 0.2, 0.1], [0.3, 0.1, -0.2]])
    display = HiddenStatesDisplay.from_states(states)
    assert_array_equal(display.ax_.collections[0].get_array(), states.T)
    display.plot(order="peak")
    assert display.order_.tolist() == [1, 0, 2]
    assert_array_equal(display.ax_.collections[0].get_array(), states[:, [1, 0, 2]].T)
    with pytest.raises(ValueError, match=r"\(n_timesteps, n_units\), of one sequence"):
        HiddenStatesDisplay.from_states(states[0])
    with pytest.raises(ValueError, match="finite"):
        HiddenStatesDisplay.from_states(states * np.nan)
    with pytest.raises(ValueError, match="order='name' is not one of"):
        HiddenStatesDisplay.from_states(states, order="name")


class TestForecastsOfSeveralOutputs:
    """Targets (n_samples, horizon, n_outputs): one of the outputs is drawn."""

    X, y = sliding_windows(np.sin(np.arange(120.0).reshape(60, 2) / 9), 10, horizon=3)

    def model(self, **parameters):
        return RNNRegressor(hidden_size=2, max_iter=2, random_state=0, **parameters)

    @pytest.mark.parametrize("output", [0, 1, -1])
    def test_one_is_drawn(self, output):
        model = self.model().fit(self.X, self.y)
        display = ForecastDisplay.from_estimator(
            model, self.X, self.y, sample=4, output=output, lower=self.y - 1, upper=self.y + 1
        )
        assert_allclose(display.forecast, model.predict(self.X)[4, :, output])
        assert_allclose(display.truth, self.y[4, :, output])
        assert_allclose(display.upper, self.y[4, :, output] + 1)

    def test_quantiles(self):
        model = self.model(loss="quantile", quantile=[0.1, 0.5, 0.9]).fit(self.X, self.y)
        display = ForecastDisplay.from_estimator(model, self.X, sample=4, output=1)
        predicted = model.predict(self.X)[4, :, 1].T
        for actual, expected in zip(
            (display.lower, display.forecast, display.upper), predicted, strict=True
        ):
            assert_allclose(actual, expected)

    @pytest.mark.parametrize("options", [{}, {"loss": "quantile", "quantile": [0.2, 0.8]}])
    @pytest.mark.parametrize(
        ("output", "error", "message"),
        [
            (None, ValueError, "There are 2 outputs at each timestep: give the number of one"),
            (2, ValueError, "output=2, but there are 2 outputs"),
            (1.0, TypeError, "output must be an integer"),
        ],
    )
    def test_refusals(self, options, output, error, message):
        model = self.model(**options).fit(self.X, self.y)
        with pytest.raises(error, match=message):
            ForecastDisplay.from_estimator(model, self.X, output=output)

    @pytest.mark.parametrize("options", [{}, {"loss": "quantile", "quantile": [0.2, 0.8]}])
    def test_there_are_none(self, options):
        model = self.model(**options).fit(self.X, self.y[:, :, 0])
        with pytest.raises(ValueError, match="output=0, but there is one value for each timestep"):
            ForecastDisplay.from_estimator(model, self.X, output=0)
