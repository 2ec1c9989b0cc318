"""Graphs of this package within the graph that skl2onnx is making."""

import numpy as np

from sklearn_rnn._input.errors import describe
from sklearn_rnn.export._graph import Graph, Part, imported, same


def dtype_of(operator) -> type:
    """Return the precision in which an operator of skl2onnx works: that of its input.

    It is float32 where the input is text.
    """
    types, given = imported("skl2onnx.common.data_types"), operator.inputs[0].type
    if isinstance(given, types.DoubleTensorType):
        return np.float64
    if isinstance(given, (types.FloatTensorType, types.StringTensorType)):
        return np.float32
    raise TypeError(
        f"{describe(operator.raw_operator)} reads {describe(given)}: give its X as FloatTensorType "
        "or DoubleTensorType, and for encoders of text as StringTensorType."
    )


def join(graph: Graph, operator, scope, container) -> None:
    """Add a graph, whose inputs and outputs are those of an operator of skl2onnx."""
    part = Part.of(graph.model(), scope.get_unique_operator_name("sklearn_rnn") + "/")
    if part.functions:
        raise TypeError(
            f"{describe(operator.raw_operator)} has functions of ONNX, which skl2onnx can't take "
            "over: convert it by sklearn_rnn.export.to_onnx."
        )
    pairs = zip(operator.inputs, part.inputs, strict=True)
    container.nodes += [same(value.onnx_name, name) for value, name in pairs]
    container.nodes += part.nodes
    pairs = zip(part.outputs, operator.outputs, strict=True)
    container.nodes += [same(name, value.onnx_name) for name, value in pairs]
    container.initializers += part.initializers
    container.node_domain_version_pair_sets |= set(part.opsets.items())
