"""Numbers that are too large, and values that only look like numbers, flags or paths.

Every argument refuses them, before any training, in words that name the argument; or it takes them.
"""

import re

import numpy as np
import pytest

from refusals import ARRAY, HUGE, NUMBERS, RAGGED, RAGGED_NUMBERS, STEP_LABELS, TARGETS, make
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn._input.hyperparameters import FLAGS, NUMBERS_OR
from sklearn_rnn._input.hyperparameters import NUMBERS as PLAIN
from sklearn_rnn.callbacks import Checkpoint, EarlyStopping, HistoryLogger, TimeLimit
from sklearn_rnn.metrics import flatten_sequences, make_forecast_scorer, make_sequence_scorer
from sklearn_rnn.model_selection import StratifiedSequenceKFold, TimeSeriesWindowSplit
from sklearn_rnn.preprocessing import (
    Differences,
    InstanceNormalizedRegressor,
    Lags,
    PatchedRegressor,
    Patches,
    SequenceNormalizer,
    last_window,
    pad_sequences,
    sliding_windows,
    unpad_sequences,
)
from sklearn_rnn.utils._declared import Declared

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

TO_USE = {
    "momentum": {"solver": "sgd"},
    "power_t": {"solver": "sgd", "learning_rate": "invscaling"},
    "rho": {"solver": "rmsprop"},
    "delta": {"loss": "huber"},
    "quantile": {"loss": "quantile"},
    "validation_fraction": {"early_stopping": True},
}


def fitting(name, **parameters):
    kind = "classifier" if name == "label_smoothing" else "regressor"

    def fit(value):
        fixed = {"tol": 1e9, **TO_USE.get(name, {}), **parameters}  # a huge max_iter ends, too
        make(kind, **{**fixed, "max_iter": 3, name: value}).fit(ARRAY, TARGETS[kind])

    return fit


def splitting(name):
    _, _, index = sliding_windows(np.arange(30.0), 3, return_index=True)

    def split(value):
        list(TimeSeriesWindowSplit(**{"n_splits": 2, name: value}).split(index, groups=index))

    return split


def cutting(name):
    return lambda value: sliding_windows(np.arange(9.0), **{"window": 2, name: value})


NUMERIC = {
    **{f"estimator {name}": fitting(name) for name in (*PLAIN, *NUMBERS_OR)},
    **{
        f"{rate} {name}": fitting(name, learning_rate=rate)
        for rate in ("one_cycle", "cosine")
        for name in ("max_iter", "learning_rate_init")
    },
    **{f"lbfgs {name}": fitting(name, solver="lbfgs") for name in ("max_iter", "tol", "alpha")},
    **{
        f"TimeSeriesWindowSplit {name}": splitting(name)
        for name in ("n_splits", "gap", "test_size", "max_train_size")
    },
    "StratifiedSequenceKFold n_splits": lambda value: list(
        StratifiedSequenceKFold(value).split(ARRAY, STEP_LABELS)
    ),
    **{f"sliding_windows {name}": cutting(name) for name in ("window", "horizon", "stride", "gap")},
    **{
        f"last_window {name}": lambda value, name=name: last_window(
            np.arange(9.0), **{"window": 2, name: value}
        )
        for name in ("window", "horizon", "gap")
    },
    "Patches size": lambda value: Patches(value).fit_transform(RAGGED),
    "PatchedRegressor size": lambda value: PatchedRegressor(
        make("regressor", return_sequences=True), value
    ).fit(RAGGED, RAGGED_NUMBERS),
    "Lags lags": lambda value: Lags(value).fit_transform(RAGGED),
    "Lags lags in a list": lambda value: Lags([value]).fit_transform(RAGGED),
    **{
        f"Differences {name}": lambda value, name=name: Differences(**{name: value}).fit_transform(
            RAGGED
        )
        for name in ("lag", "order")
    },
    "pad_sequences length": lambda value: pad_sequences(RAGGED, length=value),
    "unpad_sequences lengths": lambda value: unpad_sequences(ARRAY, lengths=[value] * len(ARRAY)),
    "Checkpoint every_epochs": lambda value: Checkpoint("x", every_epochs=value),
    "Checkpoint every_minutes": lambda value: Checkpoint("x", every_minutes=value),
    "TimeLimit seconds": TimeLimit,
    "EarlyStopping tol": lambda value: EarlyStopping("r2", tol=value),
    "EarlyStopping n_iter_no_change": lambda value: EarlyStopping("r2", n_iter_no_change=value),
    "check_sequence_estimator shortest": lambda value: Declared.from_keywords({"shortest": value}),
}
TOO_LARGE = [2**31, 2**63, 10**30, 10**300, HUGE, 1e308, np.longdouble("1e4000")]
OF_MEMORY = {
    "estimator n_layers",
    "pad_sequences length",
    "Patches size",
    "PatchedRegressor size",
    "Lags lags",
}
# What an argument may say in place of its name: what the value brings about.
EFFECTS = "in epoch|windows to|timesteps"


