"""Scorers of targets per timestep: sample weights, and how they come there."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.metrics import f1_score, make_scorer, max_error, mean_absolute_error
from sklearn.model_selection import GridSearchCV, KFold, cross_validate

from sequences import padded
from sklearn_rnn import RNNRegressor
from sklearn_rnn.metrics import make_sequence_scorer
from timestep_targets import (
    LABELS,
    LENGTHS,
    NUMBERS,
    OF_SEQUENCES,
    SMALL,
    WEIGHTS,
    RegressorOfLists,
    X,
    fit_classifier,
    predicted_numbers,
)
from versions import scikit_learn_since

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("weights", [OF_SEQUENCES, WEIGHTS], ids=["per sequence", "per timestep"])
def test_sample_weight(weights):
    model = fit_classifier()
    flat = np.repeat(weights, LENGTHS) if weights is OF_SEQUENCES else np.concatenate(weights)
    expected = f1_score(
        np.concatenate(LABELS),
        np.concatenate(model.predict(X)),
        average="macro",
        sample_weight=flat,
    )
    for container in (list, padded):
        score = make_sequence_scorer("f1_macro")(model, container(X), LABELS, sample_weight=weights)
        assert score == pytest.approx(expected, rel=1e-12)


def test_weights_through_routing():
    regressor = RegressorOfLists(0.1)
    folds = list(KFold(3).split(X))
    expected = {}
    for name, weights in {"plain": None, "weighted": OF_SEQUENCES}.items():
        expected[name] = [
            -mean_absolute_error(
                np.concatenate([NUMBERS[i] for i in test]),
                np.concatenate([predicted_numbers(0.1)[i] for i in test]),
                sample_weight=None
                if weights is None
                else np.repeat(weights[test], [LENGTHS[i] for i in test]),
            )
            for _, test in folds
        ]
    with config_context(enable_metadata_routing=True):
        for name, asked in {"plain": False, "weighted": True}.items():
            scorer = make_sequence_scorer("neg_mean_absolute_error")
            scorer.set_score_request(sample_weight=asked)
            for scoring in (scorer, {"mae": scorer}):
                results = cross_validate(
                    regressor,
                    X,
                    NUMBERS,
                    cv=folds,
                    scoring=scoring,
                    params={"sample_weight": OF_SEQUENCES} if asked else {},
                )
                scores = results["test_score" if scoring is scorer else "test_mae"]
                np.testing.assert_allclose(scores, expected[name], rtol=1e-12)


def test_what_is_asked_for_stays_with_the_scorer():
    with config_context(enable_metadata_routing=True):
        made = make_scorer(mean_absolute_error, greater_is_better=False)
        weighted = make_sequence_scorer(made).set_score_request(sample_weight=True)
        scorers = {made: None, make_sequence_scorer(made): None, weighted: True}
        for scorer, asked in scorers.items():
            assert scorer.get_metadata_routing().score.requests.get("sample_weight") is asked


@scikit_learn_since(7, "searches that pass weights on to scorers")
def test_a_search_passes_weights_on():
    """To those scorers, in a dict too, whose metric takes them."""
    scoring = {
        "mae": make_sequence_scorer("neg_mean_absolute_error"),
        "max": make_sequence_scorer("neg_max_error"),
    }
    model, folds = RNNRegressor(**SMALL), list(KFold(2).split(X))
    search = GridSearchCV(model, {"hidden_size": [2]}, scoring=scoring, refit=False, cv=folds)
    with pytest.warns(UserWarning, match="max=.* does not support sample_weight"):
        search.fit(X, NUMBERS, sample_weight=OF_SEQUENCES)
    train, test = folds[0]
    model.set_params(hidden_size=2).fit(
        [X[i] for i in train], [NUMBERS[i] for i in train], sample_weight=OF_SEQUENCES[train]
    )
    predicted = model.predict([X[i] for i in test])
    flat = np.concatenate([NUMBERS[i] for i in test]), np.concatenate(predicted)
    weights = np.repeat(OF_SEQUENCES[test], [LENGTHS[i] for i in test])
    mae = -mean_absolute_error(*flat, sample_weight=weights)
    assert search.cv_results_["split0_test_mae"][0] == pytest.approx(mae, rel=1e-9)
    assert search.cv_results_["split0_test_max"][0] == pytest.approx(-max_error(*flat), rel=1e-9)
