"""Fitted estimators and pipelines as ONNX models, which run without this package and Python."""

from sklearn_rnn.export._to_onnx import to_onnx

__all__ = ["to_onnx"]
