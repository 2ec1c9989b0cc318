"""to_onnx: a fitted estimator, or a pipeline, as an ONNX model."""

from numbers import Integral

import numpy as np

from sklearn_rnn._input.errors import describe
from sklearn_rnn._input.hyperparameters import check_flag
from sklearn_rnn.export._graph import MIN_OPSET, Graph, imported
from sklearn_rnn.export._network import NEXT
from sklearn_rnn.export._pipeline import (
    check_estimator,
    declare_results,
    declared_input,
    network_of,
)


def to_onnx(estimator, *, step=False, target_opset=None, dtype=None):
    """Convert a fitted estimator to ONNX."""
    check_flag("step", step)
    opset = read_opset(target_opset)
    check_estimator(estimator)
    network = network_of(estimator)
    if step and network._architecture.bidirectional:
        raise ValueError(
            "A network with bidirectional=True has no graph with step=True: its reverse direction "
            "begins at the end of a sequence, which a live feed doesn't know. Fit with "
            "bidirectional=False."
        )
    graph = Graph(read_dtype(dtype, network), opset)
    declare_results(estimator, declared_input(graph, estimator, is_step=step))
    graph.outputs.sort(key=lambda output: output.name.startswith(NEXT))  # the states come last
    model = graph.model()
    graph.onnx.checker.check_model(model, full_check=True)
    return model


def read_opset(target_opset) -> int:
    newest = imported("onnx").defs.onnx_opset_version()
    if target_opset is None:
        return MIN_OPSET
    if isinstance(target_opset, bool) or not isinstance(target_opset, Integral):
        raise TypeError(f"target_opset must be an integer or None; got {describe(target_opset)}.")
    if not MIN_OPSET <= target_opset <= newest:
        raise ValueError(
            f"target_opset={target_opset}, but the graph needs operators of version {MIN_OPSET} or "
            f"later, and the onnx package that is installed knows those up to {newest}."
        )
    return int(target_opset)


def read_dtype(dtype, network) -> np.dtype:
    if dtype is None:
        return network._parameters.vector.dtype
    try:
        chosen = np.dtype(dtype)
    except TypeError:
        chosen = None
    if chosen not in (np.float32, np.float64):
        raise ValueError(f"dtype must be float32, float64 or None; got {dtype!r}.")
    return chosen
