"""Parameters: one vector, and views of it that survive copying."""

import copy
import pickle

import joblib
import numpy as np
import pytest

from sklearn_rnn.core.parameters import Parameters

SHAPES = {"W": (2, 3), "b": (2,), "V": (1, 2)}


def make_parameters():
    parameters = Parameters.zeros(SHAPES, np.float64)
    parameters.vector[...] = np.arange(10)
    return parameters


def test_views_stand_one_after_the_other():
    parameters = make_parameters()
    assert list(parameters) == ["W", "b", "V"]
    assert len(parameters) == 3
    np.testing.assert_array_equal(parameters["W"], [[0, 1, 2], [3, 4, 5]], strict=False)
    np.testing.assert_array_equal(parameters["b"], [6, 7])
    np.testing.assert_array_equal(parameters["V"], [[8, 9]])


def assert_shared(parameters):
    assert parameters.vector.flags.c_contiguous
    assert all(np.shares_memory(array, parameters.vector) for array in parameters.values())
    parameters["V"][0, 1] = -1.0
    assert parameters.vector[9] == -1.0
    parameters.vector[6] = -2.0
    assert parameters["b"][0] == -2.0


def test_views_share_the_vector():
    assert_shared(make_parameters())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_zeros(dtype):
    parameters = Parameters.zeros(SHAPES, dtype)
    assert parameters.vector.dtype == parameters["W"].dtype == dtype
    np.testing.assert_array_equal(parameters.vector, np.zeros(10))
    assert {name: array.shape for name, array in parameters.items()} == SHAPES


def by_joblib(parameters, path):
    joblib.dump(parameters, path / "parameters.joblib")
    return joblib.load(path / "parameters.joblib")


@pytest.mark.parametrize(
    "duplicate",
    [
        lambda parameters, path: pickle.loads(pickle.dumps(parameters)),
        lambda parameters, path: copy.deepcopy(parameters),
        by_joblib,
    ],
    ids=["pickle", "deepcopy", "joblib"],
)
def test_copies_share_a_vector_of_their_own(duplicate, tmp_path):
    original = make_parameters()
    twin = duplicate(original, tmp_path)
    assert list(twin) == list(original)
    assert twin.shapes == original.shapes
    np.testing.assert_array_equal(twin.vector, original.vector)
    assert not np.shares_memory(twin.vector, original.vector)
    for name in original:
        np.testing.assert_array_equal(twin[name], original[name], strict=True)
    assert_shared(twin)
    np.testing.assert_array_equal(original.vector, np.arange(10))


def test_a_pickle_holds_the_numbers_once():
    parameters = Parameters.zeros({"W": (100, 100)}, np.float64)
    assert len(pickle.dumps(parameters)) < 1.05 * parameters.vector.nbytes


def test_parameters_compare_by_identity():
    parameters = make_parameters()
    assert parameters == parameters
    assert parameters != make_parameters()
    assert len({parameters, make_parameters()}) == 2
