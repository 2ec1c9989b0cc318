"""Attributes that are computed when they are first read."""

from typing import Any


class cached_property:
    """Like functools.cached_property, but without a lock.

    Until Python 3.12 that one has a lock, and all instances of a class share it. Threads that
    predict at the same time would wait for each other. A process that is forked meanwhile would
    wait for ever. Without a lock, two threads may both compute the value; either one will do.
    """

    def __init__(self, compute):
        self.compute = compute
        self.__doc__ = compute.__doc__

    def __get__(self, instance, owner=None) -> Any:
        if instance is None:
            return self
        value = vars(instance)[self.compute.__name__] = self.compute(instance)
        return value
