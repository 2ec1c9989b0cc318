"""The learning rate as a function of when an update is made.

A schedule takes that moment, the user's rate and `power_t`. The formulas of those that span a cycle
are torch's (CosineAnnealingLR, OneCycleLR), so that a trajectory here is a trajectory there.
"""

import math
from typing import NamedTuple


class Moment(NamedTuple):
    """When an update is made."""

    update: int  # 1, 2, ..., of all updates ever made
    done: float  # how many updates of the present cycle are made, from 0 to length - 1
    length: int  # how many updates make a cycle


def constant(moment: Moment, rate: float, power_t: float) -> float:
    return rate


def invscaling(moment: Moment, rate: float, power_t: float) -> float:
    return rate / moment.update**power_t


def cosine(moment: Moment, rate: float, power_t: float) -> float:
    """From the rate towards zero (Loshchilov, Hutter 2017, one period)."""
    return anneal(rate, 0.0, moment.done / moment.length)


# Of the updates of a one-cycle, the share that the rate rises; from the rate divided by the first
# number it rises, and to that divided by the second it falls.
RISE, START_DIVISOR, END_DIVISOR = 0.3, 25.0, 1e4


def one_cycle(moment: Moment, rate: float, power_t: float) -> float:
    """Up to the rate, then down to next to nothing (Smith, Topin 2019)."""
    lowest, peak, last = rate / START_DIVISOR, RISE * moment.length - 1, moment.length - 1
    if moment.done <= peak:
        return anneal(lowest, rate, moment.done / peak)
    return anneal(rate, lowest / END_DIVISOR, (moment.done - peak) / (last - peak))


def anneal(start: float, end: float, progress: float) -> float:
    """Go from start to end along half a cosine, as progress goes from 0 to 1."""
    return end + 0.5 * (start - end) * (1 + math.cos(math.pi * progress))


# "adaptive" starts constant; the training loop halves it when the loss stops falling.
SCHEDULES = {
    "constant": constant,
    "invscaling": invscaling,
    "adaptive": constant,
    "cosine": cosine,
    "one_cycle": one_cycle,
}
