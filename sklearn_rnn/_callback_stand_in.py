"""The parts of `sklearn.callback` that a network needs, for scikit-learn before 1.9.

Names and behaviour are those of scikit-learn 1.9. Left out is what takes meta-estimators: contexts
of a search or a pipeline, and callbacks that pass from them to the estimators inside.
"""

import copy
import inspect
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import wraps
from typing import Protocol, runtime_checkable


@runtime_checkable
class FitCallback(Protocol):
    """What a callback has. The hooks of tasks may ask for the keywords that they use."""

    def setup(self, estimator, context): ...
    def on_fit_task_begin(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ): ...
    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ): ...
    def teardown(self, estimator, context): ...


class CallbackSupportMixin:
    """A mixin for estimators, before `BaseEstimator`."""

    def set_callbacks(self, *callbacks):
        """Set callbacks for the estimator.

        Parameters
        ----------
        *callbacks : callback instances
            The callbacks to set.

        Returns
        -------
        self : estimator instance
            The estimator instance itself.
        """
        if not all(isinstance(one, FitCallback) and not isinstance(one, type) for one in callbacks):
            raise TypeError("callbacks must be instances following the FitCallback protocol.")
        if callbacks:
            self._skl_callbacks = list(callbacks)
        else:
            vars(self).pop("_skl_callbacks", None)
        return self

    def __sklearn_clone__(self):
        """Clone the estimator with its callbacks, which all clones share."""
        clone = super().__sklearn_clone__()
        if hasattr(self, "_skl_callbacks"):
            clone._skl_callbacks = self._skl_callbacks
        return clone

    def _init_callback_context(self, task_name="fit", max_subtasks=0):
        """Set up the callbacks, and return the context of the task that `fit` is."""
        callbacks = getattr(self, "_skl_callbacks", [])
        context = CallbackContext(callbacks, type(self).__name__, task_name, 0, max_subtasks)
        self._callback_fit_ctx, self._skl_callbacks_to_teardown = context, []
        for callback in callbacks:
            self._skl_callbacks_to_teardown.append(callback)
            callback.setup(estimator=self, context=context)
        return context


def with_callbacks(method):
    """Decorate a method that inits a context: in the end, the callbacks are torn down."""

    @wraps(method)
    def with_teardown(estimator, *args, **kwargs):
        try:
            return method(estimator, *args, **kwargs)
        finally:
            _tear_down(estimator)

    return with_teardown


def _tear_down(estimator) -> None:
    """Tear down every callback that was set up; raise afterwards if some of them failed."""
    context = vars(estimator).pop("_callback_fit_ctx", None)
    errors = []
    for callback in vars(estimator).pop("_skl_callbacks_to_teardown", []):
        try:
            callback.teardown(estimator=estimator, context=context)
        except Exception as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup("The following callback teardown errors occurred", errors)


@dataclass(eq=False)
class CallbackContext:
    """A task: a fit, or a part of it. Its public attributes are those of scikit-learn's."""

    _callbacks: list = field(repr=False)
    estimator_name: str
    task_name: str
    task_id: int
    max_subtasks: int | None = field(repr=False)
    parent: "CallbackContext | None" = field(default=None, repr=False)
    root_uuid: uuid.UUID = field(default_factory=uuid.uuid4, repr=False)
    init_time: datetime = field(default_factory=lambda: datetime.now(UTC), repr=False)
    _children: list["CallbackContext"] = field(default_factory=list, repr=False)

    sequential_subtasks = True
    source_estimator_name = source_task_name = None  # a fit is no task of a meta-estimator's

    def __iter__(self):
        """Yield this context, and then those of its subtasks and of theirs."""
        yield self
        for child in self._children:
            yield from child

    def subcontext(self, task_name="", max_subtasks=0):
        """Return the context of the next subtask."""
        child = CallbackContext(
            self._callbacks,
            self.estimator_name,
            task_name,
            len(self._children),
            max_subtasks,
            parent=self,
            root_uuid=self.root_uuid,
        )
        self._children.append(child)
        return child

    def call_on_fit_task_begin(self, **arguments) -> bool:
        """Call the hook of all callbacks."""
        return self._call("on_fit_task_begin", **arguments)

    def call_on_fit_task_end(self, **arguments) -> bool:
        """Call the hook of all callbacks; return whether one of them wants to stop."""
        return self._call("on_fit_task_end", **arguments)

    def _call(self, hook, *, estimator, reconstruction_attributes=None, **offered) -> bool:
        stop = False
        offered = {"X": None, "y": None, "metadata": None, **offered}
        for callback in self._callbacks:
            method = getattr(callback, hook)
            wanted = _keywords_of(method)
            unknown = wanted - {*offered, "fitted_estimator"}
            if unknown:
                raise TypeError(
                    f"The hook {hook} of {type(callback).__name__} asks for {sorted(unknown)}, but "
                    "a hook may only ask for X, y, metadata and fitted_estimator."
                )
            if "fitted_estimator" in wanted and "fitted_estimator" not in offered:
                offered["fitted_estimator"] = _as_fitted(estimator, reconstruction_attributes)
            stop |= bool(method(estimator, self, **{name: offered[name] for name in wanted}))
        return stop


def _keywords_of(method) -> set[str]:
    parameters = inspect.signature(method).parameters.values()
    return {one.name for one in parameters if one.kind is one.KEYWORD_ONLY}


def _as_fitted(estimator, attributes):
    """Return a copy of the estimator with the attributes that a callable returns; None for None."""
    if attributes is None:
        return None
    fitted = copy.copy(estimator)
    vars(fitted).update(attributes())
    return fitted
