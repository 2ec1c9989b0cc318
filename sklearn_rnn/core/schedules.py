"""Learning rate schedules: the learning rate as a function of the number of updates.

A schedule takes the moment of an update, the user's learning rate and `power_t`. "cosine" and
"one_cycle" stretch over a cycle; their formulas are those of torch's CosineAnnealingLR and
OneCycleLR.
"""

import math
from typing import NamedTuple


class Moment(NamedTuple):
    """When an update is made."""

    update: int  # its number among all updates ever made: 1, 2, ...
    done: float  # updates of the present cycle before this one, from 0 to length - 1
    length: int  # updates of a cycle


def constant(moment: Moment, rate: float, power_t: float) -> float:
    return rate


def invscaling(moment: Moment, rate: float, power_t: float) -> float:
    # rate / update^power_t, which is 0 where that power is greater than any float
    return rate * float(moment.update) ** -power_t


def cosine(moment: Moment, rate: float, power_t: float) -> float:
    """Fall from the rate towards zero along half a cosine (Loshchilov, Hutter 2017, one period)."""
    return anneal(rate, 0.0, moment.done / moment.length)


# The one-cycle schedule starts at the user's rate divided by START_DIVISOR. It rises to the user's
# rate during the share RISE of a cycle, and then falls to its start divided by END_DIVISOR.
RISE, START_DIVISOR, END_DIVISOR = 0.3, 25.0, 1e4


def one_cycle(moment: Moment, rate: float, power_t: float) -> float:
    """Rise to the rate, then fall to almost zero (Smith, Topin 2019)."""
    lowest, peak, last = rate / START_DIVISOR, RISE * moment.length - 1, moment.length - 1
    if moment.done <= peak:
        return anneal(lowest, rate, moment.done / peak)
    return anneal(rate, lowest / END_DIVISOR, (moment.done - peak) / (last - peak))


def anneal(start: float, end: float, progress: float) -> float:
    """Go from start to end along half a cosine, as progress goes from 0 to 1."""
    return end + 0.5 * (start - end) * (1 + math.cos(math.pi * progress))


# "adaptive" is constant here; the training loop halves the rate when the loss stops falling.
SCHEDULES = {
    "constant": constant,
    "invscaling": invscaling,
    "adaptive": constant,
    "cosine": cosine,
    "one_cycle": one_cycle,
}

# What these give depends on the length of a cycle.
STRETCHED = {"cosine", "one_cycle"}
