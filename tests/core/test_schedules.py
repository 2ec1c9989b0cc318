"""Learning rates as functions of when an update is made."""

import math

import pytest

from sklearn_rnn.core.schedules import SCHEDULES, Moment


def rates(name, length, power_t=0.5):
    """The rates of a cycle's updates, the first cycle of all."""
    moments = [Moment(done + 1, done, length) for done in range(length)]
    return [SCHEDULES[name](moment, 0.02, power_t) for moment in moments]


@pytest.mark.parametrize("name", ["constant", "adaptive"])
def test_constant(name):
    assert rates(name, 100) == [0.02] * 100


@pytest.mark.parametrize(
    ("update", "power_t", "rate"),
    [(1, 0.5, 0.02), (4, 0.5, 0.01), (100, 0.5, 0.002), (8, 1.0, 0.0025)],
)
def test_invscaling_counts_all_updates(update, power_t, rate):
    for done in (0, 3):
        moment = Moment(update, done, 5)
        assert SCHEDULES["invscaling"](moment, 0.02, power_t) == pytest.approx(rate, rel=1e-15)


def test_cosine():
    expected = [0.02 * math.cos(math.pi * k / 12) ** 2 for k in range(6)]  # cos²(x/2) = (1+cos x)/2
    assert rates("cosine", 6) == pytest.approx(expected, rel=1e-14)


def test_one_cycle():
    """Of 20 updates the sixth is the highest, in the middle between them is the mean."""
    path = rates("one_cycle", 20)
    assert path[0] == pytest.approx(0.02 / 25, rel=1e-14)
    assert path[5] == max(path) == 0.02
    assert path[-1] == pytest.approx(0.02 / 25e4, rel=1e-12)
    assert path[12] == pytest.approx((path[5] + path[19]) / 2, rel=1e-14)
    assert path[:6] == sorted(path[:6])
    assert path[5:] == sorted(path[5:], reverse=True)


@pytest.mark.parametrize("name", ["cosine", "one_cycle"])
@pytest.mark.parametrize("length", range(1, 40))
def test_a_cycle_of_any_length(name, length):
    assert all(0 < rate <= 0.02 for rate in rates(name, length))
    again = [SCHEDULES[name](Moment(1000 + k, k, length), 0.02, 7.0) for k in range(length)]
    assert again == rates(name, length)  # neither earlier cycles nor power_t matter


@pytest.mark.parametrize("name", sorted(set(SCHEDULES) - {"one_cycle"}))
def test_the_first_update_has_the_initial_rate(name):
    assert rates(name, 10)[0] == 0.02
