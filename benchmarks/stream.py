"""A step of a stream: the bare NumPy operations of its cell, torch, and onnxruntime beside it.

    python benchmarks/stream.py [--json FILE] [--quick] [--cells lstm gru] [--sizes 64 256]

A step reads one timestep, float32 with eight features, of 1, 32 or 1,000 sequences. Every
contender is called from Python with a NumPy array, has one thread and keeps its state. The array is
(n_sequences, 8), but (8,) for a stream of one sequence.

- ours: `Stream.step` of a regressor with `standardize=True`, prediction and checks included
- bare: the operations of the cell alone, in place, on memory made before; "ours / bare" is what the
  estimator costs
- plain: the cell as one would write it first, with new arrays
- torch: LSTMCell, GRUCell or RNNCell in inference mode, without an output layer
- onnxruntime: its LSTM, GRU or RNN for one timestep, if onnx and onnxruntime are installed; without
  an output layer, and without the transfer of numbers from another library
- predict: the estimator's `predict` for the last 100 timesteps of one sequence, what one does
  without a stream

The contenders take turns, which are so short (a millisecond) that in many of them nothing else
comes between. Each figure is the time of the best turn. "ours / bare" is from turns of these two
alone: the others would leave them cold caches.
"""

import warnings
from functools import partial

import numpy as np
from numpy import add, dot, multiply, subtract, tanh
from sklearn.exceptions import ConvergenceWarning

from common import PEERS_CELLS, Result, alternate, arguments, report_results
from sklearn_rnn import RNNRegressor

D = 8
N_SEQUENCES = (1, 32, 1000)
PREFIX = 100
N_GATES = {"elman": 1, "lstm": 4, "gru": 3}


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def stream(cell, H, n):
    """Return the step of a stream; the weights don't matter."""
    return regressor(cell, H).stream(n).step


def predict(cell, H, n):
    if n > 1:
        return None
    model, X = regressor(cell, H), draw(n, PREFIX, D)
    return lambda x: model.predict(X)


