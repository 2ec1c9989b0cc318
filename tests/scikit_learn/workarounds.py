"""The workarounds that docs/meta_estimators.md describes: each turns a problem into another."""

from dataclasses import replace

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from problems import Problem, flat, input_norms, steps
from sequences import object_array
from sklearn_rnn.metrics import make_sequence_scorer
from sklearn_rnn.model_selection import cross_val_predict
from sklearn_rnn.preprocessing import PerTimestep, PerTimestepTarget, SequenceLookup, pad_sequences


class WeightedPipeline(Pipeline):
    """A pipeline whose last step is given sample_weight."""

    def fit(self, X, y=None, sample_weight=None):
        return super().fit(X, y, **{f"{self.steps[-1][0]}__sample_weight": sample_weight})


def behind(step, p: Problem, **others) -> Problem:
    """The networks get what the transformer makes of X."""
    return replace(
        p,
        regressor=make_pipeline(step, p.regressor),
        classifier=make_pipeline(step, p.classifier),
        weighted_classifier=WeightedPipeline([("look_up", step), ("rnn", p.classifier)]),
        **others,
    )


def means(sequences):
    return np.array([x.mean(axis=0) for x in sequences])


def row_numbers(p: Problem) -> Problem:
    lookup = SequenceLookup(steps(p.X))
    # Behind the predictions stands the row number, for which the means are put.
    summary = make_column_transformer(
        (make_pipeline(lookup, FunctionTransformer(means)), [-1]), remainder="passthrough"
    )
    return behind(
        lookup, p, X=lookup.rows, final_estimator=lambda final: make_pipeline(summary, final)
    )


def feature_numbers(p: Problem) -> Problem:
    sequences = steps(p.X)
    n, n_features = len(sequences), sequences[0].shape[1]

    def look_up(numbers):
        return [
            np.column_stack([sequences[i // n_features][:, i % n_features] for i in row])
            for row in numbers
        ]

    numbers = np.arange(n * n_features).reshape(n, n_features)
    return behind(
        FunctionTransformer(look_up),
        p,
        X=numbers,
        importance_getter=lambda pipeline: input_norms(pipeline[-1]),
        scoring=lambda pipeline, X, y: pipeline.score(X, y),
    )


def flat_columns(p: Problem) -> Problem:
    array = pad_sequences(steps(p.X))
    shape = (-1, *array.shape[1:])
    step = FunctionTransformer(lambda X: X.reshape(shape))
    return behind(step, p, X=array.reshape(len(array), -1))


def timesteps_as_rows(p: Problem) -> Problem:
    ends = np.cumsum([len(x) for x in steps(p.X)])[:-1]
    return replace(
        p, to_table=lambda values: flat(p.X, values), from_table=lambda table: np.split(table, ends)
    )


def object_arrays(p: Problem) -> Problem:
    sequences = steps(p.X)

    def converted(targets):
        if np.ndim(targets[0]) == 0:
            return targets
        parts = [y[: len(x)] for x, y in zip(sequences, targets, strict=True)]
        return object_array(parts)

    return replace(
        p,
        X=object_array(sequences),
        numbers=converted(p.numbers),
        labels=converted(p.labels),
        three_labels=converted(p.three_labels),
    )


def groups_by_length(p: Problem) -> Problem:
    return replace(p, groups=np.array([len(x) for x in steps(p.X)]))


WORKAROUNDS = {
    "row numbers": row_numbers,
    "feature numbers": feature_numbers,
    "flat columns": flat_columns,
    "timesteps as rows": timesteps_as_rows,
    "object arrays": object_arrays,
    "groups by length": groups_by_length,
    "transformers per timestep": lambda p: replace(p, transformer=PerTimestep),
    "transformed targets per timestep": lambda p: replace(p, transformed_target=PerTimestepTarget),
    "predictions by cross validation": lambda p: replace(p, cross_val_predict=cross_val_predict),
    "metrics per timestep": lambda p: replace(p, get_scorer=make_sequence_scorer),
}
