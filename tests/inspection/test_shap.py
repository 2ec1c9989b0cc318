"""The recipe of docs/shap.md: exact Shapley values, by feature and by timestep."""

from itertools import permutations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sequences import ragged
from sklearn_rnn import RNNRegressor
from sklearn_rnn.inspection import input_gradients

shap = pytest.importorskip("shap")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def shapley_values(predict, n_players):
    """The definition: what each player adds, in the mean over all orders in which they may come."""
    orders, values = list(permutations(range(n_players))), np.zeros(n_players)
    for order in orders:
        present = np.zeros((n_players + 1, n_players))
        for k, player in enumerate(order):
            present[k + 1 :, player] = 1
        values[list(order)] += np.diff(predict(present)) / len(orders)
    return values


@pytest.mark.parametrize("by", ["feature", "timestep"])
def test_the_recipe(by):
    X = ragged(30, 3, longest=6)
    model = RNNRegressor(hidden_size=3, max_iter=5, random_state=0)
    model.fit(X, [x.sum() for x in X])
    x, baseline = next(x for x in X if len(x) == 4), model.X_mean_

    def predict(present):
        rows = present if by == "feature" else present[:, :, np.newaxis]
        return model.predict([np.where(row == 1, x, baseline) for row in rows])

    n = x.shape[1] if by == "feature" else len(x)
    if by == "feature":
        explainer = shap.KernelExplainer(predict, np.zeros((1, n)))
        values = explainer.shap_values(np.ones(n), silent=True)
    else:
        explainer = shap.PermutationExplainer(predict, np.zeros((1, n)), seed=0)
        values = explainer(np.ones((1, n)), silent=True).values[0]
    assert_allclose(values, shapley_values(predict, n), rtol=0.05 if by == "timestep" else 1e-6)
    shares = input_gradients(model, [x], method="integrated", baseline=baseline)[0]
    assert_allclose(values.sum(), shares.sum(), rtol=1e-6)
