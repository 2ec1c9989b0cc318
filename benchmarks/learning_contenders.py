"""The contenders of learning.py: each makes a model, and the data in the form that it takes."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline

from learning_data import CLASSIFICATION, Sequences, Split, Task
from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.preprocessing import InstanceNormalizedRegressor, Patches

WINDOW = 10  # steps of a row where there is a target per step
USUAL = ("ours", "mlp", "linear", "trees", "last value")
OPTIONAL = ("skorch", "sktime", "aeon", "minirocket")


class NotForThis(Exception):
    """The contender can't do the task, or isn't installed."""


class Race(NamedTuple):
    """A model with the data in the form that it takes."""

    model: BaseEstimator
    X_train: Sequences
    y_train: Sequences
    X_test: Sequences


# Contenders: each makes a Race of a task, its data and a seed.
Contender = Callable[[Task, Split, int], Race]


def ours(task: Task, data: Split, seed: int, **parameters) -> Race:
    """`parameters` are for both estimators, or "regressor.loss" for one of them."""
    classifies = task.kind == CLASSIFICATION
    cls, other = (RNNClassifier, "regressor.") if classifies else (RNNRegressor, "classifier.")
    own = {k.rpartition(".")[2]: v for k, v in parameters.items() if not k.startswith(other)}
    model = cls(return_sequences=task.per_step, random_state=seed, **own)
    return Race(model, data.X_train, data.y_train, data.X_test)


def patches(task: Task, data: Split, seed: int) -> Race:
    """Ours on about 32 patches of each of the long sequences."""
    n_steps = int(np.median([len(x) for x in data.X_train]))
    if task.per_step or n_steps < 64:
        raise NotForThis
    race = ours(task, data, seed)
    return race._replace(model=make_pipeline(Patches(-(-n_steps // 32)), race.model))


def relative(task: Task, data: Split, seed: int, **parameters) -> Race:
    """Ours with windows and targets relative to each window's last value."""
    if task.past is None:
        raise NotForThis
    race = ours(task, data, seed)
    n_features = data.X_train[0].shape[1]
    own = {"features": task.past, "target": task.past} if n_features > 1 else {}
    model = InstanceNormalizedRegressor(race.model, **own, **parameters)
    return race._replace(model=model)


def on_table(classifier, regressor, task: Task, data: Split, seed: int) -> Race:
    model = (classifier if task.kind == CLASSIFICATION else regressor)()
    if "random_state" in model.get_params():
        model.set_params(random_state=seed)
    if task.per_step:
        X_train, X_test = last_steps(data.X_train), last_steps(data.X_test)
        return Race(model, X_train, np.concatenate(list(data.y_train)), X_test)
    n_steps = max(map(len, data.X_train))
    X_train, X_test = side_by_side(data.X_train, n_steps), side_by_side(data.X_test, n_steps)
    return Race(model, X_train, data.y_train, X_test)


def last_steps(X: Sequences) -> np.ndarray:
    """Of every timestep of every sequence the last WINDOW steps, in a row."""
    tables = []
    for x in X:
        steps = np.arange(len(x))[:, np.newaxis] + np.arange(1 - WINDOW, 1)
        tables.append(x[np.maximum(steps, 0)].reshape(len(x), -1))
    return np.concatenate(tables)


def side_by_side(X: Sequences, n_steps: int) -> np.ndarray:
    if isinstance(X, np.ndarray):
        return X.reshape(len(X), -1)
    lengths = np.array([len(x) for x in X])
    rows = [x[np.minimum(np.arange(n_steps), len(x) - 1)] for x in (x[-n_steps:] for x in X)]
    return np.column_stack([np.reshape(rows, (len(X), -1)), lengths])


class LastValue(BaseEstimator):
    def __init__(self, feature: int):
        self.feature = feature

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.array([x[-1, self.feature] for x in X])


def last_value(task: Task, data: Split, seed: int) -> Race:
    if task.past is None:
        raise NotForThis
    return Race(LastValue(task.past), data.X_train, data.y_train, data.X_test)


