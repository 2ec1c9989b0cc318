"""What RNNRegressor and RNNClassifier do with a trained network: predict, show it, save it."""

import math
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Mapping
from copy import copy, deepcopy
from dataclasses import replace
from functools import partial
from numbers import Integral
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._documented import Documented
from sklearn_rnn._input.errors import describe
from sklearn_rnn._input.network_weights import read_network_weights
from sklearn_rnn._input.sequences import Sequences, read_sequences
from sklearn_rnn._input.targets import first_rows
from sklearn_rnn._jobs import SHARED, predict_workers, shared
from sklearn_rnn._settings import keeps_numpy_settings, one_blas_thread
from sklearn_rnn._stream import Stream
from sklearn_rnn._training.plain_state import as_plain, from_plain
from sklearn_rnn._training.progress import Progress
from sklearn_rnn._versioned import Versioned
from sklearn_rnn.core.idle import IdleNetworks
from sklearn_rnn.core.layouts import PREDICT_BATCH
from sklearn_rnn.core.links import identity
from sklearn_rnn.core.losses import LOSSES
from sklearn_rnn.core.memory import prediction_context
from sklearn_rnn.core.network import Carry, Network
from sklearn_rnn.core.parameters import Parameters

# OpenBLAS may compute a product of a timestep in several threads if it has so many multiplications.
# It computes smaller ones in one thread, and those of matrices up to 2**18.
SHARED_OUT = 9216

# The attributes that make the trained network. Files hold plain values in their place.
NETWORK = ("_architecture", "_parameters", "_units", "_progress")


class Response(NamedTuple):
    """What a method that predicts makes of raw outputs.

    compute : turns raw outputs, (n_targets, n_outputs), into one result per target
    padding : what stands in the padding of an array of results
    """

    compute: Callable[[np.ndarray], np.ndarray]
    padding: Any = np.nan


def one_row_per_sequence(model) -> bool:
    """Whether `transform` makes a table, whose columns have names."""
    return not model.return_sequences


