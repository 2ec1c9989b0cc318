"""
Forecasting a series from its lags: how many sunspots next year?
================================================================

The number of sunspots has a cycle of about 11 years. It rises fast and falls slowly. Each sample
holds 11 years, and its target is the next year. X is a plain 2-D array (n_samples, n_lags), which
the network reads as sequences of one feature. scikit-learn does the rest: the square root and the
scaling of inputs and targets, the search for the cell and its size, the average over ten networks,
and the splits that train on the past and test on later years. The search uses the years before
1901, the test uses the later years.

The data are the yearly sunspot numbers of 1700 to 2008, from the US National Geophysical Data
Center. They come with statsmodels and are in the public domain.

How to run::

    pip install '.[examples]'
    python examples/forecasting.py                      # add --plot sunspots.png for a picture
"""

import argparse

import numpy as np
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from statsmodels.datasets import sunspots

from sklearn_rnn import RNNRegressor
from sklearn_rnn.preprocessing import sliding_windows

N_LAGS = 11  # about one cycle
FIRST_TESTED = 1901


def on_root_scale(regressor):
    """Scale the square roots of counts: their variance does not grow with the mean."""
    scaler = make_pipeline(FunctionTransformer(np.sqrt, np.square), StandardScaler())
    return TransformedTargetRegressor(make_pipeline(scaler, regressor), transformer=clone(scaler))


def plot(path, years, observed, forecast):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
    axes.plot(years, observed, "o-", color="0.6", markersize=3, label="observed")
    axes.plot(
        years, forecast, color="C3", label="forecast one year ahead, mean of ten RNNRegressors"
    )
    axes.set(xlabel="year", ylabel="sunspot number", xlim=(years[0], years[-1]), ylim=(0, None))
    axes.legend(loc="upper left", frameon=False)
    figure.savefig(path, dpi=120)
    print(f"\nThe plot is in {path}.")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--plot", metavar="PATH", help="draw the forecasts (needs matplotlib)")
    arguments = parser.parse_args()

    data = sunspots.load_pandas().data
    X, y, index = sliding_windows(data["SUNACTIVITY"], N_LAGS, return_index=True)
    X = X[:, :, 0]  # a table of lags, for the ridge regression too
    years = data["YEAR"].to_numpy(dtype=int)[index["first_target"]]
    print(f"{len(X)} samples: {N_LAGS} years in a row, and the year that follows.")

    # Neighbouring windows share most of their years. Held out at random, they would be no test.
    network = on_root_scale(
        RNNRegressor(
            batch_size=16,
            learning_rate_init=0.005,
            tol=0.003,
            early_stopping=False,
            random_state=0,
        )
    )
    early = years < FIRST_TESTED
    search = GridSearchCV(
        network,
        {
            "regressor__rnnregressor__cell": ["elman", "gru", "lstm"],
            "regressor__rnnregressor__hidden_size": [8, 16, 32],
        },
        scoring="neg_mean_absolute_error",
        cv=TimeSeriesSplit(n_splits=4, test_size=20),
    )
    search.fit(X[early], y[early])
    cell, hidden_size = search.best_params_.values()
    print(f"The search on the years before {FIRST_TESTED} chose cell={cell!r}, {hidden_size=}.")

    best = search.best_estimator_
    models = {
        "ridge regression": on_root_scale(RidgeCV(np.logspace(-2, 4, 13))),
        "one RNNRegressor": best,
        "mean of ten RNNRegressors": BaggingRegressor(best, bootstrap=False, random_state=0),
    }
    forecasts = {name: [] for name in ["as last year", "as 11 years before", *models]}
    tested = []
    for train, test in TimeSeriesSplit(n_splits=4, test_size=27).split(X):
        tested.append(test)
        forecasts["as last year"].append(X[test, -1])
        forecasts["as 11 years before"].append(X[test, -N_LAGS])
        for name, model in models.items():
            forecasts[name].append(model.fit(X[train], y[train]).predict(X[test]))

    spans = [f"{years[test[0]]}-{years[test[-1]]}" for test in tested]
    print("\nMean absolute error of the forecast one year ahead, trained on all years before:\n")
    print(f"{'':<26}" + "".join(f"{span:>11}" for span in spans) + f"{'all':>8}{'R²':>8}")
    everything = np.concatenate(tested)
    for name, parts in forecasts.items():
        errors = [
            mean_absolute_error(y[test], part) for test, part in zip(tested, parts, strict=True)
        ]
        forecast = np.concatenate(parts)
        print(
            f"{name:<26}"
            + "".join(f"{error:11.1f}" for error in errors)
            + f"{mean_absolute_error(y[everything], forecast):8.1f}"
            + f"{r2_score(y[everything], forecast):8.3f}"
        )

    if arguments.plot:
        forecast = np.concatenate(forecasts["mean of ten RNNRegressors"])
        plot(arguments.plot, years[everything], y[everything], forecast)


if __name__ == "__main__":
    main()
