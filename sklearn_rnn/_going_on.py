"""Forecasts and samples: a stream whose results are what it reads next."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state

from sklearn_rnn._input.content import FINITE_NUMBERS
from sklearn_rnn._input.errors import about, describe, renamed
from sklearn_rnn._input.frames import is_frame
from sklearn_rnn._input.hyperparameters import check_number
from sklearn_rnn._input.sequences import Sequences, as_sequences


def forecast(model, X, n_steps: int, X_future) -> np.ndarray:
    """Return what `RNNRegressor.forecast` does."""
    check_number("n_steps", n_steps, Integral, 1, None, "left")
    sequences = model._read_for_prediction(X)
    head, n_features = model._architecture.head, sequences.n_features
    if head.quantiles is not None:
        raise ValueError(
            f"The network predicts {head}, but a forecast feeds one number back. Fit one quantile, "
            "or all timesteps ahead as outputs (sliding_windows(horizon=...))."
        )
    if len(model._target_shape) > 1:
        n_steps_of_y = model._target_shape[0]
        raise ValueError(
            f"The targets have an axis of {n_steps_of_y} timesteps, which predict gives at once, "
            "but a forecast feeds one timestep back at a time: call predict, or fit on the next "
            "timestep alone, y[:, 0]."
        )
    n_outputs = model._architecture.n_outputs // head.n_per_target
    if n_outputs > n_features:
        raise ValueError(
            f"The targets have {n_outputs} outputs and X has {n_features} features, but a forecast "
            "feeds predictions back: fit on targets that are the next values of the first features."
        )
    known = _known_ahead(model, X_future, sequences, n_steps - 1, n_features - n_outputs)
    stream = model.stream(len(sequences))
    values = _last(stream.read(X), sequences, model).reshape(len(sequences), -1)
    predicted = np.empty((len(sequences), n_steps, n_outputs), values.dtype)
    predicted[:, 0] = values
    for step in range(1, n_steps):
        x = np.column_stack([predicted[:, step - 1], known[:, step - 1]])
        predicted[:, step] = stream.step(x).reshape(len(sequences), -1)
    return predicted.reshape(len(sequences), n_steps, *model._target_shape)


def sample(model, X, n_steps: int, temperature: float, random_state) -> np.ndarray:
    """Return what `RNNClassifier.sample` does."""
    check_number("n_steps", n_steps, Integral, 1, None, "left")
    check_number("temperature", temperature, Real, 0, None, "neither")
    sequences, n_classes = model._read_for_prediction(X), len(model.classes_)
    if model._multilabel or sequences.n_features != n_classes:
        raise ValueError(
            f"X has {sequences.n_features} features, and the targets "
            + ("are several labels each" if model._multilabel else f"{n_classes} classes")
            + ", but a sample feeds labels back: fit on one-hot sequences, with one feature for "
            "each class, in the order of classes_, and on the label that comes next."
        )
    rng, symbols = check_random_state(random_state), np.eye(n_classes)
    stream = model.stream(len(sequences), "predict_log_proba")
    log_p = _last(stream.read(X), sequences, model)
    drawn = np.empty((len(sequences), n_steps), np.intp)
    for step in range(n_steps):
        if step:
            log_p = stream.step(symbols[drawn[:, step - 1]])
        # The largest of log p + Gumbel noise is a draw from p (Gumbel 1954).
        noise = rng.gumbel(size=log_p.shape)
        drawn[:, step] = (log_p / temperature + noise).argmax(axis=1)
    return model.classes_[drawn]


def _last(y, sequences: Sequences, model) -> np.ndarray:
    """The result of each sequence after its last timestep."""
    if not model._architecture.return_sequences:
        return y
    return np.array([part[n - 1] for part, n in zip(y, sequences.lengths, strict=True)])


def _known_ahead(model, X_future, sequences: Sequences, n_steps: int, n_known: int) -> np.ndarray:
    """Return the features that are known ahead, (n_sequences, n_steps, n_known), or raise."""
    shape = (len(sequences), n_steps, n_known)
    if X_future is None or n_known == 0:
        if X_future is not None:
            raise ValueError("X_future is given, but the targets are all the features of X.")
        if n_known and n_steps:
            raise ValueError(
                f"X_future is needed: {n_known} features of X are no targets, and have to be known "
                f"for {n_steps} timesteps, {shape}."
            )
        return np.empty(shape)
    names = getattr(model, "feature_names_in_", [])[-n_known:]
    with renamed({"X": "X_future"}), about("X_future"):
        future = as_sequences(X_future, FINITE_NUMBERS)
        for i, frame in enumerate(X_future):
            if len(names) and is_frame(frame) and list(frame.columns) != list(names):
                raise ValueError(
                    f"X_future[{i}] has the columns {list(frame.columns)}, but the features that "
                    f"are no targets are {list(names)}."
                )
    rows = future.unpadded()
    if len(rows) != shape[0] or any(len(x) < n_steps or x.shape[1] != n_known for x in rows):
        raise ValueError(
            f"X_future must have the features of X that are no targets, for each sequence and "
            f"timestep ahead but the last: at least {shape}; got {describe(X_future)}."
        )
    return np.array([x[:n_steps] for x in rows]).reshape(shape)
