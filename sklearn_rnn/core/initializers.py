"""Initial values of weight matrices."""

import math

import numpy as np


def glorot_uniform(rng: np.random.Generator, n_outputs: int, n_inputs: int) -> np.ndarray:
    """Uniform with variance 2 / (n_inputs + n_outputs) (Glorot, Bengio 2010)."""
    limit = math.sqrt(6.0 / (n_inputs + n_outputs))
    return rng.uniform(-limit, limit, (n_outputs, n_inputs))


def orthogonal(rng: np.random.Generator, size: int) -> np.ndarray:
    """A uniformly distributed orthogonal matrix (Saxe, McClelland, Ganguli 2014)."""
    q, r = np.linalg.qr(rng.standard_normal((size, size)))
    return q * np.sign(np.diag(r))  # the signs make the draw uniform (Mezzadri 2007)


def identity(size: int) -> np.ndarray:
    """The identity matrix, for rectified linear units (Le, Jaitly, Hinton 2015)."""
    return np.eye(size)
