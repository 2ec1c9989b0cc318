"""
Forecasting: a year of CO2 and of airline passengers, a cycle of sunspots
=========================================================================

What will the next values of a series be, how sure is that, and is it better than a simple rule?
Three series of different kinds answer: CO2 in the air has a steady season on a rising trend, airline
passengers have a season that grows with the trend, and sunspots have a cycle of about 11 years that
comes late or early. The forecast is one season, all its steps at once.

- Each sample is a window of the series, and its targets are the values after it, all of them taken
  relative to the window's last value (`InstanceNormalizedRegressor`). So the network can forecast
  levels that it has never seen. Windows of CO2 are scaled as well (`scale="std"`). Passengers are
  forecast as logarithms and sunspots as square roots, whose variation doesn't grow with the level.
- One network forecasts the quantiles 0.1, 0.5 and 0.9 of every step. The median is the forecast, and
  the other two are the ends of an 80 % interval. Quantiles of a logarithm are logarithms of
  quantiles. The example averages the quantiles of three networks.
- The backtest cuts the last years into four periods. For each period, everything learns from the
  time before it, and forecasts from every month or year in it. The rivals are the last value, the
  value of one season before, and ridge regression on the same lags, as they are and relative to
  their last value.

The parameters were chosen on the years before the tested ones, the same for all three networks: few
samples want short training with dropout, and no samples held out for early stopping.

The data: weekly CO2 of Mauna Loa (1958 to 2001; here monthly means) and yearly sunspot numbers (1700
to 2008) come with statsmodels. Airline passengers, 1949 to 1960, are Box and Jenkins's (see
examples/data/README.md).

How to run::

    pip install '.[examples]'
    python examples/forecasting.py                      # add --plot future.png for a picture
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV
from statsmodels.datasets import co2, sunspots

from sklearn_rnn import RNNRegressor
from sklearn_rnn.model_selection import TimeSeriesWindowSplit
from sklearn_rnn.preprocessing import InstanceNormalizedRegressor, last_window, sliding_windows

PASSENGERS = Path(__file__).parent / "data" / "airline_passengers.csv"
N_PERIODS = 4
N_NETWORKS = 3


class Task(NamedTuple):
    """A series and how to forecast it; the horizon is one season."""

    series: pd.Series  # its index has the periods, months or years
    season: int
    window: int
    n_tested: int  # the last values, for the backtest
    scale: str | None = None  # of the windows
    function: Callable = np.positive  # to the scale of the forecast
    inverse: Callable = np.positive


def load():
    """Return the tasks by name."""
    monthly = co2.load_pandas().data["co2"].resample("MS").mean().interpolate().to_period("M")
    passengers = pd.read_csv(PASSENGERS, index_col="month")["thousands"].astype(float)
    passengers.index = pd.PeriodIndex(passengers.index, freq="M")
    yearly = sunspots.load_pandas().data["SUNACTIVITY"]
    yearly.index = pd.period_range("1700", periods=len(yearly), freq="Y")
    return {
        "CO2 (ppm)": Task(monthly, season=12, window=36, n_tested=168, scale="std"),
        "Airline passengers (thousands)": Task(passengers, 12, 13, 48, None, np.log, np.exp),
        "Sunspots": Task(yearly, 11, 22, 108, None, np.sqrt, squares),
    }


def squares(roots):
    """The inverse of the square root; a forecast below zero is zero."""
    return np.maximum(roots, 0) ** 2


def networks(task):
    """Networks for three quantiles of every step, which start from different weights."""
    for seed in range(N_NETWORKS):
        network = RNNRegressor(
            loss="quantile",
            quantile=[0.1, 0.5, 0.9],
            dropout=0.3,
            batch_size=16,
            learning_rate="one_cycle",
            learning_rate_init=0.03,
            max_iter=30,
            early_stopping=False,
            random_state=seed,
        )
        yield InstanceNormalizedRegressor(network, scale=task.scale)


def quantiles(task, X, y, X_new):
    """Learn from X and y, and return the quantiles (n_samples, horizon, 3) for X_new."""
    predictions = [model.fit(X, y).predict(X_new) for model in networks(task)]
    return task.inverse(np.mean(predictions, axis=0))


def rivals(task, X, y, X_new):
    """Return what simple rules forecast (n_samples, horizon), by name."""
    lags, new_lags = X[:, :, 0], X_new[:, :, 0]  # tables for scikit-learn
    ridge = RidgeCV(np.logspace(-4, 4, 17))
    relative = InstanceNormalizedRegressor(ridge, scale=task.scale)
    forecasts = {
        "last value": np.repeat(new_lags[:, -1:], task.season, axis=1),
        "one season before": new_lags[:, -task.season :],
        "ridge on lags": ridge.fit(lags, y).predict(new_lags),
        "ridge on relative lags": relative.fit(lags, y).predict(new_lags),
    }
    return {name: task.inverse(forecast) for name, forecast in forecasts.items()}


def backtest(task):
    """Return what came (n_samples, horizon), the quantiles, and the forecasts by name."""
    values = task.function(task.series.to_numpy())
    X, y, index = sliding_windows(values, task.window, task.season, return_index=True)
    splitter = TimeSeriesWindowSplit(N_PERIODS, test_size=task.n_tested // N_PERIODS)
    periods = []
    for train, test in splitter.split(X, y, groups=index):
        bands = quantiles(task, X[train], y[train], X[test])
        simple = rivals(task, X[train], y[train], X[test])
        periods.append({"truth": task.inverse(y[test]), "bands": bands} | simple)
    joined = {name: np.concatenate([part[name] for part in periods]) for name in periods[0]}
    truth, bands = joined.pop("truth"), joined.pop("bands")
    return truth, bands, joined | {f"mean of {N_NETWORKS} networks": bands[:, :, 1]}


def report(task, truth, bands, forecasts):
    """Print the mean absolute errors by step, and how much the intervals cover."""
    print(f"{'Mean absolute error, steps ahead':<34}", end="")
    steps = [1, task.season // 2, task.season]
    print("".join(f"{step:>8}" for step in steps) + f"{'all':>8}{'relative':>10}")
    by_rule = np.abs(forecasts["one season before"] - truth).mean()
    for name, forecast in forecasts.items():
        errors = np.abs(forecast - truth)
        figures = [*errors.mean(axis=0)[np.subtract(steps, 1)], errors.mean()]
        print(f"{name:<34}" + "".join(f"{figure:8.2f}" for figure in figures), end="")
        print(f"{errors.mean() / by_rule:10.2f}")
    covered = (bands[:, :, 0] <= truth) & (truth <= bands[:, :, 2])
    print(f"The 80 % intervals cover {covered.mean():.0%} of what came.")


def future(task):
    """Return a table of the quantiles after the end of the series, learned from all of it."""
    values = task.function(task.series.to_numpy())
    X, y = sliding_windows(values, task.window, task.season)
    (bands,) = quantiles(task, X, y, last_window(values, task.window))
    periods = task.series.index[-1] + np.arange(1, task.season + 1)
    return pd.DataFrame(bands, index=periods, columns=["low", "median", "high"])


def plot(path, tasks, tables):
    import matplotlib.pyplot as plt

    from sklearn_rnn.inspection import ForecastDisplay

    figure, panels = plt.subplots(len(tasks), figsize=(8, 9), layout="constrained")
    for axes, (name, task), table in zip(panels, tasks.items(), tables, strict=True):
        history = task.series[-4 * task.season :]
        ForecastDisplay.from_predictions(
            table["median"],
            history=history,
            lower=table["low"],
            upper=table["high"],
            times=history.index.append(table.index).to_timestamp(),
            ax=axes,
        )
        axes.set(ylabel=name, xlabel="")
    figure.savefig(path, dpi=120)
    print(f"The plot is in {path}.")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--plot", metavar="PATH", help="draw the future (needs matplotlib)")
    arguments = parser.parse_args()

    tasks, tables = load(), []
    for name, task in tasks.items():
        index = task.series.index
        print(f"{name}, {index[0]} to {index[-1]}, tested from {index[-task.n_tested]} on")
        report(task, *backtest(task))
        tables.append(future(task))
        print(f"\nThe future:\n{tables[-1].iloc[[0, task.season // 2 - 1, -1]].round(1)}\n")
    if arguments.plot:
        plot(arguments.plot, tasks, tables)


if __name__ == "__main__":
    main()
