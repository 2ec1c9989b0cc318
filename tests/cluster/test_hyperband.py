"""dask-ml's searches, which train by partial_fit and drop what doesn't get on."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.stats import loguniform

from sequences import object_array, padded, ragged
from sklearn_rnn import RNNClassifier

model_selection = pytest.importorskip("dask_ml.model_selection")
import dask.array as da  # noqa: E402, which comes with it

SEQUENCES = ragged(120, 2, longest=6)
LABELS = np.array(["up" if x[:, 0].sum() > 0 else "down" for x in SEQUENCES])
CONTAINERS = {"object array": object_array(SEQUENCES), "padded array": padded(SEQUENCES)}
SPACE = {"hidden_size": [2, 4, 8], "learning_rate_init": loguniform(1e-3, 1e-1)}


@pytest.fixture(scope="module")
def client(local_cluster):
    with local_cluster() as client:
        yield client


@pytest.mark.parametrize("container", CONTAINERS)
def test_hyperband(client, container):
    X, model = CONTAINERS[container], RNNClassifier(batch_size=20, random_state=0)
    search = model_selection.HyperbandSearchCV(model, SPACE, max_iter=9, random_state=0)
    search.fit(X, LABELS, classes=np.unique(LABELS))

    calls, scores = (search.cv_results_[name] for name in ("partial_fit_calls", "test_score"))
    assert min(calls) < max(calls) <= 9  # some were dropped
    assert search.best_score_ == max(scores) > 0.5
    assert search.best_estimator_.n_iter_ == calls[search.best_index_]
    assert search.best_estimator_.score(X, LABELS) > 0.5


@pytest.mark.parametrize("container", CONTAINERS)
def test_incremental_search_is_partial_fit_by_hand(client, container):
    X, model = CONTAINERS[container], RNNClassifier(batch_size=20, random_state=0)
    search = model_selection.IncrementalSearchCV(
        model, SPACE, n_initial_parameters=3, max_iter=4, decay_rate=None, random_state=0
    )
    search.fit(X, LABELS, classes=np.unique(LABELS))

    X_train, X_test, y_train, y_test = model_selection.train_test_split(
        *(da.from_array(array, array.shape) for array in (X, LABELS)), test_size=0.2, random_state=0
    )
    model.set_params(**search.best_params_)
    for _ in range(4):
        model.partial_fit(X_train.compute(), y_train.compute(), classes=np.unique(LABELS))
    for name, weights in model.weights_.items():
        assert_array_equal(search.best_estimator_.weights_[name], weights)
    assert search.best_score_ == model.score(X_test.compute(), y_test.compute())
