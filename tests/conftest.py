"""Test runs repeat themselves, and say which copy of the package they test."""

import os
from importlib.util import find_spec

import numpy  # noqa: F401 -- loads the BLAS that is limited below
import scipy.linalg  # noqa: F401 -- which has another copy of it
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits

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

# xdist has a process per core, and BLAS would have a thread per core in each of them.
if "PYTEST_XDIST_WORKER" in os.environ:
    threadpool_limits(1, user_api="blas")


def pytest_report_header():
    return f"sklearn_rnn: {find_spec('sklearn_rnn').origin}"
