"""Everything that reads a list of values per timestep, under the name of the argument.

The same values serve as sequences of one feature, as targets, labels, weights and series: they are
1.0 and 2.0. `READERS` maps a description to the argument's name and a function of its values.
"""

import numpy as np
from sklearn.preprocessing import StandardScaler

from sequences import object_array
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.callbacks import EarlyStopping
from sklearn_rnn.metrics import flatten_sequences, make_sequence_scorer
from sklearn_rnn.model_selection import StratifiedSequenceKFold
from sklearn_rnn.preprocessing import (
    Differences,
    InstanceNormalizedRegressor,
    Lags,
    PatchedRegressor,
    Patches,
    PerSequence,
    PerTimestep,
    PerTimestepTarget,
    SequenceLookup,
    SequenceNormalizer,
    add_static,
    from_channels_first,
    last_window,
    pad_sequences,
    sliding_windows,
)

LENGTHS = [3, 5, 2, 4, 2, 6]
VALUES = [1.0 + np.arange(length) % 2 for length in LENGTHS]
SMALL = {"return_sequences": True, "hidden_size": 2, "max_iter": 2, "random_state": 0}


def _regressor():
    return RNNRegressor(**SMALL)


def _classifier():
    return RNNClassifier(**SMALL)


def _fitted():
    return _regressor().fit(VALUES, VALUES)


# Regressors around a regressor, and transformers of whole sequences.
AROUND = {
    "PerTimestepTarget": lambda: PerTimestepTarget(_regressor()),
    "PatchedRegressor": lambda: PatchedRegressor(_regressor(), size=2),
    "InstanceNormalizedRegressor": lambda: InstanceNormalizedRegressor(_regressor()),
}
TRANSFORMERS = {
    "Patches": Patches(2),
    "Lags": Lags(),
    "Differences": Differences(),
    "SequenceNormalizer": SequenceNormalizer(),
    "PerSequence": PerSequence(StandardScaler()),
}


def _scorer(*args):
    return make_sequence_scorer("r2")(_fitted(), *args)


def _validated(X_val=VALUES, y_val=VALUES, sample_weight_val=None):
    return _regressor().fit(
        VALUES, VALUES, X_val=X_val, y_val=y_val, sample_weight_val=sample_weight_val
    )


def _held_out(X=VALUES, y=VALUES, sample_weight=None):
    """A fit that holds some of its data out, for a callback to score."""
    model = RNNRegressor(early_stopping=True, validation_fraction=0.5, **SMALL)
    stopping = EarlyStopping(lambda model, X, y, sample_weight=None: model.score(X, y))
    return model.set_callbacks(stopping).fit(X, y, sample_weight)


READERS = {
    "X of fit": ("X", lambda v: _regressor().fit(v, VALUES)),
    "X of predict": ("X", lambda v: _fitted().predict(v)),
    "X of score": ("X", lambda v: _fitted().score(v, VALUES)),
    "X_val": ("X_val", lambda v: _validated(X_val=v)),
    "X of PerTimestep": ("X", lambda v: PerTimestep(StandardScaler()).fit_transform(v)),
    "X of inverse_transform": (
        "X",
        lambda v: PerTimestep(StandardScaler()).fit(VALUES).inverse_transform(v),
    ),
    **{
        f"X of {name}": ("X", transformer.fit_transform)
        for name, transformer in TRANSFORMERS.items()
    },
    "X of transform": ("X", lambda v: Lags().fit(VALUES).transform(v)),
    "X of inverse_transform of Patches": (
        "X",
        lambda v: Patches(1).fit(VALUES).inverse_transform(v),
    ),
    **{
        f"X of {name}": ("X", lambda v, around=around: around().fit(v, VALUES))
        for name, around in AROUND.items()
    },
    "X held out": ("X", lambda v: _held_out(X=v)),
    "X of a scorer": ("X", lambda v: _scorer(v, VALUES)),
    "X of flatten_sequences": ("X", lambda v: flatten_sequences(VALUES, VALUES, X=v)),
    "X of a splitter": ("X", lambda v: [*StratifiedSequenceKFold(2).split(v, VALUES)]),
    "y of a regressor": ("y", lambda v: _regressor().fit(VALUES, v)),
    "y of a classifier": ("y", lambda v: _classifier().fit(VALUES, v)),
    "y of partial_fit": ("y", lambda v: _classifier().partial_fit(VALUES, v, [1.0, 2.0])),
    "y of score": ("y", lambda v: _fitted().score(VALUES, v)),
    "y_val": ("y_val", lambda v: _validated(y_val=v)),
    "y of PerTimestep": ("y", lambda v: PerTimestep(StandardScaler()).fit(VALUES, v)),
    **{
        f"y of {name}": ("y", lambda v, around=around: around().fit(VALUES, v))
        for name, around in AROUND.items()
    },
    **{
        f"y_val of {name}": (
            "y_val",
            lambda v, around=around: around().fit(VALUES, VALUES, X_val=VALUES, y_val=v),
        )
        for name, around in AROUND.items()
    },
    "y held out": ("y", lambda v: _held_out(y=v)),
    "y of a scorer": ("y", lambda v: _scorer(VALUES, v)),
    "y of a splitter": ("y", lambda v: [*StratifiedSequenceKFold(2).split(VALUES, v)]),
    "y_true": ("y_true", lambda v: flatten_sequences(v, VALUES)),
    "y_pred": ("y_pred", lambda v: flatten_sequences(VALUES, v)),
    "y_pred with X": ("y_pred", lambda v: flatten_sequences(VALUES, v, X=VALUES)),
    "weights of fit": ("sample_weight", lambda v: _regressor().fit(VALUES, VALUES, v)),
    "weights of score": ("sample_weight", lambda v: _fitted().score(VALUES, VALUES, v)),
    **{
        f"weights of {name}": (
            "sample_weight",
            lambda v, around=around: around().fit(VALUES, VALUES, sample_weight=v),
        )
        for name, around in AROUND.items()
    },
    "weights held out": ("sample_weight", lambda v: _held_out(sample_weight=v)),
    "sample_weight_val": ("sample_weight_val", lambda v: _validated(sample_weight_val=v)),
    "weights of flatten_sequences": (
        "sample_weight",
        lambda v: flatten_sequences(VALUES, VALUES, v),
    ),
    "weights of a scorer": ("sample_weight", lambda v: _scorer(VALUES, VALUES, v)),
    "weights of PerTimestep": (
        "sample_weight",
        lambda v: PerTimestep(StandardScaler()).fit(VALUES, sample_weight=v),
    ),
    "pad_sequences": ("sequences", pad_sequences),
    "sliding_windows": ("series", lambda v: sliding_windows(v, 1)),
    "last_window": ("series", lambda v: last_window(v, 1)),
    "X_future": (
        "X_future",
        lambda v: last_window([np.ones((2, 2))] * len(LENGTHS), 1, 2, future=1, X_future=v),
    ),
    "add_static": ("X", lambda v: add_static(v, np.ones((len(LENGTHS), 1)))),
    "SequenceLookup": ("sequences", lambda v: SequenceLookup(v).transform([[1]])),
    "from_channels_first": (
        "X",
        lambda v: from_channels_first(_two_dimensional(v)),
    ),
}


def _two_dimensional(values):
    """The same container of arrays (1, n_timesteps_i), where its parts are arrays."""
    is_array = isinstance(values, np.ndarray)
    parts = [part[np.newaxis] if isinstance(part, np.ndarray) else [part] for part in values]
    return object_array(parts) if is_array else type(values)(parts)
