"""What all displays have in common: axes, figures, samples, names, and room."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch

from sequences import CONTAINERS, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.inspection import (
    AttributionDisplay,
    ForecastDisplay,
    HiddenStatesDisplay,
    PermutationImportanceDisplay,
    TimestepLabelsDisplay,
    TrainingDisplay,
)

plt = pytest.importorskip("matplotlib.pyplot")
plt.switch_backend("Agg")  # no test needs a screen

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

PRINT, SCREEN = (3.3, 2.4), (6.4, 4.8)  # inches
SMALL = {"hidden_size": 2, "max_iter": 3, "random_state": 0}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def numbers(*shape):
    return np.random.default_rng(0).standard_normal(shape)


def importances(*shape, by):
    steps = np.arange(shape[-1])
    return Bunch(
        importances=numbers(*shape, 5),
        importances_mean=numbers(*shape),
        importances_std=np.abs(numbers(*shape)),
        by=by,
        starts=steps,
        ends=steps + 1,
        n_sequences=steps[::-1] + 1,
    )


def draw_training(n, ax):
    curves = ("loss", "validation_loss", "validation_score", "learning_rate", "gradient_norm")
    history = Bunch(**{name: np.abs(numbers(n)) + 0.1 for name in curves}, kept=n)
    return TrainingDisplay(histories={"": history}).plot(ax)


def draw_labels(n, ax):
    labels = np.resize(list("abcc"), n)
    probabilities = np.abs(numbers(n, 3)) / 10
    return TimestepLabelsDisplay.from_predictions(
        labels, labels[::-1], probabilities=probabilities, classes=list("abc"), ax=ax
    )


def draw_forecast(n, ax):
    ahead = numbers(3)
    return ForecastDisplay.from_predictions(
        ahead, history=numbers(n), truth=-ahead, lower=ahead - 1, upper=ahead + 1, ax=ax
    )


DRAW = {
    "training": draw_training,
    "features": lambda n, ax: PermutationImportanceDisplay.from_importances(
        importances(n, by="feature"), ax=ax
    ),
    "timesteps": lambda n, ax: PermutationImportanceDisplay.from_importances(
        importances(n, by="timestep"), ax=ax
    ),
    "blocks": lambda n, ax: PermutationImportanceDisplay.from_importances(
        importances(n, by="block"), ax=ax
    ),
    "map": lambda n, ax: PermutationImportanceDisplay.from_importances(
        importances(4, n, by=("feature", "timestep")), ax=ax
    ),
    "attribution": lambda n, ax: AttributionDisplay.from_attributions(
        numbers(n, 3), numbers(n, 3), ax=ax
    ),
    "labels": draw_labels,
    "only labels": lambda n, ax: TimestepLabelsDisplay.from_predictions(
        None, np.resize(["walking slowly", "sitting upstairs", "standing", "falling"], n), ax=ax
    ),
    "forecast": draw_forecast,
    "hidden states": lambda n, ax: HiddenStatesDisplay.from_states(
        numbers(n, 20), order="peak", ax=ax
    ),
}


def texts_of(figure):
    """The visible texts of a figure with their boxes, in pixels."""
    figure.canvas.draw()
    texts = figure.findobj(lambda artist: isinstance(artist, plt.Text))
    shown = [text for text in texts if text.get_visible() and text.get_text().strip()]
    # Ticks beyond the limits of an axis exist, but are not drawn.
    return [(text, text.get_window_extent()) for text in shown if not is_hidden_tick(text)]


def is_hidden_tick(text):
    for axis in (axis for ax in text.figure.axes for axis in (ax.xaxis, ax.yaxis)):
        ticks = {*axis.get_major_ticks(), *axis.get_minor_ticks()}
        owners = [tick for tick in ticks if text in (tick.label1, tick.label2)]
        if owners:
            low, high = sorted(axis.get_view_interval())
            slack = 1e-9 * (high - low)
            is_inside = low - slack <= owners[0].get_loc() <= high + slack
            return not (is_inside and axis.axes.axison)
    return False


@pytest.mark.parametrize("n", [3, 300])
@pytest.mark.parametrize("size", [PRINT, SCREEN])
@pytest.mark.parametrize("name", DRAW)
def test_given_axes_are_drawn_on_and_nothing_is_cut_off(name, size, n):
    figure, ax = plt.subplots(figsize=size, layout="constrained")
    with plt.rc_context({"font.size": 8}):
        display = DRAW[name](n, ax)
        assert display.figure_ is figure
        assert plt.get_fignums() == [figure.number]
        if display.ax_ is not ax:  # it was divided
            assert not ax.axison
            assert display.ax_ is display.axes_[0, 0]
        boxes = [box for _, box in texts_of(figure)]
    width, height = figure.canvas.get_width_height()
    assert len(boxes) > 3
    for box in boxes:
        assert box.x0 >= -1
        assert box.y0 >= -1
        assert box.x1 <= width + 1
        assert box.y1 <= height + 1


@pytest.mark.parametrize("n", [3, 300])
@pytest.mark.parametrize("name", DRAW)
def test_names_beside_an_axis_do_not_overlap(name, n):
    _, ax = plt.subplots(figsize=PRINT, layout="constrained")
    with plt.rc_context({"font.size": 8}):
        display = DRAW[name](n, ax)
        texts_of(display.figure_)
        for axes in display.figure_.axes:
            if not axes.axison:
                continue
            labels = [text for text in axes.get_yticklabels() if not is_hidden_tick(text)]
            boxes = sorted((text.get_window_extent() for text in labels), key=lambda box: box.y0)
            for below, above in pairwise(boxes):
                assert below.y1 < above.y0 + 3  # boxes have some air around their letters


@pytest.mark.parametrize("name", DRAW)
def test_a_new_figure_is_made(name):
    display = DRAW[name](5, None)
    assert display.figure_.number in plt.get_fignums()
    assert display.ax_ in display.figure_.axes


def test_an_array_of_axes():
    _, axes = plt.subplots(3, 1)
    display = AttributionDisplay.from_attributions(numbers(4, 3), numbers(4, 3), ax=axes)
    assert display.axes_.ravel().tolist() == axes.tolist()
    display = AttributionDisplay.from_attributions(numbers(4, 5), numbers(4, 5), ax=axes)
    assert display.axes_.shape == (3, 1)  # three of the five features
    with pytest.raises(ValueError, match="ax has 3 axes, but TrainingDisplay draws on 1 x 1"):
        draw_training(5, axes)


def test_axes_that_are_no_subplot_cannot_be_divided():
    ax = plt.figure().add_axes([0, 0, 1, 1])
    with pytest.raises(ValueError, match="ax can't be divided into 2 x 1 axes"):
        draw_labels(4, ax)


@pytest.mark.parametrize("container", CONTAINERS)
def test_one_sequence_of_any_container(container):
    X = ragged(5, 2)
    labels = [np.where(x[:, 0] > 0, "b", "a") for x in X]
    model = RNNClassifier(return_sequences=True, **SMALL).fit(X, labels)
    for sample in (0, 4):
        display = AttributionDisplay.from_estimator(model, CONTAINERS[container](X), sample=sample)
        np.testing.assert_array_equal(display.sequence, X[sample])
        assert np.isfinite(display.attributions).all()
        display = TimestepLabelsDisplay.from_estimator(
            model, CONTAINERS[container](X), CONTAINERS[container](labels), sample=sample
        )
        assert display.y_true.tolist() == labels[sample].tolist()
        assert display.y_pred.tolist() == model.predict([X[sample]])[0].tolist()
        assert display.probabilities.shape == (len(X[sample]), 2)


@pytest.mark.parametrize("as_frame", [False, True])
def test_one_row_of_a_table(as_frame):
    table = numbers(6, 5)
    X = pd.DataFrame(table, columns=[f"lag_{k}" for k in range(5)]) if as_frame else table
    model = RNNRegressor(**SMALL).fit(X, table[:, :2])
    display = AttributionDisplay.from_estimator(model, X, sample=2, output=1)
    np.testing.assert_array_equal(display.sequence[:, 0], table[2])
    assert display.feature_names == ["x0"]
    display = ForecastDisplay.from_estimator(model, X, sample=2)
    np.testing.assert_array_equal(display.history, table[2])


@pytest.mark.parametrize(
    ("sample", "error", "words"),
    [
        (5, ValueError, "sample=5, but X has 5 sequences"),
        (-1, ValueError, "sample=-1, but X has 5"),
        (1.0, TypeError, "sample must be an integer"),
    ],
)
def test_samples_that_are_refused(sample, error, words):
    X = ragged(5, 2)
    model = RNNRegressor(**SMALL).fit(X, range(5))
    for display in (AttributionDisplay, ForecastDisplay, TimestepLabelsDisplay):
        with pytest.raises(error, match=words):
            display.from_estimator(model, X, sample=sample)


def test_names_of_features():
    frames = [pd.DataFrame(x, columns=["wind", "rain"]) for x in ragged(5, 2)]
    model = RNNRegressor(**SMALL).fit(frames, range(5))
    display = AttributionDisplay.from_estimator(model, frames)
    assert [ax.get_ylabel() for ax in display.axes_[:, 0]] == ["wind", "rain"]
    display = PermutationImportanceDisplay.from_estimator(model, frames, range(5))
    assert {label.get_text() for label in display.ax_.get_yticklabels()} == {"wind", "rain"}
    display = AttributionDisplay.from_attributions(frames[0], np.zeros(frames[0].shape))
    assert display.feature_names == ["wind", "rain"]
    display = AttributionDisplay.from_estimator(model, frames, feature_names=["a", "b"])
    assert display.feature_names == ["a", "b"]
    with pytest.raises(ValueError, match="feature_names has 1 names, but there are 2 features"):
        AttributionDisplay.from_estimator(model, frames, feature_names=["a"])
