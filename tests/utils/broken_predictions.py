"""Estimators that are sound but for what they return, or what their predictions depend on."""

import numpy as np

from broken_estimators import PER_TIMESTEP, fails
from sound_estimators import NearlyIndependent, NoneLonger, Reader, SoundRegressor, SoundTransformer


@fails("check_3d_array")
class ReturnsNothing(SoundRegressor):
    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)


@fails(
    "check_3d_array",
    "check_padding_invariance",
    "check_container_invariance",
    parameters=PER_TIMESTEP,
)
class AddsADimension(SoundRegressor):
    def _restore(self, parts, read, fill):
        restored = super()._restore(parts, read, fill)
        full = all(len(part) == read.n_timesteps for part in parts)
        return restored[..., np.newaxis] if full else restored


@fails("check_3d_array", "check_list", "check_object_array", "check_padded_array")
class ReturnsAColumn(SoundRegressor):
    def predict(self, X):
        predicted = super().predict(X)
        return predicted[:, np.newaxis] if predicted.ndim == 1 else predicted


@fails("check_3d_array", "check_list", "check_object_array", "check_padded_array")
class ReturnsAListOfNumbers(SoundRegressor):
    def predict(self, X):
        return list(super().predict(X))


@fails("check_list", parameters=PER_TIMESTEP)
class PadsWhatCameInAList(SoundRegressor):
    def _restore(self, parts, read, fill=np.nan):
        if read.container == "list":
            longest = max(map(len, parts))
            read = read._replace(container="array", n_timesteps=longest)
        return Reader._restore(self, parts, read, fill)


@fails(
    "check_list",
    "check_padding_invariance",
    "check_container_invariance",
    parameters=PER_TIMESTEP,
)
class ReturnsColumnsInAList(SoundRegressor):
    def _restore(self, parts, read, fill):
        if read.container == "list":
            return [part[:, np.newaxis] if part.ndim == 1 else part for part in parts]
        return super()._restore(parts, read, fill)


@fails("check_object_array", parameters=PER_TIMESTEP)
class ReturnsAListForObjects(SoundRegressor):
    def _restore(self, parts, read, fill):
        return parts if read.container == "objects" else super()._restore(parts, read, fill)


@fails("check_object_array", parameters=PER_TIMESTEP)
class LetsNumPyStackEqualObjects(SoundRegressor):
    def _restore(self, parts, read, fill):
        if read.container == "objects":
            return np.array(parts, dtype=object)
        return super()._restore(parts, read, fill)


@fails("check_padded_array", parameters=PER_TIMESTEP)
class PadsWithZero(SoundRegressor):
    def _restore(self, parts, read, fill):
        return super()._restore(parts, read, 0)


@fails("check_several_outputs")
class PredictsTheFirstOutputOnly(SoundRegressor):
    def predict(self, X):
        predicted = super().predict(X)
        return predicted[:, 0] if predicted.ndim == 2 else predicted


@fails("check_n_features_in")
class CountsTimesteps(SoundRegressor):
    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.n_features_in_ = np.shape(X[0])[0]
        return self


@fails("check_smallest_sequences")
class Squeezes(SoundRegressor):
    def _read_one(self, x):
        return super()._read_one(x[:, 0] if np.ndim(x) == 2 and x.shape[1] == 1 else x)


@fails("check_order_invariance", "check_subset_invariance")
class ForgetsThatItSorted(SoundRegressor):
    def _flat(self, method, arrays):
        return super()._flat(method, sorted(arrays, key=len, reverse=True))


@fails("check_subset_invariance")
class NormalisesOverTheBatch(SoundRegressor):
    def _flat(self, method, arrays):
        rows = self._rows(arrays)
        return getattr(self.model_, method)(rows - rows.mean(axis=0))


@fails("check_subset_invariance", twin=NearlyIndependent)
class NearlyIndependentInDoublePrecision(SoundRegressor):
    def predict(self, X):
        return super().predict(X) * (1 + 2e-6 * len(X))


class ReadsPadding(SoundRegressor):
    def _read(self, X):
        read = super()._read(X)
        if read.container != "array":
            return read
        n = read.n_timesteps
        return read._replace(arrays=[np.pad(x, ((0, n - len(x)), (0, 0))) for x in read.arrays])


@fails("check_padding_invariance")
class AveragesOverPadding(ReadsPadding):
    def _features(self, x):
        return np.repeat(x.mean(axis=0, keepdims=True), 2, axis=1)


@fails("check_padding_invariance")
class TakesTheLastTimestepOfTheArray(ReadsPadding):
    def _features(self, x):
        return np.repeat(x, 2, axis=1)


@fails("check_padding_invariance")
class WeighsByLengthOfTheArray(SoundRegressor):
    def fit(self, X, y, sample_weight=None):
        read = self._read(X)
        lengths = np.array([read.n_timesteps or len(x) for x in read.arrays])
        weights = np.ones(len(lengths)) if sample_weight is None else sample_weight
        return super().fit(X, y, weights * lengths)


@fails("check_container_invariance")
class ReadsObjectsBackwards(SoundRegressor):
    def _read(self, X):
        read = super()._read(X)
        backwards = read.container == "objects"
        return read._replace(arrays=[x[::-1] for x in read.arrays]) if backwards else read


@fails("check_container_invariance", "check_padding_invariance")
class ReadsListsBackwards(SoundRegressor):
    def _read(self, X):
        read = super()._read(X)
        backwards = read.container == "list"
        return read._replace(arrays=[x[::-1] for x in read.arrays]) if backwards else read


@fails("check_list", per_timestep=True)
class PadsWhatItTransforms(SoundTransformer):
    _restore = PadsWhatCameInAList._restore


# Sound, if only it were declared.
fails("check_length_invariance", twin=SoundRegressor)(NoneLonger)
