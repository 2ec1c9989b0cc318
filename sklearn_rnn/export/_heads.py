"""What the numbers of the output layer stand for, in ONNX: predictions, labels, probabilities."""

from dataclasses import dataclass

import numpy as np

from sklearn_rnn._input.labels import fill_of
from sklearn_rnn.core.heads import SMALLEST_DEVIATION, Head, MeanAndDeviation, NonCrossing
from sklearn_rnn.core.links import identity, logistic, softmax
from sklearn_rnn.export._graph import Value
from sklearn_rnn.export._network import SequenceValues, raw_outputs

LINKS = {
    identity: lambda a: a,
    np.exp: lambda a: a.graph.add("Exp", a),
    softmax: lambda a: a.graph.add("Softmax", a, axis=-1),
    logistic: lambda a: a.graph.add("Sigmoid", a),
}


def softplus(a: Value) -> Value:
    """log(1 + e^a), free of overflow: ONNX's Softplus has no kernel for float64 everywhere."""
    small = a.graph.add("Exp", -a.graph.add("Abs", a))
    return a.graph.add("Max", a, 0.0) + a.graph.add("Log", small + 1.0)


@dataclass(frozen=True)
class Predicted:
    """Predictions of a regressor, before they take the shape of y.

    values : (batch, n_outputs, n) or (batch, time, n_outputs, n), with n numbers for each target
    several : whether the predictions have an axis for the n numbers
    std : (batch, n_outputs, 1) or (batch, time, n_outputs, 1), standard deviations; None for none
    target_shape : the axes of a target in y, as in `RegressionTargets`
    n_per_target : the length of the last axis
    per_step : whether there is one target per timestep of the sequences
    """

    values: Value
    std: Value | None
    several: bool
    target_shape: tuple[int, ...]
    n_per_target: int
    per_step: bool

    def declare(self, sequences: SequenceValues) -> None:
        """Make the predictions outputs of the graph, in the shape that `predict` returns."""
        self._declare("variable", self.values, sequences, self.several)
        if self.std is not None:
            self._declare("std", self.std, sequences, several=False)

    def _declare(self, name: str, values: Value, sequences: SequenceValues, several: bool) -> None:
        shape = [*self.target_shape, *([self.n_per_target] if several else [])]
        has_time = self.per_step and not sequences.is_step
        values = values.reshape(0, *([0] if has_time else []), *shape)
        if self.per_step:
            values = sequences.filled(values, np.nan, len(shape))
        sequences.declare(name, values, values.graph.dtype, shape, per_step=self.per_step)


def predict(model, sequences: SequenceValues) -> Predicted:
    """Return the predictions of a fitted RNNRegressor."""
    network = model._new_network()
    architecture, scaling = network.architecture, network.units.targets
    head, a = architecture.head, raw_outputs(network, sequences)
    n = head.n_per_target
    n_outputs = architecture.n_outputs // n
    values, std = VALUES_OF_HEADS[type(head)](head, a.split(n, n_outputs))
    if scaling is not None:
        scale, mean = (
            array[:, np.newaxis].astype(a.graph.dtype) for array in (scaling.scale, scaling.mean)
        )
        values = values * scale + mean
        std = None if std is None else std * scale
    return Predicted(
        values=LINKS[model._link](values),
        std=std,
        several=head.quantiles is not None,
        target_shape=model._target_shape,
        n_per_target=1 if head.quantiles is None else n,
        per_step=architecture.return_sequences,
    )


def single(head, parts: list[Value]) -> tuple[Value, None]:
    return parts[0].unsqueeze(-1), None


def non_crossing(head: NonCrossing, parts: list[Value]) -> tuple[Value, None]:
    quantiles = list(parts)
    for k in range(head.base + 1, len(parts)):  # q_k = q_{k-1} + softplus(a_k)
        quantiles[k] = quantiles[k - 1] + softplus(parts[k])
    for k in reversed(range(head.base)):  # q_k = q_{k+1} - softplus(a_k)
        quantiles[k] = quantiles[k + 1] - softplus(parts[k])
    graph = parts[0].graph
    return graph.concatenate([value.unsqueeze(-1) for value in quantiles], axis=-1), None


def mean_and_deviation(head: MeanAndDeviation, parts: list[Value]) -> tuple[Value, Value]:
    mean, b = parts
    return mean.unsqueeze(-1), (softplus(b) + SMALLEST_DEVIATION).unsqueeze(-1)


VALUES_OF_HEADS = {Head: single, NonCrossing: non_crossing, MeanAndDeviation: mean_and_deviation}


def declare_labels(model, sequences: SequenceValues) -> None:
    """Make the labels and the probabilities of a fitted RNNClassifier outputs of the graph."""
    network = model._new_network()
    n, per_step = network.architecture.n_outputs, network.architecture.return_sequences
    a = raw_outputs(network, sequences)
    probabilities = LINKS[model._link](a)
    if model._multilabel:
        sequences.declare("label", (a > 0.0).astype(np.int64), np.int64, [n])  # p > 0.5
    else:
        classes = as_onnx_labels(model.classes_)
        numbers = a.graph.add("ArgMax", a, axis=-1, keepdims=0)
        if per_step:
            numbers = sequences.filled(numbers, np.array(n), 0)
            probabilities = sequences.filled(probabilities, np.nan, 1)
        labels = a.graph.add("Gather", classes, numbers)
        sequences.declare("label", labels, classes.dtype, [], per_step=per_step)
    sequences.declare("probabilities", probabilities, a.graph.dtype, [n], per_step=per_step)


def as_onnx_labels(classes: np.ndarray) -> np.ndarray:
    """Return labels in one of ONNX's types, and last what stands in padding."""
    kind, fill = classes.dtype.kind, fill_of(classes)
    if kind == "U" or (kind == "O" and all(isinstance(label, str) for label in classes)):
        return np.append(classes.astype(str), "")
    if kind in "bf" or (kind in "iu" and max(classes.max(), fill) <= np.iinfo(np.int64).max):
        types = {"b": bool, "f": np.float64, "i": np.int64, "u": np.int64}
        return np.append(classes, fill).astype(types[kind])
    raise TypeError(
        f"The classes are {classes.tolist()}; ONNX has integers of 64 bits, floats, booleans and "
        "strings. Fit on labels of one of these kinds."
    )
