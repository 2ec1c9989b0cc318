"""The slow, obvious oracle: the textbook's equations, one sequence and one timestep at a time.

Everything is float64. Nothing is packed, padded or vectorised over samples, and nothing is
imported from the package, so that an error there cannot hide here. A name ``dv`` is the
derivative of the total loss with respect to ``v``.
"""

from collections import namedtuple
from types import SimpleNamespace

import numpy as np


def sigmoid(a):
    """σ(a) = 1 / (1 + e^-a), written so that e^-a cannot overflow."""
    return np.exp(-np.logaddexp(0.0, -a))


# name: (f(a), f'(a))
ACTIVATIONS = {
    "tanh": (np.tanh, lambda a: 1.0 - np.tanh(a) ** 2),
    "relu": (lambda a: np.maximum(a, 0.0), lambda a: np.where(a > 0, 1.0, 0.0)),
    "logistic": (sigmoid, lambda a: sigmoid(a) * (1.0 - sigmoid(a))),
    "identity": (lambda a: a, lambda a: np.ones_like(a)),
}


# A cell knows one timestep. `forward` takes the layer's weights `w`, the input x, the state
# (h_prev, c_prev) and the mask m of recurrent dropout, which only the product with W_hh sees (Gal,
# Ghahramani 2016); `backward` takes what `forward` returned and the gradients of (h, c), adds to
# the weight gradients `dw` and returns (dx, dh_prev, dc_prev). Only the LSTM has a c: the other
# cells hand its zeros on.


ElmanStep = namedtuple("ElmanStep", "x h_prev m a h c")


class Elman:
    """h = f(W_xh x + W_hh (m∘h_prev) + b_h)."""

    def __init__(self, activation):
        self.f, self.f_prime = ACTIVATIONS[activation]

    def forward(self, w, x, h_prev, c_prev, m=1.0):
        a = w.W_xh @ x + w.W_hh @ (m * h_prev) + w.b_h
        h = self.f(a)
        return ElmanStep(x, h_prev, m, a, h, c_prev)

    def backward(self, w, step, dh, dc, dw):
        da = dh * self.f_prime(step.a)  # h = f(a)
        dw.b_h += da  # a = … + b_h
        dw.W_hh += np.outer(da, step.m * step.h_prev)  # a = … + W_hh (m h_prev) + …
        dh_prev = step.m * (w.W_hh.T @ da)  # a = … + W_hh (m h_prev) + …
        dw.W_xh += np.outer(da, step.x)  # a = W_xh x + …
        dx = w.W_xh.T @ da  # a = W_xh x + …
        return dx, dh_prev, dc


LSTMStep = namedtuple("LSTMStep", "x h_prev m c_prev o i f g c h")


class LSTM:
    """o, i, f = σ(…), g = tanh(…), c = f∘c_prev + i∘g, h = o∘tanh(c); rows in order o, i, g, f."""

    def __init__(self, activation):
        """`activation` is the Elman cell's; the LSTM has its own."""

    def forward(self, w, x, h_prev, c_prev, m=1.0):
        a = w.W_xh @ x + w.W_hh @ (m * h_prev) + w.b_h
        a_o, a_i, a_g, a_f = np.split(a, 4)
        o = sigmoid(a_o)
        i = sigmoid(a_i)
        f = sigmoid(a_f)
        g = np.tanh(a_g)
        c = f * c_prev + i * g
        h = o * np.tanh(c)
        return LSTMStep(x, h_prev, m, c_prev, o, i, f, g, c, h)

    def backward(self, w, step, dh, dc, dw):
        x, h_prev, m, c_prev, o, i, f, g, c, _ = step
        do = dh * np.tanh(c)  # h = o tanh(c)
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)  # h = o tanh(c), and c of the next step
        dc_prev = dc * f  # c = f c_prev + …
        df = dc * c_prev  # c = f c_prev + …
        di = dc * g  # c = … + i g
        dg = dc * i  # c = … + i g
        da_g = dg * (1 - g**2)  # g = tanh(a_g)
        da_f = df * f * (1 - f)  # f = σ(a_f)
        da_i = di * i * (1 - i)  # i = σ(a_i)
        da_o = do * o * (1 - o)  # o = σ(a_o)
        da = np.concatenate([da_o, da_i, da_g, da_f])  # a_o, a_i, a_g, a_f = split(a)
        dw.b_h += da  # a = … + b_h
        dw.W_hh += np.outer(da, m * h_prev)  # a = … + W_hh (m h_prev) + …
        dh_prev = m * (w.W_hh.T @ da)  # a = … + W_hh (m h_prev) + …
        dw.W_xh += np.outer(da, x)  # a = W_xh x + …
        dx = w.W_xh.T @ da  # a = W_xh x + …
        return dx, dh_prev, dc_prev


