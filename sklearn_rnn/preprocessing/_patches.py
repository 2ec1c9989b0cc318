"""Patches: several timesteps become one."""

from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._input.content import FINITE_NUMBERS
from sklearn_rnn._input.errors import describe
from sklearn_rnn._input.hyperparameters import MOST_NUMBERS, check_number
from sklearn_rnn._input.sequences import Sequences, as_sequences
from sklearn_rnn._settings import keeps_numpy_settings
from sklearn_rnn.preprocessing._lags import repeat_first
from sklearn_rnn.preprocessing._padding import read_lengths
from sklearn_rnn.preprocessing._sequence_transformer import SequenceTransformer


class Patches(SequenceTransformer):
    """Make one timestep of every ``size`` timesteps.

    A sequence (n_timesteps, n_features) becomes a sequence of patches,
    (ceil(n_timesteps / size), size * n_features). A recurrent network then makes fewer steps. It is
    faster, and has to remember over fewer steps. Transformers of series read patches too [1]_.

    Parameters
    ----------
    size : int, default=10
        The number of timesteps in a patch. It may be larger than a sequence is long.

    Attributes
    ----------
    n_features_in_ : int
        The number of features per timestep; for 2-D X, the number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        The column names of X. Defined only if X was a DataFrame or a list of DataFrames, and all
        column names are strings.

    See Also
    --------
    PatchedRegressor : Patches with one target per timestep.
    Lags : Adds earlier timesteps as features, and keeps the number of timesteps.

    Notes
    -----
    Patches are counted from the end of a sequence, without its padding. So the last patch always
    holds the last ``size`` timesteps, and a network that is read at its last state gets the latest
    values in the same places of every sequence. If the number of timesteps isn't a multiple of
    ``size``, the first patch is filled up at its front with copies of the first timestep.

    The features of a patch are in the order of time: first all features of its first timestep, then
    those of its second.

    References
    ----------
    .. [1] Y. Nie, N. H. Nguyen, P. Sinthong, J. Kalagnanam (2023). A time series is worth 64 words:
       long-term forecasting with transformers. ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.preprocessing import Patches
    >>> X = [np.arange(6.0), np.arange(4.0)]
    >>> patches = Patches(size=3).fit(X)
    >>> for sequence in patches.transform(X):
    ...     print(sequence)
    [[0. 1. 2.]
     [3. 4. 5.]]
    [[0. 0. 0.]
     [1. 2. 3.]]
    >>> patches.inverse_transform(patches.transform(X), lengths=[6, 4])
    [array([0., 1., 2., 3., 4., 5.]), array([0., 1., 2., 3.])]
    """

    def __init__(self, size=10):
        self.size = size

    @keeps_numpy_settings
    def inverse_transform(self, X, *, lengths=None):
        """Undo `transform`.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences of patches, as `transform` returns them.
        lengths : array-like of int of shape (n_samples,), default=None
            The number of timesteps of each original sequence. The result doesn't contain what the
            first patch was filled up with. None keeps it, so the number of timesteps is then a
            multiple of ``size``.

        Returns
        -------
        X_original : ndarray, or list or object array of them
            The sequences, in the container of X; 2-D if the fit was on 2-D X.

        Raises
        ------
        ValueError, TypeError
            If X or `lengths` can't be used.
        """
        check_is_fitted(self)
        is_table = self._fitted_on_table and self.size == 1
        sequences = as_sequences(X, FINITE_NUMBERS, is_table)
        n_features = 1 if self._fitted_on_table else self.n_features_in_
        if sequences.n_features != self.size * n_features:
            raise ValueError(
                f"X ({describe(X)}) has {sequences.n_features} features, but patches of "
                f"{self.size} timesteps of {n_features} features have {self.size * n_features}."
            )
        lengths = self._checked_lengths(lengths, sequences)
        parts = [
            unpatched(patches, n_features, length)
            for patches, length in zip(sequences.unpadded(), lengths.tolist(), strict=True)
        ]
        longest = int(lengths.max())
        if self._fitted_on_table:
            longest = max(longest, self.n_features_in_)
            return self._restore_array(X, "table", parts, longest)
        return self._restore(X, sequences, parts, longest, are_1d=self._fitted_on_1d)

    def _check_parameters(self, sequences):
        check_size(self.size)

    def _transform_one(self, x, name):
        return patched(x, self.size)

    def _names_out(self, names):
        return [f"{name}_step{step}" for step in range(self.size) for name in names]

    def _padded_length(self, sequences, parts):
        return n_patches(sequences.n_timesteps, self.size)

    def _checked_lengths(self, lengths, sequences: Sequences) -> np.ndarray:
        longest = sequences.lengths * self.size
        if lengths is None:
            return longest
        lengths = read_lengths(lengths, len(longest))
        wrong = (lengths > longest) | (lengths <= longest - self.size)
        if wrong.any():
            i = int(wrong.argmax())
            raise ValueError(
                f"lengths[{i}] is {lengths[i]}, but {sequences.lengths[i]} patches of {self.size} "
                f"timesteps hold {longest[i] - self.size + 1} to {longest[i]}."
            )
        return lengths


def check_size(size) -> None:
    """Raise unless the parameter is a number of timesteps."""
    check_number("size", size, Integral, 1, MOST_NUMBERS, "both")


def n_patches(n_timesteps: int, size: int) -> int:
    """Return how many patches hold the timesteps."""
    return -(-n_timesteps // size)


def patched(x: np.ndarray, size: int) -> np.ndarray:
    """Return (n_timesteps, n_features) as (n_patches, size * n_features), filled at the front."""
    return repeat_first(x, -len(x) % size).reshape(-1, size * x.shape[1])


def unpatched(patches: np.ndarray, n_features: int, n_timesteps: int) -> np.ndarray:
    """Return the last timesteps of patches, (n_timesteps, n_features)."""
    return patches.reshape(-1, n_features)[-n_timesteps:]
