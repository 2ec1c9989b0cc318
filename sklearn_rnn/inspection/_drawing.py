"""What the displays share: matplotlib, axes, colours, and the choice of one sequence."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_rnn._input.content import STEPS
from sklearn_rnn._input.frames import is_frame
from sklearn_rnn._input.sequences import as_sequences

# Colours that people with any colour vision tell apart (Okabe, Ito 2002).
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, YELLOW, BLACK = "#56B4E9", "#CC79A7", "#F0E442", "#000000"
GREY = "#999999"

# First those that differ most, in brightness too. Green and purple are alike to those who see no
# green.
OF_CLASSES = (BLUE, ORANGE, GREEN, YELLOW, SKY, VERMILION, PURPLE)

# The ends of a scale from negative to positive. They are not so dark that a line on them is lost,
# and not equally dark, so that grey print tells them apart.
NEGATIVE, POSITIVE = "#5E3C99", "#E66101"

# Inches that a row of a picture needs for its name, and for a curve.
NAME_HEIGHT, CURVE_HEIGHT = 0.15, 0.45

# Up to so many timesteps each of them is marked.
MAX_MARKED = 30


def pyplot(caller: str):
    """Return matplotlib.pyplot, or say how to get it.

    caller : the display, for the error
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{caller} needs matplotlib: install it by pip install 'sklearn-rnn[plots]', or by "
            "pip install matplotlib."
        ) from error
    return plt


def one_axes(ax, caller: str, figsize: tuple[float, float] = (6.4, 3.2)):
    """Return the axes to draw on: those given, or those of a new figure."""
    plt = pyplot(caller)
    if ax is None:
        _, ax = plt.subplots(figsize=figsize, layout="constrained")
    return ax


def axes_grid(ax, caller: str, shape: tuple[int, int], figsize: tuple[float, float], **options):
    """Return an array of axes of this shape.

    ax : None for a new figure, axes to be replaced by the array, or an array of as many axes
    options : of the grid, such as heights
    """
    plt = pyplot(caller)
    if ax is None:
        figure = plt.figure(figsize=figsize, layout="constrained")
        return figure.subplots(*shape, squeeze=False, **options)
    if isinstance(ax, plt.Axes):
        place = ax.get_subplotspec()
        if place is None:
            raise ValueError(
                f"ax can't be divided into {shape[0]} x {shape[1]} axes, because it was not made "
                "by subplots: give an array of axes, or none."
            )
        ax.set_axis_off()
        sharing = {name: options.pop(name) for name in ("sharex", "sharey") if name in options}
        grid = place.subgridspec(*shape, **options.pop("gridspec_kw", {}), **options)
        return grid.subplots(squeeze=False, **sharing)
    axes = np.asarray(ax, dtype=object)
    if axes.size != shape[0] * shape[1]:
        raise ValueError(
            f"ax has {axes.size} axes, but {caller} draws on {shape[0]} x {shape[1]} of them."
        )
    return axes.reshape(shape)


def count_on(axis) -> None:
    """Let an axis have ticks at integers only."""
    from matplotlib.ticker import MaxNLocator

    steps = [1, 2, 5, 10]
    axis.set_major_locator(MaxNLocator(nbins="auto", steps=steps, integer=True, min_n_ticks=1))


def show_dates(axis) -> None:
    """Let an axis of dates have few and short ticks."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=6)
    axis.set_major_locator(locator)
    axis.set_major_formatter(ConciseDateFormatter(locator))


def signed_colors():
    """Return the colour map from negative over zero (white) to positive values."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signed", [NEGATIVE, "white", POSITIVE])


def rows_that_fit(ax, height: float, n_rows: int, most: int) -> int:
    """Return how many of some rows to draw, if `most` have room in a new figure.

    ax : None for a new figure, or the axes given, in which each row takes a height in inches
    """
    n_rows = min(n_rows, most)
    if ax is None or np.size(ax) > 1:
        return n_rows
    ax = np.ravel(ax)[0]
    inches = ax.get_window_extent().height / ax.figure.dpi
    return max(1, min(n_rows, int(inches / height)))


def marker_for(n: int) -> dict[str, Any]:
    """Return the options of a line through n points: a few are marked."""
    return {"marker": "o", "markersize": 3.5} if n <= MAX_MARKED else {}


def sample_of(X, sample: int):
    """Return X with only one of its sequences, in the same container, and its length."""
    sequences = as_sequences(X, STEPS)
    if isinstance(sample, bool) or not isinstance(sample, (int, np.integer)):
        raise TypeError(f"sample must be an integer, not {sample!r}.")
    if not 0 <= sample < len(sequences):
        raise ValueError(f"sample={sample}, but X has {len(sequences)} sequences.")
    rows = getattr(X, "iloc", X)
    return rows[sample : sample + 1], int(sequences.lengths[sample])


def first_of(one):
    """Return the only sequence of a container, or the only row of a table."""
    return one[0] if isinstance(one, (list, tuple)) else np.asarray(one)[0]


def values_of(x, length: int) -> np.ndarray:
    """Return one sequence of a container, or a row of it, as (length, n_features)."""
    return np.reshape(np.asarray(x)[:length], (length, -1))


def feature_names_for(X, n_features: int, given: Sequence | None) -> list[str]:
    """Return the names of the features: those given, those of DataFrames, or x0, x1 and so on."""
    if given is not None:
        if len(given) != n_features:
            raise ValueError(
                f"feature_names has {len(given)} names, but there are {n_features} features."
            )
        return [str(name) for name in given]
    if not is_frame(X) and len(X) and is_frame(X[0]) and len(X[0].columns) == n_features:
        return [str(name) for name in X[0].columns]
    return [f"x{k}" for k in range(n_features)]
