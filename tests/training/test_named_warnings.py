"""What a ConvergenceWarning says of the fit that it is about."""

import re
import warnings

import numpy as np
import pytest
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from sequences import ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from versions import scikit_learn_since

X = ragged(30, n_features=2, seed=0)
Y = np.random.default_rng(1).standard_normal(30)
FAST = {"hidden_size": 4, "learning_rate_init": 0.002, "max_iter": 5, "random_state": 0}


@pytest.mark.parametrize("as_set", [True, False])
@pytest.mark.parametrize(("Estimator", "y"), [(RNNRegressor, Y), (RNNClassifier, Y > 0)])
def test_it_names_the_parameters_that_are_not_the_defaults(Estimator, y, as_set):
    options = FAST | {"bidirectional": True, "dropout": 0.1, "solver": "sgd"}  # over several lines
    with sklearn.config_context(print_changed_only=as_set), pytest.warns(ConvergenceWarning) as one:
        Estimator(**options).fit(X, y)
    given = ", ".join(f"{name}={value!r}" for name, value in sorted(options.items()))
    assert str(one[0].message).endswith(f" [{Estimator.__name__}({given})]")


since_searches_name_their_fits = scikit_learn_since(9, "the context of a fit in a search")


@since_searches_name_their_fits
@pytest.mark.parametrize(
    ("model", "name"),
    [
        (RNNRegressor(**FAST), "hidden_size"),
        (
            Pipeline([("same", FunctionTransformer()), ("rnn", RNNRegressor(**FAST))]),
            "rnn__hidden_size",
        ),
    ],
    ids=["network", "pipeline"],
)
@pytest.mark.parametrize("search", [GridSearchCV, RandomizedSearchCV])
def test_in_a_search_it_names_the_candidate_and_the_fold(search, model, name):
    options = {"n_iter": 2} if search is RandomizedSearchCV else {}
    fitted = search(model, {name: [2, 3]}, cv=3, **options)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted.fit(X, Y)
    *of_folds, of_refit = (str(warning.message) for warning in caught)
    sizes = [params[name] for params in fitted.cv_results_["params"]]
    for number, message in enumerate(of_folds):
        assert f"(hidden_size={sizes[number // 3]}, " in message
        task = f"), {search.__name__} candidate-split-evaluation #{number}]"
        assert message.endswith(task)
    assert len(of_folds) == 6
    assert of_refit.endswith(", random_state=0)]")


@since_searches_name_their_fits
def test_in_a_search_within_another_it_names_both():
    inner = GridSearchCV(RNNRegressor(**FAST), {"hidden_size": [2]}, cv=2, refit=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        GridSearchCV(inner, {"cv": [2, 3]}, cv=2, scoring=lambda *_: 0.0, refit=False).fit(X, Y)
    tasks = [
        re.findall("GridSearchCV candidate-split-evaluation #([0-9])", str(w.message))
        for w in caught
    ]
    assert tasks == [[str(i), str(k)] for k in range(4) for i in range(2 if k < 2 else 3)]
