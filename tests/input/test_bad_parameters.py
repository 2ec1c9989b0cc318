"""Parameters: each out of its range or of another type, and impossible combinations."""

import re
from decimal import Decimal

import numpy as np
import pytest

from refusals import (
    ARRAY,
    ESTIMATORS,
    HUGE,
    TARGETS,
    THING,
    make,
    refused,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


CHOICES = {
    "cell": ["elman", "lstm", "gru"],
    "activation": ["tanh", "relu", "logistic", "identity"],
    "solver": ["adam", "rmsprop", "sgd", "lbfgs"],
    "learning_rate": ["constant", "invscaling", "adaptive", "cosine", "one_cycle"],
    "loss": [],  # what is right depends on the estimator
}
FLAGS = [
    "bidirectional",
    "return_sequences",
    "shuffle",
    "early_stopping",
    "standardize",
    "nesterovs_momentum",
    "warm_start",
]
# What is not allowed any more, at the lower and at the upper end.
INTEGERS = {
    "hidden_size": (0, None),
    "n_layers": (0, None),
    "batch_size": (0, None),
    "bptt_steps": (0, None),
    "max_iter": (0, None),
    "n_iter_no_change": (0, None),
    "verbose": (-1, None),
}
REALS = {
    "alpha": (-1e-9, None),
    "learning_rate_init": (0, None),
    "power_t": (-0.1, None),
    "max_grad_norm": (0, None),
    "max_grad_value": (0, None),
    "tol": (-1e-9, None),
    "validation_fraction": (0, 1),
    "momentum": (-0.1, 1),
    "dropout": (-0.1, 1),
    "recurrent_dropout": (-0.1, 1),
    "beta_1": (-0.1, 1),
    "beta_2": (-0.1, 1),
    "rho": (-0.1, 1),
    "epsilon": (0, None),
    "delta": (0, None),
    "quantile": (0, 1),
    "label_smoothing": (-0.1, 1),
}
OWN = {
    "regressor": {"delta", "quantile"},
    "classifier": {"label_smoothing", "class_weight"},
}
MAY_BE_NONE = {"bptt_steps", "max_grad_norm", "max_grad_value", "random_state"}
NO_POOLINGS = {
    TypeError: [
        *(None, True, 0, 1.5, b"mean", {"mean"}, {"mean": 1}, np.array(["mean"]), THING),
        *(("mean", None), ["mean", 1], [["mean"]], ("mean", b"max")),
    ],
    ValueError: [
        *("", "no such", "Mean", "mean ", "last,mean"),
        *((), [], [""], ("mean", "mean"), ["last", "max", "last"], ("mean", "no such")),
    ],
}
NO_QUANTILES = {
    TypeError: [
        *([[0.1, 0.9]], [[0.1], [0.2, 0.3]], np.full((2, 1), 0.5), {0.1, 0.9}, range(1)),
        *([None], ["0.5"], [0.1, True], (0.1, 1j), [0.1, [0.9]], np.array(["0.5"])),
    ],
    ValueError: [
        *([], (), np.array([]), [0.9, 0.1], (0.1, 0.5, 0.5), np.array([0.5, 0.2])),
        *([1], (1,), np.ones(2), [0.0, 0.5], [0.1, np.nan], [-0.1], [0.5, np.inf]),
    ],
}
NO_STRINGS = [None, True, 0, 1.5, np.nan, b"gru", ["gru"], ("adam",), {"tanh"}, THING]
NO_NUMBERS = [None, "1", "auto ", b"1", [1], (1,), {1: 1}, 1j, np.array(1), np.ones(2), THING]


def wrong_values():
    """Yield parameter, value, error and words."""
    for name, choices in CHOICES.items():
        for value in NO_STRINGS:
            yield name, value, TypeError, choices
        for value in ("", "no such", "GRU", "gru ", "None"):
            yield name, value, ValueError, [re.escape(repr(value)), *choices]
    for error, values in NO_POOLINGS.items():
        for value in values:
            yield "pooling", value, error, ["'last', 'mean', 'max'", "tuple or list", "once"]
    for error, values in NO_QUANTILES.items():
        for value in values:
            yield "quantile", value, error, [r"increasing order|quantile\[\d\]|float"]
    for name in FLAGS:
        for value in (None, 0, 1, 1.0, np.nan, [True], np.array(True), THING):
            yield name, value, TypeError, ["True(,| or) False"]
        if name == "early_stopping":
            for value in ("True", "auto ", "Auto", ""):
                yield name, value, ValueError, ["True, False or 'auto'", re.escape(repr(value))]
        else:
            yield name, "True", TypeError, ["True or False"]
    for name, (low, _) in INTEGERS.items():
        for value in NO_NUMBERS:
            if not (value is None and name in MAY_BE_NONE):
                error = (TypeError, ValueError) if isinstance(value, str) else TypeError
                yield name, value, error, [r"int|number"]
        for value in (1.0, 2.5, np.float64(3), np.nan, np.inf, Decimal(3)):
            yield name, value, TypeError, ["int"]
        for value in (low, np.int64(low), -3, -HUGE):
            yield name, value, ValueError, [str(int(value)), f">= {low + 1}"]
    for name, (low, high) in REALS.items():
        for value in NO_NUMBERS:
            may_be_none = value is None and name in MAY_BE_NONE
            may_be_list = np.ndim(value) == 1 and name == "quantile"  # see NO_QUANTILES
            if not (may_be_none or may_be_list):
                error = (TypeError, ValueError) if isinstance(value, str) else TypeError
                yield name, value, error, ["float|real|number"]
        yield name, Decimal("0.5"), TypeError, ["float|real|number"]
        for value in (low, np.float64(low), -1.5, -HUGE):
            yield name, value, ValueError, [">"]
        for value in () if high is None else (high, np.float32(high), 1.5, HUGE):
            yield name, value, ValueError, [f"< {high}"]
        for value in (np.nan, np.inf, -np.inf, np.float32(np.nan)):
            yield name, value, ValueError, [str(value)]
    for name in (*INTEGERS, *REALS):
        for value in (True, False, np.bool_(True)):
            if name != "verbose":
                yield name, value, TypeError, ["number|int", str(value)]
    for value in ("0", 1.5, -1, np.nan, [1], THING, np.random.default_rng(0)):
        yield "random_state", value, (TypeError, ValueError), []
    for value in (1.0, True, [2], THING):
        yield "n_jobs", value, TypeError, ["int"]
    for value in ("all", "2"):
        yield "n_jobs", value, ValueError, ["None or an integer", re.escape(repr(value))]
    for value in (0, np.int64(0)):
        yield "n_jobs", value, ValueError, ["-1 for all, or None"]
    for value in ("", "Balanced", "None"):
        yield "class_weight", value, ValueError, [re.escape(repr(value)), "'balanced' or a dict"]
    for value in (0, 1.5, True, [1.0, 2.0], np.ones(2), ("balanced",), THING):
        yield "class_weight", value, TypeError, ["'balanced' or a dict"]
    for weight, error in [
        *((weight, ValueError) for weight in (-1, -0.1, np.nan, np.inf)),
        *((weight, TypeError) for weight in (None, "1", True, 1j, [1], THING)),
    ]:
        yield "class_weight", {0: 1.0, 1: weight}, error, [r"class_weight\[1\]"]
    yield "class_weight", {0: 2.0, "1": 3.0}, ValueError, [r"\['1'\]", r"\[1\]", "classes"]
    yield "class_weight", {0: 0.0, 1: 0.0}, ValueError, ["sum of the weights"]
    yield "class_weight", {0: 1e308, 1: 1e308}, ValueError, ["sum of the weights"]


def kinds_with(name):
    """The estimators that have a parameter."""
    return [kind for kind in ESTIMATORS if not any(name in OWN[other] for other in {*OWN} - {kind})]


def by_turns(cases):
    """Each case with an estimator that has its parameter; with another one, if it is thorough."""
    for turn, (name, value, *expected) in enumerate(cases):
        kinds, case_id = kinds_with(name), f"{name}-{str(value)[:12]}-{type(value).__name__}"
        for i, kind in enumerate(kinds):
            marks = () if turn % len(kinds) == i else pytest.mark.thorough
            yield pytest.param(kind, name, value, *expected, id=f"{kind}-{case_id}", marks=marks)


WRONG_VALUES = list(by_turns(wrong_values()))


@pytest.mark.parametrize(("kind", "name", "value", "error", "words"), WRONG_VALUES)
def test_wrong_parameter(kind, name, value, error, words):
    y = TARGETS[kind]
    with pytest.raises(error) as caught:
        make(kind, **{name: value}).fit(ARRAY, y)
    for word in (rf"\b{name}\b", *words):
        assert re.search(word, str(caught.value)), f"no {word!r} in: {caught.value}"

    classes = {"classes": [0, 1]} if kind == "classifier" else {}
    if name != "verbose":  # which `refused` sets
        for estimator in (make(kind), make(kind, ARRAY)):
            estimator.set_params(**{name: value})
            refused(estimator, "fit", ARRAY, y)
            estimator.set_params(**make(kind).get_params())
        if name not in ("random_state", "early_stopping"):
            refused(make(kind, **{name: value}), "partial_fit", ARRAY, y, **classes)


def test_no_parameter_is_forgotten(kind):
    others = {"pooling", "random_state", "n_jobs", "class_weight"}
    checked = {*CHOICES, *FLAGS, *INTEGERS, *REALS, *others}
    assert {name for name in checked if kind in kinds_with(name)} == set(make(kind).get_params())


@pytest.mark.parametrize(
    ("kind", "loss"), [("regressor", "log_loss"), ("classifier", "squared_error")]
)
def test_the_other_ones_loss(kind, loss):
    right = {"regressor": "squared_error", "classifier": "log_loss"}[kind]
    refused(make(kind, loss=loss), "fit", ARRAY, TARGETS[kind], words=["loss", loss, right])


@pytest.mark.parametrize(
    ("name", "value", "method"),
    [
        ("bidirectional", True, "fit"),
        ("bidirectional", True, "partial_fit"),
        ("solver", "lbfgs", "fit"),
    ],
)
def test_what_does_not_go_with_truncation(kind, name, value, method):
    classes = {"classes": [0, 1]} if (kind, method) == ("classifier", "partial_fit") else {}
    estimator = make(kind, bptt_steps=100, **{name: value})
    words = ["bptt_steps=100", name, str(value), "bptt_steps=None"]
    refused(estimator, method, ARRAY, TARGETS[kind], words=words, **classes)


@pytest.mark.parametrize("pooling", ["mean", "max", ("last", "mean"), ["max"]], ids=str)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_pooling_leaves_no_timesteps(kind, pooling, method):
    classes = {"classes": [0, 1]} if (kind, method) == ("classifier", "partial_fit") else {}
    estimator = make(kind, pooling=pooling, return_sequences=True)
    words = [re.escape(f"pooling={pooling!r}"), "return_sequences=True", "'last'"]
    refused(estimator, method, ARRAY, np.zeros(ARRAY.shape[:2], int), words=words, **classes)


@pytest.mark.parametrize("name", ["dropout", "recurrent_dropout"])
def test_dropout_does_not_go_with_lbfgs(kind, name):
    estimator = make(kind, ARRAY).set_params(solver="lbfgs", **{name: 0.1})
    words = [rf"\b{name}=0\.1", "solver='lbfgs'", rf"\b{name}=0,"]
    refused(estimator, "fit", ARRAY, TARGETS[kind], words=words)


RIGHT_VALUES = {
    "hidden_size": [1, np.int64(2), np.uint8(3)],
    "n_layers": [1, np.int32(2)],
    "batch_size": ["auto", np.str_("auto"), 1, np.int64(4), 10**30],
    "bptt_steps": [None, 1, np.int64(2), 10**30],
    "max_iter": [1, np.int64(2)],
    "n_iter_no_change": ["auto", np.str_("auto"), 1, np.int64(2), 10**30],
    "verbose": [0, np.int64(0), False],
    "n_jobs": [None, 1, 2, -1, np.int64(2), -100],
    "alpha": [0, 0.0, 1, np.float32(0.1), np.int64(1)],
    "learning_rate_init": [1, 1e-9, np.float32(0.1), np.int64(1)],
    "power_t": [0, 1, np.float64(0.5)],
    "max_grad_norm": [None, 1, np.float32(0.1), 1e300],
    "max_grad_value": [None, 1, np.float32(0.1), 1e300],
    "tol": [0, 1, np.float32(0.1)],
    "validation_fraction": [0.5, np.float32(0.5), 1e-9],
    "momentum": [0, 0.0, np.float32(0.5)],
    "dropout": [0, 0.0, np.float32(0.5), 0.999],
    "recurrent_dropout": [0, 0.0, np.float32(0.5), 0.999],
    "bidirectional": [False, True, np.bool_(True)],
    "beta_1": [0, 0.999, np.float32(0.5)],
    "beta_2": [0, 0.9999, np.float32(0.5)],
    "rho": [0, 0.99, np.float32(0.5)],
    "epsilon": [1e-12, 1, np.float32(1e-8)],
    "delta": [1e-12, 1, np.float32(0.5)],
    "quantile": [
        *(1e-12, 0.999, np.float32(0.5), [0.5], (0.1, 0.9), np.array([0.1, 0.9])),
        [np.float32(0.1), 0.5, np.float64(0.9)],
    ],
    "label_smoothing": [0, 0.999, np.float32(0.5)],
    "class_weight": [None, "balanced", np.str_("balanced"), {}, {0: 2}, {0: np.float32(0.5), 1: 0}],
    "shuffle": [False, np.bool_(True)],
    "nesterovs_momentum": [False, np.bool_(True)],
    "warm_start": [np.bool_(False), True],
    "early_stopping": [False, np.bool_(False), "auto", np.str_("auto")],
    "return_sequences": [np.bool_(False)],
    "pooling": ["last", np.str_("mean"), "max", ("last",), ["mean", "last"], (np.str_("max"),)],
    "random_state": [None, 0, np.int64(7), 2**32 - 1, np.random.RandomState(0)],
    "cell": [np.str_("gru"), "elman"],
    "activation": [np.str_("tanh")],
    "solver": [np.str_("sgd"), "adam", "rmsprop", "lbfgs"],
    "learning_rate": [np.str_("adaptive"), "cosine", "one_cycle"],
}


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (kind, name, value)
        for name, values in RIGHT_VALUES.items()
        for value in values
        for kind in kinds_with(name)
    ],
)
def test_right_parameter(kind, name, value):
    uses = {"solver": "sgd"} if "momentum" in name else {}
    uses |= {"loss": "quantile"} if name == "quantile" else {}
    uses |= {"loss": "huber"} if name == "delta" else {}
    estimator = make(kind, ARRAY, **{**uses, name: value})
    assert np.isfinite(estimator.predict(ARRAY)).all()
    assert estimator.get_params()[name] is value


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("activation", ["relu", "logistic", "identity"])
def test_fixed_activations(kind, cell, activation):
    estimator = make(kind, ARRAY).set_params(cell=cell, activation=activation)
    refused(estimator, "fit", ARRAY, TARGETS[kind], words=["activation", activation, cell, "elman"])


