"""PerTimestep on DataFrames, and what set_output makes of its results."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    StandardScaler,
)

from sequences import assert_same_lists, object_array, padded, ragged, split_like
from sklearn_rnn import RNNClassifier
from sklearn_rnn.preprocessing import PerTimestep
from versions import scikit_learn_since


class TestFrames:
    X = [
        pd.DataFrame({"size": [1.0, 2.0, 3.0], "kind": ["x", "y", "x"]}, index=[7, 8, 9]),
        pd.DataFrame({"size": [6.0], "kind": ["y"]}, index=[4]),
    ]

    def inner(self):
        return ColumnTransformer(
            [("scale", StandardScaler(), ["size"]), ("encode", OneHotEncoder(), ["kind"])],
            sparse_threshold=0,
        )

    def test_columns_by_name(self):
        transformer = PerTimestep(self.inner())
        result = transformer.fit_transform(self.X)
        assert_same_lists(result, split_like(self.inner().fit_transform(pd.concat(self.X)), self.X))
        assert transformer.feature_names_in_.tolist() == ["size", "kind"]
        names = ["scale__size", "encode__kind_x", "encode__kind_y"]
        assert transformer.get_feature_names_out().tolist() == names

    def test_object_array_of_frames(self):
        result = PerTimestep(self.inner()).fit_transform(object_array(self.X))
        assert_same_lists(list(result), PerTimestep(self.inner()).fit_transform(self.X))

    def test_series_of_frames(self):
        X = pd.Series(self.X, index=["a", "b"])
        result = PerTimestep(self.inner()).fit_transform(X)
        assert_same_lists(list(result), PerTimestep(self.inner()).fit_transform(self.X))

    def test_columns_keep_their_types(self):
        seen = []
        inner = FunctionTransformer(lambda rows: seen.append(rows.dtypes) or rows[["size"]])
        PerTimestep(inner).fit_transform(self.X)
        pd.testing.assert_series_equal(seen[0], self.X[0].dtypes)

    def test_frames_among_arrays(self):
        X = [self.X[0][["size"]], np.array([[6.0]])]
        expected = split_like(StandardScaler().fit_transform([[1.0], [2.0], [3.0], [6.0]]), X)
        assert_same_lists(PerTimestep(StandardScaler()).fit_transform(X), expected)

    def test_other_columns_are_refused(self):
        renamed = self.X[1].rename(columns={"size": "width"})
        message = r"X\[1\] has the columns \['width', 'kind'\], but X\[0\] has \['size', 'kind'\]"
        with pytest.raises(ValueError, match=message):
            PerTimestep(self.inner()).fit([self.X[0], renamed])
        transformer = PerTimestep(self.inner()).fit(self.X)
        with pytest.raises(ValueError, match="feature names should match"):
            transformer.transform([renamed])

    def test_names_are_forgotten_by_the_next_fit(self):
        transformer = PerTimestep(StandardScaler()).fit([x[["size"]] for x in self.X])
        with pytest.warns(UserWarning, match="does not have valid feature names"):
            transformer.transform([np.ones((2, 1))])
        transformer.fit([np.ones((2, 1))])
        assert not hasattr(transformer, "feature_names_in_")
        assert transformer.get_feature_names_out().tolist() == ["x0"]


class TestSetOutput:
    frames = [pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 5.0]}, index=[8, 9])] * 2

    def test_lists_become_lists_of_frames(self):
        transformer = PerTimestep(StandardScaler()).set_output(transform="pandas")
        plain = PerTimestep(StandardScaler()).fit_transform(self.frames)
        for result in (transformer.fit_transform(self.frames), transformer.transform(self.frames)):
            assert isinstance(result, list)
            expected = pd.DataFrame(plain[0], columns=["a", "b"], index=[8, 9])
            pd.testing.assert_frame_equal(result[1], expected)
        arrays = [x.to_numpy() for x in self.frames]
        result = transformer.fit(arrays).transform(arrays)
        assert result[1].index.tolist() == [0, 1]
        assert result[1].columns.tolist() == ["x0", "x1"]
        objects = transformer.transform(object_array(arrays))
        assert objects.dtype == object
        pd.testing.assert_frame_equal(objects[1], result[1])

    def test_3d_results_stay_arrays(self):
        X = np.random.default_rng(0).normal(size=(3, 4, 2))
        transformer = PerTimestep(StandardScaler())
        expected = transformer.fit_transform(X)
        transformer.set_output(transform="pandas")
        assert_array_equal(transformer.fit_transform(X), expected)
        table = X[:, :, 0].round()
        encoder = OneHotEncoder(sparse_output=False)
        result = PerTimestep(encoder).set_output(transform="pandas").fit_transform(table)
        assert isinstance(result, np.ndarray)

    def test_2d_results_become_frames(self):
        values = [[1.0, 2.0, np.nan], [3.0, np.nan, 4.0], [5.0, 6.0, 7.0]]
        frame = pd.DataFrame(values, columns=["t2", "t1", "t"], index=["u", "v", "w"])
        transformer = PerTimestep(StandardScaler()).set_output(transform="pandas")
        result = transformer.fit_transform(frame)
        assert result.columns.tolist() == ["t2", "t1", "t"]
        assert result.index.tolist() == ["u", "v", "w"]
        assert_array_equal(result, PerTimestep(StandardScaler()).fit_transform(frame))

    def test_in_a_pipeline(self):
        imputing = SimpleImputer(strategy="median")
        pipeline = make_pipeline(
            PerTimestep(imputing), PerTimestep(PCA(2)), RNNClassifier(tol=1, random_state=0)
        )
        X, y = ragged(n=8), [0, 1] * 4
        plain = clone(pipeline).fit(X, y).predict_proba(X)
        pipeline.set_output(transform="pandas").fit(X, y)
        assert_allclose(pipeline.predict_proba(X), plain, rtol=1e-12)
        assert pipeline[:-1].transform(X)[0].columns.tolist() == ["pca0", "pca1"]
        assert pipeline[:-1].get_feature_names_out().tolist() == ["pca0", "pca1"]
        assert clone(pipeline)[0].fit_transform(X)[0].columns.tolist() == ["x0", "x1", "x2"]
        assert pipeline.fit(padded(X), y).predict_proba(padded(X)).shape == plain.shape

    def test_globally(self):
        with sklearn.config_context(transform_output="pandas"):
            result = PerTimestep(StandardScaler()).fit_transform(self.frames)
        assert result[0].columns.tolist() == ["a", "b"]

    def test_after_fit_and_back(self):
        transformer = PerTimestep(StandardScaler()).fit(self.frames)
        assert isinstance(transformer.transform(self.frames)[0], np.ndarray)
        transformer.set_output(transform="pandas")
        assert isinstance(transformer.transform(self.frames)[0], pd.DataFrame)
        transformer.set_output(transform=None)
        assert isinstance(transformer.transform(self.frames)[0], pd.DataFrame)
        transformer.set_output(transform="default")
        assert isinstance(transformer.transform(self.frames)[0], np.ndarray)


class TestPolars:
    @scikit_learn_since(9, "a ColumnTransformer that reads the columns of polars 2")
    def test_frames(self):
        polars = pytest.importorskip("polars")
        X = [
            polars.DataFrame({"size": [1.0, 2.0, 3.0], "kind": ["x", "y", "x"]}),
            polars.DataFrame({"size": [6], "kind": ["y"]}),
        ]
        transformer = PerTimestep(TestFrames().inner())
        expected = PerTimestep(TestFrames().inner()).fit_transform(TestFrames.X)
        assert_same_lists(transformer.fit_transform(X), expected)

    def test_output(self):
        polars = pytest.importorskip("polars")
        X = ragged(n_features=2)
        plain = PerTimestep(StandardScaler()).fit_transform(X)
        transformer = PerTimestep(StandardScaler()).set_output(transform="polars")
        result = transformer.fit_transform(X)
        assert isinstance(result[0], polars.DataFrame)
        assert result[0].columns == ["x0", "x1"]
        assert_same_lists([x.to_numpy() for x in result], plain)
        frames = transformer.set_output(transform="pandas").fit_transform(result)
        assert frames[1].index.tolist() == list(range(len(X[1])))
