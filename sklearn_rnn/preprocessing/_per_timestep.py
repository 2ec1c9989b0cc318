"""PerTimestep: scikit-learn's transformers on the timesteps of sequences."""

from dataclasses import replace

import sklearn
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_rnn._input.content import ANYTHING
from sklearn_rnn._input.errors import describe, unchanged_on_error
from sklearn_rnn._input.sequences import as_sequences, read_sequences
from sklearn_rnn.preprocessing._timesteps import Timesteps


def _inner_has(method: str):
    """A condition for `available_if`: that the transformer has a method."""
    return lambda self: hasattr(getattr(self, "transformer_", self.transformer), method)


# scikit-learn's own wrapping for `set_output` would make DataFrames of 3-D arrays and of lists.
class PerTimestep(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
    """Apply a transformer to the timesteps of sequences.

    The valid timesteps of all sequences, one after another, are the rows of one table
    (total_timesteps, n_features). On this table the transformer is fitted, and what it makes of its
    rows goes back to where they were: the transformer sees 2-D data, as all of scikit-learn's do,
    and neither knows of sequences nor sees their padding.

    Parameters
    ----------
    transformer : transformer
        A scaler, imputer, encoder, PCA, `ColumnTransformer`, a `Pipeline` of such, or any other
        that makes one row of each row. It is cloned.

    Attributes
    ----------
    transformer_ : transformer
        The fitted transformer, whose statistics are about timesteps.
    n_features_in_ : int
        The features per timestep; of 2-D X, the columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        The columns of the DataFrames, if X was a list of those or one of them, and the columns are
        all strings.

    See Also
    --------
    PerTimestepTarget : Transforms the targets of a regressor.
    sklearn.compose.ColumnTransformer : Different transformers for different features, to be used
        within this one.

    Notes
    -----
    What X can be and what becomes of it:

    ==================================================  ===========================================
    X                                                   the result
    ==================================================  ===========================================
    array (n_samples, n_timesteps, n_features)          array (n_samples, n_timesteps, n_out)
    list, tuple or 1-D object array of arrays           list or 1-D object array of arrays
    (n_timesteps_i, n_features)                         (n_timesteps_i, n_out)
    the same of arrays (n_timesteps_i,)                 the same if n_out is 1, else as above
    list of DataFrames                                  list of arrays, or of DataFrames if the
                                                        transformer's ``set_output`` says so
    2-D array or DataFrame (n_samples, n_columns)       2-D if n_out is 1, else an array
                                                        (n_samples, n_columns, n_out)
    ==================================================  ===========================================

    In an array, trailing timesteps all of whose values are NaN (or None) are padding, and are NaN
    in the result; integers, strings and booleans become float64 or objects where there is padding.
    NaN elsewhere, and all NaN in a list, is left to the transformer. 2-D X is read as sequences of
    one feature, a timestep a column, as by `RNNClassifier` and `RNNRegressor`: all columns are
    scaled alike. What was fitted on 2-D X transforms 2-D X with the same columns.

    The precision is the transformer's: most of scikit-learn's make float32 of float32. A sparse
    result is made dense, since sequences are.

    ``set_output`` is handed on to the transformer. If that makes DataFrames, lists become lists of
    DataFrames and 2-D X a DataFrame; a 3-D result remains an array.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.impute import SimpleImputer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_rnn.preprocessing import PerTimestep
    >>> X = [np.array([[1.0, 10.0], [np.nan, 30.0]]), np.array([[3.0, 20.0]])]
    >>> scaler = PerTimestep(make_pipeline(SimpleImputer(), StandardScaler()))
    >>> for sequence in scaler.fit_transform(X):
    ...     print(sequence.round(3))
    [[-1.225 -1.225]
     [ 0.     1.225]]
    [[1.225 0.   ]]
    >>> scaler.transformer_["standardscaler"].mean_
    array([ 2., 20.])
    """

    def __init__(self, transformer):
        self.transformer = transformer

    def fit(self, X, y=None, **params):
        """Fit the transformer to the timesteps.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences; see Notes above.
        y : array-like or list of arrays, default=None
            Targets, for transformers that use them. One per sequence, (n_samples,), is repeated for
            each of its timesteps. Those per timestep are an array (n_samples, n_timesteps), which
            is what an array with as many columns as X has timesteps is taken for, or (n_samples,
            n_timesteps, n_outputs), or a list of arrays (n_timesteps_i,) or (n_timesteps_i,
            n_outputs). Several per sequence, (n_samples, n_outputs), are repeated for transformers
            whose tags say that y is required, and ignored otherwise.
        **params : dict
            Handed on to the transformer's ``fit``; routed, if metadata routing is enabled. A
            ``sample_weight`` (or of a pipeline ``step__sample_weight``) is one number per sequence,
            or one per timestep like y. So are ``groups``.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError, TypeError
            If an argument or the transformer can't be used.
        """
        with unchanged_on_error(self):
            transformer = self._cloned()
            timesteps = self._read(X, reset=True)
            arguments, params = self._arguments(timesteps, y, "fit", params)
            self.transformer_ = transformer.fit(*arguments, **params)
        return self

    def fit_transform(self, X, y=None, **params):
        """Fit the transformer to the timesteps, and return what becomes of them.

        Parameters
        ----------
        X, y, **params
            As for `fit`. They go to the transformer's ``fit_transform``, if there is one.

        Returns
        -------
        X_new : ndarray, DataFrame, or list or object array of them
            What became of the sequences; see Notes above.

        Raises
        ------
        ValueError, TypeError
            As `fit`; and if the transformer doesn't make one row of each row.
        """
        if not hasattr(self.transformer, "fit_transform"):
            return self.fit(X, y, **params).transform(X)
        with unchanged_on_error(self):
            transformer = self._cloned()
            timesteps = self._read(X, reset=True)
            arguments, params = self._arguments(timesteps, y, "fit_transform", params)
            values = transformer.fit_transform(*arguments, **params)
            self.transformer_ = transformer
            return timesteps.restore(values, self._table_names)

    @available_if(_inner_has("partial_fit"))
    def partial_fit(self, X, y=None, **params):
        """Go on fitting with more sequences; available if the transformer can.

        Parameters
        ----------
        X, y, **params
            As for `fit`. They go to the transformer's ``partial_fit``.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError, TypeError
            As `fit`; and if X is not like that of the calls before.
        """
        is_first = not hasattr(self, "transformer_")
        with unchanged_on_error(self):
            transformer = self._cloned() if is_first else self.transformer_
            timesteps = self._read(X, reset=is_first)
            arguments, params = self._arguments(timesteps, y, "partial_fit", params)
            self.transformer_ = transformer.partial_fit(*arguments, **params)
        return self

    def transform(self, X):
        """Transform the timesteps.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences, as for `fit`; their lengths are free unless X is 2-D.

        Returns
        -------
        X_new : ndarray, DataFrame, or list or object array of them
            What became of the sequences; see Notes above.

        Raises
        ------
        ValueError, TypeError
            If X can't be used, or the transformer doesn't make one row of each row.
        """
        check_is_fitted(self)
        timesteps = self._read(X, reset=False)
        return timesteps.restore(self.transformer_.transform(timesteps.rows), self._table_names)

    @available_if(_inner_has("inverse_transform"))
    def inverse_transform(self, X):
        """Transform back; available if the transformer can.

        Parameters
        ----------
        X : array-like or list of arrays
            What `transform` gives.

        Returns
        -------
        X_original : ndarray, or list or object array of them
            The sequences, in the container that X came in; 2-D if the fit was on 2-D X.

        Raises
        ------
        ValueError, TypeError
            If X can't be used.
        """
        check_is_fitted(self)
        sequences = as_sequences(X, ANYTHING, self._fitted_on_table)
        self._check_transformed(X, sequences)
        if self._fitted_on_table:
            sequences.container = "table"
        timesteps = Timesteps(X, sequences, are_1d=self._fitted_on_1d)
        values = self.transformer_.inverse_transform(timesteps.rows)
        return timesteps.restore(values, self._table_names)

    @available_if(_inner_has("get_feature_names_out"))
    def get_feature_names_out(self, input_features=None):
        """Names of what there is per timestep, or of the columns of a 2-D result.

        Parameters
        ----------
        input_features : array-like of str, default=None
            The names of the features of X (of 2-D X, of its columns). None takes
            ``feature_names_in_``, if there are any, or x0, x1 and so on.

        Returns
        -------
        feature_names_out : ndarray of str objects
            What the transformer says; for a 2-D result the names of the columns of X.

        Raises
        ------
        ValueError
            If `input_features` doesn't fit X.
        """
        check_is_fitted(self)
        if not self._fitted_on_table:
            return self.transformer_.get_feature_names_out(input_features)
        columns = self._table_names(input_features)
        names = self.transformer_.get_feature_names_out()
        return columns if len(names) == 1 else names

    @available_if(_inner_has("set_output"))
    def set_output(self, *, transform=None):
        """Set what the transformer returns; see Notes above.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            "default" gives arrays, the others DataFrames, unless a result is 3-D. None changes
            nothing.

        Returns
        -------
        self : object
            The transformer.
        """
        for transformer in (self.transformer, getattr(self, "transformer_", None)):
            if transformer is not None:
                transformer.set_output(transform=transform)
        return self

    def get_metadata_routing(self):
        """Say how metadata are routed: to the method of the transformer that has the same name.

        Returns
        -------
        routing : MetadataRouter
            The routing.
        """
        methods = MethodMapping()
        for method in ("fit", "fit_transform", "partial_fit"):
            methods = methods.add(caller=method, callee=method)
        return MetadataRouter(owner=self).add(transformer=self.transformer, method_mapping=methods)

    def _cloned(self):
        needed = ("get_params", "fit", "transform")
        if isinstance(self.transformer, type) or not all(
            hasattr(self.transformer, name) for name in needed
        ):
            raise TypeError(
                "transformer must be a scikit-learn transformer, such as StandardScaler(), with "
                f"fit and transform; got {describe(self.transformer)}."
            )
        return clone(self.transformer)

    def _read(self, X, *, reset: bool) -> Timesteps:
        sequences = read_sequences(X, self, reset=reset, content=ANYTHING)
        timesteps = Timesteps(X, sequences)
        if reset:
            self._fitted_on_table = sequences.container == "table"
            self._fitted_on_1d = timesteps.are_1d
        if sequences.container != "table":  # there may be DataFrames, with names
            validate_data(self, timesteps.rows, reset=reset, skip_check_array=True)
        return timesteps

    def _arguments(self, timesteps: Timesteps, y, method: str, params: dict) -> tuple[tuple, dict]:
        """What to call a method of the transformer with."""
        if sklearn.get_config()["enable_metadata_routing"]:
            params = process_routing(self, method, **params).transformer[method]
        params = dict(params)
        readers = {"sample_weight": timesteps.weights, "groups": timesteps.groups}
        for name, value in params.items():
            read = readers.get(name.rpartition("__")[2])
            if read is not None and value is not None:
                params[name] = read(value)
        y_required = get_tags(self.transformer).target_tags.required
        return (timesteps.rows, timesteps.targets(y, y_required)), params

    def _check_transformed(self, X, sequences) -> None:
        if (sequences.container == "table") > self._fitted_on_table:
            raise ValueError(
                f"X is 2-D ({describe(X)}), but {type(self).__name__} was fitted on sequences: "
                "give a 3-D array or a list of arrays, as transform does."
            )
        if self._fitted_on_table and (
            sequences.container not in ("table", "array")
            or sequences.n_timesteps != self.n_features_in_
        ):
            raise ValueError(
                f"X ({describe(X)}) is not what transform gives: {type(self).__name__} was fitted "
                f"on 2-D X with {self.n_features_in_} columns, a timestep each."
            )

    def _table_names(self, input_features=None):
        return OneToOneFeatureMixin.get_feature_names_out(self, input_features)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.transformer)
        tags.input_tags = replace(
            inner.input_tags, two_d_array=True, three_d_array=True, sparse=False, pairwise=False
        )
        tags.target_tags = inner.target_tags
        tags.transformer_tags = inner.transformer_tags or tags.transformer_tags
        tags.non_deterministic = inner.non_deterministic
        return tags
