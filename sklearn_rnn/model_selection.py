"""Splitters for what scikit-learn's own can't split: labels per timestep, and windows of series."""

from numbers import Integral

import numpy as np
from sklearn.model_selection import BaseCrossValidator, StratifiedGroupKFold
from sklearn.utils import column_or_1d, indexable

from sklearn_rnn._input.content import STEPS
from sklearn_rnn._input.errors import about, describe
from sklearn_rnn._input.hyperparameters import check_number
from sklearn_rnn._input.sequences import as_sequences
from sklearn_rnn._input.targets import flatten_targets

__all__ = ["StratifiedSequenceKFold", "TimeSeriesWindowSplit"]


class _FixedSplits(BaseCrossValidator):
    """A splitter whose number of folds is a parameter, and which takes groups."""

    __metadata_request__split = {"groups": True}  # passed on where routing is enabled

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object
            Ignored.

        Returns
        -------
        n_splits : int
            The number of folds.
        """
        return self.n_splits


class StratifiedSequenceKFold(_FixedSplits):
    """K folds of whole sequences, with labels per timestep in about the same shares.

    scikit-learn's `StratifiedKFold` wants one label per sample. This one counts the labels of all
    valid timesteps, and puts each sequence with all its timesteps into one fold. It is
    `sklearn.model_selection.StratifiedGroupKFold` of the timesteps, with the sequences as groups.

    Parameters
    ----------
    n_splits : int, default=5
        The number of folds, at least 2.
    shuffle : bool, default=False
        Whether to shuffle the sequences first. As in `StratifiedGroupKFold` that matters only
        among sequences whose counts of labels are spread alike.
    random_state : int, RandomState instance or None, default=None
        For ``shuffle=True``. Pass an int for the same folds in each call.

    Raises
    ------
    ValueError, TypeError
        If a parameter can't be used. ``split`` raises them if y is not one label per timestep, or
        if there are fewer sequences (or groups) than folds.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.model_selection import StratifiedSequenceKFold
    >>> X = [np.zeros((length, 1)) for length in (3, 3, 2, 2)]
    >>> y = [["B", "B", "B"], ["B", "B", "B"], ["A", "A"], ["A", "A"]]
    >>> for train, test in StratifiedSequenceKFold(2).split(X, y):
    ...     print(train, test)
    [1 3] [0 2]
    [0 2] [1 3]
    """

    def __init__(self, n_splits=5, *, shuffle=False, random_state=None):
        StratifiedGroupKFold(n_splits, shuffle=shuffle, random_state=random_state)  # checks them
        self.n_splits = n_splits
        self.shuffle = shuffle
        self.random_state = random_state

    def split(self, X, y=None, groups=None):
        """Split sequences into training and test sets.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences, in any container that `RNNClassifier` takes; only their lengths matter.
        y : array-like of shape (n_samples, n_timesteps) or list of arrays (n_timesteps_i,)
            The labels. What lies in padding is ignored.
        groups : array-like of shape (n_samples,), default=None
            Sequences of the same group, such as recordings of one speaker, stay together.

        Yields
        ------
        train, test : ndarray
            The numbers of the sequences in the training set and in the test set of a fold.
        """
        X, y, groups = indexable(X, y, groups)
        if y is None:
            raise ValueError("y must be given: one label per timestep.")
        steps = as_sequences(X, STEPS)
        labels = flatten_targets(y, steps, "y")
        sequences = np.arange(len(steps))
        owner = np.repeat(sequences, steps.lengths)
        with about("groups"):
            groups = sequences if groups is None else column_or_1d(groups)
            n_groups = len(np.unique(groups))
        if n_groups < self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits} folds need as many sequences, or groups of sequences; "
                f"there are {n_groups}."
            )
        folds = StratifiedGroupKFold(
            self.n_splits, shuffle=self.shuffle, random_state=self.random_state
        )
        with about("y"):
            for train, test in folds.split(owner, labels, groups[owner]):
                yield np.unique(owner[train]), np.unique(owner[test])


class TimeSeriesWindowSplit(_FixedSplits):
    """Train on the past, test on what came after: folds in the order of time, for windows.

    As `sklearn.model_selection.TimeSeriesSplit`, for windows of one series or of several with any
    stride and horizon, as `sliding_windows` cuts them. The time of the first targets is cut into
    stretches of `test_size` timesteps, of which the last `n_splits` are tested, one after another.
    A fold's test windows are those whose first target is in its stretch; its training windows are
    those that end, targets included, at least `gap` timesteps before the stretch begins::

        fold 1   train train |gap| test
        fold 2   train train train |gap| test
        fold 3   train train train train |gap| test
                 ------------------------------------> time

    So no timestep that a model is tested on, nor any after it, was seen in training. The inputs
    of a test window may reach back into the training data, as they do when a model is used;
    ``gap=window`` keeps them apart too. A window that straddles the border is in neither set. Every
    window whose first target is in the last `n_splits` stretches is tested once.

    Parameters
    ----------
    n_splits : int, default=5
        The number of folds, at least 1.
    gap : int, default=0
        The timesteps between the end of the training data and the first test target.
    test_size : int or None, default=None
        The timesteps of a stretch. None cuts the whole time into n_splits + 1 equal ones.
    max_train_size : int or None, default=None
        Train on windows in the last so many timesteps only. None means all.
    by_series : bool, default=False
        False reads the times of all series on one clock, so that none is trained on what was later
        than the test of another one. True cuts each series at its own times, from its own first
        window to its last: for series that have nothing to do with each other.

    Raises
    ------
    ValueError, TypeError
        If a parameter can't be used. ``split`` raises them if groups is not such an index, or if a
        fold would have no windows to train or to test on.

    See Also
    --------
    sklearn.model_selection.GroupKFold : Keeps whole series in one fold, given ``index["series"]``
        as groups.
    sklearn.model_selection.TimeSeriesSplit : The same as this one for all the windows of a single
        series with ``stride=1``, given ``gap=horizon - 1``.

    Notes
    -----
    Times count from 0 in each series. If series that share a clock start at different times, add
    the differences to the index, where ``first[i]`` is the time of the first timestep of series i::

        for field in ("start", "first_target", "stop"):
            index[field] += first[index["series"]]

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.model_selection import TimeSeriesWindowSplit
    >>> from sklearn_rnn.preprocessing import sliding_windows
    >>> X, y, index = sliding_windows(np.arange(10.0), window=3, horizon=2, return_index=True)
    >>> for train, test in TimeSeriesWindowSplit(n_splits=2).split(X, y, groups=index):
    ...     print(y[train].tolist(), y[test].tolist())
    [[3.0, 4.0]] [[5.0, 6.0], [6.0, 7.0]]
    [[3.0, 4.0], [4.0, 5.0], [5.0, 6.0]] [[7.0, 8.0], [8.0, 9.0]]
    """

    def __init__(self, n_splits=5, *, gap=0, test_size=None, max_train_size=None, by_series=False):
        check_number("n_splits", n_splits, Integral, 1, None, "left")
        check_number("gap", gap, Integral, 0, None, "left")
        for name, size in {"test_size": test_size, "max_train_size": max_train_size}.items():
            if size is not None:
                check_number(name, size, Integral, 1, None, "left")
        if not isinstance(by_series, (bool, np.bool_)):
            raise TypeError(f"by_series must be True or False, not {by_series!r}.")
        self.n_splits = n_splits
        self.gap = gap
        self.test_size = test_size
        self.max_train_size = max_train_size
        self.by_series = by_series

    def split(self, X, y=None, groups=None):
        """Split windows into training and test sets.

        Parameters
        ----------
        X : array-like of shape (n_windows, ...)
            The windows; only their number matters.
        y : array-like of shape (n_windows, ...), default=None
            The targets; only their number matters.
        groups : ndarray of shape (n_windows,)
            The index that `sliding_windows` returns with ``return_index=True``.

        Yields
        ------
        train, test : ndarray
            The numbers of the windows in the training set and in the test set of a fold.
        """
        _, _, index = indexable(X, y, groups)
        fields = {"series", "start", "first_target", "stop"}
        if not isinstance(index, np.ndarray) or not fields <= set(index.dtype.names or ()):
            raise ValueError(
                "groups must be the index that sliding_windows(..., return_index=True) returns; "
                f"got {describe(groups)}."
            )
        clocks = index["series"] if self.by_series else np.zeros(len(index))
        parts = [np.flatnonzero(clocks == clock) for clock in np.unique(clocks)]
        stretches = [self._stretches(index[part]) for part in parts]
        for fold in range(self.n_splits):
            masks = np.zeros((2, len(index)), bool)
            for part, (begins, size) in zip(parts, stretches, strict=True):
                masks[:, part] = self._sets(index[part], begins[fold], size)
            for mask, purpose in zip(masks, ("train", "test"), strict=True):
                if not mask.any():
                    raise ValueError(
                        f"Fold {fold} has no windows to {purpose} on: choose another n_splits, "
                        "test_size, gap or max_train_size, or cut more windows."
                    )
            yield tuple(map(np.flatnonzero, masks))

    def _stretches(self, windows: np.ndarray) -> tuple[np.ndarray, int]:
        """When the stretches to be tested begin, (n_splits,), and how long each one is."""
        times = windows["first_target"]
        end = times.max() + 1
        size = self.test_size or (end - times.min()) // (self.n_splits + 1)
        if size == 0:
            of_series = f" of series {windows['series'][0]}" if self.by_series else ""
            raise ValueError(
                f"n_splits={self.n_splits} is too many: the first targets{of_series} span "
                f"{end - times.min()} timesteps, to be cut into {self.n_splits + 1} stretches."
            )
        return end - size * np.arange(self.n_splits, 0, -1), size

    def _sets(self, windows: np.ndarray, begin: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Which windows are trained on and which tested, where a stretch begins, (n_windows,)."""
        times = windows["first_target"]
        train = windows["stop"] <= begin - self.gap
        if self.max_train_size is not None:
            train &= windows["start"] >= begin - self.gap - self.max_train_size
        return train, (begin <= times) & (times < begin + size)
