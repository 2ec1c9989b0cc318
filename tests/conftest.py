"""Test runs repeat themselves, and say which copy of the package they test."""

from importlib.util import find_spec

from hypothesis import HealthCheck, settings

# derandomize: the same examples in every run, so a database of failed ones would never be read.
# Nothing may depend on the clock: no deadline, no complaint about slow input generation.
settings.register_profile(
    "repeatable",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")


def pytest_report_header():
    return f"sklearn_rnn: {find_spec('sklearn_rnn').origin}"
