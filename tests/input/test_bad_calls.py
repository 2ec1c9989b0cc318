"""What is right for the estimator, but not for what it was fitted to, or not for this call."""

import re

import numpy as np
import pytest

from refusals import (
    ARRAY,
    LABELS,
    NUMBERS,
    RAGGED,
    RAGGED_LABELS,
    STEP_LABELS,
    TABLE,
    TARGETS,
    THING,
    N,
    make,
    refused,
)
from versions import scikit_learn_since

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# No conversion of the second to the type of the first makes these labels the same.
UNSEEN_LABELS = [
    ([0, 1], [0, 1, 2]),
    ([0, 1], ["a", "b"]),
    ([0, 1], ["0", "1"]),
    ([0, 1], [0.0, 7.0]),
    (np.array([0, 1], np.int8), [0, 257]),
    ([0, -(2**63)], np.array([0, 2**63], np.uint64)),
    (["a", "b"], ["a", "b", "c"]),
    (["a", "b"], ["ab", "b"]),
    (["0", "1"], [0, 1]),
    (np.array(["a", "b"], dtype=object), ["ab", "b"]),
    ([False, True], [0, 2]),
]


class TestGoingOn:
    """partial_fit, and fit with warm_start, want the network that is there."""

    @pytest.fixture(params=["partial_fit", "warm_start"])
    def method(self, request):
        return request.param

    def refused(self, estimator, method, *args, **kwargs):
        estimator.set_params(warm_start=method == "warm_start")
        refused(estimator, "partial_fit" if method == "partial_fit" else "fit", *args, **kwargs)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("cell", "lstm"),
            ("hidden_size", 3),
            ("n_layers", 2),
            ("bidirectional", True),
            ("pooling", "mean"),
            ("pooling", ("last", "max")),
            ("return_sequences", True),
        ],
    )
    def test_another_architecture(self, kind, method, name, value):
        estimator = make(kind, ARRAY).set_params(**{name: value})
        y = STEP_LABELS if name == "return_sequences" else TARGETS[kind]
        if kind == "classifier":
            y = y % 2
        self.refused(estimator, method, ARRAY, y, words=[name, re.escape(str(value)), "warm_start"])

    def test_another_activation(self, kind, method):
        estimator = make(kind, ARRAY, cell="elman").set_params(activation="relu")
        words = ["activation", "relu", "tanh"]
        self.refused(estimator, method, ARRAY, TARGETS[kind], words=words)

    @pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1), (2, 3)])
    def test_other_outputs(self, method, before, after):
        y = np.zeros((N, 3))
        estimator = make("regressor", ARRAY, y[:, :before])
        words = [r"\by\b|outputs", str(before), str(after)]
        self.refused(estimator, method, ARRAY, y[:, :after], words=words)

    @pytest.mark.parametrize(("before", "after"), [(2, 3), (3, 2)])
    def test_another_number_of_labels(self, method, before, after):
        y = np.random.default_rng(0).integers(2, size=(N, 3))
        estimator = make("classifier", ARRAY, y[:, :before])
        words = [r"\by\b", str(after), "labels"]
        self.refused(estimator, method, ARRAY, y[:, :after], words=words)

    @pytest.mark.parametrize(
        ("before", "after"), [(LABELS, np.c_[LABELS, 1 - LABELS]), (np.c_[LABELS, LABELS], LABELS)]
    )
    def test_multilabel_or_not(self, method, before, after):
        estimator = make("classifier", ARRAY, before)
        self.refused(estimator, method, ARRAY, after, words=[r"\by\b", "multilabel"])

    @pytest.mark.parametrize(("known", "given"), UNSEEN_LABELS)
    def test_unseen_labels(self, method, known, given):
        for X, per_step in ((ARRAY, False), (TABLE, True)):
            shape = X.shape if per_step else N
            estimator = make("classifier", X, np.resize(known, shape), return_sequences=per_step)
            y = np.resize(given, shape)
            self.refused(estimator, method, X, y, words=[r"\by\b", "label|class"])

    def test_a_refused_call_makes_no_difference_to_the_next(self, kind, method):
        calls = []
        for refusals in (0, 3):
            estimator = make(kind, ARRAY, warm_start=True, max_iter=2)
            for _ in range(refusals):
                self.refused(estimator, method, ARRAY, TARGETS[kind][:3])
                self.refused(estimator, method, TABLE, TARGETS[kind])
            if method == "partial_fit":
                estimator.partial_fit(ARRAY, TARGETS[kind])
            else:
                estimator.set_params(warm_start=True).fit(ARRAY, TARGETS[kind])
            calls.append(estimator.predict(ARRAY))
        assert np.array_equal(*calls)


