"""Memory grows with the timesteps that sequences have, not with their number times the longest."""

from itertools import cycle

import numpy as np
import pytest

from covering import only_thorough
from memory import peak_bytes
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.core.pooling import POOLS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

MB = 2**20
LONGEST, N_SHORT = 600, 1200  # 5.5 MB for 8 bytes at each timestep of each, if all were as long
LONG, SHORT = [1, LONGEST // 2, LONGEST], [2, 1] * (N_SHORT // 2)

BOTH_WAYS, PER_STEP = {"bidirectional": True}, {"return_sequences": True}
NETWORKS = [
    {},
    BOTH_WAYS,
    PER_STEP,
    BOTH_WAYS | PER_STEP,
    BOTH_WAYS | {"n_layers": 2, "pooling": tuple(POOLS)},
    PER_STEP | {"dropout": 0.1, "recurrent_dropout": 0.1},
    PER_STEP | {"bptt_steps": LONGEST // 2},
    PER_STEP | {"solver": "lbfgs", "n_layers": 2},
]
THOROUGH = [*(BOTH_WAYS | {"pooling": name} for name in POOLS), {"n_layers": 2}, {"cell": "lstm"}]


def made(estimator, parameters):
    if parameters.get("solver") != "lbfgs":
        parameters = parameters | {"batch_size": len(LONG + SHORT)}
    return estimator(hidden_size=2, max_iter=1, random_state=0, **parameters)


def data(lengths, per_step, dtype):
    X = [np.ones((length, 1), dtype) for length in lengths]
    return X, [np.arange(length) % 2 for length in lengths] if per_step else np.arange(len(X)) % 2


@pytest.mark.parametrize(
    ("estimator", "dtype", "parameters"),
    [
        *zip(
            cycle([RNNRegressor, RNNClassifier]),
            cycle([np.float32, np.float32, np.float64]),
            NETWORKS,
            strict=False,
        ),
        *only_thorough(
            zip(cycle([RNNClassifier]), cycle([np.float64]), NETWORKS + THOROUGH, strict=False)
        ),
    ],
)
def test_long_and_short_sequences_together_take_what_each_take_alone(estimator, dtype, parameters):
    def fit(lengths):
        X, y = data(lengths, "return_sequences" in parameters, dtype)
        return made(estimator, parameters).fit(X, y, X_val=X, y_val=y)

    def predict_and_score(lengths):
        fitted.score(*data(lengths, "return_sequences" in parameters, dtype))

    fitted = fit([9, 9, 5, 5])
    for method in (fit, predict_and_score):
        together, *alone = (
            peak_bytes(lambda method=method, lengths=lengths: method(lengths))
            for lengths in (LONG + SHORT, LONG, SHORT)
        )
        assert together < sum(alone) + 0.2 * MB
