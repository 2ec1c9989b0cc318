"""The register of broken estimators, each with the checks that it has to fail."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Broken:
    """An estimator with a fault, and the check that was made for this fault.

    seen_too : the other checks that find the fault
    twin : the same estimator without the fault
    """

    estimator_class: type
    check: str
    seen_too: tuple
    twin: type
    parameters: dict
    declared: dict


BROKEN = []


def fails(check, *seen_too, parameters=None, twin=None, **declared):
    """Register an estimator that must fail `check` and the checks `seen_too`, and no others."""

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
