"""A picture of a forecast: the history, the forecast with its band, and what came."""

from numbers import Integral

import numpy as np

from sklearn_rnn._input.errors import describe
from sklearn_rnn.core.heads import nearest_to_median
from sklearn_rnn.inspection._drawing import (
    BLACK,
    BLUE,
    VERMILION,
    count_on,
    first_of,
    marker_for,
    one_axes,
    pyplot,
    sample_of,
    show_dates,
    values_of,
)
from sklearn_rnn.preprocessing._target_regressor import quantiles_said_by


class ForecastDisplay:
    """Draws a series, its forecast, a band around the forecast, and what came.

    Make one by `from_estimator` or `from_predictions`.

    Parameters
    ----------
    forecast : ndarray of shape (horizon,)
        The forecast.
    history : ndarray of shape (n_timesteps,), default=None
        The series up to the forecast.
    truth : ndarray of shape (horizon,), default=None
        What came.
    lower, upper : ndarray of shape (horizon,), default=None
        The band.
    times : ndarray of shape (n_timesteps + horizon,), default=None
        The times of history and forecast: numbers or dates. None counts timesteps from the start of
        the history.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure of the axes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.inspection import ForecastDisplay
    >>> display = ForecastDisplay.from_predictions(
    ...     [4.0, 5.0], history=[1.0, 2.0, 3.0], lower=[3.5, 4.0], upper=[4.5, 6.0]
    ... )
    >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
    ['history', 'forecast', 'band']
    """

    def __init__(self, *, forecast, history=None, truth=None, lower=None, upper=None, times=None):
        self.forecast = forecast
        self.history = history
        self.truth = truth
        self.lower = lower
        self.upper = upper
        self.times = times

    @classmethod
    def from_estimator(  # noqa: PLR0913 (all that is drawn)
        cls,
        estimator,
        X,
        y=None,
        *,
        sample=0,
        feature=0,
        output=None,
        lower=None,
        upper=None,
        times=None,
        ax=None,
    ):
        """Forecast what follows a sequence, and draw it.

        Parameters
        ----------
        estimator : estimator
            A fitted regressor, or a pipeline, whose outputs are the next values of a feature, as
            `~sklearn_rnn.preprocessing.sliding_windows` makes them. Of several quantiles, the one
            next to the median is the forecast, and the outermost ones are the band.
        X : array-like or list of arrays
            The sequences.
        y : array-like of shape (n_samples, horizon) or (n_samples, horizon, n_outputs), \
                default=None
            What came after each sequence.
        sample : int, default=0
            The number of the sequence in X.
        feature : int, default=0
            The number of the feature that is forecast.
        output : int, default=None
            The number of the output to draw, if there are several at each timestep ahead: y,
            predictions and band then have an axis for it, after the one for the horizon.
        lower, upper : estimator or array-like of shape (n_samples, horizon), default=None
            The band: what two estimators predict for X, or what was predicted before. None is the
            estimator's own band, if it predicts several quantiles.
        times : array-like of shape (n_timesteps + horizon,), default=None
            The times of the sequence and its forecast: numbers or dates.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        display : ForecastDisplay
            The display.

        Raises
        ------
        ValueError, TypeError
            If an argument can't be used, or the shapes don't fit.
        ImportError
            If matplotlib is missing.
        """
        pyplot(cls.__name__)
        one, length = sample_of(X, sample)
        values = values_of(first_of(one), length)
        if not -values.shape[1] <= feature < values.shape[1]:
            raise ValueError(f"feature={feature}, but X has {values.shape[1]} features.")

        def of_sample(source, n_axes=1):
            if source is None:
                return None
            is_model = hasattr(source, "predict")
            values = np.atleast_1d(source.predict(one)[0] if is_model else source[sample])
            return _of_output(values, output, n_axes)

        several_levels = quantiles_said_by(estimator)
        forecast = of_sample(estimator, n_axes=2 if several_levels else 1)
        low, high = of_sample(lower), of_sample(upper)
        for levels in several_levels:
            several = forecast.reshape(-1, len(levels))
            forecast = several[:, nearest_to_median(levels)]
            if len(levels) > 1 and lower is None and upper is None:
                low, high = several[:, 0], several[:, -1]
        return cls.from_predictions(
            forecast,
            history=values[:, feature],
            truth=of_sample(y),
            lower=low,
            upper=high,
            times=times,
            ax=ax,
        )

    @classmethod
    def from_predictions(  # noqa: PLR0913 (all that is drawn)
        cls, forecast, *, history=None, truth=None, lower=None, upper=None, times=None, ax=None
    ):
        """Draw a forecast that was made before.

        Parameters
        ----------
        forecast : array-like of shape (horizon,)
            The forecast.
        history : array-like of shape (n_timesteps,), default=None
            The series up to the forecast.
        truth : array-like of shape (horizon,), default=None
            What came.
        lower, upper : array-like of shape (horizon,), default=None
            The band; give both or none.
        times : array-like of shape (n_timesteps + horizon,), default=None
            The times of history and forecast: numbers or dates. None counts timesteps from the
            start of the history.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        display : ForecastDisplay
            The display.

        Raises
        ------
        ValueError
            If the shapes don't fit, or if only one side of the band is given.
        ImportError
            If matplotlib is missing.
        """
        if (lower is None) != (upper is None):
            raise ValueError("lower and upper are the sides of the band: give both or none.")
        given = {"forecast": forecast, "truth": truth, "lower": lower, "upper": upper}
        given |= {"history": history, "times": times}
        arrays = {k: None if values is None else np.asarray(values) for k, values in given.items()}
        horizon = arrays["forecast"].size
        n_timesteps = 0 if history is None else arrays["history"].size
        sizes = dict.fromkeys(("forecast", "truth", "lower", "upper"), horizon)
        sizes |= {"history": n_timesteps, "times": n_timesteps + horizon}
        for name, size in sizes.items():
            if arrays[name] is not None and arrays[name].shape != (size,):
                raise ValueError(
                    f"{name} ({describe(arrays[name])}) must have the shape ({size},), one value "
                    "per timestep."
                )
        return cls(**arrays).plot(ax)

    def plot(self, ax=None):
        """Draw the forecast.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        self : ForecastDisplay
            The display.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        """
        ax = self.ax_ = one_axes(ax, type(self).__name__)
        self.figure_ = ax.figure
        history = np.empty(0) if self.history is None else self.history
        n, horizon = len(history), len(self.forecast)
        times = np.arange(n + horizon) if self.times is None else self.times
        ahead, marks = times[n:], marker_for(n + horizon)
        if n:
            ax.plot(times[:n], history, color=BLACK, label="history", **marks)
            joint = times[n - 1 : n + 1], [history[-1], self.forecast[0]]
            ax.plot(*joint, color=BLUE, linewidth=1, alpha=0.5)
        ax.plot(ahead, self.forecast, color=BLUE, label="forecast", **marks)
        if self.lower is not None:
            band = {"color": BLUE, "alpha": 0.2, "label": "band"}
            if horizon > 1:
                ax.fill_between(ahead, self.lower, self.upper, linewidth=0, **band)
            else:
                ax.vlines(ahead, self.lower, self.upper, linewidth=8, **band)
        if self.truth is not None:
            came = {"color": VERMILION, "linestyle": "--", "label": "truth"}
            ax.plot(ahead, self.truth, **came, **marks)
        ax.set_xlabel("Timestep" if self.times is None else "Time")
        if self.times is None:
            count_on(ax.xaxis)
        elif self.times.dtype.kind in "MO":
            show_dates(ax.xaxis)
        ax.legend(frameon=False)
        return self


def _of_output(values: np.ndarray, output: int | None, n_axes: int) -> np.ndarray:
    """Choose an output of what belongs to one sequence.

    values : (horizon, ...), or (horizon, n_outputs, ...) if an output is to be chosen
    n_axes : how many there may be for one output
    """
    if output is None:
        if values.ndim > n_axes:
            raise ValueError(
                f"There are {values.shape[1]} outputs at each timestep: give the number of one of "
                "them in output."
            )
        return values
    if isinstance(output, bool) or not isinstance(output, Integral):
        raise TypeError(f"output must be an integer or None; got {describe(output)}.")
    if values.ndim <= n_axes:
        raise ValueError(
            f"output={output}, but there is one value for each timestep: leave it out."
        )
    n_outputs = values.shape[1]
    if not -n_outputs <= output < n_outputs:
        raise ValueError(f"output={output}, but there are {n_outputs} outputs at each timestep.")
    return values[:, output]
