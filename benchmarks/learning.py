"""How well do estimators learn with their defaults, on data in the units that they came in?

    python benchmarks/learning.py [--half tune|confirm|all|judge] [--seeds 0 1 2] [--tasks NAME ...]
        [--contenders NAME ...] [--set NAME parameter=value ...] [--jobs N]

Defaults are chosen on one half of the tasks (`--half tune`) and confirmed on the other. Sets of
which no score is looked at while defaults are chosen judge the choice (`--half judge`). What is
compared runs side by side: each `--set` adds ours with other parameters, under a name, and on each
task all contenders take turns, seed after seed:

    python benchmarks/learning.py --half tune --contenders ours \\
        --set small_batches batch_size=32 --set fast batch_size=32 learning_rate_init=0.01

A parameter is set of both estimators, or of one: `regressor.loss=absolute_error`.

The contenders:

- ours: RNNClassifier and RNNRegressor, only with `return_sequences` where the task asks for it;
- patches: ours in a pipeline after `Patches`, where sequences have 64 steps and more;
- relative; relative, scaled: ours in `InstanceNormalizedRegressor`, without and with its `scale`,
  where X has the target's own past;
- mlp, linear, trees: scikit-learn's MLP, LogisticRegression and RidgeCV, and
  HistGradientBoosting, on a table of all timesteps side by side. Sequences of different lengths are
  padded with their last value, and their length is one more column; longer ones than those trained
  on lose their beginning. Where there is a target per timestep, a row is a window of the last 10
  steps, padded at the beginning with the first one;
- last value: of the target's own past, where X has that;
- skorch, sktime, aeon, minirocket: an LSTM in skorch, sktime's GRU, aeon's RecurrentRegressor and
  MiniRocketClassifier, each if it is named and installed, on sequences of one length with one
  target. They read the same float32.

Nothing is scaled, and all parameters but `random_state` are defaults. (skorch has none for its
module: it is an LSTM with 64 units, trained by Adam. Nor has sktime for size and layout.)

The scores:

- of classification the accuracy on the test data, or the balanced accuracy where classes are
  imbalanced ("constant" is what the most frequent class of the training data gets);
- of numbers 1 - MAE / MAE of the training data's median: 1 is perfect, 0 no better than a constant.

The mean is over skills, which make the two alike: of classification (score - constant) / (1 -
constant), of numbers the score. A skill below -1 counts as -1, or one task would outweigh all
others; so does a fit that raises, or predicts what isn't finite.

Seeds go to the estimators, and where a set has no split of its own, and isn't a series, to the
split.
"""

import ast
import sys
import time
import warnings
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from itertools import chain
from statistics import mean
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, balanced_accuracy_score, mean_absolute_error

from common import arguments, report, unique
from learning_contenders import (
    CONTENDERS,
    OPTIONAL,
    USUAL,
    Contender,
    NotForThis,
    missing,
    ours,
)
from learning_data import CLASSIFICATION, Split, Task, take
from learning_judges import JUDGES
from learning_tasks import TASKS, halves
from sklearn_rnn import RNNClassifier, RNNRegressor

WORST = -1.0  # skill


class Run(NamedTuple):
    """What came out of one contender on one task with one seed."""

    task: str
    kind: str
    half: str
    contender: str
    seed: int
    score: float | None  # None if it failed
    constant: float  # the score of the best constant
    skill: float
    cpu_seconds: float  # of fit
    wall_seconds: float
    n_iter: int | None  # epochs
    not_converged: int  # ConvergenceWarnings
    other_warnings: int
    error: str | None


# Measuring


def run(task: Task, half: str, name: str, contender: Contender, data: Split, seed: int) -> Run:
    race = contender(task, data, seed)
    y_train, y_test = (
        np.concatenate(list(y)) if task.per_step else y for y in (data.y_train, data.y_test)
    )
    score_of, constant = scoring(task, y_train, y_test)
    score, error = None, None
    began = time.process_time(), time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            race.model.fit(race.X_train, race.y_train)
            ended = time.process_time(), time.perf_counter()
            y_pred = race.model.predict(race.X_test)
            # Ours predicts what is per step sequence by sequence.
            if len(y_pred) != len(y_test) or np.ndim(y_pred[0]) == 1:
                y_pred = np.concatenate(list(y_pred))
            score = score_of(y_pred)
        except (ValueError, FloatingPointError, np.linalg.LinAlgError) as reason:
            if type(reason).__name__ == "InvalidParameterError":  # a mistake in --set
                raise
            ended = time.process_time(), time.perf_counter()
            error = f"{type(reason).__name__}: {reason}"
    # The constant's score of numbers is 0, so that theirs is the skill as it stands.
    skill = WORST if score is None else (score - constant) / (1 - constant)
    not_converged = sum(issubclass(w.category, ConvergenceWarning) for w in caught)
    return Run(
        task.name,
        task.kind,
        half,
        name,
        seed,
        score,
        constant,
        max(skill, WORST),
        ended[0] - began[0],
        ended[1] - began[1],
        n_iter=number_of_epochs(race.model),
        not_converged=not_converged,
        other_warnings=len(caught) - not_converged,
        error=error,
    )


