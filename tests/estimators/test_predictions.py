"""A prediction depends on the sequence alone: not on the container, the batch, or the padding."""

import itertools
from functools import cache

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import reference
from covering import covering
from sequences import object_array, padded, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.core.cells import CELLS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FAST = {"hidden_size": 5, "max_iter": 2, "learning_rate_init": 0.01, "random_state": 0}
KINDS = ["one output", "two outputs", "classes"]
X_FIT = ragged(8, seed=1)


def targets(kind, X, per_step):
    """One of KINDS, or "labels" (multilabel): an array, or a list of arrays of one a timestep."""
    rng = np.random.default_rng(2)
    shapes = [(len(x),) if per_step else () for x in X]
    join = list if per_step else np.array
    if kind == "one output":
        return join([rng.standard_normal(shape) for shape in shapes])
    if kind == "two outputs":
        return join([rng.standard_normal((*shape, 2)) for shape in shapes])
    if kind == "classes":
        return join([rng.choice(["few", "many", "none"], shape) for shape in shapes])
    return rng.integers(0, 2, (len(X), 3))


@cache
def fitted(kind, cell="gru", n_layers=1, per_step=False, **others):
    Estimator = RNNRegressor if "output" in kind else RNNClassifier
    options = FAST | {"return_sequences": per_step} | others
    model = Estimator(cell=cell, n_layers=n_layers, **options)
    return model.fit(X_FIT, targets(kind, X_FIT, per_step))


def methods(kind):
    return ["predict"] + ["predict_proba", "predict_log_proba"] * ("output" not in kind)


def assert_same(actual, desired):
    """Equal but for rounding; labels simply equal."""
    actual, desired = np.asarray(actual), np.asarray(desired)
    assert actual.dtype == desired.dtype
    if actual.dtype.kind == "f":
        assert_allclose(actual, desired, rtol=0, atol=1e-12)
    else:
        assert_array_equal(actual, desired)


def everything(test):
    """Every kind of target, cell and depth; one target per sequence and one per timestep."""
    for name, values in {
        "n_layers": [1, 2],
        "cell": list(CELLS),
        "kind, per_step": [*itertools.product(KINDS, [False, True]), ("labels", False)],
    }.items():
        test = pytest.mark.parametrize(name, values)(test)
    return test


@everything
def test_padded_ragged_and_one_by_one(kind, per_step, cell, n_layers):
    model = fitted(kind, cell, n_layers, per_step)
    X = ragged(7, seed=3, longest=11)  # longer ones than it was fitted on
    array = padded(X)
    longer = np.pad(array, ((0, 0), (0, 4), (0, 0)), constant_values=np.nan)
    for method in methods(kind):
        predict = getattr(model, method)
        one_by_one = [predict([x])[0] for x in X]
        of_containers = {
            list: predict(X),
            tuple: predict(tuple(X)),
            object: predict(object_array(X)),
            "padded": predict(array),
            "padded more": predict(longer),
            "3-D, each alone": [predict(x[np.newaxis])[0] for x in X],
        }
        for container, result in of_containers.items():
            assert len(result) == len(X), container
            for one, x, alone in zip(result, X, one_by_one, strict=True):
                assert_same(one[: len(x)] if per_step else one, alone)


@everything
def test_the_equations(kind, per_step, cell, n_layers):
    """`weights_` put into the equations give the predictions, at the sequences' own ends."""
    model = fitted(kind, cell, n_layers, per_step, standardize=False, pooling="last")
    X = ragged(7, seed=3, longest=11)
    raws = reference.forward(dict(model.weights_), X, cell=cell, return_sequences=per_step)
    results = model.predict(X) if "output" in kind else model.predict_log_proba(X)
    for result, raw in zip(results, raws, strict=True):
        if kind == "one output":
            raw = raw[..., 0]
        elif kind == "classes":
            raw = raw - np.logaddexp.reduce(raw, axis=-1, keepdims=True)
        elif kind == "labels":
            raw = -np.logaddexp(0, -raw)
        assert_allclose(result, raw, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["one output", "two outputs", "classes"])
