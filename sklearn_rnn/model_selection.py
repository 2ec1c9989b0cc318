"""Cross-validated predictions, and splitters for labels per timestep and for windows of series."""

from numbers import Integral

import numpy as np
from sklearn.model_selection import BaseCrossValidator, StratifiedGroupKFold
from sklearn.utils import check_random_state, indexable

from sklearn_rnn._cross_val_predict import cross_val_predict
from sklearn_rnn._input.content import STEPS
from sklearn_rnn._input.errors import about, describe
from sklearn_rnn._input.groups import read_groups
from sklearn_rnn._input.hyperparameters import check_flag, check_number
from sklearn_rnn._input.sequences import as_sequences
from sklearn_rnn._input.targets import flatten_targets
from sklearn_rnn._stratified_folds import count_labels, stratified_folds

__all__ = ["StratifiedSequenceKFold", "TimeSeriesWindowSplit", "cross_val_predict"]


class _FixedSplits(BaseCrossValidator):
    """A splitter with groups, and with the number of folds as a parameter."""

    __metadata_request__split = {"groups": True}  # requests groups if metadata routing is enabled

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
    """K folds of whole sequences, stratified by labels per timestep.

    scikit-learn's `StratifiedKFold` needs one label per sample. This class counts the labels of all
    valid timesteps, so that each label has about the same share in every fold. All timesteps of a
    sequence are in the same fold. The folds are those of
    `sklearn.model_selection.StratifiedGroupKFold` with timesteps as samples and sequences as
    groups.

    Parameters
    ----------
    n_splits : int, default=5
        The number of folds, at least 2.
    shuffle : bool, default=False
        Whether to shuffle the sequences first. As in `StratifiedGroupKFold`, shuffling matters only
        among sequences whose label counts have the same standard deviation.
    random_state : int, RandomState instance or None, default=None
        The seed of ``shuffle=True``. An int gives the same folds in every call.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of range. ``split`` raises them if y does not have one label per
        timestep, or if there are fewer sequences (or groups) than folds.

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
        check_number("n_splits", n_splits, Integral, 2, None, "left")
        check_flag("shuffle", shuffle)
        StratifiedGroupKFold(n_splits, shuffle=shuffle, random_state=random_state)  # checks them
        self.n_splits = n_splits
        self.shuffle = shuffle
        self.random_state = random_state

    def split(self, X, y=None, groups=None):
        """Split sequences into training and test sets.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences, in any container that `RNNClassifier` takes. Only their lengths are used.
        y : array-like of shape (n_samples, n_timesteps) or list of arrays (n_timesteps_i,)
            The labels. Values in padding are ignored.
        groups : array-like of shape (n_samples,), default=None
            The group of each sequence. Sequences of one group, such as recordings of one speaker,
            stay in one fold.

        Yields
        ------
        train, test : ndarray
            The indices of the sequences in the training set and in the test set of a fold.
        """
        X, y, groups = indexable(X, y, groups)
        if y is None:
            raise ValueError("y must be given: one label per timestep.")
        steps = as_sequences(X, STEPS)
        labels = flatten_targets(y, steps, "y")
        sequences = np.arange(len(steps))
        owner = np.repeat(sequences, steps.lengths)
        groups = sequences if groups is None else read_groups(groups, steps)
        found, groups = np.unique(groups, return_inverse=True)
        if len(found) < self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits} needs at least {self.n_splits} sequences, or groups of "
                f"sequences; there are {len(found)}."
            )
        with about("y"):
            counts = count_labels(labels, groups[owner], self.n_splits)
        order = np.arange(len(found))
        if self.shuffle:
            check_random_state(self.random_state).shuffle(order)
        fold_of = stratified_folds(counts, self.n_splits, order)[groups]
        for fold in range(self.n_splits):
            yield np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)


class TimeSeriesWindowSplit(_FixedSplits):
    """Folds of windows in the order of time: train on the past, test on the future.

    This is `sklearn.model_selection.TimeSeriesSplit` for windows that `sliding_windows` cuts, from
    one or several series and with any stride and horizon. The time from the earliest to the latest
    first target of a window is divided into test periods of `test_size` timesteps. There is one
    fold for each of the last `n_splits` periods. A window is tested if its first target is in the
    period. A window is trained on if it ends, targets included, at least `gap` timesteps before the
    period begins::

        fold 1   train train |gap| test
        fold 2   train train train |gap| test
        fold 3   train train train train |gap| test
                 ------------------------------------> time

    So training never sees a target of the test, nor any later timestep. The inputs of a test window
    may overlap the training data, as they do when a model is in use; ``gap=window`` prevents this.
    A window that crosses the border is in neither set. Every window whose first target is in the
    last `n_splits` periods is tested once.

    Parameters
    ----------
    n_splits : int, default=5
        The number of folds, at least 1.
    gap : int, default=0
        The number of timesteps between the end of the training data and the first test target.
    test_size : int or None, default=None
        The number of timesteps in a test period. None divides the whole time into n_splits + 1
        equal periods.
    max_train_size : int or None, default=None
        Train only on windows within the last `max_train_size` timesteps before the gap. None trains
        on all windows.
    by_series : bool, default=False
        False puts all series on one clock, so that training on one series never uses timesteps
        after the test of another. True divides each series by itself, from its own first window to
        its own last one. Use True for unrelated series.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of range. ``split`` raises them if groups is not an index from
        `sliding_windows`, or if a fold has no windows to train or to test on.

    See Also
    --------
    sklearn.model_selection.GroupKFold : Keeps each series in one fold if groups is
        ``index["series"]``.
    sklearn.model_selection.TimeSeriesSplit : Makes the same folds for all the windows of a single
        series with ``stride=1`` if its gap is ``horizon - 1``.

    Notes
    -----
    Times count from 0 in each series. If series on one clock start at different times, add the
    start times to the index. With ``first[i]`` as the time of the first timestep of series i::

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
        check_flag("by_series", by_series)
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
            The windows. Only their number is used.
        y : array-like of shape (n_windows, ...), default=None
            The targets. Only their number is used.
        groups : ndarray of shape (n_windows,)
            The index that `sliding_windows` returns with ``return_index=True``.

        Yields
        ------
        train, test : ndarray
            The indices of the windows in the training set and in the test set of a fold.
        """
        _, _, index = indexable(X, y, groups)
        fields = {"series", "start", "first_target", "stop"}
        if not isinstance(index, np.ndarray) or not fields <= set(index.dtype.names or ()):
            raise ValueError(
                "groups must be the index that sliding_windows(..., return_index=True) returns; "
                f"got {describe(groups)}."
            )
        if self.n_splits >= len(index):
            raise ValueError(
                f"n_splits={self.n_splits} is too many for {len(index)} windows: every fold needs "
                "windows of its own to test on, and others to train on."
            )
        clocks = index["series"] if self.by_series else np.zeros(len(index))
        parts = [np.flatnonzero(clocks == clock) for clock in np.unique(clocks)]
        periods = [self._test_periods(index[part]) for part in parts]
        for fold in range(self.n_splits):
            masks = np.zeros((2, len(index)), bool)
            for part, (begins, size) in zip(parts, periods, strict=True):
                masks[:, part] = self._sets(index[part], begins[fold], size)
            for mask, purpose in zip(masks, ("train", "test"), strict=True):
                if not mask.any():
                    raise ValueError(
                        f"Fold {fold} has no windows to {purpose} on: choose another n_splits, "
                        "test_size, gap or max_train_size, or cut more windows."
                    )
            yield tuple(map(np.flatnonzero, masks))

    def _test_periods(self, windows: np.ndarray) -> tuple[np.ndarray, int]:
        """Return the times at which the test periods begin, (n_splits,), and their length."""
        times = windows["first_target"]
        end = times.max() + 1
        size = (end - times.min()) // (self.n_splits + 1)
        if self.test_size is not None:
            size = min(int(self.test_size), end - times.min())  # users may give any int
        if size == 0:
            of_series = f" of series {windows['series'][0]}" if self.by_series else ""
            raise ValueError(
                f"n_splits={self.n_splits} is too many: the first targets{of_series} span "
                f"{end - times.min()} timesteps, which can't be divided into {self.n_splits + 1} "
                "test periods."
            )
        return end - size * np.arange(self.n_splits, 0, -1), size

    def _sets(self, windows: np.ndarray, begin: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Return masks of the training and the test windows of a period, (n_windows,) each."""
        times = windows["first_target"]
        longest = begin - windows["start"].min() + 1  # of what can be left out; users give any int
        end = begin - min(self.gap, max(longest, 0))
        train = windows["stop"] <= end
        if self.max_train_size is not None:
            train &= windows["start"] >= end - min(self.max_train_size, max(longest, 0))
        return train, (begin <= times) & (times < begin + size)
