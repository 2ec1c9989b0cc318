"""scikit-learn's own checks, and what else it expects of an estimator."""

import inspect

import numpy as np
import pytest
import sklearn
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    RegressorMixin,
    clone,
    is_classifier,
    is_clusterer,
    is_regressor,
)
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted

from covering import only_thorough
from sklearn_rnn import RNNClassifier, RNNRegressor

# Many checks, and the small fits below, end before they converge.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ESTIMATORS = [RNNRegressor, RNNClassifier]
SMALL = {"hidden_size": 3, "max_iter": 3, "random_state": 0}

# The only checks that need not run: of the array API where SCIPY_ARRAY_API isn't set, and of a
# method that there isn't.
MAY_BE_SKIPPED = {
    "check_array_api_input",
    "check_classifiers_multilabel_output_format_decision_function",
}

# Some of those whose running means most to us; that scikit-learn leaves them out must be noticed.
HAVE_TO_RUN = {
    "check_fit_idempotent",
    "check_fit_check_is_fitted",
    "check_estimators_nan_inf",
    "check_estimators_pickle",
    "check_estimator_sparse_array",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_n_features_in_after_fitting",
    "check_readonly_memmap_input",
    "check_sample_weight_equivalence_on_dense_data",
    "check_supervised_y_2d",
}


# The third cell, "gru", is the default: see test_the_default_cell_is_the_gru.
CONFIGURATIONS = [
    (estimator_class, parameters)
    for estimator_class in ESTIMATORS
    for parameters in (
        {},
        {"cell": "lstm", "bidirectional": True, "dropout": 0.2},
        {"solver": "lbfgs", "alpha": 5.0},  # see decisions.md
        # What check_regressors_train has to be learned stands in timestep 4 of 10, where no
        # gradient of fewer steps gets to. The Elman cell's memory holds it untrained.
        {"cell": "elman", "bptt_steps": 4},
        {"pooling": ("last", "mean", "max")},
    )
]
MORE_CONFIGURATIONS = [
    *(
        (estimator_class, parameters)
        for estimator_class in ESTIMATORS
        for parameters in (
            {"cell": "elman"},
            {"cell": "lstm"},
            {"recurrent_dropout": 0.1, "n_iter_no_change": 50},  # its loss goes up and down
            {"solver": "rmsprop", "learning_rate_init": 0.001},
            {"learning_rate": "cosine"},
            {"learning_rate": "one_cycle"},
            {"pooling": "mean"},
        )
    ),
    *((RNNRegressor, {"loss": loss}) for loss in ("absolute_error", "huber", "poisson")),
    (RNNRegressor, {"loss": "quantile", "quantile": 0.3, "learning_rate_init": 0.01}),
    (RNNRegressor, {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]}),
    # Where the deviations become small, rounding grows: see decisions.md.
    (RNNRegressor, {"loss": "gaussian", "max_iter": 60}),
    (RNNClassifier, {"label_smoothing": 0.05}),
]


# Two of the checks fit until a score is good enough, which takes nine tenths of the time. Only the
# three cells are tested as they come; the others get there sooner, and epsilon keeps rounding from
# growing on the way.
QUICK = {
    RNNRegressor: {
        "hidden_size": 16,
        "learning_rate_init": 0.01,
        "epsilon": 1e-4,
        "early_stopping": False,  # a check wants a good score on the training data
    },
    RNNClassifier: {
        "hidden_size": 16,
        "learning_rate_init": 0.005,
        "epsilon": 1e-4,
        "max_iter": 60,
    },
}


def cannot_pass(loss=None, quantile=0.5, dropout=0, recurrent_dropout=0, **_) -> dict[str, str]:
    """The checks that nothing with these parameters can pass, and why."""
    checks = {}
    if loss == "poisson":  # it doesn't ask for the tag positive_only, and draws targets below zero
        checks["check_regressor_multioutput"] = "y is negative"
    if np.ndim(quantile):
        words = "Predictions have an axis more than y."
        checks |= {"check_regressors_train": words, "check_regressor_multioutput": words}
    if dropout or recurrent_dropout:
        words = "A repeated sample has a mask of its own."
        checks["check_sample_weight_equivalence_on_dense_data"] = words
    return checks