def test_per_step_predictions_come_in_the_container_of_X(kind):
    model = fitted(kind, per_step=True)
    X = ragged(7, seed=3)
    for method in methods(kind):
        predict = getattr(model, method)
        trailing = {"two outputs": (2,), "one output": ()}.get(kind, (3,))
        trailing = () if (kind, method) == ("classes", "predict") else trailing
        of_list = predict(X)
        assert type(of_list) is list
        assert [one.shape for one in of_list] == [(len(x), *trailing) for x in X]
        assert type(predict(tuple(X))) is list

        of_objects = predict(object_array(X))
        assert of_objects.dtype == object
        assert of_objects.shape == (len(X),)
        alike = predict(object_array([X[0], X[0]]))  # which NumPy would rather make 2-D
        assert alike.dtype == object
        assert alike.shape == (2,)

        array = np.pad(padded(X), ((0, 0), (0, 2), (0, 0)), constant_values=np.nan)
        of_array = predict(array)
        assert of_array.shape == (*array.shape[:2], *trailing)
        is_padding = np.isnan(array).all(axis=2)
        if of_array.dtype.kind == "f":
            assert np.isnan(of_array[is_padding]).all()
            assert not np.isnan(of_array[~is_padding]).any()
        else:
            assert set(of_array[is_padding]) == {""}
            assert set(of_array[~is_padding]) <= set(model.classes_)


@pytest.mark.parametrize(
    ("classes", "fill"),
    [
        ([0, 1], -1),
        ([-1, 1], -2),
        ([-7, -1], -8),
        ([0.0, 1.0], np.nan),
        (["no", "yes"], ""),
        ([False, True], False),
        (np.array(["no", "yes"], dtype=object), None),
    ],
    ids=repr,
)
def test_the_labels_of_padding(classes, fill):
    """The fill values that the documentation of `predict` promises; never mistaken for a class."""
    classes = np.asarray(classes)
    X = padded([np.array([[0.0], [1.0], [0.0]]), np.array([[1.0]])])
    y = classes[np.nan_to_num(X[:, :, 0]).astype(int)]
    model = RNNClassifier(return_sequences=True, **FAST).fit(X, y)
    predicted = model.predict(X)
    assert predicted.shape == (2, 3)
    assert set(predicted[0]) <= set(model.classes_)
    assert predicted.dtype.kind == classes.dtype.kind
    for value in predicted[1, 1:]:
        assert value == fill or (value is not None and value != value and fill != fill)


@pytest.mark.parametrize("Estimator", [RNNRegressor, RNNClassifier])
def test_shapes_of_predictions_of_one_target_per_sequence(Estimator):
    X = np.random.default_rng(0).standard_normal((9, 4, 2))
    y = np.arange(9) % 3
    model = Estimator(**FAST)
    assert model.fit(X, y).predict(X).shape == (9,)
    if Estimator is RNNRegressor:
        assert model.fit(X, y.reshape(9, 1)).predict(X).shape == (9, 1)
        assert model.fit(X, np.eye(3)[y]).predict(X).shape == (9, 3)
        assert model.fit(list(X), y).predict(list(X)).shape == (9,)
    else:
        proba = model.predict_proba(X)
        assert proba.shape == (9, 3)
        assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
        assert_array_equal(model.classes_[proba.argmax(axis=1)], model.predict(X))
        assert_allclose(np.exp(model.predict_log_proba(X)), proba, rtol=1e-12)
        labels = np.eye(3, dtype=int)[y]
        predicted = model.fit(X, labels).predict(X)
        assert predicted.shape == (9, 3)
        assert_array_equal(predicted, (model.predict_proba(X) > 0.5).astype(int))


@pytest.mark.parametrize("n_outputs", [None, 1, 2])
@pytest.mark.parametrize("container", ["list", "padded"])
def test_shapes_of_predictions_of_one_target_per_timestep(container, n_outputs):
    X = ragged(6)
    y = [np.ones((len(x), n_outputs) if n_outputs else len(x)) for x in X]
    if container == "padded":
        X, y = padded(X), padded(y)
    predicted = RNNRegressor(return_sequences=True, **FAST).fit(X, y).predict(X)
    assert type(predicted) is type(y)
    assert [one.shape for one in predicted] == [one.shape for one in y]


LAYERS = {"cell": CELLS, "n_layers": [1, 2], "per_step": [False, True]}


@covering(LAYERS, thorough=(LAYERS, tuple(LAYERS)))
def test_any_split_into_batches_and_any_order(cell, n_layers, per_step):
    model = fitted("two outputs", cell, n_layers, per_step)
    X = ragged(600, seed=4, longest=9)  # more than are predicted side by side
    whole = model.predict(X)
    for size in (1, 100, 256, 257):
        parts = [model.predict(X[i : i + size]) for i in range(0, len(X), size)]
        for one, same in zip((one for part in parts for one in part), whole, strict=True):
            assert_same(one, same)
    order = np.random.default_rng(5).permutation(len(X))
    shuffled = model.predict([X[i] for i in order])
    for i, one in zip(order, shuffled, strict=True):
        assert_same(one, whole[i])
    of_array = model.predict(padded(X))
    for one, x, same in zip(of_array, X, whole, strict=True):
        assert_same(one[: len(x)] if per_step else one, same)


