"""Files that released versions wrote: they load, and give the same results.

save.py wrote them. docs/versions.md promises what is tested here.
"""

import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import InconsistentVersionWarning

from sklearn_rnn import __version__

FOLDER = Path(__file__).parent
FILES = [*sorted(FOLDER.glob("*/*.pkl")), *sorted(FOLDER.glob("*/*.skops"))]
VERSIONS = sorted({path.parent.name for path in FILES})
EXPECTED = {version: dict(np.load(FOLDER / version / "expected.npz")) for version in VERSIONS}


def load(path):
    if path.suffix == ".pkl":
        return pickle.loads(path.read_bytes())
    skops = pytest.importorskip("skops.io")
    trusted = skops.get_untrusted_types(file=path)
    assert all(name.startswith("sklearn_rnn.") for name in trusted)
    return skops.load(path, trusted=trusted)


def load_and_check_warnings(path):
    """Load a file. Its own version must be silent; another one must warn.

    Files of pipelines hold scikit-learn's scalers, which warn in another version of scikit-learn.
    """
    with warnings.catch_warnings(record=True, category=InconsistentVersionWarning) as caught:
        warnings.simplefilter("always", InconsistentVersionWarning)
        model = load(path)
    assert {warning.category for warning in caught} <= {InconsistentVersionWarning}
    of_other = [
        warning.message.original_sklearn_version
        for warning in caught
        if warning.message.current_sklearn_version == __version__
    ]
    version = path.parent.name
    assert set(of_other) == ({version} if version != __version__ else set())
    return model


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_the_same_results(path):
    model, expected = load_and_check_warnings(path), EXPECTED[path.parent.name]
    methods = [name for name in expected if name.startswith(f"{path.stem}.")]
    methods = [name.partition(".")[2] for name in methods if not name.endswith(".X")]
    assert methods
    for method in methods:
        results = getattr(model, method)(expected.get(f"{path.stem}.X", expected["X"]))
        wanted = expected[f"{path.stem}.{method}"]
        if wanted.dtype.kind == "f":  # another processor may round otherwise
            np.testing.assert_allclose(results, wanted, rtol=1e-10, atol=1e-12)
        else:
            np.testing.assert_array_equal(results, wanted)


GOING_ON = [path for path in FILES if path.stem.startswith("goes_on")]


@pytest.mark.parametrize("path", GOING_ON, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_training_goes_on(path):
    """From the optimizer's state and the random numbers of the file, as in `partial_fit`."""
    model, data = load_and_check_warnings(path), EXPECTED[path.parent.name]
    n_seen, before = model.t_, model.loss_curve_[0]
    for _ in range(50):
        model.partial_fit(data["X"], data["Y"])
    assert model.t_ == 51 * n_seen
    assert model.loss_curve_[0] == before > model.loss_


def test_every_release_has_files():
    """A version without .dev is a release: save.py must have written its files."""
    assert VERSIONS
    assert ".dev" in __version__ or __version__ in VERSIONS
    for version, expected in EXPECTED.items():
        models = {key.partition(".")[0] for key in expected} - {"X", "Y"}
        names = {f"{model}.{suffix}" for model in models for suffix in ("pkl", "skops")}
        assert names == {path.name for path in FILES if path.parent.name == version}
