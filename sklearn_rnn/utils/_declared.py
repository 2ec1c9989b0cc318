"""The author's declarations about an estimator, and the conditions under which checks run."""

from dataclasses import dataclass, fields, replace
from numbers import Integral

from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from sklearn_rnn._input.hyperparameters import check_flag, check_number


@dataclass(frozen=True)
class Declared:
    """The author's declarations; `of` replaces None by what the estimator's tags and names say."""

    array: bool | None = None
    ragged: bool = True
    padded: bool = True
    any_length: bool = True
    multivariate: bool = True
    per_timestep: bool | None = None
    timestep_weights: bool = True
    shortest: int = 1

    @classmethod
    def from_keywords(cls, keywords: dict) -> "Declared":
        """Check the keywords, and return the declarations."""
        defaults = {field.name: field.default for field in fields(cls)}
        for name, value in keywords.items():
            if name not in defaults:
                raise TypeError(f"{name!r} can't be declared, only {', '.join(defaults)}.")
            if name == "shortest":
                check_number(name, value, Integral, 1, None, "left")
            elif value is not defaults[name]:
                check_flag(name, value)
        return cls(**keywords)

    def of(self, estimator) -> "Declared":
        """Replace each None by the value that follows from the estimator's tags and parameters."""
        array, per_timestep = self.array, self.per_timestep
        if array is None:
            array = get_tags(estimator).input_tags.three_d_array
        if per_timestep is None:
            per_timestep = any(
                name.split("__")[-1] == "return_sequences" and bool(value)
                for name, value in estimator.get_params().items()
            )
        if not array and not self.ragged:
            raise ValueError(
                f"{type(estimator).__name__} takes neither arrays nor lists of sequences, so there "
                "is nothing to check: set its tag input_tags.three_d_array, or declare array=True "
                "or ragged=True."
            )
        return replace(self, array=array, per_timestep=per_timestep)


# The conditions that checks may need, each with the reason for skipping a check without it.
NEEDS = {
    "array": (
        lambda case: case.declared.array,
        "array=False was declared, or the tag input_tags.three_d_array is False",
    ),
    "ragged": (lambda case: case.declared.ragged, "ragged=False was declared"),
    "padded": (
        lambda case: "padded" in case.accepted,
        "padded=False was declared, or 3-D arrays are not accepted",
    ),
    "any_length": (lambda case: case.declared.any_length, "any_length=False was declared"),
    "per_timestep": (
        lambda case: case.declared.per_timestep,
        "there is one target per sequence (per_timestep=True declares otherwise)",
    ),
    "undeclared": (
        lambda case: (
            not (case.declared.ragged and case.declared.padded and case.declared.any_length)
            or not case.declared.multivariate
            or case.declared.shortest > 1
        ),
        "no kind of input was declared as not accepted",
    ),
    "y": (
        lambda case: case.kind_of_y is not None,
        "the estimator is neither a classifier nor a regressor, and its tags don't require a y",
    ),
    "kind": (
        lambda case: case.kind is not None,
        "the estimator is neither a classifier nor a regressor",
    ),
    "regressor": (lambda case: case.kind == "regressor", "the estimator is not a regressor"),
    "classifier": (lambda case: case.kind == "classifier", "the estimator is not a classifier"),
    "several outputs": (
        lambda case: case.kind_of_several is not None,
        "the estimator's tags say that it takes a single output, or y would be several labels per "
        "timestep, for which there is no convention",
    ),
    "decision_function": (
        lambda case: hasattr(case.estimator, "decision_function"),
        "the estimator has no decision_function",
    ),
    "transform": (
        lambda case: hasattr(case.estimator, "fit_transform"),
        "the estimator has no fit_transform",
    ),
    "predict_proba": (
        lambda case: hasattr(case.estimator, "predict_proba"),
        "the estimator has no predict_proba",
    ),
    "sample_weight": (
        lambda case: has_fit_parameter(case.estimator, "sample_weight"),
        "fit has no parameter sample_weight",
    ),
    "timestep_weights": (
        lambda case: case.declared.timestep_weights,
        "timestep_weights=False was declared",
    ),
    "deterministic": (
        lambda case: not case.tags.non_deterministic,
        "the tag non_deterministic is set",
    ),
    "repeatable": (
        lambda case: case.is_repeatable,
        "fits can't be compared: the tag non_deterministic is set, or two fits with the same "
        "random_state differ (see check_clone)",
    ),
    "cold": (
        lambda case: case.estimator.get_params().get("warm_start") is not True,
        "warm_start=True continues the last fit",
    ),
    "validation": (lambda case: not case.tags.no_validation, "the tag no_validation is set"),
    "fit": (lambda case: case.tags.requires_fit, "the tag requires_fit is False"),
    "default": (
        lambda case: _is_constructible(type(case.estimator)),
        "the class needs arguments",
    ),
}


def _is_constructible(estimator_class: type) -> bool:
    try:
        estimator_class()
    except TypeError:
        return False
    return True
