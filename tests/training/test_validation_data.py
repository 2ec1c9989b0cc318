"""Validation data given to fit: how they are read, what they decide, and how they get there."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import Pipeline

from fits import ESTIMATORS, assert_same_weights, end_of
from sequences import object_array, padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N, M = 24, 10
FAST = {"hidden_size": 4, "max_iter": 12, "learning_rate_init": 0.05, "random_state": 0}
RNG = np.random.default_rng(1)
X, X_VAL = ragged(N, n_features=2, seed=0), ragged(M, n_features=2, seed=1, longest=9)
Y, Y_VAL = RNG.standard_normal(N), RNG.standard_normal(M)
W_VAL = np.arange(1.0, M + 1)


def targets(kind, y):
    return y if kind == "regressor" else np.where(y > 0, "up", "down")


def per_step(kind, y, X):
    values = [np.cos(value + np.arange(len(x))) for value, x in zip(y, X, strict=True)]
    return [targets(kind, value) for value in values]


@pytest.fixture(params=ESTIMATORS)
def kind(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["per sequence", "per step"])
def problem(request, kind):
    """An estimator, y and y_val."""
    if request.param:
        y, y_val = per_step(kind, Y, X), per_step(kind, Y_VAL, X_VAL)
        return ESTIMATORS[kind](return_sequences=True, **FAST), y, y_val
    return ESTIMATORS[kind](**FAST), targets(kind, Y), targets(kind, Y_VAL)


@pytest.mark.parametrize("weights", [None, W_VAL], ids=["", "weighted"])
def test_without_early_stopping_validation_changes_nothing_else(problem, weights):
    model, y, y_val = problem
    model.set_params(early_stopping=False)
    plain = clone(model).fit(X, y)
    model.fit(X, y, X_val=X_VAL, y_val=y_val, sample_weight_val=weights)
    assert_same_weights(model, plain)
    assert model.loss_curve_ == plain.loss_curve_
    for name in ("loss_curve", "scores"):
        assert getattr(plain, f"validation_{name}_") is None
    assert plain.best_validation_score_ is plain.best_iteration_ is None

    scores = model.validation_scores_
    assert len(scores) == model.n_iter_ == 12
    for epochs in (1, 5, 12):
        same = clone(model).set_params(max_iter=epochs).fit(X, y)
        expected = same.score(X_VAL, y_val, sample_weight=weights)
        assert_allclose(scores[epochs - 1], expected, rtol=1e-12)
    assert model.best_iteration_ == np.argmin(model.validation_loss_curve_) + 1
    assert model.best_validation_score_ == scores[model.best_iteration_ - 1]


@pytest.mark.parametrize("weights", [None, W_VAL], ids=["", "weighted"])
def test_early_stopping_keeps_the_best_weights_and_trains_on_all_of_x(kind, problem, weights):
    model, y, y_val = problem
    recorded = clone(model).fit(X, y, X_val=X_VAL, y_val=y_val, sample_weight_val=weights)
    model.set_params(early_stopping=True, n_iter_no_change=3)
    model.fit(X, y, X_val=X_VAL, y_val=y_val, sample_weight_val=weights)

    unit = 1 if kind == "classifier" else np.var(np.concatenate(y) if model.return_sequences else y)
    last = end_of(recorded.validation_loss_curve_, model.tol * unit, 3) or 12
    losses, scores = model.validation_loss_curve_, model.validation_scores_
    assert model.n_iter_ == last
    assert losses == recorded.validation_loss_curve_[:last]
    assert scores == recorded.validation_scores_[:last]
    assert model.best_iteration_ == np.argmin(losses) + 1
    assert losses[-1] > min(losses), "the last epoch is the best, and the test shows nothing"
    assert model.t_ == last * N
    same = clone(model).set_params(early_stopping=False, max_iter=model.best_iteration_)
    assert_same_weights(model, same.fit(X, y))
    score = model.score(X_VAL, y_val, sample_weight=weights)
    assert_allclose(score, model.best_validation_score_, rtol=1e-12)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_what_decides_when_to_stop(early_stopping):
    """The loss falls all the time, and that of validation rises, since y_val is the opposite."""
    options = FAST | {"learning_rate_init": 0.005, "n_iter_no_change": 2, "tol": 0}
    model = RNNRegressor(**options, early_stopping=early_stopping)
    model.fit(X, Y, X_val=X, y_val=Y.mean() - 100 * (Y - Y.mean()))
    assert (np.diff(model.loss_curve_) < 0).all()
    assert (np.diff(model.validation_loss_curve_) > 0).all()
    assert model.n_iter_ == (4 if early_stopping else 12)
    assert model.best_iteration_ == 1


def test_held_out_data_have_a_best_iteration_too(kind):
    model = ESTIMATORS[kind](**FAST, early_stopping=True).fit(X, targets(kind, Y))
    assert model.best_iteration_ == np.argmin(model.validation_loss_curve_) + 1


CONTAINERS = {
    "list": X_VAL,
    "tuple": tuple(X_VAL),
    "object array": object_array(X_VAL),
    "padded": padded(X_VAL),
    "float32": [x.astype(np.float32).astype(np.float64) for x in X_VAL],
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_of_sequences(problem, container):
    model, y, y_val = problem
    expected = clone(model).fit(X, y, X_val=CONTAINERS[container][:], y_val=y_val)
    for X_train in (X, padded(X), object_array(X)):
        model.fit(X_train, y, X_val=CONTAINERS[container], y_val=y_val)
        assert model.validation_scores_ == expected.validation_scores_
    if container == "float32":
        single = [x.astype(np.float32) for x in X_VAL]
        model.fit(X, y, X_val=single, y_val=y_val)
        assert model.validation_scores_ == expected.validation_scores_


def test_tables(kind):
    table, table_val = RNG.normal(size=(N, 5)), RNG.normal(size=(M, 5))
    y, y_val = targets(kind, Y), targets(kind, Y_VAL)
    model = ESTIMATORS[kind](**FAST).fit(table, y, X_val=table_val, y_val=y_val)
    assert_allclose(model.score(table_val, y_val), model.best_validation_score_, rtol=1e-12)
    columns = [f"lag_{k}" for k in range(5, 0, -1)]
    frame, frame_val = (pd.DataFrame(part, columns=columns) for part in (table, table_val))
    same = clone(model).fit(frame, y, X_val=frame_val, y_val=y_val)
    assert same.validation_scores_ == model.validation_scores_
    with pytest.raises(ValueError, match="X_val: The feature names should match"):
        model.fit(frame, y, X_val=frame_val[columns[::-1]], y_val=y_val)


def test_multilabel_targets():
    y, y_val = RNG.integers(2, size=(N, 3)), RNG.integers(2, size=(M, 3))
    model = RNNClassifier(**FAST).fit(X, y, X_val=X_VAL, y_val=y_val)
    assert model.best_validation_score_ == pytest.approx(model.score(X_VAL, y_val))
    with pytest.raises(ValueError, match="y_val must be a multilabel indicator"):
        model.fit(X, y, X_val=X_VAL, y_val=y_val[:, 0])
    with pytest.raises(ValueError, match="y_val has 2 labels"):
        model.fit(X, y, X_val=X_VAL, y_val=y_val[:, :2])
    with pytest.raises(ValueError, match="y_val must be a multilabel indicator"):
        model.fit(X, y[:, 0], X_val=X_VAL, y_val=y_val)


def test_how_many_outputs_there_are_is_said_by_y():
    model = RNNRegressor(**FAST).fit(X, Y, X_val=X_VAL, y_val=Y_VAL[:, np.newaxis])
    assert model.predict(X).shape == (N,)
    with pytest.raises(ValueError, match=r"y_val has 2 outputs, but .* training data have 1"):
        model.fit(X, Y, X_val=X_VAL, y_val=np.column_stack([Y_VAL, Y_VAL]))


def test_weights_of_zero_are_as_if_the_samples_were_not_there(problem):
    model, y, y_val = problem
    weights = np.where(np.arange(M) < 7, 1.0, 0.0)
    few = clone(model).fit(X, y, X_val=X_VAL[:7], y_val=y_val[:7])
    model.fit(X, y, X_val=X_VAL, y_val=y_val, sample_weight_val=weights)
    assert_allclose(model.validation_scores_, few.validation_scores_, rtol=1e-12)


def test_fits_of_an_epoch_each_are_one_fit_of_many(problem):
    model, y, y_val = problem
    model.set_params(early_stopping=True, warm_start=True)
    whole = clone(model).fit(X, y, X_val=X_VAL, y_val=y_val)
    model.set_params(max_iter=1)
    for _ in whole.validation_scores_:
        model.fit(X, y, X_val=X_VAL, y_val=y_val)
    assert model.validation_scores_ == whole.validation_scores_
    assert model.best_iteration_ == whole.best_iteration_ < whole.n_iter_
    assert_same_weights(model, whole)


def test_early_stopping_may_be_switched_on_when_fit_goes_on(problem):
    """The best weights are kept from the start, so that those of the best score can come back."""
    model, y, y_val = problem
    model.set_params(warm_start=True, early_stopping=False)
    model.fit(X, y, X_val=X_VAL, y_val=y_val)
    best = model.best_iteration_
    assert best < 12
    model.set_params(early_stopping=True, max_iter=1, learning_rate_init=1e-12)
    model.fit(X, y, X_val=X_VAL, y_val=y_val)
    assert model.best_iteration_ == best
    same = clone(model).set_params(
        early_stopping=False, max_iter=best, learning_rate_init=0.05, warm_start=False
    )
    assert_same_weights(model, same.fit(X, y))


def test_a_pickle_holds_the_parameters_once_and_no_data(kind):
    y, y_val = targets(kind, Y), targets(kind, Y_VAL)
    model = ESTIMATORS[kind](**FAST | {"hidden_size": 40, "max_iter": 2}, early_stopping=True)
    n_bytes = model.fit(X, y, X_val=X_VAL * 50, y_val=np.tile(y_val, 50))._parameters.vector.nbytes
    assert len(pickle.dumps(model)) < n_bytes + 4000


BAD = {
    "X_val alone": ({"X_val": X_VAL}, "y_val must be given too"),
    "y_val alone": ({"y_val": Y_VAL}, "X_val must be given too"),
    "weights alone": ({"sample_weight_val": W_VAL}, "X_val and y_val must be given too"),
    "another width": (
        {"X_val": [x[:, :1] for x in X_VAL], "y_val": Y_VAL},
        r"X_val has 1 features, but RNN\w+ is expecting 2",
    ),
    "a table": ({"X_val": np.ones((M, 2)), "y_val": Y_VAL}, "X_val is 2-D .* sequences"),
    "no sequences": ({"X_val": 3.0, "y_val": Y_VAL}, "X_val must be an array"),
    "NaN": (
        {"X_val": [*X_VAL[:3], X_VAL[3] * np.nan, *X_VAL[4:]], "y_val": Y_VAL},
        "Input X_val contains NaN .* sample 3",
    ),
    "too short": ({"X_val": X_VAL, "y_val": Y_VAL[:-1]}, "X_val has 10 sequences, y_val has 9"),
    "several targets": ({"X_val": X_VAL, "y_val": X_VAL}, "y_val has several targets"),
    "no finite target": ({"X_val": X_VAL, "y_val": Y_VAL * np.nan}, "y_val"),
    "negative weight": (
        {"X_val": X_VAL, "y_val": Y_VAL, "sample_weight_val": W_VAL - 5},
        "sample_weight_val is negative for sample 0",
    ),
    "too few weights": (
        {"X_val": X_VAL, "y_val": Y_VAL, "sample_weight_val": W_VAL[:4]},
        "sample_weight_val has 4",
    ),
    "one sample": ({"X_val": X_VAL[:1], "y_val": Y_VAL[:1]}, "X_val has 1 targets"),
    "one sample of positive weight": (
        {"X_val": X_VAL, "y_val": Y_VAL, "sample_weight_val": np.arange(M) == 3},
        "X_val has 1 targets of positive weight",
    ),
}


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("name", BAD)
def test_bad_validation_data_are_refused_before_training(kind, name, early_stopping, capsys):
    bad, words = dict(BAD[name][0]), BAD[name][1]
    if isinstance(bad.get("y_val"), np.ndarray) and name != "no finite target":
        bad["y_val"] = targets(kind, bad["y_val"])
    model = ESTIMATORS[kind](**FAST, early_stopping=early_stopping)
    for estimator in (model, clone(model).fit(X, targets(kind, Y))):
        before = pickle.dumps(estimator)
        with pytest.raises((ValueError, TypeError)) as caught:
            estimator.set_params(verbose=1).fit(X, targets(kind, Y), **bad)
        assert re.search(words, str(caught.value)), caught.value
        assert pickle.dumps(estimator.set_params(verbose=0)) == before
    assert capsys.readouterr().out == ""


def test_targets_that_the_loss_can_not_take_are_refused():
    with pytest.raises(ValueError, match=r"y_val.*negative|negative.*y_val"):
        RNNRegressor(**FAST, loss="poisson").fit(X, np.abs(Y), X_val=X_VAL, y_val=Y_VAL)


@pytest.mark.parametrize("loss", RNNRegressor._losses)
def test_every_loss_is_validated_by_itself(loss):
    y, y_val = 3 + np.abs(Y), 3 + np.abs(Y_VAL)
    model = RNNRegressor(**FAST, loss=loss, early_stopping=True)
    model.fit(X, y, X_val=X_VAL, y_val=y_val)
    recorded = clone(model).set_params(early_stopping=False, alpha=0, max_iter=3)
    recorded.fit(X_VAL, y_val, X_val=X_VAL, y_val=y_val)
    # The loss of an epoch is that of the parameters before its only update.
    assert_allclose(recorded.validation_loss_curve_[:-1], recorded.loss_curve_[1:], rtol=1e-10)
    losses = model.validation_loss_curve_
    assert len(losses) == model.n_iter_
    assert model.best_iteration_ == np.argmin(losses) + 1


def test_class_weight_does_not_touch_the_weights_of_validation_data():
    y, y_val = targets("classifier", Y), targets("classifier", Y_VAL)
    model = RNNClassifier(**FAST, class_weight={"up": 10, "down": 1})
    model.fit(X, y, X_val=X_VAL, y_val=y_val)
    assert_allclose(model.best_validation_score_, model.score(X_VAL, y_val), rtol=1e-12)


def test_sequences_for_a_table_are_refused(kind):
    y, y_val = targets(kind, Y), targets(kind, Y_VAL)
    with pytest.raises(ValueError, match=r"X_val is 3-D or a list .* fitted on 2-D X"):
        ESTIMATORS[kind](**FAST).fit(np.ones((N, 4)), y, X_val=np.ones((M, 4, 1)), y_val=y_val)


def test_what_is_too_large_for_the_precision_of_x_is_refused(kind):
    single = [x.astype(np.float32) for x in X]
    large = [x * 1e300 for x in X_VAL]
    with pytest.raises(ValueError, match="X_val has values too large for float32 in sample 0"):
        ESTIMATORS[kind](**FAST).fit(
            single, targets(kind, Y), X_val=large, y_val=targets(kind, Y_VAL)
        )


def test_labels_that_training_has_not_seen_are_refused():
    y_val = np.where(Y_VAL > 0, "up", "X")
    with pytest.raises(ValueError, match=r"y_val has labels .* \['X'\]; the classes are"):
        RNNClassifier(**FAST).fit(X, targets("classifier", Y), X_val=X_VAL, y_val=y_val)


class Standardize(TransformerMixin, BaseEstimator):
    """Scale sequences by what was learned from those of fit."""

    def fit(self, X, y=None):
        steps = np.concatenate(X)
        self.mean_, self.scale_ = steps.mean(axis=0), steps.std(axis=0)
        return self

    def transform(self, X):
        return [(x - self.mean_) / self.scale_ for x in X]


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.usefixtures("routing")
class TestRouting:
    far = staticmethod(lambda X: [7 + 3 * x for x in X])

    def pipeline(self, model):
        requests = {"X_val": True, "y_val": True, "sample_weight_val": True}
        model.set_params(early_stopping=True).set_fit_request(**requests)
        return Pipeline([("scale", Standardize()), ("rnn", model)], transform_input=["X_val"])

    def test_a_pipeline_transforms_x_val_like_x(self, problem):
        model, y, y_val = problem
        pipeline = self.pipeline(model)
        given = {"y_val": y_val, "sample_weight_val": W_VAL}
        pipeline.fit(self.far(X), y, X_val=self.far(X_VAL), **given)
        scale = Standardize().fit(self.far(X))
        alone = clone(model).fit(
            scale.transform(self.far(X)), y, X_val=scale.transform(self.far(X_VAL)), **given
        )
        assert pipeline["rnn"].validation_scores_ == alone.validation_scores_
        assert_same_weights(pipeline["rnn"], alone)
        raw = clone(model).fit(scale.transform(self.far(X)), y, X_val=self.far(X_VAL), **given)
        assert raw.validation_scores_ != alone.validation_scores_

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_a_search_gives_every_candidate_all_of_them(self, problem, n_jobs):
        model, y, y_val = problem
        folds = list(KFold(3).split(X))
        search = GridSearchCV(
            self.pipeline(model), {"rnn__cell": ["elman", "gru"]}, cv=folds, n_jobs=n_jobs
        )
        search.fit(X, y, X_val=X_VAL, y_val=y_val, sample_weight_val=W_VAL)
        for fold, (train, test) in enumerate(folds):
            for row, params in enumerate(search.cv_results_["params"]):
                alone = clone(search.estimator).set_params(**params)
                part, y_part = [X[i] for i in train], [y[i] for i in train]
                alone.fit(part, y_part, X_val=X_VAL, y_val=y_val, sample_weight_val=W_VAL)
                score = alone.score([X[i] for i in test], [y[i] for i in test])
                assert search.cv_results_[f"split{fold}_test_score"][row] == score
        assert len(search.best_estimator_["rnn"].validation_scores_) > 0
