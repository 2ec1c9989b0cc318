"""skl2onnx converts pipelines with this package's estimators, once converters are registered."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, RobustScaler, StandardScaler

from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.export import register_converters
from sklearn_rnn.preprocessing import (
    InstanceNormalizedRegressor,
    PerTimestep,
    PerTimestepTarget,
    SequenceNormalizer,
)

pytest.importorskip("onnxruntime")

from onnx_runs import SMALL, assert_close, expected_of, run, session_of, with_random_parameters

skl2onnx = pytest.importorskip("skl2onnx")
types = pytest.importorskip("skl2onnx.common.data_types")


DTYPES = {np.float32: types.FloatTensorType, np.float64: types.DoubleTensorType}


@pytest.fixture(autouse=True, scope="module")
def registered():
    register_converters()
    register_converters()  # again, which changes nothing


def converted(estimator, X):
    kind = DTYPES[X.dtype.type]
    shape = [None] * (X.ndim - 1) + [X.shape[-1]]
    return skl2onnx.to_onnx(estimator, initial_types=[("X", kind(shape))], target_opset=18)


NETWORK = RNNRegressor(**SMALL)
REGRESSORS = {
    "alone": NETWORK,
    "gaussian": RNNRegressor(loss="gaussian", **SMALL),
    "each timestep": RNNRegressor(return_sequences=True, bidirectional=True, **SMALL),
    "pipeline": make_pipeline(
        PerTimestep(make_pipeline(SimpleImputer(), StandardScaler())),
        PerTimestep(RobustScaler()),
        NETWORK,
    ),
    "normalized": make_pipeline(SequenceNormalizer(), PerTimestepTarget(NETWORK)),
    "relative": make_pipeline(
        PerTimestep(StandardScaler()), InstanceNormalizedRegressor(NETWORK, target=0)
    ),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("model", REGRESSORS.values(), ids=REGRESSORS)
def test_regressors(model, dtype):
    X = np.random.default_rng(0).standard_normal((8, 5, 2)).astype(dtype)
    y = X[:, :, 0] if getattr(model, "return_sequences", False) else X[:, -1, 0]
    model.fit(X, y)
    session = session_of(converted(model, X))
    assert [value.name for value in session.get_inputs()] == ["X"]
    assert_close(run(session, X), expected_of(model, X), dtype)
    assert_close(run(session, X[:3, :2]), expected_of(model, X[:3, :2]), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("labels", [["no", "yes"], [3, -4], [True, False]])
@pytest.mark.parametrize("per_step", [False, True])
def test_classifiers(labels, per_step, dtype):
    X = np.random.default_rng(0).standard_normal((8, 5, 2)).astype(dtype)
    y = np.array(labels)[(X[:, :, 0] > 0).astype(int)]
    network = RNNClassifier(return_sequences=per_step, **SMALL)
    model = make_pipeline(PerTimestep(StandardScaler()), network)
    model.fit(X, y if per_step else y[:, 0])
    with_random_parameters(network)
    assert_close(run(session_of(converted(model, X)), X), expected_of(model, X), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_tables(dtype):
    X = np.random.default_rng(0).integers(0, 3, size=(8, 5)).astype(dtype)
    for transformer in (StandardScaler(), OneHotEncoder(sparse_output=False, dtype=dtype)):
        model = make_pipeline(PerTimestep(transformer), RNNRegressor(**SMALL)).fit(X, X[:, 0])
        assert_close(run(session_of(converted(model, X)), X), expected_of(model, X), dtype)


def test_transformer_alone():
    X = np.random.default_rng(0).standard_normal((8, 5, 2))
    model = PerTimestep(StandardScaler()).fit(X)
    assert_close(run(session_of(converted(model, X)), X), {"variable": model.transform(X)}, X.dtype)


def test_integers_are_refused():
    model = RNNRegressor(**SMALL).fit(np.ones((8, 5, 2)), np.arange(8.0))
    with pytest.raises(TypeError, match="FloatTensorType or DoubleTensorType"):
        skl2onnx.to_onnx(model, initial_types=[("X", types.Int64TensorType([None, None, 2]))])


@pytest.mark.parametrize("model", [PerTimestep(StandardScaler()), RNNRegressor()])
def test_unfitted(model):
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        converted(model, np.ones((2, 3, 4)))
