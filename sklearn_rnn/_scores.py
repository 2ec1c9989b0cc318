"""The scores of regressors."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import d2_pinball_score, r2_score


def regression_score(
    y: np.ndarray,
    predicted: np.ndarray,
    quantiles: Sequence[float] | None = None,
    sample_weight: np.ndarray | None = None,
) -> float:
    """Return R²; of quantiles, D² of the pinball loss, averaged over them.

    y : (n_targets,) or (n_targets, n_outputs)
    predicted : the same, but with quantiles as one more axis at the end
    """
    if quantiles is None:
        return r2_score(y, predicted, sample_weight=sample_weight)
    if sample_weight is None:
        # Without weights, scikit-learn before 1.9 compares with interpolated quantiles, which
        # aren't the best constants.
        sample_weight = np.ones(len(y))
    scores = [
        d2_pinball_score(y, predicted[..., k], alpha=quantile, sample_weight=sample_weight)
        for k, quantile in enumerate(quantiles)
    ]
    return float(np.mean(scores))
