"""The package's estimators as parts of what skl2onnx converts."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.export._graph import MIN_OPSET, Graph, imported
from sklearn_rnn.export._joining import dtype_of, join
from sklearn_rnn.export._pipeline import (
    TARGET_REGRESSORS,
    TRANSFORMERS,
    check_estimator,
    convert_transformer,
    declare_results,
    declared_input,
)
from sklearn_rnn.export._transformers import converted
from sklearn_rnn.preprocessing import PerTimestep

ESTIMATORS = (RNNRegressor, RNNClassifier, *TARGET_REGRESSORS, *TRANSFORMERS)


def register_converters():
    """Let skl2onnx convert pipelines that contain this package's estimators.

    Once called, ``skl2onnx.to_onnx`` converts `RNNRegressor`, `RNNClassifier`,
    `~sklearn_rnn.preprocessing.PerTimestep`, `~sklearn_rnn.preprocessing.SequenceNormalizer`,
    `~sklearn_rnn.preprocessing.PerTimestepTarget` and
    `~sklearn_rnn.preprocessing.InstanceNormalizedRegressor`, alone and within a pipeline. All
    sequences of a batch then have equal lengths, since scikit-learn's steps have one X. `to_onnx`
    takes ragged sequences.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.

    See Also
    --------
    to_onnx : Converts ragged sequences, and live feeds.

    Examples
    --------
    >>> import numpy as np
    >>> import skl2onnx
    >>> from skl2onnx.common.data_types import DoubleTensorType
    >>> from sklearn_rnn import RNNRegressor
    >>> from sklearn_rnn.export import register_converters
    >>> register_converters()
    >>> X = np.random.default_rng(0).normal(size=(50, 9, 2))
    >>> regressor = RNNRegressor(hidden_size=4, tol=1e9, random_state=0).fit(X, X[:, 0, 0])
    >>> initial_types = [("X", DoubleTensorType([None, None, 2]))]
    >>> model = skl2onnx.to_onnx(regressor, initial_types=initial_types, target_opset=18)
    >>> [output.name for output in model.graph.output]
    ['variable']
    """
    skl2onnx = imported("skl2onnx")
    for kind in ESTIMATORS:
        skl2onnx.update_registered_converter(
            kind, f"SklearnRNN{kind.__name__}", set_types, convert, parser=parse
        )


def parse(scope, model, inputs, custom_parsers=None):
    """Declare an operator of skl2onnx, and what it returns."""
    operator = scope.declare_local_operator(f"SklearnRNN{type(model).__name__}", model)
    operator.inputs = inputs
    for name, kind in types_of_outputs(operator).items():
        operator.outputs.append(scope.declare_local_variable(name, kind))
    return operator.outputs


def set_types(operator) -> None:
    """Set the types and shapes of what an operator returns."""
    for variable, kind in zip(operator.outputs, types_of_outputs(operator).values(), strict=True):
        variable.type = kind


def types_of_outputs(operator) -> dict:
    types = imported("skl2onnx.common.data_types")
    kinds = {
        np.dtype(np.float32): types.FloatTensorType,
        np.dtype(np.float64): types.DoubleTensorType,
        np.dtype(np.int64): types.Int64TensorType,
        np.dtype(bool): types.BooleanTensorType,
        np.dtype(object): types.StringTensorType,
    }
    helper = imported("onnx.helper")
    found = {}
    for output in graph_of(operator, MIN_OPSET).outputs:
        tensor = output.type.tensor_type
        shape = [length.dim_value or None for length in tensor.shape.dim]
        found[output.name] = kinds[np.dtype(helper.tensor_dtype_to_np_dtype(tensor.elem_type))](
            shape
        )
    return found


def convert(scope, operator, container) -> None:
    """Add an operator's graph to what skl2onnx is converting."""
    join(graph_of(operator, container.target_opset), operator, scope, container)


def makes_table(transformer, graph: Graph) -> bool:
    """Whether the result of a transformer is 2-D: X is, and the result has one feature."""
    if not transformer._fitted_on_table or not isinstance(transformer, PerTimestep):
        return transformer._fitted_on_table
    (result,) = converted(transformer.transformer_, graph, 1).graph.output
    return result.type.tensor_type.shape.dim[1].dim_value == 1


def graph_of(operator, opset: int) -> Graph:
    """Return the graph of an estimator that reads what an operator of skl2onnx reads."""
    model, graph = operator.raw_operator, Graph(dtype_of(operator), opset)
    check_is_fitted(model)
    if isinstance(model, tuple(TRANSFORMERS)):
        values = convert_transformer(model, declared_input(graph, model, is_ragged=False)).values
        if makes_table(model, graph):
            graph.output("variable", values.squeeze(2), graph.dtype, ["batch", "time"])
        else:
            graph.output("variable", values, graph.dtype, ["batch", "time", None])
    else:
        check_estimator(model)
        declare_results(model, declared_input(graph, model, is_ragged=False))
    return graph
