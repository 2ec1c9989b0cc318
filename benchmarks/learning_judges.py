"""The sets that judge the defaults: nobody may look at their scores while defaults are chosen."""

from learning_data import (
    CLASSIFICATION,
    FORECAST,
    REGRESSION,
    Split,
    Task,
    columns,
    entering,
    forecast,
    own_split,
    table,
)

JUDGES: list[Task] = []
judge = entering(JUDGES)


@judge("gun point", CLASSIFICATION)
def gun_point(seed):
    return own_split("GunPoint")


@judge("basic motions", CLASSIFICATION)
def basic_motions(seed):
    return own_split("BasicMotions")


@judge("pickup gestures, ragged", CLASSIFICATION)
def pickup_gestures(seed):
    return own_split("PickupGestureWiimoteZ")


@judge("leaves", CLASSIFICATION)
def leaves(seed):
    return own_split("OSULeaf")


@judge("Italian power demand", CLASSIFICATION)
def italian_power_demand(seed):
    return own_split("ItalyPowerDemand")


@judge("appliances of PLAID, ragged", CLASSIFICATION)
def plaid(seed):
    """Every fourth step of up to 1,344."""
    split = own_split("PLAID", package="sktime")
    X_train, X_test = ([x[::4] for x in X] for X in (split.X_train, split.X_test))
    return Split(X_train, split.y_train, X_test, split.y_test)


@judge("fat of meat", REGRESSION)
def fat_of_meat(seed):
    """Spectra of 100 wavelengths (Tecator)."""
    return own_split("Tecator", float, package="sktime")


@judge("deaths of Covid", REGRESSION)
def covid(seed):
    """The death rate after three months of daily confirmed cases."""
    return own_split("Covid3Month", float)


@judge("sunspots of next year", FORECAST, past=0)
def sunspots(seed):
    return forecast(columns("statsmodels", "datasets/sunspots/sunspots.csv", "SUNACTIVITY"), 22)


@judge("flow of the Nile", FORECAST, past=0)
def nile(seed):
    return forecast(columns("statsmodels", "datasets/nile/nile.csv", "volume"), 10)


@judge("weekly CO2, 4 weeks ahead", FORECAST, past=0)
def weekly_co2(seed):
    """Weeks without a measurement have values between their neighbours'."""
    series = table("statsmodels", "datasets/co2/co2.csv")["co2"].interpolate()
    return forecast(series.to_numpy(dtype=float), 52, ahead=4)


@judge("airline passengers", FORECAST, past=0)
def airline_passengers(seed):
    return forecast(columns("aeon", "datasets/data/Airline/Airline.csv", "Passengers"), 24)


@judge("El Niño, 3 months ahead", FORECAST, past=0)
def el_nino(seed):
    by_year = table("statsmodels", "datasets/elnino/elnino.csv").drop(columns="YEAR")
    return forecast(by_year.to_numpy(dtype=float).ravel(), 24, ahead=3)
