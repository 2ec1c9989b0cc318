"""The units of each sequence in ONNX: its own level and its own scale."""

from typing import NamedTuple

import numpy as np

from sklearn_rnn.export._graph import Value
from sklearn_rnn.export._network import SequenceValues, n_features_per_step


class UnitsOfSequences(NamedTuple):
    """Levels and scales of all features, (batch, 1, n_features), in float64."""

    level: Value
    scale: Value


def units_of(step, sequences: SequenceValues) -> UnitsOfSequences:
    """Return what `_sequence_units.units_of` computes for each sequence.

    step : has the parameters `center` and `scale`
    """
    if sequences.is_step:
        raise ValueError(
            f"{type(step).__name__} needs whole sequences, so there is no graph with step=True."
        )
    graph, x = sequences.graph, sequences.values.astype(np.float64)
    is_valid = sequences.is_valid()
    if is_valid is None:
        n = x.length(1).astype(np.float64)
    else:
        x = is_valid.where(x, np.array(0.0))
        n = is_valid.astype(np.float64).reduce("Sum", 1, keepdims=True)
    total = x.reduce("Sum", 1, keepdims=True)
    zeros = total * np.array(0.0)
    mean = total / n
    levels = {"mean": mean, "first": first(x), "last": last(x, sequences), None: zeros}
    if step.scale is None:
        return UnitsOfSequences(levels[step.center], zeros + np.array(1.0))
    distance = x - mean if is_valid is None else is_valid.where(x - mean, np.array(0.0))
    deviation = graph.add("Sqrt", (distance * distance).reduce("Sum", 1, keepdims=True) / n)
    # A sequence of equal values may have a tiny deviation, by rounding.
    largest = graph.add("Abs", x).reduce("Max", 1, keepdims=True)
    rounding = n * np.array(np.finfo(np.float64).eps) * largest
    return UnitsOfSequences(
        levels[step.center], (deviation > rounding).where(deviation, np.array(1.0))
    )


def first(x: Value) -> Value:
    return x.graph.add("Gather", x, np.array([0]), axis=1)


def last(x: Value, sequences: SequenceValues) -> Value:
    if sequences.lengths is None:
        return x.graph.add("Gather", x, np.array([-1]), axis=1)
    places = (sequences.lengths - np.array(1)).unsqueeze(1)  # (batch, 1)
    return x.graph.add("GatherND", x, places, batch_dims=1).unsqueeze(1)


def in_units(step, sequences: SequenceValues) -> tuple[SequenceValues, UnitsOfSequences]:
    """Return sequences with some of their features relative to their own units; and the units."""
    units = units_of(step, sequences)
    x = sequences.values.astype(np.float64)
    made = (x - units.level) / units.scale
    chosen = np.isin(np.arange(n_features_per_step(step)), step._places)
    if not chosen.all():
        made = sequences.graph.add("Where", chosen, made, x)
    return sequences.with_values(made.astype(sequences.graph.dtype)), units


def undo(values: Value, units: UnitsOfSequences, place_of_output, *, per_step: bool) -> Value:
    """Return predictions (batch, n_outputs, n), or of each timestep, in the units of y."""

    def of_outputs(statistic: Value) -> Value:
        each = values.graph.add("Gather", statistic, np.asarray(place_of_output), axis=2)
        return (each if per_step else each.squeeze(1)).unsqueeze(-1)

    made = values.astype(np.float64) * of_outputs(units.scale) + of_outputs(units.level)
    return made.astype(values.graph.dtype)
