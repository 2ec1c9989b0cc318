"""The picture that grows while training goes on, by the callback of docs/callbacks.md."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from pages import definition
from sklearn_rnn import RNNRegressor
from sklearn_rnn.callbacks import Callback
from sklearn_rnn.inspection import TrainingDisplay

plt = pytest.importorskip("matplotlib.pyplot")
plt.switch_backend("Agg")  # no test needs a screen

X = np.random.default_rng(0).standard_normal((60, 5, 1))
OPTIONS = {"hidden_size": 3, "learning_rate": "cosine", "max_iter": 4, "random_state": 0}


@pytest.mark.parametrize("early_stopping", [False, True])
def test_it_draws_after_every_epoch(early_stopping):
    names = {"Callback": Callback, "TrainingDisplay": TrainingDisplay}
    exec(definition("callbacks.md", "LivePlot"), names)
    figure, ax = plt.subplots()
    lengths, drawn = [], []

    class Watched(names["LivePlot"]):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            super().on_fit_task_end(estimator, context, fitted_estimator=fitted_estimator)
            lengths.append(len(ax.lines[0].get_ydata()))
            drawn.append(np.asarray(figure.canvas.buffer_rgba()).copy())

    model = RNNRegressor(**OPTIONS, early_stopping=early_stopping).set_callbacks(Watched(ax))
    model.fit(X, X.sum(axis=(1, 2)))
    assert lengths == [1, 2, 3, 4, 4]  # the last one after the fit
    assert_array_equal(ax.lines[0].get_ydata(), model.loss_curve_)
    assert len(ax.lines) == (3 if early_stopping else 2)  # training, validation, the epoch kept
    assert not (drawn[0] == drawn[1]).all()
    plt.close(figure)
