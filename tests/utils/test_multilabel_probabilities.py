"""Some of scikit-learn's classifiers return a list of probabilities for multilabel targets."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from sklearn_rnn.utils import check_sequence_estimator


def flat(X):
    return np.asarray(X).reshape(len(X), -1)


@pytest.mark.filterwarnings("ignore:divide by zero encountered in log")  # forests' and trees'
@pytest.mark.parametrize(
    "classifier",
    [
        RandomForestClassifier(n_estimators=3),
        ExtraTreesClassifier(n_estimators=3),
        DecisionTreeClassifier(),
        KNeighborsClassifier(),
        MLPClassifier(max_iter=5),  # returns one array
    ],
    ids=lambda classifier: type(classifier).__name__,
)
def test_a_list_is_as_good_as_an_array(classifier):
    pipeline = make_pipeline(FunctionTransformer(flat), classifier)
    declared = {"array": True, "ragged": False, "padded": False, "any_length": False}
    results = check_sequence_estimator(pipeline, on_fail=None, on_skip=None, **declared)
    status = {result["check_name"]: result["status"] for result in results}
    assert status["check_several_outputs"] == status["check_probabilities"] == "passed"