GRUStep = namedtuple("GRUStep", "x h_prev m r z q n h c")


class GRU:
    """r, z = σ(…), n = tanh(W_xn x + b_xn + r∘(W_hn h_prev + b_hn)), h = (1-z)∘n + z∘h_prev.

    Rows in the order z, r, n; b_h holds b_z, b_r, b_xn.
    """

    def __init__(self, activation):
        """`activation` is the Elman cell's; the GRU has its own."""

    def forward(self, w, x, h_prev, c_prev, m=1.0):
        u = w.W_xh @ x + w.b_h
        v = w.W_hh @ (m * h_prev)
        u_z, u_r, u_n = np.split(u, 3)
        v_z, v_r, v_n = np.split(v, 3)
        r = sigmoid(u_r + v_r)
        z = sigmoid(u_z + v_z)
        q = v_n + w.b_hn
        n = np.tanh(u_n + r * q)
        h = (1 - z) * n + z * h_prev
        return GRUStep(x, h_prev, m, r, z, q, n, h, c_prev)

    def backward(self, w, step, dh, dc, dw):
        x, h_prev, m, r, z, q, n, _, _ = step
        dh_prev = dh * z  # h = … + z h_prev
        dz = dh * (h_prev - n)  # h = (1-z) n + z h_prev
        dn = dh * (1 - z)  # h = (1-z) n + …
        du_n = dn * (1 - n**2)  # n = tanh(u_n + r q)
        dr = du_n * q  # n = tanh(u_n + r q)
        dq = du_n * r  # n = tanh(u_n + r q)
        dw.b_hn += dq  # q = v_n + b_hn
        dv_n = dq  # q = v_n + b_hn
        du_z = dv_z = dz * z * (1 - z)  # z = σ(u_z + v_z)
        du_r = dv_r = dr * r * (1 - r)  # r = σ(u_r + v_r)
        dv = np.concatenate([dv_z, dv_r, dv_n])  # v_z, v_r, v_n = split(v)
        du = np.concatenate([du_z, du_r, du_n])  # u_z, u_r, u_n = split(u)
        dw.W_hh += np.outer(dv, m * h_prev)  # v = W_hh (m h_prev)
        dh_prev = dh_prev + m * (w.W_hh.T @ dv)  # v = W_hh (m h_prev), and h = … + z h_prev above
        dw.b_h += du  # u = … + b_h
        dw.W_xh += np.outer(du, x)  # u = W_xh x + …
        dx = w.W_xh.T @ du  # u = W_xh x + …
        return dx, dh_prev, dc


CELLS = {"elman": Elman, "lstm": LSTM, "gru": GRU}


def layer_forward(cell, w, xs, m):
    """Run one layer over one sequence; the steps, whose ``h`` are the layer's outputs."""
    h = c = np.zeros(w.W_hh.shape[1])
    steps = []
    for x in xs:
        step = cell.forward(w, x, h, c, m)
        h, c = step.h, step.c
        steps.append(step)
    return steps


def layer_backward(cell, w, steps, dhs, dw):
    """Go back over one sequence, `dhs` coming from above; the gradients of the layer's inputs."""
    dh = dc = np.zeros(w.W_hh.shape[1])
    dxs = []
    for step, dh_above in zip(reversed(steps), reversed(dhs), strict=True):
        dx, dh, dc = cell.backward(w, step, dh + dh_above, dc, dw)  # h went up and to the next step
        dxs.append(dx)
    return dxs[::-1]


def squared_error(raw, y):
    """1/(2 n_outputs) Σ_k (ŷ_k - y_k)², and its gradient."""
    y = np.asarray(y, dtype=np.float64)
    assert y.shape == raw.shape, f"target {y.shape}, output {raw.shape}"
    return np.sum((raw - y) ** 2) / (2 * len(raw)), (raw - y) / len(raw)


