"""Estimators that are sound but for how they learn, or what they make of weights and targets."""

from copy import deepcopy

import numpy as np
from sklearn.metrics import accuracy_score

from broken_estimators import PER_TIMESTEP, fails, to_predict
from sound_estimators import LinearModel, SoundClassifier, SoundRegressor, SoundTransformer


@fails("check_refit")
class StartsWhereItEnded(SoundRegressor):
    def fit(self, X, y, sample_weight=None):
        start = self.model_.coef_ if hasattr(self, "model_") else 0
        super().fit(X, y, sample_weight)
        self.model_.coef_ = (start + self.model_.coef_) / 2
        return self


@fails("check_refit")
class KeepsTheFirstScale(SoundRegressor):
    def fit(self, X, y, sample_weight=None):
        if not hasattr(self, "_scale"):
            self._scale = np.abs(self._read(X).arrays[-1]).max()
        return super().fit(X, y, sample_weight)

    def _features(self, x):
        return super()._features(x) / self._scale


@fails("check_clone")
class IgnoresItsSeed(SoundRegressor):
    def _draw(self, shape):
        return np.random.default_rng().normal(size=shape)


@fails("check_clone")
class ClonesWhatItLearned(SoundRegressor):
    def __sklearn_clone__(self):
        return deepcopy(self)


@fails("check_set_params", parameters={"alpha": 5.0})
class ReadsParametersWhenMade(SoundRegressor):
    def __init__(self, alpha=0.5, return_sequences=False, random_state=None):
        super().__init__(alpha, return_sequences, random_state)
        self._penalty = alpha

    def _new_model(self):
        return LinearModel(self._penalty)


@fails("check_pickle")
class LeavesItsModelBehind(SoundRegressor):
    def __getstate__(self):
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name != "model_"}


@fails("check_pickle")
class RoundsWhatItSaves(SoundRegressor):
    def __getstate__(self):
        state = deepcopy(super().__getstate__())
        if "model_" in state:
            state["model_"].coef_ = state["model_"].coef_.astype(np.float32)
        return state


@fails("check_data_unchanged", "check_read_only")
class ClipsInPlace(SoundRegressor):
    def _read_one(self, x):
        x = super()._read_one(x)
        return np.clip(x, -1, 1, out=x)


@fails("check_data_unchanged", "check_read_only")
class ClipsInPlaceToPredict(ClipsInPlace):
    _read_one = to_predict(ClipsInPlace._read_one, SoundRegressor._read_one)


@fails("check_parameters_unchanged")
class CorrectsItsParameters(SoundRegressor):
    def fit(self, X, y, sample_weight=None):
        self.alpha = max(self.alpha, 1.0)
        return super().fit(X, y, sample_weight)


@fails("check_state_unchanged")
class RemembersWhatItPredicted(SoundRegressor):
    def predict(self, X):
        self.predicted_ = super().predict(X)
        return self.predicted_


@fails("check_global_random_state")
class SeedsTheGlobalGenerator(SoundRegressor):
    def _draw(self, shape):
        np.random.seed(self.random_state)  # noqa: NPY002
        return np.random.normal(size=shape)  # noqa: NPY002


@fails("check_not_fitted")
class PredictsUnfitted(SoundRegressor):
    def predict(self, X):
        read = self._read(X)
        return self.model_.predict(self._rows(read.arrays))


@fails("check_not_fitted")
class PredictsZeroUnfitted(SoundRegressor):
    def predict(self, X):
        return super().predict(X) if hasattr(self, "model_") else np.zeros(len(X))


@fails("check_cross_validation")
class SharesItsModel(SoundRegressor):
    shared = {}

    @property
    def model_(self):
        return self.shared["model"]

    @model_.setter
    def model_(self, model):
        self.shared["model"] = model


@fails("check_cross_validation")
class ScoresWithManySequencesOnly(SoundRegressor):
    def score(self, X, y):
        return super().score(X, y) if len(X) > 10 else np.nan


@fails("check_zero_weight")
class ScalesByTheLargest(SoundRegressor):
    def fit(self, X, y, sample_weight=None):
        self._largest = max(np.abs(x).max() for x in self._read(X).arrays)
        return super().fit(X, y, sample_weight)

    def _features(self, x):
        return super()._features(x) / self._largest


