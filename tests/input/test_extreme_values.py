"""Numbers that a float can hold, though what is computed from them may overflow or vanish."""

import pickle
import re

import numpy as np
import pytest

from refusals import (
    ARRAY,
    LABELS,
    NUMBERS,
    PADDED,
    PREDICTIONS,
    TARGETS,
    N,
    make,
    refused,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# Numbers that a float can hold, though what is computed from them may overflow or vanish: a clear
# error, or a finite result, and no RuntimeWarning.
class TestExtremes:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("weight", [1e300, 1e39, 1e-39, 1e-50, 1e-300])
    def test_weights(self, kind, dtype, weight):
        estimator, X = make(kind), ARRAY.astype(dtype)
        try:
            estimator.fit(X, TARGETS[kind], sample_weight=np.full(N, weight))
        except (ValueError, TypeError) as error:
            assert "sample_weight" in str(error)  # noqa: PT017
        else:
            assert np.isfinite(estimator.predict(X)).all()

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("scale", [1e300, 1e200, 1e39, 1e20])
    def test_targets(self, dtype, scale):
        estimator, X = make("regressor"), ARRAY.astype(dtype)
        try:
            estimator.fit(X, NUMBERS * scale)
        except (ValueError, TypeError) as error:
            assert re.search(r"\by\b|targets", str(error))  # noqa: PT017
        else:
            assert np.isfinite(estimator.predict(X)).all()

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
    @pytest.mark.parametrize("scale", [1e308, 1e300, 1e39, 1e20, 1e-300])
    def test_predict(self, kind, cell, dtype, scale):
        estimator = make(kind, ARRAY.astype(dtype), cell=cell)
        X = np.sign(ARRAY) * scale
        for method in PREDICTIONS[kind]:
            try:
                predicted = getattr(estimator, method)(X)
            except (ValueError, TypeError) as error:
                assert re.search(r"\bX\b", str(error))  # noqa: PT017
            else:
                assert not np.isnan(predicted).any()
                assert method == "predict_log_proba" or np.isfinite(predicted).all()

    def test_outputs_that_overflow_are_refused(self, kind):
        """By `predict` of the classifier too, which looks for the largest output only."""
        estimator = make(kind, ARRAY, cell="elman", activation="identity")
        estimator._parameters.vector[...] = 1e10
        for method in PREDICTIONS[kind]:
            refused(estimator, method, np.full_like(ARRAY, 1e300), words=["overflow", r"\bX\b"])

    @pytest.mark.parametrize("scale", [1e300, 1e39, 1e20, 1e-300])
    def test_score(self, kind, scale):
        estimator = make(kind, ARRAY)
        assert np.isfinite(estimator.score(ARRAY, LABELS, sample_weight=np.full(N, scale)))

    @pytest.mark.parametrize(
        ("labels", "dtype", "fill"),
        [
            ([0, 1], "i8", -1),
            ([-1, 0], "i8", -2),
            ([-(2**63), -(2**63) + 1], "i8", -1),
            ([-(2**63), -1], "i8", None),
            ([-128, -1], "i1", None),
            ([0, 1], "u1", 255),
            ([0, 255], "u1", 254),
            ([2**63, 2**64 - 1], "u8", None),
        ],
        ids=str,
    )
    def test_labels_beside_padding(self, labels, dtype, fill):
        """There is room for another value than the labels, -1 where it can be and is no label."""
        y = np.resize(np.array(labels, dtype), (N, 5))
        predicted = make("classifier", PADDED, y, return_sequences=True).predict(PADDED)
        valid = ~np.isnan(PADDED[:, :, 0])
        assert set(predicted[valid].tolist()) <= set(labels)
        (filled_with,) = set(predicted[~valid].tolist())
        assert filled_with not in labels
        assert fill is None or filled_with == fill


DIVERGING = {
    "relu": {"cell": "elman", "activation": "relu"},
    "identity": {"cell": "elman", "activation": "identity"},
}


@pytest.mark.parametrize("activation", DIVERGING)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_loss_that_is_not_finite(activation, dtype):
    parameters = {
        **DIVERGING[activation],
        "solver": "sgd",
        "learning_rate_init": 1e6,
        "max_grad_norm": None,
        "max_iter": 100,
    }
    X = np.tile(ARRAY, (1, 5, 1)).astype(dtype)
    estimator = make("regressor", X.astype(dtype), **DIVERGING[activation])
    before, predictions = pickle.dumps(estimator), estimator.predict(X)
    unfitted = make("regressor", **parameters)
    for diverging in (estimator.set_params(**parameters), unfitted):
        with pytest.raises(ValueError, match="infinite or NaN") as caught:
            diverging.fit(X, NUMBERS)
        for word in ("epoch", "learning_rate_init", "max_grad_norm"):
            assert re.search(word, str(caught.value))
    assert not hasattr(unfitted, "n_features_in_")
    estimator.set_params(**make("regressor", **DIVERGING[activation]).get_params())
    assert pickle.dumps(estimator) == before
    assert np.array_equal(estimator.predict(X), predictions)