def absolute_error(raw, y):
    """1/n_outputs Σ_k |ŷ_k - y_k|."""
    return np.mean(np.abs(raw - y)), np.sign(raw - y) / len(raw)


def huber(raw, y, delta):
    """1/n_outputs Σ_k of r²/2 where |r| <= δ, of δ (|r| - δ/2) elsewhere; r_k = ŷ_k - y_k."""
    values, slopes = [], []
    for r in raw - y:
        near = abs(r) <= delta
        values.append(r**2 / 2 if near else delta * (abs(r) - delta / 2))
        slopes.append(r if near else delta * np.sign(r))
    return np.mean(values), np.array(slopes) / len(raw)


def quantile(raw, y, q):
    """1/n_outputs Σ_k of q (y_k - ŷ_k) where y_k > ŷ_k, of (1-q) (ŷ_k - y_k) elsewhere."""
    values = [q * (t - p) if t > p else (1 - q) * (p - t) for p, t in zip(raw, y, strict=True)]
    slopes = [-q if t > p else 1 - q for p, t in zip(raw, y, strict=True)]
    return np.mean(values), np.array(slopes) / len(raw)


def non_crossing(raw, qs):
    """The quantiles (n_quantiles, n_targets) of raw, and d quantile / d raw of each pair of them.

    The quantile nearest to the median is raw itself. From there, each further one is softplus(raw)
    away from its neighbour.
    """
    rows = np.reshape(raw, (len(qs), -1))
    base = min(range(len(qs)), key=lambda k: abs(qs[k] - 0.5))
    values, slopes = np.zeros(rows.shape), np.zeros((len(qs), *rows.shape))
    for k in range(len(qs)):
        values[k], slopes[k, base] = rows[base], 1.0
        for i in [*range(base + 1, k + 1), *range(k, base)]:  # those between the base and k
            sign = 1.0 if k > base else -1.0
            values[k] += sign * np.logaddexp(0.0, rows[i])
            slopes[k, i] = sign * sigmoid(rows[i])
    return values, slopes


def several_quantiles(raw, y, qs):
    """The mean of `quantile` over several q, whose predictions can't cross."""
    values, slopes = non_crossing(raw, qs)
    losses, d_raw = [], np.zeros(values.shape)
    for k, q in enumerate(qs):
        value, d_value = quantile(values[k], y, q)
        losses.append(value)
        d_raw += slopes[k] * d_value / len(qs)
    return np.mean(losses), d_raw.ravel()


def mean_and_deviation(raw):
    """The first half of the raw outputs as they are; softplus(raw) + 0.001 of the others."""
    n = len(raw) // 2
    return raw[:n], np.logaddexp(0.0, raw[n:]) + 1e-3


def gaussian(raw, y):
    """1/n_targets Σ_k of -log p(y_k), without a constant, for a normal distribution."""
    mean, deviation = mean_and_deviation(raw)
    variance, residual = deviation**2, mean - y
    value = np.mean(residual**2 / (2 * variance) + np.log(variance) / 2)
    d_deviation = -(residual**2) / deviation**3 + 1 / deviation
    d_raw = np.concatenate([residual / variance, d_deviation * sigmoid(raw[len(y) :])])
    return value, d_raw / len(y)


def poisson(raw, y):
    """1/n_outputs Σ_k [e^raw_k - y_k raw_k], which is -log p(y_k) of the mean e^raw_k, + const."""
    return np.mean(np.exp(raw) - y * raw), (np.exp(raw) - y) / len(raw)


def softmax(raw, label, s=0.0):
    """-Σ_k q_k log softmax(raw)_k, and its gradient; q = (1-s) onehot(label) + s / n_classes."""
    log_sum = np.logaddexp.reduce(raw)
    assert 0 <= label < len(raw), f"class {label} of {len(raw)}"
    q = np.full(len(raw), s / len(raw))
    q[label] += 1.0 - s
    return np.sum(q * (log_sum - raw)), np.exp(raw - log_sum) - q


