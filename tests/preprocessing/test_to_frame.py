"""Predictions put back into the rows of long tables."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.model_selection import cross_val_predict, train_test_split

from long_tables import LIBRARIES, SHUFFLED, both, values
from sequences import object_array
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.preprocessing import pad_sequences, to_frame, to_sequences, unpad_sequences

SMALL = {"hidden_size": 3, "tol": 1, "random_state": 0}


class TestToFrame:
    @both
    def test_shapes_of_predictions(self, frame):
        df = frame(SHUFFLED)
        X, _, index = to_sequences(df, group="id", time="t", features="a")
        proba = np.array([[0.1, 0.9], [0.8, 0.2]])
        back = to_frame(proba, index, columns=np.array([0, 1]))
        assert list(back.columns) == ["id", "t", "0", "1"]
        assert values(back, "1") == [0.9, 0.2, 0.9, 0.2, 0.9]
        assert list(to_frame(proba, index).columns)[2:] == ["prediction_0", "prediction_1"]
        assert values(to_frame(proba[:, :1], index), "prediction_0") == [0.1, 0.8, 0.1, 0.8, 0.1]
        per_step = [np.column_stack([x, -x]) for x in X]
        for container in (list, tuple, object_array):
            back = to_frame(container(per_step), index, columns=["up", "down"])
            assert values(back, "down") == [-a for a in SHUFFLED["a"]]
        labels = [np.where(x[:, 0] > 2, "high", "low") for x in X]
        back = to_frame(labels, index, columns="level")
        assert values(back, "level") == ["low", "low", "high", "high", "high"]
        padded = pad_sequences([x[:, 0] for x in X])
        parts = unpad_sequences(padded, lengths=[len(one.rows) for one in index])
        assert values(to_frame(parts, index), "prediction") == SHUFFLED["a"]
        for wrap in (list, pd.Series, pl.Series, object_array):
            back = to_frame(wrap(["x", "y"]), index)
            assert values(back, "prediction") == ["x", "y", "x", "y", "x"]
        for table in LIBRARIES.values():
            back = to_frame(table({"p": [1, 2], "q": [3, 4]}), index)
            assert values(back, "prediction_1") == [3, 4, 3, 4, 3]

    def test_the_index_of_pandas_is_kept(self):
        df = pd.DataFrame(SHUFFLED, index=["r", "s", "r", "t", "t"])  # labels may repeat
        _, _, index = to_sequences(df, group="id", time="t")
        df["prediction"] = to_frame([10, 20], index)["prediction"]
        assert df["prediction"].tolist() == [10, 20, 10, 20, 10]
        assert to_frame([20], index[1:]).index.tolist() == ["s", "t"]

    @both
    def test_one_column_per_group_and_no_time(self, frame):
        _, _, index = to_sequences(frame(SHUFFLED), group="id", features="a")
        assert list(to_frame([1, 2], index).columns) == ["id", "prediction"]

    @both
    def test_with_networks_and_splits(self, frame):
        rng = np.random.default_rng(0)
        n = 60
        df = frame(
            {
                "id": rng.permutation(np.arange(n) % 12),
                "t": rng.permutation(n),
                "a": rng.normal(size=n),
                "b": rng.normal(size=n),
            }
        )
        X, y, index = to_sequences(
            df, group="id", time="t", features="a", target="b", per_timestep=True
        )
        model = RNNRegressor(return_sequences=True, **SMALL)
        X_train, X_test, y_train, _, _, index_test = train_test_split(X, y, index, random_state=0)
        predicted = model.fit(X_train, y_train).predict(X_test)
        by_key = {
            (one.group, time): value
            for one, part in zip(index_test, predicted, strict=True)
            for time, value in zip(np.asarray(df["t"])[one.rows], part, strict=True)
        }
        back = to_frame(predicted, index_test)
        rows = zip(values(back, "id"), values(back, "t"), values(back, "prediction"), strict=True)
        assert {(group, time): value for group, time, value in rows} == by_key
        every = cross_val_predict(model, object_array(X), object_array(y), cv=3)
        assert len(to_frame(every, index)) == n

        labels = np.arange(12) % 3
        classifier = RNNClassifier(**SMALL).fit(X, labels)
        proba = to_frame(classifier.predict_proba(X), index, columns=classifier.classes_)
        sums = sum(np.asarray(proba[str(label)]) for label in range(3))
        assert sums == pytest.approx(np.ones(n))

    @both
    def test_an_index_can_be_pickled_and_chosen_from(self, frame):
        _, _, index = to_sequences(frame(SHUFFLED), group="id", time="t")
        again = pickle.loads(pickle.dumps(index))
        assert values(to_frame([1, 2], again), "prediction") == [1, 2, 1, 2, 1]
        chosen = object_array(index)[np.array([1])]
        assert values(to_frame([2], chosen), "t") == [0, 1]

    @pytest.mark.parametrize(
        ("predictions", "columns", "message"),
        [
            (np.ma.masked_equal([1, 2], 2), None, "predictions is a masked array"),
            ([np.ma.masked_equal([1, 2, 3], 2), [1, 2]], None, r"predictions\[0\] is a masked"),
            ([1.0], None, "predictions has 1 sequences, but index has 2"),
            (1.0, None, "predictions has 0 sequences"),
            (np.ones((2, 3, 1)), None, r"\(2, 3, 1\).*unpad_sequences"),
            ([[1, 2, 3], [1, 2, 3]], None, r"predictions\[1\] has shape \(3,\).*has 2 rows"),
            ([np.ones(3), 1.0], None, r"predictions\[1\] has shape \(\)"),
            ([np.ones((3, 1)), np.ones((2, 2))], None, r"predictions\[1\] has shape \(2, 2\)"),
            ([1, 2], ["p", "q"], "columns has 2 names, but there are 1"),
            (np.ones((2, 2)), "p", "columns has 1 names, but there are 2"),
            ([1, 2], "t", "two columns 't'"),
            (np.ones((2, 2)), ["p", "p"], "two columns 'p'"),
        ],
    )
    @both
    def test_refusals(self, frame, predictions, columns, message):
        _, _, index = to_sequences(frame(SHUFFLED), group="id", time="t")
        with pytest.raises(ValueError, match=message):
            to_frame(predictions, index, columns)

    @both
    def test_refusals_of_the_index(self, frame):
        one = to_sequences(frame(SHUFFLED), group="id", time="t").index
        other = to_sequences(frame(SHUFFLED), group="id", time="t").index
        with pytest.raises(ValueError, match="several tables"):
            to_frame([1, 2], [one[0], other[1]])
        for index in ([], None, [[0, 1], [2]], one[0], frame(SHUFFLED)):
            with pytest.raises(TypeError, match="index must be a list from to_sequences"):
                to_frame([1, 2], index)
