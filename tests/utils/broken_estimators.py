"""What broken estimators are registered with: the checks that they have to fail."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Broken:
    """An estimator, the check made for what is wrong with it, and the only others that see it too.

    twin : the same without what is wrong
    """

    estimator_class: type
    check: str
    seen_too: tuple
    twin: type
    parameters: dict
    declared: dict


BROKEN = []


def fails(check, *seen_too, parameters=None, twin=None, **declared):
    """Say which check an estimator has to fail, and which others; it must not fail any more."""

    def register(estimator_class):
        bases = estimator_class.__mro__
        sound = twin or next(base for base in bases if base.__module__ == "sound_estimators")
        broken = Broken(estimator_class, check, seen_too, sound, parameters or {}, declared)
        BROKEN.append(broken)
        return estimator_class

    return register


def to_predict(broken, sound):
    """A hook that is broken only once the estimator is fitted."""

    def hook(self, *args):
        return (broken if hasattr(self, "model_") else sound)(self, *args)

    return hook


PER_TIMESTEP = {"return_sequences": True}
