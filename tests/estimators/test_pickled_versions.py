"""Pickles know their version, and those of callbacks hold no data."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.preprocessing import StandardScaler

import sklearn_rnn._versioned
from sklearn_rnn import RNNClassifier, RNNRegressor, preprocessing
from sklearn_rnn.preprocessing import (
    Differences,
    InstanceNormalizedRegressor,
    Lags,
    PatchedRegressor,
    Patches,
    PerSequence,
    PerTimestep,
    PerTimestepTarget,
    SequenceLookup,
    SequenceNormalizer,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).standard_normal((6, 4, 2))
FAST = {"hidden_size": 2, "max_iter": 1, "random_state": 0}


MODELS = [
    RNNRegressor(**FAST),
    RNNClassifier(**FAST),
    PerTimestep(StandardScaler()),
    PerTimestepTarget(RNNRegressor(**FAST)),
    Patches(),
    Lags(),
    Differences(),
    SequenceNormalizer(),
    PerSequence(StandardScaler()),
    PatchedRegressor(RNNRegressor(return_sequences=True, **FAST)),
    InstanceNormalizedRegressor(RNNRegressor(**FAST), target=0),
    SequenceLookup(X),
]


def test_the_models_are_all_that_are_public():
    public = [getattr(preprocessing, name) for name in preprocessing.__all__]
    fitted = {kind for kind in public if hasattr(kind, "fit")}
    assert {type(model) for model in MODELS} == {RNNRegressor, RNNClassifier} | fitted


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_another_version_warns(model, monkeypatch):
    per_step = isinstance(model, PatchedRegressor)
    given = np.arange(6.0)[:, np.newaxis] if isinstance(model, SequenceLookup) else X
    model = model.fit(given, X[:, :, 0] if per_step else np.arange(6) % 2)
    saved = pickle.dumps(model)
    with warnings.catch_warnings(action="error"):
        assert vars(pickle.loads(saved)).keys() == vars(model).keys()
    monkeypatch.setattr(sklearn_rnn._versioned, "__version__", "99.1")
    with pytest.warns(InconsistentVersionWarning) as caught:
        pickle.loads(saved)
    outermost = str(caught[-1].message)
    assert f"estimator {type(model).__name__} from" in outermost


class Keep:
    """Remembers the sizes of pickles of the fitted estimators."""

    sizes = []

    def setup(self, estimator, context): ...
    def teardown(self, estimator, context): ...
    def on_fit_task_begin(self, estimator, context): ...

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.sizes.append(len(pickle.dumps(fitted_estimator)))


def test_what_a_callback_pickles_holds_no_data():
    Keep.sizes.clear()
    large = np.random.default_rng(0).standard_normal((500, 20, 2))
    model = RNNRegressor(**FAST).set_callbacks(Keep())
    model.fit(X, X[:, 0, 0], X_val=large, y_val=large[:, 0, 0])
    assert len(Keep.sizes) == 2  # of the epoch, and of the fit
    assert max(Keep.sizes) < 10_000 < large.nbytes
