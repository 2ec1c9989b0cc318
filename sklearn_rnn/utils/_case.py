"""The estimator under check, and the steps that all checks share: fit, predict, compare."""

import pickle
import warnings
from contextlib import contextmanager
from unittest import SkipTest

import numpy as np
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import get_tags

from sklearn_rnn.core.caching import cached_property
from sklearn_rnn.utils._declared import NEEDS, Declared
from sklearn_rnn.utils._problems import EQUAL, LENGTHS, N_FEATURES, Problem, Recipe

METHODS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score_samples",
    "transform",
)


# The relative or absolute tolerance for predictions that should be the same, by the bytes of their
# dtype: float16, float32. For all other dtypes it is 1e-6.
TOLERANCES = {2: 1e-2, 4: 1e-4}


class Case:
    """An estimator under check. Raises SkipTest if it lacks something that the check needs."""

    def __init__(self, name: str, estimator, declared: dict, needs=()):
        self.name = name
        self.estimator = estimator
        self.declared = Declared.from_keywords(declared).of(estimator)
        self.tags = get_tags(estimator)
        self.lengths = tuple(n + self.declared.shortest - 1 for n in LENGTHS)
        self.n_features = N_FEATURES if self.declared.multivariate else 1
        self.equal = tuple(n + self.declared.shortest - 1 for n in EQUAL)
        for need in needs:
            is_met, reason = NEEDS[need]
            if not is_met(self):
                raise SkipTest(f"{name}: {reason}.")

    @property
    def kind(self) -> str | None:
        """Whether the estimator is a classifier or a regressor; None if neither."""
        if is_classifier(self.estimator):
            return "classifier"
        return "regressor" if is_regressor(self.estimator) else None

    @property
    def kind_of_y(self) -> str | None:
        """The kind of targets that `fit` needs; None if it needs none."""
        return self.kind or ("regressor" if self.tags.target_tags.required else None)

    @property
    def kind_of_several(self) -> str | None:
        """The kind of targets with several outputs; None if the estimator doesn't take them."""
        if self.kind == "regressor" and self.tags.target_tags.multi_output:
            return "regressor"
        one_each = self.kind == "classifier" and not self.declared.per_timestep
        return "multilabel" if one_each and self.tags.classifier_tags.multi_label else None

    @property
    def container(self) -> str:
        """The most general container that is accepted."""
        return next(name for name in ("list", "padded", "array") if name in self.accepted)

    @property
    def accepted(self) -> list[str]:
        """All the containers that are accepted."""
        declared = {
            "list": self.declared.ragged,
            "object array": self.declared.ragged,
            "array": self.declared.array,
            "padded": self.declared.padded and self.declared.array,
        }
        return [name for name, is_accepted in declared.items() if is_accepted]

    @property
    def containers(self) -> list[str]:
        """The containers for sequences of one length."""
        return [name for name in self.accepted if name != "padded"]

    def problem_in(self, container: str, **options) -> Problem:
        """Draw a problem with sequences of different lengths if the container allows it."""
        return self.problem(lengths=self.equal if container == "array" else self.lengths, **options)

    @cached_property
    def is_repeatable(self) -> bool:
        """Whether two fits to the same sequences with the same seeds predict the same."""
        if self.tags.non_deterministic:
            return False
        problem = self.problem()
        first, second = (self.outputs(self.fit(problem), problem) for _ in range(2))
        return not self._difference(first, second)

    def problem(self, **options) -> Problem:
        """Draw a problem, with sequences of different lengths if they are accepted."""
        single = self.kind_of_y is None or self.tags.target_tags.single_output
        multi_class = self.kind != "classifier" or self.tags.classifier_tags.multi_class
        defaults = {
            "kind": self.kind_of_y,
            "per_timestep": self.declared.per_timestep,
            "lengths": self.equal if self.container == "array" else self.lengths,
            "n_features": self.n_features,
            "n_outputs": None if single else 2,
            "labels": (0, 1, 2) if multi_class else (0, 1),
            "positive_X": self.tags.input_tags.positive_only,
            "positive_y": self.kind_of_y == "regressor" and self.tags.target_tags.positive_only,
        }
        return Recipe(**{**defaults, **options}).draw()

    def new(self):
        """Return an unfitted copy with every random_state set."""
        return clone(self._template)

    @cached_property
    def _template(self):
        return self.seeded(clone(self.estimator))

    def seeded(self, estimator):
        """Set every random_state to 0."""
        names = [n for n in estimator.get_params() if n.split("__")[-1] == "random_state"]
        return estimator.set_params(**dict.fromkeys(names, 0))

    def fit(self, problem: Problem, container: str | None = None, *, model=None, **weights):
        """Fit a new copy, or the given model."""
        X, y = problem.within(container or self.container)
        return self.fit_to(X, y, model=model, **weights)

    def fit_to(self, X, y, *, model=None, **weights):
        """Fit to X and y in their containers."""
        model = self.new() if model is None else model
        with self.fitting():
            model.fit(X, *(() if self.kind_of_y is None else (y,)), **weights)
        return model

    @contextmanager
    def fitting(self):
        """Ignore ConvergenceWarning, since fits are short; add what was declared to any error."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                yield
        except Exception as error:
            error.add_note(f"Declared or deduced for {self.name}: {self.declared}")
            raise

    def raw_outputs(self, model, X) -> dict:
        """Return the results of each method for X."""
        return {method: getattr(model, method)(X) for method in self.methods(model)}

    def methods(self, model) -> list[str]:
        """Return the names of the prediction methods that the model has."""
        found = [method for method in METHODS if hasattr(model, method)]
        assert found, f"{self.name} has none of the methods {', '.join(METHODS)}."
        return found

    def outputs(self, model, problem: Problem, container: str | None = None) -> dict:
        """Return the results of each method: one array per sequence, without padding."""
        X, _ = problem.within(container or self.container)
        return self.outputs_for(model, X, problem.lengths)

    def outputs_for(self, model, X, lengths) -> dict:
        """Return `outputs` for X in its container."""
        return {
            method: self.per_sequence(method, output, lengths)
            for method, output in self.raw_outputs(model, X).items()
        }

    def per_sequence(self, method: str, output, lengths) -> list[np.ndarray]:
        """Split the results of a method into one array per sequence, without padding."""
        if method in ("predict_proba", "predict_log_proba"):
            output = self._joined_outputs(output, len(lengths))
        found = np.shape(output)[0] if isinstance(output, np.ndarray) else len(output)
        assert found == len(lengths), (
            f"{self.name}.{method} returns {found} results for {len(lengths)} sequences."
        )
        if not self.declared.per_timestep:
            return list(np.asarray(output))
        parts = [np.asarray(part)[:n] for part, n in zip(output, lengths, strict=True)]
        short = [i for i, n in enumerate(lengths) if len(parts[i]) < n]
        assert not short, (
            f"{self.name}.{method} returns {len(parts[short[0]])} results for sequence {short[0]}, "
            f"which has {lengths[short[0]]} timesteps."
        )
        return parts

    def _joined_outputs(self, output, n_samples: int):
        """Put the probabilities of several outputs side by side, (n_samples, ...).

        For multilabel targets, some of scikit-learn's classifiers (forests, trees, neighbors,
        MultiOutputClassifier) return a list of arrays (n_samples, n_classes), one per output.
        """
        by_output = isinstance(output, list) and not self.declared.per_timestep
        shapes = [np.shape(part) for part in output] if by_output else []
        if shapes and all(len(shape) == 2 and shape[0] == n_samples for shape in shapes):
            return np.concatenate(output, axis=1)
        return output

    def assert_same(self, outputs: dict, expected: dict, what: str, *, exactly=False) -> None:
        """Raise unless all outputs are the same."""
        difference = self._difference(outputs, expected, exactly)
        assert not difference, f"{self.name}: {what} are not the same. {difference}"

    def assert_same_fits(self, outputs: dict, expected: dict, what: str) -> None:
        """Raise if two fits have different outputs, unless fits are not repeatable anyway."""
        difference = self._difference(outputs, expected)
        if difference and self.is_repeatable:  # asked last, since it costs two more fits
            raise AssertionError(f"{self.name}: {what} are not the same. {difference}")

    def _difference(self, outputs: dict, expected: dict, exactly=False) -> str:
        """Describe the first difference between outputs; "" if there is none."""
        if outputs.keys() != expected.keys():
            return f"The methods differ: {list(outputs)} and {list(expected)}."
        for method, wanted in expected.items():
            for i, (a, b) in enumerate(zip(outputs[method], wanted, strict=True)):
                if not _is_same(np.asarray(a), np.asarray(b), exactly):
                    return f"{method} of sequence {i}: {a} and {b}."
        return ""

    def assert_refuses(self, call, what: str, *args, **kwargs) -> None:
        """Raise unless the call raises a ValueError or TypeError with a message."""
        wanted = "it must raise a ValueError or TypeError that says what is wrong."
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a warning before the error is fine
            try:
                call(*args, **kwargs)
            except (ValueError, TypeError) as refusal:
                message = str(refusal)
            except Exception as error:
                raise AssertionError(
                    f"{self.name}.{call.__name__} raises {error!r} for {what}; {wanted}"
                ) from error
            else:
                raise AssertionError(f"{self.name}.{call.__name__} accepts {what}; {wanted}")
        assert message, f"{self.name}.{call.__name__} refuses {what} without a word; {wanted}"

    def assert_fit_refuses(self, X, y, what: str, **weights) -> None:
        """Raise unless `fit` refuses X and y."""
        self.assert_refuses(
            self.new().fit, what, X, *(() if self.kind_of_y is None else (y,)), **weights
        )

    def assert_methods_refuse(self, model, X, what: str) -> None:
        """Raise unless every prediction method of a fitted model refuses X."""
        for method in self.methods(model):
            self.assert_refuses(getattr(model, method), what, X)


def frozen(values: dict) -> dict:
    """Return a snapshot of a dict's values, to be compared by `changed`."""
    return {name: _frozen(value) for name, value in values.items()}


def _frozen(value) -> bytes | int:
    try:
        return pickle.dumps(value)
    except Exception:  # functions and others can't be pickled, in various ways: compare identities
        return id(value)


def changed(before: dict, after: dict) -> list[str]:
    """Return the names whose values differ between two snapshots."""
    return sorted(n for n in before.keys() | after.keys() if before.get(n) != after.get(n))


def _is_same(a: np.ndarray, b: np.ndarray, exactly: bool) -> bool:
    if a.shape != b.shape:
        return False
    if a.dtype == b.dtype != object and a.tobytes() == b.tobytes():
        return True  # quick, and nearly always the case
    if a.dtype.kind not in "fc":
        return bool(np.all(a == b))
    tolerance = 0.0 if exactly else max(TOLERANCES.get(x.dtype.itemsize, 1e-6) for x in (a, b))
    return np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)
