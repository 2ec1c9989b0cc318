"""Checks of sequence estimators, for their authors."""

from sklearn_rnn.utils.estimator_checks import (
    check_sequence_estimator,
    parametrize_with_sequence_checks,
)

__all__ = ["check_sequence_estimator", "parametrize_with_sequence_checks"]
