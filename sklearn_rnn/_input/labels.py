"""Labels: how they are checked, encoded as integers, weighted by class, and filled in padding."""

from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from sklearn_rnn._input.containers import check_container
from sklearn_rnn._input.errors import about
from sklearn_rnn._input.sequences import Sequences
from sklearn_rnn._input.targets import check_finite, rows_of_targets, without_ignored


class Labels(NamedTuple):
    """The targets of a classifier."""

    values: np.ndarray  # (n_targets,) class numbers, or an indicator (n_targets, n_labels)
    classes: np.ndarray  # the labels, or the column numbers of the indicator
    multilabel: bool  # whether y is an indicator

    @property
    def n_outputs(self) -> int:
        return len(self.classes)

    def attributes(self) -> dict[str, Any]:
        return {
            "n_outputs_": self.n_outputs,
            "classes_": self.classes,
            "_multilabel": self.multilabel,
        }


def number_labels(
    y: np.ndarray, classes: np.ndarray | None = None, multilabel: bool | None = None
) -> Labels:
    """Replace labels from `read_labels` by class numbers; an indicator stays as it is.

    classes : the known classes; None takes them from y
    multilabel : whether earlier targets were multilabel indicators; None without earlier targets
    """
    is_indicator = y.ndim == 2
    if classes is not None and multilabel not in (None, is_indicator):
        raise ValueError("y must be a multilabel indicator in every call, or in none.")
    if is_indicator:
        numbers = np.arange(y.shape[1])
        if classes is not None and not np.array_equal(classes, numbers):
            raise ValueError(f"y has {y.shape[1]} labels, but the classes are {classes}.")
        return Labels(y, numbers, True)
    with about("y"):
        found = np.unique(y)
    classes = found if classes is None else classes
    # To search the few found takes less time and memory than np.unique's return_inverse.
    return Labels(numbers_of(found, classes)[np.searchsorted(found, y)], classes, False)


@about("y")
def read_labels(y, X: Sequences, per_step: bool, weights: np.ndarray | None = None) -> np.ndarray:
    """Return y as (n_targets,) labels, or as a multilabel indicator (n_targets, n_labels).

    weights : (n_targets,); what y is where they are zero has no influence
    """
    if issparse(y):
        y = y.toarray()
    y = without_ignored(rows_of_targets(y, X, per_step), weights)
    if per_step and y.ndim != 1:
        raise ValueError(
            "y has too many dimensions: with return_sequences=True the labels of a sequence are "
            "(n_timesteps,)."
        )
    if y.dtype.kind == "f":
        check_finite(y, X, "y")
    with np.errstate(invalid="ignore"):  # scikit-learn casts floats to integers, however large
        check_classification_targets(y)
        if y.ndim == 1:
            return y
        kind = type_of_target(y, input_name="y", raise_unknown=True)
    if kind == "multiclass-multioutput":
        raise ValueError(
            "y is of type 'multiclass-multioutput', which is not supported: give one label per "
            "sequence, a multilabel indicator of 0 and 1, or set return_sequences=True for one "
            "label per timestep."
        )
    return y if kind == "multilabel-indicator" else column_or_1d(y, warn=True)


def read_classes(classes) -> np.ndarray:
    """Return the labels announced to `partial_fit`, sorted."""
    with about("classes"):
        check_container(classes, "classes")
        labels = column_or_1d(classes)
        if not len(labels):
            raise ValueError("classes is empty; give all the labels that any call will have.")
        if labels.dtype.kind == "f" and not np.isfinite(labels).all():
            raise ValueError(f"classes contains NaN or infinity: {labels}.")
        if labels.dtype.kind in "US" and not all(isinstance(c, (str, bytes)) for c in classes):
            raise TypeError(f"classes must be all strings or all numbers, got {classes!r}.")
        return np.unique(labels)


def numbers_of(labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the index of each label in classes."""
    places = {label: place for place, label in enumerate(classes.tolist())}
    unknown = [label for label in labels.tolist() if label not in places]
    if unknown:
        raise ValueError(
            f"y has labels that are not among the classes: {unknown}; the classes are "
            f"{classes.tolist()}."
        )
    return np.array([places[label] for label in labels.tolist()])


def weigh_classes(class_weight, labels: Labels, weights: np.ndarray) -> np.ndarray:
    """Return the weights of the targets, multiplied by the weights of their classes."""
    if class_weight is None:
        return weights
    if labels.multilabel:
        raise ValueError(
            "class_weight has no meaning for multilabel targets: set class_weight=None, and use "
            "sample_weight."
        )
    of_classes = weights_of_classes(class_weight, labels.classes, labels.values, weights)
    with np.errstate(over="ignore"):
        weights = weights * of_classes[labels.values]
        total = weights.sum()
    if not (0 < total < np.inf):
        raise ValueError(
            f"class_weight={class_weight!r} makes the sum of the weights {total}: it must be "
            "positive and finite."
        )
    return weights


def weights_of_classes(class_weight, classes, numbers, weights) -> np.ndarray:
    """Return a weight per class.

    numbers : (n_targets,), the index of each label in classes
    weights : (n_targets,), the weight with which "balanced" counts each label
    """
    if isinstance(class_weight, dict):
        labels = classes.tolist()
        missing, unused = set(labels) - set(class_weight), set(class_weight) - set(labels)
        if missing and unused:  # unused alone is fine: part of the data may lack a class
            raise ValueError(
                f"class_weight has weights for {sorted(unused, key=repr)}, which are not among the "
                f"classes, but none for the classes {sorted(missing, key=repr)}."
            )
        return np.array([float(class_weight.get(label, 1.0)) for label in labels])
    # "balanced": compute_class_weight takes sample_weight only from scikit-learn 1.7 on.
    totals = np.bincount(numbers, weights, minlength=len(classes))
    present = totals > 0
    balanced = np.zeros(len(classes))
    balanced[present] = totals.sum() / (present.sum() * totals[present])
    return balanced


def fill_of(classes: np.ndarray) -> object:
    """Return the value that predicted labels have in padding; it is never one of the classes."""
    kind = classes.dtype.kind
    if kind in "iu":
        info = np.iinfo(classes.dtype)
        labels = set(classes.tolist())
        wanted = (-1, min(labels) - 1) if kind == "i" else ()
        possible = (value for value in wanted if value >= info.min and value not in labels)
        return next(chain(possible, (v for v in range(info.max, -1, -1) if v not in labels)))
    return {"f": np.nan, "b": False, "O": None}.get(kind, "")
