"""
Forecasting: a year of CO2 and of airline passengers, a cycle of sunspots
=========================================================================

What will the next values of a series be, how sure is that, and is it better than a simple rule?
Three series of different kinds answer. CO2 in the air has a steady season on a rising trend.
Airline passengers have a season that grows with the trend. Sunspots have a cycle of about 11 years,
which comes early or late. A forecast is one season long, all its steps at once.

- Each sample is a window of the series, and its targets are the values after it. All of them are
  relative to the last value of the window (`InstanceNormalizedRegressor`), so that a level may be
  new. Passengers are forecast as logarithms and sunspots as square roots, whose variation does not
  grow with the level.
- Ridge regression continues the trend and the season, which a network learns badly from a hundred
  windows. The network learns what is left (Zhang 2003, "Time series forecasting using a hybrid
  ARIMA and neural network model"): the errors of ridge regressions for windows that they were not
  fitted to. Their errors for their own training data are smaller, and make intervals too narrow.
- One network forecasts the quantiles 0.1, 0.5 and 0.9 of every step. The median is the forecast,
  the other two are the ends of an 80 % interval. A logarithm or a root keeps the order, so
  quantiles can be converted back. The example averages the quantiles of three networks.
- The backtest cuts the last years into four periods. For each of them, all contenders learn from
  the time before, and forecast from every month or year in it.

How to run::

    pip install '.[examples]'
    python examples/forecasting.py                      # add --plot future.png for a picture

The mean absolute errors on the tested years, relative to those of the value of one season before:

=============================  =====  ==========  ========
contender                       CO2   passengers  sunspots
=============================  =====  ==========  ========
ridge regression on lags       0.43      0.52       0.93
ridge, lags relative to last   0.29      0.58       0.87
three networks                 0.34      0.74       0.86
ridge and three networks       0.30      0.65       0.83
=============================  =====  ==========  ========

The intervals of the last row cover 79, 74 and 78 %. So on series as short as these a network adds
intervals, and hardly a better forecast. On passengers, where learning starts with 73 windows, it is
worse than ridge regression. The windows and the parameters (the same for all three series) were
chosen by backtests on the years before, where ridge and networks together were ahead on passengers.
Only the idea of adding a ridge regression came after networks alone were seen on the tested years.

The data are CO2 of Mauna Loa, 1958 to 2001 (weekly; here monthly means), and yearly sunspot
numbers, 1700 to 2008, from statsmodels, and the airline passengers of Box and Jenkins, 1949 to 1960
(examples/data/airline_passengers.csv).
"""

import argparse
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_predict
from statsmodels.datasets import co2, sunspots

from sklearn_rnn import RNNRegressor
from sklearn_rnn.model_selection import TimeSeriesWindowSplit
from sklearn_rnn.preprocessing import InstanceNormalizedRegressor, last_window, sliding_windows

PASSENGERS = Path(__file__).parent / "data" / "airline_passengers.csv"
N_PERIODS = 4
SEEDS = range(3)
RIDGE = RidgeCV(np.logspace(-4, 4, 17))


class Task(NamedTuple):
    """A series and how to forecast it; the horizon is one season."""

    series: pd.Series  # its index has the periods, months or years
    season: int
    window: int
    n_tested: int  # the last values, which hold all targets of the backtest
    function: Callable = np.positive  # to the scale of the forecast
    inverse: Callable = np.positive

    def values(self):
        """Return the values that the models see."""
        return self.function(self.series.to_numpy())


def load():
    """Return the tasks by name."""
    monthly = co2.load_pandas().data["co2"].resample("MS").mean().interpolate().to_period("M")
    passengers = pd.read_csv(PASSENGERS, index_col="month")["thousands"].astype(float)
    passengers.index = pd.PeriodIndex(passengers.index, freq="M")
    yearly = sunspots.load_pandas().data["SUNACTIVITY"]
    yearly.index = pd.period_range("1700", periods=len(yearly), freq="Y")
    return {
        "CO2 (ppm)": Task(monthly, season=12, window=36, n_tested=167),
        "Airline passengers (thousands)": Task(passengers, 12, 13, 47, np.log, np.exp),
        "Sunspots": Task(yearly, 11, 22, 106, np.sqrt, squares),
    }


def squares(roots):
    """The inverse of the square root; a forecast below zero is zero."""
    return np.maximum(roots, 0) ** 2


