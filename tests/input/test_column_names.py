"""Column names of DataFrames in lists: what is fitted on a, b must not be given b, a."""

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from fits import ESTIMATORS
from refusals import refused
from sequences import object_array, ragged
from sklearn_rnn import RNNRegressor
from sklearn_rnn.metrics import flatten_sequences, make_sequence_scorer
from sklearn_rnn.preprocessing import (
    Differences,
    InstanceNormalizedRegressor,
    Lags,
    PatchedRegressor,
    Patches,
    PerSequence,
    PerTimestep,
    PerTimestepTarget,
    SequenceNormalizer,
    add_static,
    pad_sequences,
    sliding_windows,
    to_channels_first,
)
from versions import scikit_learn_since

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ARRAYS = ragged(n=8, n_features=2)
FRAMES = [pd.DataFrame(x, columns=["a", "b"]) for x in ARRAYS]
SWAPPED = [x[["b", "a"]] for x in FRAMES]
MIXED = [*FRAMES[:5], *SWAPPED[5:]]
RENAMED = [x.rename(columns={"b": "c"}) for x in FRAMES]
Y = [x[:, 0] - x[:, 1] for x in ARRAYS]
LABELS = [(y > 0).astype(int) for y in Y]

CONTAINERS = {"list": list, "tuple": tuple, "objects": object_array, "Series": pd.Series}


def polars_frames(frames):
    return list(map(pytest.importorskip("polars").from_pandas, frames))


since_polars_2_is_read = scikit_learn_since(9, "an eye for the column names of polars 2")


def small(kind="regressor", **parameters):
    return ESTIMATORS[kind](
        return_sequences=True, hidden_size=2, max_iter=2, random_state=0, **parameters
    )


