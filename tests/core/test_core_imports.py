"""The core needs NumPy and the standard library, nothing else."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sklearn_rnn.core

FOLDER = Path(sklearn_rnn.core.__file__).parent
FILES = sorted(FOLDER.rglob("*.py"))

# Imports every module of the core, without running sklearn_rnn/__init__.py, which imports the
# estimators, and prints what was imported from anywhere but the standard library and NumPy.
PROGRAM = """
import importlib, pkgutil, sys, types
import numpy, numpy.linalg, numpy.random  # the extensions bring modules of theirs
before = set(sys.modules)
package = types.ModuleType("sklearn_rnn")
package.__path__ = [sys.argv[1]]
sys.modules["sklearn_rnn"] = package
import sklearn_rnn.core
for module in pkgutil.walk_packages(sklearn_rnn.core.__path__, "sklearn_rnn.core."):
    importlib.import_module(module.name)
imported = set(sys.modules) - before
allowed = {"numpy", *sys.stdlib_module_names}
print(*sorted(name for name in imported if name.partition(".")[0] not in allowed))
"""


def imported_modules(source):
    """Every module that a source file in the core imports, wherever the statement stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def is_allowed(module):
    top = module.partition(".")[0]
    return top == "numpy" or top in sys.stdlib_module_names or in_core(module)


def in_core(module):
    return f"{module}.".startswith("sklearn_rnn.core.")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_import_statements(path):
    foreign = [
        module
        for module in imported_modules(path.read_text(encoding="utf-8"))
        if not is_allowed(module)
    ]
    assert not foreign


@pytest.mark.parametrize(
    "statement",
    [
        "import sklearn",
        "import sklearn.utils as u",
        "import sklearn_rnn",
        "import scipy.linalg",
        "from sklearn_rnn import _base",
        "from sklearn_rnn._base import BaseRNN",
        "from sklearn_rnn.corelike import x",
        "from .. import _base",
        "def f():\n    from sklearn.utils import check_array",
    ],
)
def test_foreign_statements_would_be_found(statement):
    assert not all(map(is_allowed, imported_modules(statement)))


def test_imported_modules():
    """After the import, no foreign module is loaded, however it may have been imported."""
    program = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(FOLDER.parent)],
        capture_output=True,
        text=True,
        check=True,
    )
    modules = set(program.stdout.split())
    assert len(modules) == len(FILES) + 1  # each file of the core, and sklearn_rnn itself
    assert all(map(in_core, modules - {"sklearn_rnn"}))
