"""The classifier's class_weight, which multiplies sample weights, and label_smoothing."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.model_selection import cross_val_score
from sklearn.utils import get_tags

import reference
from fits import TEXTBOOK, assert_same_fit
from sequences import ragged
from sklearn_rnn import RNNClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FAST = {"hidden_size": 4, "max_iter": 5, "learning_rate_init": 0.02, "random_state": 0}
X = ragged(30, n_features=2, seed=0)
RARE = np.repeat(["common", "rare", "rarer"], [20, 7, 3])
PER_STEP = [np.where(x[:, 0] > 0.8, "rare", "common") for x in X]
WEIGHTS = np.random.default_rng(1).random(30) + 0.2
KINDS = {"per sequence": (RARE, False), "per step": (PER_STEP, True)}
kinds = pytest.mark.parametrize(("y", "per_step"), KINDS.values(), ids=KINDS)


def multiplied(y, per_step, by_label, weights=None):
    """Sample weights times class weights, one by one."""
    weights = np.ones(30) if weights is None else weights
    if per_step:
        return [
            np.array([w * by_label[label] for label in part])
            for part, w in zip(y, weights, strict=True)
        ]
    return np.array([w * by_label[label] for label, w in zip(y, weights, strict=True)])


@kinds
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("options", [{}, {"early_stopping": True, "batch_size": 7}], ids=str)
def test_it_multiplies_the_sample_weights(y, per_step, weights, options):
    options = FAST | options | {"return_sequences": per_step}
    by_label = {"common": 0.5, "rare": 2.0, "rarer": 4.0}
    model = RNNClassifier(class_weight=by_label, **options).fit(X, y, weights)
    same = RNNClassifier(**options).fit(X, y, multiplied(y, per_step, by_label, weights))
    assert_same_fit(model, same)
    assert model.loss_curve_ != RNNClassifier(**options).fit(X, y, weights).loss_curve_
    if not model.early_stopping:
        model.partial_fit(X, y, sample_weight=weights)
        same.partial_fit(X, y, sample_weight=multiplied(y, per_step, by_label, weights))
        assert model.loss_ == same.loss_


@kinds
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_balanced_classes_have_the_same_sum(y, per_step, weights):
    """n / (n_classes * n_of_the_class), all of them sums of weights."""
    sums = dict.fromkeys(["common", "rare"] if per_step else ["common", "rare", "rarer"], 0.0)
    for label_or_labels, w in zip(y, np.ones(30) if weights is None else weights, strict=True):
        for label in np.atleast_1d(label_or_labels):
            sums[label] += w
    total = sum(sums.values())
    by_label = {label: total / (len(sums) * of_class) for label, of_class in sums.items()}
    options = FAST | {"return_sequences": per_step}
    model = RNNClassifier(class_weight="balanced", **options).fit(X, y, weights)
    same = RNNClassifier(**options).fit(X, y, multiplied(y, per_step, by_label, weights))
    assert_allclose(model.loss_curve_, same.loss_curve_, rtol=1e-10)
    for name, array in same.weights_.items():
        assert_allclose(model.weights_[name], array, rtol=0, atol=1e-9)


def test_a_class_whose_samples_all_have_weight_zero():
    """It is no class: weight zero is absence."""
    kept = RARE != "rarer"
    model = RNNClassifier(class_weight="balanced", **FAST).fit(X, RARE, kept.astype(float))
    assert model.classes_.tolist() == ["common", "rare"]
    part = [x for x, keep in zip(X, kept, strict=True) if keep]
    same = RNNClassifier(class_weight="balanced", **FAST).fit(part, RARE[kept])
    assert_same_fit(model, same)


@pytest.mark.parametrize(
    ("labels", "class_weight"),
    [
        ([1.0, 2.0], {1: 3.0, 2.0: 0.5}),
        (["1", "2"], {"1": 3.0, "2": 0.5}),
        ([False, True], {False: 3.0, True: 0.5}),
        (np.array([1, 2], np.uint8), {1: 3.0, 2: 0.5}),
        (np.array(["a", 7], dtype=object).astype(str), {"a": 0.5, "7": 3.0}),
        ([-1, 1], {-1: 3, 1: np.float32(0.5)}),
    ],
    ids=str,
)
def test_labels_of_any_type(labels, class_weight):
    """Also where scikit-learn's compute_class_weight takes "1" for 1."""
    y = np.resize(labels, 30)
    model = RNNClassifier(class_weight=class_weight, **FAST).fit(X, y)
    weights = [float(class_weight[label]) for label in y.tolist()]
    assert_same_fit(model, RNNClassifier(**FAST).fit(X, y, weights))


