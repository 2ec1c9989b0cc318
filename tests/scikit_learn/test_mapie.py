"""Conformal prediction by MAPIE, as docs/intervals.md has it, against the page's own few lines."""

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_rnn import RNNRegressor

PAGE = Path(__file__).parents[2] / "docs" / "intervals.md"

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def blocks_of(text):
    """The code that is indented, which CI doesn't run as it runs the blocks of Python."""
    return "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))


def data(kind):
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, 9, size=900) if kind == "ragged" else np.full(900, 6)
    X = [rng.standard_normal((length, 2)) for length in lengths]
    y = np.array([x[-1, 0] + np.exp(0.5 * x[-1, 1]) * rng.standard_normal() for x in X])
    return (X if kind == "ragged" else np.array(X)), y


@pytest.mark.parametrize("kind", ["3-D", "ragged"])
def test_the_code_of_the_page(kind):
    pytest.importorskip("mapie")
    text = PAGE.read_text(encoding="utf-8").partition("## With MAPIE")[2]
    X, y = data(kind)
    model = RNNRegressor(
        loss="quantile", quantile=[0.1, 0.5, 0.9], hidden_size=8, tol=0.01, random_state=0
    )
    names = {"np": np, "RNNRegressor": RNNRegressor, "X": X, "y": y, "model": model}
    code, end = blocks_of(text), "# intervals of one width"
    assert code.count(end) == 1
    quantiles, one_width = code.split(end)
    exec(quantiles, names)
    low, median, high = names["fitted"].predict(names["numbers"]).T
    m = margin()(low[450:675], high[450:675], y[450:675])
    intervals = names["intervals"][:, :, 0]
    assert_allclose(intervals, np.column_stack([low - m, high + m])[675:], rtol=1e-12)
    assert_allclose(names["median"], median[675:], rtol=1e-12)
    covered = (intervals[:, 0] <= y[675:]) & (y[675:] <= intervals[:, 1])
    assert np.mean(covered) == pytest.approx(0.8, abs=0.06)

    exec("#" + one_width, names)
    low, high = names["intervals"][:, :, 0].T
    assert_allclose(high - low, (high - low)[0])
    assert np.mean((low <= y[675:]) & (y[675:] <= high)) == pytest.approx(0.8, abs=0.06)


def margin():
    """The page's function."""
    text = PAGE.read_text(encoding="utf-8")
    lines = re.search(r"^>>> (def margin.*\n(?:\.\.\. .*\n)+)", text, re.MULTILINE)[1]
    names = {"np": np}
    exec(lines.replace("... ", ""), names)
    return names["margin"]


def test_the_margin_of_the_page():
    """Of n errors, the one of rank (n + 1) 0.8 covers four fifths of what comes, at least."""
    rng = np.random.default_rng(0)
    low, high, y = np.zeros((99, 3)), np.ones((99, 3)), 2 * rng.standard_normal((99, 3))
    for output, m in enumerate(margin()(low, high, y)):
        inside = (-m <= y[:, output]) & (y[:, output] <= 1 + m)
        assert inside.sum() == 80
    assert margin()(np.zeros(2), np.ones(2), np.array([1.5, 3.0])) == 2.0
    coverages = []
    for _ in range(400):
        y = rng.standard_normal(40)
        m = margin()(np.zeros(20), np.zeros(20), y[:20])
        coverages.append(np.mean(np.abs(y[20:]) <= m))
    assert 0.8 < np.mean(coverages) < 0.83
