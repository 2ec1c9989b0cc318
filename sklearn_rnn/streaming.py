"""Sequences that are read as they come: timestep by timestep, or in chunks."""

from copy import copy, deepcopy

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._fitted import FittedNetwork
from sklearn_rnn._input.errors import describe
from sklearn_rnn._stream import Stream
from sklearn_rnn.preprocessing import PerTimestep
from sklearn_rnn.preprocessing._timesteps import made_of

__all__ = ["Stream", "stream"]


def stream(estimator, n_sequences=1, method="predict"):
    """Begin to read sequences as they come, through an estimator or a pipeline.

    Parameters
    ----------
    estimator : RNNRegressor, RNNClassifier or Pipeline
        The fitted estimator, or a fitted `~sklearn.pipeline.Pipeline` of any number of
        `~sklearn_rnn.preprocessing.PerTimestep` and then such an estimator. Other transformers of
        sequences need more than one timestep and can't be streamed.
    n_sequences : int, default=1
        The number of sequences, which are read at the same pace.
    method : str, default="predict"
        The method whose results the stream gives: "predict", and of a classifier also
        "predict_proba" or "predict_log_proba".

    Returns
    -------
    stream : Stream
        A `Stream` that has read nothing yet. Its results after some timesteps are those of the
        method for these timesteps.

    Raises
    ------
    ValueError, TypeError
        If an argument can't be used, if the network is bidirectional, or if the estimator is
        something else.

    Notes
    -----
    A transformer of scikit-learn takes some 100 µs for a timestep, and a small network 10 µs. For a
    standard scaler the estimator's own ``standardize=True`` is the faster way.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> from sklearn_rnn import RNNRegressor
    >>> from sklearn_rnn.preprocessing import PerTimestep
    >>> from sklearn_rnn.streaming import stream
    >>> X, y = np.random.default_rng(0).normal(size=(50, 9, 2)), np.arange(50)
    >>> model = RNNRegressor(hidden_size=4, tol=1e9, random_state=0)
    >>> pipeline = make_pipeline(PerTimestep(MinMaxScaler()), model).fit(X, y)
    >>> two = stream(pipeline, n_sequences=2)
    >>> for t in range(9):
    ...     predictions = two.step(X[:2, t])
    >>> np.allclose(predictions, pipeline.predict(X[:2]))
    True
    """
    *transformers, model = steps_of(estimator) or [estimator]
    if not isinstance(model, FittedNetwork):
        raise TypeError(
            "estimator must be RNNRegressor, RNNClassifier, or a Pipeline that ends in one of "
            f"them; got {describe(model)}. Of a search or another meta-estimator, give the "
            "estimator that it has fitted, such as best_estimator_."
        )
    for transformer in transformers:
        if not isinstance(transformer, PerTimestep):
            raise TypeError(
                f"The pipeline has {describe(transformer)}, which can't be streamed: only "
                "PerTimestep transforms each timestep by itself."
            )
    for step in (*transformers, model):
        check_is_fitted(step)
    return Stream(copy(model), n_sequences, method, map(TimestepTransform, transformers))


def steps_of(estimator) -> list:
    """Return the steps of a pipeline, and of pipelines in it; or the estimator alone."""
    if not isinstance(estimator, Pipeline):
        return [estimator]
    steps = [step for _, step in estimator.steps if step not in (None, "passthrough")]
    return [inner for step in steps for inner in steps_of(step)]


class TimestepTransform:
    """A fitted `PerTimestep`, as a stream needs it."""

    def __init__(self, fitted: PerTimestep):
        self.per_timestep = per_timestep = deepcopy(fitted)
        if fitted._fitted_on_table:  # a stream reads any number of columns, one after another
            per_timestep._fitted_on_table, per_timestep.n_features_in_ = False, 1
            vars(per_timestep).pop("feature_names_in_", None)
        self.n_features = per_timestep.n_features_in_

    def step(self, rows):
        """Transform one timestep of all sequences, (n_sequences, n_features)."""
        return made_of(len(rows), self.per_timestep.transformer_.transform(rows))

    def read(self, X):
        """Transform several timesteps; 2-D X has one column for each."""
        if len(getattr(X, "shape", ())) == 2:
            X = np.asarray(X)[:, :, np.newaxis]
        return self.per_timestep.transform(X)
