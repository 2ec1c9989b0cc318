"""SequenceNormalizer: each sequence in units of its own."""

from sklearn_rnn.preprocessing._features import places
from sklearn_rnn.preprocessing._sequence_transformer import SequenceTransformer, known_features
from sklearn_rnn.preprocessing._sequence_units import check_units, in_units, units_of


class SequenceNormalizer(SequenceTransformer):
    """Scale each sequence by its own level and its own standard deviation.

    The level and the standard deviation of a feature are those over the valid timesteps of the
    sequence: (x - level) / scale. Other sequences have no influence, so there is nothing to learn
    from training data. Use it where the shape of a sequence matters, and neither its level nor its
    amplitude.

    Parameters
    ----------
    center : {"mean", "first", "last"} or None, default="mean"
        The level: the mean of the sequence, its first value or its last value. None is zero.
    scale : {"std"} or None, default="std"
        The scale: the standard deviation of the sequence. A sequence of equal values has the scale
        1. None is 1.
    features : int, str or list of them, default=None
        The features to normalize: their numbers, or their column names if X is a list of
        DataFrames. The others are left as they are. None means all. Leave out features that are
        constant in a sequence, such as indicators, because ``center`` makes them zero.

    Attributes
    ----------
    n_features_in_ : int
        The number of features per timestep; for 2-D X, the number of columns.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        The column names of X. Defined only if X was a DataFrame or a list of DataFrames, and all
        column names are strings.

    See Also
    --------
    InstanceNormalizedRegressor : Also takes the targets of forecasts relative to the sequence.
    PerTimestep : With `StandardScaler`, one mean and one standard deviation for all sequences.

    Notes
    -----
    There is no ``inverse_transform``, since the transformer does not remember the sequences.

    Levels and scales are computed and applied in float64. The result has the precision of X.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.preprocessing import SequenceNormalizer
    >>> X = [np.array([1.0, 2.0, 3.0]), np.array([100.0, 300.0])]
    >>> for sequence in SequenceNormalizer().fit_transform(X):
    ...     print(sequence.round(3))
    [-1.225  0.     1.225]
    [-1.  1.]
    >>> SequenceNormalizer(center="first", scale=None).fit_transform(X)
    [array([0., 1., 2.]), array([  0., 200.])]
    """

    def __init__(self, center="mean", scale="std", features=None):
        self.center = center
        self.scale = scale
        self.features = features

    def _check_parameters(self, sequences):
        check_units(self.center, self.scale)
        self._places = places(self.features, known_features(self, sequences), "features")

    def _transform_one(self, x, name):
        return in_units(x, units_of(x, self.center, self.scale, name), self._places)
