"""Streams through pipelines of PerTimestep transformers."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, PolynomialFeatures, StandardScaler

from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.preprocessing import Lags, PerTimestep
from sklearn_rnn.streaming import Stream, stream
from streamed import assert_equal, assert_same_state, fitted, sequences

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X_FIT = sequences(12, 6)
Y_FIT = X_FIT[:, -1, 0]


def network(**options):
    options = {"hidden_size": 4, "max_iter": 2, "tol": 1e9, "random_state": 0} | options
    return RNNRegressor(**options)


PIPELINES = {
    "scaler": lambda: make_pipeline(PerTimestep(StandardScaler()), network()),
    "two": lambda: make_pipeline(
        PerTimestep(MinMaxScaler()), "passthrough", PerTimestep(PolynomialFeatures()), network()
    ),
    "nested": lambda: make_pipeline(make_pipeline(PerTimestep(StandardScaler())), network()),
    "per timestep": lambda: make_pipeline(
        PerTimestep(StandardScaler()), network(return_sequences=True)
    ),
    "no transformer": lambda: make_pipeline(network()),
}


@pytest.mark.parametrize("name", PIPELINES)
@pytest.mark.parametrize("n_sequences", [1, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equals_the_pipeline(name, n_sequences, dtype):
    per_step = name == "per timestep"
    y = X_FIT[:, :, 0] if per_step else Y_FIT
    pipeline, X = PIPELINES[name]().fit(X_FIT.astype(dtype), y), sequences(n_sequences, 6, dtype)
    expected = pipeline.predict(X)
    made = stream(pipeline, n_sequences)
    assert isinstance(made, Stream)
    parts = [made.read(X[:, :2]), *(made.step(X[:, t]) for t in (2, 3)), made.read(X[:, 4:])]
    if per_step:
        shapes = [(n_sequences, -1)] * 4
        y = np.concatenate([part.reshape(s) for part, s in zip(parts, shapes, strict=True)], axis=1)
    else:
        y = parts[-1]
    assert_equal(y, expected)
    copied = pickle.loads(pickle.dumps(made))
    assert_equal(copied.step(X[:, 0]), made.step(X[:, 0]))


def test_what_the_transformer_takes():
    """NaN for an imputer, strings for an encoder; the network sees numbers."""
    rng = np.random.default_rng(0)
    X = X_FIT.copy()
    X[:, :, 1][rng.random(X.shape[:2]) < 0.3] = np.nan
    X[:, 0] = X_FIT[:, 0]
    pipeline = make_pipeline(PerTimestep(SimpleImputer()), network()).fit(X, Y_FIT)
    made = stream(pipeline, 12)
    made.read(X[:, :3])
    for t in range(3, 6):
        y = made.step(X[:, t])
    assert_equal(y, pipeline.predict(X))

    letters = rng.choice(["a", "b", "c"], (12, 6, 2)).astype(object)
    encoder = PerTimestep(OneHotEncoder(handle_unknown="ignore"))
    pipeline = make_pipeline(encoder, network()).fit(letters, Y_FIT)
    made = stream(pipeline)
    for t in range(6):
        y = made.step(letters[0, t])
    assert_equal(y, pipeline.predict(letters[:1]))


def test_data_frames():
    columns = ["a", "b", "c"]
    frames = [pd.DataFrame(x, columns=columns) for x in X_FIT]
    scaler = PerTimestep(StandardScaler()).set_output(transform="pandas")
    pipeline = make_pipeline(scaler, network()).fit(frames, Y_FIT)
    made = stream(pipeline)
    made.read(frames[0].iloc[:2])
    made.read([frames[0].iloc[2:4]])
    for t in (4, 5):
        y = made.step(frames[0].iloc[[t]])
    assert_equal(y, pipeline.predict(frames[:1]))


@pytest.mark.parametrize("as_frame", [False, True])
def test_2_d_input(as_frame):
    table = pd.DataFrame(X_FIT[:, :, 0]).add_prefix("t") if as_frame else X_FIT[:, :, 0]
    pipeline = make_pipeline(PerTimestep(StandardScaler()), network()).fit(table, Y_FIT)
    made, values = stream(pipeline, 12), np.asarray(table)
    made.read(table.iloc[:, :4] if as_frame else table[:, :4])
    made.step(values[:, 4])
    assert_equal(made.step(values[:, 5:]), pipeline.predict(table))


def test_a_stream_keeps_the_transformer_that_it_began_with():
    pipeline = make_pipeline(PerTimestep(StandardScaler()), network()).fit(X_FIT, Y_FIT)
    made, expected = stream(pipeline, 12), pipeline.predict(X_FIT)
    pipeline[0].transformer_.partial_fit(X_FIT[0] + 1e6)
    assert_equal(made.read(X_FIT), expected)


def test_probabilities():
    pipeline = make_pipeline(
        PerTimestep(StandardScaler()),
        RNNClassifier(hidden_size=4, max_iter=2, tol=1e9, random_state=0),
    ).fit(X_FIT, Y_FIT > 0)
    made = stream(pipeline, 12, "predict_proba")
    assert_equal(made.read(X_FIT), pipeline.predict_proba(X_FIT))


def test_an_estimator_alone():
    model, X = fitted(), sequences(2, 4)
    assert_equal(stream(model, 2).read(X), model.predict(X))


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_what_is_refused():
    with pytest.raises(TypeError, match="has Lags, which can't be streamed"):
        stream(make_pipeline(Lags([1]), network()).fit(X_FIT, Y_FIT))
    search = GridSearchCV(network(), {"cell": ["gru"]}, cv=2).fit(X_FIT, Y_FIT)
    with pytest.raises(TypeError, match=r"got GridSearchCV\. .*best_estimator_"):
        stream(search)
    assert_equal(stream(search.best_estimator_, 12).read(X_FIT), search.predict(X_FIT))
    with pytest.raises(TypeError, match="got PerTimestep"):
        stream(Pipeline([("scale", PerTimestep(StandardScaler()))]))
    with pytest.raises(TypeError, match="got Pipeline"):
        stream(Pipeline([]))
    with pytest.raises(ValueError, match="not fitted yet"):
        stream(make_pipeline(PerTimestep(StandardScaler()), network()))


def test_errors_of_steps():
    pipeline = make_pipeline(PerTimestep(StandardScaler()), network()).fit(X_FIT, Y_FIT)
    made = stream(pipeline, 2)
    made.read(X_FIT[:2, :2])
    before = made.state
    for x, message in [
        (np.zeros((2, 4)), "features"),
        (np.zeros((3, 3)), "x must have the shape"),
        (np.zeros((2, 2, 3)), "x must have the shape"),
        (np.full((2, 3), np.inf), "infinity"),
        (np.full((2, 3), np.nan), "x contains NaN"),
    ]:
        with pytest.raises(ValueError, match=message):
            made.step(x)
        assert_same_state(made.state, before)
