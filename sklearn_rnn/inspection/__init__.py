"""Inspection: which inputs matter, whether gradients are right."""

from sklearn_rnn.inspection._permutation_importance import permutation_importance

__all__ = [
    "permutation_importance",
]
