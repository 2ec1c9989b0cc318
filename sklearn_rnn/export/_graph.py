"""An ONNX graph that is being built, so that the code which builds it reads like equations."""

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import NamedTuple

import numpy as np

from sklearn_rnn._version import __version__

DOMAIN = ""  # of ONNX's own operators

# The oldest version of ONNX's operators that has all those used here, as they are used: since then
# all reductions take their axes as an input.
MIN_OPSET = 18


def imported(module: str):
    """Import a module of the extra `onnx`, or say how to get it."""
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ImportError(
            f"sklearn_rnn.export needs {package}: install it by pip install 'sklearn-rnn[onnx]', "
            f"or by pip install {package}."
        ) from error


class Value:
    """A tensor of a graph: its name, and NumPy's operators."""

    def __init__(self, graph: "Graph", name: str):
        self.graph = graph
        self.name = name

    def __add__(self, other):
        return self.graph.add("Add", self, other)

    def __sub__(self, other):
        return self.graph.add("Sub", self, other)

    def __mul__(self, other):
        return self.graph.add("Mul", self, other)

    def __truediv__(self, other):
        return self.graph.add("Div", self, other)

    def __matmul__(self, other):
        return self.graph.add("MatMul", self, other)

    def __lt__(self, other):
        return self.graph.add("Less", self, other)

    def __gt__(self, other):
        return self.graph.add("Greater", self, other)

    def __neg__(self):
        return self.graph.add("Neg", self)

    def split(self, n_parts: int, size: int) -> list["Value"]:
        """Split the last axis into parts of equal size."""
        if n_parts == 1:
            return [self]
        sizes = np.full(n_parts, size)
        return self.graph.add("Split", self, sizes, n_outputs=n_parts, axis=-1)

    def squeeze(self, axis: int) -> "Value":
        return self.graph.add("Squeeze", self, np.array([axis]))

    def unsqueeze(self, axis: int) -> "Value":
        return self.graph.add("Unsqueeze", self, np.array([axis]))

    def transpose(self, *axes: int) -> "Value":
        return self.graph.add("Transpose", self, perm=axes)

    def reshape(self, *shape: int) -> "Value":
        """Give another shape; 0 keeps the length of an axis, and -1 is what is left."""
        return self.graph.add("Reshape", self, np.array(shape))

    def reduce(self, how: str, axis: int, *, keepdims: bool = False) -> "Value":
        """Reduce an axis by "Sum", "Mean" or "Max"."""
        return self.graph.add(f"Reduce{how}", self, np.array([axis]), keepdims=int(keepdims))

    def where(self, chosen, other) -> "Value":
        """Take from `chosen` where this is true, and from `other` elsewhere."""
        return self.graph.add("Where", self, chosen, other)

    def astype(self, dtype) -> "Value":
        return self.graph.add("Cast", self, to=element_type(dtype))

    def length(self, axis: int) -> "Value":
        """Return the length of an axis as an array of one integer."""
        return self.graph.add("Shape", self, start=axis, end=axis + 1)


