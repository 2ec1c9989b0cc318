"""A network that reads sequences timestep by timestep, and gives its outputs after each.

The cells compute a timestep here by the same methods as in `recurrent`, on spans of one timestep.
A timestep of a small network takes a few microseconds, no more than some ten operations on small
arrays. So what can be done before the first timestep is done then: memory is laid out, views are
made, and units go into the weights.

**Two sides.** A layer has two blocks. A step reads h from the first block and writes h into the
second. The next step does it the other way round, on the same memory in reversed order. So no h is
copied, and h before a step is still there after it: a step can be taken back.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np
from numpy import subtract

from sklearn_rnn.core.cells.base import Cell, by_step
from sklearn_rnn.core.network import Network
from sklearn_rnn.core.pooling import POOLS, Pool
from sklearn_rnn.core.recurrent import RecurrentLayer
from sklearn_rnn.core.scaling import Scaling, Standardizer, Units

# The means of features may go into a bias up to so many standard deviations: it costs two bits.
FEW_SCALES = 4


class LayerSide(NamedTuple):
    """How a layer takes every second step."""

    x: np.ndarray  # (n_inputs, n_sequences), in the block
    below: np.ndarray | None  # h_t of the layer below, which becomes x; None for the lowest layer
    kept: list[tuple[np.ndarray, np.ndarray]]  # (copy, state) of the states outside the block
    begin: Callable | None  # the cell's methods; None for a `begin` that does nothing
    forward: Callable
    weights: Any  # the cell's working copy
    span: Any  # the cell's views of the timestep, as `begin` takes them
    step: Any  # the same as `forward` takes them


class Side(NamedTuple):
    """Where a network reads and writes in every second step."""

    x: np.ndarray  # in the block of the lowest layer, in the shape of x of a step
    layers: list[LayerSide]
    pools: list[tuple[Pool, Pool, np.ndarray]]  # (before, after, their rows of the features)
    h: np.ndarray  # h_t of the top layer, which the pools read
    features: np.ndarray  # (n_features + 1, n_sequences), [features; 1]
    a: np.ndarray  # (n_outputs, n_sequences), which the output layer makes and the head reads
    a_T: np.ndarray
    checked: np.ndarray  # the numbers of x and a
    arrays: list[np.ndarray]  # the states and pools before the step, as in `Carry.arrays`


class Stepper:
    """Some sequences, which a network reads at the same pace.

    network : not bidirectional. Its parameters and units must not change. Several steppers may
        have the same, also in different threads.
    """

    def __init__(self, network: Network, n_sequences: int):
        self._W = network.parameters["output.W"]
        self._mean, self._standardize = None, []
        if network.units.inputs is not None:
            self._mean, self._standardize = standardizing(network.units.inputs, network.dtype)
        self._head, self._targets = network.architecture.head, network.units.targets
        self._are_outputs = self._head.is_identity and self._targets is None  # the numbers a
        self._side, self._next = make_sides(network, n_sequences)
        self._zeros = np.zeros_like(self._side.checked)
        for mine, first in zip(self.arrays, network.start(n_sequences).arrays, strict=True):
            mine[...] = first

    @property
    def arrays(self) -> list[np.ndarray]:
        """The present states and pools, which may be overwritten, as in `Carry.arrays`."""
        return self._side.arrays

    def step(self, x: np.ndarray) -> np.ndarray:
        """Return the raw outputs after one more timestep, (n_sequences, n_outputs), in units.

        x : (n_sequences, n_inputs), but (n_inputs,) for one sequence
        Raises FloatingPointError if x or the outputs are not finite. NumPy's own floating-point
        errors should be ignored. A step that raises an error doesn't count.
        """
        place, layers, pools, h, features, a, a_T, checked, _ = self._side
        try:
            if self._mean is None:
                place[...] = x
            else:
                subtract(x, self._mean, place)
                for ufunc, operand in self._standardize:
                    ufunc(place, operand, place)
            for x_of_layer, below, kept, begin, forward, weights, span, step in layers:
                if below is not None:
                    x_of_layer[...] = below
                for copy, state in kept:
                    copy[...] = state
                if begin is not None:
                    begin(weights, span)
                forward(weights, step)
            for before, after, rows in pools:
                before.step(h, after)
                rows[...] = after.values
            self._W.dot(features, a)  # a = W_hy h + b_y
            if checked.dot(self._zeros) != 0.0:  # NaN: a number is not finite
                raise FloatingPointError("x or the outputs have NaN or infinity.")
            outputs = a_T.copy() if self._are_outputs else self._outputs(a)
        except BaseException:
            self._restore()
            raise
        self._side, self._next = self._next, self._side
        return outputs

    def undo(self) -> None:
        """Take back the last step."""
        self._side, self._next = self._next, self._side
        self._restore()

    def _restore(self) -> None:
        """Give back their values to states that a step has overwritten."""
        for layer in self._side.layers:
            for copy, state in layer.kept:
                state[...] = copy

    def _outputs(self, a: np.ndarray) -> np.ndarray:
        """Return what the head and the units make of a."""
        outputs = self._head.forward(a).T
        if self._targets is not None:
            outputs = self._head.in_units(outputs, self._targets).astype(a.dtype)
        if not np.isfinite(outputs).all():
            raise FloatingPointError("The outputs have NaN or infinity.")
        return outputs


class LayerMemory:
    """The memory of a layer for one timestep: two blocks, and what its cell works in.

    n_further : how many rows the blocks have behind x, for other uses
    """

    def __init__(self, layer: RecurrentLayer, n_sequences: int, n_further: int):
        cell = self.cell = layer.cell
        H, dtype = cell.hidden_size, layer.dtype
        self.rows = H + 1 + layer.n_inputs
        self.blocks = np.zeros((2, self.rows + n_further, n_sequences), dtype)
        self.blocks[:, H] = 1
        self.memory = np.zeros((2, cell.n_memory * H, n_sequences), dtype)
        self.scratch = np.zeros((1, cell.n_scratch * H, n_sequences), dtype)
        self.weights = layer.weights

    def side(
        self, number: int, below: np.ndarray | None
    ) -> tuple[LayerSide, tuple[np.ndarray, ...]]:
        """Return side 0 or 1, and the states before its steps."""
        cell, H, order = self.cell, self.cell.hidden_size, -1 if number else 1
        blocks = self.blocks[::order, : self.rows]
        span = cell.views(blocks, blocks[:, :H], self.memory[::order], self.scratch)
        states = cell.first_states(span)
        (step,) = by_step(span)
        begin = None if type(cell).begin is Cell.begin else cell.begin
        side = LayerSide(
            x=blocks[0, H + 1 :],
            below=below,
            kept=[(np.empty_like(state), state) for state in states[1:]],
            begin=cell.begin_step or begin,
            forward=cell.forward,
            weights=self.weights,
            span=step if cell.begin_step else span,
            step=step,
        )
        return side, states


def make_sides(network: Network, n_sequences: int) -> list[Side]:
    """Lay out the memory of a stepper, and view it from both sides."""
    architecture, dtype = network.architecture, network.dtype
    H, n_outputs = architecture.hidden_size, architecture.n_outputs
    memories = [  # behind x is a: so one product checks both
        LayerMemory(layer, n_sequences, n_outputs if k == 0 else 0)
        for k, layer in enumerate(network.layers)
    ]
    has_pools = not architecture.return_sequences and architecture.pooling != ("last",)
    names = architecture.pooling if has_pools else ()
    pools = [[POOLS[name].start(H, n_sequences, dtype) for name in names] for _ in range(2)]
    pooled = np.ones((len(names) * H + 1, n_sequences), dtype)
    rows = pooled[:-1].reshape(len(names), H, n_sequences)
    sides = []
    for number, (before, after) in enumerate([pools, pools[::-1]]):
        layers: list[LayerSide] = []
        arrays: list[np.ndarray] = []
        for memory in memories:
            layer, states = memory.side(number, layers[-1].step.h if layers else None)
            layers.append(layer)
            arrays.extend(states)
        arrays.extend(array for pool in before for array in pool.arrays.values())
        x_and_a = memories[0].blocks[number, H + 1 :]
        side = Side(
            x=x_and_a[:-n_outputs, 0] if n_sequences == 1 else x_and_a[:-n_outputs].T,
            layers=layers,
            pools=list(zip(before, after, rows, strict=True)),
            h=layers[-1].step.h,
            features=pooled if has_pools else memories[-1].blocks[1 - number, : H + 1],
            a=x_and_a[-n_outputs:],
            a_T=x_and_a[-n_outputs:].T,
            checked=x_and_a.reshape(-1),
            arrays=arrays,
        )
        sides.append(side)
    return sides


def standardizing(scaling: Scaling, dtype) -> tuple[np.ndarray, list[tuple[np.ufunc, np.ndarray]]]:
    """Return the mean to subtract from x, and the operations that `Standardizer` does after it.

    Those that would change nothing are left out.
    """
    standardizer, features = Standardizer(scaling, dtype), slice(len(scaling.mean))
    high, low, scale = (
        part[features] for part in (standardizer.high, standardizer.low, standardizer.scale)
    )
    further = [(np.subtract, low)] if low.any() else []
    return high, further + ([(np.divide, scale)] if (scale != 1).any() else [])


def with_units_in_weights(network: Network) -> Network:
    """Return a network with the same outputs that has less to compute: its weights have the units.

    W_xh (x - mean) / scale + b_h = (W_xh / scale) x + b_h - (W_xh / scale) mean. But a mean of many
    scales would cost digits of x there. Of such a mean only the part below the network's precision
    goes into the bias. The outputs are scale a + mean, unless a head comes in between: then the
    units of the targets stay outside. So do scales that would take weights near the limits of the
    precision.
    """
    parameters = deepcopy(network.parameters)
    named = network.architecture.named(parameters)
    limit = np.sqrt(np.finfo(network.dtype).max)
    inputs, targets = network.units
    if inputs is not None:
        W_xh, b_h = named["layer_0.W_xh"], named["layer_0.b_h"]
        moderate = (inputs.scale > 1 / limit) & (inputs.scale < limit)
        W_xh /= np.where(moderate, inputs.scale, 1)
        far = np.abs(inputs.mean) > FEW_SCALES * inputs.scale
        low = inputs.mean - np.where(far, inputs.mean.astype(network.dtype), 0)
        low[~moderate] = 0
        b_h -= W_xh @ low
        inputs = Scaling(inputs.mean - low, np.where(moderate, 1, inputs.scale))
        if not inputs.mean.any() and (inputs.scale == 1).all():
            inputs = None
    is_identity = network.architecture.head.is_identity
    if targets is not None and is_identity and (np.abs([*targets]) < limit).all():
        W_hy, b_y = named["output.W_hy"], named["output.b_y"]
        W_hy *= targets.scale[:, np.newaxis]
        b_y[...] = targets.undo(b_y)
        targets = None
    return Network(network.architecture, parameters, Units(inputs, targets))
