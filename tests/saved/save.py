"""Write the files of this version that later versions must load: run it once for each release.

    python tests/saved/save.py

It writes tests/saved/VERSION: each model as NAME.pkl and NAME.skops, and in expected.npz the input
and what the models make of it. Never write the files of a released version again.
"""

import pickle
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import skops.io
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import RNNClassifier, RNNRegressor, __version__
from sklearn_rnn.preprocessing import (
    Differences,
    InstanceNormalizedRegressor,
    Lags,
    PatchedRegressor,
    Patches,
    PerSequence,
    PerTimestep,
    PerTimestepTarget,
    SequenceLookup,
    SequenceNormalizer,
)

FOLDER = Path(__file__).parent / __version__
SMALL = {"hidden_size": 2, "max_iter": 2, "random_state": 0}

# Sequences of 6 and of 4 timesteps.
X = np.random.default_rng(0).standard_normal((8, 6, 2))
X[::2, 4:] = np.nan
Y = np.nansum(X[:, :, 0], axis=1)
LABELS = np.where(Y > 0, "up", "down")
PER_STEP = X[:, :, 0]
BIDIRECTIONAL = {"cell": "lstm", "n_layers": 2, "bidirectional": True}


def models():
    """Yield names, fitted models, and the methods that are asked for results."""
    regressor = RNNRegressor(**SMALL)
    yield "elman", regressor.fit(X, Y), ["predict", "transform"]
    yield "stream", regressor.stream(len(X)), ["read"]
    model = RNNClassifier(**SMALL, **BIDIRECTIONAL).fit(X, LABELS)
    yield "lstm_classifier", model, ["predict", "predict_proba", "hidden_states"]
    model = RNNRegressor(**SMALL, cell="gru", return_sequences=True).fit(X, PER_STEP)
    yield "gru_per_timestep", model, ["predict"]
    model = RNNClassifier(**SMALL, pooling=["mean", "max"], standardize=False)
    yield "labels", model.fit(X, np.stack([Y > 0, Y > 1], axis=1)), ["predict_proba"]
    model = RNNRegressor(**SMALL, loss="quantile", quantile=[0.1, 0.5, 0.9]).fit(X, Y)
    yield "quantiles", model, ["predict"]
    yield "gaussian", RNNRegressor(**SMALL, loss="gaussian").fit(X, Y), ["predict"]
    for solver in ("adam", "rmsprop", "sgd"):
        model = RNNRegressor(**SMALL, solver=solver).partial_fit(X, Y)
        yield f"goes_on_{solver}", model, ["predict"]

    model = make_pipeline(PerTimestep(StandardScaler()), Lags(1), Patches(2), RNNRegressor(**SMALL))
    yield "pipeline", model.fit(X, Y), ["predict"]
    model = make_pipeline(Differences(), SequenceNormalizer(), PerSequence(StandardScaler()))
    yield "transformers", model.fit(X), ["transform"]
    yield "scaled_target", PerTimestepTarget(RNNRegressor(**SMALL)).fit(X, Y), ["predict"]
    model = InstanceNormalizedRegressor(RNNRegressor(**SMALL), target=0).fit(X, Y)
    yield "instance_normalized", model, ["predict"]
    model = PatchedRegressor(RNNRegressor(**SMALL, return_sequences=True)).fit(X, PER_STEP)
    yield "patched", model, ["predict"]
    yield "lookup", make_pipeline(SequenceLookup(X), RNNRegressor(**SMALL)), ["predict"]


def main():
    FOLDER.mkdir()
    expected = {"X": X, "Y": Y}
    for name, model, methods in models():
        given = X
        if name == "lookup":
            given = expected["lookup.X"] = model[0].rows
            model.fit(given, Y)
        (FOLDER / f"{name}.pkl").write_bytes(pickle.dumps(model, protocol=4))
        skops.io.dump(model, FOLDER / f"{name}.skops", compression=zipfile.ZIP_DEFLATED)
        expected |= {f"{name}.{method}": getattr(model, method)(given) for method in methods}
    np.savez_compressed(FOLDER / "expected.npz", **expected)


if __name__ == "__main__":
    if ".dev" in __version__:
        sys.exit(f"{__version__} is no release: set the version in sklearn_rnn/_version.py first.")
    warnings.simplefilter("ignore", ConvergenceWarning)
    main()
