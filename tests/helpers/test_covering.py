"""The choice of combinations that other tests go through."""

from itertools import combinations, product

from covering import cover, covering

FACTORS = {
    "a": ["x", "y", "z"],
    "b": [False, True],
    "c": [1, 2, 3, 4],
    "d": [None, "some"],
    "e": ["p", "q"],
}


def found(cases, names):
    return {tuple(case[name] for name in names) for case in cases}


def test_every_pair_and_every_combination_of_a_group():
    groups = [("a", "b", "d"), ("b", "c", "d", "e")]
    cases = cover(FACTORS, *groups)
    for names in [*groups, *combinations(FACTORS, 2)]:
        assert found(cases, names) == set(product(*(FACTORS[name] for name in names)))
    assert len(cases) < 40  # of 96, and 32 are in one of the groups
    assert [list(case) for case in cases] == [list(FACTORS)] * len(cases)
    assert len(found(cases, FACTORS)) == len(cases)
    assert cover(FACTORS, *groups) == cases
    assert len(cover(FACTORS)) < 20


def test_what_is_not_possible_is_left_out():
    def possible(case):
        return case.get("a") != "z" or case.get("c") not in (2, 3)

    cases = cover(FACTORS, ("a", "b", "c"), possible=possible)
    expected = set(product("xyz", [False, True], [1, 2, 3, 4]))
    expected -= set(product("z", [False, True], [2, 3]))
    assert found(cases, "abc") == expected
    assert all(map(possible, cases))


def test_thorough_cases_are_the_ones_not_covered_already():
    values = covering(FACTORS, thorough=(FACTORS, tuple(FACTORS))).args[1]
    marked = [value.values for value in values if hasattr(value, "marks") and value.marks]
    plain = [value for value in values if isinstance(value, list)]
    assert plain == [list(case.values()) for case in cover(FACTORS)]
    assert len(marked) + len(plain) == 96
    assert {*map(tuple, marked)} | {*map(tuple, plain)} == set(product(*FACTORS.values()))
