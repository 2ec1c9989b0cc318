"""hidden_states, and transform: a network as a transformer."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import (
    check_global_output_transform_pandas,
    check_set_output_transform,
    check_set_output_transform_pandas,
    check_set_output_transform_polars,
    check_transformer_get_feature_names_out,
    check_transformer_get_feature_names_out_pandas,
)

from covering import cover
from fits import ESTIMATORS
from sequences import CONTAINERS, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.core.cells import CELLS
from sklearn_rnn.preprocessing import PerTimestep

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = ragged(8, seed=1)
QUICK = {"hidden_size": 4, "max_iter": 2, "tol": 1e9, "random_state": 0}
both = pytest.mark.parametrize("Estimator", ESTIMATORS.values(), ids=ESTIMATORS)


def fitted(Estimator=RNNRegressor, X=X, *, per_step=False, **options):
    y = [np.arange(len(x)) % 2 for x in X] if per_step else np.arange(len(X)) % 2
    return Estimator(return_sequences=per_step, **QUICK | options).fit(X, y)


NETWORKS = cover(
    {
        "cell": list(CELLS),
        "n_layers": [1, 2],
        "bidirectional": [False, True],
        "pooling": ["last", "max", ("last", "mean", "max")],
        "standardize": [False, True],
    }
)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("options", NETWORKS, ids=lambda o: "-".join(map(str, o.values())))
def test_the_output_layer_reads_these(options, container):
    model = fitted(**options)
    bidirectional, pooling = options["bidirectional"], options["pooling"]
    contained = CONTAINERS[container](X)
    features, h = model.transform(contained), model.hidden_states(contained)
    width = 4 * (1 + bidirectional)
    names = (pooling,) if isinstance(pooling, str) else pooling
    assert features.shape == (len(X), width * len(names))
    predicted = features @ model.weights_["output.W_hy"].T + model.weights_["output.b_y"]
    if options["standardize"]:
        predicted = predicted * model.y_scale_ + model.y_mean_
    assert_allclose(model.predict(contained), predicted[:, 0], atol=1e-12)
    for row, states, x in zip(features, h, X, strict=True):
        assert states.shape[1] == width
        assert np.isnan(states[len(x) :]).all()
        states = states[: len(x)]
        pools = {
            "last": np.concatenate([states[-1, :4], states[0, 4:]]),
            "mean": states.mean(axis=0),
            "max": states.max(axis=0),
        }
        assert_allclose(row, np.concatenate([pools[name] for name in names]), atol=1e-12)


@pytest.mark.parametrize("per_step", [False, True])
def test_features_come_before_the_head(per_step):
    """Quantiles and standard deviations are made of what reads the features."""
    of_quantiles = fitted(loss="quantile", quantile=[0.2, 0.5, 0.9], per_step=per_step)
    gaussian = fitted(loss="gaussian", per_step=per_step)
    for model in (of_quantiles, gaussian):
        features, h = model.transform(X), model.hidden_states(X)
        last = h if per_step else [states[-1:] for states in h]
        assert_array_equal(np.concatenate(last), np.concatenate(features) if per_step else features)
        W, b = model.weights_["output.W_hy"], model.weights_["output.b_y"]
        a = np.concatenate(last) @ W.T + b
        distances = np.logaddexp(0, a)
        if model is gaussian:
            mean, std = (np.hstack(part) for part in model.predict(X, return_std=True))
            assert_allclose(mean, a[:, 0] * model.y_scale_ + model.y_mean_, atol=1e-12)
            assert_allclose(std, (distances[:, 1] + 1e-3) * model.y_scale_, atol=1e-12)
        else:
            median = a[:, 1]
            q = np.stack([median - distances[:, 0], median, median + distances[:, 2]], axis=1)
            predicted = np.concatenate(model.predict(X)) if per_step else model.predict(X)
            assert_allclose(predicted, q * model.y_scale_ + model.y_mean_, atol=1e-12)


@both
@pytest.mark.parametrize("container", CONTAINERS)
def test_one_target_per_timestep(Estimator, container):
    model, contained = fitted(Estimator, per_step=True), CONTAINERS[container](X)
    features, h = model.transform(contained), model.hidden_states(contained)
    assert type(features) is type(h) is type(model.predict(contained))
    for one, other in zip(features, h, strict=True):
        assert_array_equal(one, other)
    assert not hasattr(model, "get_feature_names_out")
    assert not hasattr(model, "set_output")
    with sklearn.config_context(transform_output="pandas"):
        assert type(model.transform(contained)) is type(features)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layers(cell, dtype):
    sequences = [x.astype(dtype) for x in X]
    model = fitted(X=sequences, cell=cell, n_layers=3, standardize=False)
    for layer in range(3):
        h = model.hidden_states(sequences, layer)
        assert all(a.dtype == dtype and a.shape == (len(x), 4) for a, x in zip(h, X, strict=True))
        for a, b in zip(h, model.hidden_states(sequences, layer - 3), strict=True):
            assert_array_equal(a, b)
        assert np.abs(np.concatenate(h)).max() < 1
    assert not np.allclose(model.hidden_states(sequences, 0)[0], h[0])
    default = model.hidden_states(sequences)
    assert_array_equal(np.concatenate(default), np.concatenate(h))


def test_equations_by_hand():
    """The lower of two Elman layers, written out."""
    model = fitted(cell="elman", n_layers=2)
    w = model.weights_
    for x, h in zip(X, model.hidden_states(X, layer=0), strict=True):
        state = np.zeros(4)
        for x_t, h_t in zip((x - model.X_mean_) / model.X_scale_, h, strict=True):
            state = np.tanh(w["layer_0.W_xh"] @ x_t + w["layer_0.W_hh"] @ state + w["layer_0.b_h"])
            assert_allclose(h_t, state, atol=1e-12)


@pytest.mark.parametrize(
    ("layer", "error", "message"),
    [
        (2, ValueError, "layer=2, but there are 2 layers: give a number from -2 to 1"),
        (-3, ValueError, "layer=-3"),
        (0.0, TypeError, "layer must be an integer; got float"),
        (True, TypeError, "layer must be an integer; got bool"),
        (None, TypeError, "layer must be an integer; got NoneType"),
    ],
)
def test_bad_layers(layer, error, message):
    with pytest.raises(error, match=message):
        fitted(n_layers=2).hidden_states(X, layer)


@pytest.mark.parametrize("method", ["transform", "hidden_states"])
def test_bad_input(method):
    method = getattr(fitted(), method)
    with pytest.raises(ValueError, match="X has 2 features, but RNNRegressor is expecting 3"):
        method([x[:, :2] for x in X])
    with pytest.raises(ValueError, match="Input X contains NaN or infinity"):
        method([np.full((2, 3), np.inf)])


CHECKS = [
    check_set_output_transform,
    check_set_output_transform_pandas,
    check_set_output_transform_polars,
    check_global_output_transform_pandas,
    check_transformer_get_feature_names_out,
    check_transformer_get_feature_names_out_pandas,
]


@pytest.mark.filterwarnings("ignore:X (has|does not have).* feature names")  # they mix containers
@both
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_scikit_learn_s_checks_of_transformers(Estimator, check):
    """Those that check_estimator does not run; the others are in tests/scikit_learn."""
    check(Estimator.__name__, Estimator(**QUICK))


@both
@pytest.mark.parametrize("pooling", ["last", ("last", "mean")])
def test_names_and_frames(Estimator, pooling):
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(9, 5)), index=list("abcdefghi"))
    table.columns = [f"t{k}" for k in range(5)]
    model = Estimator(pooling=pooling, **QUICK).fit(table, np.arange(9) % 2)
    n = 4 if pooling == "last" else 8
    names = [f"{Estimator.__name__.lower()}{k}" for k in range(n)]
    assert_array_equal(model.get_feature_names_out(), np.array(names, dtype=object))
    array = model.transform(table)
    frame = model.set_output(transform="pandas").transform(table)
    assert list(frame.columns) == names
    assert list(frame.index) == list(table.index)
    assert_array_equal(frame, array)
    polars = model.set_output(transform="polars").transform(table)
    assert isinstance(polars, pl.DataFrame)


def test_feeds_a_forest():
    """As a step of a pipeline: what the network has learned helps a forest."""
    rng = np.random.default_rng(0)
    sequences = rng.normal(size=(120, 8, 2))
    y = (sequences[:, :, 0].sum(axis=1) > 0).astype(int)
    network = RNNClassifier(hidden_size=8, max_iter=30, learning_rate_init=0.02, random_state=0)
    pipeline = make_pipeline(network, RandomForestClassifier(50, random_state=0))
    pipeline.fit(sequences[:80], y[:80])
    assert pipeline.score(sequences[80:], y[80:]) > 0.8
    assert pipeline[:-1].get_feature_names_out().shape == (24,)


def test_feeds_another_network():
    per_step = RNNRegressor(return_sequences=True, **QUICK)
    pipeline = make_pipeline(per_step, RNNRegressor(return_sequences=True, **QUICK))
    pipeline.fit(X, [x[:, 0] for x in X])
    states = pipeline[0].transform(X)
    expected = pipeline[1].predict(states)
    for a, b in zip(pipeline.predict(X), expected, strict=True):
        assert_array_equal(a, b)


@both
def test_fit_transform(Estimator):
    model, y = Estimator(**QUICK), np.arange(8) % 2
    assert_array_equal(model.fit_transform(X, y), model.transform(X))
    weighted = Estimator(**QUICK).fit_transform(X, y, sample_weight=np.arange(1.0, 9))
    assert not np.allclose(weighted, model.transform(X))


@both
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision(Estimator, dtype):
    sequences = [x.astype(dtype) for x in X]
    assert fitted(Estimator, sequences).transform(sequences).dtype == dtype


def test_in_a_pipeline_of_timesteps():
    pipeline = make_pipeline(PerTimestep(StandardScaler()), RNNRegressor(**QUICK))
    pipeline.fit(X, np.arange(8.0))
    features = pipeline.transform(X)
    assert features.shape == (8, 4)
    assert_array_equal(features, pipeline[-1].transform(pipeline[0].transform(X)))


def test_states_too_large():
    model = fitted(cell="elman", activation="identity", standardize=False)
    for method in (model.transform, model.hidden_states):
        with pytest.raises(ValueError, match="overflow"):
            method(np.full((1, 2000, 3), 1.7e308))
