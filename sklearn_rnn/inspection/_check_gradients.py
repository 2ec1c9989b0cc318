"""The gradient that training follows, compared with finite differences."""

from copy import copy
from numbers import Integral

import numpy as np
from sklearn.utils import Bunch, check_random_state

from sklearn_rnn._base import BaseRNN
from sklearn_rnn._input.errors import describe
from sklearn_rnn._input.hyperparameters import check_hyperparameters, check_number, plain
from sklearn_rnn._settings import keeps_numpy_settings
from sklearn_rnn._training.data import Segment, TrainingData
from sklearn_rnn._training.lbfgs import objective_in_double
from sklearn_rnn._training.objective import Objective
from sklearn_rnn._training.units import units_of
from sklearn_rnn.core.batch_loss import TrainingLoss
from sklearn_rnn.core.losses import LOSSES

# The spacing of the differences: their errors, of cutting off and of rounding, are about 1e-12.
STEP = 1e-4
# f'(x) h = Σ w f(x + k h) for (k, w) here, but for terms in h⁵.
STENCIL = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))

# The gradients of an array are compared with its own largest one, but at least with this part of
# the largest of all. Otherwise the errors of the differences would count where gradients vanish.
SMALLEST_PART = 1e-5


@keeps_numpy_settings
def check_gradients(estimator, X, y, *, n_checked=20, sample_weight=None, random_state=0):
    """Compare the gradient that training follows with finite differences.

    The gradient comes from backpropagation through time. It is that of the training loss for all
    of X and y, penalty included, on the parameters of the network. It is right if the slopes of
    the loss, measured by small changes of single parameters, are the same. Use it for a new cell or
    loss, or in doubt.

    Parameters
    ----------
    estimator : RNNRegressor or RNNClassifier
        If it is fitted, the gradient is checked at its weights; otherwise at those with which
        training would start. It isn't changed.
    X, y : array-like or list of arrays
        Sequences and targets, as for ``fit``. A few are enough: for each array in
        ``weights_``, the loss is computed ``4 * n_checked`` times.
    n_checked : int, default=20
        How many parameters of each array are checked. They are chosen at random.
    sample_weight : array-like or list of arrays, default=None
        Weights, as for ``fit``.
    random_state : int, RandomState instance or None, default=0
        Determines the choice of parameters.

    Returns
    -------
    result : `~sklearn.utils.Bunch`
        The errors, in these fields:

        worst : float
            The largest of the errors. About 1e-7 or less means that the gradient is right.
        worst_name : str
            The array in which it is, under its name in ``weights_``.
        errors : dict of str to float
            For each array the largest difference between its gradient and the slopes, relative to
            the largest slope among its checked parameters.

    Raises
    ------
    ValueError, TypeError
        If the estimator isn't one of this package's, or if an argument can't be used.

    Notes
    -----
    Everything is computed in float64, whatever the precision of X. Dropout is left out, since a
    loss with randomness has no slope. So are `bptt_steps`: truncation computes something else than
    the gradient on purpose. All of X counts, whatever `early_stopping` says.

    The slopes are differences of fourth order, with parameters changed by 1e-4 and 2e-4. Where the
    loss has a kink so close by, the slope isn't that of the gradient, and the error is large,
    though nothing is wrong. This can happen with the losses "absolute_error", "quantile" and
    "huber", with ``activation="relu"``, and with "max" in `pooling`. Then try other data.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNClassifier
    >>> from sklearn_rnn.inspection import check_gradients
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.standard_normal((length, 2)) for length in (3, 5, 2, 4)]
    >>> model = RNNClassifier(cell="lstm", hidden_size=4, pooling="last", random_state=0)
    >>> result = check_gradients(model, X, ["a", "b", "b", "a"])
    >>> result.worst < 1e-7
    True
    >>> sorted(result.errors)
    ['layer_0.W_hh', 'layer_0.W_xh', 'layer_0.b_h', 'output.W_hy', 'output.b_y']
    """
    if not isinstance(estimator, BaseRNN):
        raise TypeError(
            f"estimator must be an RNNRegressor or an RNNClassifier, not {describe(estimator)}: "
            "give the one inside, with X as it gets it."
        )
    check_number("n_checked", n_checked, Integral, 1, None, "left")
    rng = check_random_state(random_state)
    objective = _objective(copy(estimator), X, y, sample_weight)
    segment = objective.data.one_segment(np.arange(len(objective.data)))
    objective.evaluate(segment)
    named = objective.network.architecture.named
    gradients = {name: array.copy() for name, array in named(objective.gradients).items()}
    largest = max(np.abs(gradient).max() for gradient in gradients.values())
    errors = {}
    for name, parameters in named(objective.network.parameters).items():
        chosen = rng.choice(parameters.size, min(n_checked, parameters.size), replace=False)
        places = [np.unravel_index(number, parameters.shape) for number in chosen]
        slopes = np.array([_slope(objective, segment, parameters, place) for place in places])
        differences = np.array([gradients[name][place] for place in places]) - slopes
        scale = max(np.abs(slopes).max(), SMALLEST_PART * largest, np.finfo(np.float64).tiny)
        errors[name] = float(np.abs(differences).max() / scale)
    worst_name = max(errors, key=errors.get)
    return Bunch(worst=errors[worst_name], worst_name=worst_name, errors=errors)


def _objective(estimator: BaseRNN, X, y, sample_weight) -> Objective:
    """Return the objective that `fit` would have, in float64; change the estimator's attributes."""
    check_hyperparameters(estimator)
    is_fitted = hasattr(estimator, "_parameters")
    examples = estimator._read(X, y, sample_weight, goes_on=is_fitted)
    estimator._publish_input(examples)
    data = TrainingData.of(examples, bool(estimator.return_sequences), np.float64)
    loss = LOSSES[estimator._loss]
    if is_fitted:
        network = estimator._new_network()
    else:
        network = estimator._prepare_run(examples, goes_on=False).network
        network.units = units_of(data, loss, bool(estimator.standardize))
    scaling = network.units.targets
    data = data.in_units(scaling, np.float64)
    loss = TrainingLoss.of(loss, estimator, scaling)
    return objective_in_double(network, data, loss, plain(estimator.alpha))


def _slope(objective: Objective, segment: Segment, parameters: np.ndarray, place: tuple) -> float:
    """Return the slope of the loss on one parameter, which is as before afterwards."""
    value, slope = parameters[place], 0.0
    for shift, weight in STENCIL:
        parameters[place] = value + shift * STEP
        objective.network.refresh()
        slope += weight * objective.evaluate(segment).value / STEP
    parameters[place] = value
    return slope
