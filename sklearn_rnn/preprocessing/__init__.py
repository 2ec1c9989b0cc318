"""Preprocessing of sequences: transformers per timestep, targets, windows, padding, axis order."""

from sklearn_rnn.preprocessing._channels import from_channels_first, to_channels_first
from sklearn_rnn.preprocessing._padding import pad_sequences, unpad_sequences
from sklearn_rnn.preprocessing._per_timestep import PerTimestep
from sklearn_rnn.preprocessing._per_timestep_target import PerTimestepTarget
from sklearn_rnn.preprocessing._windows import sliding_windows

__all__ = [
    "PerTimestep",
    "PerTimestepTarget",
    "from_channels_first",
    "pad_sequences",
    "sliding_windows",
    "to_channels_first",
    "unpad_sequences",
]
