"""PerSequence: any function or transformer, applied to each sequence by itself."""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.utils.metaestimators import available_if

from sklearn_rnn._input.content import ANYTHING
from sklearn_rnn._input.errors import describe
from sklearn_rnn._input.frames import is_frame
from sklearn_rnn.preprocessing._sequence_transformer import SequenceTransformer
from sklearn_rnn.preprocessing._timesteps import meant_by, rows_for, take_tags


def _inner_has_names(self):
    """A condition for `available_if`: whether the transformer names its features."""
    inner = getattr(self, "transformer_", meant_by(self.transformer))
    return hasattr(inner, "get_feature_names_out")


class PerSequence(SequenceTransformer):
    """Apply a function, or a transformer, to each sequence by itself.

    `PerTimestep` sees timesteps, and learns from all of them. This class sees one sequence at a
    time. A transformer is fitted to each sequence anew, and transforms only this sequence.

    Parameters
    ----------
    transformer : callable, transformer or "passthrough"
        A function that takes a sequence (n_timesteps, n_features) and returns an array
        (n_timesteps_out, n_features_out), or (n_timesteps_out,) for one feature. The number of
        timesteps may change. Or a transformer that does this, in ``fit_transform``; it is cloned
        for each sequence. A `FunctionTransformer` gives a function keyword arguments and the names
        of its features. "passthrough" changes nothing, for searches over several transformers
        and none.

    Attributes
    ----------
    transformer_ : transformer or callable
        The transformer, fitted to the first sequence to learn the names of the features; or the
        function.
    n_features_in_ : int
        The number of features per timestep; for 2-D X, the number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        The column names of X. Defined only if X was a DataFrame or a list of DataFrames, and all
        column names are strings.

    See Also
    --------
    PerTimestep : A transformer that is fitted to the timesteps of all sequences.
    SequenceNormalizer : The same as ``PerSequence(StandardScaler())``, but faster.

    Notes
    -----
    Sequences come without their padding. They may hold strings, objects and missing values. In a
    list of DataFrames, the function gets DataFrames.

    There is no ``inverse_transform``, since what was fitted to a sequence is not kept.

    Examples
    --------
    Interpolate missing values within each sequence:

    >>> import numpy as np
    >>> from sklearn_rnn.preprocessing import PerSequence
    >>> def interpolate(x):
    ...     steps = np.arange(len(x))
    ...     known = [~np.isnan(column) for column in x.T]
    ...     return np.column_stack(
    ...         [np.interp(steps, steps[k], column[k]) for column, k in zip(x.T, known)]
    ...     )
    >>> X = [np.array([1.0, np.nan, 3.0]), np.array([5.0, np.nan])]
    >>> PerSequence(interpolate).fit_transform(X)
    [array([1., 2., 3.]), array([5., 5.])]

    Scale each sequence to the range from 0 to 1:

    >>> from sklearn.preprocessing import MinMaxScaler
    >>> X = [np.array([1.0, 2.0, 3.0]), np.array([100.0, 300.0])]
    >>> PerSequence(MinMaxScaler()).fit_transform(X)
    [array([0. , 0.5, 1. ]), array([0., 1.])]
    """

    _content = ANYTHING

    def __init__(self, transformer):
        self.transformer = transformer

    @available_if(_inner_has_names)
    def get_feature_names_out(self, input_features=None):
        """Return the names of the output features; available if the transformer has names.

        Parameters
        ----------
        input_features : array-like of str, default=None
            The names of the features of X; for 2-D X, of its columns. None means
            ``feature_names_in_`` if it is defined, otherwise x0, x1 and so on.

        Returns
        -------
        feature_names_out : ndarray of str objects
            The names that the transformer returns; for a 2-D result, the column names of X.

        Raises
        ------
        ValueError
            If `input_features` doesn't fit X.
        """
        return super().get_feature_names_out(input_features)

    def _check_parameters(self, sequences):
        transformer = meant_by(self.transformer)
        is_one = _is_transformer(transformer)
        if isinstance(transformer, type) or not (is_one or callable(transformer)):
            raise TypeError(
                "transformer must be a function of a sequence, a scikit-learn transformer with fit "
                "and transform, such as StandardScaler(), or 'passthrough'; got "
                f"{describe(transformer)}."
            )
        self.transformer_ = transformer
        if is_one:
            first = rows_for(transformer, sequences.unpadded()[0])
            self.transformer_ = clone(transformer).fit(first)

    def _transform_one(self, x, name):
        try:
            made = self._apply(x)
        except Exception as error:
            error.add_note(f"{type(self).__name__} was transforming {name}, {describe(x)}.")
            raise
        made = made.toarray() if issparse(made) else made  # sequences are dense
        made = made if is_frame(made) else np.asarray(made)
        if len(made.shape) == 1:
            made = np.asarray(made)[:, np.newaxis]
        if len(made.shape) != 2 or 0 in made.shape:
            raise ValueError(
                f"The transformer made {describe(made)} of {name} ({describe(x)}); it must return "
                "(n_timesteps_out, n_features_out), with at least one of both."
            )
        return made

    def _apply(self, x):
        transformer = meant_by(self.transformer)
        if not _is_transformer(transformer):
            return transformer(x)
        transformer, x = clone(transformer), rows_for(transformer, x)
        if hasattr(transformer, "fit_transform"):
            return transformer.fit_transform(x)
        return transformer.fit(x).transform(x)

    def _names_out(self, names):
        return self.transformer_.get_feature_names_out(names)

    def _padded_length(self, sequences, parts):
        longest = max(map(len, parts))
        keeps_length = longest == sequences.lengths.max()
        return sequences.n_timesteps if keeps_length else longest

    def _restore(self, X, sequences, parts, n_timesteps, are_1d=None):
        for i, part in enumerate(parts):
            if part.shape[1] != parts[0].shape[1]:
                raise ValueError(
                    f"The transformer made {part.shape[1]} features of X[{i}], but "
                    f"{parts[0].shape[1]} of X[0]: they must be the same for all sequences."
                )
        return super()._restore(X, sequences, parts, n_timesteps, are_1d)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if _is_transformer(meant_by(self.transformer)):
            take_tags(tags, self.transformer)
        else:
            tags.input_tags.allow_nan = True
            tags.input_tags.string = True
        return tags


def _is_transformer(transformer) -> bool:
    methods = ("get_params", "fit", "transform")
    is_class = isinstance(transformer, type)
    return not is_class and all(hasattr(transformer, method) for method in methods)
