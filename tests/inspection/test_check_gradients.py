"""check_gradients says that right gradients are right, and that wrong ones are wrong."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sequences import ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.core.cells.gru import GRU
from sklearn_rnn.inspection import check_gradients

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"hidden_size": 3, "max_iter": 2, "early_stopping": False, "random_state": 0}
X = [x + 10 for x in ragged(6, 2)]
Y = 100 * np.arange(6.0)

MODELS = {
    "regressor": (RNNRegressor(**SMALL), Y),
    "two outputs": (RNNRegressor(**SMALL, loss="huber", delta=40), np.column_stack([Y, -Y])),
    "counts": (RNNRegressor(**SMALL, loss="poisson"), np.arange(6)),
    "quantiles": (RNNRegressor(**SMALL, loss="quantile", quantile=[0.1, 0.4, 0.8]), Y + 7),
    "gaussian": (RNNRegressor(**SMALL, loss="gaussian"), np.column_stack([Y, 9 - 2 * Y])),
    "classifier": (RNNClassifier(**SMALL, cell="lstm", n_layers=2, pooling="mean"), [0, 1] * 3),
    "balanced": (RNNClassifier(**SMALL, class_weight="balanced", alpha=0.5), [0, 1, 1] * 2),
    "per step": (
        RNNRegressor(**SMALL, cell="elman", return_sequences=True, bidirectional=True),
        [x[:, 0] for x in X],
    ),
}


@pytest.mark.parametrize("fit", [False, True], ids=["before fit", "after fit"])
@pytest.mark.parametrize("name", MODELS)
def test_right_gradients(name, fit):
    model, y = MODELS[name]
    if fit:
        model.fit(X, y)
    before = dict(vars(model))
    result = check_gradients(model, X, y)
    assert result.worst < 1e-7
    assert result.worst == max(result.errors.values()) == result.errors[result.worst_name]
    assert vars(model) == before


def test_every_array_is_checked():
    model, y = MODELS["classifier"]
    result = check_gradients(model, X, y)
    assert result.errors.keys() == model.fit(X, y).weights_.keys()


def test_a_wrong_gradient_is_found(monkeypatch):
    right = GRU.backward

    def wrong(self, weights, step, d_states):
        result = right(self, weights, step, d_states)
        np.multiply(step.da_z, 1.01, out=step.da_z)
        return result

    monkeypatch.setattr(GRU, "backward", wrong)
    model, y = MODELS["regressor"]
    result = check_gradients(model, X, y)
    assert result.worst > 1e-4
    assert result.worst_name.startswith("layer_0")
    assert result.errors["output.W_hy"] < 1e-7


def test_single_precision_is_checked_in_double():
    single = [x.astype(np.float32) for x in X]
    model, y = MODELS["regressor"]
    assert check_gradients(model, single, y).worst < 1e-7


def test_weights_count():
    model, y = MODELS["regressor"]
    weights = [0, 1, 2, 3, 0, 0.5]
    assert check_gradients(model, X, y, sample_weight=weights).worst < 1e-7


def test_what_is_refused():
    model, y = MODELS["regressor"]
    with pytest.raises(TypeError, match=r"estimator must be an RNNRegressor .*, not Pipeline"):
        check_gradients(make_pipeline(model), X, y)
    with pytest.raises(ValueError, match="n_checked == 0"):
        check_gradients(model, X, y, n_checked=0)
    with pytest.raises(ValueError, match="cell="):
        check_gradients(RNNRegressor(cell="rnn"), X, y)
