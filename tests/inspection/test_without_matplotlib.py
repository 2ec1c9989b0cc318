"""Without matplotlib, everything but the pictures works, and these say what is missing."""

import subprocess
import sys

import pytest

from planted import Picker, planted
from sklearn_rnn import inspection

X, Y = planted(0, n=5)
DRAW = {
    "TrainingDisplay": lambda display: display.from_estimator(Picker()),
    "PermutationImportanceDisplay": lambda display: display.from_estimator(Picker(), X, Y),
    "AttributionDisplay": lambda display: display.from_estimator(Picker(), X),
    "TimestepLabelsDisplay": lambda display: display.from_estimator(Picker(), X),
    "ForecastDisplay": lambda display: display.from_estimator(Picker(), X),
    "HiddenStatesDisplay": lambda display: display.from_states([[1.0]]),
}


def test_every_display_is_here():
    assert {name for name in inspection.__all__ if name.endswith("Display")} == {*DRAW}


@pytest.mark.parametrize("name", DRAW)
def test_a_display_says_what_is_missing(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=rf"{name} needs matplotlib: .*sklearn-rnn\[plots\]"):
        DRAW[name](getattr(inspection, name))


def test_matplotlib_is_imported_only_to_draw():
    program = "import sys, sklearn_rnn.inspection; print('matplotlib' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.strip() == "False", run.stderr
