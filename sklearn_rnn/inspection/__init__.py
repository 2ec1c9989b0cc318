"""Inspection: which inputs matter, whether gradients are right."""

from sklearn_rnn.inspection._check_gradients import check_gradients
from sklearn_rnn.inspection._input_gradients import input_gradients
from sklearn_rnn.inspection._permutation_importance import permutation_importance

__all__ = [
    "check_gradients",
    "input_gradients",
    "permutation_importance",
]