@pytest.mark.parametrize(
    ("estimator_class", "parameters"),
    [*CONFIGURATIONS, *only_thorough(MORE_CONFIGURATIONS)],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_check_estimator(estimator_class, parameters, monkeypatch):
    monkeypatch.delenv("SCIPY_ARRAY_API", raising=False)
    expected = cannot_pass(**parameters)
    quick = {} if parameters.keys() <= {"cell"} else QUICK[estimator_class]
    results = check_estimator(
        estimator_class(**quick | parameters),
        expected_failed_checks=expected,
        on_fail=None,
        on_skip=None,
    )

    failed = {
        result["check_name"]: result["exception"]
        for result in results
        if result["status"] not in ("passed", "skipped", "xfail")
    }
    assert not failed
    assert {r["check_name"] for r in results if r["status"] == "xfail"} == set(expected)
    skipped = {result["check_name"] for result in results if result["status"] == "skipped"}
    assert skipped <= MAY_BE_SKIPPED
    passed = [result["check_name"] for result in results if result["status"] == "passed"]
    assert len(passed) >= 55
    assert set(passed) >= HAVE_TO_RUN - expected.keys()


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_the_default_cell_is_the_gru(estimator_class):
    assert estimator_class().get_params() == estimator_class(cell="gru").get_params()


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
def test_tags(estimator_class):
    tags = get_tags(estimator_class())
    assert tags.input_tags.two_d_array
    assert tags.input_tags.three_d_array
    assert not tags.input_tags.one_d_array
    assert not tags.input_tags.sparse
    assert not tags.input_tags.string
    assert not tags.input_tags.dict
    assert not tags.input_tags.allow_nan  # in padding only
    assert tags.target_tags.required
    assert tags.target_tags.single_output
    assert tags.target_tags.multi_output
    assert not tags.no_validation
    assert not tags.non_deterministic
    assert tags.requires_fit
    assert not tags._skip_test


def test_tags_of_the_kind_of_estimator():
    regressor, classifier = get_tags(RNNRegressor()), get_tags(RNNClassifier())
    assert regressor.estimator_type == "regressor"
    assert not regressor.regressor_tags.poor_score
    assert regressor.classifier_tags is None
    assert is_regressor(RNNRegressor())
    assert not is_classifier(RNNRegressor())
    assert not is_clusterer(RNNRegressor())

    assert classifier.estimator_type == "classifier"
    assert classifier.classifier_tags.multi_class
    assert classifier.classifier_tags.multi_label
    assert not classifier.classifier_tags.poor_score
    assert classifier.regressor_tags is None
    assert is_classifier(RNNClassifier())
    assert not is_regressor(RNNClassifier())
    assert not is_clusterer(RNNClassifier())


@pytest.mark.parametrize(
    ("estimator_class", "mixin"), [(RNNRegressor, RegressorMixin), (RNNClassifier, ClassifierMixin)]
)
def test_the_mixin_comes_before_the_base(estimator_class, mixin):
    order = estimator_class.__mro__
    assert order.index(mixin) < order.index(BaseEstimator)


@pytest.mark.parametrize("estimator_class", ESTIMATORS)
class TestParameters:
    def test_all_are_keyword_only_with_a_default(self, estimator_class):
        signature = inspect.signature(estimator_class)
        assert set(signature.parameters) == set(estimator_class().get_params())
        for parameter in signature.parameters.values():
            assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
            assert estimator_class().get_params()[parameter.name] == parameter.default
        with pytest.raises(TypeError, match="positional"):
            estimator_class("lstm")

    def test_are_documented_in_their_order(self, estimator_class):
        described = inspect.getdoc(estimator_class).partition("Parameters\n")[2]
        described = described.partition("Attributes\n")[0]
        names = [line.partition(" : ")[0] for line in described.splitlines() if " : " in line]
        assert [name for name in names if not name.startswith(" ")] == list(
            inspect.signature(estimator_class).parameters
        )

    def test_get_and_set(self, estimator_class):
        estimator = estimator_class()
        other = {"cell": "lstm", "hidden_size": 7, "max_grad_norm": None, "random_state": 3}
        assert estimator.set_params(**other) is estimator
        assert estimator.get_params() == {**estimator_class().get_params(), **other}
        with pytest.raises(ValueError, match="units"):
            estimator.set_params(units=3)
        with pytest.raises(TypeError, match="units"):
            estimator_class(units=3)

    def test_are_checked_by_fit_and_not_before(self, estimator_class):
        estimator = estimator_class(hidden_size=-1).set_params(cell="no such cell")
        assert clone(estimator).get_params() == estimator.get_params()

    def test_clone(self, estimator_class):
        X, y = small_problem()
        generator = np.random.RandomState(0)
        estimator = estimator_class(**{**SMALL, "cell": "elman", "random_state": generator})
        estimator.fit(X, y)
        copy = clone(estimator)
        assert {**copy.get_params(), "random_state": None} == {
            **estimator.get_params(),
            "random_state": None,
        }
        assert copy.random_state is not generator
        assert vars(copy).keys() == copy.get_params().keys()
        check_is_fitted(estimator)

    def test_repr(self, estimator_class):
        name = estimator_class.__name__
        assert repr(estimator_class()) == f"{name}()"
        assert repr(estimator_class(cell="gru", n_layers=2, tol=1e-4)) == f"{name}(n_layers=2)"
        estimator = estimator_class(cell="lstm", hidden_size=32, solver="sgd", random_state=0)
        again = eval(repr(estimator), {name: estimator_class})
        assert again.get_params() == estimator.get_params()

    def test_html(self, estimator_class):
        X, y = small_problem()
        estimator = estimator_class(**SMALL)
        assert estimator_class.__name__ in estimator._repr_html_()
        assert "Not fitted" in estimator._repr_html_()
        estimator.fit(X, y)
        bundle = estimator._repr_mimebundle_()
        assert "text/plain" in bundle
        assert "Not fitted" not in bundle["text/html"]
        assert estimator_class.__name__ in make_pipeline(estimator)._repr_html_()


def small_problem(n=18, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4, 2))
    return X, (X.sum(axis=(1, 2)) > 0).astype(int)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("estimator_class", ESTIMATORS)
