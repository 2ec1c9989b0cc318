"""Sequences that are looked up by their row numbers."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import validate_data

from sklearn_rnn._documented import Documented
from sklearn_rnn._input.containers import check_container
from sklearn_rnn._input.content import ANYTHING
from sklearn_rnn._input.errors import renamed
from sklearn_rnn._input.sequences import as_sequences
from sklearn_rnn._versioned import Versioned
from sklearn_rnn.preprocessing._timesteps import joined


class SequenceLookup(Documented, Versioned, TransformerMixin, BaseEstimator):
    """Look up sequences by their row numbers.

    Many tools insist that X is a table: bagging, chains, one-vs-one classifiers, resampling,
    conformal prediction. Give them row numbers, one column, as X. As the first step of a pipeline,
    this transformer turns them into sequences.

    Parameters
    ----------
    sequences : array-like or list of arrays
        The sequences, in any container that `RNNRegressor` takes. Those to predict later belong to
        them too, or follow by `add`. Values may be missing, or strings, if later steps of the
        pipeline impute or encode them. DataFrames become arrays.

    Attributes
    ----------
    n_features_in_ : int
        The number of columns of X in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        The names of these columns. Defined only if X was a DataFrame whose columns are all strings.

    See Also
    --------
    PerTimestep : Applies a transformer to the timesteps of sequences.

    Notes
    -----
    **Memory.** A 3-D array is not copied, and a list is copied once, into one array. All clones
    share the sequences, and the results of `transform` are views of them.

    **Pickles.** A pickle holds the sequences, once for all clones in it, because worker processes
    need them. (With ``n_jobs``, joblib writes an array of 1 MB or more to a file, and all workers
    map that file into memory.) To save a model without them, call `clear` first, and `add` the
    sequences to predict after loading.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import BaggingClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_rnn import RNNClassifier
    >>> from sklearn_rnn.preprocessing import SequenceLookup
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(length, 2)) for length in rng.integers(3, 9, size=30)]
    >>> y = np.array([int(x.sum() > 0) for x in X])
    >>> lookup = SequenceLookup(X)
    >>> lookup.rows[:3]
    array([[0.],
           [1.],
           [2.]])
    >>> model = make_pipeline(lookup, RNNClassifier(hidden_size=4, tol=1, random_state=0))
    >>> bagging = BaggingClassifier(model, n_estimators=3).fit(lookup.rows[:20], y[:20])
    >>> bagging.predict(lookup.rows[20:]).shape
    (10,)
    >>> bagging.predict_proba(lookup.add([np.zeros((4, 2))])).shape
    (1, 2)
    """

    def __init__(self, sequences):
        self.sequences = sequences

    @property
    def sequences(self):
        """The sequences, in a container that clones share."""
        return self._sequences

    @sequences.setter
    def sequences(self, sequences):
        is_shared = isinstance(sequences, SharedSequences)
        self._sequences = sequences if is_shared else SharedSequences(sequences)

    @property
    def rows(self):
        """The row numbers of all sequences, ndarray of float of shape (n_sequences, 1).

        They are floats because tools that interpolate would round integers to other row numbers.
        """
        return np.arange(len(self.sequences), dtype=np.float64)[:, np.newaxis]

    def add(self, sequences):
        """Add sequences, here and in all clones of this process.

        Parameters
        ----------
        sequences : array-like or list of arrays
            Sequences with the same features.

        Returns
        -------
        rows : ndarray of float of shape (n_sequences, 1)
            The row numbers of the added sequences.

        Raises
        ------
        ValueError, TypeError
            If these are no sequences, or have other features.
        """
        n_before = len(self.sequences)
        self.sequences.add(sequences)
        return self.rows[n_before:]

    def clear(self):
        """Remove all sequences, here and in all clones of this process.

        Row numbers then begin with 0 again.
        """
        self.sequences.clear()

    def fit(self, X, y=None):
        """Check the row numbers. Nothing is learned.

        Parameters
        ----------
        X : array-like of shape (n_samples, 1)
            The row numbers, as for `transform`.
        y : object, default=None
            Ignored.

        Returns
        -------
        self : object
            The transformer.

        Raises
        ------
        ValueError, TypeError
            If X has other values than row numbers in its first column.
        """
        self._read(X, reset=True)
        return self

    def transform(self, X):
        """Return the sequences of the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, 1) or (n_samples, 1 + n_more)
            The row numbers, whole numbers from 0 to the number of sequences less one. Further
            columns become features with the same value at all timesteps: scikit-learn's chains
            append the outputs of earlier links.

        Returns
        -------
        X_new : list of ndarray of shape (n_timesteps_i, n_features + n_more)
            The sequences, without padding.

        Raises
        ------
        ValueError, TypeError
            If X has other values than row numbers in its first column, or has other columns than
            in `fit`.
        """
        rows, more = self._read(X, reset=False)
        found = [self.sequences[row] for row in rows.tolist()]
        return found if more.shape[1] == 0 else list(map(_with_features, found, more))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags

    def _read(self, X, *, reset: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the row numbers, (n_samples,), and the further columns of X."""
        try:
            check_container(X, "X")
            X = validate_data(self, X, reset=reset, dtype="numeric")
        except (TypeError, ValueError) as error:
            raise type(error)(
                f"X must hold the row numbers of sequences, (n_samples, 1): {error}"
            ) from error
        count, rows = len(self.sequences), X[:, 0]
        if not count:
            raise ValueError("SequenceLookup holds no sequences: add some with its method `add`.")
        wrong = (rows < 0) | (rows >= count) | (rows != np.floor(rows))
        if wrong.any():
            i = int(wrong.argmax())
            raise ValueError(
                f"X[{i}, 0] is {rows[i]}, but must be the row number of a sequence, a whole number "
                f"from 0 to {count - 1}. (Resampling must choose rows, as RandomOverSampler does. "
                "SMOTE interpolates them, so its rows are of no sequence.)"
            )
        return rows.astype(np.intp), X[:, 1:]


