"""The recurrent cells in ONNX: as an operator for whole sequences, and as one timestep.

ONNX has operators for the three cells, and runtimes have fast kernels for them, but in float32 only
(ONNX Runtime up to 1.32 refuses float64). `step` computes one timestep of any precision: in a graph
that reads a live feed, and within Scan in float64.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np

from sklearn_rnn.core.cells import CELLS
from sklearn_rnn.export._graph import DOMAIN, Graph, Value

# ONNX's operators and, for those within RNN, their names and parameters α, β.
ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu", "logistic": "Sigmoid"}
IDENTITY = {"activations": "Affine", "activation_alpha": 1.0, "activation_beta": 0.0}  # α a + β


class OnnxCell(ABC):
    """A cell.

    operator : the operator for whole sequences
    gates : the order of its gates, by the names that they have here
    """

    operator: str
    gates: tuple[str, ...]

    def __init__(self, cell: str, hidden_size: int, activation: str):
        self.cell = CELLS[cell](hidden_size, activation)
        self.hidden_size = hidden_size
        self.activation = activation

    def attributes(self, n_directions: int) -> dict:
        """Return further attributes of the operator."""
        return {}

    def arrays(self, named: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Return W, R and B of the operator for one direction."""
        own = {name: self._in_order(named[name]) for name in ("W_xh", "W_hh", "b_h")}
        b_hh = np.zeros_like(own["b_h"])
        if "b_hn" in named:  # the last gate has a second bias, within the reset gate's product
            b_hh[-self.hidden_size :] = named["b_hn"]
        return [own["W_xh"], own["W_hh"], np.concatenate([own["b_h"], b_hh])]

    def _in_order(self, array: np.ndarray) -> np.ndarray:
        return np.concatenate([array[self.cell.rows(gate)] for gate in self.gates])

    def project(self, x: Value, named: Mapping[str, np.ndarray]) -> Value:
        """W_xh x_t + b_h, for any number of timesteps."""
        return x @ named["W_xh"].T + named["b_h"]

    @abstractmethod
    def step(
        self, x_part: Value, states: Sequence[Value], named: Mapping[str, np.ndarray]
    ) -> list[Value]:
        """Return the states after a timestep, h first; x_part is what `project` returned."""


class Elman(OnnxCell):
    operator = "RNN"
    gates = ("h",)

    def attributes(self, n_directions):
        if self.activation == "identity":
            each = IDENTITY
        else:
            each = {"activations": ACTIVATIONS[self.activation]}
        return {name: [value] * n_directions for name, value in each.items()}

    def step(self, x_part, states, named):
        a = x_part + states[0] @ named["W_hh"].T
        f = ACTIVATIONS.get(self.activation)
        return [a if f is None else a.graph.add(f, a)]


class LSTM(OnnxCell):
    operator = "LSTM"
    gates = ("i", "o", "f", "g")

    def step(self, x_part, states, named):
        graph, (h, c) = x_part.graph, states
        parts = (x_part + h @ named["W_hh"].T).split(4, self.hidden_size)
        a = dict(zip(self.cell.gates, parts, strict=True))
        i, o, f = (graph.add("Sigmoid", a[gate]) for gate in "iof")
        c = f * c + i * graph.add("Tanh", a["g"])
        return [o * graph.add("Tanh", c), c]


class GRU(OnnxCell):
    operator = "GRU"
    gates = ("z", "r", "n")

    def attributes(self, n_directions):
        return {"linear_before_reset": 1}

    def step(self, x_part, states, named):
        graph, (h,), H = x_part.graph, states, self.hidden_size
        x_z, x_r, x_n = x_part.split(3, H)
        h_z, h_r, h_n = (h @ named["W_hh"].T).split(3, H)
        z, r = graph.add("Sigmoid", x_z + h_z), graph.add("Sigmoid", x_r + h_r)
        n = graph.add("Tanh", x_n + r * (h_n + named["b_hn"]))
        return [n + z * (h - n)]


ONNX_CELLS: dict[str, type[OnnxCell]] = {"elman": Elman, "lstm": LSTM, "gru": GRU}


def run_operator(
    graph: Graph,
    cell: OnnxCell,
    x: Value,
    lengths: Value | None,
    directions: Sequence[Mapping[str, np.ndarray]],
) -> tuple[Value, Value]:
    """Run a layer by its operator; return h of all timesteps, and of the last one.

    x : (time, batch, n_inputs)
    lengths : (batch,), or None if all sequences are as long as x
    directions : the parameters of each direction
    returns : (time, batch, width), (batch, width)
    """
    n, H = len(directions), cell.hidden_size
    W, R, B = (np.stack(parts) for parts in zip(*map(cell.arrays, directions), strict=True))
    lengths = None if lengths is None else lengths.astype(np.int32)
    h, last = graph.add(
        cell.operator,
        x,
        W,
        R,
        B,
        lengths,
        n_outputs=2,
        hidden_size=H,
        direction="bidirectional" if n == 2 else "forward",
        **cell.attributes(n),
    )
    # From (time, directions, batch, H) and (directions, batch, H)
    return h.transpose(0, 2, 1, 3).reshape(0, 0, n * H), last.transpose(1, 0, 2).reshape(0, n * H)


def run_scan(
    graph: Graph,
    cell: OnnxCell,
    x: Value,
    is_valid: Value | None,
    directions: Sequence[Mapping[str, np.ndarray]],
) -> tuple[Value, Value]:
    """Run a layer timestep by timestep; else like `run_operator`.

    Where a sequence has ended, its states stay as they are. In reverse they are zero until it
    begins.

    is_valid : (time, batch, 1), or None if all sequences are as long as x
    """
    results = [
        _scan_direction(graph, cell, x, is_valid, named, reverse=bool(number))
        for number, named in enumerate(directions)
    ]
    h, last = zip(*results, strict=True)
    return graph.concatenate(h, axis=2), graph.concatenate(last, axis=1)


def _scan_direction(graph, cell, x, is_valid, named, *, reverse):
    H, dtype, n_states = cell.hidden_size, graph.dtype, cell.cell.n_states
    body = Graph(dtype, graph.opsets[DOMAIN], prefix="timestep.")
    before = [body.input(f"timestep.before_{k}", dtype, ["batch", H]) for k in range(n_states)]
    x_part = body.input("timestep.x", dtype, ["batch", None])
    after = cell.step(x_part, before, named)
    sequences = [cell.project(x, named)]
    if is_valid is not None:
        runs = body.input("timestep.runs", bool, ["batch", 1])
        after = [runs.where(new, old) for new, old in zip(after, before, strict=True)]
        sequences.append(is_valid)
    for k, state in enumerate(after):
        body.output(f"timestep.after_{k}", state, dtype, ["batch", H])
    body.output("timestep.h", after[0], dtype, ["batch", H])
    shape = graph.add("Concat", x.length(1), np.array([H]), axis=0)
    zeros = graph.add("Expand", 0.0, shape)
    *states, h = graph.scan(body, n_states, [zeros] * n_states + sequences, reverse=reverse)
    return h, states[0]
