"""What to_onnx refuses, in words that say what would be right."""

import sys

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    PowerTransformer,
    StandardScaler,
)

from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.export import register_converters, to_onnx
from sklearn_rnn.preprocessing import (
    InstanceNormalizedRegressor,
    Lags,
    PatchedRegressor,
    PerTimestep,
    PerTimestepTarget,
    SequenceNormalizer,
)

pytest.importorskip("onnx")
pytest.importorskip("skl2onnx")

from onnx_runs import SMALL

NETWORK = RNNRegressor(**SMALL)


def data():
    X = np.random.default_rng(0).standard_normal((8, 5, 2))
    return X, X[:, 0, 0]


@pytest.mark.parametrize("name", ["onnx", "skl2onnx"])
def test_without_the_extra(monkeypatch, name):
    model = make_pipeline(PerTimestep(StandardScaler()), NETWORK).fit(*data())
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf"needs {name}: .*pip install 'sklearn-rnn\[onnx\]'"):
        to_onnx(model)


def test_register_converters_without_skl2onnx(monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(ImportError, match=r"needs skl2onnx: .*pip install 'sklearn-rnn\[onnx\]'"):
        register_converters()


@pytest.mark.parametrize(
    "estimator",
    [
        RNNRegressor(),
        RNNClassifier(),
        make_pipeline(PerTimestep(StandardScaler()), RNNRegressor()),
        PerTimestepTarget(RNNRegressor()),
        InstanceNormalizedRegressor(RNNRegressor()),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_unfitted(estimator):
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        to_onnx(estimator)


def test_a_pipeline_with_an_unfitted_step():
    model = make_pipeline(PerTimestep(StandardScaler()), NETWORK).fit(*data())
    model.steps[0] = ("pertimestep", PerTimestep(StandardScaler()))
    with pytest.raises(NotFittedError, match="PerTimestep instance is not fitted yet"):
        to_onnx(model)


@pytest.mark.parametrize(
    ("estimator", "found"),
    [
        (Ridge(), "got Ridge"),
        (make_pipeline(StandardScaler(), Ridge()), "got Ridge"),
        (RNNRegressor, "got the class RNNRegressor"),
        (None, "got NoneType"),
        (GridSearchCV(NETWORK, {}), "got GridSearchCV.*give its best_estimator_"),
        (PatchedRegressor(NETWORK), "got PatchedRegressor"),
        (PerTimestepTarget(GridSearchCV(NETWORK, {}, cv=2)), "got GridSearchCV"),
        (PerTimestep(StandardScaler()), "got PerTimestep"),
        (make_pipeline(Lags(1), NETWORK), "Lags, which can't .* PerTimestep and SequenceNorm"),
        (make_pipeline(StandardScaler(), NETWORK), "StandardScaler, which can't"),
        (make_pipeline(NETWORK, NETWORK), "RNNRegressor, which can't"),
        (Pipeline([]), "got Pipeline"),
    ],
    ids=str,
)
def test_other_estimators(estimator, found):
    if isinstance(estimator, PerTimestepTarget):
        estimator.fit(*data())
    with pytest.raises(TypeError, match=found):
        to_onnx(estimator)


@pytest.mark.parametrize(
    ("transformer", "found"),
    [
        (FunctionTransformer(np.cbrt), "func of a FunctionTransformer.*np.abs.*None.*cbrt"),
        (FunctionTransformer(np.log1p, kw_args={"dtype": float}), "without further arguments"),
        (PowerTransformer(), r"PowerTransformer can't .* in float64: .*dtype='float32'"),
        (KBinsDiscretizer(3, encode="ordinal"), "KBinsDiscretizer can't .* in float64"),
    ],
    ids=["function", "arguments", "power", "bins"],
)
def test_transformers_that_cannot_be_converted(transformer, found):
    X, y = data()
    if isinstance(transformer, KBinsDiscretizer):
        transformer.set_params(quantile_method="averaged_inverted_cdf")
    model = make_pipeline(PerTimestep(transformer), NETWORK).fit(np.abs(X), y)
    with pytest.raises(TypeError, match=found):
        to_onnx(model)


def test_dicts_cannot_be_read():
    X = [[{"a": 1.0}, {"b": 2.0}], [{"a": 3.0}]]
    model = make_pipeline(PerTimestep(DictVectorizer()), NETWORK).fit(X, [0.0, 1.0])
    with pytest.raises(TypeError, match=r"DictVectorizer can't .* one dict or string per timestep"):
        to_onnx(model)


class HalvingScaler(StandardScaler):
    """Transforms in another way than its base."""

    def transform(self, X):
        return super().transform(X) / 2

    def inverse_transform(self, X):
        return super().inverse_transform(2 * X)


def test_targets_that_cannot_be_converted_back():
    X, y = data()
    for transformer, found in (
        (PowerTransformer(), "inverse_transform of PowerTransformer can't .*StandardScaler"),
        (FunctionTransformer(np.cbrt, lambda y: y**3), "inverse_func of a Func"),
        (HalvingScaler(), "inverse_transform of HalvingScaler can't"),
    ):
        model = PerTimestepTarget(NETWORK, transformer).fit(X, y)
        with pytest.raises(TypeError, match=found):
            to_onnx(model)


@pytest.mark.parametrize("step", ["yes", 1, None])
def test_step_is_a_flag(step):
    with pytest.raises(TypeError, match="step must be True or False"):
        to_onnx(NETWORK, step=step)


def test_no_steps_of_a_bidirectional_network():
    model = RNNRegressor(bidirectional=True, **SMALL).fit(*data())
    with pytest.raises(ValueError, match="bidirectional=True has no graph with step=True"):
        to_onnx(model, step=True)


@pytest.mark.parametrize(
    "model",
    [make_pipeline(SequenceNormalizer(), NETWORK), InstanceNormalizedRegressor(NETWORK, target=0)],
    ids=["transformer", "regressor"],
)
def test_no_steps_of_what_reads_whole_sequences(model):
    model.fit(*data())
    with pytest.raises(ValueError, match=r"Normalize.* needs whole sequences"):
        to_onnx(model, step=True)


@pytest.mark.parametrize(
    ("opset", "error", "found"),
    [
        (17, ValueError, "target_opset=17, but .* version 18 or later"),
        (1000, ValueError, "target_opset=1000, but .* knows those up to"),
        (18.0, TypeError, "target_opset must be an integer or None; got float"),
        (True, TypeError, "target_opset must be an integer or None; got bool"),
        ("18", TypeError, "target_opset must be an integer or None; got str"),
    ],
)
def test_opsets(opset, error, found):
    with pytest.raises(error, match=found):
        to_onnx(RNNRegressor(**SMALL).fit(*data()), target_opset=opset)


@pytest.mark.parametrize("dtype", ["float16", "int64", "double precision", 3, [1]])
def test_dtypes(dtype):
    with pytest.raises(ValueError, match="dtype must be float32, float64 or None; got"):
        to_onnx(RNNRegressor(**SMALL).fit(*data()), dtype=dtype)


@pytest.mark.parametrize(
    "labels",
    [np.array([2**64 - 1, 1], np.uint64), np.array([1, "a"], object)],
    ids=["large", "mixed"],
)
def test_labels(labels):
    X, _ = data()
    model = RNNClassifier(**SMALL).fit(X, np.arange(8) % 2)
    model.classes_ = labels
    with pytest.raises(TypeError, match=r"classes are .* integers of 64 bits, floats, booleans"):
        to_onnx(model)
