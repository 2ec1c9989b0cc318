"""The callback EarlyStopping with scikit-learn's scorers, on targets per timestep."""

import numpy as np
import pytest
from sklearn.metrics import fbeta_score, get_scorer, make_scorer

from sequences import CONTAINERS, object_array, padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.callbacks import EarlyStopping
from sklearn_rnn.metrics import make_sequence_scorer

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

OPTIONS = {
    "return_sequences": True,
    "hidden_size": 3,
    "max_iter": 8,
    "learning_rate_init": 0.1,
    "random_state": 0,
}
RAGGED = ragged(24, n_features=1)
EQUAL = [np.resize(x, (4, 1)) for x in RAGGED]
# How sequences are put: of different lengths, or of one.
GIVEN = {
    **{name: (RAGGED, wrap) for name, wrap in CONTAINERS.items()},
    "3-D array": (EQUAL, np.array),
    "list of one length": (EQUAL, list),
    "object array of one length": (EQUAL, object_array),
}
WEIGHTS = np.linspace(0.5, 2, 8)
OF_LABELS = {
    "accuracy": "accuracy",
    "f1_macro": "f1_macro",
    "roc_auc": "roc_auc",
    "neg_log_loss": "neg_log_loss",
    "a scorer by name": get_scorer("jaccard_macro"),
    "a scorer of a metric": make_scorer(fbeta_score, beta=2, average="macro"),
}
OF_NUMBERS = ["r2", "neg_root_mean_squared_error", "neg_max_error"]


def scores(model, scoring, given, stopping=True):
    X, y, X_val, y_val, weights = given
    model.set_callbacks(*[EarlyStopping(scoring, n_iter_no_change=9)] if stopping else [])
    model.fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=weights)
    return model.validation_scores_


def in_parts(name, target, weights=None):
    sequences, wrap = GIVEN[name]
    X, y = wrap(sequences), wrap([target(x[:, 0].cumsum()) for x in sequences])
    return X[:16], y[:16], X[16:], y[16:], weights


def to_bits(numbers):
    return (numbers > 0).astype(int)


@pytest.mark.parametrize("name", GIVEN)
@pytest.mark.parametrize("scoring", OF_LABELS.values(), ids=OF_LABELS)
def test_labels(scoring, name):
    given = in_parts(name, to_bits)
    expected = scores(RNNClassifier(**OPTIONS), make_sequence_scorer(scoring), given)
    assert scores(RNNClassifier(**OPTIONS), scoring, given) == expected
    assert len(set(expected)) > 1


@pytest.mark.parametrize("name", GIVEN)
@pytest.mark.parametrize("scoring", OF_NUMBERS)
def test_numbers(scoring, name):
    given = in_parts(name, np.sin)
    expected = scores(RNNRegressor(**OPTIONS), make_sequence_scorer(scoring), given)
    assert scores(RNNRegressor(**OPTIONS), scoring, given) == expected


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weights"])
@pytest.mark.parametrize("name", GIVEN)
def test_accuracy_is_the_classifiers_own_score(name, weights):
    given = in_parts(name, to_bits, weights)
    own = scores(RNNClassifier(**OPTIONS), None, given, stopping=False)
    assert scores(RNNClassifier(**OPTIONS), "accuracy", given) == pytest.approx(own, rel=1e-12)


def test_on_what_the_estimator_holds_out():
    X, y = padded(RAGGED), padded([to_bits(x[:, 0]) for x in RAGGED])
    options = OPTIONS | {"early_stopping": True, "validation_fraction": 0.3, "n_iter_no_change": 9}
    own = RNNClassifier(**options).fit(X, y).validation_scores_
    by_name = RNNClassifier(**options).set_callbacks(EarlyStopping("accuracy", n_iter_no_change=9))
    assert by_name.fit(X, y).validation_scores_ == pytest.approx(own, rel=1e-12)


@pytest.mark.parametrize("scoring", [make_sequence_scorer("accuracy", averaged_by="sequence")])
def test_other_callables_are_called_as_they_are(scoring):
    seen = []

    def look(*arguments):
        seen.append(scoring(*arguments))
        return seen[-1]

    given = in_parts("list", to_bits)
    assert scores(RNNClassifier(**OPTIONS), look, given) == seen
    assert scores(RNNClassifier(**OPTIONS), scoring, given) == seen