def scoring(task: Task, y_train: np.ndarray, y_test: np.ndarray):
    """A function that scores predictions, and the score of the best constant."""
    if task.kind == CLASSIFICATION:
        metric = balanced_accuracy_score if task.balanced else accuracy_score
        labels, counts = np.unique(y_train, return_counts=True)
        constant = np.full(len(y_test), labels[counts.argmax()])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of classes that are not in y_test
            return partial(metric, y_test), float(metric(y_test, constant))
    of_constant = np.abs(y_test - np.median(y_train)).mean()
    return lambda y_pred: float(1 - mean_absolute_error(y_test, y_pred) / of_constant), 0.0


def number_of_epochs(model) -> int | None:
    n_iter = getattr(model, "n_iter_", None)
    return None if n_iter is None else int(np.max(n_iter))


def measure(task: Task, half: str, contenders: dict[str, Contender], turn: int, options) -> list:
    """Run all contenders on a task in turn; each seed, another one begins."""
    seed, names = options.seeds[turn], list(contenders)
    data = task.load(seed)
    if options.quick:
        data = Split(*(take(a, np.arange(min(len(a), 60))) for a in data))
    results = []
    for name in names[turn % len(names) :] + names[: turn % len(names)]:
        with suppress(NotForThis):
            results.append(run(task, half, name, contenders[name], data, seed))
            print(results[-1], file=sys.stderr, flush=True)
    return results


def size_of(data: Split) -> str:
    """Sequences to train on and to test on, steps and features."""
    lengths = [len(x) for X in (data.X_train, data.X_test) for x in X]
    steps = f"{min(lengths)}-{max(lengths)}" if min(lengths) < max(lengths) else lengths[0]
    return f"{len(data.X_train)} + {len(data.X_test)}, {steps} × {data.X_train[0].shape[1]}"


# Reporting


def rows_by_task(results: list[Run], names: list[str], sizes: dict[str, str]) -> list[list[str]]:
    rows = []
    for task in unique(r.task for r in results):
        runs = [r for r in results if r.task == task]
        by_name = [[r for r in runs if r.contender == name] for name in names]
        first = runs[0]
        constant = mean(r.constant for r in runs)
        constant = f"{constant:.2f}" if first.kind == CLASSIFICATION else ""
        seconds = [f"{mean(r.cpu_seconds for r in rs):.1f}" if rs else "" for rs in by_name]
        scores = map(score_cell, by_name)
        times = " / ".join(s or "-" for s in seconds)
        rows.append([first.half, first.kind, task, sizes[task], constant, *scores, times])
    return rows


def score_cell(runs: list[Run]) -> str:
    """The mean, and with several seeds the standard deviation."""
    scores = [r.score for r in runs if r.score is not None]
    failed = f"{len(runs) - len(scores)} failed" if len(scores) < len(runs) else ""
    spread = f" ± {np.std(scores):.2f}" if len(scores) > 1 else ""
    return " ".join(filter(None, [f"{mean(scores):.2f}{spread}" if scores else "", failed]))


def rows_of_means(results: list[Run], names: list[str]) -> list[list[str]]:
    """By half, and in it by kind, the mean skills; a contender's are over the tasks it can do."""
    groups = [("all", "all", results)] if len(unique(r.half for r in results)) > 1 else []
    for half in unique(r.half for r in results):
        in_half = [r for r in results if r.half == half]
        groups.append((half, "all", in_half))
        for kind in unique(r.kind for r in in_half):
            groups.append((half, kind, [r for r in in_half if r.kind == kind]))
    rows = []
    for half, kind, runs in groups:
        n_tasks = len({r.task for r in runs})
        skills = [mean_or_blank(r.skill for r in runs if r.contender == name) for name in names]
        rows.append([half, kind, str(n_tasks), *skills])
    return rows


