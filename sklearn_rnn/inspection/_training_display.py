"""A picture of training: losses, scores, learning rates and gradient norms by epoch."""

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._fitted import FittedNetwork
from sklearn_rnn._input.errors import describe
from sklearn_rnn._input.hyperparameters import check_choice
from sklearn_rnn.inspection._drawing import (
    BLACK,
    BLUE,
    GREY,
    VERMILION,
    axes_grid,
    count_on,
    marker_for,
    pyplot,
)

# From a panel's name to its label, and to its curves: of what, in which history, and how drawn.
TRAINING = {"color": BLUE, "label": "training"}
VALIDATION = {"color": VERMILION, "linestyle": "--", "label": "validation"}
PANELS = {
    "loss": ("Loss", {"loss": TRAINING, "validation_loss": VALIDATION}),
    "score": ("Validation\nscore", {"validation_score": VALIDATION}),
    "learning_rate": ("Learning\nrate", {"learning_rate": {"color": BLACK}}),
    "gradient_norm": ("Gradient\nnorm", {"gradient_norm": {"color": BLACK}}),
}

FROM_ZERO = ("learning_rate", "gradient_norm")  # otherwise small changes would look large

# From this ratio of the largest to the smallest value on, an axis is logarithmic.
LOGARITHMIC = 20


class TrainingDisplay:
    """Draws how training went, epoch by epoch.

    The panels stand one below the other, several fits side by side. Make one by `from_estimator` or
    `from_estimators`.

    Parameters
    ----------
    histories : dict of str to `~sklearn.utils.Bunch`
        For the name of each fit, its curves: ``loss``, ``validation_loss``, ``validation_score``,
        ``learning_rate`` and ``gradient_norm``, arrays with one value per epoch, or empty ones; and
        ``kept``, the epoch whose weights were kept, counted from 1.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, shape (n_panels, n_fits)
        The axes.
    ax_ : matplotlib Axes
        The first of them.
    figure_ : matplotlib Figure
        The figure of the axes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNRegressor
    >>> from sklearn_rnn.inspection import TrainingDisplay
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 5, 1))
    >>> model = RNNRegressor(hidden_size=4, learning_rate_init=0.05, tol=0.01, random_state=0)
    >>> model.fit(X, X.sum(axis=(1, 2)))
    RNNRegressor(...)
    >>> display = TrainingDisplay.from_estimator(model, panels=["loss", "score"])
    >>> display.axes_.shape  # two panels of one fit
    (2, 1)
    """

    def __init__(self, *, histories):
        self.histories = histories

    @classmethod
    def from_estimator(cls, estimator, *, panels=("loss",), ax=None):
        """Draw the training of one estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted `RNNRegressor` or `RNNClassifier`, or a pipeline, a search or another
            meta-estimator with one inside.
        panels : str or list of str, default=("loss",)
            What to draw: "loss", "score" (on the validation data), "learning_rate" and
            "gradient_norm".
        ax : matplotlib Axes or array of Axes, default=None
            Axes that the panels divide among themselves, or one for each panel. None makes a new
            figure.

        Returns
        -------
        display : TrainingDisplay
            The display.

        Raises
        ------
        ValueError, TypeError
            If an argument can't be used, or if training left nothing for a panel to draw.
        ImportError
            If matplotlib is missing.
        """
        return cls.from_estimators({"": estimator}, panels=panels, ax=ax)

    @classmethod
    def from_estimators(cls, estimators, *, panels=("loss",), ax=None):
        """Draw the training of several estimators side by side.

        Parameters
        ----------
        estimators : dict of str to estimator, or list of estimators
            The fitted estimators and their names. A list, such as ``cross_validate(...,
            return_estimator=True)["estimator"]``, is numbered: "fit 1", "fit 2" and so on.
        panels : str or list of str, default=("loss",)
            As in `from_estimator`.
        ax : matplotlib Axes or array of Axes, default=None
            Axes that the pictures divide among themselves, or one for each panel and estimator.
            None makes a new figure.

        Returns
        -------
        display : TrainingDisplay
            The display.

        Raises
        ------
        ValueError, TypeError
            As `from_estimator`.
        ImportError
            If matplotlib is missing.
        """
        pyplot(cls.__name__)
        if not isinstance(estimators, Mapping):
            if not isinstance(estimators, Sequence):
                raise TypeError(
                    "estimators must be a dict or a list of fitted estimators, not "
                    f"{describe(estimators)}."
                )
            estimators = {f"fit {k}": estimator for k, estimator in enumerate(estimators, start=1)}
        if not estimators:
            raise ValueError("estimators is empty: there must be at least one.")
        histories = {name: history_of(estimator) for name, estimator in estimators.items()}
        return cls(histories=histories).plot(ax, panels=panels)

    def plot(self, ax=None, *, panels=("loss",)):
        """Draw the training.

        Parameters
        ----------
        ax : matplotlib Axes or array of Axes, default=None
            As in `from_estimators`.
        panels : str or list of str, default=("loss",)
            As in `from_estimator`. A panel with values that differ by a factor of 20 or more has a
            logarithmic axis.

        Returns
        -------
        self : TrainingDisplay
            The display.

        Raises
        ------
        ValueError, TypeError
            As `from_estimator`.
        ImportError
            If matplotlib is missing.
        """
        names = [panels] if isinstance(panels, str) else list(panels)
        if not names:
            raise ValueError(f"panels is empty: give some of {', '.join(map(repr, PANELS))}.")
        for name in names:
            check_choice("panels", name, PANELS)
            if not any(len(h[curve]) for h in self.histories.values() for curve in PANELS[name][1]):
                raise ValueError(
                    f"panels has {name!r}, but training left nothing of the kind: there were no "
                    "validation data, or the solver has no learning rate."
                )
        shape = len(names), len(self.histories)
        self.axes_ = axes_grid(
            ax,
            type(self).__name__,
            shape,
            (max(6.4, 2.6 * shape[1]), 0.9 + 2.3 * shape[0]),
            sharex="col",
            sharey="row",
        )
        self.ax_ = self.axes_[0, 0]
        self.figure_ = self.ax_.figure
        for axes, (title, history) in zip(self.axes_.T, self.histories.items(), strict=True):
            if title:
                axes[0].set_title(f"{title}\nkept: {history.kept}", fontsize="medium")
            for axis, name in zip(axes, names, strict=True):
                _draw_panel(axis, name, history)
            axes[-1].set_xlabel("Epoch")
        for row, name in zip(self.axes_, names, strict=True):
            row[0].set_ylabel(PANELS[name][0])
            curves = [h[curve] for h in self.histories.values() for curve in PANELS[name][1]]
            if _spans_magnitudes(np.concatenate(curves)):
                row[0].set_yscale("log")  # for the whole row, which shares it
            elif name in FROM_ZERO:
                row[0].set_ylim(bottom=0)
        self.figure_.align_ylabels(self.axes_[:, 0])
        self._add_legend()
        return self

    def _add_legend(self) -> None:
        """Say what the curves are: within one panel, or below several, which may be small."""
        handles, labels = self.ax_.get_legend_handles_labels()
        if list(self.histories) == [""]:
            labels[-1] += f": epoch {self.histories[''].kept}"
        options = {"handles": handles, "labels": labels, "frameon": False, "handlelength": 1.6}
        layout = self.figure_.get_layout_engine()
        if self.axes_.size > 1 and getattr(layout, "adjust_compatible", True) is False:
            self.figure_.legend(loc="outside lower center", ncols=len(labels), **options)
        else:
            self.ax_.legend(**options)


