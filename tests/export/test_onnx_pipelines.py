"""Pipelines and regressors of converted targets in ONNX."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from sequences import padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.export import to_onnx
from sklearn_rnn.preprocessing import (
    InstanceNormalizedRegressor,
    PerTimestep,
    PerTimestepTarget,
    SequenceNormalizer,
)

pytest.importorskip("onnxruntime")

from onnx_runs import (
    SMALL,
    assert_close,
    expected_of,
    run,
    run_list,
    run_steps,
    session_of,
    start_of,
    states_of,
)

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def with_gaps(X):
    for x in X:
        x[::3, 1] = np.nan
    return X


NUMBERS = {
    "standard": StandardScaler(),
    "min max": MinMaxScaler(),
    "max abs": MaxAbsScaler(),
    "robust": RobustScaler(),
    "quantile": QuantileTransformer(n_quantiles=10),
    "pca": PCA(2),
    "passthrough": "passthrough",
    "function": FunctionTransformer(np.tanh),
    "pipeline": make_pipeline(StandardScaler(), "passthrough", FunctionTransformer(), PCA(2)),
    "columns": make_column_transformer(
        (StandardScaler(), [2]), (make_pipeline(SimpleImputer(), MinMaxScaler()), [0, 1])
    ),
}
IMPUTERS = {
    "mean": SimpleImputer(),
    "median, indicator": SimpleImputer(strategy="median", add_indicator=True),
    "most frequent": SimpleImputer(strategy="most_frequent"),
    "constant": SimpleImputer(strategy="constant", fill_value=-1.0),
    "of zeros": make_pipeline(SimpleImputer(), SimpleImputer(missing_values=0, strategy="mean")),
    "scaled": make_pipeline(SimpleImputer(), StandardScaler()),
}


@DTYPES
@pytest.mark.parametrize("transformer", NUMBERS.values(), ids=NUMBERS)
def test_transformers(transformer, dtype):
    X = [3 * x + 1 for x in ragged(9, dtype=dtype)]
    model = make_pipeline(PerTimestep(transformer), RNNRegressor(**SMALL))
    model.fit(X, np.arange(9.0))
    assert_close(run_list(session_of(model), X), expected_of(model, X), dtype)


@DTYPES
@pytest.mark.parametrize("transformer", IMPUTERS.values(), ids=IMPUTERS)
def test_imputers(transformer, dtype):
    X = with_gaps(ragged(9, dtype=dtype))
    model = make_pipeline(PerTimestep(transformer), RNNClassifier(**SMALL))
    model.fit(X, ["b", "a", "c"] * 3)
    assert_close(run_list(session_of(model), X), expected_of(model, X), dtype)


def test_imputer_drops_features_without_values():
    X = ragged(9)
    for x in X:
        x[:, 1] = np.nan
    model = make_pipeline(PerTimestep(SimpleImputer()), RNNRegressor(**SMALL))
    with pytest.warns(UserWarning, match="Skipping features without any observed values"):
        model.fit(X, np.arange(9.0))
    with pytest.warns(UserWarning, match="Skipping features without any observed values"):
        expected = expected_of(model, X)
    assert_close(run_list(session_of(model), X), expected, np.float64)


@DTYPES
@pytest.mark.parametrize("encoder", [OneHotEncoder(), OrdinalEncoder()], ids=["one-hot", "ordinal"])
@pytest.mark.parametrize("kind", ["numbers", "strings"])
@pytest.mark.parametrize("step", [False, True])
def test_encoders(encoder, kind, step, dtype):
    codes = np.arange(30).reshape(5, 3, 2) % 4
    X = codes.astype(dtype) if kind == "numbers" else np.array(list("abcd"), dtype=object)[codes]
    model = make_pipeline(PerTimestep(make_pipeline(encoder)), RNNClassifier(**SMALL))
    model.fit(X, [0, 1, 0, 1, 0])
    session = session_of(to_onnx(model, step=step, dtype=dtype))
    if step:
        start = start_of(session, 5)
        actual = run_steps(session, X, start)[-1]
    else:
        actual = run(session, X, np.full(5, 3))
    expected = expected_of(model, X)
    expected["probabilities"] = expected["probabilities"].astype(dtype)
    assert_close(actual, expected, "float32")


TARGETS = {
    "none": None,
    "min max": MinMaxScaler(),
    "max abs": MaxAbsScaler(),
    "robust": RobustScaler(),
    "without mean": StandardScaler(with_mean=False),
    "without scale": StandardScaler(with_std=False),
    "logarithm": FunctionTransformer(np.log1p, np.expm1),
    "pipeline": make_pipeline(FunctionTransformer(np.log, np.exp), "passthrough", StandardScaler()),
    "passthrough": "passthrough",
}
OF_TARGETS = {
    "one": {},
    "each": {"return_sequences": True},
    "quantiles": {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]},
    "one of a list": {"loss": "quantile", "quantile": [0.7]},
    "gaussian": {"loss": "gaussian"},
}


def targets_for(X, options, n_outputs):
    rng = np.random.default_rng(0)
    more = () if n_outputs is None else (n_outputs,)
    if options.get("return_sequences"):
        return [50 + 9 * rng.random((len(x), *more)) for x in X]
    return 50 + 9 * rng.random((len(X), *more))


@pytest.mark.parametrize("transformer", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("options", OF_TARGETS.values(), ids=OF_TARGETS)
def test_targets(transformer, options):
    X = ragged(9)
    for n_outputs in (None, 1, 2):
        y = targets_for(X, options, n_outputs)
        model = PerTimestepTarget(RNNRegressor(**options, **SMALL), transformer).fit(X, y)
        X_or_padded = padded(X) if "return_sequences" in options else X
        assert_close(
            run_list(session_of(model), X), {"variable": model.predict(X_or_padded)}, np.float64
        )


@pytest.mark.parametrize("options", [OF_TARGETS[name] for name in OF_TARGETS if name != "each"])
def test_several_timesteps_ahead(options):
    X = ragged(9)
    y = 50 + 9 * np.random.default_rng(0).random((9, 3, 2))
    network = RNNRegressor(**options, **SMALL)
    for model in (
        network,
        PerTimestepTarget(network),
        InstanceNormalizedRegressor(PerTimestepTarget(network), target=[0, 1]),
    ):
        model.fit(X, y)
        assert_close(run_list(session_of(model), X), expected_of(model, X), np.float64)
    session, begun = session_of(to_onnx(network.fit(X, y), step=True)), np.stack([X[0], X[0]])
    made = run_steps(session, begun, start_of(session, 2))[-1]
    assert_close(made, expected_of(network, begun), np.float64)


@DTYPES
@pytest.mark.parametrize("center", ["mean", "first", "last", None])
@pytest.mark.parametrize("scale", ["std", None])
@pytest.mark.parametrize("options", [OF_TARGETS["one"], OF_TARGETS["each"]], ids=["one", "each"])
def test_instance_normalized(center, scale, options, dtype):
    X = [1000 + 10 * x for x in ragged(9, dtype=dtype)]
    X[0][:, 1] = 7  # a constant
    X_or_padded = padded(X) if options else X
    for features, target, n_outputs in ((None, None, 3), ([2, 0], 2, None), ([1, 2], [1], 2)):
        y = targets_for(X, options, n_outputs)
        network = RNNRegressor(**options, **SMALL)
        model = InstanceNormalizedRegressor(
            network, center=center, scale=scale, features=features, target=target
        ).fit(X, y)
        expected = model.predict(X_or_padded)
        assert_close(run_list(session_of(model), X), {"variable": expected}, dtype)
        normalizer = SequenceNormalizer(center=center, scale=scale, features=features)
        pipeline = make_pipeline(normalizer, network).fit(X, y)
        expected = pipeline.predict(X_or_padded)
        assert_close(run_list(session_of(pipeline), X), {"variable": expected}, dtype)


def test_all_within_each_other():
    X = [10 + x for x in ragged(9)]
    y = [x[:, 0] for x in X]
    network = RNNRegressor(return_sequences=True, **SMALL)
    model = make_pipeline(
        make_pipeline(PerTimestep(StandardScaler()), "passthrough"),
        InstanceNormalizedRegressor(
            make_pipeline(PerTimestep(MinMaxScaler()), PerTimestepTarget(network)), target=0
        ),
    ).fit(X, y)
    assert_close(run_list(session_of(model), X), expected_of(model, padded(X)), np.float64)


def test_pipeline_of_a_table():
    X = np.random.default_rng(0).standard_normal((9, 5))
    for model in (
        make_pipeline(PerTimestep(StandardScaler()), RNNRegressor(**SMALL)),
        InstanceNormalizedRegressor(RNNRegressor(**SMALL), scale="std"),
        PerTimestepTarget(make_pipeline(PerTimestep(StandardScaler()), RNNRegressor(**SMALL))),
    ):
        model.fit(X, X[:, 0])
        assert_close(run(session_of(model), X), expected_of(model, X), np.float64)


@DTYPES
def test_steps_of_a_pipeline(dtype):
    X = np.random.default_rng(0).standard_normal((5, 6, 2)).astype(dtype)
    X[:, ::2, 1] = np.nan
    network = RNNRegressor(cell="lstm", pooling="mean", **SMALL)
    per_timestep = PerTimestep(make_pipeline(SimpleImputer(), StandardScaler()))
    model = make_pipeline(per_timestep, PerTimestepTarget(network)).fit(X, np.arange(5.0))
    states = states_of(model[-1].regressor_.stream(5))
    results = run_steps(session_of(to_onnx(model, step=True)), X, states)
    for t, actual in enumerate(results):
        assert_allclose(actual["variable"], model.predict(X[:, : t + 1]), rtol=1e-5)