class RidgeAndNetwork(RegressorMixin, BaseEstimator):
    """A ridge regression on the lags, and a network for the quantiles of its errors."""

    def __init__(self, network):
        self.network = network

    def fit(self, X, y):
        lags = X[:, :, 0]
        self.ridge_ = clone(RIDGE).fit(lags, y)
        errors = y - cross_val_predict(RIDGE, lags, y, cv=KFold(5))
        self.network_ = clone(self.network).fit(X, errors)
        return self

    def predict(self, X):
        return self.ridge_.predict(X[:, :, 0])[:, :, np.newaxis] + self.network_.predict(X)


def network(seed):
    """Few samples: a short training by plan with dropout, and none of them held out."""
    return RNNRegressor(
        loss="quantile",
        quantile=[0.1, 0.5, 0.9],
        hidden_size=32,
        dropout=0.3,
        batch_size=16,
        learning_rate="one_cycle",
        learning_rate_init=0.03,
        max_iter=30,
        early_stopping=False,
        random_state=seed,
    )


def hybrids():
    return [RidgeAndNetwork(network(seed)) for seed in SEEDS]


def quantiles(models, X, y, X_new):
    """Return the mean quantiles (n_samples, horizon, 3) of models that learn from X and y."""
    models = [InstanceNormalizedRegressor(model).fit(X, y) for model in models]
    return np.mean([model.predict(X_new) for model in models], axis=0)


def forecasts_of(X, y, X_new, season):
    """Return the forecasts of all contenders for X_new, by name."""
    lags, new_lags = X[:, :, 0], X_new[:, :, 0]
    return {
        "last value": np.repeat(new_lags[:, -1:], season, axis=1),
        "one season before": new_lags[:, -season:],
        "ridge on lags": clone(RIDGE).fit(lags, y).predict(new_lags),
        "ridge on relative lags": InstanceNormalizedRegressor(RIDGE).fit(lags, y).predict(new_lags),
        "networks": quantiles(map(network, SEEDS), X, y, X_new),
        "ridge and networks": quantiles(hybrids(), X, y, X_new),
    }


def backtest(task):
    """Return what came (n_samples, horizon), and the forecasts of all contenders by name."""
    X, y, index = sliding_windows(task.values(), task.window, task.season, return_index=True)
    n_windows = task.n_tested - task.season + 1  # with all their targets in the tested years
    splitter = TimeSeriesWindowSplit(N_PERIODS, test_size=n_windows // N_PERIODS)
    truth, forecasts = [], []
    for train, test in splitter.split(X, y, groups=index):
        truth.append(y[test])
        forecasts.append(forecasts_of(X[train], y[train], X[test], task.season))
    joined = {name: np.concatenate([part[name] for part in forecasts]) for name in forecasts[0]}
    joined = {name: task.inverse(forecast) for name, forecast in joined.items()}
    return task.inverse(np.concatenate(truth)), joined


def report(task, truth, forecasts):
    """Print the mean absolute errors by step, and how often the intervals cover what came."""
    steps = [1, task.season // 2, task.season]
    header = [f"{step:>8}" for step in [*steps, "all"]]
    print(f"{'Mean absolute error, steps ahead':<32}{''.join(header)}  relative  covered")
    by_rule = np.abs(forecasts["one season before"] - truth).mean()
    for name, forecast in forecasts.items():
        median = forecast[:, :, 1] if forecast.ndim == 3 else forecast
        errors = np.abs(median - truth)
        figures = [*errors.mean(axis=0)[np.subtract(steps, 1)], errors.mean()]
        row = f"{name:<32}" + "".join(f"{figure:8.2f}" for figure in figures)
        row += f"{errors.mean() / by_rule:10.2f}"
        if forecast.ndim == 3:
            covered = (forecast[:, :, 0] <= truth) & (truth <= forecast[:, :, 2])
            row += f"{covered.mean():9.0%}"
        print(row)


def future(task):
    """Return a table of the quantiles after the end of the series, learned from all of it."""
    values = task.values()
    X, y = sliding_windows(values, task.window, task.season)
    (bands,) = task.inverse(quantiles(hybrids(), X, y, last_window(values, task.window)))
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

    # What a ridge regression leaves may be noise. Then networks warn that they learned nothing.
    warnings.simplefilter("ignore", ConvergenceWarning)
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