@pytest.mark.parametrize("kind", ["one output", "classes"])
@pytest.mark.parametrize("per_step", [False, True], ids=["per sequence", "per step"])
def test_padding_changes_no_bit(kind, per_step):
    """Neither more of it in X, nor what stands in it in y, of a fit or of a score."""
    X, y = padded(X_FIT), targets(kind, X_FIT, per_step)
    longer = np.pad(X, ((0, 0), (0, 3), (0, 0)), constant_values=np.nan)
    junk = y
    if per_step:
        fill = 1e300 if kind == "one output" else "junk"
        y = padded(y, np.nan if kind == "one output" else "")
        junk = np.full((len(X), longer.shape[1]), fill, y.dtype)
        for row, sequence in zip(junk, X_FIT, strict=True):
            row[: len(sequence)] = y[0, 0]
        valid = ~np.isnan(X).all(axis=2)
        junk[:, : X.shape[1]][valid] = y[valid]
    Estimator = RNNRegressor if kind == "one output" else RNNClassifier
    of_list = fitted(kind, per_step=per_step)
    of_array = Estimator(return_sequences=per_step, **FAST).fit(X, y)
    of_longer = Estimator(return_sequences=per_step, **FAST).fit(longer, junk)
    for name, array in of_list.weights_.items():
        assert_array_equal(of_array.weights_[name], array)
        assert_array_equal(of_longer.weights_[name], array)
    assert of_longer.score(longer, junk) == of_array.score(X, y)
    if kind == "classes":
        assert "junk" not in of_longer.classes_
    if per_step:
        assert of_list.score(X_FIT, targets(kind, X_FIT, per_step)) == of_array.score(X, y)


def test_the_longest_sequence_may_be_of_any_length():
    X = np.random.default_rng(0).standard_normal((5, 6, 2))
    model = RNNRegressor(**FAST, standardize=False).fit(X, X[:, 0, 0])
    weights = dict(model.weights_)
    for T in (1, 6, 40):
        other = np.random.default_rng(T).standard_normal((3, T, 2))
        raw = np.array(reference.forward(weights, other, cell="gru"))
        assert_allclose(model.predict(other), raw[:, 0], rtol=0, atol=1e-12)


def test_sequences_of_one_feature_may_be_1d():
    X = ragged(6, n_features=1)
    y = np.arange(6.0)
    model = RNNRegressor(**FAST).fit(X, y)
    flat = [x[:, 0] for x in X]
    assert_array_equal(model.predict(flat), model.predict(X))
    assert_array_equal(RNNRegressor(**FAST).fit(flat, y).predict(X), model.predict(X))
    as_lists = [x.tolist() for x in flat]
    assert_array_equal(RNNRegressor(**FAST).fit(as_lists, y).predict(as_lists), model.predict(X))


@pytest.mark.parametrize("per_step", [False, True], ids=["per sequence", "per step"])
def test_tables_are_univariate_sequences(per_step):
    X = ragged(8, n_features=1)
    y = targets("one output", X, per_step)
    y_table = padded(y) if per_step else y
    table = padded(X)[:, :, 0]
    frame = pd.DataFrame(table, columns=[f"lag_{k}" for k in range(table.shape[1])])
    model = RNNRegressor(return_sequences=per_step, **FAST)

    of_list = model.fit(X, y).predict(X)
    assert model.n_features_in_ == 1
    assert not hasattr(model, "feature_names_in_")
    of_table = model.fit(table, y_table).predict(table)
    assert model.n_features_in_ == table.shape[1]
    of_frame = model.fit(frame, y_table).predict(frame)
    assert model.n_features_in_ == table.shape[1]
    assert_array_equal(model.feature_names_in_, frame.columns)

    assert_array_equal(of_frame, of_table)
    for one, x, same in zip(of_table, X, of_list, strict=True):
        assert_same(one[: len(x)] if per_step else one, same)
    if per_step:
        assert_array_equal(np.isnan(of_table), np.isnan(table))

    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[frame.columns[::-1]])
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame.iloc[:, :-1])
    with pytest.raises(ValueError, match="fitted on 2-D"):
        model.predict(table[:, :, np.newaxis])
    with pytest.warns(UserWarning, match="valid feature names"):
        assert_array_equal(model.predict(table), of_frame)

    # Another fit forgets the frame.
    assert not hasattr(model.fit(table, y_table), "feature_names_in_")
    model.fit(frame, y_table).fit(X, y)
    assert not hasattr(model, "feature_names_in_")
    assert model.n_features_in_ == 1


