"""The units of one sequence: a level and a scale for each feature."""

import numpy as np

from sklearn_rnn._input.hyperparameters import check_choice
from sklearn_rnn.core.scaling import Scaling

CENTERS = {
    "mean": lambda x: x.mean(axis=0),
    "first": lambda x: x[0],
    "last": lambda x: x[-1],
    None: lambda x: np.zeros(x.shape[1]),
}
SCALES = {"std": lambda x: x.std(axis=0), None: lambda x: np.ones(x.shape[1])}


def check_units(center, scale) -> None:
    """Raise unless the parameters are among the choices."""
    check_choice("center", center, CENTERS)
    check_choice("scale", scale, SCALES)


def units_of(x: np.ndarray, center, scale, name: str) -> Scaling:
    """Return the level and the scale of each feature; the scale of a constant is 1.

    x : (n_timesteps, n_features)
    center, scale : keys of CENTERS and SCALES
    name : what errors call the sequence
    """
    x = x.astype(np.float64, copy=False)
    with np.errstate(over="ignore", invalid="ignore"):
        units = Scaling(CENTERS[center](x), SCALES[scale](x))
    finite = np.isfinite(units.mean) & np.isfinite(units.scale)
    if not finite.all():
        raise ValueError(
            f"{name} has values so large that the mean or the variance of feature "
            f"{finite.argmin()} overflows: scale X."
        )
    # A sequence of equal values may have a tiny deviation, by rounding.
    rounding = len(x) * np.finfo(np.float64).eps * np.abs(x).max(axis=0)
    return Scaling(units.mean, np.where(units.scale > rounding, units.scale, 1.0))


def in_units(x: np.ndarray, units: Scaling, features: list[int]) -> np.ndarray:
    """Return a sequence with some of its features in other units, in its own precision.

    units : of all features
    """
    chosen = Scaling(units.mean[features], units.scale[features])
    made = x.astype(x.dtype if x.dtype.kind == "f" else np.float64)
    made[:, features] = chosen.apply(x[:, features])
    return made
