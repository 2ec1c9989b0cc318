"""A picture of a network's hidden states while it reads a sequence."""

import numpy as np

from sklearn_rnn._input.errors import describe
from sklearn_rnn._input.hyperparameters import check_choice
from sklearn_rnn.inspection._drawing import count_on, one_axes, signed_colors

ORDERS = ("number", "peak")


class HiddenStatesDisplay:
    """Draws hidden states as a map: timesteps from left to right, units from top to bottom.

    Make one by `from_states`.

    Parameters
    ----------
    states : ndarray of shape (n_timesteps, n_units)
        The hidden states of one sequence.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure of the axes.
    order_ : ndarray of shape (n_units,)
        The numbers of the units, from top to bottom.

    Examples
    --------
    >>> from sklearn_rnn.inspection import HiddenStatesDisplay
    >>> states = [[0.1, 0.9], [0.8, -0.2], [0.3, 0.1]]  # 3 timesteps of 2 units
    >>> HiddenStatesDisplay.from_states(states, order="peak").order_
    array([1, 0])
    """

    def __init__(self, *, states):
        self.states = states

    @classmethod
    def from_states(cls, states, *, order="number", ax=None):
        """Draw the hidden states of one sequence.

        Parameters
        ----------
        states : array-like of shape (n_timesteps, n_units)
            The hidden states.
        order : {"number", "peak"}, default="number"
            The order of the units: that of the network, or by the timestep at which they are
            farthest from zero.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        display : HiddenStatesDisplay
            The display.

        Raises
        ------
        ValueError, TypeError
            If an argument can't be used.
        ImportError
            If matplotlib is missing.
        """
        values = np.asarray(states, dtype=float)
        if values.ndim != 2 or 0 in values.shape or not np.isfinite(values).all():
            raise ValueError(
                "states must be finite numbers (n_timesteps, n_units), of one sequence; got "
                f"{describe(values)}."
            )
        return cls(states=values).plot(ax, order=order)

    def plot(self, ax=None, *, order="number"):
        """Draw the hidden states.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        order : {"number", "peak"}, default="number"
            As in `from_states`.

        Returns
        -------
        self : HiddenStatesDisplay
            The display.

        Raises
        ------
        ValueError, TypeError
            If `order` can't be used.
        ImportError
            If matplotlib is missing.
        """
        check_choice("order", order, ORDERS)
        n_timesteps, n_units = self.states.shape
        self.order_ = np.arange(n_units)
        if order == "peak":
            self.order_ = np.argsort(np.abs(self.states).argmax(axis=0), kind="stable")
        ax = self.ax_ = one_axes(ax, type(self).__name__)
        self.figure_ = ax.figure
        limit = max(np.abs(self.states).max(), np.finfo(np.float64).tiny)
        image = ax.pcolormesh(
            np.arange(n_timesteps + 1) - 0.5,
            np.arange(n_units + 1) - 0.5,
            self.states[:, self.order_].T,
            cmap=signed_colors(),
            vmin=-limit,
            vmax=limit,
        )
        ax.invert_yaxis()
        ax.set_xlabel("Timestep")
        ax.set_ylabel("Unit" if order == "number" else "Unit, by its peak")
        count_on(ax.xaxis)
        count_on(ax.yaxis)
        if order == "peak":
            ax.set_yticks([])  # the numbers would be those of places, not of units
        ax.figure.colorbar(image, ax=ax, label="Hidden state")
        return self
