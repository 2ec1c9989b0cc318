"""Sequence estimators in a plain scikit-learn style, as small as soundness allows."""

from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted


def beside(*arrays):
    """Put arrays side by side; quicker than `np.hstack` and `np.c_`, and many are."""
    return np.concatenate(arrays, axis=1)


class LinearModel:
    """Weighted ridge regression in closed form: many are fitted, so it should be quick."""

    def __init__(self, alpha):
        self.alpha = alpha

    def fit(self, rows, targets, sample_weight=None):
        rows = beside(rows, np.ones((len(rows), 1)))
        weights = np.ones(len(rows)) if sample_weight is None else sample_weight
        penalty = np.diag([*[self.alpha] * (rows.shape[1] - 1), 0.0])
        weighted = rows.T * weights
        self.coef_ = np.linalg.solve(weighted @ rows + penalty, weighted @ targets)
        return self

    def predict(self, rows):
        return beside(rows, np.ones((len(rows), 1))) @ self.coef_


class LinearClassifier(LinearModel):
    """The same on an indicator of the classes, whose predictions are taken for logits."""

    def fit(self, rows, targets, sample_weight=None):
        self.classes_ = np.unique(targets)
        return super().fit(rows, (targets[:, np.newaxis] == self.classes_) * 1.0, sample_weight)

    def predict(self, rows):
        return self.classes_[super().predict(rows).argmax(axis=1)]

    def decision_function(self, rows):
        logits = super().predict(rows)
        return logits if len(self.classes_) > 2 else logits[:, 1] - logits[:, 0]

    def predict_log_proba(self, rows):
        return log_softmax(super().predict(rows), axis=1)

    def predict_proba(self, rows):
        return np.exp(self.predict_log_proba(rows))


class Read(NamedTuple):
    """Sequences without padding; the number of timesteps is None but for an array."""

    arrays: list
    container: str
    n_timesteps: int | None


class Reader(BaseEstimator):
    """Reads sequences from lists, arrays of objects and arrays, and puts results back into them."""

    def _read(self, X):
        if isinstance(X, (list, tuple)):
            return self._checked(Read(list(X), "list", None))
        X = np.asarray(X)
        if X.ndim == 1 and X.dtype == object:
            return self._checked(Read(list(X), "objects", None))
        if X.ndim != 3:
            raise ValueError(f"X has {X.ndim} dimensions.")
        return self._checked(Read([x[: self._length(x)] for x in X], "array", X.shape[1]))

    def _checked(self, read):
        arrays = [self._read_one(x) for x in read.arrays]
        if len({x.shape[1] for x in arrays}) != 1:
            raise ValueError("X is empty, or has sequences of different widths.")
        return read._replace(arrays=arrays)

    def _length(self, x):
        valid = np.flatnonzero(~np.isnan(x).all(axis=1))
        return valid[-1] + 1 if len(valid) else 0

    def _read_one(self, x):
        x = np.asarray(x, dtype=float)
        if x.ndim != 2 or 0 in x.shape:
            raise ValueError(f"A sequence has shape {x.shape}.")
        if not np.isfinite(x).all():
            raise ValueError("X has NaN or infinity.")
        return x

    def _restore(self, parts, read, fill=np.nan):
        if read.container == "list":
            return parts
        if read.container == "objects":
            objects = np.empty(len(parts), dtype=object)
            for i, part in enumerate(parts):
                objects[i] = part
            return objects
        shape = (len(parts), read.n_timesteps, *parts[0].shape[1:])
        padded = np.full(shape, fill, dtype=parts[0].dtype)
        for row, part in zip(padded, parts, strict=True):
            row[: len(part)] = part
        return padded

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags


class SoundTransformer(TransformerMixin, Reader):
    """Subtracts each feature's mean over all timesteps."""

    def fit(self, X, y=None):
        arrays = self._read(X).arrays
        self.n_features_in_ = arrays[0].shape[1]
        self.means_ = np.concatenate(arrays).mean(axis=0)
        return self

    def transform(self, X):
        check_is_fitted(self)
        read = self._read(X)
        if read.arrays[0].shape[1] != len(self.means_):
            raise ValueError(f"X has {read.arrays[0].shape[1]} features.")
        return self._restore([x - self.means_ for x in read.arrays], read)


