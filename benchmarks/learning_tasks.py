"""The tasks of learning.py: real and made sequences in the units that they came in.

Defaults are chosen on one half of them and confirmed on the other. The sets of learning_judges.py
are none of them: they judge what was chosen.
"""

import io
import tarfile

import numpy as np
from sklearn.datasets import load_digits

from common import DATA
from learning_data import (
    CLASSIFICATION,
    COUNTS,
    FORECAST,
    REGRESSION,
    Split,
    Task,
    at_random,
    columns,
    entering,
    file_of,
    forecast,
    in_time,
    literal_series,
    own_split,
    table,
    take,
    ucr_text,
)
from sklearn_rnn.preprocessing import sliding_windows

TASKS: list[Task] = []
task = entering(TASKS)


def halves() -> dict[str, list[Task]]:
    """Two halves: of the tasks sorted by kind and name, every second one.

    All tasks are counted, also those whose data are missing, so that a task's half doesn't depend
    on what is installed.
    """
    tasks = sorted(TASKS, key=lambda task: (task.kind, task.name))
    return {"tune": tasks[0::2], "confirm": tasks[1::2]}


# Classification


@task("arrow heads", CLASSIFICATION)
def arrow_heads(seed):
    return own_split("ArrowHead")


@task("appliances, 1460 steps", CLASSIFICATION)
def appliances(seed):
    return own_split("ACSF1")


@task("coffee", CLASSIFICATION)
def coffee(seed):
    return ucr_text("Coffee")


@task("pig airway pressure", CLASSIFICATION)
def pig_airway_pressure(seed):
    """Which of 52 pigs? Two sequences of each to learn from; every fourth of 2000 steps."""
    return ucr_text("PigCVP", every=4)


@task("trace", CLASSIFICATION)
def trace(seed):
    data = np.load(file_of("tslearn", ".cached_datasets/Trace.npz"))
    X = [data[f"X_{part}"].astype(np.float32) for part in ("train", "test")]
    return Split(X[0], data["y_train"], X[1], data["y_test"])


@task("Japanese vowels, ragged", CLASSIFICATION)
def japanese_vowels(seed):
    data = np.load(DATA / "japanese_vowels.npz")
    X, is_train = np.split(data["values"], np.cumsum(data["lengths"])[:-1]), data["is_train"]
    train, test = np.flatnonzero(is_train), np.flatnonzero(~is_train)
    return Split(take(X, train), data["speakers"][train], take(X, test), data["speakers"][test])


@task("digits by row", CLASSIFICATION)
def digits_by_row(seed):
    X, y = load_digits(return_X_y=True)
    return at_random(X.reshape(-1, 8, 8).astype(np.float32), y, 1300, 497, seed)


@task("digits by pixel", CLASSIFICATION)
def digits_by_pixel(seed):
    X, y = load_digits(return_X_y=True)
    return at_random(X[:, :, np.newaxis].astype(np.float32), y, 1300, 497, seed)


@task("weather of tomorrow", CLASSIFICATION, balanced=True)
def weather_of_tomorrow(seed):
    data = table("vega_datasets", "_data/seattle-weather.csv")
    values = data[["precipitation", "temp_max", "temp_min", "wind"]].to_numpy(dtype=float)
    days = 14
    X, _ = sliding_windows(values, days)
    return in_time(X, data["weather"].to_numpy(dtype=str)[days:])


@task("word stress, ragged, per step", CLASSIFICATION, per_step=True)
def word_stress(seed):
    phonemes, stresses = [], []
    for line in words():
        symbols = line.split()[1:]
        phonemes.append([symbol.rstrip("012") for symbol in symbols])
        stresses.append(np.array([s[-1] if s[-1].isdigit() else "-" for s in symbols]))
    return at_random(one_hot(phonemes), stresses, 1500, 500, seed)


def words() -> list[str]:
    return (DATA / "cmudict_sample.txt").read_text(encoding="ascii").splitlines()


def one_hot(sequences: list) -> list[np.ndarray]:
    symbols = sorted({symbol for sequence in sequences for symbol in sequence})
    rows = dict(zip(symbols, np.eye(len(symbols), dtype=np.float32), strict=True))
    return [np.array([rows[symbol] for symbol in sequence]) for sequence in sequences]


