"""`sklearn_rnn.metrics` and its like are imported when they are first used."""

import pkgutil
import subprocess
import sys

import pytest

import sklearn_rnn

SUBMODULES = [
    module.name
    for module in pkgutil.iter_modules(sklearn_rnn.__path__)
    if not module.name.startswith("_") and module.name != "core"  # which the estimators import
]


def run(program):
    """What a program prints that runs in a fresh process, as words."""
    process = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return process.stdout.split()


def test_there_are_public_submodules():
    assert {"callbacks", "metrics", "model_selection", "preprocessing", "utils"} <= {*SUBMODULES}


def test_the_package_alone_imports_none_of_them():
    imported = run("import sys, sklearn_rnn; print(*sys.modules)")
    assert "sklearn_rnn" in imported
    assert not {f"sklearn_rnn.{name}" for name in SUBMODULES} & {*imported}
    assert "sklearn" not in imported


def test_a_worker_of_n_jobs_imports_numpy_alone():
    """Everyone who sets n_jobs waits for it."""
    imported = run("import sys, sklearn_rnn._parallel.replica; print(*sys.modules)")
    foreign = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names
    assert {"numpy", "sklearn_rnn"} <= foreign
    assert not {"sklearn", "scipy", "joblib", "threadpoolctl"} & foreign


@pytest.mark.parametrize("name", SUBMODULES)
def test_an_attribute_imports_its_submodule(name):
    program = f"import sklearn_rnn; print(sklearn_rnn.{name}.__name__, *sklearn_rnn.{name}.__all__)"
    module, *public = run(program)
    assert module == f"sklearn_rnn.{name}"
    assert public


def test_dir_lists_what_is_public():
    expected = {"RNNClassifier", "RNNRegressor", "__version__", *SUBMODULES}
    assert {*run("import sklearn_rnn; print(*dir(sklearn_rnn))")} == expected
    assert {*sklearn_rnn.__all__} == expected


def test_import_of_everything():
    imported = run("import sys; from sklearn_rnn import *; print(*sys.modules)")
    assert {f"sklearn_rnn.{name}" for name in SUBMODULES} <= {*imported}


def test_unknown_attribute():
    with pytest.raises(AttributeError, match=r"^module 'sklearn_rnn' has no attribute 'metric'$"):
        sklearn_rnn.metric  # noqa: B018 -- the access raises
    with pytest.raises(ImportError, match="cannot import name 'metric' from 'sklearn_rnn'"):
        from sklearn_rnn import metric  # noqa: F401
