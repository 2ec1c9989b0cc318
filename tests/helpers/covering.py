"""Chooses some of all combinations of options, so that every pair of values occurs in one of them.

Most errors need one value to show, or two together, and seldom more. So a test of many options need
not go through all combinations.
"""

from itertools import combinations, product

import pytest


def cover(factors, *groups, possible=lambda case: True):
    """Choose combinations of the factors' values; always the same ones.

    Every pair of values of two factors occurs in one of them. So does every combination of values
    of the factors in a group. What is not possible is left out.

    factors : {name: values}
    groups : sequences of names
    possible : tells whether a {name: value}, with some or all of the names, may be tested
    """
    wanted = [
        dict(zip(names, values, strict=True)).items()
        for names in (*groups, *combinations(factors, 2))
        for values in product(*(factors[name] for name in names))
    ]
    wanted = [part for part in wanted if possible(dict(part))]
    cases = []
    while wanted:
        case = dict(wanted[0])
        for name in [name for name in factors if name not in case]:
            case[name] = _most_wanted(case, name, factors[name], wanted, possible)
        cases.append({name: case[name] for name in factors})
        wanted = [part for part in wanted if not part <= case.items()]
    return cases


def _most_wanted(case, name, values, wanted, possible):
    """The value with which the case contains the most of the wanted combinations."""

    def gain(value):
        items = {**case, name: value}.items()
        return sum((name, value) in part and part <= items for part in wanted)

    return max((value for value in values if possible({**case, name: value})), key=gain)


def covering(factors, *groups, thorough=None):
    """A mark for a test that has the factors as arguments: it goes through what `cover` chooses.

    thorough : other arguments for `cover`, whose further cases are marked as thorough
    """
    cases = cover(factors, *groups)
    parameters = [list(case.values()) for case in cases]
    if thorough:
        parameters += only_thorough(
            list(case.values()) for case in cover(*thorough) if case not in cases
        )
    return pytest.mark.parametrize(
        list(factors), parameters, ids=lambda value: str(value) if type(value) is tuple else None
    )


def only_thorough(parameters):
    """Parameters of a test, marked so that it is left out unless `pytest -m thorough` asks."""
    return [pytest.param(*values, marks=pytest.mark.thorough) for values in parameters]