class SoundModel(Reader):
    """A linear model of running means, present values, and random functions of them."""

    def __init__(self, alpha=0.5, return_sequences=False, random_state=None):
        self.alpha = alpha
        self.return_sequences = return_sequences
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None):
        read = self._read(X)
        self.n_features_in_ = read.arrays[0].shape[1]
        targets = self._checked_targets(self._targets(y, read))
        weights = self._weights(sample_weight, read)
        self._projection = self._draw((2 * read.arrays[0].shape[1], 4))
        self.model_ = self._new_model()
        self.model_.fit(self._rows(read.arrays), targets, sample_weight=weights)
        return self

    def predict(self, X):
        return self._apply("predict", X)

    def _score(self, X, y):  # not that of the mixins, which know no lists
        read = self._read(X)
        return self._metric(self._targets(y, read), self._flat("predict", read.arrays))

    def _apply(self, method, X):
        check_is_fitted(self)
        read = self._read(X)
        self._check_width(read)
        values = self._flat(method, read.arrays)
        if not self.return_sequences:
            return values
        ends = np.cumsum([len(x) for x in read.arrays])
        fill = {"f": np.nan, "i": -1, "U": ""}[values.dtype.kind]
        return self._restore(np.split(values, ends[:-1]), read, fill)

    def _check_width(self, read):
        if read.arrays[0].shape[1] != len(self._projection) // 2:
            raise ValueError(f"X has {read.arrays[0].shape[1]} features.")

    def _flat(self, method, arrays):
        return getattr(self.model_, method)(self._rows(arrays))

    def _draw(self, shape):
        return np.random.default_rng(self.random_state).normal(size=shape)

    def _rows(self, arrays):
        rows = [self._features(x) for x in arrays]
        rows = np.concatenate(rows if self.return_sequences else [row[-1:] for row in rows])
        return beside(rows, np.tanh(rows @ self._projection))

    def _features(self, x):
        return beside(x.cumsum(axis=0) / np.arange(1, len(x) + 1)[:, np.newaxis], x)

    def _targets(self, y, read):
        if len(y) != len(read.arrays):
            raise ValueError(f"{len(y)} targets for {len(read.arrays)} sequences.")
        if not self.return_sequences:
            return np.asarray(y)
        pairs = list(zip(y, read.arrays, strict=True))
        for part, x in pairs:
            if len(part) != (read.n_timesteps or len(x)):
                raise ValueError(f"{len(part)} targets for {len(x)} timesteps.")
        return np.concatenate([part[: len(x)] for part, x in pairs])

    def _checked_targets(self, targets):
        if targets.dtype.kind == "f" and not np.isfinite(targets).all():
            raise ValueError("y has NaN or infinity.")
        return targets

    def _weights(self, weights, read):
        if weights is None:
            return None
        if len(weights) != len(read.arrays):
            raise ValueError(f"{len(weights)} weights for {len(read.arrays)} sequences.")
        if not self.return_sequences:
            return np.array(weights)
        pairs = zip(weights, read.arrays, strict=True)
        return np.concatenate(
            [np.full(len(x), w) if np.ndim(w) == 0 else np.array(w)[: len(x)] for w, x in pairs]
        )


class SoundRegressor(RegressorMixin, SoundModel):
    _metric = staticmethod(r2_score)
    score = SoundModel._score

    def _new_model(self):
        return LinearModel(self.alpha)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class SoundClassifier(ClassifierMixin, SoundModel):
    _metric = staticmethod(accuracy_score)
    score = SoundModel._score

    def _new_model(self):
        return LinearClassifier(self.alpha)

    def _checked_targets(self, targets):
        check_classification_targets(targets)
        return super()._checked_targets(targets)

    @property
    def classes_(self):
        return self.model_.classes_

    def predict_proba(self, X):
        return self._apply("predict_proba", X)

    def decision_function(self, X):
        return self._apply("decision_function", X)

    def predict_log_proba(self, X):
        return self._apply("predict_log_proba", X)


class NoLists(SoundRegressor):
    def _read(self, X):
        if not isinstance(X, np.ndarray) or X.dtype == object:
            raise TypeError("X must be an array (n_samples, n_timesteps, n_features).")
        return super()._read(X)


class NoPadding(SoundRegressor):
    def _length(self, x):
        return len(x)


class NoneLonger(SoundRegressor):
    """Refuses sequences longer than the longest in `fit`."""

    def fit(self, X, y, sample_weight=None):
        self.longest_ = max(map(len, self._read(X).arrays))
        return super().fit(X, y, sample_weight)

    def _check_width(self, read):
        super()._check_width(read)
        if max(map(len, read.arrays)) > self.longest_:
            raise ValueError(f"X has more than {self.longest_} timesteps.")


class NeedsThree(SoundRegressor):
    def _read_one(self, x):
        x = super()._read_one(x)
        if len(x) < 3:
            raise ValueError(f"A sequence has {len(x)} timesteps.")
        return x

    def _features(self, x):
        return super()._features(np.gradient(x, axis=0, edge_order=2))


class Univariate(SoundRegressor):
    def _read_one(self, x):
        x = super()._read_one(x)
        if x.shape[1] > 1:
            raise ValueError(f"X has {x.shape[1]} features, but must have one.")
        return x


class ListsOnly(SoundRegressor):
    """Declares that it takes lists, and no 3-D arrays."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = False
        return tags


class OtherEachTime(SoundRegressor):
    """Takes its random numbers from the operating system, and says so."""

    def _draw(self, shape):
        return np.random.default_rng().normal(size=shape)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags


class NearlyIndependent(SoundRegressor):
    """Rounds otherwise in larger batches, as single precision does."""

    def predict(self, X):
        return (super().predict(X) * (1 + 2e-6 * len(X))).astype(np.float32)


class KeepsAFunction(SoundRegressor):
    """So that it can't be pickled, which isn't everything."""

    def fit(self, X, y, sample_weight=None):
        self.function_ = lambda: None
        return super().fit(X, y, sample_weight)


class WeighsByTargets(SoundTransformer):
    """Needs a y, and says so."""

    def fit(self, X, y):
        arrays = self._read(X).arrays
        self.n_features_in_ = arrays[0].shape[1]
        y = column_or_1d(y)
        check_consistent_length(arrays, y)
        self.means_ = np.average([x.mean(axis=0) for x in arrays], axis=0, weights=np.exp(y))
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def _restore(self, parts, read):
        return SoundSummary._restore(self, parts, read)


class SoundSummary(SoundTransformer):
    """One row of means per sequence."""

    def _restore(self, parts, read):
        return np.stack([part.mean(axis=0) for part in parts])
