"""Permutation importance of features, of timesteps, and of blocks of timesteps."""

from collections.abc import Callable, Collection
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.parallel import Parallel, delayed

from sklearn_rnn._input.hyperparameters import check_number
from sklearn_rnn.inspection._exchange import Exchangeable, Part

TIMES = ("timestep", "block")
CHOICES = ("feature", *TIMES, ("feature", "timestep"), ("feature", "block"))


class Parts(NamedTuple):
    """The parts of X whose importance is asked for.

    parts : in the order of the importances
    shape : of the importances without their repeats: (n_features,), (n_times,), or both
    starts : (n_times,), the first timesteps of the parts; None if parts have all timesteps
    ends : (n_times,), the timesteps after the last ones; None likewise
    n_sequences : (n_times,), how many sequences have the first of them; None likewise
    """

    parts: list[Part]
    shape: tuple[int, ...]
    starts: np.ndarray | None
    ends: np.ndarray | None
    n_sequences: np.ndarray | None

    @classmethod
    def of(cls, X: Exchangeable, by: Collection[str], block_size: int | None) -> "Parts":
        longest = int(X.lengths.max())
        features, spans = [range(X.n_features)], [(0, longest)]
        starts = ends = n_sequences = None
        if "feature" in by:
            features = [[feature] for feature in range(X.n_features)]
        if set(by) & set(TIMES):
            size = block_size or 1
            starts = np.arange(0, longest, size)
            ends = np.minimum(starts + size, longest)
            n_sequences = (X.lengths > starts[:, np.newaxis]).sum(axis=1)
            spans = list(zip(starts.tolist(), ends.tolist(), strict=True))
        sizes = {"feature": len(features)} | dict.fromkeys(TIMES, len(spans))
        parts = [Part(some, *span) for some in features for span in spans]
        return cls(parts, tuple(sizes[name] for name in by), starts, ends, n_sequences)


class Scoring(NamedTuple):
    """Everything that gives a score, but for X."""

    scorer: Callable
    estimator: Any
    y: Any
    sample_weight: Any

    def __call__(self, X) -> float | dict[str, float]:
        weighted = {} if self.sample_weight is None else {"sample_weight": self.sample_weight}
        score = self.scorer(self.estimator, X, self.y, **weighted)
        for value in score.values() if isinstance(score, dict) else [score]:
            if np.ndim(value) > 0:
                raise ValueError(
                    "scoring must return one number, but returned an array of shape "
                    f"{np.shape(value)}."
                )
        return score