class FittedNetwork(
    Documented, Versioned, ClassNamePrefixFeaturesOutMixin, TransformerMixin, metaclass=ABCMeta
):
    """A mixin: the part of an estimator that needs only a trained network, and no training."""

    def _raw(
        self, X: Sequences, network: Network | None = None, carry: Carry | None = None
    ) -> np.ndarray:
        """Raw outputs, (n_targets, n_outputs), in the units of the targets.

        network : gives the same outputs as the fitted one; None for that
        carry : see `Network.predict`
        """
        compute = Network.predict if carry is None else partial(Network.predict, carry=carry)
        return self._computed(X, compute, network)

    def _computed(
        self, X: Sequences, compute: Callable, network: Network | None = None
    ) -> np.ndarray:
        """Run `Network.predict` or `Network.features` of a network, or of the fitted one."""
        if len(X) > PREDICT_BATCH and compute in SHARED:
            architecture = self._architecture if network is None else network.architecture
            n = predict_workers(self.n_jobs, architecture, X.lengths)
            compute = shared(n, compute) if n > 1 else compute
        if network is None:
            outputs = self._networks.compute(partial(computed, X, compute), len(X))
        else:
            outputs = prediction_context().run(computed, X, compute, network)
        self._check_overflow(outputs)
        return outputs

    def _new_network(self) -> Network:
        """Return the trained network, in buffers of the caller's own."""
        return Network(self._architecture, self._parameters, self._units)

    def _with_network(self, network: Network) -> "FittedNetwork":
        """Return a copy of the estimator that is fitted with a copy of this network."""
        fitted = copy(self)
        vars(fitted).update(network_attributes(deepcopy(network.parameters), network))
        return fitted

    @property
    def _link(self) -> Callable[[np.ndarray], np.ndarray]:
        """What turns raw outputs, (n_outputs, n), into predictions."""
        return LOSSES[self._loss].link

    def _linked(self, raw: np.ndarray) -> np.ndarray:
        """Turn raw outputs into predictions of the mean, of a quantile, or of probabilities."""
        if self._link is identity:
            return raw
        with np.errstate(over="ignore"):
            linked = self._link(raw.T).T
        self._check_overflow(linked)
        return linked

    def _check_overflow(self, outputs: np.ndarray) -> None:
        if not np.isfinite(outputs).all():
            raise self._overflow()

    def _overflow(self, name: str = "X") -> ValueError:
        return ValueError(
            f"The predictions overflow: either {name} has values far larger than the values "
            f"that {type(self).__name__} was fitted on, or its training diverged. Look at the "
            f"units of {name}, or fit with a lower learning_rate_init."
        )

    @property
    @abstractmethod
    def _responses(self) -> dict[str, Response]:
        """The public methods that predict, by name."""

    def _respond(self, method: str, X):
        """Return what a public method that predicts returns."""
        X, response = self._read_for_prediction(X), self._responses[method]
        return self._in_container(X, response.compute(self._raw(X)), response.padding)

    def _in_container(self, X: Sequences, y: np.ndarray, padding=np.nan):
        """Return one row per target, in the container of X if there is one per timestep."""
        return X.restore(y, padding) if self._architecture.return_sequences else y

    def _read_for_prediction(self, X) -> Sequences:
        if not hasattr(self, "_parameters"):  # check_is_fitted takes as long as a short sequence
            check_is_fitted(self)
        return read_sequences(X, self, reset=False)

    def stream(self, n_sequences=1, method="predict"):
        """Begin to read sequences as they come, timestep by timestep or in chunks.

        Parameters
        ----------
        n_sequences : int, default=1
            The number of sequences, which are read at the same pace.
        method : str, default="predict"
            The method whose results the stream gives: "predict", and of a classifier also
            "predict_proba" or "predict_log_proba".

        Returns
        -------
        stream : Stream
            A `~sklearn_rnn.streaming.Stream` that has read nothing yet. Its results after some
            timesteps are those of the method for these timesteps.

        Raises
        ------
        ValueError, TypeError
            If an argument can't be used, or if the network is bidirectional.
        """
        check_is_fitted(self)
        return Stream(copy(self), n_sequences, method)

    @keeps_numpy_settings
    def hidden_states(self, X, layer=-1):
        """Return the hidden states h_t of a recurrent layer at every timestep.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences, as for `predict`.
        layer : int, default=-1
            The layer, counted from 0 for the lowest. Negative numbers count from the top layer, -1.

        Returns
        -------
        h : ndarray of shape (n_samples, n_timesteps, width), or list of ndarray
            The hidden states. The width is hidden_size, and 2 * hidden_size for both directions of
            a bidirectional network, which stand at the same timestep. A list X gives a list of
            arrays (n_timesteps_i, width). An array has NaN in padding.

        Raises
        ------
        ValueError, TypeError
            If X or `layer` can't be used.
        """
        check_is_fitted(self)
        n_layers = self._architecture.n_layers
        if isinstance(layer, bool) or not isinstance(layer, Integral):
            raise TypeError(f"layer must be an integer; got {describe(layer)}.")
        if not -n_layers <= layer < n_layers:
            raise ValueError(
                f"layer={layer}, but there are {n_layers} layers: give a number from {-n_layers} "
                f"to {n_layers - 1}."
            )
        X = self._read_for_prediction(X)
        up_to_layer = replace(
            self._architecture,
            n_layers=range(n_layers)[layer] + 1,
            return_sequences=True,
            pooling=("last",),
        )
        network = Network(up_to_layer, self._parameters, self._units)
        return X.restore(self._computed(X, Network.features, network), np.nan)

    @keeps_numpy_settings
    def transform(self, X):
        """Return the features that the output layer reads: hidden states of the top layer.

        Parameters
        ----------
        X : array-like or list of arrays
            The sequences, as for `predict`.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features_out)
            The hidden states over time as ``pooling`` makes one row of them; with several of
            ``pooling``, these side by side. With ``return_sequences=True`` the hidden states at
            every timestep, as `hidden_states` returns them.

        Raises
        ------
        ValueError, TypeError
            If X can't be used.
        """
        X = self._read_for_prediction(X)
        return self._in_container(X, self._computed(X, Network.features))

    @available_if(one_row_per_sequence)
    def get_feature_names_out(self, input_features=None):
        """Return the names of the features that `transform` returns.

        Not available with ``return_sequences=True``: these results have no columns. The same holds
        for ``set_output``.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Not used, since every feature depends on all features of X.

        Returns
        -------
        names : ndarray of str objects
            The name of the class in lower case, and a number.
        """
        return super().get_feature_names_out(input_features)

    @property
    def _n_features_out(self) -> int:
        check_is_fitted(self)
        return self._architecture.n_features

    @property
    def weights_(self) -> Mapping[str, np.ndarray]:
        """The parameters under the textbook's names, read-only."""
        check_is_fitted(self)
        named = self._architecture.named(self._parameters)
        named = {name: array.view() for name, array in named.items()}
        for array in named.values():
            array.flags.writeable = False
        return MappingProxyType(named)

    def set_weights(self, weights):
        """Replace the weights of the network, for instance by those of a network in torch.

        Units (``X_mean_`` and so on) and the history of training stay. Training can go on from
        these weights by ``partial_fit`` or ``warm_start=True``, with a new state of the optimizer.
        Streams that were made before keep the weights that they had.

        Parameters
        ----------
        weights : dict of str to array-like
            All arrays of ``weights_``, by their names there and in their shapes. They are copied,
            in the precision of the network.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError, TypeError
            If a name, a shape or a value isn't right. The estimator stays as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_rnn import RNNRegressor
        >>> X, y = np.ones((4, 3, 1)), np.ones(4)
        >>> model = RNNRegressor(hidden_size=2, tol=0.1, random_state=0).fit(X, y)
        >>> halved = {name: array / 2 for name, array in model.weights_.items()}
        >>> model.set_weights(halved).weights_["output.b_y"] == halved["output.b_y"]
        array([ True])
        """
        numbers = read_network_weights(weights, self.weights_)
        parameters, progress = deepcopy((self._parameters, self._progress))
        for name, array in self._architecture.named(parameters).items():
            array[...] = numbers[name]
        progress.begin_with_other_parameters()
        network = Network(self._architecture, parameters, self._units)
        vars(self).update(fitted_attributes(network, progress))
        return self

    @property
    def X_mean_(self) -> np.ndarray | None:
        """The means of the features that ``standardize=True`` takes away."""
        return self._statistic("inputs", "mean")

    @property
    def X_scale_(self) -> np.ndarray | None:
        """The standard deviations of the features that ``standardize=True`` divides by."""
        return self._statistic("inputs", "scale")

    @property
    def y_mean_(self) -> np.ndarray | None:
        """The means of the outputs that ``standardize=True`` takes away."""
        return self._statistic("targets", "mean")

    @property
    def y_scale_(self) -> np.ndarray | None:
        """The standard deviations of the outputs that ``standardize=True`` divides by."""
        return self._statistic("targets", "scale")

    def _statistic(self, of: str, name: str) -> np.ndarray | None:
        check_is_fitted(self)
        scaling = getattr(self._units, of)
        return None if scaling is None else getattr(scaling, name).copy()

    def __getstate__(self):
        state = super().__getstate__()
        state.pop("_callback_requests", None)  # a running fit has it; it holds data
        state.pop("_networks", None)
        return {**state, **{name: as_plain(state[name]) for name in NETWORK if name in state}}

    def __setstate__(self, state):
        super().__setstate__(state)
        state = vars(self)
        state.update({name: from_plain(state[name]) for name in NETWORK if name in state})
        if "_parameters" in state:
            self._networks = IdleNetworks(self._architecture, self._parameters, self._units)


