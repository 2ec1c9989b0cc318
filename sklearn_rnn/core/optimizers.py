"""Optimizers: gradient clipping, and the rules that turn a gradient into an update.

An optimizer holds hyperparameters only. `init` makes its state, a separate object with what the
rule remembers from update to update. `update` changes the parameter vector and the state in
place. The formulas are torch's, so both take the same steps.
"""

import math
from dataclasses import dataclass

import numpy as np


def norm_of(vector: np.ndarray) -> float:
    """The Euclidean norm."""
    return math.sqrt(np.vdot(vector, vector))


def clip_by_norm(gradient: np.ndarray, max_norm: float) -> None:
    """Scale a gradient whose norm is greater down to norm `max_norm` (Pascanu et al. 2013)."""
    norm = norm_of(gradient)
    if norm > max_norm:
        gradient *= max_norm / norm


def clip_by_value(gradient: np.ndarray, max_value: float) -> None:
    """Limit every entry of the gradient to [-max_value, max_value]."""
    np.clip(gradient, -max_value, max_value, out=gradient)


@dataclass
class SGDState:
    velocity: np.ndarray


@dataclass(frozen=True)
class SGD:
    """Gradient descent, with momentum (Polyak 1964) or Nesterov's (Sutskever et al. 2013)."""

    momentum: float
    nesterov: bool

    def init(self, theta: np.ndarray) -> SGDState:
        return SGDState(velocity=np.zeros_like(theta))

    def update(self, theta, gradient, state: SGDState, rate: float) -> None:
        v = state.velocity
        v *= self.momentum
        v += gradient  # v = μv + g
        if self.nesterov:
            theta -= rate * (gradient + self.momentum * v)
        else:
            theta -= rate * v


@dataclass
class AdamState:
    first_moment: np.ndarray  # m / (1-β₁)
    second_moment: np.ndarray  # v / (1-β₂)
    n_updates: int = 0


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma, Ba 2015, algorithm 1).

    The state holds the moments without their factors (1-β): m = β₁m + (1-β₁)g becomes
    m/(1-β₁) = β₁ m/(1-β₁) + g, which saves a pass over the vector. The factors are applied together
    with the bias corrections, as single numbers.
    """

    beta_1: float
    beta_2: float
    epsilon: float

    def init(self, theta: np.ndarray) -> AdamState:
        return AdamState(np.zeros_like(theta), np.zeros_like(theta))

    def update(self, theta, gradient, state: AdamState, rate: float) -> None:
        state.n_updates += 1
        m, v = state.first_moment, state.second_moment
        to_m_hat = (1 - self.beta_1) / (1 - self.beta_1**state.n_updates)
        to_v_hat = (1 - self.beta_2) / (1 - self.beta_2**state.n_updates)
        m *= self.beta_1
        m += gradient
        v *= self.beta_2
        step = np.square(gradient)
        v += step
        np.sqrt(v, step)
        step += self.epsilon / math.sqrt(to_v_hat)
        np.divide(m, step, step)
        step *= rate * to_m_hat / math.sqrt(to_v_hat)
        theta -= step  # θ -= rate · m̂ / (√v̂ + ε)


@dataclass
class RMSpropState:
    second_moment: np.ndarray
    velocity: np.ndarray


@dataclass(frozen=True)
class RMSprop:
    """RMSprop (Tieleman, Hinton 2012), with momentum on the scaled gradient."""

    rho: float
    epsilon: float
    momentum: float

    def init(self, theta: np.ndarray) -> RMSpropState:
        return RMSpropState(np.zeros_like(theta), np.zeros_like(theta))

    def update(self, theta, gradient, state: RMSpropState, rate: float) -> None:
        s, v = state.second_moment, state.velocity
        s *= self.rho
        s += (1 - self.rho) * gradient * gradient  # s = ρs + (1-ρ)g²
        v *= self.momentum
        v += gradient / (np.sqrt(s) + self.epsilon)  # v = μv + g / (√s + ε)
        theta -= rate * v


SOLVERS = {
    "adam": lambda hyper: Adam(float(hyper.beta_1), float(hyper.beta_2), float(hyper.epsilon)),
    "rmsprop": lambda hyper: RMSprop(float(hyper.rho), float(hyper.epsilon), float(hyper.momentum)),
    "sgd": lambda hyper: SGD(float(hyper.momentum), bool(hyper.nesterovs_momentum)),
}
