"""Input gradients: the slopes of public predictions, in X's units and X's container."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from covering import cover
from sequences import CONTAINERS, padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.inspection import _output_gradients, input_gradients
from sklearn_rnn.preprocessing import Lags, PerTimestep, PerTimestepTarget, SequenceNormalizer

# The networks need not have learned much.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"hidden_size": 3, "max_iter": 3, "early_stopping": False, "random_state": 0}
OFFSETS, UNITS = np.array([5.0, -300.0]), np.array([0.1, 50.0])  # of the features


def sequences(seed=0):
    return [OFFSETS + UNITS * x for x in ragged(5, 2, seed=seed, longest=4)]


def targets(kind, X, per_step):
    """Targets of a kind, one per sequence or per timestep."""
    rng = np.random.default_rng(3)
    make = {
        "one": lambda n: 1e3 + 200 * rng.standard_normal(n),
        "two": lambda n: rng.standard_normal((n, 2)) * [1, 100],
        "quantiles": lambda n: 1e3 + 200 * rng.standard_normal(n),
        "two's quantiles": lambda n: rng.standard_normal((n, 2)) * [1, 100],
        "gaussian": lambda n: 1e3 + 200 * rng.standard_normal(n),
        "two gaussians": lambda n: rng.standard_normal((n, 2)) * [1, 100],
        "counts": lambda n: rng.poisson(3.0, n),
        "binary": lambda n: np.resize(["no", "yes"], n),
        "classes": lambda n: np.resize([10, 20, 30], n),
        "labels": lambda n: rng.integers(2, size=(n, 3)),
    }[kind]
    if not per_step:
        return make(len(X))
    flat = make(sum(map(len, X)))
    return np.split(flat, np.cumsum([len(x) for x in X])[:-1])


LOSSES = {
    "one": {},
    "two": {},
    "counts": {"loss": "poisson"},
    "quantiles": {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]},
    "two's quantiles": {"loss": "quantile", "quantile": [0.1, 0.3, 0.4]},
    "gaussian": {"loss": "gaussian"},
    "two gaussians": {"loss": "gaussian"},
}


def fitted(kind, *, per_step=False, scaler=None, X=None, **options):
    X = sequences() if X is None else X
    Estimator = RNNRegressor if kind in LOSSES else RNNClassifier
    model = Estimator(return_sequences=per_step, **(SMALL | LOSSES.get(kind, {}) | options))
    if scaler is not None:
        model = make_pipeline(PerTimestep(scaler), model)
    return model.fit(X, targets(kind, X, per_step))


def explained(model, X, output, timestep=None):
    """What the gradients are those of, one number per sequence, from public predictions."""
    is_classifier = hasattr(model, "classes_")
    column = model.classes_.tolist().index(output) if is_classifier else output
    network = model if hasattr(model, "n_outputs_") else model[-1]
    quantiles = getattr(network, "quantile", 0.5)
    shape = (network.n_outputs_,) if np.ndim(quantiles) == 0 else (len(quantiles),)
    if isinstance(output, tuple):
        shape = (network.n_outputs_, len(quantiles))
    predicted = model.predict_proba(X) if is_classifier else model.predict(X)
    place = (slice(None), *(column if isinstance(column, tuple) else (column,)))
    steps = [np.reshape(of_sequence, (-1, *shape))[place] for of_sequence in predicted]
    return np.array([values.sum() if timestep is None else values[timestep] for values in steps])


def slopes(model, X, *args):
    """The slopes of what is explained on each value of X, by central differences."""
    X = [x.copy() for x in X]
    result = [np.empty_like(x) for x in X]
    for i, x in enumerate(X):
        for place in np.ndindex(x.shape):
            value, step = x[place], 1e-5 * UNITS[place[1]]
            x[place] = value + step
            above = explained(model, [x], *args)[0]
            x[place] = value - step
            below = explained(model, [x], *args)[0]
            x[place] = value
            result[i][place] = (above - below) / (2 * step)
    return result


def assert_slopes(actual, numeric):
    """Equal relative to the largest slope on the same feature."""
    actual, numeric = np.concatenate(actual), np.concatenate(numeric)
    largest = np.abs(numeric).max(axis=0)
    assert (largest > 0).all()
    assert (np.abs(actual - numeric) / largest).max() < 1e-6


KINDS = {
    "one": 0,
    "two": 1,
    "counts": 0,
    "quantiles": 2,
    "two's quantiles": (1, 0),
    "gaussian": 0,
    "two gaussians": 1,
    "binary": "no",
    "classes": 20,
    "labels": 2,
}
CASES = {
    "kind": [*KINDS],
    "per_step": [False, True],
    "standardize": [False, True],
    "cell": ["elman", "lstm", "gru"],
    "bidirectional": [False, True],
    "scaler": [None, StandardScaler()],
}


def possible(case):
    """There is no multilabel target per timestep."""
    return case.get("kind") != "labels" or not case.get("per_step")


@pytest.mark.parametrize(
    list(CASES), [tuple(case.values()) for case in cover(CASES, possible=possible)]
)
def test_finite_differences(kind, per_step, standardize, cell, bidirectional, scaler):
    options = {"standardize": standardize, "cell": cell, "bidirectional": bidirectional}
    X = sequences()
    if not standardize and scaler is None:
        X = [(x - OFFSETS) / UNITS for x in X]  # a network in raw units would be saturated
    model = fitted(kind, per_step=per_step, scaler=scaler, X=X, **options)
    output = KINDS[kind]
    assert_slopes(input_gradients(model, X, output), slopes(model, X, output))


@pytest.mark.parametrize(
    "scaler",
    [
        StandardScaler(with_std=False),
        StandardScaler(with_mean=False),
        MinMaxScaler((-1, 2)),
        MaxAbsScaler(),
        RobustScaler(),
        RobustScaler(with_scaling=False),
        FunctionTransformer(),
        "passthrough",
        make_pipeline(MinMaxScaler(), "passthrough", StandardScaler()),
    ],
    ids=str,
)
def test_scalers_of_a_pipeline(scaler):
    X = sequences()
    model = fitted("one", scaler=scaler)
    assert_slopes(input_gradients(model, X), slopes(model, X, 0))
    for method in ("gradient_x_input", "integrated"):
        attributions = input_gradients(model, X, method=method, baseline=OFFSETS)
        assert all(np.isfinite(of_sequence).all() for of_sequence in attributions)
    totals = [of_sequence.sum() for of_sequence in attributions]
    nothing = [np.tile(OFFSETS, (len(x), 1)) for x in X]
    assert_allclose(totals, model.predict(X) - model.predict(nothing), rtol=1e-6)


def test_pipelines_within_pipelines():
    X = sequences()
    first, last = PerTimestep(MinMaxScaler()), PerTimestep(StandardScaler())
    model = make_pipeline(first, "passthrough", make_pipeline(last, RNNRegressor(**SMALL)))
    model.fit(X, targets("one", X, False))
    network = model[-1][-1]
    scaled = model[-1][:-1].transform(model[:-1].transform(X))
    scales = first.transformer_.scale_ / model[-1][0].transformer_.scale_
    expected = [gradient * scales for gradient in input_gradients(network, scaled)]
    for actual, gradient in zip(input_gradients(model, X), expected, strict=True):
        assert_allclose(actual, gradient)


BASELINES = {"kind": [*KINDS], "per_step": [False, True], "baseline": ["number", "features", "all"]}


@pytest.mark.parametrize(
    list(BASELINES), [tuple(case.values()) for case in cover(BASELINES, possible=possible)]
)
def test_integrated_gradients_are_complete(kind, per_step, baseline):
    X = sequences()
    model = fitted(kind, per_step=per_step, pooling="last")  # a maximum over time has kinks
    given = {"number": 4.0, "features": OFFSETS + UNITS, "all": sequences()[::-1]}[baseline]
    if baseline == "all":
        given = [np.resize(x, y.shape) for x, y in zip(given, X, strict=True)]
        nothing = given
    else:
        nothing = [np.broadcast_to(given, x.shape) for x in X]
    output = KINDS[kind]
    shares = input_gradients(model, X, output, "integrated", given)
    totals = np.array([share.sum() for share in shares])
    expected = explained(model, X, output) - explained(model, nothing, output)
    assert np.abs(expected).max() > 0
    assert_allclose(totals, expected, atol=1e-6 * np.abs(expected).max(), rtol=0)


@pytest.mark.parametrize(("pooling", "n_points", "error"), [("last", 20, 1e-6), ("max", 200, 0.02)])
def test_more_points_are_more_exact(pooling, n_points, error):
    X = sequences()
    model = fitted("binary", pooling=pooling, max_iter=20)
    nothing = [np.tile(OFFSETS, (len(x), 1)) for x in X]
    expected = explained(model, X, "no") - explained(model, nothing, "no")
    errors = []
    for n in (1, n_points):
        shares = input_gradients(model, X, "no", "integrated", OFFSETS, n)
        errors.append(np.abs([share.sum() for share in shares] - expected).max())
    assert errors[1] < error * np.abs(expected).max() < errors[0]


def test_gradient_times_input():
    X = sequences()
    model = fitted("two")
    gradients = input_gradients(model, X, 1)
    products = input_gradients(model, X, 1, "gradient_x_input", OFFSETS)
    for x, gradient, product in zip(X, gradients, products, strict=True):
        assert_allclose(product, gradient * (x - OFFSETS))


@pytest.mark.parametrize("timestep", [0, 1, -1])
def test_one_timestep(timestep):
    X = [x for x in sequences() if len(x) > 1]
    model = fitted("classes", per_step=True, bidirectional=True)
    gradients = input_gradients(model, X, 30, timestep=timestep)
    assert_slopes(gradients, slopes(model, X, 30, timestep))


def test_later_values_do_not_matter_to_an_earlier_prediction():
    X = [x for x in sequences() if len(x) > 2]
    for gradient in input_gradients(fitted("one", per_step=True), X, timestep=1):
        assert (gradient[:2] != 0).all()
        assert (gradient[2:] == 0).all()


@pytest.mark.parametrize("per_step", [False, True])
def test_the_predicted_class_is_explained_by_default(per_step):
    X = sequences()
    model = fitted("classes", per_step=per_step, max_iter=20, learning_rate_init=0.1)
    gradients = input_gradients(model, X)
    of_classes = {label: input_gradients(model, X, label) for label in model.classes_.tolist()}
    predicted = model.predict(X)
    assert len(set(np.hstack(predicted).tolist())) > 1
    if per_step:
        last = [labels[-1] for labels in predicted]
        gradients = input_gradients(model, X, timestep=-1)
        of_classes = {k: input_gradients(model, X, k, timestep=-1) for k in of_classes}
    else:
        last = predicted.tolist()
    for i, label in enumerate(last):
        assert_array_equal(gradients[i], of_classes[label][i])


@pytest.mark.parametrize("container", CONTAINERS)
def test_containers(container):
    X = sequences()
    model = fitted("one")
    expected = input_gradients(model, X)
    result = input_gradients(model, CONTAINERS[container](X))
    if container == "padded array":
        assert_array_equal(result, padded(expected))
    else:
        assert type(result) is (np.ndarray if container == "object array" else list)
        for actual, gradient in zip(result, expected, strict=True):
            assert_array_equal(actual, gradient)


@pytest.mark.parametrize("as_frame", [False, True])
@pytest.mark.parametrize("scaler", [None, StandardScaler()])
def test_two_dimensions(as_frame, scaler):
    table = sequences()[0][:, :1] + np.arange(5.0)
    assert table.ndim == 2
    names = [f"lag_{5 - k}" for k in range(5)]
    X = pd.DataFrame(table, columns=names) if as_frame else table
    model = RNNRegressor(**SMALL)
    model = model if scaler is None else make_pipeline(PerTimestep(scaler), model)
    model.fit(X, np.arange(len(X)))
    gradients = input_gradients(model, X)
    assert gradients.shape == table.shape
    column_means = table.mean(axis=0)
    shares = input_gradients(model, X, method="integrated", baseline=column_means)
    nothing = np.tile(column_means, (len(X), 1))
    nothing = pd.DataFrame(nothing, columns=names) if as_frame else nothing
    assert_allclose(shares.sum(axis=1), model.predict(X) - model.predict(nothing), atol=1e-9)


def test_padding_in_two_dimensions():
    table = sequences()[0][:, :1] + np.arange(5.0)
    table[0, 3:] = np.nan
    model = RNNRegressor(**SMALL).fit(table, np.arange(len(table)))
    baseline = np.arange(5.0)
    shares = input_gradients(model, table, method="integrated", baseline=baseline)
    assert_array_equal(np.isnan(shares), np.isnan(table))
    nothing = np.where(np.isnan(table), np.nan, baseline)
    expected = model.predict(table) - model.predict(nothing)
    assert_allclose(np.nansum(shares, axis=1), expected, atol=1e-9)


def test_sequences_of_one_feature_without_an_axis():
    X = [x[:, 0] for x in sequences()]
    model = RNNRegressor(**SMALL).fit(X, np.arange(len(X)))
    assert [gradient.shape for gradient in input_gradients(model, X)] == [x.shape for x in X]


def test_single_precision():
    double = sequences()
    X = [x.astype(np.float32) for x in double]
    model = fitted("one", X=X)
    gradients = input_gradients(model, X, method="integrated", baseline=OFFSETS)
    assert {gradient.dtype for gradient in gradients} == {np.dtype(np.float32)}
    nothing = [np.tile(OFFSETS, (len(x), 1)).astype(np.float32) for x in X]
    expected = model.predict(X) - model.predict(nothing)
    totals = [gradient.sum() for gradient in gradients]
    assert_allclose(totals, expected, atol=1e-4 * np.abs(expected).max())


def test_many_sequences_are_taken_some_at_a_time(monkeypatch):
    X = ragged(30, 2, longest=9)
    model = fitted("one", per_step=True, X=X)
    expected = input_gradients(model, X)
    monkeypatch.setattr(_output_gradients, "MAX_TIMESTEPS", 8)
    for actual, gradient in zip(input_gradients(model, X), expected, strict=True):
        assert_allclose(actual, gradient, atol=1e-12 * np.abs(gradient).max())


@pytest.mark.parametrize(
    ("kind", "options", "error", "words"),
    [
        ("one", {"method": "saliency"}, ValueError, "method='saliency' is not one of"),
        ("one", {"output": 1}, ValueError, r"output=1 \(int\) is not an output: \[0\]"),
        ("two", {}, ValueError, "output=None, but there are 2 outputs: give .* from 0 to 1"),
        ("quantiles", {}, ValueError, "output=None, but there are 3 outputs: give .* from 0 to 2"),
        ("two's quantiles", {"output": 1}, TypeError, r"output=1 .* is not an output: \[\(0, 0"),
        ("two's quantiles", {"output": (0, 3)}, ValueError, r"output=\(0, 3\) .* is not an output"),
        ("two's quantiles", {}, ValueError, r"there are 6 outputs: .* from \(0, 0\) to \(1, 2\)"),
        ("gaussian", {"output": 1}, ValueError, r"output=1 \(int\) is not an output: \[0\]"),
        ("labels", {}, ValueError, "output=None, but there are 3 outputs"),
        ("classes", {"output": 1}, ValueError, r"not one of the classes: \[10, 20, 30\]"),
        ("classes", {"output": [10]}, TypeError, "output=.* is not one of the classes"),
        ("one", {"timestep": 0}, ValueError, "timestep=0 needs .* return_sequences=True"),
        ("one", {"baseline": 1.0}, ValueError, "baseline=1.0 has no meaning for method='gradient'"),
        ("one", {"method": "integrated", "n_points": 0}, ValueError, "n_points == 0"),
        ("one", {"method": "integrated", "baseline": [1.0]}, ValueError, "2 finite numbers"),
        ("one", {"method": "integrated", "baseline": [1.0, np.nan]}, ValueError, "2 finite"),
        ("one", {"method": "integrated", "baseline": np.nan}, ValueError, "baseline"),
        ("one", {"method": "integrated", "baseline": "mean"}, TypeError, "baseline"),
        ("one", {"method": "integrated", "baseline": None}, TypeError, "baseline must be"),
        (
            "one",
            {"method": "integrated", "baseline": [np.ones((1, 2))]},
            ValueError,
            "baseline must be .* shapes of X's",
        ),
    ],
)
def test_what_is_refused(kind, options, error, words):
    with pytest.raises(error, match=words):
        input_gradients(fitted(kind), sequences(), **options)


@pytest.mark.parametrize("timestep", [4, -5])
def test_a_timestep_that_a_sequence_lacks_is_refused(timestep):
    X = sequences()
    with pytest.raises(ValueError, match=rf"timestep={timestep}, but X\[.\] has . timesteps"):
        input_gradients(fitted("one", per_step=True), X, timestep=timestep)
    with pytest.raises(TypeError, match="timestep must be an integer"):
        input_gradients(fitted("one", per_step=True), X, timestep=1.0)


@pytest.mark.parametrize(
    ("step", "name"),
    [
        (PerTimestep(PCA(2)), "PCA, the pipeline's step 'pertimestep'"),
        (PerTimestep(MinMaxScaler(clip=True)), r"MinMaxScaler\(clip=True\)"),
        (PerTimestep(make_pipeline(StandardScaler(), PCA(2))), "PCA, the pipeline's step 'pca'"),
        (PerTimestep(FunctionTransformer(np.tanh)), "FunctionTransformer"),
        (SequenceNormalizer(), "SequenceNormalizer"),
        (Lags([1]), "Lags"),
    ],
)
def test_other_steps_are_refused_by_name(step, name):
    X = [x for x in sequences() if len(x) > 2]
    model = make_pipeline(step, RNNRegressor(**SMALL)).fit(X, np.arange(len(X)))
    with pytest.raises(TypeError, match=f"can't be followed through {name}.*StandardScaler"):
        input_gradients(model, X)


def test_other_estimators_are_refused():
    X = sequences()
    wrapped = PerTimestepTarget(RNNRegressor(**SMALL)).fit(X, np.arange(len(X)))
    with pytest.raises(TypeError, match="end with one of them; not for PerTimestepTarget"):
        input_gradients(wrapped, X)
    search = GridSearchCV(RNNRegressor(**SMALL), {"hidden_size": [2]}, cv=2)
    search.fit(X, np.arange(len(X)))
    with pytest.raises(TypeError, match="GridSearchCV: give its best_estimator_"):
        input_gradients(search, X)
    assert len(input_gradients(search.best_estimator_, X)) == len(X)


def test_overflow_is_an_error():
    X = sequences()
    model = fitted("counts", cell="elman", activation="identity", standardize=False)
    with pytest.raises(ValueError, match="The gradients overflow: X or the baseline"):
        input_gradients(model, X, method="integrated", baseline=1e6)