@pytest.mark.parametrize("value", TOO_LARGE, ids=lambda value: f"{value!s:.6}-{len(str(value))}")
@pytest.mark.parametrize("argument", NUMERIC)
def test_huge_numbers(argument, value, capsys):
    if argument in OF_MEMORY and value < 2**63:
        return  # not impossible: it takes what memory there is
    name = argument.split()[1]
    message = name
    try:
        NUMERIC[argument](value)
    except (ValueError, TypeError) as error:
        message = str(error)
    assert re.search(rf"\b{name}\b|{EFFECTS}", message), message
    capsys.readouterr()  # `verbose` prints


@pytest.mark.parametrize(
    "value", [np.timedelta64(3, "s"), np.timedelta64(3), np.timedelta64("NaT")]
)
@pytest.mark.parametrize("argument", NUMERIC)
def test_time_spans_are_no_numbers(argument, value):
    name = argument.split()[1]
    with pytest.raises((TypeError, ValueError), match=rf"\b{name}\b"):
        NUMERIC[argument](value)


@pytest.mark.parametrize(
    ("argument", "call"),
    {
        **{f"estimator {name}": fitting(name) for name in FLAGS},
        "TimeSeriesWindowSplit by_series": splitting("by_series"),
        "StratifiedSequenceKFold shuffle": lambda value: StratifiedSequenceKFold(shuffle=value),
        "sliding_windows return_index": cutting("return_index"),
        "make_sequence_scorer greater_is_better": lambda value: make_sequence_scorer(
            "r2", greater_is_better=value
        ),
        "make_forecast_scorer greater_is_better": lambda value: make_forecast_scorer(
            "r2", greater_is_better=value
        ),
        "Lags drop": lambda value: Lags(drop=value).fit(ARRAY),
        "Differences drop": lambda value: Differences(drop=value).fit(ARRAY),
        "Differences append": lambda value: Differences(append=value).fit(ARRAY),
        "check_sequence_estimator ragged": lambda value: Declared.from_keywords({"ragged": value}),
    }.items(),
)
@pytest.mark.parametrize(
    "value", [np.ones(2, bool), np.array(True), [True, False], None, 1], ids=repr
)
def test_flags(argument, call, value):
    with pytest.raises(TypeError, match=rf"{argument.split()[1]} must be True or False"):
        call(value)


