"""A network in ONNX: units, recurrent layers, pools and the output layer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sklearn_rnn._stream import state_name
from sklearn_rnn.core.architecture import REVERSE
from sklearn_rnn.core.network import Network
from sklearn_rnn.core.parameters import within
from sklearn_rnn.core.scaling import Scaling
from sklearn_rnn.core.stepper import standardizing
from sklearn_rnn.export._cells import ONNX_CELLS, OnnxCell, run_operator, run_scan
from sklearn_rnn.export._graph import Graph, Value

# What stands before the name of a state where it is an output.
NEXT = "next."


def n_features_per_step(reader) -> int:
    """Return the number of features of a timestep: of 2-D X, the columns are timesteps."""
    return 1 if reader._fitted_on_table else reader.n_features_in_


@dataclass(frozen=True)
class SequenceValues:
    """What a part of a graph reads.

    values : (batch, time, n_features), or (batch, n_features) for one timestep of a live feed
    lengths : (batch,); None if all sequences have equal lengths
    is_step : whether it is one timestep of a live feed
    """

    values: Value
    lengths: Value | None = None
    is_step: bool = False

    @property
    def graph(self) -> Graph:
        return self.values.graph

    def is_valid(self) -> Value | None:
        """Which timesteps are not padding, (batch, time, 1); None if there is no padding."""
        if self.lengths is None:
            return None
        n_timesteps = self.values.length(1).squeeze(0)
        numbers = self.graph.add("Range", np.array(0), n_timesteps, np.array(1))
        return (numbers < self.lengths.unsqueeze(1)).unsqueeze(2)

    def with_values(self, values: Value) -> "SequenceValues":
        return replace(self, values=values)

    def filled(self, values: Value, fill, n_axes: int) -> Value:
        """Put `fill` into the padding of values with n_axes axes behind those of time."""
        is_valid = self.is_valid()
        if is_valid is None:
            return values
        is_valid = is_valid.squeeze(2) if n_axes == 0 else is_valid
        for axis in range(3, 2 + n_axes):
            is_valid = is_valid.unsqueeze(axis)
        return is_valid.where(values, fill)

    def declare(
        self, name: str, values: Value, dtype, shape: Sequence, *, per_step: bool = False
    ) -> None:
        """Make values an output of the graph; shape is that of one target."""
        time = ["time"] if per_step and not self.is_step else []
        self.graph.output(name, values, dtype, ["batch", *time, *shape])


def raw_outputs(network: Network, sequences: SequenceValues) -> Value:
    """Return a = W_hy h + b_y, (batch, n_outputs), or (batch, time, n_outputs)."""
    graph, architecture = sequences.graph, network.architecture
    named = architecture.named(network.parameters)
    named = {name: array.astype(graph.dtype) for name, array in named.items()}
    if network.units.inputs is not None:
        sequences = sequences.with_values(without_units(sequences.values, network.units.inputs))
    cell = ONNX_CELLS[architecture.cell](
        architecture.cell, architecture.hidden_size, architecture.activation
    )
    compute = features_of_step if sequences.is_step else features_of_sequences
    features = compute(architecture, cell, named, sequences)
    return features @ named["output.W_hy"].T + named["output.b_y"]


def without_units(x: Value, scaling: Scaling) -> Value:
    high, further = standardizing(scaling, x.graph.dtype)
    x = x - high
    for ufunc, operand in further:
        x = x - operand if ufunc is np.subtract else x / operand
    return x


def features_of_sequences(architecture, cell: OnnxCell, named, sequences: SequenceValues) -> Value:
    """Return what the output layer reads, (batch, n_features), or of every timestep."""
    graph, is_valid = sequences.graph, sequences.is_valid()
    h = sequences.values.transpose(1, 0, 2)  # time first
    runs = None if is_valid is None else is_valid.transpose(1, 0, 2)
    for k in range(architecture.n_layers):
        directions = [within(named, f"layer_{k}.")]
        if architecture.bidirectional:
            directions.append(within(named, f"layer_{k}.{REVERSE}"))
        if graph.dtype == np.float32:
            h, last = run_operator(graph, cell, h, sequences.lengths, directions)
        else:
            h, last = run_scan(graph, cell, h, runs, directions)
    if architecture.return_sequences:
        return h.transpose(1, 0, 2)
    pools = {"last": lambda: last, "mean": lambda: mean(h, runs), "max": lambda: highest(h, runs)}
    return graph.concatenate([pools[name]() for name in architecture.pooling], axis=1)


def mean(h: Value, runs: Value | None) -> Value:
    """Σ_t h_t / T over valid timesteps; h (time, batch, width), runs (time, batch, 1)."""
    if runs is None:
        return h.reduce("Mean", 0)
    return runs.where(h, 0.0).reduce("Sum", 0) / runs.astype(h.graph.dtype).reduce("Sum", 0)


def highest(h: Value, runs: Value | None) -> Value:
    """max_t h_t over valid timesteps."""
    return (h if runs is None else runs.where(h, -np.inf)).reduce("Max", 0)


def features_of_step(architecture, cell: OnnxCell, named, sequences: SequenceValues) -> Value:
    """Return what the output layer reads after one more timestep, (batch, n_features).

    The states before it become inputs of the graph, and those after it outputs, by the names that
    `Stream.state` gives them.
    """
    graph, h, H = sequences.graph, sequences.values, architecture.hidden_size
    for k in range(architecture.n_layers):
        names = [f"layer_{k}.{state_name(i)}" for i in range(cell.cell.n_states)]
        states = [graph.input(name, graph.dtype, ["batch", H]) for name in names]
        layer = within(named, f"layer_{k}.")
        states = cell.step(cell.project(h, layer), states, layer)
        for name, state in zip(names, states, strict=True):
            graph.output(NEXT + name, state, graph.dtype, ["batch", H])
        h = states[0]
    if architecture.return_sequences:
        return h
    pools = {"last": lambda h, width: h, "mean": mean_of_step, "max": highest_of_step}
    return graph.concatenate([pools[name](h, H) for name in architecture.pooling], axis=1)


def mean_of_step(h: Value, width: int) -> Value:
    graph = h.graph
    total = graph.input("mean.total", np.float64, ["batch", width]) + h.astype(np.float64)
    n_steps = graph.input("mean.n_steps", np.int64, ["batch"]) + np.array(1)
    graph.output(NEXT + "mean.total", total, np.float64, ["batch", width])
    graph.output(NEXT + "mean.n_steps", n_steps, np.int64, ["batch"])
    return (total / n_steps.astype(np.float64).unsqueeze(1)).astype(graph.dtype)


def highest_of_step(h: Value, width: int) -> Value:
    graph = h.graph
    before = graph.input("max.highest", graph.dtype, ["batch", width])
    after = graph.add("Max", before, h)
    graph.output(NEXT + "max.highest", after, graph.dtype, ["batch", width])
    return after
