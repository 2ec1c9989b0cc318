"""Labels: checked, numbered, weighted, and what stands for a label in padding."""

from itertools import chain

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from sklearn_rnn._input.errors import about
from sklearn_rnn._input.sequences import Sequences
from sklearn_rnn._input.targets import check_finite, rows_of_targets


def read_labels(y, X: Sequences, per_step: bool) -> np.ndarray:
    """Return y as (n_targets,) labels, or as a multilabel indicator (n_targets, n_labels)."""
    with about("y"):
        return _read_labels(y, X, per_step)


def _read_labels(y, X: Sequences, per_step: bool) -> np.ndarray:
    if issparse(y):
        y = y.toarray()
    y = rows_of_targets(y, X, per_step)
    if per_step and y.ndim != 1:
        raise ValueError(
            "y has too many dimensions: with return_sequences=True the labels of a sequence are "
            "(n_timesteps,)."
        )
    if y.dtype.kind == "f":
        check_finite(y, X, "y")
    with np.errstate(invalid="ignore"):  # scikit-learn casts floats to integers, however large
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y", raise_unknown=True)
    if kind == "multiclass-multioutput":
        raise ValueError(
            "y is of type 'multiclass-multioutput', which is not supported: give one label per "
            "sequence, a multilabel indicator of 0 and 1, or set return_sequences=True for one "
            "label per timestep."
        )
    return y if kind == "multilabel-indicator" else column_or_1d(y, warn=True)


def read_classes(classes) -> np.ndarray:
    """Return the labels that are to come, sorted."""
    with about("classes"):
        labels = column_or_1d(classes)
        if not len(labels):
            raise ValueError("classes is empty; give all labels that are to come.")
        if labels.dtype.kind == "f" and not np.isfinite(labels).all():
            raise ValueError(f"classes contains NaN or infinity: {labels}.")
        if labels.dtype.kind in "US" and not all(isinstance(c, (str, bytes)) for c in classes):
            raise TypeError(f"classes must be all strings or all numbers, got {classes!r}.")
        return np.unique(labels)


def numbers_of(labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the places of labels among the classes."""
    places = {label: place for place, label in enumerate(classes.tolist())}
    unknown = [label for label in labels.tolist() if label not in places]
    if unknown:
        raise ValueError(
            f"y has labels that are not among the classes given or found first: {unknown}; the "
            f"classes are {classes.tolist()}."
        )
    return np.array([places[label] for label in labels.tolist()])


def weights_of_classes(class_weight, classes, numbers, weights) -> np.ndarray:
    """Return a weight per class.

    numbers : (n_targets,), the places of the labels among the classes
    weights : (n_targets,), by which "balanced" counts the labels
    """
    if isinstance(class_weight, dict):
        labels = classes.tolist()
        missing, unused = set(labels) - set(class_weight), set(class_weight) - set(labels)
        if missing and unused:  # those of a part of the data need not have all the classes
            raise ValueError(
                f"class_weight has weights for {sorted(unused, key=repr)}, which are not among the "
                f"classes, and none for {sorted(missing, key=repr)}, which are."
            )
        return np.array([float(class_weight.get(label, 1.0)) for label in labels])
    counted = weights > 0
    present = np.unique(numbers[counted])
    balanced = np.zeros(len(classes))
    balanced[present] = compute_class_weight(
        class_weight, classes=present, y=numbers[counted], sample_weight=weights[counted]
    )
    return balanced


def fill_of(classes: np.ndarray) -> object:
    """Return what stands among labels in place of padding."""
    kind = classes.dtype.kind
    if kind in "iu":
        info = np.iinfo(classes.dtype)
        labels = set(classes.tolist())
        wanted = (-1, min(labels) - 1) if kind == "i" else ()
        possible = (value for value in wanted if value >= info.min and value not in labels)
        return next(chain(possible, (v for v in range(info.max, -1, -1) if v not in labels)))
    return {"f": np.nan, "b": False, "O": None}.get(kind, "")
