"""Long tables of both libraries, for the tests of sequences from tables."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

SHUFFLED = {
    "id": [7, 3, 7, 3, 7],
    "t": [2, 0, 1, 1, 0],
    "a": [1.0, 2.0, 3.0, 4.0, 5.0],
    "b": [True, False, True, False, True],
    "late": [0, 1, 0, 1, 0],
}

LIBRARIES = {"pandas": pd.DataFrame, "polars": pl.DataFrame}
both = pytest.mark.parametrize("frame", LIBRARIES.values(), ids=LIBRARIES)


def values(frame, name):
    return np.asarray(frame[name]).tolist()
