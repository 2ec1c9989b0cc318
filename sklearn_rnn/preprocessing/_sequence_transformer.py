"""The base of transformers that make one sequence of each sequence."""

from abc import ABCMeta, abstractmethod

import numpy as np
import sklearn
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._documented import Documented
from sklearn_rnn._input.content import FINITE_NUMBERS, Content
from sklearn_rnn._input.errors import unchanged_on_error
from sklearn_rnn._input.frames import is_frame
from sklearn_rnn._input.hyperparameters import check_choice
from sklearn_rnn._input.sequences import Sequences, read_sequences
from sklearn_rnn._settings import keeps_numpy_settings
from sklearn_rnn._versioned import Versioned
from sklearn_rnn.preprocessing._padding import pad_sequences
from sklearn_rnn.preprocessing._timesteps import (
    framed,
    library_of,
    with_room_for_nan,
)

OUTPUTS = ("default", "pandas", "polars")


class SequenceTransformer(
    Documented,
    Versioned,
    TransformerMixin,
    BaseEstimator,
    metaclass=ABCMeta,
    auto_wrap_output_keys=None,
):
    """Transform each sequence by itself, and return the container of X.

    A subclass has `_transform_one`. It also has `_check_parameters`, `_names_out`,
    `_n_dropped` and `_padded_length` where they say something else than here.
    """

    _content = FINITE_NUMBERS

    def __init_subclass__(cls, **kwargs):
        # None: scikit-learn would otherwise wrap 3-D arrays and lists into DataFrames for
        # `set_output`.
        super().__init_subclass__(auto_wrap_output_keys=None, **kwargs)

    @keeps_numpy_settings
    def fit(self, X, y=None):
        """Check the parameters and X, and remember the features of X.

        Nothing else is learned from X: `transform` treats each sequence by itself.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences, in any container that `RNNRegressor` takes.
        y : object, default=None
            Ignored.

        Returns
        -------
        self : object
            The transformer.

        Raises
        ------
        ValueError, TypeError
            If a parameter or X can't be used.
        """
        with unchanged_on_error(self):
            sequences = self._read(X, reset=True)
            self._check_parameters(sequences)
        return self

    @keeps_numpy_settings
    def transform(self, X):
        """Transform each sequence.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences, as for `fit`. Any length is allowed, unless the fit was on 2-D X.

        Returns
        -------
        X_new : ndarray, DataFrame, or list or object array of them
            The transformed sequences, in the container of X. A 3-D array has NaN as padding. 2-D X
            gives a 3-D array if a timestep of the result has several features.

        Raises
        ------
        ValueError, TypeError
            If X can't be used.
        """
        check_is_fitted(self)
        sequences = self._read(X, reset=False)
        parts = [self._transform_one(x, f"X[{i}]") for i, x in enumerate(sequences.unpadded())]
        return self._restore(X, sequences, parts, self._padded_length(sequences, parts))

    def get_feature_names_out(self, input_features=None):
        """Return the names of the output features, or of the columns of a 2-D result.

        Parameters
        ----------
        input_features : array-like of str, default=None
            The names of the features of X; for 2-D X, of its columns. None means
            ``feature_names_in_`` if it is defined, otherwise x0, x1 and so on.

        Returns
        -------
        feature_names_out : ndarray of str objects
            The names. A 2-D result has column names of X.

        Raises
        ------
        ValueError
            If `input_features` doesn't fit X.
        """
        check_is_fitted(self)
        names = OneToOneFeatureMixin.get_feature_names_out(self, input_features)
        if not self._fitted_on_table:
            return np.asarray(self._names_out(names), dtype=object)
        features = self._names_out(np.array(["x0"], dtype=object))
        if len(features) == 1:
            return names[self._n_dropped() :]
        return np.asarray(features, dtype=object)

    def set_output(self, *, transform=None):
        """Set the container of the sequences in the result.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            "default" gives arrays. With "pandas" and "polars", a list becomes a list of DataFrames,
            and a 2-D result becomes a DataFrame. A 3-D result remains an array. None changes
            nothing.

        Returns
        -------
        self : object
            The transformer.

        Raises
        ------
        ValueError, TypeError
            If `transform` is anything else.
        """
        if transform is not None:
            check_choice("transform", transform, OUTPUTS)
            self._output = transform
        return self

    def __sklearn_clone__(self):
        cloned = super().__sklearn_clone__()
        if hasattr(self, "_output"):
            cloned._output = self._output
        return cloned

    def _check_parameters(self, sequences: Sequences) -> None:
        """Raise if a parameter can't be used, or not with these sequences."""

    @abstractmethod
    def _transform_one(self, x: np.ndarray, name: str):
        """Return the transformed sequence (n_timesteps_out, n_features_out).

        x : (n_timesteps, n_features)
        name : what errors call the sequence
        """

    def _names_out(self, names: np.ndarray):
        """Return the names of the features of the result."""
        return names

    def _n_dropped(self) -> int:
        """Return how many timesteps a sequence loses at its start."""
        return 0

    def _padded_length(self, sequences: Sequences, parts: list) -> int:
        """Return the timesteps that an array of the result has, padding included.

        It depends on X only by its timesteps: all 2-D results have the same columns.
        """
        return sequences.n_timesteps - self._n_dropped()

    def _read(self, X, *, reset: bool) -> Sequences:
        sequences = read_own(X, self, reset=reset, content=self._content)
        if reset:
            self._fitted_on_1d = _are_1d(X, sequences)
        return sequences

    def _restore(self, X, sequences: Sequences, parts: list, n_timesteps: int, are_1d=None):
        """Put transformed sequences into the container of X.

        n_timesteps : the timesteps of an array, padding included
        are_1d : whether one feature needs no axis in a list; None if X says so
        """
        library = self._library()
        if sequences.is_list:
            are_1d = _are_1d(X, sequences) if are_1d is None else are_1d
            if library != "default":
                pairs = zip(X, parts, strict=True)
                parts = [self._framed(part, x, library) for x, part in pairs]
            elif are_1d and parts[0].shape[1] == 1:
                parts = [np.asarray(part)[:, 0] for part in parts]
            return sequences.listed(parts)
        return self._restore_array(X, sequences.container, parts, n_timesteps)

    def _restore_array(self, X, container: str, parts: list, n_timesteps: int):
        """Put transformed sequences into an array or, with one feature, into a "table"."""
        library, array = self._library(), stacked(parts, n_timesteps)
        if container == "array" or array.shape[2] != 1:
            return array
        table = array[:, :, 0]
        return table if library == "default" else self._framed(table, X, library)

    def _library(self) -> str:
        """What makes the result: "default" (NumPy), "pandas" or "polars"."""
        return getattr(self, "_output", sklearn.get_config()["transform_output"])

    def _framed(self, values, X, library: str):
        """Make a DataFrame of 2-D values if the names of its columns are known."""
        is_made = is_frame(values) and library_of(values) == library
        if is_made or not hasattr(self, "get_feature_names_out"):
            return values
        values = np.asarray(values)
        names = self.get_feature_names_out()
        if len(names) != values.shape[1]:
            return values
        index_of = X if len(X) == len(values) else values
        return framed(values, index_of, names, library)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def in_container(sequences: Sequences, parts: list, n_timesteps: int):
    """Put one array per sequence into a list, or into one array with NaN as padding.

    n_timesteps : the timesteps of an array, padding included
    """
    return sequences.listed(parts) if sequences.is_list else stacked(parts, n_timesteps)


