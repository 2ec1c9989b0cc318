"""Everything about a network but its numbers."""

from dataclasses import dataclass

import numpy as np

from sklearn_rnn.core.cells import CELLS
from sklearn_rnn.core.cells.base import Cell
from sklearn_rnn.core.parameters import Parameters, within

# What the names of the reverse direction's parameters begin with, within a layer.
REVERSE = "reverse."


@dataclass(frozen=True)
class Architecture:
    """Everything about a network but its parameters."""

    cell: str
    activation: str
    n_inputs: int
    hidden_size: int
    n_layers: int
    n_outputs: int
    return_sequences: bool
    bidirectional: bool = False

    def make_cell(self) -> Cell:
        return CELLS[self.cell](self.hidden_size, self.activation)

    @property
    def width(self) -> int:
        """The outputs of each recurrent layer."""
        return self.hidden_size * (2 if self.bidirectional else 1)

    def widths(self) -> list[int]:
        """The inputs of each layer."""
        return [self.n_inputs] + [self.width] * (self.n_layers - 1)

    def parts(self) -> dict[str, int]:
        """What the names of each layer's and direction's parameters begin with, and its inputs."""
        directions = ("", REVERSE) if self.bidirectional else ("",)
        return {
            f"layer_{k}.{direction}": width
            for k, width in enumerate(self.widths())
            for direction in directions
        }

    def zeros(self, dtype) -> Parameters:
        """Parameters of this architecture, all zero."""
        cell = self.make_cell()
        shapes = {
            prefix + name: shape
            for prefix, width in self.parts().items()
            for name, shape in cell.shapes(width).items()
        }
        shapes["output.W"] = (self.n_outputs, self.width + 1)
        return Parameters.zeros(shapes, dtype)

    def named(self, parameters: Parameters) -> dict[str, np.ndarray]:
        """Parameters (or gradients) under the textbook's names, as views."""
        cell = self.make_cell()
        named = {
            prefix + name: array
            for prefix in self.parts()
            for name, array in cell.named(within(parameters, prefix)).items()
        }
        named["output.W_hy"] = parameters["output.W"][:, :-1]
        named["output.b_y"] = parameters["output.W"][:, -1]
        return named


def of_layer(parameters: Parameters, k: int) -> dict[str, np.ndarray]:
    """The parameters of one layer under the names that it gave them."""
    return within(parameters, f"layer_{k}.")