@task("running parity, ragged, per step", CLASSIFICATION, per_step=True)
def running_parity(seed):
    rng = np.random.default_rng(seed)
    X = [rng.integers(0, 2, (n, 1)).astype(np.float32) for n in rng.integers(5, 25, 1500)]
    return at_random(X, [np.cumsum(x).astype(int) % 2 for x in X], 1000, 500, seed)


@task("temporal order", CLASSIFICATION)
def temporal_order(seed):
    """In which order came two symbols, each early or late, among four others?

    After Hochreiter and Schmidhuber (1997), "Long short-term memory", experiment 6a.
    """
    rng = np.random.default_rng(seed)
    n, n_steps = 2000, 50
    symbols = rng.integers(0, 4, (n, n_steps))
    first, second = rng.integers(4, 6, (2, n))
    symbols[np.arange(n), rng.integers(5, 10, n)] = first
    symbols[np.arange(n), rng.integers(25, 30, n)] = second
    X = np.eye(6, dtype=np.float32)[symbols]
    return at_random(X, 2 * (first - 4) + second - 4, 1500, 500, seed)


@task("pressure dips, rare", CLASSIFICATION, balanced=True)
def pressure_dips(seed):
    """Air pressure in hPa; 6 % of the sequences have a short dip somewhere."""
    rng = np.random.default_rng(seed)
    n, n_steps, n_dip = 1500, 40, 5
    X = 1013 + np.cumsum(rng.normal(0, 0.5, (n, n_steps)), axis=1)
    y = rng.random(n) < 0.06
    dip = np.arange(n_steps) - rng.integers(0, n_steps - n_dip, (n, 1))
    X -= 6 * (y[:, np.newaxis] & (dip >= 0) & (dip < n_dip))
    return at_random(X[:, :, np.newaxis].astype(np.float32), y.astype(int), 1000, 500, seed)


# Regression


@task("sentiment after bitcoin prices", REGRESSION)
def cardano_sentiment(seed):
    """From 24 hours of a price and its volume, some 0.5 and some 10,000; 74 to learn from."""
    return own_split("CardanoSentiment", float)


@task("growth of yearly series, ragged", REGRESSION)
def yearly_growth(seed):
    """How many percent more is the next year? Series of 10 to 10,000,000, 14 to 57 years."""
    lines = file_of("aeon", "datasets/data/m1_yearly_dataset/m1_yearly_dataset.tsf").read_text()
    rows = lines.partition("@data")[2].strip().splitlines()
    series = [np.array(row.rpartition(":")[2].split(","), dtype=float) for row in rows]
    # Below 1 a percentage says nothing.
    series = [s for s in series if s[-2] >= 1]
    y = np.array([100 * (s[-1] / s[-2] - 1) for s in series])
    X = [s[:-1, np.newaxis].astype(np.float32) for s in series]
    return at_random(X, y, 130, len(X) - 130, seed)


@task("US consumption", REGRESSION)
def us_consumption(seed):
    """Growth of consumption from that of four other figures, to the same quarter."""
    path, quarters = "datasets/data/Uschange/Uschange.csv", 8
    others = columns("aeon", path, "Income", "Production", "Savings", "Unemployment")
    X, _ = sliding_windows(np.vstack([others, others[-1:]]), quarters)  # a last one for y unused
    y = columns("aeon", path, "Consumption")[quarters - 1 :, 0]
    return in_time(X, y)


@task("returns of shares", REGRESSION)
def returns_of_shares(seed):
    """The next day's return of an index in percent, from 20 days of ten shares: all but noise."""
    data, days = table("river", "datasets/sp500.csv.gz"), 20
    shares = data.drop(columns=["date", "next_day_return"]).to_numpy(dtype=float)
    X, _ = sliding_windows(np.vstack([shares, shares[-1:]]), days)
    return in_time(X, data["next_day_return"].to_numpy(dtype=float)[days - 1 :])