def stacked(parts: list, n_timesteps: int) -> np.ndarray:
    """Put one array per sequence into one array, with NaN as padding."""
    parts = [np.asarray(part) for part in parts]
    if all(len(part) == n_timesteps for part in parts):
        return np.stack(parts)
    return pad_sequences([with_room_for_nan(part) for part in parts], length=n_timesteps)


def read_own(X, estimator, *, reset: bool, content: Content = FINITE_NUMBERS) -> Sequences:
    """Read X for an estimator, as `read_sequences`; remember whether a fit was on 2-D X."""
    sequences = read_sequences(X, estimator, reset=reset, content=content)
    if reset:
        estimator._fitted_on_table = sequences.container == "table"
    return sequences


def known_features(estimator, sequences: Sequences) -> list:
    """Return the names of the features of a timestep if X gave them, otherwise their numbers."""
    if sequences.container != "table" and hasattr(estimator, "feature_names_in_"):
        return estimator.feature_names_in_.tolist()
    return list(range(sequences.n_features))


def _are_1d(X, sequences: Sequences) -> bool:
    return sequences.is_list and all(np.ndim(x) == 1 for x in X)


def as_floats(x: np.ndarray) -> np.ndarray:
    """Return numbers as floats: differences of unsigned integers and booleans would be wrong."""
    return x if x.dtype.kind == "f" else x.astype(np.float64)
