"""Digests of many fits, to show that two trees of the package compute the same bits.

    python benchmarks/same_bits.py > before.txt      # in the tree before a change
    python benchmarks/same_bits.py > after.txt       # in the tree after it
    diff before.txt after.txt

Each line is one fit: a digest of its weights, history and predictions, and its options. The last
line is a digest of all lines. Together, the fits use every cell, activation, solver, loss and
schedule, all containers of X, and all options that change numbers. The script uses only the public
interface. The numbers depend on the BLAS, so compare on one machine.
"""

import hashlib
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.callbacks import EarlyStopping

N, LONGEST, N_FEATURES = 14, 9, 2
N_RANDOM = 240

NETWORKS = [
    {"cell": "elman", "activation": "tanh"},
    {"cell": "elman", "activation": "relu"},
    {"cell": "elman", "activation": "logistic"},
    {"cell": "elman", "activation": "identity"},
    {"cell": "lstm"},
    {"cell": "gru"},
]
CHOICES = {
    "n_layers": [1, 2, 3],
    "hidden_size": [3, 8],
    "bidirectional": [False, True],
    "dropout": [0.0, 0.3],
    "recurrent_dropout": [0.0, 0.3],
    "solver": ["adam", "sgd", "rmsprop", "lbfgs"],
    "learning_rate": ["constant", "invscaling", "adaptive", "cosine", "one_cycle"],
    "learning_rate_init": [0.01, 0.1],
    "batch_size": ["auto", 5],
    "bptt_steps": [None, None, 3],
    "shuffle": [True, False],
    "max_grad_norm": [5.0, 0.1, None],
    "max_grad_value": [None, 0.05],
    "alpha": [1e-4, 0.1],
    "early_stopping": [False, True],
    "warm_start": [False, True],
    "standardize": [False, True],
    "max_iter": [4],
}
POOLINGS = ["mean", "max", ("last", "mean", "max")]
REGRESSIONS = [
    {"loss": "squared_error"},
    {"loss": "absolute_error"},
    {"loss": "huber", "delta": 0.5},
    {"loss": "quantile", "quantile": 0.8},
    {"loss": "poisson"},
]
# With several raw outputs per target. They came later, so they come last.
SEVERAL_OUTPUTS = [
    {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]},
    {"loss": "gaussian"},
]
CLASSIFICATIONS = [{"label_smoothing": 0.1}, {"class_weight": "balanced"}, {}]
CONTAINERS = ["array", "padded array", "list", "object array", "table"]
TARGETS = {
    RNNRegressor: ["one output", "two outputs"],
    RNNClassifier: ["two classes", "three strings", "multilabel"],
}


def main():
    warnings.simplefilter("ignore", ConvergenceWarning)
    rng = np.random.default_rng(0)
    all_digests = hashlib.sha256()
    for k, case in enumerate(cases(rng)):
        try:
            digest = digest_of(case, np.random.default_rng(k))
        except (ValueError, AttributeError) as error:
            digest = f"{type(error).__name__}: {str(error)[:30]}"
        all_digests.update(digest.encode())
        print(k, digest[:16], *(f"{k}={v}" for k, v in case.items()))
    print("all", all_digests.hexdigest())


def cases(rng):
    """Yield every network with every solver, then random combinations of options that are valid.

    Some of these come once more, with a pooling; some of the latter, with several raw outputs for
    each target.
    """
    for network in NETWORKS:
        for solver in CHOICES["solver"]:
            yield {**network, "solver": solver, "max_iter": 4, **surroundings(rng)}
    n_found, more = 0, []
    while n_found < N_RANDOM:
        case = {**pick(rng, NETWORKS), **{k: pick(rng, v) for k, v in CHOICES.items()}}
        case |= surroundings(rng)
        lbfgs = case["solver"] == "lbfgs"
        if case["bptt_steps"] and (lbfgs or case["bidirectional"]):
            continue
        if lbfgs and (case["dropout"] or case["recurrent_dropout"]):
            continue
        n_found += 1
        yield case
        if not case["return_sequences"]:
            more.append({**case, "pooling": POOLINGS[len(more) % len(POOLINGS)]})
    yield from more
    for k, case in enumerate([case for case in more if not case["classifier"]][:12]):
        case = {name: value for name, value in case.items() if name not in ("delta", "quantile")}
        yield case | SEVERAL_OUTPUTS[k % 2]


