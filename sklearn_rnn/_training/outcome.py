"""What a user has to know when training has ended without success."""

from collections.abc import Callable, Iterator, Mapping

import sklearn

from sklearn_rnn._training.plateau import ConstantLoss, on_plateau
from sklearn_rnn._training.progress import Ending, Progress
from sklearn_rnn._training.units import scaling_advice
from sklearn_rnn.core.scaling import Units
from sklearn_rnn.core.schedules import STRETCHED

INTERRUPTED = "Training was interrupted by the user; what was learned so far is kept."

FEW_TO_JUDGE = 4  # validation targets

FEW = (
    "Early stopping was judged by {n} validation targets. These are too few to tell a good epoch "
    "from a lucky one. Set early_stopping=False, or validate on more: raise validation_fraction, "
    "or pass X_val and y_val."
)

UNCONVERGED = {
    Ending.MAX_ITER: "Training stopped at max_iter={max_iter} epochs before it converged. Let it "
    "go on longer by a larger max_iter, or raise learning_rate_init or tol.",
    Ending.MAX_ITERATIONS: "The solver lbfgs stopped at max_iter={max_iter} iterations before it "
    "converged. Let it go on longer by a larger max_iter, or raise tol.",
    Ending.STUCK: "The solver lbfgs was stuck after n_iter_={n_iter} iterations: it found no lower "
    "loss along the gradient. {advice}Raise tol.",
}


def problems(
    ending: Ending,
    progress: Progress,
    hyper,
    units: Units,
    constant_losses: Callable[[], Mapping[str, ConstantLoss]],
    n_judges: int | None,
) -> Iterator[str]:
    """Yield a message for each reason to doubt that training converged to something useful.

    hyper : has the estimator's `max_iter`, `max_grad_norm` and `learning_rate`
    constant_losses : computes what `on_plateau` compares with
    n_judges : the number of validation targets, if training stopped by them
    """
    yield from progress.health.problems(hyper.max_grad_norm, units)
    if n_judges is not None and n_judges < FEW_TO_JUDGE:
        yield FEW.format(n=n_judges)
    # A cycle of the learning rate ends at max_iter by plan, with a rate of almost zero.
    end_of_cycle = ending is Ending.MAX_ITER and hyper.learning_rate in STRETCHED
    if ending in UNCONVERGED and not end_of_cycle:
        yield UNCONVERGED[ending].format(
            max_iter=hyper.max_iter, n_iter=progress.n_epochs, advice=scaling_advice(units)
        )
    elif ending is Ending.CONVERGED or end_of_cycle:
        plateau = on_plateau(progress, constant_losses())
        if plateau is not None:
            yield plateau


def name_of_fit(estimator, context) -> str:
    """Return the parameters that are not the defaults, and which of the fits of a search it is.

    context : the callback context of the fit
    """
    with sklearn.config_context(print_changed_only=True):
        words = [" ".join(repr(estimator).split())]
    while context.parent is not None:
        if context.source_estimator_name is not None and not context.parent.sequential_subtasks:
            task = f"{context.source_estimator_name} {context.source_task_name}"
            words.append(f"{task} #{context.task_id}")
        context = context.parent
    return ", ".join(words)