@pytest.mark.parametrize("container", ["3-D", "padded", "list", "table"])
def test_nothing_of_the_users_is_written_to(container):
    X = ragged(8, n_features=1 if container == "table" else 2)
    if container == "3-D":
        X = np.random.default_rng(0).standard_normal((8, 5, 2))
    elif container == "padded":
        X = padded(X)
    elif container == "table":
        X = padded(X)[:, :, 0]
    y = [np.arange(len(x), dtype=float) for x in X]
    weights = [np.arange(len(x), dtype=float) + 1 for x in X]
    if container != "list":
        y, weights = np.array(y), np.array(weights)
    arrays = [*X, *y, *weights]
    copies = [array.copy() for array in arrays]
    for array in (*arrays, *(whole for whole in (X, y, weights) if container != "list")):
        array.flags.writeable = False

    model = RNNRegressor(return_sequences=True, **FAST).fit(X, y, weights)
    model.partial_fit(X, y, weights)
    model.predict(X)
    model.score(X, y, weights)
    for array, copied in zip(arrays, copies, strict=True):
        assert_array_equal(array, copied)


def test_any_layout_in_memory(tmp_path):
    X = padded(ragged(300, n_features=2, longest=6))
    y = np.arange(300.0)
    model = RNNRegressor(**FAST).fit(X, y)
    predicted = model.predict(X)

    wide = np.full((2 * len(X), X.shape[1] + 3, 5), 1e300)
    wide[::2, 2:-1, 1::2] = X
    np.save(tmp_path / "X.npy", X)
    layouts = {
        "Fortran": np.asfortranarray(X),
        "every other of a larger one": wide[::2, 2:-1, 1::2],
        "features first": np.ascontiguousarray(X.transpose(2, 0, 1)).transpose(1, 2, 0),
        "reversed twice": X[::-1].copy()[::-1],
        "memory map": np.load(tmp_path / "X.npy", mmap_mode="r"),
        "other byte order": X.astype(">f8"),
    }
    for name, same in layouts.items():
        assert_array_equal(model.predict(same), predicted, err_msg=name)
        assert_array_equal(RNNRegressor(**FAST).fit(same, y).predict(X), predicted, err_msg=name)


@pytest.mark.parametrize("container", ["3-D", "list", "lists", "table"])
@pytest.mark.parametrize("dtype", ["i1", "u2", "i8", "?", "f2", "O"])
def test_other_numbers_are_worked_on_in_float64(dtype, container):
    X = np.random.default_rng(0).integers(0, 2, (9, 5, 2))
    y = np.arange(9.0)
    X = X[:, :, 0] if container == "table" else X
    as_floats, as_others = X.astype(float), X.astype(dtype)
    if container in ("list", "lists"):
        as_floats, as_others = list(as_floats), list(as_others)
    if container == "lists":
        as_others = [x.tolist() for x in as_others]
    model = RNNRegressor(**FAST).fit(as_floats, y)
    again = RNNRegressor(**FAST).fit(as_others, y)
    assert again.weights_["output.W_hy"].dtype == np.float64
    predicted = model.predict(as_floats)
    assert predicted.dtype == np.float64
    assert_array_equal(model.predict(as_others), predicted)
    assert_array_equal(again.predict(as_others), predicted)


@pytest.mark.parametrize("per_step", [False, True], ids=["per sequence", "per step"])
def test_precision_is_that_of_the_X_fitted_on(per_step):
    single, double = ragged(6, dtype=np.float32), ragged(6)
    y = targets("one output", single, per_step)
    labels = targets("classes", single, per_step)

    def dtypes(X, X_predict):
        regressor = RNNRegressor(return_sequences=per_step, **FAST).fit(X, y)
        classifier = RNNClassifier(return_sequences=per_step, **FAST).fit(X, labels)
        results = [
            regressor.predict(X_predict),
            classifier.predict_proba(X_predict),
            classifier.predict_log_proba(X_predict),
        ]
        found = {result[0].dtype for result in results}
        found |= {w.dtype for w in regressor.weights_.values()}
        return found

    assert dtypes(single, single) == dtypes(single, double) == {np.dtype(np.float32)}
    assert dtypes(double, double) == dtypes(double, single) == {np.dtype(np.float64)}
    assert dtypes(single[:-1] + double[-1:], single) == {np.dtype(np.float64)}
    if not per_step:
        assert dtypes(padded(single), padded(single)) == {np.dtype(np.float32)}
        table = pd.DataFrame(padded(single)[:, :, 0])
        assert dtypes(table, table) == {np.dtype(np.float32)}
