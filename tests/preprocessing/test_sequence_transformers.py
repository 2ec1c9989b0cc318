"""What all transformers of whole sequences have in common: containers, names, checks."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.estimator_checks import check_estimator

from sequences import CONTAINERS, assert_same_lists, object_array, padded, ragged
from sklearn_rnn import RNNClassifier
from sklearn_rnn.preprocessing import (
    Differences,
    Lags,
    Patches,
    PerSequence,
    SequenceNormalizer,
    unpad_sequences,
)

X = ragged(n=8, n_features=2)
Y = np.arange(8) % 2


def every_second(x):
    return x[::2]


CUMULATED = FunctionTransformer(
    np.cumsum, kw_args={"axis": 0}, feature_names_out="one-to-one", check_inverse=False
)
TRANSFORMERS = [
    Patches(3),
    Lags([1, 3]),
    Differences(),
    Differences(lag=2, order=2, append=True),
    SequenceNormalizer(),
    SequenceNormalizer("last", None, features=[1]),
    PerSequence(StandardScaler()),
    PerSequence(CUMULATED),
    PerSequence(every_second),
]
# For those whose 2-D result is 2-D: one feature remains one feature, and names are known.
NARROW = [Patches(1), Differences(), SequenceNormalizer(), PerSequence(StandardScaler())]


def name_of(value):
    """An id that is the same in all worker processes: without addresses of functions."""
    return re.sub(r" at 0x\w+|\s+", "", str(value))


every_transformer = pytest.mark.parametrize("transformer", TRANSFORMERS, ids=name_of)


@every_transformer
class TestContainers:
    def expected(self, transformer):
        """One by one."""
        made = [transformer.fit_transform([x])[0] for x in X]
        assert {x.shape[1] for x in made} == {made[0].shape[1]}
        return made

    @pytest.mark.parametrize("container", CONTAINERS)
    def test_all_give_the_same_as_one_by_one(self, transformer, container):
        given = CONTAINERS[container](X)
        for made in (transformer.fit_transform(given), transformer.fit(X).transform(given)):
            if container == "padded array":
                assert isinstance(made, np.ndarray)
                assert made.ndim == 3
                lengths = [len(x) for x in self.expected(transformer)]
                assert made.shape[1] == max(lengths)
                for row, length in zip(made, lengths, strict=True):
                    assert np.isnan(row[length:]).all()
                made = unpad_sequences(made)
            if container == "object array":
                assert made.dtype == object
            assert_same_lists(list(made), self.expected(transformer))

    def test_equally_long(self, transformer):
        equal = np.random.default_rng(0).normal(size=(4, 6, 2))
        made = transformer.fit_transform(equal)
        assert isinstance(made, np.ndarray)
        assert_same_lists(list(made), transformer.fit_transform(list(equal)))
        for order in (np.asfortranarray, np.float32):
            assert_allclose(transformer.fit_transform(order(equal)), made, rtol=1e-4, atol=1e-5)

    def test_sequences_of_one_timestep(self, transformer):
        made = transformer.fit_transform([x[:1] for x in X])
        assert [len(x) for x in made] == [1] * len(X)
        assert all(np.isfinite(x).all() for x in made)

    def test_one_dimensional_sequences(self, transformer):
        if getattr(transformer, "features", None) is not None:
            transformer = clone(transformer).set_params(features=0)
        made = transformer.fit_transform([x[:, 0] for x in X])
        expected = transformer.fit_transform([x[:, :1] for x in X])
        narrow = expected[0].shape[1] == 1
        assert_same_lists(made, [x[:, 0] for x in expected] if narrow else expected)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_precision_stays(self, transformer, dtype):
        given = [x.astype(dtype) for x in X]
        for container in (list, padded):
            assert transformer.fit_transform(container(given))[0].dtype == dtype

    @pytest.mark.parametrize("dtype", [np.uint8, bool])
    def test_of_integers_and_booleans(self, transformer, dtype):
        given = [(10 * np.abs(x)).astype(dtype) for x in X]
        made = transformer.fit_transform(given)
        expected = transformer.fit_transform([x.astype(float) for x in given])
        assert_allclose(np.concatenate(made), np.concatenate(expected))

    def test_x_is_not_changed(self, transformer):
        given = [x.copy() for x in X]
        transformer.fit_transform(given)
        assert_same_lists(given, X)

    def test_padding_of_2d_x_keeps_the_columns(self, transformer):
        if getattr(transformer, "features", None) is not None:
            transformer = clone(transformer).set_params(features=0)
        table = np.random.default_rng(0).normal(size=(4, 6))
        table[0, 4:] = table[1, 3:] = np.nan
        fitted = transformer.fit(table)
        whole, part = fitted.transform(table), fitted.transform(table[:2])
        n_timesteps = part.shape[1]
        if transformer.get_params().get("transformer") is not every_second:
            assert n_timesteps == whole.shape[1]
        assert_array_equal(part, whole[:2, :n_timesteps])
        expected = transformer.fit_transform(unpad_sequences(table[:2]))
        assert_same_lists(
            [np.asarray(x) for x in unpad_sequences(part)], [np.asarray(x) for x in expected]
        )


@every_transformer
class TestAsAnEstimator:
    def test_check_estimator(self, transformer, monkeypatch):
        monkeypatch.delenv("SCIPY_ARRAY_API", raising=False)
        if getattr(transformer, "features", None) is not None:
            transformer = clone(transformer).set_params(features=[0])
        results = check_estimator(transformer, on_fail=None, on_skip=None)
        assert not {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
        skipped = {r["check_name"] for r in results if r["status"] == "skipped"}
        assert skipped <= {"check_array_api_input"}
        assert len(results) >= 38

    def test_tags(self, transformer):
        tags = get_tags(transformer)
        assert tags.input_tags.two_d_array
        assert tags.input_tags.three_d_array
        assert not tags.input_tags.sparse
        assert not tags.target_tags.required

    def test_clone_and_pickle(self, transformer):
        fitted = clone(transformer).fit(X)
        again = pickle.loads(pickle.dumps(fitted))
        assert_same_lists(again.transform(X), fitted.transform(X))
        assert not hasattr(clone(fitted), "n_features_in_")
        assert clone(fitted).get_params().keys() == fitted.get_params().keys()

    def test_not_fitted(self, transformer):
        with pytest.raises(NotFittedError):
            clone(transformer).transform(X)

    def test_before_a_network(self, transformer):
        network = RNNClassifier(hidden_size=2, tol=1, random_state=0)
        pipeline = make_pipeline(transformer, network)
        probabilities = [
            pipeline.fit(wrap(X), Y).predict_proba(wrap(X)) for wrap in CONTAINERS.values()
        ]
        for other in probabilities[1:]:
            assert_allclose(other, probabilities[0], atol=1e-12)

    def test_wants_the_features_of_fit(self, transformer):
        fitted = transformer.fit(X)
        with pytest.raises(ValueError, match=r"X has 3 features, but \w+ is expecting 2 features"):
            fitted.transform(ragged(n_features=3))
        with pytest.raises(ValueError, match=r"X is 2-D .* was fitted on sequences"):
            fitted.transform(np.ones((3, 2)))


NUMERIC = [t for t in TRANSFORMERS if not isinstance(t, PerSequence)]


@pytest.mark.parametrize("transformer", NUMERIC, ids=name_of)
@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([np.array([[1.0, np.nan]]), X[0]], ValueError, "NaN or infinity: sample 0"),
        ([np.array([["a", "b"]])], ValueError, "must hold numbers"),
        ([np.ones((0, 2))], ValueError, r"X\[0\] .* empty sequence"),
        ([X[0], np.ones((2, 3))], ValueError, r"X\[1\] has 3 features, but X\[0\] has 2"),
        ([np.ones((2, 2, 2))], ValueError, r"X\[0\] .* has 3 dimensions"),
        (np.ones(3), ValueError, "X must be an array"),
        (np.ones((2, 2, 2, 2)), ValueError, "X must be an array"),
        ([], ValueError, "X must be an array"),
    ],
)
def test_bad_sequences(transformer, given, error, message):
    with pytest.raises(error, match=message):
        transformer.fit(given)


BAD_PARAMETERS = [
    (Patches(0), ValueError, "size == 0, must be >= 1"),
    (Patches(2.0), TypeError, "size must be an instance of int"),
    (Patches(True), TypeError, "size must be a number"),
    (Patches(None), TypeError, "size must be an instance of int"),
    (Lags(0), ValueError, "lags == 0, must be >= 1"),
    (Lags([1, -1]), ValueError, "lags == -1, must be >= 1"),
    (Lags([1.5]), TypeError, "lags must be an instance of int"),
    (Lags([]), ValueError, "lags is an empty list"),
    (Lags(drop=1), TypeError, "drop must be True or False, not 1"),
    (Differences(lag=0), ValueError, "lag == 0, must be >= 1"),
    (Differences(order=0), ValueError, "order == 0, must be >= 1"),
    (Differences(drop="first"), TypeError, "drop must be True or False, not 'first'"),
    (Differences(append=None), TypeError, "append must be True or False, not None"),
    (SequenceNormalizer("median"), ValueError, "center='median' is not one of the choices: 'mean'"),
    (SequenceNormalizer(scale="range"), ValueError, "scale='range' is not one of the choices"),
    (SequenceNormalizer(scale=True), TypeError, "scale=True is not one of the choices"),
    (SequenceNormalizer(features=2), ValueError, r"features=2 is not among .* \[0, 1\]"),
    (SequenceNormalizer(features=["a"]), ValueError, "features='a' is not among"),
    (SequenceNormalizer(features=[]), ValueError, "features is an empty list"),
    (PerSequence(None), TypeError, "transformer must be a function .* got NoneType"),
    (PerSequence(StandardScaler), TypeError, "got the class StandardScaler"),
    (PerSequence("log"), TypeError, "transformer must be a function .* got str"),
]


@pytest.mark.parametrize(("transformer", "error", "message"), BAD_PARAMETERS, ids=name_of)
def test_bad_parameters(transformer, error, message):
    good = SequenceNormalizer().fit(X)
    with pytest.raises(error, match=message):
        transformer.fit(X)
    assert not hasattr(transformer, "n_features_in_")
    if type(transformer) is SequenceNormalizer:  # a failed fit changes nothing
        before = vars(good).copy()
        good.set_params(**transformer.get_params())
        with pytest.raises(error):
            good.fit(ragged(n_features=2))
        good.set_params(**SequenceNormalizer().get_params())
        assert vars(good) == before


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("patches__size", [1, 3, 20]),
        ("patches", [Patches(2), Lags(2), SequenceNormalizer(), PerSequence(every_second)]),
    ],
)
def test_searched(name, values):
    pipeline = make_pipeline(Patches(), RNNClassifier(hidden_size=2, tol=1, random_state=0))
    search = GridSearchCV(pipeline, {name: values}, cv=2).fit(X, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    nested = make_pipeline(PerSequence(StandardScaler()), pipeline[-1])
    grid = {"persequence__transformer__with_std": [True, False]}
    assert len(GridSearchCV(nested, grid, cv=2).fit(X, Y).cv_results_["params"]) == 2


FRAMES = [
    pd.DataFrame(x, columns=["a", "b"], index=np.arange(len(x)) + 10 * i) for i, x in enumerate(X)
]


class TestFrames:
    @every_transformer
    def test_columns_are_remembered(self, transformer):
        plain = transformer.fit_transform(X)
        if getattr(transformer, "features", None) is not None:
            transformer = clone(transformer).set_params(features="b")
        fitted = clone(transformer).fit(FRAMES)
        assert fitted.feature_names_in_.tolist() == ["a", "b"]
        made = [np.asarray(x) for x in fitted.transform(FRAMES)]
        assert_same_lists(made, plain)
        with pytest.raises(ValueError, match="feature names should match"):
            fitted.transform([frame[["b", "a"]] for frame in FRAMES])
        with pytest.raises(ValueError, match=r"X\[1\] has the columns \['b', 'a'\]"):
            fitted.fit([FRAMES[0], FRAMES[1][["b", "a"]]])

    @pytest.mark.parametrize(
        ("transformer", "names"),
        [
            (Patches(2), ["a_step0", "b_step0", "a_step1", "b_step1"]),
            (Lags([1, 3]), ["a", "b", "a_lag1", "b_lag1", "a_lag3", "b_lag3"]),
            (Differences(), ["a_difference1", "b_difference1"]),
            (
                Differences(lag=3, order=2, append=True),
                ["a", "b", "a_difference3_order2", "b_difference3_order2"],
            ),
            (SequenceNormalizer(), ["a", "b"]),
            (PerSequence(CUMULATED), ["a", "b"]),
        ],
        ids=name_of,
    )
    @pytest.mark.parametrize("library", ["pandas", "polars"])
    def test_names_and_set_output(self, transformer, names, library):
        module = pytest.importorskip(library)
        assert transformer.fit(FRAMES).get_feature_names_out().tolist() == names
        unnamed = transformer.fit(X).get_feature_names_out(["a", "b"])
        assert unnamed.tolist() == names
        with pytest.raises(ValueError, match="input_features should have length equal"):
            transformer.get_feature_names_out(["a"])
        plain = transformer.fit_transform(X)
        framing = clone(clone(transformer).set_output(transform=library))
        for made in (framing.fit_transform(FRAMES), framing.transform(FRAMES)):
            assert all(isinstance(x, module.DataFrame) for x in made)
            assert list(made[0].columns) == names
            assert_same_lists([x.to_numpy() for x in made], plain)
            if library == "pandas" and len(plain[1]) == len(X[1]):
                assert made[1].index.equals(FRAMES[1].index)
        assert isinstance(framing.fit_transform(padded(X)), np.ndarray)
        objects = framing.fit_transform(object_array(X))
        assert objects.dtype == object
        unnamed = [re.sub("^a", "x0", re.sub("^b", "x1", name)) for name in names]
        assert list(objects[0].columns) == unnamed
        back = framing.set_output(transform="default").fit_transform(X)
        assert isinstance(back[0], np.ndarray)

    def test_globally_and_in_a_pipeline(self):
        with sklearn.config_context(transform_output="pandas"):
            made = SequenceNormalizer().fit_transform(FRAMES)
        assert made[0].columns.tolist() == ["a", "b"]
        network = RNNClassifier(hidden_size=2, tol=1, random_state=0)
        pipeline = make_pipeline(SequenceNormalizer(), Lags(), Patches(2), network)
        plain = pipeline.fit(FRAMES, Y).predict_proba(FRAMES)
        pipeline.set_output(transform="pandas").fit(FRAMES, Y)
        assert_allclose(pipeline.predict_proba(FRAMES), plain)
        names = pipeline[:-1].get_feature_names_out().tolist()
        assert names[:4] == ["a_step0", "b_step0", "a_lag1_step0", "b_lag1_step0"]
        assert pipeline[:-1].transform(FRAMES)[0].columns.tolist() == names

    def test_what_has_no_names_stays_an_array(self):
        transformer = PerSequence(every_second).set_output(transform="pandas")
        assert not hasattr(transformer, "get_feature_names_out")
        assert isinstance(transformer.fit_transform(X)[0], np.ndarray)
        assert isinstance(transformer.fit_transform(FRAMES)[0], pd.DataFrame)  # the function's own

    def test_unknown_output(self):
        with pytest.raises(ValueError, match="transform='numpy' is not one of the choices"):
            Patches().set_output(transform="numpy")

    @pytest.mark.filterwarnings("ignore:X .*feature names")
    @pytest.mark.parametrize(
        "check",
        [
            "check_transformer_get_feature_names_out",
            "check_transformer_get_feature_names_out_pandas",
            "check_set_output_transform",
            "check_set_output_transform_pandas",
            "check_global_output_transform_pandas",
            "check_get_feature_names_out_error",
            "check_dataframe_column_names_consistency",
        ],
    )
    @pytest.mark.parametrize("transformer", NARROW, ids=name_of)
    def test_checks_that_check_estimator_leaves_out(self, transformer, check):
        getattr(estimator_checks, check)(type(transformer).__name__, transformer)

    def test_2d_frames(self):
        table = pd.DataFrame(
            np.eye(3, 4), columns=[f"lag_{k}" for k in (4, 3, 2, 1)], index=["u", "v", "w"]
        )
        made = Differences(lag=2, drop=True).set_output(transform="pandas").fit_transform(table)
        assert made.columns.tolist() == ["lag_2", "lag_1"]
        assert made.index.tolist() == ["u", "v", "w"]
        assert_array_equal(made, [[-1, 0], [0, -1], [1, 0]])
        assert Lags().fit(table).get_feature_names_out().tolist() == ["x0", "x0_lag1"]
