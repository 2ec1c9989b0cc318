"""What the benchmarks of fits and searches train, without torch."""

from typing import NamedTuple

import numpy as np
from sklearn.datasets import load_digits

from sklearn_rnn import RNNClassifier

RATE, MAX_NORM = 0.005, 5.0


class Plan(NamedTuple):
    """How to train."""

    cell: str
    hidden_size: int
    batch_size: int
    n_epochs: int


def digits_in_rows() -> tuple[np.ndarray, np.ndarray]:
    """Return images as sequences of rows, (1797, 8, 8), and the digits."""
    images, y = load_digits(return_X_y=True)
    return images.reshape(-1, 8, 8).astype(np.float32) / 16, y


def our_classifier(plan: Plan) -> RNNClassifier:
    """Return the network that torch and skorch train too: with no more than theirs does."""
    return RNNClassifier(
        cell=plan.cell,
        hidden_size=plan.hidden_size,
        batch_size=plan.batch_size,
        max_iter=plan.n_epochs,
        n_iter_no_change=plan.n_epochs,
        learning_rate_init=RATE,
        max_grad_norm=MAX_NORM,
        alpha=0.0,
        pooling="last",
        standardize=False,
        early_stopping=False,
        random_state=0,
    )
