"""Stream: a trained network that reads sequences as they come, and keeps what it needs of them."""

import hashlib
from collections.abc import Mapping, Sequence
from contextvars import Context
from functools import partial
from numbers import Integral

import numpy as np
from numpy import ndarray

from sklearn_rnn._input.containers import check_container
from sklearn_rnn._input.content import FINITE_NUMBERS, as_numbers
from sklearn_rnn._input.errors import about, describe, renamed
from sklearn_rnn._input.sequences import Sequences, as_sequences
from sklearn_rnn.core.caching import cached_property
from sklearn_rnn.core.stepper import Stepper, with_units_in_weights

# The key under which a state has the fingerprint of its network.
FINGERPRINT = "network"


class Stream:
    """Sequences that a fitted estimator reads as they come.

    Made by the method ``stream`` of an estimator, or by `sklearn_rnn.streaming.stream`. A stream
    keeps the hidden states of its sequences, and nothing else of what they were: its memory doesn't
    grow, and a step takes the same time however long the sequences are. It goes on with the weights
    that the estimator had when the stream was made, even if the estimator is fitted again.

    A stream can be pickled and copied, with its present states. It belongs to one thread at a time;
    several streams of one estimator may work in as many threads.

    Parameters
    ----------
    model : RNNRegressor or RNNClassifier
        The fitted estimator.
    n_sequences : int, default=1
        The number of sequences, which are read at the same pace.
    method : str, default="predict"
        The method of the estimator whose results the stream gives.
    transformers : sequence, default=()
        What x and X go through first.

    Attributes
    ----------
    n_sequences : int
        The number of sequences.
    method : str
        The method whose results the stream gives.
    state : dict of str to ndarray
        The present states; see `state`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNRegressor
    >>> X, y = np.random.default_rng(0).normal(size=(50, 9, 2)), np.arange(50)
    >>> model = RNNRegressor(hidden_size=4, tol=1e9, random_state=0).fit(X, y)
    >>> stream = model.stream()
    >>> for x in X[0]:
    ...     prediction = stream.step(x)
    >>> np.allclose(prediction, model.predict(X[:1]))
    True
    """

    def __init__(self, model, n_sequences=1, method="predict", transformers=()):
        if isinstance(n_sequences, bool) or not isinstance(n_sequences, Integral):
            raise TypeError(f"n_sequences must be an integer; got {describe(n_sequences)}.")
        if n_sequences < 1:
            raise ValueError(f"n_sequences must be at least 1; got {n_sequences}.")
        responses = model._responses
        if not isinstance(method, str) or method not in responses:
            raise ValueError(
                f"method={method!r}, but a stream of {type(model).__name__} gives the results of "
                f"one of {[*responses]}."
            )
        architecture = model._architecture
        if architecture.bidirectional:
            raise ValueError(
                "A network with bidirectional=True can't be streamed: its reverse direction begins "
                "at the end of a sequence, which a stream doesn't know. Fit with "
                "bidirectional=False."
            )
        self._model, self._transformers = model, list(transformers)
        self._n_sequences, self._method = int(n_sequences), method
        self._compute, self._padding = responses[method]
        network = model._new_network()
        self._network = with_units_in_weights(network)
        self._stepper = Stepper(self._network, self._n_sequences)
        # What the stepper takes. The dtype is compared by identity: it must be that of all arrays.
        n_inputs, self._dtype = architecture.n_inputs, np.dtype(network.dtype.type)
        self._shape = (n_inputs,) if n_sequences == 1 else (self._n_sequences, n_inputs)
        self._shape_of_one = (1, n_inputs) if n_sequences == 1 else (-1,)  # which no array has
        # NumPy's error handling belongs to a context. To enter one takes no time, np.errstate does.
        context = Context()
        context.run(np.seterr, all="ignore")
        self._advance = partial(context.run, self._stepper.step)

    @property
    def n_sequences(self) -> int:
        """The number of sequences."""
        return self._n_sequences

    @property
    def method(self) -> str:
        """The method of the estimator whose results the stream gives."""
        return self._method

    def step(self, x):
        """Read one timestep of every sequence.

        Parameters
        ----------
        x : array-like of shape (n_sequences, n_features)
            The timestep. Its shape may be (n_features,) for one sequence, and (n_sequences,) for
            one feature.

        Returns
        -------
        y : ndarray of shape (n_sequences,) or (n_sequences, n_outputs)
            What the method (see ``method``) gives for the sequences that were read so far. With
            ``return_sequences=True``, what it gives at this timestep. There are more axes if
            ``predict`` gives them: for several quantiles, or for a horizon.

        Raises
        ------
        ValueError, TypeError
            If x can't be used, or if the results overflow. The stream stays as it was.
        """
        if self._transformers:
            x = self._transformed(x)
        shape = x.shape if type(x) is ndarray and x.dtype is self._dtype else None
        if shape != self._shape:
            x = x[0] if shape == self._shape_of_one else self._read_timestep(x)
        try:
            raw = self._advance(x)
        except FloatingPointError:
            raise self._not_finite(x) from None
        try:
            return self._compute(raw)
        except BaseException:
            self._stepper.undo()
            with renamed({"X": "x"}):
                raise

    def read(self, X):
        """Read several timesteps of every sequence.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timesteps, n_features), or list of n_sequences \
                arrays of shape (n_timesteps_i, n_features)
            The timesteps, as for the estimator's ``predict``. The sequences of a list, or of an
            array with padding, may have different numbers of timesteps: each one is read to its
            end. The shape may be (n_timesteps, n_features) for one sequence, and
            (n_sequences, n_timesteps) for one feature.

        Returns
        -------
        y : ndarray, or list of ndarray
            What the method (see ``method``) gives for the sequences that were read so far. With
            ``return_sequences=True``, what it gives at the timesteps of X, in the container of X.

        Raises
        ------
        ValueError, TypeError
            If X can't be used, or if the results overflow. The stream stays as it was.
        """
        X = self._read_chunk(X)
        carry = self._network.start(self._n_sequences)
        copy_arrays(self._stepper.arrays, carry.arrays)
        y = self._compute(self._model._raw(X, self._network, carry))
        copy_arrays(carry.arrays, self._stepper.arrays)
        return self._model._in_container(X, y, self._padding)

    def reset(self, rows=None):
        """Start some sequences anew, as if nothing of them had been read.

        Parameters
        ----------
        rows : int, slice, or array-like of int or bool, default=None
            Which sequences. None means all of them.

        Returns
        -------
        self : object
            The stream.

        Raises
        ------
        ValueError
            If `rows` doesn't choose among the sequences.
        """
        try:
            chosen = np.arange(self._n_sequences)[slice(None) if rows is None else rows]
        except (IndexError, TypeError) as error:
            raise ValueError(
                f"rows={rows!r} doesn't choose among {self._n_sequences} sequences: {error}."
            ) from error
        first = self._network.start(self._n_sequences).arrays
        for array, value in zip(self._stepper.arrays, first, strict=True):
            array[..., chosen] = value[..., chosen]
        return self

    @property
    def state(self) -> dict[str, np.ndarray]:
        """What the stream remembers: a dict of arrays, which can be stored and set again.

        ``"layer_k.h"``, and for the LSTM ``"layer_k.c"``, are the states of layer k,
        (n_sequences, hidden_size). With ``pooling`` the sum and the number of timesteps are
        ``"mean.total"`` and ``"mean.n_steps"``, and the maximum is ``"max.highest"``. The last
        array, ``"network"``, tells whether a state belongs to this network. The arrays are copies.
        A state can be set in any stream of the same fit with as many sequences; otherwise it raises
        ValueError or TypeError.
        """
        state = {
            name: array.T.copy()
            for name, array in zip(self._names, self._stepper.arrays, strict=True)
        }
        return {**state, FINGERPRINT: self._fingerprint.copy()}

    @state.setter
    def state(self, state: Mapping[str, np.ndarray]) -> None:
        arrays = self._checked_state(state)
        copy_arrays([array.T for array in arrays], self._stepper.arrays)

    def __getstate__(self):
        return {
            "arguments": (self._model, self._n_sequences, self._method, self._transformers),
            "state": self.state,
        }

    def __setstate__(self, state):
        self.__init__(*state["arguments"])
        self.state = state["state"]

    def __repr__(self):
        arguments = f"n_sequences={self._n_sequences}, method={self._method!r}"
        return f"Stream({self._model!r}, {arguments})"

    # States.

    @cached_property
    def _names(self) -> list[str]:
        """The names of the arrays of a state, in the order of `Carry.arrays`."""
        architecture, first = self._network.architecture, self._network.start(1)
        names = []
        for k, layer in enumerate(first.layers):
            names += [f"layer_{k}.{state_name(i)}" for i in range(len(layer.states))]
        for pool, start in zip(architecture.pooling, first.pools, strict=True):
            names += [f"{pool}.{name}" for name in start.arrays]
        return names

    @cached_property
    def _fingerprint(self) -> np.ndarray:
        """A number of 16 bytes for this network, its parameters and units."""
        model = self._model
        digest = hashlib.blake2b(repr(model._architecture).encode(), digest_size=16)
        units = [part for scaling in model._units if scaling is not None for part in scaling]
        for array in [model._parameters.vector, *units]:
            digest.update(str(array.dtype).encode() + array.tobytes())
        return np.frombuffer(digest.digest(), np.uint8)

    def _checked_state(self, state) -> list[np.ndarray]:
        """Return the arrays of a state in the order of `Carry.arrays`, or raise."""
        if not isinstance(state, Mapping):
            raise TypeError(f"state must be a dict, as a stream gives it; got {describe(state)}.")
        names = [*self._names, FINGERPRINT]
        if set(state) != set(names):
            raise ValueError(
                f"state has the arrays {sorted(state, key=str)}, but this network's has "
                f"{sorted(names)}: it belongs to another network."
            )
        places = [array.T for array in self._stepper.arrays] + [self._fingerprint]
        arrays = []
        for name, place in zip(names, places, strict=True):
            array = np.asarray(state[name])
            if array.shape != place.shape:
                raise ValueError(
                    f"state[{name!r}] has shape {array.shape}, but this stream of "
                    f"{self._n_sequences} sequences needs {place.shape}."
                )
            if array.dtype != place.dtype:
                raise TypeError(
                    f"state[{name!r}] has dtype {array.dtype}, but this stream needs "
                    f"{place.dtype}: the state belongs to another network."
                )
            arrays.append(array)
        if not np.array_equal(arrays.pop(), self._fingerprint):
            raise ValueError(
                "state belongs to another network, or to another fit of this one: its hidden "
                "states mean nothing here."
            )
        return arrays

    # Timesteps and chunks.

    def _read_timestep(self, x) -> np.ndarray:
        """Return x in the shape that the stepper takes."""
        check_container(x, "x")
        with about("x"):
            array = as_numbers(np.asarray(x), "x")
        n_features = self._shape[-1]
        shapes = [(self._n_sequences, n_features)]
        shapes += [(n_features,)] if self._n_sequences == 1 else []
        shapes += [(self._n_sequences,)] if n_features == 1 else []
        if array.shape not in shapes:
            raise ValueError(
                f"x must have the shape (n_sequences, n_features), here {shapes[0]}; got "
                f"{describe(x)}."
            )
        return array.reshape(self._shape)

    def _not_finite(self, x: np.ndarray) -> ValueError:
        """Return the error for a timestep that gave NaN or infinity."""
        rows = x.reshape(self._n_sequences, -1)
        bad = np.argwhere(~np.isfinite(rows))
        if len(bad):
            sequence, feature = bad[0]
            return ValueError(
                f"Input x contains NaN or infinity: sequence {sequence} has "
                f"{rows[sequence, feature]} at feature {feature}. Values must be finite."
            )
        limit = np.finfo(self._network.dtype).max
        too_large = (np.abs(rows) > limit).any(axis=1)
        if too_large.any():
            return ValueError(
                f"x has values too large for {self._network.dtype.name} in sequence "
                f"{too_large.argmax()}: the network computes in that precision."
            )
        return self._model._overflow("x")

    def _transformed(self, x):
        """Return a timestep as the network takes it."""
        if not hasattr(x, "columns"):
            x = np.asarray(x)
            if x.ndim == 1:
                x = x.reshape((1, -1) if self._n_sequences == 1 else (-1, 1))
        if x.ndim != 2 or len(x) != self._n_sequences:
            raise ValueError(
                f"x must have the shape (n_sequences, n_features), here with "
                f"{self._n_sequences} sequences; got {describe(x)}."
            )
        for transformer in self._transformers:
            x = transformer.step(x)
        return x

    def _read_chunk(self, X) -> Sequences:
        """Return checked timesteps as the network takes them."""
        n_inputs = self._network.architecture.n_inputs
        n_features = self._transformers[0].n_features if self._transformers else n_inputs
        shape = getattr(X, "shape", ())
        if self._n_sequences == 1 and len(shape) == 2 and shape[1] == n_features:
            X = [X] if hasattr(X, "columns") else X[np.newaxis]
        for transformer in self._transformers:
            X = transformer.read(X)
        sequences = as_sequences(X, FINITE_NUMBERS, self._model._fitted_on_table)
        if len(sequences) != self._n_sequences:
            raise ValueError(
                f"X has {len(sequences)} sequences, but this stream reads {self._n_sequences}."
            )
        if sequences.n_features != n_inputs:
            raise ValueError(
                f"X has {sequences.n_features} features, but {type(self._model).__name__} is "
                f"expecting {n_inputs} features as input."
            )
        return sequences


def state_name(number: int) -> str:
    """The name of a cell's state: h, c as in the LSTM, or state_2 and so on."""
    return "hc"[number] if number < 2 else f"state_{number}"


def copy_arrays(sources: Sequence[np.ndarray], targets: Sequence[np.ndarray]) -> None:
    for source, target in zip(sources, targets, strict=True):
        target[...] = source