def _draw_panel(ax, name: str, history: Bunch) -> None:
    for curve, style in PANELS[name][1].items():
        values = history[curve]
        epochs = np.arange(1, len(values) + 1)
        if len(values):
            ax.plot(epochs, values, **style, **marker_for(len(values)))
    ax.axvline(history.kept, color=GREY, linestyle=":", label="kept")
    count_on(ax.xaxis)


def _spans_magnitudes(values: np.ndarray) -> bool:
    values = values[np.isfinite(values)]
    return len(values) > 0 and values.min() > 0 and values.max() > LOGARITHMIC * values.min()


def history_of(estimator) -> Bunch:
    """Return the curves of a fitted estimator, or of the one inside."""
    network = _network_in(estimator)
    stops_early = network._progress.judge not in ("loss", "")
    curves = {
        "loss": network.loss_curve_,
        "validation_loss": network.validation_loss_curve_,
        "validation_score": network.validation_scores_,
        "learning_rate": network.learning_rates_,
        "gradient_norm": network.gradient_norms_,
    }
    return Bunch(
        **{name: np.asarray(values or [], dtype=float) for name, values in curves.items()},
        kept=network.best_iteration_ if stops_early else network.n_iter_,
    )


def _network_in(estimator) -> FittedNetwork:
    """Return the fitted network in pipelines, searches and regressors of converted targets."""
    outer = estimator
    while not isinstance(estimator, FittedNetwork):
        if hasattr(estimator, "steps"):
            estimator = estimator.steps[-1][1]
            continue
        inside = ("best_estimator_", "estimator_", "regressor_")
        found = [name for name in inside if hasattr(estimator, name)]
        if not found:
            raise TypeError(
                f"estimator must be a fitted RNNRegressor or RNNClassifier, or have one inside; "
                f"got {describe(outer)}."
            )
        estimator = getattr(estimator, found[0])
    check_is_fitted(estimator)
    return estimator
