"""PerTimestep: any transformer of scikit-learn, applied to the timesteps of sequences."""

import numpy as np
import sklearn
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._documented import Documented
from sklearn_rnn._input.content import ANYTHING
from sklearn_rnn._input.errors import describe, unchanged_on_error
from sklearn_rnn._input.sequences import as_objects, as_sequences, read_sequences
from sklearn_rnn._settings import keeps_numpy_settings
from sklearn_rnn._versioned import Versioned
from sklearn_rnn.preprocessing._timesteps import (
    Timesteps,
    meant_by,
    rows_for,
    take_tags,
    takes_single_values,
)


def _inner_has(method: str):
    """A condition for `available_if`: whether the transformer has the method."""
    return lambda self: hasattr(getattr(self, "transformer_", meant_by(self.transformer)), method)


# None: scikit-learn would otherwise wrap 3-D arrays and lists into DataFrames for `set_output`.
class PerTimestep(
    Documented, Versioned, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Apply a transformer to the timesteps of sequences.

    All valid timesteps become the rows of one table (total_timesteps, n_features). The transformer
    is fitted on this table and transforms it, and each transformed row returns to its sequence and
    timestep. So the transformer sees ordinary 2-D data without padding, and need not know about
    sequences.

    Parameters
    ----------
    transformer : transformer or "passthrough"
        A scaler, imputer, encoder, PCA, `ColumnTransformer`, a `Pipeline` of them, or any other
        transformer that makes one row from each row. It is cloned. "passthrough" changes nothing,
        for searches over several transformers and none.

    Attributes
    ----------
    transformer_ : transformer
        The fitted transformer. Its statistics are over timesteps.
    n_features_in_ : int
        The number of features per timestep; for 2-D X, the number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        The column names of X. Defined only if X was a DataFrame or a list of DataFrames, and all
        column names are strings.

    See Also
    --------
    PerTimestepTarget : Transforms the targets of a regressor.
    sklearn.compose.ColumnTransformer : Applies different transformers to different features. Use it
        as the transformer of this class.

    Notes
    -----
    The containers of X and of the result:

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

    In an array, trailing timesteps are padding if all their values are NaN or None. They are NaN in
    the result. If there is padding, integers and booleans in the result become float64, and strings
    become objects. The transformer sees all other NaN, and every NaN in a list. 2-D X is read as
    sequences of one feature with one column per timestep, as in `RNNClassifier` and `RNNRegressor`,
    so all columns are scaled alike. After a fit on 2-D X, `transform` takes 2-D X with the same
    columns.

    `DictVectorizer`, `FeatureHasher` and the vectorizers of text get one dict or string per
    timestep: X is a list of sequences of one feature.

    The transformer determines the dtype. Most of scikit-learn's transformers return float32 for
    float32. A sparse result is made dense, because sequences are dense.

    ``set_output`` is passed on to the transformer. If it returns DataFrames, a list becomes a list
    of DataFrames and 2-D X becomes a DataFrame. A 3-D result remains an array.

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

    @keeps_numpy_settings
    def fit(self, X, y=None, **params):
        """Fit the transformer to the timesteps.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences; see Notes above.
        y : array-like or list of arrays, default=None
            Targets, for transformers that use them. One target per sequence, (n_samples,), is
            repeated for each timestep. Targets per timestep are an array (n_samples, n_timesteps)
            or (n_samples, n_timesteps, n_outputs), or a list of arrays (n_timesteps_i,) or
            (n_timesteps_i, n_outputs). A 2-D array with as many columns as X has timesteps is read
            as targets per timestep; if X is a list, also one that is padded further with a
            constant. Any other 2-D array is several targets per sequence, (n_samples, n_outputs).
            They are repeated if the transformer's tags say that it
            requires y, and ignored otherwise.
        **params : dict
            Passed on to the transformer's ``fit``, or routed if metadata routing is enabled. A
            ``sample_weight`` (``step__sample_weight`` for a pipeline) is one number per sequence,
            or one per timestep in the shapes of y. ``groups`` have the same shapes.

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

    @keeps_numpy_settings
    def fit_transform(self, X, y=None, **params):
        """Fit the transformer to the timesteps, and transform them.

        Parameters
        ----------
        X, y, **params
            As for `fit`. They are passed to the transformer's ``fit_transform`` if it has one.

        Returns
        -------
        X_new : ndarray, DataFrame, or list or object array of them
            What became of the sequences; see Notes above.

        Raises
        ------
        ValueError, TypeError
            As `fit`; also if the transformer doesn't make one row from each row.
        """
        if not hasattr(meant_by(self.transformer), "fit_transform"):
            return self.fit(X, y, **params).transform(X)
        with unchanged_on_error(self):
            transformer = self._cloned()
            timesteps = self._read(X, reset=True)
            arguments, params = self._arguments(timesteps, y, "fit_transform", params)
            values = transformer.fit_transform(*arguments, **params)
            self.transformer_ = transformer
            return timesteps.restore(values, self._table_names)

    @available_if(_inner_has("partial_fit"))
    @keeps_numpy_settings
    def partial_fit(self, X, y=None, **params):
        """Fit the transformer to more sequences; available if it has ``partial_fit``.

        Parameters
        ----------
        X, y, **params
            As for `fit`. They are passed to the transformer's ``partial_fit``.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError, TypeError
            As `fit`; also if X has other features than in earlier calls.
        """
        is_first = not hasattr(self, "transformer_")
        with unchanged_on_error(self):
            transformer = self._cloned() if is_first else self.transformer_
            timesteps = self._read(X, reset=is_first)
            arguments, params = self._arguments(timesteps, y, "partial_fit", params)
            self.transformer_ = transformer.partial_fit(*arguments, **params)
        return self

    @keeps_numpy_settings
    def transform(self, X):
        """Transform the timesteps.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences, as for `fit`. Any length is allowed, unless the fit was on 2-D X.

        Returns
        -------
        X_new : ndarray, DataFrame, or list or object array of them
            What became of the sequences; see Notes above.

        Raises
        ------
        ValueError, TypeError
            If X can't be used, or the transformer doesn't make one row from each row.
        """
        check_is_fitted(self)
        timesteps = self._read(X, reset=False)
        values = self.transformer_.transform(rows_for(self.transformer_, timesteps.rows))
        return timesteps.restore(values, self._table_names)

    @available_if(_inner_has("inverse_transform"))
    @keeps_numpy_settings
    def inverse_transform(self, X):
        """Undo `transform`; available if the transformer has ``inverse_transform``.

        Parameters
        ----------
        X : array-like or list of arrays
            Sequences as `transform` returns them.

        Returns
        -------
        X_original : ndarray, or list or object array of them
            The sequences, in the container of X; 2-D if the fit was on 2-D X.

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
        if takes_single_values(self.transformer_):
            values = as_objects(values)[:, np.newaxis]
        return timesteps.restore(values, self._table_names)

    @available_if(_inner_has("get_feature_names_out"))
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
            The names that the transformer returns; for a 2-D result, the column names of X.

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
        """Set the container that the transformer returns; see Notes above.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            "default" gives arrays. "pandas" and "polars" give DataFrames, unless a result is 3-D.
            None changes nothing.

        Returns
        -------
        self : object
            The transformer.
        """
        if isinstance(self.transformer, str):
            return self  # "passthrough" passes on whatever it gets
        for transformer in (self.transformer, getattr(self, "transformer_", None)):
            if transformer is not None:
                transformer.set_output(transform=transform)
        return self

    def get_metadata_routing(self):
        """Return how metadata are routed: from each method to the transformer's of the same name.

        Returns
        -------
        routing : MetadataRouter
            The routing.
        """
        methods = MethodMapping()
        for method in ("fit", "fit_transform", "partial_fit"):
            methods = methods.add(caller=method, callee=method)
        return MetadataRouter(owner=self).add(
            transformer=meant_by(self.transformer), method_mapping=methods
        )

    def _cloned(self):
        needed = ("get_params", "fit", "transform")
        transformer = meant_by(self.transformer)
        if isinstance(transformer, type) or not all(hasattr(transformer, name) for name in needed):
            raise TypeError(
                "transformer must be a scikit-learn transformer, such as StandardScaler(), with "
                f"fit and transform, or 'passthrough'; got {describe(transformer)}."
            )
        return clone(transformer)

    def _read(self, X, *, reset: bool) -> Timesteps:
        sequences = read_sequences(X, self, reset=reset, content=ANYTHING)
        timesteps = Timesteps(X, sequences)
        if reset:
            self._fitted_on_table = sequences.container == "table"
            self._fitted_on_1d = timesteps.are_1d
        return timesteps

    def _arguments(self, timesteps: Timesteps, y, method: str, params: dict) -> tuple[tuple, dict]:
        """Return the arguments for a method of the transformer: positional, and by name."""
        if sklearn.get_config()["enable_metadata_routing"]:
            params = process_routing(self, method, **params).transformer[method]
        params = dict(params)
        readers = {"sample_weight": timesteps.weights, "groups": timesteps.groups}
        for name, value in params.items():
            read = readers.get(name.rpartition("__")[2])
            if read is not None and value is not None:
                params[name] = read(value)
        transformer = meant_by(self.transformer)
        y_required = get_tags(transformer).target_tags.required
        return (rows_for(transformer, timesteps.rows), timesteps.targets(y, y_required)), params

    def _check_transformed(self, X, sequences) -> None:
        if (sequences.container == "table") > self._fitted_on_table:
            raise ValueError(
                f"X is 2-D ({describe(X)}), but {type(self).__name__} was fitted on sequences: "
                "give a 3-D array or a list of arrays, as transform returns."
            )
        if self._fitted_on_table and (
            sequences.container not in ("table", "array")
            or sequences.n_timesteps != self.n_features_in_
        ):
            raise ValueError(
                f"X ({describe(X)}) is not a result of transform: {type(self).__name__} was fitted "
                f"on 2-D X with {self.n_features_in_} columns, one per timestep."
            )

    def _table_names(self, input_features=None):
        return OneToOneFeatureMixin.get_feature_names_out(self, input_features)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        take_tags(tags, self.transformer)
        tags.target_tags = get_tags(meant_by(self.transformer)).target_tags
        return tags