def regressor(cell, H):
    model = RNNRegressor(cell=cell, hidden_size=H, max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(draw(40, 5, D), draw(40))


def bare(cell, H, n):
    """Return a cell written out by hand: the fastest form that is known, on arrays (rows, n)."""
    block = np.zeros((H + 1 + D, n), np.float32)  # [h; 1; x]
    block[H] = 1
    h, one_x, x_rows = block[:H], block[H:], block[H + 1 :].T
    W, half = draw(N_GATES[cell] * H, H + 1 + D) * np.float32(0.1), np.array(0.5, np.float32)
    a, c, c_new = np.zeros((len(W), n), np.float32), *np.zeros((2, H, n), np.float32)

    def elman(x):
        x_rows[...] = x
        dot(W, block, a)
        tanh(a, h)
        return h

    def lstm(x):
        x_rows[...] = x
        dot(W, block, a)  # the rows of f, o and i halved
        tanh(a, a)
        multiply(f_o_i, half, f_o_i)
        add(f_o_i, half, f_o_i)
        multiply(f, c, c)
        multiply(i, g, c_new)
        add(c, c_new, c)
        tanh(c, c_new)
        multiply(o, c_new, h)
        return h

    def gru(x):
        x_rows[...] = x
        dot(W_z_r_q, block, a)
        dot(W_xn, one_x, new)
        tanh(z_r, z_r)
        multiply(z_r, half, z_r)
        add(z_r, half, z_r)
        multiply(r, q, q)
        add(new, q, new)
        tanh(new, new)
        subtract(h, new, h)
        multiply(z, h, h)
        add(new, h, h)
        return h

    if cell == "lstm":
        f_o_i, (f, o, i, g) = a[: 3 * H], np.split(a, 4)
    if cell == "gru":
        z_r, (z, r, q), new = a[: 2 * H], np.split(a, 3), c
        W_z_r_q, W_xn = W, W[:H, : 1 + D].copy()
    return {"elman": elman, "lstm": lstm, "gru": gru}[cell]


def plain(cell, H, n):
    """Return a cell as one would write it first, on arrays (n, features)."""
    W = draw(D, N_GATES[cell] * H) * np.float32(0.1)
    U = draw(H, N_GATES[cell] * H, seed=1) * np.float32(0.1)
    b = np.zeros(N_GATES[cell] * H, np.float32)
    state = {"h": np.zeros((n, H), np.float32), "c": np.zeros((n, H), np.float32)}

    def logistic(v):
        return 1 / (1 + np.exp(-v))

    def elman(x):
        state["h"] = np.tanh(x @ W + state["h"] @ U + b)
        return state["h"]

    def lstm(x):
        i, f, o, g = np.split(x @ W + state["h"] @ U + b, 4, axis=1)
        state["c"] = logistic(f) * state["c"] + logistic(i) * np.tanh(g)
        state["h"] = logistic(o) * np.tanh(state["c"])
        return state["h"]

    def gru(x):
        r_x, z_x, n_x = np.split(x @ W + b, 3, axis=1)
        r_h, z_h, n_h = np.split(state["h"] @ U, 3, axis=1)
        r, z = logistic(r_x + r_h), logistic(z_x + z_h)
        new = np.tanh(n_x + r * n_h)
        state["h"] = (1 - z) * new + z * state["h"]
        return state["h"]

    return {"elman": elman, "lstm": lstm, "gru": gru}[cell]


def by_torch(cell, H, n):
    import torch

    kind = {"elman": torch.nn.RNNCell, "lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell}[cell]
    module, states = kind(D, H), None

    def step(x):
        nonlocal states
        with torch.inference_mode():
            states = module(torch.from_numpy(x), states)
        return (states[0] if cell == "lstm" else states).numpy()

    return step


def by_onnxruntime(cell, H, n):
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    gates, kind = N_GATES[cell], {"elman": "RNN", "lstm": "LSTM", "gru": "GRU"}[cell]
    names = ["h", "c"] if cell == "lstm" else ["h"]
    weights = [("W", draw(1, gates * H, D)), ("R", draw(1, gates * H, H) * np.float32(0.1))]
    weights += [("B", np.zeros((1, 2 * gates * H), np.float32))]
    node = helper.make_node(
        kind,
        ["x", "W", "R", "B", "", *names],
        ["", *(f"{name}_after" for name in names)],
        hidden_size=H,
        **({"linear_before_reset": 1} if cell == "gru" else {}),
    )

    def of_shape(name, shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    states = {name: np.zeros((1, n, H), np.float32) for name in names}
    graph = helper.make_graph(
        [node],
        "cell",
        [of_shape("x", [1, n, D]), *(of_shape(name, [1, n, H]) for name in names)],
        [of_shape(f"{name}_after", [1, n, H]) for name in names],
        [numpy_helper.from_array(array, name) for name, array in weights],
    )
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    outputs = [f"{name}_after" for name in names]

    def step(x):
        after = session.run(outputs, {"x": x[np.newaxis], **states})
        states.update(zip(names, after, strict=True))
        return after[0]

    return step


CONTENDERS = {
    "ours": stream,
    "bare": bare,
    "plain": plain,
    "torch": by_torch,
    "onnxruntime": by_onnxruntime,
    "predict": predict,
}


def measure(cell, H, n, seconds):
    x, runs = draw(n, D), {}
    for name, make in CONTENDERS.items():
        try:
            step = make(cell, H, n)
        except ImportError:
            continue
        if step is not None:
            runs[name] = partial(step, x[0] if name == "ours" and n == 1 else x)
    two = {name: runs[name] for name in ("ours", "bare")}
    of_two, of_all = (alternate(some, seconds, rounds=2000, of=min) for some in (two, runs))
    ratios = {f"ours / {name}": of_all["ours"] / of_all[name] for name in runs if name != "ours"}
    ratios["ours / bare"] = of_two["ours"] / of_two["bare"]
    return of_all | of_two, ratios


def main():
    options = arguments(
        __doc__,
        PEERS_CELLS,
        add=lambda parser: parser.add_argument("--sizes", nargs="+", type=int, default=[64]),
    )
    results = []
    for H in options.sizes:
        for n in N_SEQUENCES:
            for cell in options.cells:
                times, ratios = measure(cell, H, n, seconds=0.1 if options.quick else 1)
                labels = {"cell": cell, "H": H, "sequences": n}
                results.append(Result(f"{n} sequences", labels, times, ratios))
    report_results("A step of a stream", results, options.json)


if __name__ == "__main__":
    main()
