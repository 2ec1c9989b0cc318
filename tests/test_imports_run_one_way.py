"""The import graph: no circle, and no wing imports one that stands above it.

docs/architecture.md has the order of the wings. `core` may import NumPy only; its own test is
tests/core/test_core_imports.py.
"""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import sklearn_rnn

FOLDER = Path(sklearn_rnn.__file__).parent

# From the ground up: a file may import files of its own wing and of those before it.
WINGS = [
    ["_version"],
    ["_versioned"],
    ["_documented"],
    ["_ready_signature"],
    ["_callback_stand_in"],
    ["_callback_protocol"],
    ["_settings"],
    ["core"],
    ["_parallel"],
    ["_jobs"],
    ["_scores"],
    ["_input"],
    ["_training"],
    ["_stream"],
    ["_going_on"],
    ["_fitted"],
    ["_base"],
    ["_regressor", "_classifier"],
    [""],  # the package itself: re-exports
    ["_stratified_folds"],
    ["_wrapped_scorer"],
    ["_forecast_scorer"],
    ["callbacks", "metrics", "_cross_val_predict", "model_selection", "preprocessing"],
    ["inspection", "streaming", "utils"],
    ["export"],
]
# Within the core, and within training, the order is finer.
CORE = [
    ["core"],
    [
        "core.caching",
        "core.parameters",
        "core.initializers",
        "core.memory",
        "core.links",
        "core.scaling",
    ],
    ["core.packing"],
    ["core.layouts"],
    ["core.dropout", "core.heads", "core.losses", "core.optimizers", "core.schedules"],
    ["core.cells.sigmoid"],
    ["core.cells.base"],
    ["core.cells.elman", "core.cells.lstm", "core.cells.gru"],
    ["core.cells"],
    ["core.architecture"],
    ["core.records", "core.layer"],
    ["core.recurrent", "core.pooling"],
    ["core.directions", "core.carry"],
    ["core.network"],
    ["core.idle", "core.stepper", "core.batch_loss"],
]


def name_of(path):
    """A module's name within the package: "core.cells" for core/cells/__init__.py."""
    parts = path.relative_to(FOLDER).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {name_of(path): path for path in sorted(FOLDER.rglob("*.py"))}


def imports_of(source):
    """The package's modules that a source file imports when it is imported itself."""
    module = ast.parse(source)
    inside = {
        node
        for function in ast.walk(module)
        if isinstance(function, (ast.FunctionDef, ast.Lambda))
        for node in ast.walk(function)
    }
    for node in ast.walk(module):
        if node in inside:
            continue
        if isinstance(node, ast.Import):
            yield from (within_package(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not used"
            base = within_package(node.module)
            names = [f"{base}.{alias.name}".lstrip(".") for alias in node.names]
            yield from (name if name in PATHS and base is not None else base for name in names)


def within_package(module):
    """None for a module of another package."""
    top, _, rest = module.partition(".")
    return rest if top == "sklearn_rnn" else None


GRAPH = {
    name: {target for target in imports_of(path.read_text(encoding="utf-8")) if target is not None}
    for name, path in PATHS.items()
}


def rank(name, order):
    """The place of the wing, or of the module, that a name belongs to."""
    places = {
        len(entry): place
        for place, entries in enumerate(order)
        for entry in entries
        if name == entry or name.startswith(f"{entry}.")
    }
    return places[max(places)]


def upward(graph, order):
    return {
        (name, target)
        for name, targets in graph.items()
        for target in targets
        if rank(target, order) > rank(name, order)
    }


def test_there_is_no_circle():
    TopologicalSorter(GRAPH).prepare()  # raises CycleError


def test_no_wing_imports_one_above_it():
    assert not upward(GRAPH, WINGS)


def test_the_core_imports_one_way():
    graph = {name: targets for name, targets in GRAPH.items() if name.startswith("core")}
    assert not upward(graph, CORE)


def test_every_module_has_a_place():
    assert len(PATHS) > 50
    for name in PATHS:
        rank(name, WINGS)  # raises ValueError for a name without a wing
        if name.startswith("core."):
            assert rank(name, CORE) > 0, f"{name} has no place in CORE"


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("core.recurrent", "from sklearn_rnn.core.network import Network"),
        ("core.cells.gru", "from sklearn_rnn.core import recurrent"),
        ("core.packing", "import sklearn_rnn._input.sequences"),
        ("_input.targets", "from sklearn_rnn._training.data import TrainingData"),
        ("_training.hooks", "from sklearn_rnn import _base"),
        ("_base", "from sklearn_rnn import RNNRegressor"),
        ("metrics", "from sklearn_rnn.utils import check_sequence_estimator"),
    ],
)
def test_an_upward_import_would_be_found(name, source):
    graph = {name: {target for target in imports_of(source) if target is not None}}
    assert upward(graph, CORE if name.startswith("core") and "_input" not in source else WINGS)
