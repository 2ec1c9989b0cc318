"""How often do 80 % intervals cover what comes? On real series, in the order of time.

    pip install -e '.[learning,examples]'
    python benchmarks/intervals.py                  # --quick leaves the long series out

Each network learns the first three quarters of a series and forecasts the rest, with
`InstanceNormalizedRegressor` and all other defaults but shuffle=False. For every series and every
contender the script prints the coverage, the mean width, and the interval score (Gneiting, Raftery
2007: the width, and 10 times the distance to targets outside; lower is better). Width and score are
in standard deviations of y. The contenders:

- three networks: one for each of the quantiles 0.1, 0.5 and 0.9.
- one network: RNNRegressor(loss="quantile", quantile=[0.1, 0.5, 0.9]).
- calibrated: it learns three quarters of that, and the rest says by how much to widen all
  intervals (conformalized quantile regression).
- latest errors: the same, but by the 100 targets before the present one.
"""

import argparse
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from learning_tasks import TASKS
from sklearn_rnn import RNNRegressor
from sklearn_rnn.preprocessing import InstanceNormalizedRegressor, sliding_windows

LEVELS = [0.1, 0.5, 0.9]
COVERAGE = LEVELS[-1] - LEVELS[0]
MEMORY = 100
LONG = 1000  # samples


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help=f"at most {LONG} samples")
    quick = parser.parse_args().quick
    warnings.simplefilter("ignore", ConvergenceWarning)
    results = {}
    print("| series | test | contender | coverage | width | score |\n|---|---|---|---|---|---|")
    for name, past, *data in series():
        if quick and len(data[0]) > LONG:
            continue
        for contender, (low, high) in intervals(past, *data).items():
            figures = measured(low, high, data[-1], data[1].std())
            results.setdefault(contender, []).append(figures)
            print(f"| {name} | {len(low)} |", row(contender, figures), flush=True)
    print("\n| mean over the series | coverage | width | score | covers 75 to 85 % |")
    print("|---|---|---|---|---|")
    for contender, figures in results.items():
        means, coverages = np.mean(figures, axis=0), np.array(figures)[:, 0]
        n_good = np.sum((coverages >= 0.75) & (coverages <= 0.85))
        print("|", row(contender, means), f"{n_good} of {len(figures)} |")


def row(contender, figures):
    coverage, width, score = figures
    return f"{contender} | {coverage:.1%} | {width:.3f} | {score:.3f} |"


def series():
    """Yield name, the feature of X that y continues, X_train, y_train, X_test, y_test."""
    for task in TASKS:
        if task.past is not None:
            try:
                split = task.load(0)
            except FileNotFoundError as missing:
                print(f"| {task.name} | {missing} |")
                continue
            yield task.name, task.past, *split
    from statsmodels.datasets import co2, nile, sunspots

    monthly = co2.load_pandas().data["co2"].resample("MS").mean().interpolate()
    yearly, flow = sunspots.load_pandas().data["SUNACTIVITY"], nile.load_pandas().data["volume"]
    for name, values, window in (
        ("CO2 of Mauna Loa", monthly, 24),
        ("sunspots", yearly, 22),
        ("flow of the Nile", flow, 8),
    ):
        X, y = sliding_windows(values.to_numpy(), window)
        cut = len(X) * 3 // 4
        yield name, 0, X[:cut], y[:cut], X[cut:], y[cut:]


def intervals(past, X, y, X_test, y_test):
    """Return the lower and upper ends of each contender's intervals for X_test."""
    three = [network(past, level).fit(X, y).predict(X_test) for level in LEVELS]
    one = network(past, LEVELS).fit(X, y).predict(X_test)
    cut = len(X) * 3 // 4
    model = network(past, LEVELS).fit(X[:cut], y[:cut])
    low, _, high = np.concatenate([model.predict(X[cut:]), model.predict(X_test)]).T
    n_known = len(X) - cut
    known = np.concatenate([y[cut:], y_test])
    fixed = margin(low[:n_known], high[:n_known], known[:n_known])
    latest = np.array(
        [
            margin(*(part[max(0, t - MEMORY) : t] for part in (low, high, known)))
            for t in range(n_known, len(known))
        ]
    )
    low, high = low[n_known:], high[n_known:]
    return {
        "three networks": (three[0], three[-1]),
        "one network": (one[:, 0], one[:, -1]),
        "calibrated": (low - fixed, high + fixed),
        "latest errors": (low - latest, high + latest),
    }


def network(past, quantile):
    regressor = RNNRegressor(loss="quantile", quantile=quantile, shuffle=False, random_state=0)
    return InstanceNormalizedRegressor(regressor, target=past)


def margin(low, high, y):
    """By how much to widen intervals, so that they cover their share (Romano et al. 2019)."""
    errors = np.sort(np.maximum(low - y, y - high))
    rank = int(np.ceil((len(errors) + 1) * COVERAGE))
    return errors[min(rank, len(errors)) - 1]


def measured(low, high, y, unit):
    """Return coverage, width and interval score."""
    outside = np.maximum(low - y, 0) + np.maximum(y - high, 0)
    width, penalty = np.mean(high - low), 2 / (1 - COVERAGE) * np.mean(outside)
    return np.mean((low <= y) & (y <= high)), width / unit, (width + penalty) / unit


if __name__ == "__main__":
    main()
