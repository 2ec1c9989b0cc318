"""A picture of a sequence with what each of its values did."""

from numbers import Integral

import numpy as np

from sklearn_rnn._input.hyperparameters import check_number_or
from sklearn_rnn.inspection._drawing import (
    BLACK,
    CURVE_HEIGHT,
    axes_grid,
    count_on,
    feature_names_for,
    first_of,
    marker_for,
    pyplot,
    rows_that_fit,
    sample_of,
    signed_colors,
    values_of,
)
from sklearn_rnn.inspection._input_gradients import input_gradients

MAX_FEATURES = 8  # in a new figure


class AttributionDisplay:
    """Draws a sequence on top of its attributions, one feature below the other.

    The line is the feature. The colour behind it is the attribution of each timestep: orange where
    the value raises the prediction, purple where it lowers it. Make one by `from_estimator` or
    `from_attributions`.

    Parameters
    ----------
    sequence : ndarray of shape (n_timesteps, n_features)
        The sequence.
    attributions : ndarray of shape (n_timesteps, n_features)
        Its attributions.
    feature_names : list of str
        The names of the features.
    label : str, default="Attribution"
        What the attributions are, for the colour bar.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, shape (n_shown, 1)
        The axes, one for each feature that is shown.
    ax_ : matplotlib Axes
        The first of them.
    figure_ : matplotlib Figure
        The figure of the axes.

    See Also
    --------
    input_gradients : Computes what is drawn.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNRegressor
    >>> from sklearn_rnn.inspection import AttributionDisplay
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 5, 2))
    >>> model = RNNRegressor(hidden_size=4, learning_rate_init=0.05, tol=0.01, random_state=0)
    >>> model.fit(X, X[:, 2, 1])
    RNNRegressor(...)
    >>> display = AttributionDisplay.from_estimator(
    ...     model, X, method="integrated", baseline=model.X_mean_
    ... )
    >>> [ax.get_ylabel() for ax in display.axes_[:, 0]]
    ['x0', 'x1']
    """

    def __init__(self, *, sequence, attributions, feature_names, label="Attribution"):
        self.sequence = sequence
        self.attributions = attributions
        self.feature_names = feature_names
        self.label = label

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        sample=0,
        method="gradient",
        feature_names=None,
        ax=None,
        **options,
    ):
        """Compute the attributions of one sequence, and draw them.

        Parameters
        ----------
        estimator, X
            As in `input_gradients`.
        sample : int, default=0
            The number of the sequence in X.
        method : {"gradient", "gradient_x_input", "integrated"}, default="gradient"
            As in `input_gradients`.
        feature_names : list of str, default=None
            The names of the features. None takes those of DataFrames in X, or x0, x1 and so on.
        ax : matplotlib Axes or array of Axes, default=None
            Axes that the features divide among themselves, or one for each. None makes a new
            figure.
        **options
            The other arguments of `input_gradients`. A ``baseline`` of sequences is like X.

        Returns
        -------
        display : AttributionDisplay
            The display.

        Raises
        ------
        ValueError, TypeError
            As `input_gradients`; also if X has no such sequence.
        ImportError
            If matplotlib is missing.
        """
        pyplot(cls.__name__)
        one, length = sample_of(X, sample)
        attributions = input_gradients(estimator, one, method=method, **options)
        sequence = values_of(first_of(one), length)
        labels = {"gradient": "Gradient", "gradient_x_input": "Gradient × input"}
        return cls.from_attributions(
            sequence,
            values_of(attributions[0], length),
            feature_names=feature_names_for(one, sequence.shape[1], feature_names),
            label=labels.get(method, "Integrated gradient"),
            ax=ax,
        )

    @classmethod
    def from_attributions(
        cls, sequence, attributions, *, feature_names=None, label="Attribution", ax=None
    ):
        """Draw attributions that were computed before, by any method.

        Parameters
        ----------
        sequence : array-like of shape (n_timesteps, n_features) or (n_timesteps,)
            The sequence.
        attributions : array-like of the same shape
            Its attributions.
        feature_names : list of str, default=None
            The names of the features. None takes those of a DataFrame, or x0, x1 and so on.
        label : str, default="Attribution"
            What the attributions are, for the colour bar.
        ax : matplotlib Axes or array of Axes, default=None
            As in `from_estimator`.

        Returns
        -------
        display : AttributionDisplay
            The display.

        Raises
        ------
        ValueError
            If the shapes differ, or the number of names is wrong.
        ImportError
            If matplotlib is missing.
        """
        values = values_of(sequence, len(sequence))
        if np.shape(attributions) not in (np.shape(sequence), values.shape):
            raise ValueError(
                f"attributions has shape {np.shape(attributions)}, but sequence has "
                f"{np.shape(sequence)}: they must be the same."
            )
        display = cls(
            sequence=values,
            attributions=values_of(attributions, len(values)),
            feature_names=feature_names_for([sequence], values.shape[1], feature_names),
            label=label,
        )
        return display.plot(ax)

    def plot(self, ax=None, *, max_features=None):
        """Draw the attributions.

        Parameters
        ----------
        ax : matplotlib Axes or array of Axes, default=None
            As in `from_estimator`.
        max_features : int, default=None
            How many features are shown at most: those with the largest attributions. None shows as
            many as have room on `ax`, and at most 8; if `ax` is an array, one on each axes.

        Returns
        -------
        self : AttributionDisplay
            The display.

        Raises
        ------
        ValueError, TypeError
            If an argument can't be used.
        ImportError
            If matplotlib is missing.
        """
        plt = pyplot(type(self).__name__)
        check_number_or("max_features", max_features, None, (Integral, 1, None, "left"))
        n_features = self.sequence.shape[1]
        most = MAX_FEATURES if ax is None or isinstance(ax, plt.Axes) else np.size(ax)
        n_shown = max_features or rows_that_fit(ax, CURVE_HEIGHT, n_features, most)
        sizes = np.abs(self.attributions)
        largest = np.argsort(-sizes.max(axis=0), kind="stable")[:n_shown]
        shown = np.sort(largest)
        limit = max(sizes.max(), np.finfo(np.float64).tiny)
        n_shown = len(shown)
        self.axes_ = axes_grid(
            ax, type(self).__name__, (n_shown, 1), (6.4, 1.2 + 0.9 * n_shown), sharex=True
        )
        for axis, k in zip(self.axes_[:, 0], shown, strict=True):
            image = self._draw_feature(axis, k, limit)
        count_on(axis.xaxis)
        axis.set_xlabel("Timestep")
        self.ax_ = self.axes_[0, 0]
        self.figure_ = self.ax_.figure
        self.figure_.align_ylabels(self.axes_[:, 0])
        label = self.label
        if n_shown < self.sequence.shape[1]:
            label += f"\n({n_shown} of {self.sequence.shape[1]} features)"
        self.figure_.colorbar(image, ax=list(self.axes_[:, 0]), label=label)
        return self

    def _draw_feature(self, ax, k: int, limit: float):
        """Draw a feature; return the image of its attributions."""
        from matplotlib.patheffects import withStroke

        values, n_timesteps = self.sequence[:, k], len(self.sequence)
        ax.plot(
            values,
            color=BLACK,
            linewidth=1.2,
            path_effects=[withStroke(linewidth=3, foreground="white")],
            **marker_for(n_timesteps),
        )
        bottom, top = ax.get_ylim()
        image = ax.pcolormesh(
            np.arange(n_timesteps + 1) - 0.5,
            [bottom, top],
            self.attributions[np.newaxis, :, k],
            cmap=signed_colors(),
            vmin=-limit,
            vmax=limit,
            zorder=0,
        )
        ax.set_xlim(-0.5, n_timesteps - 0.5)
        ax.set_ylim(bottom, top)
        ax.set_ylabel(self.feature_names[k])
        return image