@task("adding problem, 60 steps", REGRESSION)
def adding_60(seed):
    return adding(2000, 1000, 60, seed)


@task("adding problem, 20000 samples", REGRESSION)
def adding_20000(seed):
    return adding(20_000, 2000, 10, seed)


def adding(n_train: int, n_test: int, n_steps: int, seed: int) -> Split:
    """The sum of the two values, in the 100s, that a second feature marks."""
    rng = np.random.default_rng(seed)
    n = n_train + n_test
    values, marks = rng.uniform(0, 100, (n, n_steps)), np.zeros((n, n_steps))
    half = n_steps // 2
    marks[np.arange(n), rng.integers(0, half, n)] = 1
    marks[np.arange(n), rng.integers(half, n_steps, n)] = 1
    X = np.stack([values, marks], axis=2).astype(np.float32)
    return at_random(X, (values * marks).sum(axis=1), n_train, n_test, seed)


@task("echo of a temperature, per step", REGRESSION, per_step=True)
def echo(seed):
    """What the temperature in °C was 12 steps before, or, sooner, at the first step."""
    X = np.random.default_rng(seed).normal(20, 5, (400, 60))
    y = X[:, np.maximum(np.arange(60) - 12, 0)]
    return at_random(X[:, :, np.newaxis].astype(np.float32), y, 300, 100, seed)


@task("NARMA-10, per step", REGRESSION, per_step=True)
def narma(seed):
    """After Atiya and Parlos (2000), "New results on recurrent network training"."""
    rng = np.random.default_rng(seed)
    n, n_steps, washout = 300, 100, 20
    # Of uniform inputs to 0.5 some sequences grow without limit.
    u = rng.uniform(0, 0.45, (n, n_steps + washout))
    y = np.zeros_like(u)
    for t in range(10, u.shape[1]):
        y[:, t] = (
            0.3 * y[:, t - 1]
            + 0.05 * y[:, t - 1] * y[:, t - 10 : t].sum(axis=1)
            + 1.5 * u[:, t - 10] * u[:, t - 1]
            + 0.1
        )
    X = u[:, washout:, np.newaxis].astype(np.float32)
    return at_random(X, y[:, washout:], 200, 100, seed)


@task("wear of machines, 30 samples", REGRESSION)
def wear(seed):
    """Micrometres of wear from 20 hours of load in kN and temperature in kelvin, with noise."""
    rng = np.random.default_rng(seed)
    load = rng.gamma(4, 5, (330, 20))
    heat = 300 + rng.normal(0, 10, (330, 1)) + load / 2
    y = (load * (heat - 280)).mean(axis=1) / 10 + rng.normal(0, 10, 330)
    return at_random(np.stack([load, heat], axis=2).astype(np.float32), y, 30, 300, seed)


# Forecasts


@task("CO2 in an office", FORECAST, past=3)
def office_co2(seed):
    """In ppm, an hour on, from temperature, humidity, light and CO2 every 16 minutes."""
    values = columns("river", "drift/datasets/occupancy.csv", "V1", "V2", "V3", "V4")
    return forecast(values, window=24, ahead=4, target=3)


@task("pace of a runner", FORECAST, past=0)
def pace(seed):
    values = columns("river", "drift/datasets/run_log.csv", "Pace", "Distance")
    return forecast(values, window=12)


@task("oil price", FORECAST, past=0)
def oil_price(seed):
    """In dollars a barrel, five days on, from 40 days; the price of later years is higher."""
    values = columns("river", "drift/datasets/brent_crude_oil.csv", "DPB")
    return forecast(values, window=40, ahead=5, stride=4)


@task("temperatures of San Francisco", FORECAST, past=0)
def san_francisco(seed):
    """In °F, six hours on, from two days by the hour; the test is on the autumn."""
    return forecast(columns("vega_datasets", "_data/sf-temps.csv", "temp"), 48, ahead=6, stride=4)


@task("wind of Seattle", FORECAST, past=3)
def seattle_wind(seed):
    names = ("precipitation", "temp_max", "temp_min", "wind")
    return forecast(columns("vega_datasets", "_data/seattle-weather.csv", *names), 14, target=3)