class TestEarlyStopping:
    words = ("early_stopping", "validation_fraction", "samples")

    @pytest.mark.parametrize("validation_fraction", [0.1, 0.9, 1e-9, 0.999])
    def test_too_few_samples(self, kind, validation_fraction):
        estimator = make(kind, early_stopping=True, validation_fraction=validation_fraction)
        refused(estimator, "fit", ARRAY, TARGETS[kind], words=self.words)

    def test_too_few_samples_of_positive_weight(self, kind):
        estimator = make(kind, early_stopping=True, validation_fraction=0.5)
        estimator.fit(ARRAY, TARGETS[kind])
        weights = [1, 1, 0, 0, 0, 0]
        refused(
            estimator, "fit", ARRAY, TARGETS[kind], sample_weight=weights, words=["early_stopping"]
        )

    def test_one_sequence(self, kind):
        estimator = make(kind, ARRAY).set_params(early_stopping=True)
        refused(estimator, "fit", ARRAY[:1], TARGETS[kind][:1], words=self.words)

    @pytest.mark.parametrize("value", [True, np.bool_(True)])
    def test_is_nothing_for_partial_fit(self, kind, value):
        classes = {"classes": [0, 1]} if kind == "classifier" else {}
        X, y = np.tile(ARRAY, (9, 1, 1)), np.tile(TARGETS[kind], 9)
        for estimator in (make(kind), make(kind, ARRAY)):
            estimator.set_params(early_stopping=value)
            words = ["early_stopping", "partial_fit"]
            refused(estimator, "partial_fit", X, y, **classes, words=words)
            estimator.set_params(early_stopping=False)
