"""PatchedRegressor: one target per timestep, from a network that reads patches."""

from typing import NamedTuple

import numpy as np

from sklearn_rnn._input.content import FINITE_NUMBERS
from sklearn_rnn._input.errors import about
from sklearn_rnn._input.sequences import Sequences, as_sequences
from sklearn_rnn._input.targets import array_or_list, read_weights
from sklearn_rnn.preprocessing._patches import check_size, n_patches, patched, unpatched
from sklearn_rnn.preprocessing._sequence_transformer import in_container, read_own
from sklearn_rnn.preprocessing._target_regressor import Inner, TargetRegressor


class PatchedRegressor(TargetRegressor):
    """Predict for every timestep with a regressor that reads patches of timesteps.

    The regressor reads X as `Patches` makes it, and learns the targets of a patch together, as
    ``size * n_outputs`` outputs. Predictions return to the timesteps. So a network makes
    ``size`` times fewer steps, and still predicts once per timestep.

    Parameters
    ----------
    regressor : regressor
        A regressor for several targets per timestep, such as
        ``RNNRegressor(return_sequences=True)``, or a pipeline or search that ends in one. It is
        cloned.
    size : int, default=10
        The number of timesteps in a patch. It may be larger than a sequence is long.

    Attributes
    ----------
    regressor_ : regressor
        The fitted regressor. It reads patches and predicts patches of targets.
    n_features_in_ : int
        The number of features per timestep; for 2-D X, the number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        The column names of X. Defined only if X was a DataFrame or a list of DataFrames, and all
        column names are strings.

    See Also
    --------
    Patches : Patches of X alone, for one target per sequence.

    Notes
    -----
    Patches are counted from the end of a sequence, and the first one is filled up at its front with
    copies of the first timestep; see `Patches`. Its targets are filled up in the same way.
    Predictions contain nothing of this.

    The prediction for a timestep depends on later timesteps of its patch.

    A weight per timestep becomes a weight per patch, the mean over its timesteps. So a target of
    weight zero has no influence, and may be NaN, only if its whole patch has the weight zero.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNRegressor
    >>> from sklearn_rnn.preprocessing import PatchedRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.standard_normal((length, 1)) for length in rng.integers(20, 50, size=60)]
    >>> y = [np.cumsum(x) for x in X]
    >>> network = RNNRegressor(
    ...     return_sequences=True, hidden_size=16, learning_rate_init=0.03, tol=0.01, random_state=0
    ... )
    >>> model = PatchedRegressor(network, size=5).fit(X, y)
    >>> model.predict(X)[0].shape == y[0].shape
    True
    >>> model.score(X, y) > 0.9
    True
    """

    def __init__(self, regressor, size=10):
        self.regressor = regressor
        self.size = size

    def _check_parts(self):
        super()._check_parts()
        check_size(self.size)

    def _wants_sequences(self, y, sequences):
        if y is not None and not super()._wants_sequences(y, sequences):
            raise ValueError(
                "PatchedRegressor is for one target per timestep: give such a y, and a regressor "
                "for it, such as RNNRegressor(return_sequences=True). With one target per sequence "
                "use make_pipeline(Patches(), regressor)."
            )
        return True

    def _read(self, X, *, reset):
        return read_own(X, self, reset=reset)

    def _inner(self, X, sequences):
        patches = [patched(x, self.size) for x in sequences.unpadded()]
        longest = n_patches(sequences.n_timesteps, self.size)
        inner_X = in_container(sequences, patches, longest)
        inner = as_sequences(inner_X, FINITE_NUMBERS)
        return Inner(inner_X, inner, _ByPatch(self.size, sequences, inner))

    def _effective(self, weights, sequences):
        pairs = zip(self._by_patch(weights, sequences), sequences.lengths, strict=True)
        return np.concatenate([np.repeat(means, self.size)[-length:] for means, length in pairs])

    def _inner_weights(self, sample_weight, sequences):
        with about("sample_weight"):
            expected = "one number per sequence or per timestep"
            sample_weight = array_or_list(sample_weight, "sample_weight", expected)
        if all(np.ndim(weight) == 0 for weight in sample_weight):
            return sample_weight
        weights = read_weights(sample_weight, sequences, per_step=True)
        return self._by_patch(weights, sequences)

    def _by_patch(self, weights: np.ndarray, sequences: Sequences) -> list[np.ndarray]:
        """Return the weights of the patches, those of each sequence in an array."""
        parts = [part[:, np.newaxis] for part in sequences.split(weights)]
        return [patched(part, self.size).mean(axis=1) for part in parts]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.input_tags.allow_nan = False
        return tags


class _ByPatch(NamedTuple):
    """Targets of the timesteps of a patch, side by side."""

    size: int
    sequences: Sequences  # of timesteps
    patches: Sequences

    def apply(self, rows: np.ndarray) -> np.ndarray:
        return np.concatenate([patched(part, self.size) for part in self.sequences.split(rows)])

    def undo(self, rows: np.ndarray) -> np.ndarray:
        n_outputs = rows.shape[1] // self.size
        pairs = zip(self.patches.split(rows), self.sequences.lengths.tolist(), strict=True)
        return np.concatenate([unpatched(part, n_outputs, length) for part, length in pairs])