def surroundings(rng):
    """Draw the options of a fit that are not parameters of the network: data and containers."""
    per_step = pick(rng, [False, True])
    classifier = pick(rng, [False, True])
    own = pick(rng, CLASSIFICATIONS if classifier else REGRESSIONS)
    targets = pick(rng, TARGETS[RNNClassifier if classifier else RNNRegressor])
    if targets == "multilabel" and (per_step or "class_weight" in own):
        targets = "two classes"
    return {
        **own,
        "return_sequences": per_step,
        "classifier": classifier,
        "targets": targets,
        "container": pick(rng, CONTAINERS),
        "dtype": pick(rng, ["float32", "float64"]),
        "weights": pick(rng, [None, None, "sequences", "steps" if per_step else "sequences"]),
        "validation": pick(rng, [False, False, True]),
        "how": pick(rng, ["fit", "fit", "fit twice", "partial_fit", "EarlyStopping"]),
    }


def pick(rng, values):
    return values[rng.integers(len(values))]


def digest_of(case, rng):
    case = dict(case)
    estimator = RNNClassifier if case.pop("classifier") else RNNRegressor
    names = ("targets", "container", "dtype", "weights", "validation", "how")
    targets, container, dtype, weights, validation, how = (case.pop(name) for name in names)
    if how == "EarlyStopping":
        case["early_stopping"] = False
    if how == "partial_fit":
        case |= {"early_stopping": False, "class_weight": None, "solver": "adam"}
        if estimator is RNNRegressor:
            case.pop("class_weight")
    per_step = case["return_sequences"]
    lengths = rng.integers(1, LONGEST + 1, N)
    lengths[:2] = 1, LONGEST
    if container in ("array", "table"):
        lengths[:] = LONGEST
    n_features = 1 if container == "table" else N_FEATURES

    def draw():
        sequences = [rng.standard_normal((n, n_features)).astype(dtype) for n in lengths]
        y = [targets_of(targets, case, rng, n if per_step else 1) for n in lengths]
        y = in_container(container, y) if per_step else np.array([part[0] for part in y])
        return in_container(container, sequences), y

    X, y = draw()
    arguments = {}
    if weights:
        w = [rng.integers(0, 3, n if weights == "steps" else 1).astype(float) for n in lengths]
        w[0][:] = 1.0
        steps = weights == "steps"
        arguments["sample_weight"] = w if steps else np.array([part[0] for part in w])
    if how != "partial_fit" and (validation or how == "EarlyStopping"):
        arguments["X_val"], arguments["y_val"] = draw()
    model = estimator(**case, random_state=int(rng.integers(1000)))
    if how == "partial_fit":
        if estimator is RNNClassifier:
            arguments["classes"] = classes_of(targets, y)
        for _ in range(3):
            model.partial_fit(X, y, **arguments)
    else:
        if how == "EarlyStopping":
            model.set_callbacks(EarlyStopping(lambda m, X, y: m.score(X, y), n_iter_no_change=2))
        for _ in range(2 if how == "fit twice" else 1):
            model.fit(X, y, **arguments)
    outputs = [model.predict(X), model.score(X, y)]
    if estimator is RNNClassifier:
        outputs.append(model.predict_proba(X))
    history = [getattr(model, name) for name in HISTORY]
    digest = hashlib.sha256()
    for value in [*(model.weights_[name] for name in sorted(model.weights_)), *outputs, *history]:
        update(digest, value)
    return digest.hexdigest()


HISTORY = (
    "loss_curve_",
    "learning_rates_",
    "validation_scores_",
    "best_iteration_",
    "gradient_norms_",
    "weight_norms_",
    "n_iter_",
    "t_",
)


def targets_of(targets, case, rng, n):
    if targets == "one output":
        values = rng.standard_normal(n)
    elif targets == "two outputs":
        values = rng.standard_normal((n, 2))
    elif targets == "two classes":
        return rng.integers(0, 2, n)
    elif targets == "three strings":
        return np.array(["a", "bb", "c"])[rng.integers(0, 3, n)]
    else:
        return rng.integers(0, 2, (n, 3))
    return np.floor(np.abs(values) * 3) if case.get("loss") == "poisson" else values


def classes_of(targets, y):
    if targets == "multilabel":
        return np.arange(3)
    return np.array(["a", "bb", "c"]) if targets == "three strings" else np.arange(2)


def in_container(container, sequences):
    if container == "list":
        return sequences
    if container == "object array":
        objects = np.empty(len(sequences), dtype=object)
        objects[:] = sequences
        return objects
    longest = max(map(len, sequences))
    fill = "" if sequences[0].dtype.kind == "U" else 0 if sequences[0].dtype.kind == "i" else np.nan
    array = np.full((len(sequences), longest, *sequences[0].shape[1:]), fill, sequences[0].dtype)
    for row, sequence in zip(array, sequences, strict=True):
        row[: len(sequence)] = sequence
    return array[:, :, 0] if container == "table" and array.ndim == 3 else array


def update(digest, value):
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.dtype == "O"):
        for part in value:
            update(digest, part)
    elif isinstance(value, np.ndarray):
        digest.update(f"{value.dtype}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    else:
        digest.update(repr(value).encode())


if __name__ == "__main__":
    main()
