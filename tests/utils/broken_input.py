"""Estimators that are sound but for what X they can't read, or don't refuse."""

import numpy as np

from broken_estimators import PER_TIMESTEP, fails, to_predict
from sound_estimators import NeedsThree, NoLists, NoneLonger, NoPadding, SoundRegressor, Univariate


@fails("check_dtypes")
class WantsFloats(SoundRegressor):
    def _read_one(self, x):
        if np.asarray(x).dtype.kind != "f":
            raise TypeError("X must hold floats.")
        return super()._read_one(x)


@fails("check_dtypes")
class HalvesFloatsOnly(SoundRegressor):
    def _read_one(self, x):
        half = np.asarray(x).dtype.kind == "f"
        return super()._read_one(x) / 2 if half else super()._read_one(x)


@fails("check_dtypes")
class PredictsNaNInSinglePrecision(SoundRegressor):
    def predict(self, X):
        predicted = super().predict(X)
        return predicted * np.nan if np.asarray(X[0]).dtype == np.float32 else predicted


@fails("check_memory_layout")
class ReadsMemory(SoundRegressor):
    def _read_one(self, x):
        x = super()._read_one(x)
        return x.ravel(order="K").reshape(x.shape)


@fails("check_memory_layout")
class ReadsMemoryToFit(ReadsMemory):
    _read_one = to_predict(SoundRegressor._read_one, ReadsMemory._read_one)


@fails("check_read_only")
class WritesWhatIsThere(SoundRegressor):
    def _read_one(self, x):
        return np.nan_to_num(super()._read_one(x), copy=False)


@fails("check_read_only")
class ClipsUnlessReadOnly(SoundRegressor):
    def _read_one(self, x):
        x = super()._read_one(x)
        return np.clip(x, -1, 1) if x.flags.writeable else x


@fails("check_read_only")
class RefusesMappedObjects(SoundRegressor):
    def _checked(self, read):
        if read.container == "objects" and any(isinstance(x, np.memmap) for x in read.arrays):
            raise TypeError("X must be in memory.")
        return super()._checked(read)


@fails("check_other_n_features")
class CutsOrFillsFeatures(SoundRegressor):
    def _check_width(self, read):
        width = len(self._projection) // 2
        for i, x in enumerate(read.arrays):
            read.arrays[i] = np.pad(x[:, :width], ((0, 0), (0, max(0, width - x.shape[1]))))


@fails("check_nonfinite_values")
class TakesNaNForZero(SoundRegressor):
    def _read_one(self, x):
        return super()._read_one(np.nan_to_num(x))


@fails("check_nonfinite_values")
class TakesNaNForZeroToPredict(TakesNaNForZero):
    _read_one = to_predict(TakesNaNForZero._read_one, SoundRegressor._read_one)


@fails("check_empty_input")
class MakesUpATimestep(SoundRegressor):
    def _read_one(self, x):
        return super()._read_one(x if len(x) else np.zeros((1, x.shape[1])))


@fails("check_empty_input")
class MakesUpATimestepToPredict(MakesUpATimestep):
    _read_one = to_predict(MakesUpATimestep._read_one, SoundRegressor._read_one)


@fails("check_empty_input")
class FitsToNothing(SoundRegressor):
    def fit(self, X, y, sample_weight=None):
        return super().fit(X, y, sample_weight) if np.shape(y) != (0,) else self


@fails("check_empty_input")
class PredictsNothingForNothing(SoundRegressor):
    def predict(self, X):
        return super().predict(X) if not isinstance(X, list) or X else np.empty(0)


@fails("check_mixed_n_features")
class CutsToTheNarrowest(SoundRegressor):
    def _checked(self, read):
        width = min([np.shape(x)[-1] for x in read.arrays], default=0)
        return super()._checked(read._replace(arrays=[x[..., :width] for x in read.arrays]))


@fails("check_mixed_n_features")
class CutsToTheNarrowestToPredict(CutsToTheNarrowest):
    _checked = to_predict(CutsToTheNarrowest._checked, SoundRegressor._checked)


@fails("check_wrong_dimensions")
class TakesTheFirstOfAFourthDimension(SoundRegressor):
    def _read(self, X):
        return super()._read(X[..., 0] if getattr(X, "ndim", 3) == 4 else X)


@fails("check_wrong_dimensions")
class TakesTheFirstOfAFourthDimensionToPredict(TakesTheFirstOfAFourthDimension):
    _read = to_predict(TakesTheFirstOfAFourthDimension._read, SoundRegressor._read)


@fails("check_wrong_dimensions")
class TakesTheFirstOfAThirdDimensionInAList(SoundRegressor):
    def _read_one(self, x):
        return super()._read_one(x[..., 0] if np.ndim(x) == 3 else x)


@fails("check_wrong_dimensions")
class TakesTheFirstOfAThirdDimensionToPredict(TakesTheFirstOfAThirdDimensionInAList):
    _read_one = to_predict(
        TakesTheFirstOfAThirdDimensionInAList._read_one, SoundRegressor._read_one
    )


@fails("check_numbers_of_samples")
class StopsAtTheShorter(SoundRegressor):
    def _targets(self, y, read):
        n = min(len(y), len(read.arrays))
        del read.arrays[n:]
        return super()._targets(y[:n], read)


@fails("check_numbers_of_samples")
class IgnoresFurtherTargets(SoundRegressor):
    def _targets(self, y, read):
        return super()._targets(y[: len(read.arrays)], read)


@fails("check_numbers_of_samples")
class IgnoresFurtherWeights(SoundRegressor):
    def _weights(self, weights, read):
        return super()._weights(weights if weights is None else weights[: len(read.arrays)], read)


@fails("check_lengths_of_targets", parameters=PER_TIMESTEP)
class CutsTargets(SoundRegressor):
    def _targets(self, y, read):
        lengths = [read.n_timesteps or len(x) for x in read.arrays]
        if len(y) == len(lengths) and np.ndim(y[0]):
            y = [part[:n] for part, n in zip(y, lengths, strict=True)]
        return super()._targets(y, read)


@fails("check_nonfinite_targets")
class TakesMissingTargetsForZero(SoundRegressor):
    def _targets(self, y, read):
        return np.nan_to_num(super()._targets(y, read))


# Sound, but declared not to do what they do.
fails("check_undeclared_input", twin=NoLists, ragged=False)(SoundRegressor)
fails("check_undeclared_input", twin=NoPadding, padded=False)(SoundRegressor)
fails("check_undeclared_input", twin=NoneLonger, any_length=False)(SoundRegressor)
fails("check_undeclared_input", twin=NeedsThree, shortest=3)(SoundRegressor)
fails("check_undeclared_input", twin=Univariate, multivariate=False)(SoundRegressor)


@fails("check_undeclared_input", shortest=3)
class TakesShortOnesToPredict(NeedsThree):
    def _read_one(self, x):
        long = x if len(x) > 2 or not hasattr(self, "model_") else np.repeat(x, 3, axis=0)
        return super()._read_one(long)


@fails("check_undeclared_input", ragged=False)
class TakesListsToPredict(NoLists):
    _read = to_predict(SoundRegressor._read, NoLists._read)