class SharedSequences:
    """Sequences that all clones of an estimator share. Each block of them is one array."""

    def __init__(self, sequences):
        self.clear()
        self.add(sequences)

    def __sklearn_clone__(self):
        return self

    def __len__(self) -> int:
        return len(self._views)

    def __getitem__(self, row: int) -> np.ndarray:
        return self._views[row]

    def __repr__(self) -> str:
        return f"<{len(self)} sequences>"

    def __getstate__(self) -> dict:
        return {"blocks": self._blocks}  # not the views: each would be pickled by itself

    def __setstate__(self, state: dict) -> None:
        self.clear()
        for block in state["blocks"]:
            self._add_block(*block)

    def add(self, sequences) -> None:
        with renamed({"X": "sequences"}):
            read = as_sequences(sequences, ANYTHING)
        if len(self) and read.n_features != self[0].shape[1]:
            raise ValueError(
                f"sequences have {read.n_features} features, but those of this SequenceLookup have "
                f"{self[0].shape[1]}."
            )
        if isinstance(read.arrays, np.ndarray):
            values, starts = read.flat()
        else:
            values, starts = joined(read.arrays), read.starts
        self._add_block(values, starts, read.lengths)

    def clear(self) -> None:
        self._blocks: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._views: list[np.ndarray] = []

    def _add_block(self, values: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> None:
        """Add the sequences of an array (total_timesteps, n_features)."""
        self._blocks.append((values, starts, lengths))
        bounds = zip(starts.tolist(), lengths.tolist(), strict=True)
        self._views += [values[start : start + length] for start, length in bounds]


def _with_features(x: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Append features with the same value at all timesteps, in the precision of x."""
    more = more.astype(x.dtype if x.dtype.kind == "f" else more.dtype)
    return np.column_stack([x, np.broadcast_to(more, (len(x), len(more)))])
