"""Preprocessing: transformers of timesteps and of sequences, targets, windows, tables, padding."""

from sklearn_rnn.preprocessing._channels import from_channels_first, to_channels_first
from sklearn_rnn.preprocessing._differences import Differences
from sklearn_rnn.preprocessing._instance_normalized_regressor import InstanceNormalizedRegressor
from sklearn_rnn.preprocessing._lags import Lags
from sklearn_rnn.preprocessing._padding import pad_sequences, unpad_sequences
from sklearn_rnn.preprocessing._patched_regressor import PatchedRegressor
from sklearn_rnn.preprocessing._patches import Patches
from sklearn_rnn.preprocessing._per_sequence import PerSequence
from sklearn_rnn.preprocessing._per_timestep import PerTimestep
from sklearn_rnn.preprocessing._per_timestep_target import PerTimestepTarget
from sklearn_rnn.preprocessing._sequence_lookup import SequenceLookup
from sklearn_rnn.preprocessing._sequence_normalizer import SequenceNormalizer
from sklearn_rnn.preprocessing._static import add_static
from sklearn_rnn.preprocessing._tables import to_frame, to_sequences
from sklearn_rnn.preprocessing._windows import last_window, sliding_windows

__all__ = [
    "Differences",
    "InstanceNormalizedRegressor",
    "Lags",
    "PatchedRegressor",
    "Patches",
    "PerSequence",
    "PerTimestep",
    "PerTimestepTarget",
    "SequenceLookup",
    "SequenceNormalizer",
    "add_static",
    "from_channels_first",
    "last_window",
    "pad_sequences",
    "sliding_windows",
    "to_channels_first",
    "to_frame",
    "to_sequences",
    "unpad_sequences",
]