def rows_of_times(results: list[Run], names: list[str]) -> list[list[str]]:
    rows = []
    for name in names:
        runs = [r for r in results if r.contender == name]
        if not runs:
            continue
        seeds = len({r.seed for r in runs})
        ranks = [rank(r, results) for r in runs]
        rows.append(
            [
                name,
                str(len({r.task for r in runs})),
                f"{mean(ranks):.1f}",
                f"{np.median([r.skill for r in runs]):.3f}",
                str(sum(r.skill <= 0 for r in runs)),
                str(sum(r.error is not None for r in runs)),
                f"{sum(r.cpu_seconds for r in runs) / seeds:.0f}",
                f"{sum(r.wall_seconds for r in runs) / seeds:.0f}",
                str(sum(r.not_converged > 0 for r in runs)),
                str(sum(r.other_warnings > 0 for r in runs)),
            ]
        )
    return rows


def rank(run: Run, results: list[Run]) -> float:
    """1 for the best of the task and the seed; equals share their ranks."""
    others = [r.skill for r in results if (r.task, r.seed) == (run.task, run.seed)]
    better, equal = sum(s > run.skill for s in others), sum(s == run.skill for s in others)
    return better + (equal + 1) / 2


def mean_or_blank(values: Iterable[float]) -> str:
    values = list(values)
    return f"{mean(values):.3f}" if values else ""


# The command line


def add_options(parser) -> None:
    parser.add_argument("--half", choices=("tune", "confirm", "all", "judge"), default="all")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=1, help="tasks and seeds run side by side")
    parser.add_argument(
        "--tasks",
        nargs="+",
        metavar="NAME",
        help="only these",
        choices=[t.name for t in TASKS + JUDGES],
    )
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=USUAL)
    parser.add_argument(
        "--set",
        nargs="+",
        action="append",
        default=[],
        metavar=("NAME", "parameter=value"),
        help="ours with other parameters, under this name; may be given several times",
    )


def chosen_contenders(options) -> dict[str, Contender]:
    contenders = {}
    for name in options.contenders:
        if name in OPTIONAL and (reason := missing(name)):
            print(f"\n{name} is left out: {reason}")
        else:
            contenders[name] = CONTENDERS[name]
    for name, *settings in options.set:
        contenders[name] = partial(ours, **dict(map(setting, settings)))
    return contenders


def setting(text: str) -> tuple[str, object]:
    """The parameter and value of "parameter=value"; what isn't a Python literal is a string."""
    parameter, _, value = text.partition("=")
    known = {"classifier": RNNClassifier().get_params(), "regressor": RNNRegressor().get_params()}
    whose, _, name = parameter.rpartition(".")
    if whose not in ("", *known) or any(
        name not in known[k] for k in ([whose] if whose else known)
    ):
        raise SystemExit(f"--set: no such parameter: {parameter}")
    try:
        return parameter, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return parameter, value


def main():
    options = arguments(__doc__, add=add_options)
    contenders = chosen_contenders(options)
    if options.quick:
        options.seeds = options.seeds[:1]
    jobs, sizes = [], {}
    chosen = {"judge": JUDGES} if options.half == "judge" else halves()
    for half, tasks in chosen.items():
        for task in tasks:
            if options.half not in (half, "all") or task.name not in (options.tasks or task.name):
                continue
            try:
                sizes[task.name] = size_of(task.load(options.seeds[0]))
            except FileNotFoundError as error:
                print(f"\n{task.name} is left out: it {error}")
                continue
            turns = range(len(options.seeds))
            jobs += [delayed(measure)(task, half, contenders, turn, options) for turn in turns]
    results = list(chain.from_iterable(Parallel(n_jobs=options.jobs)(jobs)))
    names = list(contenders)
    seeds = f"seeds {', '.join(map(str, options.seeds))}"
    report(
        f"Mean skill, {seeds}",
        ["half", "kind", "tasks", *names],
        rows_of_means(results, names),
        None,
        None,
    )
    report(
        f"Each contender over all its tasks, {seeds}",
        [
            "contender",
            "tasks",
            "mean rank",
            "median skill",
            "runs no better than a constant",
            "runs that failed",
            "CPU s to fit all once",
            "wall s",
            "runs that warn of convergence",
            "of something else",
        ],
        rows_of_times(results, names),
        None,
        None,
    )
    size, times = "train + test, steps × features", f"CPU s to fit: {' / '.join(names)}"
    report(
        f"Scores by task, {seeds}",
        ["half", "kind", "task", size, "constant", *names, times],
        rows_by_task(results, names, sizes),
        [r._asdict() for r in results],
        options.json,
    )


if __name__ == "__main__":
    main()
