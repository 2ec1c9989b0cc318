"""A picture of the labels of a sequence's timesteps, true and predicted."""

from typing import Any

import numpy as np

from sklearn_rnn._input.errors import describe
from sklearn_rnn.inspection._drawing import (
    BLACK,
    OF_CLASSES,
    axes_grid,
    count_on,
    pyplot,
    sample_of,
)

# Classes beyond the number of colours have the same colours again, with these hatches.
HATCHES = ("", "///", "...", "xxx", "+++", "ooo")


class TimestepLabelsDisplay:
    """Draws the true and the predicted labels of a sequence as tracks, with probabilities below.

    Each run of equal labels is a bar with its class's colour. Where the two differ, there is a
    black bar on the track "wrong". Make one by `from_estimator` or `from_predictions`.

    Parameters
    ----------
    y_pred : ndarray of shape (n_timesteps,)
        The predicted labels.
    y_true : ndarray of shape (n_timesteps,), default=None
        The true labels, if they are known.
    probabilities : ndarray of shape (n_timesteps, n_classes), default=None
        The probabilities of the classes, if they are to be drawn.
    classes : ndarray of shape (n_classes,), default=None
        The classes, in the order of the probabilities. None takes those among the labels.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, shape (2, 1) or (1, 1)
        The axes of the tracks and, if there are any, of the probabilities.
    ax_ : matplotlib Axes
        The axes of the tracks.
    figure_ : matplotlib Figure
        The figure of the axes.

    Examples
    --------
    >>> from sklearn_rnn.inspection import TimestepLabelsDisplay
    >>> display = TimestepLabelsDisplay.from_predictions(list("aabb"), list("abbb"))
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['true', 'wrong', 'predicted']
    """

    def __init__(self, *, y_pred, y_true=None, probabilities=None, classes=None):
        self.y_pred = y_pred
        self.y_true = y_true
        self.probabilities = probabilities
        self.classes = classes

    @classmethod
    def from_estimator(cls, estimator, X, y=None, *, sample=0, ax=None):
        """Predict the labels of one sequence, and draw them.

        Parameters
        ----------
        estimator : estimator
            A fitted classifier, or a pipeline, that predicts a label for every timestep. The
            probabilities are drawn if it has ``predict_proba``.
        X : array-like or list of arrays
            The sequences.
        y : array-like or list of arrays, default=None
            The true labels of all sequences, if they are known.
        sample : int, default=0
            The number of the sequence in X.
        ax : matplotlib Axes or array of two Axes, default=None
            Axes that the tracks and the probabilities divide among themselves, or one for each.
            None makes a new figure.

        Returns
        -------
        display : TimestepLabelsDisplay
            The display.

        Raises
        ------
        ValueError, TypeError
            If X has no such sequence, or if the estimator doesn't label every timestep.
        ImportError
            If matplotlib is missing.
        """
        pyplot(cls.__name__)
        one, length = sample_of(X, sample)
        y_pred = estimator.predict(one)[0]
        if np.ndim(y_pred) != 1:
            raise ValueError(
                f"{type(estimator).__name__} predicts {describe(y_pred)} for a sequence, not one "
                "label per timestep: RNNClassifier does with return_sequences=True."
            )
        probabilities = None
        if hasattr(estimator, "predict_proba"):
            probabilities = np.asarray(estimator.predict_proba(one)[0])[:length]
        return cls.from_predictions(
            None if y is None else np.asarray(y[sample])[:length],
            np.asarray(y_pred)[:length],
            probabilities=probabilities,
            classes=estimator.classes_,
            ax=ax,
        )

    @classmethod
    def from_predictions(cls, y_true, y_pred, *, probabilities=None, classes=None, ax=None):
        """Draw labels that were predicted before.

        Parameters
        ----------
        y_true : array-like of shape (n_timesteps,) or None
            The true labels of a sequence, if they are known.
        y_pred : array-like of shape (n_timesteps,)
            The predicted labels.
        probabilities : array-like of shape (n_timesteps, n_classes), default=None
            The probabilities of the classes.
        classes : array-like of shape (n_classes,), default=None
            The classes, in the order of the probabilities. None takes those among the labels,
            sorted.
        ax : matplotlib Axes or array of Axes, default=None
            As in `from_estimator`.

        Returns
        -------
        display : TimestepLabelsDisplay
            The display.

        Raises
        ------
        ValueError
            If the lengths differ, or if there are labels that are none of the classes.
        ImportError
            If matplotlib is missing.
        """
        y_pred = np.asarray(y_pred)
        y_true = None if y_true is None else np.asarray(y_true)
        labels = y_pred if y_true is None else np.concatenate([y_pred, y_true])
        classes = np.unique(labels) if classes is None else np.asarray(classes)
        if y_pred.ndim != 1 or (y_true is not None and y_true.shape != y_pred.shape):
            raise ValueError(
                "y_true and y_pred must be the labels of one sequence, (n_timesteps,); got "
                f"{describe(y_true)} and {describe(y_pred)}."
            )
        unknown = set(labels.tolist()) - set(classes.tolist())
        if unknown:
            raise ValueError(
                f"There are labels that are none of the classes {classes.tolist()}: "
                f"{sorted(unknown, key=repr)}."
            )
        if probabilities is not None:
            probabilities = np.asarray(probabilities)
            if probabilities.shape != (len(y_pred), len(classes)):
                raise ValueError(
                    f"probabilities has shape {probabilities.shape}, but there are {len(y_pred)} "
                    f"timesteps and {len(classes)} classes."
                )
        display = cls(y_pred=y_pred, y_true=y_true, probabilities=probabilities, classes=classes)
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw the labels.

        Parameters
        ----------
        ax : matplotlib Axes or array of Axes, default=None
            As in `from_estimator`.

        Returns
        -------
        self : TimestepLabelsDisplay
            The display.

        Raises
        ------
        ValueError
            If `ax` can't be used.
        ImportError
            If matplotlib is missing.
        """
        with_probabilities = self.probabilities is not None
        heights = [0.4 + 0.4 * (1 if self.y_true is None else 2.5)]
        if with_probabilities:
            heights.append(0.2 + 0.22 * len(self.classes))
        self.axes_ = axes_grid(
            ax,
            type(self).__name__,
            (len(heights), 1),
            (6.4, 1 + sum(heights)),
            sharex=True,
            gridspec_kw={"height_ratios": heights},
        )
        self.ax_ = self.axes_[0, 0]
        self.figure_ = self.ax_.figure
        self._draw_tracks(self.ax_)
        if with_probabilities:
            self._draw_probabilities(self.axes_[1, 0])
        else:
            self._add_legend(self.ax_)
        last = self.axes_[-1, 0]
        last.set_xlim(-0.5, len(self.y_pred) - 0.5)
        count_on(last.xaxis)
        last.set_xlabel("Timestep")
        return self

    def _draw_tracks(self, ax) -> None:
        """Draw the tracks from top to bottom, each of height 1 or, for "wrong", 1/2."""
        places = {"predicted": 0.0}
        if self.y_true is not None:
            places = {"true": 0.0, "wrong": 0.75, "predicted": 1.5}
            self._draw_track(ax, self.y_true, places["true"])
            wrong = self.y_true != self.y_pred
            spans = [(a - 0.5, b - a) for a, b in _runs(wrong) if wrong[a]]
            ax.broken_barh(spans, (0.55, 0.4), facecolor=BLACK, linewidth=0)
        self._draw_track(ax, self.y_pred, places["predicted"])
        ax.set_yticks(list(places.values()), list(places))
        ax.set_ylim(places["predicted"] + 0.5, -0.5)
        ax.tick_params(axis="y", length=0)

    def _draw_track(self, ax, labels: np.ndarray, place: float) -> None:
        runs = _runs(labels)
        for number, label in enumerate(self.classes):
            spans = [(a - 0.5, b - a) for a, b in runs if labels[a] == label]
            if spans:
                ax.broken_barh(spans, (place - 0.42, 0.84), **_look(number))

    def _add_legend(self, ax) -> None:
        """Name the classes above the tracks, in as many columns as have room."""
        from matplotlib.font_manager import FontProperties
        from matplotlib.patches import Patch

        names = [str(label) for label in self.classes.tolist()]
        inches = FontProperties().get_size_in_points() / 72
        width = (3 + 0.6 * max(map(len, names))) * inches
        room = 0.8 * ax.get_window_extent().width / ax.figure.dpi
        ax.legend(
            handles=[Patch(**_look(number), label=name) for number, name in enumerate(names)],
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=max(1, min(len(names), int(room / width))),
            frameon=False,
            handlelength=1.2,
            columnspacing=1,
            borderaxespad=0.2,
        )

    def _draw_probabilities(self, ax) -> None:
        """Draw a map of the probabilities. The classes' colours stand beside their names."""
        from matplotlib.font_manager import FontProperties
        from matplotlib.patches import Rectangle

        n_timesteps, n_classes = self.probabilities.shape
        image = ax.pcolormesh(
            np.arange(n_timesteps + 1) - 0.5,
            np.arange(n_classes + 1) - 0.5,
            self.probabilities.T,
            cmap="Greys",
            vmin=0,
            vmax=1,
        )
        inches = ax.get_window_extent().width / ax.figure.dpi
        size = 0.12 / inches  # of the coloured patches
        for number in range(n_classes):
            patch = Rectangle((-1.3 * size, number - 0.4), size, 0.8, **_look(number))
            patch.set(transform=ax.get_yaxis_transform(), clip_on=False)
            ax.add_patch(patch)
        ax.set_yticks(range(n_classes), self.classes.tolist())
        row_height = ax.get_window_extent().height / ax.figure.dpi * 72 / n_classes
        size = min(FontProperties(size="medium").get_size_in_points(), 0.75 * row_height)
        ax.tick_params(axis="y", length=0, pad=14, labelsize=size)
        ax.set_ylim(n_classes - 0.5, -0.5)
        ax.figure.colorbar(image, ax=list(self.axes_[:, 0]), label="Probability", aspect=30)


def _look(number: int) -> dict[str, Any]:
    """Return the options of a patch for a class: its colour and hatch."""
    repeats, place = divmod(number, len(OF_CLASSES))
    hatch = HATCHES[repeats % len(HATCHES)]
    return {"facecolor": OF_CLASSES[place], "hatch": hatch, "edgecolor": "white", "linewidth": 0}


def _runs(labels: np.ndarray) -> list[tuple[int, int]]:
    """Return the (start, end) of each run of equal labels."""
    starts = [0, *(np.flatnonzero(labels[1:] != labels[:-1]) + 1).tolist()]
    return list(zip(starts, [*starts[1:], len(labels)], strict=True))
