"""Checks of the containers of X, and of the containers and shapes of results."""

import numpy as np

from sklearn_rnn.utils._case import Case


def check_3d_array(name, estimator, **declared):
    """`fit` takes an array (n_samples, n_timesteps, n_features) and returns the estimator itself.

    `predict` returns (n_samples,), or (n_samples, n_timesteps) with one target per timestep. Other
    methods return the same with a last dimension for classes or outputs.
    """
    case = Case(name, estimator, declared, needs=("array",))
    problem = case.problem(lengths=case.equal)
    model = case.new()
    X, y = problem.within("array")
    with case.fitting():
        returned = model.fit(X, *(() if y is None else (y,)))
    assert returned is model, f"{name}.fit must return self, not {type(returned).__name__}."
    _check_shapes(case, model, problem, "array")


def check_list(name, estimator, **declared):
    """`fit` and all prediction methods take a list of arrays (n_timesteps_i, n_features).

    Results per timestep are a list of arrays. Results per sequence are an array.
    """
    case = Case(name, estimator, declared, needs=("ragged",))
    problem = case.problem(lengths=case.lengths)
    _check_shapes(case, case.fit(problem, "list"), problem, "list")


def check_object_array(name, estimator, **declared):
    """A 1-D object array of arrays (n_timesteps_i, n_features) is accepted like a list.

    Results per timestep are a 1-D object array as well, which `cross_val_predict` needs.
    """
    case = Case(name, estimator, declared, needs=("ragged",))
    for lengths in (case.lengths, case.equal):
        problem = case.problem(lengths=lengths)
        _check_shapes(case, case.fit(problem, "object array"), problem, "object array")


def check_padded_array(name, estimator, **declared):
    """A 3-D array may be padded: trailing timesteps of a sequence have NaN in all features.

    Results per timestep are an array. If it holds floats, they are NaN in padding.
    """
    case = Case(name, estimator, declared, needs=("padded",))
    problem = case.problem(lengths=case.lengths)
    _check_shapes(case, case.fit(problem, "padded"), problem, "padded")


def check_several_outputs(name, estimator, **declared):
    """`predict` returns as many outputs (or labels of a multilabel indicator) as y has.

    Runs if the tag `target_tags.multi_output` or `classifier_tags.multi_label` is set.
    """
    case = Case(name, estimator, declared, needs=("several outputs",))
    problem = case.problem(kind=case.kind_of_several, n_outputs=2)
    model = case.fit(problem)
    lengths = [(length,) if case.declared.per_timestep else () for length in problem.lengths]
    for i, part in enumerate(case.outputs(model, problem)["predict"]):
        assert np.shape(part) == (*lengths[i], 2), (
            f"{name}.predict returns an array of shape {np.shape(part)} for sequence {i}, but its "
            f"targets have shape {(*lengths[i], 2)}."
        )


def check_n_features_in(name, estimator, **declared):
    """`n_features_in_` is the number of features per timestep: X.shape[2], not X.shape[1]."""
    case = Case(name, estimator, declared)
    for container in case.containers:
        model = case.fit(case.problem(lengths=case.equal), container)
        found = getattr(model, "n_features_in_", None)
        assert found == case.n_features, (
            f"{name}.n_features_in_ is {found} after fit to {len(case.equal)} sequences of "
            f"{case.equal[0]} timesteps with {case.n_features} features, in the container "
            f"{container!r}."
        )


def check_smallest_sequences(name, estimator, **declared):
    """Sequences of one timestep, or of one feature, are accepted and keep their dimensions."""
    case = Case(name, estimator, declared)
    n_timesteps = case.declared.shortest
    smallest = {
        f"of length {n_timesteps}": {"lengths": (n_timesteps,) * len(case.equal)},
        "of one feature": {"lengths": case.equal, "n_features": 1},
    }
    for what, options in smallest.items():
        problem = case.problem(**options)
        for container in case.containers:
            try:
                model = case.fit(problem, container)
                case.outputs(model, problem.take([0]), container)
            except Exception as error:
                raise AssertionError(
                    f"{name} fails for sequences {what} in the container {container!r}: {error}"
                ) from error


def _check_shapes(case: Case, model, problem, container: str) -> None:
    X, _ = problem.within(container)
    for method, output in case.raw_outputs(model, X).items():
        _check_shape(case, method, output, problem, container, _tail_of(case, model, method))


def _tail_of(case: Case, model, method: str) -> tuple | None:
    """The dimensions after samples and timesteps; None if the estimator may choose them."""
    if method == "predict":
        return () if case.kind_of_y is None or case.tags.target_tags.single_output else (2,)
    n_classes = len(getattr(model, "classes_", ()))
    return {
        "predict_proba": (n_classes,),
        "predict_log_proba": (n_classes,),
        "decision_function": (n_classes,) if n_classes > 2 else (),
        "score_samples": (),
    }.get(method)


def _check_shape(case: Case, method: str, output, problem, container: str, tail) -> None:
    what = f"{case.name}.{method} of X in the container {container!r}"
    lengths = problem.lengths
    if not case.declared.per_timestep:
        hint = "declare per_timestep=True if it is per timestep."
        assert isinstance(output, np.ndarray), (
            f"{what} is {type(output).__name__}, not an array (n_samples, ...); {hint}"
        )
        wanted = (len(lengths), *(output.shape[1:2] if tail is None else tail))
        assert output.shape == wanted, f"{what} has shape {output.shape}, not {wanted}; {hint}"
        return
    if container in ("array", "padded"):
        assert isinstance(output, np.ndarray), f"{what} is {type(output).__name__}, not an array."
        wanted = (len(lengths), max(lengths), *(output.shape[2:3] if tail is None else tail))
        assert output.shape == wanted, f"{what} has shape {output.shape}, not {wanted}."
        if output.dtype.kind == "f":
            in_padding = np.arange(max(lengths)) >= np.array(lengths)[:, np.newaxis]
            assert np.isnan(output[in_padding]).all(), f"{what} has numbers where X is padding."
        return
    kind = list if container == "list" else np.ndarray
    assert isinstance(output, kind), (
        f"{what} is {type(output).__name__}, not {kind.__name__}: results per timestep must have "
        "the container of X."
    )
    for i, (part, length) in enumerate(zip(output, lengths, strict=True)):
        wanted = (length, *(np.shape(part)[1:2] if tail is None else tail))
        assert np.shape(part) == wanted, f"{what}: [{i}] has shape {np.shape(part)}, not {wanted}."
    if container == "object array":
        assert output.shape == (len(lengths),), f"{what} has shape {output.shape}."
