"""Quantiles of targets in another form: undone one by one, in order, scored in the units of y."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.decomposition import PCA
from sklearn.metrics import d2_pinball_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PowerTransformer, StandardScaler

from sequences import ragged
from sklearn_rnn import RNNRegressor
from sklearn_rnn.preprocessing import (
    InstanceNormalizedRegressor,
    PatchedRegressor,
    PerTimestep,
    PerTimestepTarget,
)
from versions import scikit_learn_since

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

LEVELS = [0.1, 0.5, 0.9]
X = ragged(30, n_features=2, seed=0)
FAST = {"hidden_size": 4, "max_iter": 4, "learning_rate_init": 0.02, "random_state": 0}
per_step_or_not = pytest.mark.parametrize("per_step", [False, True], ids=["per sequence", "steps"])
outputs = pytest.mark.parametrize("n_outputs", [None, 2], ids=str)


def d2(y, predicted, level):
    # Without weights, older versions of scikit-learn compare with interpolated quantiles.
    return d2_pinball_score(y, predicted, alpha=level, sample_weight=np.ones(len(y)))


def network(per_step=False, **parameters):
    parameters = FAST | {"loss": "quantile", "quantile": LEVELS} | parameters
    return RNNRegressor(return_sequences=per_step, **parameters)


def targets(per_step=False, n_outputs=None):
    rng = np.random.default_rng(1)
    shape = () if n_outputs is None else (n_outputs,)
    if per_step:
        return [rng.gamma(2.0, 10.0, (len(x), *shape)) for x in X]
    return rng.gamma(2.0, 10.0, (len(X), *shape))


def rows(predicted):
    return np.concatenate(predicted) if isinstance(predicted, list) else predicted


def exponential():
    return FunctionTransformer(np.log, np.exp)


def wrapped(per_step, n_outputs):
    regressor = network(per_step)
    target = {"target": 0} if n_outputs is None else {}
    models = [
        PerTimestepTarget(regressor, exponential()),
        PerTimestepTarget(make_pipeline(PerTimestep(StandardScaler()), regressor)),
        InstanceNormalizedRegressor(regressor, **target),
        InstanceNormalizedRegressor(PerTimestepTarget(regressor), **target),
    ]
    return models + ([PatchedRegressor(regressor, size=3)] if per_step else [])


CASES = [
    pytest.param(per_step, n_outputs, k, id=f"{'steps' if per_step else 'last'}-{n_outputs}-{k}")
    for per_step in (False, True)
    for n_outputs in (None, 2)
    for k in range(len(wrapped(per_step, n_outputs)))
]


@pytest.mark.parametrize(("per_step", "n_outputs", "k"), CASES)
def test_predictions_and_scores(per_step, n_outputs, k):
    model, y = wrapped(per_step, n_outputs)[k], targets(per_step, n_outputs)
    predicted = model.fit(X, y).predict(X)
    shape = (3,) if n_outputs is None else (n_outputs, 3)
    expected = [(len(x), *shape) for x in X] if per_step else [shape] * len(X)
    assert [part.shape for part in predicted] == expected
    assert (np.diff(rows(predicted), axis=-1) > 0).all()
    scores = [d2(rows(y), rows(predicted)[..., k], level) for k, level in enumerate(LEVELS)]
    assert model.score(X, y) == pytest.approx(np.mean(scores))


@per_step_or_not
@outputs
def test_every_quantile_is_undone_by_itself(per_step, n_outputs):
    y = targets(per_step, n_outputs)
    model = PerTimestepTarget(network(per_step), exponential()).fit(X, y)
    inner = network(per_step).fit(X, [np.log(part) for part in y])
    assert_allclose(rows(model.predict(X)), np.exp(rows(inner.predict(X))), rtol=1e-12)


@per_step_or_not
@outputs
def test_a_list_of_one_quantile_has_the_axis(per_step, n_outputs):
    y = targets(per_step, n_outputs)
    listed = PerTimestepTarget(network(per_step, quantile=[0.3])).fit(X, y)
    single = PerTimestepTarget(network(per_step, quantile=0.3)).fit(X, y)
    expected = rows(single.predict(X))
    assert_allclose(rows(listed.predict(X)), expected[..., np.newaxis], rtol=1e-12)
    assert listed.score(X, y) == pytest.approx(d2(rows(y), expected, 0.3))


def test_there_must_be_a_parameter_that_tells_the_quantiles():
    model = PerTimestepTarget(network()).fit(X, targets())
    model.regressor_.set_params(quantile=[0.1, 0.9])
    with pytest.raises(ValueError, match="makes 3 predictions for each target, and no parameter"):
        model.score(X, targets())


WITHOUT_ORDER = {
    "negative": FunctionTransformer(np.negative, np.negative),
    "reciprocal": FunctionTransformer(np.reciprocal, np.reciprocal),
    "mixed": PCA(2),
    "fewer": PCA(1),
}


@pytest.mark.parametrize("transformer", WITHOUT_ORDER.values(), ids=WITHOUT_ORDER)
@pytest.mark.parametrize("quantile", [LEVELS, 0.9], ids=str)
@per_step_or_not
def test_a_transformer_must_keep_the_order(transformer, quantile, per_step):
    regressor = network(per_step, quantile=quantile)
    y = targets(per_step, n_outputs=2)
    for inner in (regressor, make_pipeline(PerTimestep(StandardScaler()), regressor)):
        with pytest.raises(ValueError, match="transformer must keep the order of each output"):
            PerTimestepTarget(inner, transformer).fit(X, y)
    PerTimestepTarget(network(per_step, loss="squared_error"), transformer).fit(X, y)


@pytest.mark.parametrize(
    "transformer",
    [
        pytest.param(
            PowerTransformer(),
            marks=scikit_learn_since(7, "a PowerTransformer of float32 without overflow"),
        ),
        StandardScaler(),
        "passthrough",
    ],
)
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_what_keeps_the_order(transformer, scale):
    """Where many targets are equal, and in float32, too."""
    y = scale * np.round(targets(n_outputs=2)).astype(np.float32)
    model = PerTimestepTarget(network(), transformer).fit(X, y)
    assert (np.diff(model.predict(X), axis=-1) >= 0).all()
