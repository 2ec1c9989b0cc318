"""Fitted estimators and pipelines as ONNX models, which run without this package and Python."""

from sklearn_rnn.export._skl2onnx import register_converters
from sklearn_rnn.export._to_onnx import to_onnx

__all__ = ["register_converters", "to_onnx"]