class TestMetadataRouting:
    weights = np.linspace(0, 3, 18)

    def test_pipeline(self, estimator_class):
        X, y = small_problem()
        estimator = estimator_class(**SMALL).set_fit_request(sample_weight=True)
        pipeline = make_pipeline(FunctionTransformer(np.negative), estimator)
        pipeline.fit(X, y, sample_weight=self.weights)
        alone = clone(estimator).fit(-X, y, sample_weight=self.weights)
        unweighted = clone(estimator).fit(-X, y)
        for name, weight in pipeline[-1].weights_.items():
            assert np.array_equal(weight, alone.weights_[name])
        assert not np.array_equal(weight, unweighted.weights_[name])

    def test_grid_search(self, estimator_class):
        X, y = small_problem()
        estimator = estimator_class(**SMALL)
        estimator.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        folds = list(KFold(3).split(X))
        search = GridSearchCV(estimator, {"cell": ["elman", "gru"]}, cv=folds)
        search.fit(X, y, sample_weight=self.weights)
        weighting_matters = []
        for fold, (train, test) in enumerate(folds):
            for row, params in enumerate(search.cv_results_["params"]):
                alone = clone(estimator).set_params(**params)
                alone.fit(X[train], y[train], sample_weight=self.weights[train])
                score = alone.score(X[test], y[test], sample_weight=self.weights[test])
                assert search.cv_results_[f"split{fold}_test_score"][row] == score
                weighting_matters.append(score != alone.score(X[test], y[test]))
        assert any(weighting_matters)
        best = clone(estimator).set_params(**search.best_params_)
        best.fit(X, y, sample_weight=self.weights)
        assert np.array_equal(search.predict(X), best.predict(X))


@pytest.mark.usefixtures("routing")
def test_partial_fit_can_request_classes_and_weights():
    requests = RNNClassifier().set_partial_fit_request(classes=True, sample_weight=True)
    routed = requests.get_metadata_routing().partial_fit.requests
    assert routed == {"classes": True, "sample_weight": True}
    requests = RNNRegressor().set_partial_fit_request(sample_weight=True)
    assert requests.get_metadata_routing().partial_fit.requests == {"sample_weight": True}
