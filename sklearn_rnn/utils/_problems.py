"""Small sequences with targets that depend on them, and their containers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sklearn_rnn._input.sequences import as_objects
from sklearn_rnn.preprocessing import pad_sequences

# The lengths of the sequences. The longest ones are neither first nor last, and none equals the
# number of features.
LENGTHS = (4, 2, 6, 1, 5, 2, 6, 4, 1, 5, 2, 6, 1, 4, 5)
EQUAL = (5,) * len(LENGTHS)
N_FEATURES = 3


@dataclass(frozen=True)
class Problem:
    """Sequences and their targets.

    X : list of arrays (n_timesteps_i, n_features)
    y : array (n, ...) with one target per sequence, list of arrays (n_timesteps_i, ...) with one
        per timestep, or None
    """

    X: list[np.ndarray]
    y: np.ndarray | list[np.ndarray] | None

    @property
    def lengths(self) -> list[int]:
        """The timesteps of each sequence."""
        return [len(x) for x in self.X]

    def take(self, chosen) -> "Problem":
        """Return the chosen sequences, in the order of `chosen`."""
        y = [self.y[i] for i in chosen] if isinstance(self.y, list) else self.y
        return Problem([self.X[i] for i in chosen], y[chosen] if isinstance(y, np.ndarray) else y)

    def within(self, container: str) -> tuple:
        """Return X and y in a container; y with one target per sequence remains an array."""
        y = self.y
        if isinstance(y, list):
            y = padded_with_last(y) if container == "padded" else CONTAINERS[container](y)
        return CONTAINERS[container](self.X), y


def padded_with_last(parts: list[np.ndarray]) -> np.ndarray:
    """Return one array (n, n_timesteps, ...), padded with the last value of each part."""
    steps = np.arange(max(map(len, parts)))
    return np.stack([part[np.minimum(steps, len(part) - 1)] for part in parts])


CONTAINERS = {"array": np.stack, "padded": pad_sequences, "list": list, "object array": as_objects}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to draw a problem.

    kind : "regressor", "classifier", "multilabel" or None, for y
    n_outputs : the outputs per target, in the last dimension; None is one output without it
    """

    kind: str | None
    per_timestep: bool
    lengths: Sequence[int]
    n_features: int
    n_outputs: int | None = None
    labels: Sequence[int] = (0, 1, 2)
    positive_X: bool = False
    positive_y: bool = False
    seed: int = 0

    def draw(self) -> Problem:
        """Draw the problem; a recipe always draws the same one."""
        rng = np.random.default_rng(self.seed)
        X = [rng.normal(size=(length, self.n_features)) for length in self.lengths]
        if self.positive_X:
            X = [np.abs(x) for x in X]
        signals = [_signals(x, self.n_outputs or 1) for x in X]
        if not self.per_timestep:
            signals = [signal[-1:] for signal in signals]
        targets = _TARGETS[self.kind](np.concatenate(signals), np.asarray(self.labels))
        if self.positive_y:
            targets = np.abs(targets) + 0.1
        if targets is not None and self.n_outputs is None:
            targets = targets[:, 0]
        if self.per_timestep and self.kind:
            targets = np.split(targets, np.cumsum(self.lengths)[:-1])
        return Problem(X, targets)


def _signals(x: np.ndarray, n_outputs: int) -> np.ndarray:
    """What there is to learn at each timestep, from earlier timesteps and from this one."""
    mean = x.cumsum(axis=0) / np.arange(1, len(x) + 1)[:, np.newaxis]
    signals = 2 * mean[:, 0] + x[:, -1], mean[:, -1] - x[:, 0]
    return np.stack(signals[:n_outputs], axis=1)


def _ranked(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Labels by the rank of the values, as equally frequent as possible."""
    ranks = values.argsort(axis=0).argsort(axis=0)
    return labels[ranks * len(labels) // len(values)]


_TARGETS = {
    "regressor": lambda values, labels: values,
    "classifier": _ranked,
    "multilabel": lambda values, labels: (values > np.median(values, axis=0)).astype(int),
    None: lambda values, labels: None,
}
