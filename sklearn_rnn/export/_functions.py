"""Functions and scalers of scikit-learn in ONNX, in the direction that skl2onnx doesn't know."""

from collections.abc import Callable

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from sklearn_rnn._input.errors import describe
from sklearn_rnn.export._graph import Value

FUNCTIONS: dict[Callable | None, Callable[[Value], Value]] = {
    None: lambda x: x,
    np.abs: lambda x: x.graph.add("Abs", x),
    np.exp: lambda x: x.graph.add("Exp", x),
    np.expm1: lambda x: x.graph.add("Exp", x) - 1.0,
    np.log: lambda x: x.graph.add("Log", x),
    np.log1p: lambda x: x.graph.add("Log", x + 1.0),
    np.negative: lambda x: -x,
    np.reciprocal: lambda x: x.graph.add("Reciprocal", x),
    np.sqrt: lambda x: x.graph.add("Sqrt", x),
    np.square: lambda x: x * x,
    np.tanh: lambda x: x.graph.add("Tanh", x),
}


def known_function(function, further, name: str) -> Callable[[Value], Value]:
    """Return what a function of a FunctionTransformer is in ONNX; raise TypeError for others.

    further : the arguments that it gets besides x
    name : the parameter, for the error
    """
    if further or function not in FUNCTIONS:
        known = ", ".join(f"np.{ufunc.__name__}" for ufunc in FUNCTIONS if ufunc is not None)
        raise TypeError(
            f"The {name} of a FunctionTransformer can be converted if it is one of {known}, or "
            f"None, without further arguments; got {function!r}."
        )
    return FUNCTIONS[function]


def undo_affine(scale, shift) -> Callable[[Value], Value]:
    """Return x ↦ scale x + shift; None stands for numbers that change nothing.

    The numbers are one for each output, which is the last axis but one of x.
    """

    def undo(x: Value) -> Value:
        parts = [None if part is None else np.reshape(part, (-1, 1)) for part in (scale, shift)]
        scales, shifts = (None if part is None else part.astype(x.graph.dtype) for part in parts)
        x = x if scales is None else x * scales
        return x if shifts is None else x + shifts

    return undo


def undo_steps(pipeline: Pipeline) -> Callable[[Value], Value]:
    inverses = [inverse_of(step) for _, step in pipeline.steps if step not in (None, "passthrough")]

    def undo(x: Value) -> Value:
        for inverse in reversed(inverses):
            x = inverse(x)
        return x

    return undo


# From fitted transformers to their inverse functions.
INVERSES: dict[type, Callable] = {
    FunctionTransformer: lambda made: known_function(
        made.inverse_func, made.inv_kw_args, "inverse_func"
    ),
    StandardScaler: lambda made: undo_affine(made.scale_, made.mean_ if made.with_mean else None),
    RobustScaler: lambda made: undo_affine(made.scale_, made.center_),
    MaxAbsScaler: lambda made: undo_affine(made.scale_, None),
    MinMaxScaler: lambda made: undo_affine(1 / made.scale_, -made.min_ / made.scale_),
    Pipeline: undo_steps,
}


def inverse_of(transformer) -> Callable[[Value], Value]:
    """Return the inverse of a fitted transformer of targets; raise TypeError if it isn't known."""
    if type(transformer) in INVERSES:  # a subclass may transform in other ways
        return INVERSES[type(transformer)](transformer)
    known = ", ".join(kind.__name__ for kind in INVERSES)
    raise TypeError(
        f"The inverse_transform of {describe(transformer)} can't be converted to ONNX; those of "
        f"{known} can."
    )
