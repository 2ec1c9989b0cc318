"""Training that goes on, by warm_start and partial_fit; and what is cut short."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

import reference
from sequences import ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.core.optimizers import Adam

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FAST = {"hidden_size": 4, "max_iter": 6, "learning_rate_init": 0.02, "random_state": 0}
X = ragged(30, n_features=2, seed=0)
Y = np.random.default_rng(1).standard_normal(30)
LABELS = np.where(Y > 0.3, "up", "down")
BOTH = pytest.mark.parametrize(
    ("Estimator", "y"),
    [(RNNRegressor, Y), (RNNClassifier, LABELS)],
    ids=["regressor", "classifier"],
)
HISTORY = [
    "loss_curve_",
    "learning_rates_",
    "loss_",
    "best_loss_",
    "validation_scores_",
    "best_validation_score_",
    "gradient_norms_",
    "weight_norms_",
    "n_iter_",
    "t_",
]


def assert_same_training(model, other):
    for name in HISTORY:
        assert getattr(model, name) == getattr(other, name), name
    for name, array in model.weights_.items():
        assert_array_equal(other.weights_[name], array)


OPTIONS = [
    *(
        {"solver": solver, "learning_rate": schedule, "batch_size": 7}
        for solver in ("adam", "rmsprop", "sgd")
        for schedule in ("constant", "invscaling")
    ),
    # The rate is halved twice within the epochs trained.
    *({"solver": s, "learning_rate": "adaptive", "tol": 1e9} for s in ("adam", "sgd")),
    {"shuffle": False, "batch_size": 7},
    {"solver": "sgd", "nesterovs_momentum": False},
    {"return_sequences": True},
]


def per_step(y):
    return [np.full(len(x), label) for x, label in zip(X, y, strict=True)]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@BOTH
def test_fits_of_an_epoch_each_are_one_fit_of_many(Estimator, y, options):
    options = FAST | {"n_iter_no_change": 1} | options
    y = per_step(y) if "return_sequences" in options else y
    whole = Estimator(**options, warm_start=True).fit(X, y)
    model = Estimator(**options | {"max_iter": 1}, warm_start=True)
    for epoch in range(1, 7):
        assert model.fit(X, y).n_iter_ == epoch
    assert_same_training(model, whole)
    assert_same_training(Estimator(**options).fit(X, y), whole)

    other = Estimator(**options)
    classes = [np.unique(LABELS)] if Estimator is RNNClassifier else []
    for _ in range(6):
        assert other.partial_fit(X, y, *classes) is other
    assert_same_training(other, whole)

    # Mixed, and in unequal parts.
    model = Estimator(**options | {"max_iter": 2}, warm_start=True).fit(X, y)
    model.partial_fit(X, y).partial_fit(X, y)
    assert_same_training(model.fit(X, y), whole)


CYCLES = pytest.mark.parametrize("schedule", ["cosine", "one_cycle"])


@CYCLES
@BOTH
def test_a_cycle_is_one_fit_or_max_iter_calls_of_partial_fit(Estimator, y, schedule):
    options = FAST | {"learning_rate": schedule, "batch_size": 7}
    once = Estimator(**options).fit(X, y)
    assert len(set(once.learning_rates_)) == 6
    twice = Estimator(**options, warm_start=True).fit(X, y)
    assert_same_training(twice, once)
    twice.fit(X, y)
    assert twice.learning_rates_ == once.learning_rates_ * 2

    model = Estimator(**options)
    classes = [np.unique(LABELS)] if Estimator is RNNClassifier else []
    for _ in range(12):
        model.partial_fit(X, y, *classes)
    assert_same_training(model, twice)

    # After a fit, partial_fit begins a cycle too, and a fit another one.
    model = Estimator(**options, warm_start=True).fit(X, y).partial_fit(X, y).partial_fit(X, y)
    model.fit(X, y)
    rates = once.learning_rates_
    assert model.learning_rates_ == rates + rates[:2] + rates


@CYCLES
def test_a_fit_that_stops_early_ends_its_cycle(schedule):
    options = FAST | {"learning_rate": schedule, "warm_start": True}
    once = RNNRegressor(**options).fit(X, Y)
    model = RNNRegressor(**options, tol=1e9, n_iter_no_change=1).fit(X, Y)
    assert model.learning_rates_ == once.learning_rates_[:3]
    model.fit(X, Y)
    assert model.learning_rates_[3:] == once.learning_rates_[:1]


@CYCLES
def test_partial_fit_spreads_a_cycle_over_max_iter_calls_of_any_size(schedule):
    model = RNNRegressor(**FAST | {"learning_rate": schedule, "batch_size": 1, "max_iter": 4})
    for n in (3, 12, 1, 6):
        model.partial_fit(X[:n], Y[:n])
    expected = []
    for epoch, n in enumerate((3, 12, 1, 6), start=1):
        same = RNNRegressor(**FAST | {"learning_rate": schedule, "batch_size": 1, "max_iter": 4})
        expected.append(same.fit(X[:n], Y[:n]).learning_rates_[epoch - 1])
    assert model.learning_rates_ == expected


@pytest.mark.parametrize("shuffle", [True, False])
@BOTH
def test_fits_of_an_epoch_each_with_early_stopping(Estimator, y, shuffle):
    """The held-out data stay the same, the best weights are put back, and the last go on."""
    options = FAST | {"early_stopping": True, "learning_rate_init": 0.1, "max_iter": 12}
    options |= {"warm_start": True, "validation_fraction": 0.3, "shuffle": shuffle}
    whole = Estimator(**options).fit(X, y)
    scores = whole.validation_scores_
    assert np.argmax(scores) < len(scores) - 1, "the last epoch is the best: nothing is shown"
    model = Estimator(**options | {"max_iter": 1})
    for _ in scores:
        model.fit(X, y)
    assert_same_training(model, whole)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@BOTH
def test_training_goes_on_after_early_stopping_is_switched_off(Estimator, y, method):
    model = Estimator(**FAST, early_stopping=True, warm_start=True).fit(X, y)
    before = dict(model.weights_)
    getattr(model.set_params(early_stopping=False), method)(X, y)
    assert all((array != before[name]).any() for name, array in model.weights_.items())


@BOTH
def test_without_warm_start_a_fit_starts_anew(Estimator, y):
    model = Estimator(**FAST).fit(X, y)
    again = clone(model).fit(X[:20], y[:20]).fit(X, y)
    assert_same_training(again, model)
    classes = [np.unique(LABELS)] if Estimator is RNNClassifier else []
    after_partial = clone(model).partial_fit(X, y, *classes).fit(X, y)
    assert_same_training(after_partial, model)


def test_partial_fit_goes_on_from_a_plain_fit():
    """A plain fit leaves no state of the solver, and without momentum there is none to leave."""
    options = FAST | {"solver": "sgd", "momentum": 0, "alpha": 0, "max_grad_norm": None}
    model = RNNRegressor(**options, standardize=False).fit(X, Y)
    before, losses = dict(model.weights_), list(model.loss_curve_)
    loss, gradient, _ = reference.loss_and_gradients(
        before, X, Y[:, np.newaxis], cell="gru", loss="squared_error"
    )
    model.partial_fit(X, Y)
    for name, array in model.weights_.items():
        assert_allclose(array, before[name] - 0.02 * gradient[name], rtol=0, atol=1e-12)
    assert model.n_iter_ == 7
    assert model.t_ == 7 * 30
    assert model.loss_curve_[:-1] == losses
    assert_allclose(model.loss_, loss, rtol=0, atol=1e-12)


def test_partial_fit_on_streams_of_data():
    options = FAST | {"hidden_size": 16}
    rng = np.random.default_rng(0)
    model = RNNClassifier(**options)
    for _ in range(40):
        chunk = ragged(20, n_features=1, seed=int(rng.integers(1000)))
        model.partial_fit(chunk, [int(x[-1, 0] > 0) for x in chunk], classes=[1, 0])
    assert_array_equal(model.classes_, [0, 1])
    assert model.n_iter_ == 40
    test = ragged(200, n_features=1, seed=1001)
    assert model.score(test, [int(x[-1, 0] > 0) for x in test]) > 0.9


def test_the_classes_of_partial_fit():
    with pytest.raises(ValueError, match="classes must be given in the first call"):
        RNNClassifier(**FAST).partial_fit(X, LABELS)
    model = RNNClassifier(**FAST).partial_fit(X, LABELS, classes=["up", "never", "down"])
    assert_array_equal(model.classes_, ["down", "never", "up"])
    assert model.predict_proba(X).shape == (30, 3)
    model.partial_fit(X, np.full(30, "up"))  # not every call has to bring them all
    model.partial_fit(X, LABELS, classes=["down", "never", "up"])
    before = pickle.dumps(model)
    with pytest.raises(ValueError, match="not those of the first call"):
        model.partial_fit(X, LABELS, classes=["down", "up"])
    with pytest.raises(ValueError, match="new"):
        model.partial_fit(X, np.full(30, "new"))
    assert pickle.dumps(model) == before
    fresh = RNNClassifier(**FAST)
    with pytest.raises(ValueError, match="up"):
        fresh.partial_fit(X, LABELS, classes=["down", "never"])
    assert vars(fresh) == vars(RNNClassifier(**FAST))


def test_partial_fit_of_multilabel_targets():
    y = np.eye(3, dtype=int)[np.arange(30) % 3]
    model = RNNClassifier(**FAST).partial_fit(X, y, classes=[0, 1, 2])
    assert_same_training(model, RNNClassifier(**FAST | {"max_iter": 1}).fit(X, y))
    with pytest.raises(ValueError, match="multilabel"):
        model.partial_fit(X, np.arange(30) % 3)


def test_partial_fit_and_early_stopping():
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping"):
        RNNRegressor(**FAST, early_stopping=True).partial_fit(X, Y)


@pytest.mark.parametrize(
    ("change", "data"),
    [
        ({"hidden_size": 5}, (X, Y)),
        ({"n_layers": 2}, (X, Y)),
        ({"cell": "lstm"}, (X, Y)),
        ({}, (X, np.column_stack([Y, Y]))),
        ({}, ([x[:, :1] for x in X], Y)),
        ({"return_sequences": True}, (X, [x[:, 0] for x in X])),
    ],
    ids=["hidden_size", "n_layers", "cell", "n_outputs", "n_features", "return_sequences"],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_what_has_another_shape_cannot_go_on(method, change, data):
    model = RNNRegressor(**FAST, warm_start=True).fit(X, Y)
    predicted = model.predict(X)
    with pytest.raises(ValueError, match=r"can't go on|X has 1 features|y has 2 outputs"):
        getattr(model.set_params(**change), method)(*data)
    assert_array_equal(model.predict(X), predicted)
    model.set_params(**FAST, n_layers=1, cell="gru", return_sequences=False)
    assert getattr(model, method)(X, Y).n_iter_ > 6


@pytest.mark.parametrize("solver", ["adam", "rmsprop", "sgd"])
def test_the_solver_and_the_rate_may_change_on_the_way(solver):
    model = RNNRegressor(**FAST, warm_start=True).fit(X, Y)
    before = dict(model.weights_)
    model.set_params(solver=solver, learning_rate_init=1e-9, max_iter=1).fit(X, Y)
    for name, array in model.weights_.items():
        assert_allclose(array, before[name], rtol=0, atol=1e-6)
        assert (array != before[name]).any()


def diverging():
    """What multiplies the weights by 1e10 or so in each epoch, and the loss by its square."""
    return {
        "cell": "elman",
        "activation": "identity",
        "solver": "sgd",
        "momentum": 0,
        "max_grad_norm": None,
        "learning_rate_init": 1e3,
    }


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_loss_that_becomes_infinite(dtype, standardize):
    """The message says when, and what might help."""
    model = RNNRegressor(**FAST | diverging() | {"max_iter": 100}, standardize=standardize)
    with pytest.raises(ValueError, match=r"became infinite or NaN in epoch [2-9]\.") as caught:
        model.fit([x.astype(dtype) for x in X], Y)
    for advice in ("learning_rate_init (now 1000.0)", "max_grad_norm (now None)"):
        assert advice in str(caught.value)
    assert ("Set standardize=True" in str(caught.value)) == (not standardize)
    assert vars(model) == model.get_params()  # as if nothing had happened
    with pytest.raises(ValueError, match="The loss became infinite or NaN in epoch 1"):
        RNNRegressor(**FAST, standardize=False).fit(X, Y * 1e200)


WILD = {"standardize": False, "solver": "sgd", "momentum": 0.5, "max_grad_norm": None}
FAILURES = {
    "diverges at once": ({}, X, Y * 1e200, None),
    "diverges in its second batch": (
        WILD | {"learning_rate_init": 1e200, "batch_size": 9},
        X,
        Y,
        None,
    ),
    "diverges in its third epoch": (WILD | {"learning_rate_init": 1e80}, X, Y, None),
    "bad parameter": ({"alpha": -1.0}, X, Y, None),
    "bad X": ({}, [x * np.nan for x in X], Y, None),
    "bad y": ({}, X, Y[:-1], None),
    "bad weights": ({}, X, Y, -np.ones(30)),
    "other features": ({}, [x[:, :1] for x in X], np.column_stack([Y, Y]), np.zeros(30)),
    "a table": ({}, np.ones((30, 4)), Y * np.inf, None),
}


@pytest.mark.parametrize(
    ("how", "name"),
    [
        (how, name)
        for how in ("fit", "warm fit", "partial_fit")
        for name in FAILURES
        if how != "partial_fit" or "third epoch" not in name
    ],
)
def test_a_failed_call_changes_nothing(name, how):
    model = RNNRegressor(**FAST, solver="sgd", warm_start=how == "warm fit")
    model = model.partial_fit(X, Y) if how == "partial_fit" else model.fit(X, Y)
    params = model.get_params()
    predicted, before = model.predict(X), pickle.dumps(model)
    change, *data = FAILURES[name]
    with pytest.raises(ValueError):  # noqa: PT011, each has its own words
        getattr(model.set_params(**change), how.split()[-1])(*data)
    model.set_params(**params)
    assert_array_equal(model.predict(X), predicted)
    assert pickle.dumps(model) == before
    # It also trains on as if nothing had happened.
    other = pickle.loads(before)
    assert_same_training(model.partial_fit(X, Y), other.partial_fit(X, Y))


def test_a_first_fit_that_fails_leaves_an_unfitted_estimator():
    options = FAST | {"standardize": False}
    model = RNNRegressor(**options)
    with pytest.raises(ValueError, match="epoch 1"):
        model.fit(X, Y * 1e200)
    assert vars(model) == vars(RNNRegressor(**options))
    model.fit(X, Y)


@pytest.fixture
def interrupt(monkeypatch):
    """Make the user press Ctrl-C during some update."""

    def at_update(number):
        calls = iter(range(1, 10**9))
        original = Adam.update

        def update(*args):
            if next(calls) == number:
                raise KeyboardInterrupt
            original(*args)

        monkeypatch.setattr(Adam, "update", update)

    return at_update


@BOTH
def test_an_interrupt_keeps_what_was_learned(interrupt, Estimator, y):
    """In the second batch of epoch three: two epochs and a batch have been learned."""
    options = FAST | {"batch_size": 10, "shuffle": False}
    two_epochs = Estimator(**options | {"max_iter": 2}, warm_start=True).fit(X, y)
    interrupt(3 * 2 + 2)
    model = Estimator(**options, warm_start=True)
    with pytest.warns(UserWarning, match="interrupted") as caught:
        assert model.fit(X, y) is model
    assert [warning.filename for warning in caught] == [__file__]  # and nothing of max_iter
    assert model.n_iter_ == 2
    assert model.loss_curve_ == two_epochs.loss_curve_
    steps = [
        np.abs(model.weights_[name] - two_epochs.weights_[name]).max() for name in model.weights_
    ]
    assert 0 < max(steps) < 0.1

    assert len(model.predict(X)) == 30
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(X), model.predict(X))
    model.fit(X, y)
    assert model.n_iter_ == 8


def test_an_interrupt_in_the_first_epoch(interrupt):
    interrupt(2)
    model = RNNRegressor(**FAST | {"batch_size": 10})
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, Y)
    assert model.n_iter_ == 0
    assert model.loss_curve_ == []
    assert model.predict(X).shape == (30,)
    assert model.partial_fit(X, Y).n_iter_ == 1


def test_an_interrupt_keeps_the_best_weights_of_early_stopping(interrupt):
    options = FAST | {"batch_size": 7, "early_stopping": True, "shuffle": False}
    two_epochs = RNNRegressor(**options | {"max_iter": 2}).fit(X, Y)
    interrupt(4 * 2 + 2)
    model = RNNRegressor(**options)
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, Y)
    assert_same_training(model, two_epochs)


def test_an_interrupted_partial_fit_warns_where_it_was_called(interrupt):
    interrupt(1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        RNNRegressor(**FAST).partial_fit(X, Y)
    assert [warning.filename for warning in caught] == [__file__]
