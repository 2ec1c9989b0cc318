"""Small random sequences, and the containers that they can come in."""

import numpy as np


def ragged(n=6, n_features=3, *, seed=0, longest=7, dtype=np.float64):
    """`n` sequences (n_timesteps_i, n_features) of 1 to `longest` timesteps, the extremes among
    them."""
    rng = np.random.default_rng(seed)
    lengths = rng.permutation([1, longest, *rng.integers(1, longest + 1, n - 2)])
    return [rng.standard_normal((length, n_features)).astype(dtype) for length in lengths]


def padded(sequences, fill=np.nan):
    """One array (n, longest, ...) of arrays (n_timesteps_i, ...), with `fill` behind each."""
    longest = max(map(len, sequences))
    array = np.full((len(sequences), longest, *sequences[0].shape[1:]), fill, sequences[0].dtype)
    for row, sequence in zip(array, sequences, strict=True):
        row[: len(sequence)] = sequence
    return array


def object_array(sequences):
    """A 1-D array of objects, also where the sequences are equally long."""
    objects = np.empty(len(sequences), dtype=object)
    for i, sequence in enumerate(sequences):
        objects[i] = sequence
    return objects