@fails("check_integer_weights")
class LimitsWeights(SoundRegressor):
    def _weights(self, weights, read):
        return weights if weights is None else np.minimum(super()._weights(weights, read), 1)


@fails("check_zero_weight", "check_integer_weights")
class IgnoresWeights(SoundRegressor):
    def _weights(self, weights, read):
        super()._weights(weights, read)  # for the errors


@fails("check_timestep_weights", parameters=PER_TIMESTEP)
class AveragesTheWeightsOfASequence(SoundRegressor):
    def _weights(self, weights, read):
        return super()._weights(
            [np.mean(w) for w in weights] if weights is not None else None, read
        )


@fails("check_timestep_weights", parameters=PER_TIMESTEP)
class SharesTheWeightOfASequence(SoundRegressor):
    def _weights(self, weights, read):
        weights = np.ones(len(read.arrays)) if weights is None else weights
        if np.ndim(weights[0]) == 0 and len(weights) == len(read.arrays):
            weights = [w / len(x) for w, x in zip(weights, read.arrays, strict=True)]
        return super()._weights(weights, read)


@fails("check_weights_unchanged")
class NormalisesWeightsInPlace(SoundRegressor):
    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        if sample_weight is not None:
            sample_weight /= sample_weight.sum()
        return self


@fails("check_labels")
class PredictsNumbersOfClasses(SoundClassifier):
    def predict(self, X):
        labels = super().predict(X)
        return np.searchsorted(self.classes_, labels)


@fails("check_labels")
class NumbersItsClasses(SoundClassifier):
    @property
    def classes_(self):
        return np.arange(len(super().classes_))


@fails("check_labels")
class MixesUpStrings(SoundClassifier):
    def predict(self, X):
        labels = super().predict(X)
        mixed = dict(zip(self.classes_, self.classes_[::-1], strict=True))
        return np.array([mixed[label] for label in labels]) if labels.dtype.kind == "U" else labels


@fails("check_probabilities")
class SumsToLess(SoundClassifier):
    def predict_proba(self, X):
        return 0.9 * super().predict_proba(X)


@fails("check_probabilities")
class TurnsProbabilitiesRound(SoundClassifier):
    def predict_proba(self, X):
        return super().predict_proba(X)[:, ::-1]

    def predict_log_proba(self, X):
        return super().predict_log_proba(X)[:, ::-1]


@fails("check_probabilities")
class TakesLogarithmsToBase2(SoundClassifier):
    def predict_log_proba(self, X):
        return super().predict_log_proba(X) / np.log(2)


@fails("check_decision_function")
class TurnsSigns(SoundClassifier):
    def decision_function(self, X):
        return -super().decision_function(X)


@fails("check_score", parameters=PER_TIMESTEP)
class AveragesScoresOfSequences(SoundClassifier):
    def score(self, X, y):
        predicted = self.predict(X)
        scores = [accuracy_score(a[: len(b)], b) for a, b in zip(y, predicted, strict=True)]
        return np.mean(scores)


@fails("check_score")
class ScoresInAnArray(SoundRegressor):
    def score(self, X, y):
        return np.array([super().score(X, y)])


@fails("check_score", "check_cross_validation")
class ScoresNaN(SoundRegressor):
    def score(self, X, y):
        return super().score(X, y) * np.nan


@fails("check_targets_in_padding", parameters=PER_TIMESTEP)
class LooksAtTargetsInPadding(SoundRegressor):
    def _targets(self, y, read):
        if not all(np.isfinite(part).all() for part in y):
            raise ValueError("y has NaN or infinity.")
        return super()._targets(y, read)


@fails("check_targets_in_padding", parameters=PER_TIMESTEP)
class ScalesByTargetsInPadding(SoundRegressor):
    def fit(self, X, y, sample_weight=None):
        largest = max(np.nanmax(np.abs(part), initial=0) for part in y)
        y = [np.asarray(part) / (1 + largest) if np.ndim(part) else part for part in y]
        return super().fit(X, y, sample_weight)


@fails("check_fit_transform", per_timestep=True)
class FitsToLessWhenItTransformsAtOnce(SoundTransformer):
    def fit_transform(self, X, y=None):
        return self.fit(X[1:]).transform(X)
