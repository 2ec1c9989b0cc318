"""Gradients of predictions on the inputs, and attributions made of them."""

from numbers import Integral, Real

import numpy as np

from sklearn_rnn._input.content import FINITE_NUMBERS
from sklearn_rnn._input.errors import renamed
from sklearn_rnn._input.frames import is_frame
from sklearn_rnn._input.hyperparameters import check_choice, check_number
from sklearn_rnn._input.sequences import Sequences, as_sequences
from sklearn_rnn.inspection._affine import BehindScalers
from sklearn_rnn.inspection._output_gradients import Explained, OutputGradients

METHODS = ("gradient", "gradient_x_input", "integrated")


def input_gradients(  # noqa: PLR0913 (what there is to say of an attribution)
    estimator,
    X,
    output=None,
    method="gradient",
    baseline=0.0,
    n_points=50,
    *,
    timestep=None,
):
    """Compute how a prediction changes with each value of each sequence.

    Parameters
    ----------
    estimator : RNNRegressor, RNNClassifier or Pipeline
        A fitted estimator, or a fitted pipeline that ends with one and begins with steps that scale
        each feature: `PerTimestep` of `StandardScaler`, `MinMaxScaler`, `MaxAbsScaler` or
        `RobustScaler`, or of a pipeline of them.
    X : array-like or list of arrays
        The sequences, in any container that the estimator takes.
    output : int, label or tuple of int, default=None
        What is explained. Of a regressor: the number of the output, whose `predict` is explained;
        None stands for the only one. If ``quantile`` is a list, it is the number of the quantile;
        with several targets it is (target, quantile), a pair of numbers. If y has a horizon and
        outputs, it is (timestep ahead, output), or (timestep ahead, output, quantile). With
        ``loss="gaussian"`` the mean is explained. Of a classifier: one of ``classes_``, whose
        `predict_proba` is explained; None stands for the class that is predicted for each sequence
        (or timestep). For multilabel targets: the number of the label.
    method : {"gradient", "gradient_x_input", "integrated"}, default="gradient"
        - "gradient": the derivatives of the prediction [1]_.
        - "gradient_x_input": the derivatives times (x - baseline).
        - "integrated": integrated gradients [2]_, the mean of the derivatives on the straight line
          from the baseline to x, times (x - baseline). Their sum over a sequence is the difference
          of the predictions for x and for the baseline.
    baseline : float, array-like of shape (`n_features_in_`,), or sequences like X, default=0.0
        What stands for "nothing" in place of X, in the units of X: a number; a number per feature
        (per column for 2-D X), such as the mean ``X_mean_``; or sequences with the shapes of X's.
        It must be 0.0 with ``method="gradient"``, which has no baseline.
    n_points : int, default=50
        The number of points on the line at which ``method="integrated"`` takes derivatives: those
        of Gauss-Legendre quadrature. The time is proportional to it. Smooth networks need few.
        With "max" in `pooling` (as by default in a classifier) or ``activation="relu"``, the
        derivatives jump on the way, and more points are more exact.
    timestep : int, default=None
        With one prediction per timestep (``return_sequences=True``), the timestep whose prediction
        is explained; -1 is the last one of each sequence. None explains the sum of the predictions
        of all timesteps.

    Returns
    -------
    attributions : ndarray, or list or object array of ndarrays
        One number for each value of X, in the container and the shapes of X, and in the precision
        of the network. Padding is NaN.

    Raises
    ------
    ValueError, TypeError
        If an argument can't be used; TypeError if the gradient can't be followed through a step of
        the pipeline, which is named.

    See Also
    --------
    permutation_importance : What matters to the score, over many sequences.
    AttributionDisplay : Draws a sequence with its attributions.

    Notes
    -----
    Everything is in the units of X: of the inputs before ``standardize=True`` and before the
    scalers of a pipeline, and of the targets as they are predicted.

    Derivatives say what a small change of a value does, and are per unit of the feature. So the
    derivatives on features with different units can't be compared with each other. The two other
    methods give shares of the prediction, which can. Zero is seldom a natural baseline of data with
    units: take the mean, or a typical sequence.

    References
    ----------
    .. [1] K. Simonyan, A. Vedaldi, A. Zisserman, "Deep Inside Convolutional Networks: Visualising
           Image Classification Models and Saliency Maps", 2013.
    .. [2] M. Sundararajan, A. Taly, Q. Yan, "Axiomatic Attribution for Deep Networks", ICML 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNRegressor
    >>> from sklearn_rnn.inspection import input_gradients
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.standard_normal((length, 2)) for length in rng.integers(3, 6, size=200)]
    >>> y = [x[0, 0] - 2 * x[2, 1] for x in X]
    >>> model = RNNRegressor(hidden_size=8, learning_rate_init=0.05, tol=0.001, random_state=0)
    >>> gradients = input_gradients(model.fit(X, y), X)
    >>> gradients[0].shape == X[0].shape
    True
    >>> np.mean([gradient[:3] for gradient in gradients], axis=0).round(0) + 0.0
    array([[ 1.,  0.],
           [ 0.,  0.],
           [ 0., -2.]])

    Integrated gradients share out what a sequence's prediction differs by from the baseline's:

    >>> shares = input_gradients(model, X, method="integrated", baseline=model.X_mean_)
    >>> means = [np.tile(model.X_mean_, (len(x), 1)) for x in X]
    >>> totals = [share.sum() for share in shares]
    >>> np.allclose(totals, model.predict(X) - model.predict(means))
    True
    """
    check_choice("method", method, METHODS)
    check_number("n_points", n_points, Integral, 1, None, "left")
    network, inner_X, slopes = BehindScalers.of(estimator, X)
    inner = network._read_for_prediction(inner_X)
    inner.check_fits(network._parameters.vector.dtype)
    outer = as_sequences(X, FINITE_NUMBERS, network._fitted_on_table)
    distances = _timesteps(outer) - _baseline(baseline, outer, method, network)
    explained = Explained.of(network, inner, output, timestep)
    gradients = OutputGradients(network, inner.lengths, explained)
    rows = _timesteps(inner)
    if method == "integrated":
        mean, to_baseline = 0.0, slopes * distances
        for place, weight in _quadrature(n_points):
            mean = mean + weight * gradients.at(rows - (1 - place) * to_baseline)
        attributions = mean * slopes * distances
    else:
        attributions = gradients.at(rows) * slopes
        if method == "gradient_x_input":
            attributions = attributions * distances
    if not np.isfinite(attributions).all():
        raise ValueError(
            "The gradients overflow: X or the baseline has values far larger than the values that "
            "the estimator was fitted on."
        )
    return _restored(X, outer, attributions.astype(gradients.dtype, copy=False))