def binary_cross_entropy(raw, y, s=0.0):
    """-Σ_k [q_k log σ(raw_k) + (1-q_k) log(1-σ(raw_k))] = Σ_k [log(1+e^raw_k) - q_k raw_k].

    q_k is y_k, but 1 - s/2 for 1 and s/2 for 0.
    """
    y = np.asarray(y, dtype=np.float64)
    assert y.shape == raw.shape, f"target {y.shape}, output {raw.shape}"
    q = np.where(y == 1, 1 - s / 2, s / 2)
    return np.sum(np.logaddexp(0.0, raw) - q * raw), sigmoid(raw) - q


LOSSES = {
    "squared_error": squared_error,
    "absolute_error": absolute_error,
    "huber": huber,
    "quantile": quantile,
    "several_quantiles": several_quantiles,
    "gaussian": gaussian,
    "poisson": poisson,
    "softmax": softmax,
    "sigmoid": binary_cross_entropy,
}


def by_layer(arrays):
    """Split ``{"layer_0.W_xh": …, "output.b_y": …}`` into ([layer 0, layer 1, …], output).

    A layer is a list: the weights of its one direction, or of the forward and the reverse one.
    """
    parts = {}
    for name, array in arrays.items():
        part, letter = name.rsplit(".", 1)
        setattr(parts.setdefault(part, SimpleNamespace()), letter, array)
    output = parts.pop("output")
    layers = []
    while f"layer_{len(layers)}" in parts:
        name = f"layer_{len(layers)}"
        layers.append([parts[part] for part in (name, f"{name}.reverse") if part in parts])
    return layers, output


def directions_forward(cell, directions, xs, m):
    """Run one layer's directions over one sequence, the second from its end; steps in that order.

    Returns the steps of each, and h of both at each timestep of the sequence.
    """
    H = directions[0].W_hh.shape[1]
    steps = [layer_forward(cell, directions[0], xs, m[:H])]
    hs = [step.h for step in steps[0]]
    if len(directions) == 2:
        steps.append(layer_forward(cell, directions[1], xs[::-1], m[H:]))
        hs = [np.concatenate([h, step.h]) for h, step in zip(hs, reversed(steps[1]), strict=True)]
    return steps, hs


def directions_backward(cell, directions, steps, dhs, d_directions):
    """Go back over one sequence; the gradients of the layer's inputs."""
    H = directions[0].W_hh.shape[1]
    dxs = layer_backward(cell, directions[0], steps[0], [dh[:H] for dh in dhs], d_directions[0])
    if len(directions) == 2:
        dhs_reverse = [dh[H:] for dh in reversed(dhs)]
        more = layer_backward(cell, directions[1], steps[1], dhs_reverse, d_directions[1])
        dxs = [dx + other for dx, other in zip(dxs, reversed(more), strict=True)]
    return dxs


def network_forward(weights, sequence, cell, masks=None):
    """All the layers over one sequence, layer k+1 reading layer k's h; a recurrent mask for each.

    Returns the steps of each layer, and the top one's h at each timestep.
    """
    layers, _ = by_layer(weights)
    xs = list(np.asarray(sequence, dtype=np.float64))
    steps_of_layers = []
    if masks is None:
        masks = [np.ones(sum(w.W_hh.shape[1] for w in directions)) for directions in layers]
    for directions, m in zip(layers, masks, strict=True):
        steps, xs = directions_forward(cell, directions, xs, m)
        steps_of_layers.append(steps)
    return steps_of_layers, xs


# The (place, factor) of the values that a pool adds up, given a unit's values over time.
POOLS = {
    "last": lambda values: [(len(values) - 1, 1.0)],
    "mean": lambda values: [(k, 1 / len(values)) for k in range(len(values))],
    "max": lambda values: [(np.argmax(values), 1.0)],  # the first one, if there are several
}


def readings(hs, directions, return_sequences, pooling):
    """For each target, for each feature that the output layer reads, its (t, unit, factor).

    The feature is Σ factor h_t[unit]. A pool takes h in the order in which its direction reads.
    """
    H = directions[0].W_hh.shape[1]
    units = range(len(hs[0]))
    if return_sequences:
        return [[[(t, unit, 1.0)] for unit in units] for t in range(len(hs))]
    features = []
    for name in pooling:
        for unit in units:
            ts = range(len(hs)) if unit < H else range(len(hs))[::-1]
            terms = POOLS[name]([hs[t][unit] for t in ts])
            features.append([(ts[k], unit, factor) for k, factor in terms])
    return [features]