class Graph:
    """Inputs, nodes, constants and outputs.

    dtype : of Python's floats, and what sequences are computed in
    opset : the version of ONNX's operators
    prefix : what all names begin with but those of inputs and outputs
    """

    def __init__(self, dtype, opset: int, prefix: str = ""):
        self.onnx = imported("onnx")
        self.dtype = np.dtype(dtype)
        self.opsets = {DOMAIN: opset}
        self.prefix = prefix
        self.nodes: list = []
        self.initializers: list = []
        self.inputs: list = []
        self.outputs: list = []
        self.functions: list = []
        self._n_names = 0

    def input(self, name: str, dtype, shape: Sequence) -> Value:
        """Declare an input; the shape has numbers, and names of lengths that are free."""
        self.inputs.append(self._described(name, dtype, shape))
        return Value(self, name)

    def output(self, name: str, value: Value, dtype, shape: Sequence) -> None:
        self.nodes.append(same(value.name, name))
        self.outputs.append(self._described(name, dtype, shape))

    def add(self, operator: str, *inputs, n_outputs: int = 1, **attributes):
        """Add a node, and return its output, or a list of several.

        inputs : values, arrays and numbers; None for one that is left out
        """
        names = [self._name_of(value) for value in inputs]
        while not names[-1]:  # what is left out at the end isn't named
            names.pop()
        outputs = [self._new_name(operator) for _ in range(n_outputs)]
        node = self.onnx.helper.make_node(operator, names, outputs, outputs[0], **attributes)
        self.nodes.append(node)
        values = [Value(self, name) for name in outputs]
        return values[0] if n_outputs == 1 else values

    def concatenate(self, values: Sequence[Value], axis: int) -> Value:
        return values[0] if len(values) == 1 else self.add("Concat", *values, axis=axis)

    def scan(self, body: "Graph", n_states: int, inputs: Iterable[Value], *, reverse: bool):
        """Run a graph for every timestep; return its last states, and what it collects of each.

        body : its inputs are states and then a timestep of each sequence; its outputs are the
            states and then what to collect. It knows no value of this graph.
        """
        inputs = list(inputs)
        n_sequences, n_collected = len(inputs) - n_states, len(body.outputs) - n_states
        return self.add(
            "Scan",
            *inputs,
            n_outputs=len(body.outputs),
            body=body.graph_proto(),
            num_scan_inputs=n_sequences,
            scan_input_directions=[int(reverse)] * n_sequences,
            scan_output_directions=[int(reverse)] * n_collected,
        )

    def inline(self, model, value: Value) -> Value:
        """Add a model that has one input; return its first output."""
        part = Part.of(model, self._new_name("step") + "/")
        self.nodes += [same(value.name, part.inputs[0]), *part.nodes]
        self.initializers += part.initializers
        self.functions += part.functions
        self.opsets |= {domain: version for domain, version in part.opsets.items() if domain}
        return Value(self, part.outputs[0])

    def graph_proto(self):
        return self.onnx.helper.make_graph(
            self.nodes, self.prefix + "graph", self.inputs, self.outputs, self.initializers
        )

    def model(self):
        """Return the graph as a model, which names the package as its producer."""
        helper = self.onnx.helper
        opsets = [helper.make_opsetid(domain, version) for domain, version in self.opsets.items()]
        return helper.make_model(
            self.graph_proto(),
            opset_imports=opsets,
            ir_version=helper.find_min_ir_version_for(opsets),
            producer_name="sklearn_rnn",
            producer_version=__version__,
            functions=self.functions,
        )

    def _described(self, name: str, dtype, shape: Sequence):
        return self.onnx.helper.make_tensor_value_info(name, element_type(dtype), shape)

    def _new_name(self, of: str) -> str:
        self._n_names += 1
        return f"{self.prefix}{of}_{self._n_names}"

    def _name_of(self, value) -> str:
        if value is None:
            return ""
        if isinstance(value, Value):
            return value.name
        array = np.asarray(value, self.dtype if isinstance(value, float) else None)
        name = self._new_name("constant")
        self.initializers.append(tensor(array, name))
        return name


class Part(NamedTuple):
    """What a model adds to another graph: its parts, and the names by which to join them."""

    inputs: list[str]
    outputs: list[str]
    nodes: list
    initializers: list
    functions: list
    opsets: dict[str, int]

    @classmethod
    def of(cls, model, prefix: str) -> "Part":
        """Take a model apart, after all names in it got a prefix."""
        model = imported("onnx.compose").add_prefix(model, prefix)
        graph = model.graph
        return cls(
            inputs=[value.name for value in graph.input],
            outputs=[value.name for value in graph.output],
            nodes=list(graph.node),
            initializers=list(graph.initializer),
            functions=list(model.functions),
            opsets={opset.domain: opset.version for opset in model.opset_import},
        )


def same(name: str, other: str):
    """Return a node that gives a value another name."""
    return imported("onnx").helper.make_node("Identity", [name], [other], f"{other}_is_{name}")


def element_type(dtype) -> int:
    """Return ONNX's number of a dtype; all strings are of one type."""
    onnx, dtype = imported("onnx"), np.dtype(dtype)
    if dtype.kind in "UO":
        return onnx.TensorProto.STRING
    return onnx.helper.np_dtype_to_tensor_dtype(dtype)


def tensor(array: np.ndarray, name: str):
    if array.dtype.kind in "UO":
        array = array.astype(object)
    return imported("onnx.numpy_helper").from_array(np.ascontiguousarray(array), name)
