"""The architecture of a network: everything but the values of its parameters."""

from dataclasses import dataclass

import numpy as np

from sklearn_rnn.core.cells import CELLS
from sklearn_rnn.core.cells.base import Cell
from sklearn_rnn.core.heads import Head
from sklearn_rnn.core.parameters import Parameters, within

# The prefix of the reverse direction's parameters. It follows the prefix of the layer.
REVERSE = "reverse."


@dataclass(frozen=True)
class Architecture:
    """The kind of a network and its sizes; the shapes and names of the parameters follow.

    n_outputs : the number of raw outputs
    pooling : names of pools over time; with one output per timestep, ("last",)
    head : makes the raw outputs from the numbers of the output layer
    """

    cell: str
    activation: str
    n_inputs: int
    hidden_size: int
    n_layers: int
    n_outputs: int
    return_sequences: bool
    bidirectional: bool = False
    pooling: tuple[str, ...] = ("last",)
    head: Head = Head()  # noqa: RUF009 (it is immutable)

    def make_cell(self) -> Cell:
        return CELLS[self.cell](self.hidden_size, self.activation)

    @property
    def width(self) -> int:
        """The number of outputs of every recurrent layer."""
        return self.hidden_size * (2 if self.bidirectional else 1)

    @property
    def n_features(self) -> int:
        """The number of inputs of the output layer."""
        return self.width * len(self.pooling)

    @property
    def reads_every_step(self) -> bool:
        """Whether the output layer reads h of all timesteps, or only of the last one."""
        return self.return_sequences or self.pooling != ("last",)

    def widths(self) -> list[int]:
        """Return the number of inputs of each recurrent layer."""
        return [self.n_inputs] + [self.width] * (self.n_layers - 1)

    def parts(self) -> dict[str, int]:
        """Return the prefixes of parameters, layer by layer and direction by direction.

        Each comes with the number of inputs of its layer.
        """
        directions = ("", REVERSE) if self.bidirectional else ("",)
        return {
            f"layer_{k}.{direction}": width
            for k, width in enumerate(self.widths())
            for direction in directions
        }

    def zeros(self, dtype) -> Parameters:
        """Return parameters that are all zero."""
        cell = self.make_cell()
        shapes = {
            prefix + name: shape
            for prefix, width in self.parts().items()
            for name, shape in cell.shapes(width).items()
        }
        shapes["output.W"] = (self.n_outputs, self.n_features + 1)
        return Parameters.zeros(shapes, dtype)

    def named(self, parameters: Parameters) -> dict[str, np.ndarray]:
        """Return views of parameters, or of gradients, by the textbook's names."""
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
    """Select the parameters of one layer, by the names that the layer knows them by."""
    return within(parameters, f"layer_{k}.")