def read(hs, features):
    """The features of one target."""
    return np.array([sum(f * hs[t][unit] for t, unit, f in terms) for terms in features])


def read_backward(features, d_features, dhs):
    """Add to the gradients on h."""
    for terms, d in zip(features, d_features, strict=True):
        for t, unit, f in terms:
            dhs[t][unit] += f * d  # feature = Σ f h_t[unit]


def forward(
    weights, sequences, *, cell, activation="tanh", return_sequences=False, pooling=("last",)
):
    """Raw outputs, a list of (n_outputs,) or, with `return_sequences`, of (T_i, n_outputs)."""
    weights = {name: np.asarray(array, dtype=np.float64) for name, array in weights.items()}
    layers, output = by_layer(weights)
    outputs = []
    for sequence in sequences:
        _, hs = network_forward(weights, sequence, CELLS[cell](activation))
        raws = []
        for features in readings(hs, layers[-1], return_sequences, pooling):
            raws.append(output.W_hy @ read(hs, features) + output.b_y)
        outputs.append(np.array(raws) if return_sequences else raws[0])
    return outputs


def loss_and_gradients(
    weights,
    sequences,
    targets,
    *,
    cell,
    activation="tanh",
    return_sequences=False,
    pooling=("last",),
    loss,
    sample_weight=None,
    alpha=0.0,
    recurrent_masks=None,
    **loss_parameters,
):
    """The total loss Σ w l / Σ w + alpha/2 Σ W² / n, and its gradients, by name and by input.

    n is the sum over sequences of the mean weight of their steps: the number of sequences when
    there are no weights, the sum of the weights when there is one for each sequence.
    `recurrent_masks` are, for each sequence, those of its layers.
    """
    weights = {name: np.asarray(array, dtype=np.float64) for name, array in weights.items()}
    gradients = {name: np.zeros_like(array) for name, array in weights.items()}
    layers, output = by_layer(weights)
    d_layers, d_output = by_layer(gradients)  # the same arrays: what is added here is added there
    cell = CELLS[cell](activation)

    # For each sequence, the weights and the targets of the steps that have an output.
    sample_weight = [1.0] * len(sequences) if sample_weight is None else sample_weight
    lengths = [len(sequence) if return_sequences else 1 for sequence in sequences]
    ws = [np.ones(T) * w for T, w in zip(lengths, sample_weight, strict=True)]
    ys = targets if return_sequences else [[y] for y in targets]
    sum_w = sum(np.sum(w) for w in ws)
    n = sum(np.mean(w) for w in ws)

    recurrent_masks = recurrent_masks or [None] * len(sequences)

    total = 0.0
    input_gradients = []
    for sequence, y, w, masks in zip(sequences, ys, ws, recurrent_masks, strict=True):
        steps_of_layers, hs = network_forward(weights, sequence, cell, masks)
        dhs = [np.zeros_like(h) for h in hs]
        targets_read = readings(hs, layers[-1], return_sequences, pooling)
        for features, y_t, w_t in zip(targets_read, y, w, strict=True):
            h = read(hs, features)
            raw = output.W_hy @ h + output.b_y
            value, dvalue = LOSSES[loss](raw, y_t, **loss_parameters)
            total += w_t * value / sum_w
            draw = dvalue * w_t / sum_w  # total += w l / Σ w
            d_output.b_y += draw  # raw = … + b_y
            d_output.W_hy += np.outer(draw, h)  # raw = W_hy h + …
            read_backward(features, output.W_hy.T @ draw, dhs)  # raw = W_hy h + …
        for k in reversed(range(len(layers))):  # the inputs of layer k are the h of layer k-1
            dhs = directions_backward(cell, layers[k], steps_of_layers[k], dhs, d_layers[k])
        input_gradients.append(np.array(dhs))

    for name, array in weights.items():
        if name.split(".")[-1].startswith("W_"):
            total += alpha / 2 * np.sum(array**2) / n
            gradients[name] += alpha * array / n  # total += alpha/2 Σ W² / n
    return float(total), gradients, input_gradients