@pytest.mark.parametrize(
    "call",
    {
        "target": lambda value: sliding_windows(np.ones((9, 2)), 2, target=[value]),
        "past": lambda value: sliding_windows(np.ones((9, 2)), 2, past=[value]),
        "future": lambda value: sliding_windows(np.ones((9, 2)), 2, future=[value]),
        "features": lambda value: SequenceNormalizer(features=[value]).fit(ARRAY),
        "center": lambda value: SequenceNormalizer(center=value).fit(ARRAY),
        "pooling": lambda value: make("regressor", ARRAY, pooling=value),
        "pooling in a list": lambda value: make("regressor", ARRAY, pooling=[value]),
        "early_stopping": lambda value: make("regressor", ARRAY, early_stopping=value),
        "target of a forecast": lambda value: InstanceNormalizedRegressor(
            make("regressor"), target=[value]
        ).fit(ARRAY, NUMBERS),
        "response_method": lambda value: make_sequence_scorer("r2", response_method=value),
        "averaged_by": lambda value: make_sequence_scorer("r2", averaged_by=value),
        "fill": lambda value: pad_sequences(RAGGED, fill=value),
    }.items(),
    ids=lambda item: item[0],
)
def test_arrays_where_one_value_is_wanted(call):
    name, call = call
    with pytest.raises((TypeError, ValueError), match=rf"\b{name.split()[0]}\b"):
        call(np.array([0, 1]))


@pytest.mark.parametrize("power_t", [300, 10**9, 10**30, 1e308])
def test_a_huge_power_makes_the_learning_rate_zero(power_t):
    model = RNNRegressor(
        solver="sgd", learning_rate="invscaling", power_t=power_t, batch_size=1, max_iter=4, tol=0
    ).fit(ARRAY, NUMBERS)
    assert model.learning_rates_[-1] < 1e-300


@pytest.mark.parametrize("callback", [Checkpoint, HistoryLogger])
@pytest.mark.parametrize("path", [3, None, b"x.csv", ["x.csv"]], ids=repr)
def test_what_is_no_path(callback, path):
    with pytest.raises(TypeError, match=r"path must be a str or a path-like"):
        callback(path)


@pytest.mark.parametrize("callback", [Checkpoint, HistoryLogger])
@pytest.mark.parametrize("where", ["nowhere/x.csv", "file/x.csv", "n" * 300 + ".csv", "nul\0l.csv"])
def test_paths_that_cannot_be_written_are_found_before_training(callback, where, tmp_path, capsys):
    (tmp_path / "file").touch()
    options = {"every_epochs": 50} if callback is Checkpoint else {}
    model = RNNRegressor(verbose=1).set_callbacks(callback(tmp_path / where, **options))
    with pytest.raises((OSError, ValueError), match=r"path=.* can't be written"):
        model.fit(ARRAY, NUMBERS)
    assert "Epoch" not in capsys.readouterr().out
    assert not hasattr(model, "n_features_in_")


def test_a_folder_in_place_of_a_log(tmp_path):
    (tmp_path / "x.csv").mkdir()
    model = RNNRegressor().set_callbacks(HistoryLogger(tmp_path / "x.csv"))
    with pytest.raises(OSError, match=r"path=.* can't be written"):
        model.fit(ARRAY, NUMBERS)


@pytest.mark.parametrize("header", [b"\xff\xfe 0", b"", b" ", b"1", b"1 2 3", b"\xc3"])
def test_a_damaged_header(header, tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"sklearn_rnn checkpoint " + header + b"\nrest")
    with pytest.raises(ValueError, match=r"The checkpoint .* (written by|is damaged)") as caught:
        RNNRegressor().set_callbacks(Checkpoint(path)).fit(ARRAY, NUMBERS)
    assert type(caught.value) is ValueError


@pytest.mark.parametrize("values", [[[[1.0, 2.0], [1.0]]], [[[1.0], 2.0]]])
def test_outputs_of_different_numbers(values):
    with pytest.raises(ValueError, match=r"y_true\[0\] has timesteps of different lengths"):
        flatten_sequences(values, RAGGED_NUMBERS[:1])


def test_a_network_too_large_for_any_computer():
    with pytest.raises(ValueError, match=r"hidden_size=2147483648 .* too large for any computer"):
        RNNClassifier(hidden_size=2**31).fit(ARRAY, TARGETS["classifier"])
