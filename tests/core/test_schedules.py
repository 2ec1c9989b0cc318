"""Learning rates as functions of the update's number."""

import pytest

from sklearn_rnn.core.schedules import SCHEDULES


@pytest.mark.parametrize("name", ["constant", "adaptive"])
@pytest.mark.parametrize("step", [1, 2, 1000])
def test_constant(name, step):
    assert SCHEDULES[name](step, 0.02, 0.5) == 0.02


@pytest.mark.parametrize(
    ("step", "power_t", "rate"),
    [(1, 0.5, 0.02), (4, 0.5, 0.01), (100, 0.5, 0.002), (8, 1.0, 0.0025)],
)
def test_invscaling(step, power_t, rate):
    assert SCHEDULES["invscaling"](step, 0.02, power_t) == pytest.approx(rate, rel=1e-15)


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_first_update_has_the_initial_rate(name):
    assert SCHEDULES[name](1, 0.3, 0.25) == 0.3
