"""Preparing sequences: transformers per timestep, targets, padding, and the order of axes."""

from sklearn_rnn.preprocessing._per_timestep import PerTimestep

__all__ = ["PerTimestep"]
