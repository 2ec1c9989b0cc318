"""A picture of permutation importances: bars, a curve, or a map."""

from numbers import Integral

import numpy as np

from sklearn_rnn._input.hyperparameters import check_number_or
from sklearn_rnn.inspection._drawing import (
    BLACK,
    BLUE,
    NAME_HEIGHT,
    count_on,
    feature_names_for,
    marker_for,
    one_axes,
    pyplot,
    rows_that_fit,
)
from sklearn_rnn.inspection._permutation_importance import permutation_importance

LABEL = "Loss of score"
MAX_FEATURES = 20  # in a new figure


class PermutationImportanceDisplay:
    """Draws permutation importances.

    Features are bars, timesteps a curve, blocks steps, and both together a map. Make one by
    `from_estimator` or `from_importances`.

    Parameters
    ----------
    result : `~sklearn.utils.Bunch`
        What `permutation_importance` returns (for one scorer).
    feature_names : list of str, default=None
        The names of the features. None makes them x0, x1 and so on.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes with the picture.
    figure_ : matplotlib Figure
        The figure of the axes.
    artists_ : object
        What was drawn: the bars, the curve, the steps or the map.

    See Also
    --------
    permutation_importance : Computes what is drawn.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNRegressor
    >>> from sklearn_rnn.inspection import PermutationImportanceDisplay
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 6, 3))
    >>> y = X[:, 4, 1]
    >>> model = RNNRegressor(hidden_size=4, learning_rate_init=0.05, tol=0.01, random_state=0)
    >>> display = PermutationImportanceDisplay.from_estimator(
    ...     model.fit(X, y), X, y, by="timestep", random_state=0
    ... )
    >>> display.ax_.get_xlabel()
    'Timestep'
    """

    def __init__(self, result, *, feature_names=None):
        self.result = result
        self.feature_names = feature_names

    @classmethod
    def from_estimator(cls, estimator, X, y, *, feature_names=None, ax=None, **options):
        """Compute the importances, and draw them.

        Parameters
        ----------
        estimator, X, y
            As in `permutation_importance`.
        feature_names : list of str, default=None
            The names of the features. None takes those of DataFrames in X, or x0, x1 and so on.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        **options
            The other arguments of `permutation_importance`.

        Returns
        -------
        display : PermutationImportanceDisplay
            The display.

        Raises
        ------
        ValueError, TypeError
            As `permutation_importance`; also if there are several scorers.
        ImportError
            If matplotlib is missing.
        """
        pyplot(cls.__name__)
        result = permutation_importance(estimator, X, y, **options)
        if "importances_mean" not in result:
            raise ValueError(
                f"scoring={options['scoring']!r} has several scorers: give one, or draw each of "
                "the results by from_importances."
            )
        if feature_names is None and "feature" in np.atleast_1d(result.by):
            feature_names = feature_names_for(X, len(result.importances), None)
        return cls.from_importances(result, feature_names=feature_names, ax=ax)

    @classmethod
    def from_importances(cls, result, *, feature_names=None, ax=None):
        """Draw importances that were computed before.

        Parameters
        ----------
        result : `~sklearn.utils.Bunch`
            What `permutation_importance` returns (for one scorer).
        feature_names : list of str, default=None
            The names of the features. None makes them x0, x1 and so on.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        display : PermutationImportanceDisplay
            The display.

        Raises
        ------
        ValueError
            If the number of names is wrong.
        ImportError
            If matplotlib is missing.
        """
        return cls(result, feature_names=feature_names).plot(ax)

    def plot(self, ax=None, *, max_features=None):
        """Draw the importances.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        max_features : int, default=None
            How many bars, or rows of a map, there are at most: those of the most important
            features. None draws as many as have room on `ax`, and at most 20.

        Returns
        -------
        self : PermutationImportanceDisplay
            The display.

        Raises
        ------
        ValueError, TypeError
            If an argument can't be used.
        ImportError
            If matplotlib is missing.
        """
        check_number_or("max_features", max_features, None, (Integral, 1, None, "left"))
        by = self.result.by
        if isinstance(by, str) and by != "feature":
            self.artists_ = self._plot_times(ax)
        else:
            n_features = len(self.result.importances)
            names = feature_names_for([], n_features, self.feature_names)
            n_shown = max_features or rows_that_fit(ax, NAME_HEIGHT, n_features, MAX_FEATURES)
            draw = self._plot_features if by == "feature" else self._plot_map
            self.artists_ = draw(ax, names, n_shown)
        return self

    def _plot_features(self, ax, names: list[str], n_shown: int):
        means = self.result.importances_mean
        order = np.argsort(-means, kind="stable")[:n_shown]
        ax = self._on(one_axes(ax, type(self).__name__, (6.4, 1 + 0.28 * len(order))))
        bars = ax.barh(
            [names[k] for k in order],
            means[order],
            xerr=self.result.importances_std[order],
            color=BLUE,
            ecolor=BLACK,
            capsize=2,
            height=0.7,
        )
        ax.set_ylim(len(order) - 0.4, -0.6)  # the most important one at the top
        ax.axvline(0, color=BLACK, linewidth=0.8)
        ax.set_xlabel(LABEL)
        return bars

    def _plot_times(self, ax):
        result, ax = self.result, self._on(one_axes(ax, type(self).__name__))
        low = result.importances_mean - result.importances_std
        high = result.importances_mean + result.importances_std
        band = {"color": BLUE, "alpha": 0.25, "linewidth": 0}
        if result.by == "timestep":
            ax.fill_between(result.starts, low, high, **band)
            marks = marker_for(len(result.starts))
            (drawn,) = ax.plot(result.starts, result.importances_mean, color=BLUE, **marks)
            ax.set_xlabel("Timestep")
        else:
            ax.stairs(high, self._edges, baseline=low, fill=True, **band)
            drawn = ax.stairs(result.importances_mean, self._edges, baseline=None, color=BLUE, lw=2)
            ax.set_xlabel(f"Timestep (blocks of {result.ends[0] - result.starts[0]})")
        ax.axhline(0, color=BLACK, linewidth=0.8)
        ax.set_ylabel(LABEL)
        count_on(ax.xaxis)
        if result.n_sequences[-1] < result.n_sequences[0]:
            self._show_lengths(ax)
        return drawn

    def _show_lengths(self, ax) -> None:
        """Show above the picture how many sequences have each timestep."""
        n = self.result.n_sequences
        strip = ax.inset_axes([0, 1.03, 1, 0.13], sharex=ax)
        strip.stairs(n, self._edges, fill=True, color="0.75")
        strip.set_ylim(0, n[0])
        strip.set_yticks([n[0]])
        strip.tick_params(axis="x", bottom=False, labelbottom=False)
        strip.set_title("sequences with this timestep", fontsize="small", loc="left", pad=3)

    @property
    def _edges(self) -> np.ndarray:
        """The borders of the parts in time. Timestep t reaches from t - 1/2 to t + 1/2."""
        return np.append(self.result.starts, self.result.ends[-1]) - 0.5

    def _plot_map(self, ax, names: list[str], n_shown: int):
        result = self.result
        largest = np.argsort(-result.importances_mean.max(axis=1), kind="stable")[:n_shown]
        rows = np.sort(largest)
        means = result.importances_mean[rows]
        ax = self._on(one_axes(ax, type(self).__name__, (6.4, 1.2 + 0.28 * len(rows))))
        image = ax.pcolormesh(
            self._edges,
            np.arange(len(rows) + 1) - 0.5,
            means,
            cmap="Blues",
            vmin=0,  # what is below zero is noise
            vmax=max(means.max(), np.finfo(np.float64).tiny),
        )
        ax.set_yticks(range(len(rows)), [names[k] for k in rows])
        ax.invert_yaxis()
        size = result.ends[0] - result.starts[0]
        ax.set_xlabel("Timestep" if "timestep" in result.by else f"Timestep (blocks of {size})")
        count_on(ax.xaxis)
        ax.figure.colorbar(image, ax=ax, label=LABEL)
        return image

    def _on(self, ax):
        """Remember the axes, and return them."""
        self.ax_, self.figure_ = ax, ax.figure
        return ax
