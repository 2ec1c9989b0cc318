"""What a window shows at each of its timesteps: the past, what is known ahead, static features."""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from sklearn_rnn._input.containers import opened
from sklearn_rnn._input.errors import about, describe
from sklearn_rnn._input.frames import is_frame
from sklearn_rnn.preprocessing._features import as_plain, places
from sklearn_rnn.preprocessing._series import Series, holds_several, read_series
from sklearn_rnn.preprocessing._static import dtype_with, read_static


class Channels(NamedTuple):
    """The channels of a window at each timestep t, in this order.

    past : the features whose values at t are shown
    future : the features whose values at t + first, ..., t + first + horizon - 1 are shown
    first : how many timesteps ahead the first target of a window is, seen from its last timestep
    horizon : the number of timesteps in the targets
    static : the static features, (n_series, n_static); None if there are none
    """

    past: list[int]
    future: list[int]
    first: int
    horizon: int
    static: np.ndarray | None

    @classmethod
    def of(cls, every: list[Series], past, future, static, ahead: tuple[int, int]) -> "Channels":
        """Read what the user asked for.

        ahead : the horizon and the gap
        """
        known, (horizon, gap) = every[0].features, ahead
        known_ahead = [] if future is None else places(future, known, "future")
        others = [i for i in range(len(known)) if i not in known_ahead]
        if not others:
            raise ValueError(
                f"future={future!r} has all the features of the series, which are {known}: there "
                "is nothing left to forecast."
            )
        shown = others if past is None else places(past, known, "past")
        if static is not None:
            static = read_static(static, "static", len(every), "series")
        return cls(shown, known_ahead, gap + 1, horizon, static)

    @property
    def span(self) -> int:
        """How many timesteps ahead the last shown value is."""
        return self.first + self.horizon - 1 if self.future else 0

    def table(self, number: int, values: np.ndarray, later: np.ndarray | None = None) -> np.ndarray:
        """Return the channels of a series at its timesteps, (n_rows, n_channels).

        Without `later`, the timesteps at the end have no row: what they show is not known.

        number : of the series
        values : (n_timesteps, n_features)
        later : what is known after the end of the series, (span, n_future)
        """
        ahead = values[:, self.future]
        if later is not None:
            ahead = np.concatenate([ahead, later])
        n_rows = len(ahead) - self.span
        parts = [values[:n_rows, self.past]]
        if not self.future and self.static is None:
            return parts[0]
        if self.future:
            windows = sliding_window_view(ahead[self.first :], self.horizon, axis=0)
            parts.append(np.moveaxis(windows, -1, 1).reshape(n_rows, -1))
        if self.static is not None:
            row = self.static[number]
            parts.append(np.broadcast_to(row, (n_rows, len(row))))
        dtype = dtype_with(values.dtype, np.result_type(*parts))
        with np.errstate(over="ignore"):
            return np.concatenate(parts, axis=1, dtype=dtype, casting="unsafe")

    def targets(self, target, every: list[Series]):
        """Return an index for the last axis of the values that selects the features to forecast."""
        known = every[0].features
        if target is None:
            chosen = [i for i in range(len(known)) if i not in self.future]
            return 0 if all(one.is_1d for one in every) else chosen
        chosen = places(target, known, "target")
        leaks = [known[i] for i in chosen if i in self.future]
        if leaks:
            raise ValueError(
                f"target and future both have {leaks}: what is to be forecast is not known ahead. "
                "Leave it out of one of them."
            )
        return chosen if isinstance(as_plain(target), list) else chosen[0]

    def read_later(self, X_future, every: list[Series]) -> list[np.ndarray] | list[None]:
        """Return what is known after the end of each series, (span, n_future) each, or raise."""
        if not self.future:
            if X_future is not None:
                raise ValueError(
                    "X_future is given, but no features are known ahead: name them in future."
                )
            return [None] * len(every)
        names = [every[0].features[i] for i in self.future]
        if X_future is None:
            raise ValueError(
                f"X_future is needed: the window shows {names} up to {self.span} timesteps after "
                "the end of the series."
            )
        if every[0].columns is not None:
            X_future = _columns_of(X_future, names)
        later = read_series(X_future, "X_future")
        if len(later) != len(every):
            raise ValueError(
                f"X_future has {len(later)} series, but there are {len(every)}: give a list with "
                "one array for each."
            )
        for one in later:
            if one.values.shape[1] != len(names):
                raise ValueError(
                    f"{one.name} has {one.values.shape[1]} features, but must have those in "
                    f"future, {names}, in this order."
                )
            if len(one.values) < self.span:
                raise ValueError(
                    f"{one.name} has {len(one.values)} timesteps, but {self.span} are needed after "
                    f"the end of the series, with horizon={self.horizon} and gap={self.first - 1}."
                )
        return [one.values[: self.span] for one in later]


def _columns_of(X_future, names: list):
    """Choose the features among the columns of DataFrames; leave arrays as they are."""
    with about("X_future"):
        X_future = opened(X_future, "X_future")
    if holds_several(X_future) and not is_frame(X_future):
        return [_columns_of_one(one, names, f"X_future[{i}]") for i, one in enumerate(X_future)]
    return _columns_of_one(X_future, names, "X_future")


def _columns_of_one(one, names: list, called: str):
    if not is_frame(one):
        return one
    missing = [name for name in names if name not in list(one.columns)]
    if missing:
        raise ValueError(
            f"{called} ({describe(one)}) lacks the columns {missing}: it must have the features in "
            f"future, which are {names}."
        )
    return one[names]