class TestClassesOfPartialFit:
    def test_missing_in_the_first_call(self):
        words = ["classes", "first call"]
        refused(make("classifier"), "partial_fit", ARRAY, LABELS, words=words)
        refused(make("classifier"), "partial_fit", ARRAY, LABELS, classes=None, words=words)

    @pytest.mark.parametrize(("classes", "labels"), [*UNSEEN_LABELS, ([0], [0, 1])])
    def test_labels_that_are_not_among_them(self, classes, labels):
        y = np.resize(labels, N)
        words = [r"\by\b", "label|class"]
        refused(make("classifier"), "partial_fit", ARRAY, y, classes=classes, words=words)

    @pytest.mark.parametrize(
        "classes",
        [[], 1, "ab", [0, np.nan], [0, None], [0, "a"], {0: 1}, {0, 1}, THING, [[0], [1, 2]]],
        ids=str,
    )
    def test_nonsense(self, classes):
        words = ["classes"]
        refused(make("classifier"), "partial_fit", ARRAY, LABELS, classes=classes, words=words)

    @pytest.mark.parametrize("classes", [[0], [0, 1, 2], ["0", "1"], [1, 2]])
    def test_others_than_before(self, classes):
        words = ["classes", "first call"]
        for estimator in (
            make("classifier", ARRAY),
            make("classifier").partial_fit(ARRAY, LABELS, classes=[0, 1]),
        ):
            refused(estimator, "partial_fit", ARRAY, LABELS, classes=classes, words=words)

    @pytest.mark.parametrize("classes", [[1, 0], [0, 1, 1], np.array([0.0, 1.0]), (0, 1)])
    def test_the_same_in_other_words(self, classes):
        estimator = make("classifier").partial_fit(ARRAY, LABELS, classes=[0, 1])
        estimator.partial_fit(ARRAY, LABELS, classes=classes)
        assert estimator.classes_.tolist() == [0, 1]

    def test_of_multilabel_targets(self):
        y = np.c_[LABELS, 1 - LABELS, LABELS]
        words = [r"\by\b", "3 labels"]
        refused(make("classifier"), "partial_fit", ARRAY, y, classes=[0, 1], words=words)


class TestScore:
    """What is right for the estimator, but not for what it was fitted to."""

    def test_other_outputs(self):
        refused(make("regressor", ARRAY), "score", ARRAY, np.c_[NUMBERS, NUMBERS])
        refused(make("regressor", ARRAY, np.c_[NUMBERS, NUMBERS]), "score", ARRAY, NUMBERS)

    @pytest.mark.parametrize(
        "y",
        [
            pytest.param(
                ["a", "b"] * 3, marks=scikit_learn_since(9, "an accuracy that refuses mixed labels")
            ),
            np.c_[LABELS, 1 - LABELS],
            NUMBERS,
        ],
    )
    def test_other_labels(self, y):
        refused(make("classifier", ARRAY), "score", ARRAY, y)

    def test_targets_per_timestep(self, kind):
        refused(make(kind, RAGGED), "score", RAGGED, RAGGED_LABELS, words=["return_sequences"])
        estimator = make(kind, RAGGED, RAGGED_LABELS, return_sequences=True)
        refused(estimator, "score", RAGGED, LABELS, words=["return_sequences", r"y\[0\]"])
