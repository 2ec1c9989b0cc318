"""Pipelines, and regressors of converted targets, in ONNX."""

from dataclasses import replace

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn._input.errors import describe
from sklearn_rnn.export._functions import inverse_of
from sklearn_rnn.export._graph import Graph, Value
from sklearn_rnn.export._heads import Predicted, declare_labels, predict
from sklearn_rnn.export._network import SequenceValues, n_features_per_step
from sklearn_rnn.export._transformers import per_timestep, takes_text
from sklearn_rnn.export._units import in_units, undo
from sklearn_rnn.preprocessing import (
    InstanceNormalizedRegressor,
    PerTimestep,
    PerTimestepTarget,
    SequenceNormalizer,
)
from sklearn_rnn.streaming import steps_of

NETWORKS = (RNNRegressor, RNNClassifier)
TARGET_REGRESSORS = (PerTimestepTarget, InstanceNormalizedRegressor)

# From fitted transformers to what they make of sequences.
TRANSFORMERS = {
    PerTimestep: per_timestep,
    SequenceNormalizer: lambda step, sequences: in_units(step, sequences)[0],
}


def check_estimator(estimator) -> None:
    """Raise TypeError or NotFittedError unless all parts of an estimator can be converted."""
    *transformers, model = steps_of(estimator) or [estimator]
    if not isinstance(model, (*NETWORKS, *TARGET_REGRESSORS)):
        hint = " Of a search, give its best_estimator_." if hasattr(model, "estimator") else ""
        raise TypeError(
            "estimator must be RNNRegressor, RNNClassifier, PerTimestepTarget, "
            "InstanceNormalizedRegressor, or a Pipeline that ends in one of them; got "
            f"{describe(model)}.{hint}"
        )
    for transformer in transformers:
        if not isinstance(transformer, tuple(TRANSFORMERS)):
            raise TypeError(
                f"The pipeline has {describe(transformer)}, which can't be converted to ONNX; "
                f"{' and '.join(kind.__name__ for kind in TRANSFORMERS)} can."
            )
    for step in (*transformers, model):
        check_is_fitted(step)
    if isinstance(model, TARGET_REGRESSORS):
        check_estimator(model.regressor_)


def declared_input(
    graph: Graph, estimator, *, is_step: bool = False, is_ragged: bool = True
) -> SequenceValues:
    """Declare X, and the lengths of ragged sequences."""
    reader = first_step(estimator)
    of_text = isinstance(reader, PerTimestep) and takes_text(reader.transformer_)
    dtype, n_features = np.dtype(str) if of_text else graph.dtype, n_features_per_step(reader)
    if is_step:
        return SequenceValues(graph.input("X", dtype, ["batch", n_features]), is_step=True)
    if reader._fitted_on_table:  # a feature, and a column for each timestep
        x = graph.input("X", dtype, ["batch", reader.n_features_in_])
        return SequenceValues(x.unsqueeze(2))
    x = graph.input("X", dtype, ["batch", "time", n_features])
    return SequenceValues(x, graph.input("lengths", np.int64, ["batch"]) if is_ragged else None)


def first_step(estimator):
    """Return what reads X first, and knows of what kind X is."""
    first = steps_of(estimator)[0]
    return first_step(first.regressor_) if isinstance(first, PerTimestepTarget) else first


def network_of(estimator):
    """Return the RNNRegressor or RNNClassifier at the end of it all."""
    model = steps_of(estimator)[-1]
    return model if isinstance(model, NETWORKS) else network_of(model.regressor_)


def declare_results(estimator, sequences: SequenceValues) -> None:
    """Make what an estimator predicts outputs of the graph."""
    model, read = through_transformers(estimator, sequences)
    if isinstance(model, RNNClassifier):
        declare_labels(model, read)
    else:
        predicted(model, read).declare(read)


def through_transformers(estimator, sequences: SequenceValues):
    """Return the last step of a pipeline, and the sequences as it reads them."""
    *transformers, model = steps_of(estimator)
    for transformer in transformers:
        sequences = convert_transformer(transformer, sequences)
    return model, sequences


def convert_transformer(transformer, sequences: SequenceValues) -> SequenceValues:
    (convert,) = (TRANSFORMERS[kind] for kind in TRANSFORMERS if isinstance(transformer, kind))
    return convert(transformer, sequences)


def predicted(estimator, sequences: SequenceValues) -> Predicted:
    """Return the predictions of a regressor, or of a pipeline that ends in one."""
    model, sequences = through_transformers(estimator, sequences)
    if isinstance(model, RNNRegressor):
        return predict(model, sequences)
    if isinstance(model, PerTimestepTarget):
        inner = predicted(model.regressor_, sequences)
        values = untransformed(model, inner)
    else:
        sequences, units = in_units(model, sequences)
        inner = predicted(model.regressor_, sequences)
        values = undo(inner.values, units, model._place_of_output, per_step=inner.per_step)
    return replace(inner, values=values, std=None, target_shape=model._target_shape)


def untransformed(model: PerTimestepTarget, inner: Predicted) -> Value:
    """Return predictions in the units of y; the timesteps ahead are rows for the transformer."""
    inverse, n = inverse_of(model.transformer_), inner.n_per_target
    if model._n_ahead == 1:
        return inverse(inner.values)
    return inverse(inner.values.reshape(0, model._n_ahead, -1, n)).reshape(0, -1, n)