@pytest.mark.parametrize(
    "contained",
    [*CONTAINERS.values(), pytest.param(polars_frames, marks=since_polars_2_is_read)],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("kind", ESTIMATORS)
class TestEstimators:
    def test_names_are_known_after_fit(self, kind, contained):
        model = small(kind).fit(contained(FRAMES), LABELS)
        assert model.feature_names_in_.tolist() == ["a", "b"]
        np.testing.assert_array_equal(
            np.concatenate(list(model.predict(contained(FRAMES)))),
            np.concatenate(small(kind).fit(ARRAYS, LABELS).predict(ARRAYS)),
        )
        assert not hasattr(model.fit(ARRAYS, LABELS), "feature_names_in_")

    @pytest.mark.parametrize("method", ["predict", "score", "partial_fit", "fit"])
    @pytest.mark.parametrize(
        ("others", "words"),
        [(SWAPPED, "same order"), (RENAMED, r"unseen at fit time:\n- c"), (MIXED, r"X\[5\] has")],
        ids=["swapped", "renamed", "mixed"],
    )
    def test_other_names_are_refused(self, kind, contained, method, others, words):
        model = small(kind, warm_start=True).fit(contained(FRAMES), LABELS)
        y = () if method == "predict" else (LABELS,)
        with pytest.raises(ValueError, match=words):
            getattr(model, method)(contained(others), *y)

    def test_mixed_orders_within_a_fit(self, kind, contained):
        words = [r"X\[5\] has the columns \['b', 'a'\], but X\[0\] has \['a', 'b'\]"]
        refused(small(kind), "fit", contained(MIXED), LABELS, words=words)

    def test_validation_data(self, kind, contained):
        for X_val in (contained(SWAPPED), contained(MIXED)):
            with pytest.raises(ValueError, match="X_val"):
                small(kind).fit(contained(FRAMES), LABELS, X_val=X_val, y_val=LABELS)


def test_the_example_of_the_issue():
    X = [pd.DataFrame(x, columns=["a", "b"]) for x in ragged(n=40, n_features=2, seed=1)]
    y = [x["a"].to_numpy() - 3 * x["b"].to_numpy() for x in X]
    model = RNNRegressor(
        return_sequences=True, hidden_size=8, learning_rate_init=0.03, tol=0.01, random_state=0
    ).fit(X, y)
    assert model.score(X, y) > 0.9
    with pytest.raises(ValueError, match="must be in the same order"):
        model.score([x[["b", "a"]] for x in X], y)


def test_arrays_after_frames_warn_as_in_scikit_learn():
    model = small().fit(FRAMES, Y)
    with pytest.warns(UserWarning, match="X does not have valid feature names, but RNNRegressor"):
        model.predict(ARRAYS)
    with pytest.warns(UserWarning, match="X has feature names, but RNNRegressor was fitted"):
        small().fit(ARRAYS, Y).predict(FRAMES)


def test_frames_among_arrays():
    """A frame's order can't be compared with an array's, but with another frame's it can."""
    model = small().fit([ARRAYS[0], *FRAMES[1:]], Y)
    assert not hasattr(model, "feature_names_in_")
    for model in (small(), PerTimestep(FunctionTransformer())):
        with pytest.raises(ValueError, match=r"X\[5\] has the columns .* but X\[1\] has"):
            model.fit([ARRAYS[0], *MIXED[1:]], Y)


AROUND = {
    "Patches": lambda: Patches(2),
    "Lags": Lags,
    "Differences": Differences,
    "SequenceNormalizer": SequenceNormalizer,
    "PerSequence": lambda: PerSequence(StandardScaler()),
    "PerTimestep": lambda: PerTimestep(StandardScaler()),
    "PerTimestepTarget": lambda: PerTimestepTarget(small()),
    "PatchedRegressor": lambda: PatchedRegressor(small(), size=2),
    "InstanceNormalizedRegressor": lambda: InstanceNormalizedRegressor(small(), target="a"),
}


@pytest.mark.parametrize("made", AROUND.values(), ids=AROUND)
def test_names_are_checked_around_the_estimators(made):
    with pytest.raises(ValueError, match=r"X\[5\] has the columns \['b', 'a'\]"):
        made().fit(MIXED, Y)
    fitted = made().fit(FRAMES, Y)
    assert fitted.feature_names_in_.tolist() == ["a", "b"]
    use = getattr(fitted, "transform", None) or fitted.predict
    use(FRAMES)
    for others, words in ((SWAPPED, "same order"), (RENAMED, "unseen at fit time"), (MIXED, "X.5")):
        with pytest.raises(ValueError, match=words):
            use(others)


# Everything else that takes a list of values per timestep.
READERS = {
    "pad_sequences": (pad_sequences, "sequences"),
    "to_channels_first": (to_channels_first, "X"),
    "sliding_windows": (lambda values: sliding_windows(values, 1, horizon=1), "series"),
    "add_static": (lambda values: add_static(values, np.ones((len(values), 1))), "X"),
    "y of fit": (lambda values: small().fit(ARRAYS, values), "y"),
    "y of score": (lambda values: small().fit(ARRAYS, FRAMES).score(ARRAYS, values), "y"),
    "y_val": (
        lambda values: small().fit(ARRAYS, FRAMES, X_val=ARRAYS, y_val=values),
        "y_val",
    ),
    "y of PerTimestepTarget": (
        lambda values: PerTimestepTarget(small()).fit(ARRAYS, values),
        "y",
    ),
    "y of PatchedRegressor": (
        lambda values: PatchedRegressor(small(), size=2).fit(ARRAYS, values),
        "y",
    ),
    "y of InstanceNormalizedRegressor": (
        lambda values: InstanceNormalizedRegressor(small()).fit(ARRAYS, values),
        "y",
    ),
    "y of a scorer": (
        lambda values: make_sequence_scorer("r2")(small().fit(ARRAYS, FRAMES), ARRAYS, values),
        "y",
    ),
    "y_true": (lambda values: flatten_sequences(values, FRAMES), "y_true"),
    "y_pred": (lambda values: flatten_sequences(FRAMES, values), "y_pred"),
}


@pytest.mark.parametrize(("read", "name"), READERS.values(), ids=READERS)
def test_mixed_orders_are_refused_by_every_reader(read, name):
    long = [i for i, x in enumerate(ARRAYS) if len(x) > 1]
    chosen = long if name == "series" else range(8)
    read([FRAMES[i] for i in chosen])
    with pytest.raises(ValueError, match=rf"{name}\[\d\] has the columns \['b', 'a'\]"):
        read([MIXED[i] for i in chosen])