class Numbered(BaseEstimator):
    """A classifier of the numbers 0, 1, ..., made one of any labels."""

    def __init__(self, classifier):
        self.classifier = classifier

    def fit(self, X, y):
        self.classes, numbers = np.unique(y, return_inverse=True)
        self.classifier.fit(X, numbers)
        return self

    def predict(self, X):
        return self.classes[self.classifier.predict(X)]


class Column(BaseEstimator):
    """A regressor of targets (n, 1) and float32."""

    def __init__(self, regressor):
        self.regressor = regressor

    def fit(self, X, y):
        self.regressor.fit(X, y[:, np.newaxis].astype(np.float32))
        return self

    def predict(self, X):
        return self.regressor.predict(X).ravel()


def skorch_lstm(task: Task, data: Split, seed: int) -> Race:
    import torch
    from skorch import NeuralNetClassifier, NeuralNetRegressor

    from peers import TorchRNN

    only_one_length(task, data)
    torch.manual_seed(seed)
    n_outputs = len(np.unique(data.y_train)) if task.kind == CLASSIFICATION else 1
    network = TorchRNN("lstm", data.X_train.shape[2], 64, 1, n_outputs, per_step=False)
    common = {"optimizer": torch.optim.Adam, "lr": 0.001, "verbose": 0}
    if task.kind == CLASSIFICATION:
        loss = torch.nn.CrossEntropyLoss
        model = Numbered(NeuralNetClassifier(network, criterion=loss, **common))
    else:
        model = Column(NeuralNetRegressor(network, **common))
    return Race(model, data.X_train, data.y_train, data.X_test)


def sktime_gru(task: Task, data: Split, seed: int) -> Race:
    from sktime.classification.deep_learning.gru import GRUClassifier

    only_one_length(task, data)
    if task.kind != CLASSIFICATION:
        raise NotForThis
    model = GRUClassifier(hidden_dim=64, n_layers=1, batch_first=True, random_state=seed)
    return channels_first(model, data)


def aeon_rnn(task: Task, data: Split, seed: int) -> Race:
    from aeon.regression.deep_learning import RecurrentRegressor

    only_one_length(task, data)
    if task.kind == CLASSIFICATION:
        raise NotForThis
    return channels_first(RecurrentRegressor(random_state=seed), data)


def mini_rocket(task: Task, data: Split, seed: int) -> Race:
    """Random convolutional kernels before a linear model: no recurrent network, a yardstick."""
    from aeon.classification.convolution_based import MiniRocketClassifier

    only_one_length(task, data)
    if task.kind != CLASSIFICATION:
        raise NotForThis
    return channels_first(MiniRocketClassifier(random_state=seed), data)


def channels_first(model, data: Split) -> Race:
    """(n, features, timesteps), as sktime and aeon take it."""
    return Race(model, data.X_train.swapaxes(1, 2), data.y_train, data.X_test.swapaxes(1, 2))


def only_one_length(task: Task, data: Split) -> None:
    if task.per_step or isinstance(data.X_train, list):
        raise NotForThis


CONTENDERS: dict[str, Contender] = {
    "ours": ours,
    "patches": patches,
    "relative": relative,
    "relative, scaled": partial(relative, scale="std"),
    "mlp": partial(on_table, MLPClassifier, MLPRegressor),
    "linear": partial(on_table, LogisticRegression, RidgeCV),
    "trees": partial(on_table, HistGradientBoostingClassifier, HistGradientBoostingRegressor),
    "last value": last_value,
    "skorch": skorch_lstm,
    "sktime": sktime_gru,
    "aeon": aeon_rnn,
    "minirocket": mini_rocket,
}


def missing(name: str) -> str | None:
    """Why an optional contender can't run, if it can't."""
    modules = {
        "skorch": ("torch", "skorch"),
        "sktime": ("sktime", "torch"),
        "aeon": ("aeon", "tensorflow"),
        "minirocket": ("aeon",),
    }
    for module in modules[name]:
        try:
            __import__(module)
        except ImportError as error:
            return str(error)
    return None