@task("solar power", FORECAST, past=0)
def solar(seed):
    return forecast(columns("aeon", "datasets/data/solar/solar.csv", "solar_gen"), window=48)


@task("web traffic", FORECAST, past=0)
def web_traffic(seed):
    return forecast(columns("sktime", "datasets/data/yahoo/yahoo.csv", "data"), window=48)


@task("electrocardiogram, 150 steps", FORECAST, past=0)
def electrocardiogram(seed):
    """In mV, 10 samples on, from 150."""
    values = columns("sktime", "datasets/data/mitdb/mitdb.csv", "data")
    return forecast(values, window=150, ahead=10, stride=4)


@task("electricity demand", FORECAST, past=0)
def electricity(seed):
    """In MW, half a day on, from two days by the half hour."""
    return forecast(literal_series("taylor"), window=96, ahead=24, stride=2)


@task("beer production", FORECAST, past=0)
def beer(seed):
    return forecast(literal_series("ausbeer"), window=12)


@task("Australian residents", FORECAST, past=0)
def residents(seed):
    """In thousands: a straight line, the test beyond all that was learned from."""
    return forecast(literal_series("austres"), window=8)


@task("heart rate", FORECAST, past=0)
def heart_rate(seed):
    return forecast(literal_series("heartrate"), window=16)


@task("wine sales", FORECAST, past=0)
def wine(seed):
    return forecast(literal_series("wineind"), window=24)


@task("woollen yarn", FORECAST, past=0)
def yarn(seed):
    return forecast(literal_series("woolyrnq"), window=8)


@task("share price", FORECAST, past=3)
def share_price(seed):
    """Microsoft's closing price in dollars, 5 days on, from open, high, low, close and volume."""
    import pandas as pd

    with tarfile.open(file_of("pmdarima", "datasets/data/msft.tar.gz")) as archive:
        data = pd.read_csv(io.BytesIO(archive.extractfile("msft.csv").read()))
    values = data[["Open", "High", "Low", "Close", "Volume"]].to_numpy(dtype=float)
    return forecast(values, window=20, ahead=5, stride=4, target=3)


# Counts


@task("lynx trapped", COUNTS, past=0)
def lynx(seed):
    return forecast(literal_series("lynx"), window=12)


@task("road casualties", COUNTS, past=0)
def casualties(seed):
    """Drivers killed or seriously injured in a month; a law made them fewer before the test."""
    return forecast(columns("sktime", "datasets/data/seatbelts/seatbelts.csv", "KSI"), window=24)


@task("syllables of words, ragged", COUNTS)
def syllables(seed):
    spelled, y = [], []
    for line in words():
        word, *phonemes = line.split()
        spelled.append(word)
        y.append(sum(phoneme[-1].isdigit() for phoneme in phonemes))
    return at_random(one_hot(spelled), np.array(y, dtype=float), 2000, 1000, seed)


@task("visitors of a shop, per step", COUNTS, per_step=True)
def visitors(seed):
    """By the hour for a day, from hour, weekday and temperature in °C; who doesn't come in rain
    (the fourth feature, in mm) comes two hours later."""
    rng = np.random.default_rng(seed)
    n, hour = 400, np.arange(24)
    weekday = np.arange(n)[:, np.newaxis] % 7
    heat = 15 - 6 * np.cos(2 * np.pi * (hour - 3) / 24) + rng.normal(0, 5, (n, 1))
    rain = rng.gamma(1, 2, (n, 24)) * (rng.random((n, 24)) < 0.25)
    usual = 60 * np.exp(-(((hour - 14) / 5) ** 2)) * (1 + 0.8 * (weekday >= 5)) * (0.5 + heat / 30)
    stay_away = usual * (1 - np.exp(-rain / 2))
    late = np.zeros_like(usual)
    late[:, 2:] = stay_away[:, :-2]
    y = rng.poisson(np.maximum(usual - stay_away + late, 0)).astype(float)
    X = np.stack(np.broadcast_arrays(hour, weekday, heat, rain), axis=2).astype(np.float32)
    return at_random(X, y, 300, 100, seed)