def test_a_dict_need_not_have_all_classes_nor_the_data():
    part = RNNClassifier(class_weight={"rare": 3.0}, **FAST).fit(X, RARE)
    same = RNNClassifier(class_weight={"rare": 3.0, "common": 1.0, "rarer": 1}, **FAST)
    assert_same_fit(part, same.fit(X, RARE))
    same.fit(X[:25], RARE[:25])  # as in cross-validation
    with pytest.raises(ValueError, match=r"\['Rare'\].*not among.*\['common', 'rare', 'rarer'\]"):
        RNNClassifier(class_weight={"Rare": 3.0}, **FAST).fit(X, RARE)


def test_balanced_finds_more_of_the_rare():
    rng = np.random.default_rng(0)
    sequences = rng.standard_normal((400, 6, 1))
    y = sequences.sum(axis=(1, 2)) + 2 * rng.standard_normal(400) > 5  # some 6 %
    options = {"hidden_size": 8, "max_iter": 15, "learning_rate_init": 0.02, "random_state": 0}
    found = {}
    for class_weight in (None, "balanced"):
        model = RNNClassifier(class_weight=class_weight, **options)
        found[class_weight] = cross_val_score(
            model, sequences, y, cv=3, scoring="balanced_accuracy"
        ).mean()
    assert found["balanced"] > found[None] + 0.1


def test_what_is_refused():
    model = RNNClassifier(class_weight="balanced", **FAST)
    with pytest.raises(ValueError, match="partial_fit does not support class_weight='balanced'"):
        model.partial_fit(X, RARE, classes=np.unique(RARE))
    y = np.eye(3, dtype=int)[np.arange(30) % 3]
    for class_weight in ("balanced", {0: 2.0}):
        with pytest.raises(ValueError, match="class_weight has no meaning for multilabel"):
            model.set_params(class_weight=class_weight).fit(X, y)
        assert not get_tags(model).classifier_tags.multi_label


# Smoothing.

NUMBERED = {
    "softmax": (RARE, np.unique(RARE, return_inverse=True)[1]),
    "sigmoid": (np.eye(3, dtype=int)[np.arange(30) % 3],) * 2,
}


@pytest.mark.parametrize("loss", NUMBERED)
def test_an_update_follows_the_references_gradient(loss):
    y, numbers = NUMBERED[loss]
    options = FAST | TEXTBOOK | {"max_iter": 1, "pooling": "last"}
    model = RNNClassifier(label_smoothing=0.2, **options)
    start = dict(model.set_params(learning_rate_init=1e-300).fit(X, y).weights_)
    value, gradients, _ = reference.loss_and_gradients(
        start, X, numbers, cell="gru", loss=loss, s=0.2
    )
    model.set_params(learning_rate_init=0.02).fit(X, y)
    assert model.loss_ == pytest.approx(value, rel=1e-12)
    for name, array in model.weights_.items():
        assert_allclose(array, start[name] - 0.02 * gradients[name], rtol=0, atol=1e-12)


def test_smoothed_labels_keep_the_network_from_being_too_sure():
    sequences = np.repeat([-1.0, 1.0], 20).reshape(40, 1, 1) * np.ones((40, 3, 1))
    y = np.repeat([0, 1], 20)
    options = {"hidden_size": 4, "max_iter": 300, "tol": 0, "learning_rate_init": 0.05}
    options |= {"n_iter_no_change": 300, "random_state": 0, "alpha": 0}
    sure = RNNClassifier(**options).fit(sequences, y)
    smoothed = RNNClassifier(label_smoothing=0.2, **options).fit(sequences, y)
    assert sure.predict_proba(sequences).max() > 0.99
    assert_allclose(smoothed.predict_proba(sequences).max(axis=1), 0.9, atol=1e-3)
    assert smoothed.score(sequences, y) == 1.0