def permutation_importance(  # noqa: PLR0913 (scikit-learn's signature, and what sequences add)
    estimator,
    X,
    y,
    *,
    by="feature",
    block_size=None,
    scoring=None,
    n_repeats=5,
    n_jobs=None,
    random_state=None,
    sample_weight=None,
):
    """Measure how much a score falls when sequences exchange some of their values.

    This is `sklearn.inspection.permutation_importance` [1]_ for sequences. The values of a feature,
    or of a timestep, are exchanged at random among the sequences, so that they no longer tell
    anything about the targets. What the score loses is their importance to the fitted estimator.

    Parameters
    ----------
    estimator : estimator
        A fitted `RNNRegressor` or `RNNClassifier`, a pipeline, a search, or any other fitted
        estimator of sequences.
    X : array-like or list of arrays
        The sequences, in any container that the estimator takes. They may have missing values or
        strings if a pipeline imputes or encodes them.
    y : array-like or list of arrays
        The targets, one per sequence or one per timestep, as the scorer takes them.
    by : {"feature", "timestep", "block", ("feature", "timestep"), ("feature", "block")}, \
            default="feature"
        What is exchanged. "feature": the values of one feature at all timesteps. "timestep": the
        values of all features at one timestep. "block": the values of all features at `block_size`
        consecutive timesteps. A pair of names makes a map: the values of one feature at one
        timestep, or in one block.
    block_size : int, default=None
        The number of timesteps of a block. The last block may be shorter. It is needed for blocks,
        and must be None otherwise.
    scoring : str, callable, list, tuple or dict, default=None
        The scorer, as in `sklearn.model_selection.cross_validate`; several give several results.
        For targets per timestep use `sklearn_rnn.metrics.make_sequence_scorer`, and for targets
        (n_samples, horizon, n_outputs) `sklearn_rnn.metrics.make_forecast_scorer`. None uses the
        estimator's ``score``.
    n_repeats : int, default=5
        How often each part is exchanged.
    n_jobs : int, default=None
        The number of processes, as in scikit-learn. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Determines the exchanges. In one call, all parts are exchanged by the same `n_repeats`
        permutations.
    sample_weight : array-like or list of arrays, default=None
        Weights, passed to the scorer.

    Returns
    -------
    result : `~sklearn.utils.Bunch` or dict of such
        With several scorers a dict with one result per scorer, otherwise the result:

        importances_mean : ndarray of shape (n_features,), (n_times,) or (n_features, n_times)
            The mean loss of score over the repeats; ``n_times`` is the number of timesteps of the
            longest sequence, or the number of its blocks.
        importances_std : ndarray of the same shape
            The standard deviation over the repeats.
        importances : ndarray of shape (..., n_repeats)
            The loss of score in each repeat.
        by : str or tuple of str
            The argument.
        starts : ndarray of shape (n_times,) or None
            The first timestep of each part; None with ``by="feature"``.
        ends : ndarray of shape (n_times,) or None
            The timestep after the last one of each part; None with ``by="feature"``.
        n_sequences : ndarray of shape (n_times,) or None
            How many sequences have the first timestep of each part; None with ``by="feature"``.

    Raises
    ------
    ValueError, TypeError
        If an argument can't be used, or if X has a single sequence.

    See Also
    --------
    input_gradients : Which inputs of a single sequence matter.
    PermutationImportanceDisplay : Draws the result.

    Notes
    -----
    A repeat draws one random permutation of the sequences. Sequence i gets the values of sequence
    order[i] at the same timesteps. If all sequences are equally long, a feature's whole courses are
    exchanged, not its single values. Padding stays where it is, and so does the length of every
    sequence.

    If the lengths differ, and the sequence that gives the values ends, then the next one in the
    permutation's cycle goes on: order[order[i]], and so on. So at every timestep the sequences that
    have it exchange their values among themselves: each value is used once, and every exchange of
    them is equally likely. Timesteps are counted from the start. A timestep that only one sequence
    has gets the importance 0, because there is nothing to exchange it with; `n_sequences` tells.

    Neighbouring timesteps often say the same. Then none of them is important by itself, since the
    estimator can read the others. Blocks show it.

    References
    ----------
    .. [1] L. Breiman, "Random Forests", Machine Learning 45, 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNRegressor
    >>> from sklearn_rnn.inspection import permutation_importance
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.standard_normal((length, 3)) for length in rng.integers(4, 8, size=200)]
    >>> y = [x[1, 2] for x in X]  # timestep 1 of feature 2
    >>> model = RNNRegressor(hidden_size=8, learning_rate_init=0.05, tol=0.01, random_state=0)
    >>> result = permutation_importance(model.fit(X, y), X, y, random_state=0)
    >>> int(result.importances_mean.argmax())
    2
    >>> result = permutation_importance(model, X, y, by="timestep", random_state=0)
    >>> int(result.importances_mean.argmax())
    1
    >>> result = permutation_importance(
    ...     model, X, y, by=("feature", "block"), block_size=2, random_state=0
    ... )
    >>> result.importances.shape, result.starts.tolist()
    ((3, 4, 5), [0, 2, 4, 6])
    """
    names = _check_by(by, block_size)
    check_number("n_repeats", n_repeats, Integral, 1, None, "left")
    scorer = check_scoring(estimator, scoring=scoring)
    exchangeable = Exchangeable(X)
    n = len(exchangeable.lengths)
    if n < 2:
        raise ValueError("X has one sequence: there is no other to exchange values with.")
    parts = Parts.of(exchangeable, names, block_size)
    random_state = check_random_state(random_state)
    orders = [random_state.permutation(n) for _ in range(n_repeats)]
    score = Scoring(scorer, estimator, y, sample_weight)
    before = score(X)
    donors = [exchangeable.donors(order) for order in orders]
    after = Parallel(n_jobs=n_jobs)(
        delayed(_scores)(score, exchangeable, part, donors) for part in parts.parts
    )
    if not isinstance(before, dict):
        return _result(before, after, parts, by)
    return {
        name: _result(before[name], [[s[name] for s in scores] for scores in after], parts, by)
        for name in before
    }


def _scores(
    score: Scoring, exchangeable: Exchangeable, part: Part, donors: list[np.ndarray]
) -> list:
    """Return the scores with a part exchanged, one per repeat."""
    return [score(exchangeable.exchanged(part, rows)) for rows in donors]


def _result(before: float, after: list, parts: Parts, by) -> Bunch:
    importances = (before - np.array(after)).reshape(*parts.shape, -1)
    return Bunch(
        importances_mean=importances.mean(axis=-1),
        importances_std=importances.std(axis=-1),
        importances=importances,
        by=by,
        starts=parts.starts,
        ends=parts.ends,
        n_sequences=parts.n_sequences,
    )


def _check_by(by, block_size) -> tuple[str, ...]:
    """Return the names in `by`; raise unless it is a choice, and fits `block_size`."""
    choice = tuple(by) if isinstance(by, list) else by
    if not isinstance(choice, (str, tuple)) or choice not in CHOICES:
        error = TypeError if not isinstance(choice, (str, tuple)) else ValueError
        expected = ", ".join(map(repr, CHOICES))
        raise error(f"by={by!r} is not one of the choices: {expected}.")
    names = (choice,) if isinstance(choice, str) else choice
    if "block" in names:
        if block_size is None:
            raise ValueError(f"by={by!r} needs block_size, the number of timesteps of a block.")
        check_number("block_size", block_size, Integral, 1, None, "left")
    elif block_size is not None:
        raise ValueError(
            f"block_size={block_size!r} has no meaning for by={by!r}: set by='block' or "
            "by=('feature', 'block'), or block_size=None."
        )
    return names
