"""to_onnx: a fitted estimator, or a pipeline, as an ONNX model."""

from numbers import Integral

import numpy as np

from sklearn_rnn._input.errors import describe
from sklearn_rnn._input.hyperparameters import check_flag
from sklearn_rnn.export._graph import MIN_OPSET, Graph, imported
from sklearn_rnn.export._network import NEXT
from sklearn_rnn.export._pipeline import (
    check_estimator,
    declare_results,
    declared_input,
    network_of,
)


def to_onnx(estimator, *, step=False, target_opset=None, dtype=None):
    """Convert a fitted estimator, or a pipeline, to an ONNX model.

    The model gives what `predict` gives, and of a classifier also what `predict_proba` gives. It
    runs in any runtime of ONNX, without this package and without Python. It needs the extra
    ``onnx``.

    Parameters
    ----------
    estimator : estimator
        A fitted `RNNRegressor` or `RNNClassifier`, a fitted
        `~sklearn_rnn.preprocessing.PerTimestepTarget` or
        `~sklearn_rnn.preprocessing.InstanceNormalizedRegressor` of one, or a fitted
        `~sklearn.pipeline.Pipeline` that ends in one of these. The other steps of a pipeline are
        `~sklearn_rnn.preprocessing.PerTimestep`, of whatever skl2onnx converts, and
        `~sklearn_rnn.preprocessing.SequenceNormalizer`.
    step : bool, default=False
        False: the model reads whole sequences. True: it reads one timestep of each sequence, as
        `RNNRegressor.stream` does; see Notes.
    target_opset : int, default=None
        The version of ONNX's operators, at least 18. None is 18, which runtimes of 2023 and later
        know.
    dtype : {"float32", "float64"} or dtype, default=None
        The precision in which the model reads X and computes. None is the precision of the
        network: float32 if it was fitted on float32 X, and float64 otherwise. Runtimes have fast
        kernels for float32 only.

    Returns
    -------
    model : onnx.ModelProto
        The model, which `onnx.checker` has checked. ``model.SerializeToString()`` is what goes into
        a file.

    Raises
    ------
    ImportError
        If onnx is not installed, or, for a pipeline, skl2onnx.
    TypeError
        If there is no conversion of the estimator, of a step of a pipeline or of the labels.
    ValueError
        If an argument can't be used, or if there is no model with ``step=True``: of a bidirectional
        network, or of what needs whole sequences.
    sklearn.exceptions.NotFittedError
        If the estimator, or a step of it, is not fitted.

    See Also
    --------
    register_converters : Lets skl2onnx convert pipelines with this package's estimators.

    Notes
    -----
    The inputs of a model for whole sequences:

    - ``X``, (batch, time, n_features), floats; strings for a `PerTimestep` of an encoder of
      strings. If the estimator was fitted on 2-D X, it is (batch, n_columns).
    - ``lengths``, (batch,), int64, the number of timesteps of each sequence, from 1 to time.
      Whatever stands in X behind them has no influence. It is no input after a fit on 2-D X.

    The outputs have the names that skl2onnx gives them, and the shapes of `predict`:

    - of a regressor ``variable``, and with ``loss="gaussian"`` also the standard deviations
      ``std``;
    - of a classifier ``label``, which has the labels themselves (all integers as int64), and
      ``probabilities``, in the order of ``classes_``.

    With ``return_sequences=True`` they are per timestep, and have in padding what `predict` has
    there: NaN; for strings "".

    With ``step=True``, X is (batch, n_features), one timestep, and the states follow as further
    inputs. They have the names, shapes and dtypes of `sklearn_rnn.streaming.Stream.state`, without
    "network": "layer_0.h" and so on, (batch, hidden_size). Before the first timestep they are zero,
    but "max.highest" is minus infinity. The states after the timestep are outputs, with "next." in
    front of their names: "next.layer_0.h". The other outputs are what the estimator gives for the
    timesteps so far; with ``return_sequences=True``, what it gives for this timestep.

    ONNX's operators RNN, LSTM and GRU are used in float32. ONNX Runtime has no kernels of them for
    float64. So the layers are a Scan in float64, which is several times as slow.

    A model checks nothing. Where `predict` raises an error for NaN in X or for predictions that
    overflow, a model returns NaN or infinity.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNRegressor
    >>> from sklearn_rnn.export import to_onnx
    >>> X = np.random.default_rng(0).normal(size=(50, 9, 2)).astype(np.float32)
    >>> regressor = RNNRegressor(hidden_size=4, tol=1e9, random_state=0).fit(X, X[:, 0, 0])
    >>> model = to_onnx(regressor).SerializeToString()  # which goes into a file

    Anywhere else:

    >>> import onnxruntime
    >>> session = onnxruntime.InferenceSession(model)
    >>> (y,) = session.run(None, {"X": X, "lengths": np.full(50, 9)})
    >>> np.allclose(y, regressor.predict(X), atol=1e-5)
    True
    """
    check_flag("step", step)
    opset = read_opset(target_opset)
    check_estimator(estimator)
    network = network_of(estimator)._new_network()
    if step and network.architecture.bidirectional:
        raise ValueError(
            "A network with bidirectional=True has no graph with step=True: its reverse direction "
            "begins at the end of a sequence, which a live feed doesn't know. Fit with "
            "bidirectional=False."
        )
    graph = Graph(read_dtype(dtype, network.dtype), opset)
    declare_results(estimator, declared_input(graph, estimator, is_step=step))
    graph.outputs.sort(key=lambda output: output.name.startswith(NEXT))  # the states come last
    model = graph.model()
    graph.onnx.checker.check_model(model, full_check=True)
    return model


def read_opset(target_opset) -> int:
    newest = imported("onnx").defs.onnx_opset_version()
    if target_opset is None:
        return MIN_OPSET
    if isinstance(target_opset, bool) or not isinstance(target_opset, Integral):
        raise TypeError(f"target_opset must be an integer or None; got {describe(target_opset)}.")
    if not MIN_OPSET <= target_opset <= newest:
        raise ValueError(
            f"target_opset={target_opset}, but the graph needs operators of version {MIN_OPSET} or "
            f"later, and the onnx package that is installed knows those up to {newest}."
        )
    return int(target_opset)


def read_dtype(dtype, of_network: np.dtype) -> np.dtype:
    if dtype is None:
        return of_network
    try:
        chosen = np.dtype(dtype)
    except TypeError:
        chosen = None
    if chosen not in (np.float32, np.float64):
        raise ValueError(f"dtype must be float32, float64 or None; got {dtype!r}.")
    return chosen
