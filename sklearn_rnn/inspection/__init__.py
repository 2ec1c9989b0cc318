"""Inspection: which inputs matter, whether gradients are right, and pictures.

The pictures need matplotlib: ``pip install 'sklearn-rnn[plots]'``.
"""

from sklearn_rnn.inspection._attribution_display import AttributionDisplay
from sklearn_rnn.inspection._check_gradients import check_gradients
from sklearn_rnn.inspection._forecast_display import ForecastDisplay
from sklearn_rnn.inspection._hidden_states_display import HiddenStatesDisplay
from sklearn_rnn.inspection._input_gradients import input_gradients
from sklearn_rnn.inspection._permutation_importance import permutation_importance
from sklearn_rnn.inspection._permutation_importance_display import PermutationImportanceDisplay
from sklearn_rnn.inspection._timestep_labels_display import TimestepLabelsDisplay
from sklearn_rnn.inspection._training_display import TrainingDisplay

__all__ = [
    "AttributionDisplay",
    "ForecastDisplay",
    "HiddenStatesDisplay",
    "PermutationImportanceDisplay",
    "TimestepLabelsDisplay",
    "TrainingDisplay",
    "check_gradients",
    "input_gradients",
    "permutation_importance",
]
