"""forecast and sample: networks that read what they predicted."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sequences import CONTAINERS, ragged
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.preprocessing import sliding_windows
from streamed import POOLINGS, SMALL

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N_STEPS, N_KNOWN = 5, 1
SERIES = [x.cumsum(axis=0) for x in ragged(9, 3, seed=1)]  # two targets, one feature known ahead
FUTURE = np.random.default_rng(4).standard_normal((9, N_STEPS, N_KNOWN))


def fitted(per_step=False, n_outputs=2, **options):
    X = [x[:-1] for x in SERIES if len(x) > 1]
    y = [x[1:, :n_outputs] for x in SERIES if len(x) > 1]
    if not per_step:
        y = np.array([part[-1] for part in y])
    model = RNNRegressor(return_sequences=per_step, **SMALL | options)
    return model.fit(X, y)


def by_growing_prefixes(model, X, future, n_outputs, n_steps=N_STEPS):
    """Predict, append, and predict again from the start."""
    every = []
    for x, known in zip(X, future, strict=True):
        predicted = []
        for step in range(n_steps):
            y = model.predict([x])[0]
            y = y[-1] if model.return_sequences else y
            predicted.append(np.reshape(y, n_outputs))
            x = np.vstack([x, np.concatenate([predicted[-1], known[step]])])
        every.append(predicted)
    return np.array(every)


class TestForecast:
    @pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
    @pytest.mark.parametrize("per_step", [False, True])
    @pytest.mark.parametrize("n_layers", [1, 2])
    def test_equals_growing_prefixes(self, cell, per_step, n_layers):
        model = fitted(per_step, cell=cell, n_layers=n_layers)
        expected = by_growing_prefixes(model, SERIES, FUTURE, 2)
        assert_allclose(model.forecast(SERIES, N_STEPS, FUTURE), expected, rtol=0, atol=1e-12)

    @pytest.mark.parametrize("pooling", POOLINGS)
    def test_with_pooling(self, pooling):
        model = fitted(pooling=pooling)
        expected = by_growing_prefixes(model, SERIES, FUTURE, 2)
        assert_allclose(model.forecast(SERIES, N_STEPS, FUTURE), expected, rtol=0, atol=1e-12)

    @pytest.mark.parametrize("container", CONTAINERS)
    @pytest.mark.parametrize("per_step", [False, True])
    def test_containers(self, container, per_step):
        model = fitted(per_step)
        X, future = CONTAINERS[container](SERIES), CONTAINERS[container](list(FUTURE))
        expected = model.forecast(SERIES, N_STEPS, FUTURE)
        assert_allclose(model.forecast(X, N_STEPS, future), expected, rtol=0, atol=1e-12)

    def test_one_step_is_predict(self):
        model = fitted()
        one = model.forecast(SERIES, 1)
        assert one.shape == (9, 1, 2)
        assert_allclose(one[:, 0], model.predict(SERIES), rtol=0, atol=1e-12)

    @pytest.mark.parametrize("table", [False, True])
    def test_one_feature_and_one_output(self, table):
        X, y = sliding_windows(np.sin(np.arange(60) / 3), 8)
        sequence_model = RNNRegressor(**SMALL).fit(X, y)
        expected = by_growing_prefixes(sequence_model, X[:2], np.empty((2, N_STEPS, 0)), 1)
        model = RNNRegressor(**SMALL).fit(X[:, :, 0], y) if table else sequence_model
        ahead = model.forecast(X[:2, :, 0] if table else X[:2], N_STEPS)
        assert ahead.shape == (2, N_STEPS)
        assert_allclose(ahead, expected[:, :, 0], rtol=0, atol=1e-12)

    def test_the_last_observation_counts(self):
        model, changed = fitted(), [x.copy() for x in SERIES]
        for x in changed:
            x[-1] += 1
        before = model.forecast(SERIES, N_STEPS, FUTURE)
        assert (model.forecast(changed, N_STEPS, FUTURE) != before).all()
        later = FUTURE.copy()
        later[:, -1] += 1  # follows the last prediction
        assert_array_equal(model.forecast(SERIES, N_STEPS, later), before)
        assert_array_equal(model.forecast(SERIES, N_STEPS, FUTURE[:, :-1]), before)

    def test_named_features(self):
        frames = [pd.DataFrame(x, columns=["a", "b", "c"]) for x in SERIES]
        model = RNNRegressor(**SMALL).fit(frames, np.array([x[-1, :2] for x in SERIES]))
        expected = model.forecast(frames, N_STEPS, FUTURE)
        named = [pd.DataFrame(x, columns=["c"]) for x in FUTURE]
        assert_array_equal(model.forecast(frames, N_STEPS, named), expected)
        wrong = [pd.DataFrame(x, columns=["b"]) for x in FUTURE]
        with pytest.raises(ValueError, match=r"X_future\[0\] has the columns \['b'\], .* \['c'\]"):
            model.forecast(frames, N_STEPS, wrong)

    def test_continues_a_sine(self):
        series = np.sin(np.arange(260) / 3)
        X, y = sliding_windows(series[:200], 24)
        options = {"solver": "lbfgs", "hidden_size": 8, "max_iter": 300, "random_state": 0}
        model = RNNRegressor(tol=1e-6, **options).fit(X, y)
        assert np.abs(model.forecast(X[-1:], 40)[0] - series[199:239]).max() < 0.1

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ({"n_steps": 0}, ValueError, "n_steps == 0, must be >= 1"),
            ({"n_steps": 2.0}, TypeError, "n_steps"),
            ({"X_future": None}, ValueError, r"X_future is needed: 1 features .* \(9, 4, 1\)"),
            ({"X_future": FUTURE[:, :3]}, ValueError, r"X_future must have .* \(9, 4, 1\)"),
            ({"X_future": FUTURE[:4]}, ValueError, "X_future must have"),
            ({"X_future": np.ones((9, 5, 2))}, ValueError, "X_future must have"),
            ({"X_future": FUTURE * np.nan}, ValueError, "X_future"),
            ({"X": [x[:, :2] for x in SERIES]}, ValueError, "X has 2 features"),
        ],
    )
    def test_bad_arguments(self, arguments, error, message):
        given = {"X": SERIES, "n_steps": N_STEPS, "X_future": FUTURE} | arguments
        with pytest.raises(error, match=message):
            fitted().forecast(**given)

    def test_means_are_fed_back(self):
        model = fitted(loss="gaussian")
        expected = by_growing_prefixes(model, SERIES, FUTURE, 2)
        assert_allclose(model.forecast(SERIES, N_STEPS, FUTURE), expected, rtol=0, atol=1e-12)

    def test_models_that_cannot(self):
        several = fitted(loss="quantile", quantile=[0.1, 0.9])
        with pytest.raises(ValueError, match=r"predicts the quantiles \[0.1, 0.9\] of each"):
            several.forecast(SERIES, 2, FUTURE)
        y = np.ones((9, 4))
        with pytest.raises(ValueError, match="4 outputs and X has 3 features"):
            RNNRegressor(**SMALL).fit(SERIES, y).forecast(SERIES, 2)
        both = RNNRegressor(bidirectional=True, **SMALL).fit(SERIES, y[:, :3])
        with pytest.raises(ValueError, match="bidirectional"):
            both.forecast(SERIES, 2)
        with pytest.raises(ValueError, match="X_future is given, but"):
            fitted(n_outputs=3).forecast(SERIES, 2, FUTURE)


LETTERS = np.array(list("abc"))


class TestSample:
    def fitted(self, per_step=False, **options):
        rng = np.random.default_rng(0)
        codes = [rng.integers(0, 3, n) for n in (6, 9, 4, 7, 8)]
        X = [np.eye(3)[c[:-1]] for c in codes]
        y = [LETTERS[c[1:]] for c in codes]
        y = y if per_step else np.array([part[-1] for part in y])
        labels = {"class_weight": None} | options
        return RNNClassifier(return_sequences=per_step, **SMALL | labels).fit(X, y), X

    @pytest.mark.parametrize("per_step", [False, True])
    def test_draws_from_the_probabilities_of_growing_prefixes(self, per_step):
        model, X = self.fitted(per_step)
        n, prefix = 3000, X[2]
        drawn = model.sample([prefix] * n, 2, random_state=0)
        assert drawn.shape == (n, 2)
        for letter, code in zip(LETTERS, np.eye(3), strict=True):
            after = drawn[drawn[:, 0] == letter, 1]
            p = model.predict_proba([np.vstack([prefix, code])])[0]
            p = p[-1] if per_step else p
            shares = [np.mean(after == other) for other in LETTERS]
            assert_allclose(shares, p, atol=4 * np.sqrt(0.25 / len(after)))

    @pytest.mark.parametrize("temperature", [0.5, 2.0])
    def test_temperature(self, temperature):
        model, X = self.fitted()
        p = model.predict_proba(X[:1])[0] ** (1 / temperature)
        drawn = model.sample(X[:1] * 4000, 1, temperature, random_state=0)
        shares = [np.mean(drawn == letter) for letter in LETTERS]
        assert_allclose(shares, p / p.sum(), atol=0.03)

    def test_is_repeatable(self):
        model, X = self.fitted()
        first, again = (model.sample(X, 9, random_state=3) for _ in range(2))
        assert_array_equal(first, again)
        assert (model.sample(X, 9, random_state=4) != first).any()

    def test_continues_fibonacci_numbers_modulo_seven(self):
        numbers = [0, 1]
        while len(numbers) < 100:
            numbers.append((numbers[-1] + numbers[-2]) % 7)
        numbers = np.array(numbers)
        X = np.stack([np.eye(7)[numbers[i : i + 20]] for i in range(16)])
        y = np.stack([numbers[i + 1 : i + 21] for i in range(16)])
        options = {"hidden_size": 24, "early_stopping": False, "max_iter": 150, "random_state": 0}
        model = RNNClassifier(return_sequences=True, learning_rate_init=0.02, **options).fit(X, y)
        drawn = model.sample(X[:1, :5], 60, temperature=0.01, random_state=0)
        assert_array_equal(drawn[0], numbers[5:65])

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ({"n_steps": 0}, ValueError, "n_steps == 0, must be >= 1"),
            ({"temperature": 0}, ValueError, "temperature == 0, must be > 0"),
            ({"temperature": "hot"}, TypeError, "temperature"),
            ({"random_state": "a"}, ValueError, "a"),
        ],
    )
    def test_bad_arguments(self, arguments, error, message):
        model, X = self.fitted()
        with pytest.raises(error, match=message):
            model.sample(**{"X": X, "n_steps": 2} | arguments)

    def test_features_that_are_not_the_classes(self):
        X = ragged(6, 2)
        y = np.array([0, 1, 2, 0, 1, 2])
        with pytest.raises(ValueError, match="2 features, and the targets 3 classes"):
            RNNClassifier(**SMALL).fit(X, y).sample(X, 2)
        labels = np.array([[0, 1], [1, 1], [1, 0]] * 2)
        with pytest.raises(ValueError, match="the targets are several labels each"):
            RNNClassifier(**SMALL).fit(X, labels).sample(X, 2)