def _quadrature(n_points: int) -> list[tuple[float, float]]:
    """Return places between 0 and 1, and weights that sum to one (Gauss-Legendre)."""
    places, weights = np.polynomial.legendre.leggauss(n_points)
    return list(zip(((places + 1) / 2).tolist(), (weights / 2).tolist(), strict=True))


def _timesteps(X: Sequences) -> np.ndarray:
    """Return all valid timesteps as floats, (total_timesteps, n_features)."""
    rows = np.concatenate(X.unpadded())
    return rows if rows.dtype.kind == "f" else rows.astype(np.float64)


def _baseline(baseline, X: Sequences, method: str, network) -> np.ndarray | float:
    """Read the baseline as a number, or as timesteps (total_timesteps, n_features)."""
    is_number = np.isscalar(baseline) or getattr(baseline, "shape", None) == ()
    if method == "gradient" and not (is_number and baseline == 0):
        raise ValueError(
            f"baseline={baseline!r} has no meaning for method='gradient': leave it at 0.0, or set "
            "method='gradient_x_input' or 'integrated'."
        )
    if is_number:
        check_number("baseline", baseline, Real, None, None, "both")
        return float(baseline)
    if not np.iterable(baseline):
        raise TypeError(f"baseline must be a number, an array or sequences, not {baseline!r}.")
    if not is_frame(baseline) and all(np.isscalar(value) for value in baseline):
        return _baseline_of_features(baseline, X)
    with renamed({"X": "baseline"}):
        sequences = as_sequences(baseline, FINITE_NUMBERS, network._fitted_on_table)
    shapes = [[x.shape for x in part.unpadded()] for part in (X, sequences)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            "baseline must be a number, a number per feature, or sequences with the shapes of X's: "
            f"those are {shapes[0][:3]}, ..., not {shapes[1][:3]}, ..."
        )
    return _timesteps(sequences)


def _baseline_of_features(baseline, X: Sequences) -> np.ndarray:
    values = np.asarray(baseline, dtype=np.float64)
    # scikit-learn's features of 2-D X are its columns, which are timesteps here.
    n_expected = X.n_timesteps if X.container == "table" else X.n_features
    if len(values) != n_expected or not np.isfinite(values).all():
        raise ValueError(
            f"baseline={baseline!r} must have {n_expected} finite numbers, one per "
            f"{'column' if X.container == 'table' else 'feature'}."
        )
    if X.container == "table":
        return np.concatenate([values[:length] for length in X.lengths])[:, np.newaxis]
    return np.broadcast_to(values, (int(X.lengths.sum()), len(values)))


def _restored(X, sequences: Sequences, rows: np.ndarray):
    """Put one row per timestep into the container and the shapes of X."""
    are_1d = sequences.is_list and all(np.ndim(x) == 1 for x in X)
    restored = sequences.restore(rows[:, 0] if are_1d else rows, np.nan)
    return restored[:, :, 0] if sequences.container == "table" else restored
