"""The callback EarlyStopping on the samples that the estimator holds out."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fits import assert_same_weights
from sequences import CONTAINERS, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.callbacks import Checkpoint, EarlyStopping, TimeLimit

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 18
FAST = {"hidden_size": 3, "max_iter": 40, "learning_rate_init": 0.2, "random_state": 0}
OPTIONS = FAST | {"early_stopping": True, "validation_fraction": 0.3}
X, X_VAL = ragged(N, n_features=2, seed=0), ragged(9, n_features=2, seed=3)
Y = np.random.default_rng(1).standard_normal(N)
Y_VAL = np.random.default_rng(4).standard_normal(9)
LABELS = np.where(Y > 0, "up", "down")
W = np.linspace(1, 2, N)
GROUPS = np.arange(N) % 6


def assert_same(model, other):
    assert model.validation_scores_ == pytest.approx(other.validation_scores_, rel=1e-12)
    assert model.best_iteration_ == other.best_iteration_
    assert_same_weights(model, other)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("groups", [None, GROUPS], ids=["", "groups"])
@pytest.mark.parametrize(
    ("Estimator", "y", "scoring"),
    [(RNNRegressor, Y, "r2"), (RNNClassifier, LABELS, "accuracy")],
    ids=["reg", "cls"],
)
def test_by_the_estimators_own_score_it_is_the_same(Estimator, y, scoring, groups, container):
    given = CONTAINERS[container](X), y, W
    plain = Estimator(**OPTIONS, n_iter_no_change=40).fit(*given, groups=groups)
    model = Estimator(**OPTIONS).set_callbacks(EarlyStopping(scoring, n_iter_no_change=40))
    scores = model.fit(*given, groups=groups).validation_scores_
    assert scores == pytest.approx(plain.validation_scores_, rel=1e-12)
    assert model.best_iteration_ == np.argmax(scores) + 1
    model.set_callbacks(EarlyStopping(scoring, n_iter_no_change=3)).fit(*given, groups=groups)
    assert 4 < len(model.validation_scores_) < 40


def test_tables_keep_their_names_and_targets_per_step_their_container():
    values = np.random.default_rng(5).normal(size=(N, 4))
    frame = pd.DataFrame(values, columns=["lag_4", "lag_3", "lag_2", "lag_1"])
    model = RNNRegressor(**OPTIONS).set_callbacks(EarlyStopping("r2"))
    plain = RNNRegressor(**OPTIONS).fit(frame, Y)
    scores = model.fit(frame, Y).validation_scores_
    assert scores == pytest.approx(plain.validation_scores_, rel=1e-12)

    y = [x[:, 0] > 0 for x in X]
    model = RNNClassifier(**OPTIONS, return_sequences=True)
    plain = clone(model).fit(X, y)
    model.set_callbacks(EarlyStopping(lambda fitted, X, y: fitted.score(X, y))).fit(X, y)
    assert model.validation_scores_ == pytest.approx(plain.validation_scores_, rel=1e-12)


def test_the_scorer_gets_exactly_what_is_held_out():
    seen = []

    def look(fitted, X, y, sample_weight):
        seen.append((X, y, sample_weight))
        return 0.0

    model = RNNClassifier(**OPTIONS, shuffle=False, class_weight={"up": 9.0})
    weights = np.where(np.arange(N) == N - 2, 0.0, W)  # as if that sample were not there
    model.set_callbacks(EarlyStopping(look)).fit(X, LABELS, weights)
    held_out = [N - 7, N - 6, N - 5, N - 4, N - 3, N - 1]
    assert len(seen) == model.n_iter_
    for X_seen, y_seen, w_seen in seen:
        assert [id(x) for x in X_seen] == [id(X[i]) for i in held_out]
        assert_array_equal(y_seen, LABELS[held_out])
        assert_array_equal(w_seen, weights[held_out])


def test_given_data_take_their_place_and_the_callbacks_rule_counts():
    given = {"X_val": X_VAL, "y_val": Y_VAL}
    stopping = EarlyStopping("neg_mean_absolute_error", n_iter_no_change=4)
    both = RNNRegressor(**OPTIONS, tol=5.0).set_callbacks(stopping).fit(X, Y, **given)
    alone = RNNRegressor(**FAST).set_callbacks(stopping)
    assert_same(both, alone.fit(X, Y, **given))


@pytest.mark.parametrize("random_state", [0, None])
def test_it_goes_on_from_a_checkpoint(tmp_path, random_state):
    """Without a random_state, the fit that goes on has drawn other samples at first."""
    seen = []

    def look(fitted, X, y):
        seen.append([id(x) for x in X])
        return fitted.score(X, y)

    both = [EarlyStopping(look, n_iter_no_change=4), Checkpoint(tmp_path / "checkpoint")]
    model = RNNRegressor(**OPTIONS | {"random_state": random_state})
    model.set_callbacks(*both, TimeLimit(1e-9)).fit(X, Y, groups=GROUPS)
    with pytest.raises(ValueError, match="differs in groups"):
        model.fit(X, Y, groups=GROUPS + 1)
    model.set_callbacks(*both).fit(X, Y, groups=GROUPS)
    assert model.n_iter_ == len(seen) > 1
    assert all(part == seen[0] for part in seen)
    if random_state == 0:
        whole = RNNRegressor(**OPTIONS).set_callbacks(both[0])
        assert_same(model, whole.fit(X, Y, groups=GROUPS))


def test_in_a_search_over_a_pipeline():
    table = np.random.default_rng(5).normal(size=(N, 4))
    network = RNNClassifier(**OPTIONS).set_callbacks(EarlyStopping("neg_log_loss"))
    pipeline = make_pipeline(StandardScaler(), network)
    search = GridSearchCV(pipeline, {"rnnclassifier__hidden_size": [2, 3]}, cv=2)
    best = search.fit(table, LABELS).best_estimator_[-1]
    assert best.best_validation_score_ == max(best.validation_scores_) < 0