def computed(X: Sequences, compute: Callable, network: Network) -> np.ndarray:
    """Run `Network.predict` or `Network.features` over sequences, in a `prediction_context`."""
    starts, n_rows = first_rows(X, network.architecture.return_sequences)
    X.check_fits(network.dtype)
    work = partial(compute, network, X.lengths, X.batch, starts, n_rows)
    if network.largest_product * len(X) >= SHARED_OUT:
        return one_blas_thread.run(work)
    return work()  # since to limit BLAS takes time, too


def network_attributes(parameters: Parameters, network: Network) -> dict[str, Any]:
    """Return the attributes that a network with other parameters, or the same ones, leaves."""
    parts = network.architecture, parameters, network.units
    names = "_architecture", "_parameters", "_units", "_networks"
    return dict(zip(names, (*parts, IdleNetworks(*parts)), strict=True))


def fitted_attributes(network: Network, progress: Progress) -> dict[str, Any]:
    """Return the attributes that training leaves, by name."""
    n_iter = progress.n_epochs
    scored = bool(progress.validation_scores)
    return {
        **network_attributes(network.parameters, network),
        "_progress": progress,
        "n_layers_": network.architecture.n_layers,
        "loss_curve_": progress.loss_curve,
        "loss_": progress.loss_curve[-1] if n_iter else math.inf,
        "best_loss_": progress.best_loss,
        "learning_rates_": progress.learning_rates,
        "n_iter_": n_iter,
        "t_": progress.n_samples_seen,
        "validation_scores_": progress.validation_scores if scored else None,
        "validation_loss_curve_": progress.validation_loss_curve or None,
        "best_validation_score_": progress.best_validation_score,
        "best_iteration_": progress.best_iteration,
        "gradient_norms_": progress.health.gradient_norms,
        "weight_norms_": progress.health.weight_norms,
    }
