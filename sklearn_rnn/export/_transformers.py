"""Transformers of timesteps in ONNX: what skl2onnx makes of them, and some that it can't make."""

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_rnn._input.errors import describe
from sklearn_rnn.export._functions import known_function
from sklearn_rnn.export._graph import DOMAIN, Graph, Value, imported
from sklearn_rnn.export._joining import dtype_of, join
from sklearn_rnn.export._network import SequenceValues, n_features_per_step
from sklearn_rnn.preprocessing import PerTimestep
from sklearn_rnn.preprocessing._timesteps import takes_single_values
from sklearn_rnn.streaming import steps_of


def per_timestep(step: PerTimestep, sequences: SequenceValues) -> SequenceValues:
    """Apply a fitted transformer to each timestep."""
    x, graph = sequences.values, sequences.graph
    n_features = n_features_per_step(step)
    model = converted(step.transformer_, graph, n_features)
    if sequences.is_step:
        return sequences.with_values(graph.inline(model, x).astype(graph.dtype))
    shape = graph.add("Concat", graph.add("Shape", x, start=0, end=2), np.array([-1]), axis=0)
    rows = graph.inline(model, x.reshape(-1, n_features)).astype(graph.dtype)
    return sequences.with_values(graph.add("Reshape", rows, shape))


def converted(transformer, graph: Graph, n_features: int):
    """Return a model of a transformer of rows; raise TypeError if there is none."""
    if isinstance(transformer, Pipeline):  # skl2onnx doesn't know steps that change nothing
        steps = steps_of(transformer) or [FunctionTransformer()]
        transformer = make_pipeline(*steps)
    skl2onnx, types = imported("skl2onnx"), imported("skl2onnx.common.data_types")
    if takes_single_values(transformer):
        raise TypeError(
            f"{describe(transformer)} can't be converted to ONNX here: it takes one dict or string "
            "per timestep, and X of the model has numbers, or strings for encoders."
        )
    of_text = takes_text(transformer)
    kinds = {"<f4": types.FloatTensorType, "<f8": types.DoubleTensorType}
    kind = types.StringTensorType if of_text else kinds[graph.dtype.str]
    own = {} if of_text else OWN
    try:
        model = skl2onnx.convert_sklearn(
            transformer,
            initial_types=[("X", kind([None, n_features]))],
            target_opset=graph.opsets[DOMAIN],
            custom_conversion_functions={of: convert for of, (_, convert) in own.items()},
            custom_shape_calculators={of: calculate for of, (calculate, _) in own.items()},
        )
        graph.onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # skl2onnx raises many kinds, also for what it doesn't know
        reason = " ".join(str(error).split())
        precision = "" if of_text or graph.dtype == np.float32 else " in float64"
        hint = ", or dtype='float32'," if precision else ""
        raise TypeError(
            f"{describe(transformer)} can't be converted to ONNX{precision}: {reason} Use another "
            f"transformer{hint} or skl2onnx.update_registered_converter, for one of your own."
        ) from error
    return model


def takes_text(transformer) -> bool:
    """Whether a fitted transformer takes strings: an encoder, or a pipeline that begins so."""
    while isinstance(transformer, Pipeline):
        transformer = transformer.steps[0][1]
    categories = getattr(transformer, "categories_", [])
    values = [value for of_feature in categories for value in of_feature]
    return bool(values) and all(isinstance(value, str) for value in values)


# What skl2onnx can't do: SimpleImputer has no kernel for float64 there, and no indicators.


def impute(imputer: SimpleImputer, x: Value) -> Value:
    graph, missing = x.graph, imputer.missing_values
    is_nan = isinstance(missing, float) and np.isnan(missing)
    is_missing = graph.add("IsNaN", x) if is_nan else graph.add("Equal", x, float(missing))
    statistics = imputer.statistics_.astype(graph.dtype)
    filled = is_missing.where(statistics, x)
    kept = np.flatnonzero(~np.isnan(statistics))
    if len(kept) < len(statistics):  # features without any value are dropped
        filled = graph.add("Gather", filled, kept, axis=1)
    if imputer.indicator_ is None:
        return filled
    indicators = graph.add("Gather", is_missing, imputer.indicator_.features_, axis=1)
    return graph.add("Concat", filled, indicators.astype(graph.dtype), axis=1)


def apply_function(transformer: FunctionTransformer, x: Value) -> Value:
    return known_function(transformer.func, transformer.kw_args, "func")(x)


def own_converter(convert, n_features_out):
    """Return the shape calculator and the converter that skl2onnx wants.

    convert : returns what a fitted transformer makes of rows
    n_features_out : returns how many features that are, given the number of those of the rows
    """

    def calculate_shape(operator):
        kind = type(operator.inputs[0].type)
        n_features = operator.inputs[0].type.shape[1]
        n_features = n_features_out(operator.raw_operator, n_features)
        operator.outputs[0].type = kind([None, n_features])

    def converter(scope, operator, container):
        dtype = dtype_of(operator)
        graph = Graph(dtype, container.target_opset)
        x = graph.input("x", dtype, operator.inputs[0].type.shape)
        graph.output("y", convert(operator.raw_operator, x), dtype, operator.outputs[0].type.shape)
        join(graph, operator, scope, container)

    return calculate_shape, converter


OWN = {
    SimpleImputer: own_converter(impute, lambda imputer, n: len(imputer.get_feature_names_out())),
    FunctionTransformer: own_converter(apply_function, lambda made, n: n),
}
