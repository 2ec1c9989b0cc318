"""What a user has to know when training has ended without success."""

from collections.abc import Callable, Iterator, Mapping

from sklearn_rnn._training.plateau import ConstantLoss, on_plateau
from sklearn_rnn._training.progress import Ending, Progress
from sklearn_rnn._training.units import scaling_advice
from sklearn_rnn.core.scaling import Units

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
) -> Iterator[str]:
    """Yield a message for each reason to doubt that training converged to something useful.

    hyper : has the estimator's `max_iter` and `max_grad_norm`
    constant_losses : computes what `on_plateau` compares with
    """
    yield from progress.health.problems(hyper.max_grad_norm, units)
    if ending in UNCONVERGED:
        yield UNCONVERGED[ending].format(
            max_iter=hyper.max_iter, n_iter=progress.n_epochs, advice=scaling_advice(units)
        )
    elif ending is Ending.CONVERGED:
        plateau = on_plateau(progress, constant_losses())
        if plateau is not None:
            yield plateau
