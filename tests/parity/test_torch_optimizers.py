"""The same way as torch's, in float64: optimizers, learning rates, and whole fits."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_rnn import RNNRegressor
from sklearn_rnn.core.optimizers import SOLVERS
from sklearn_rnn.core.schedules import SCHEDULES, Moment

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

from test_torch_parity import (  # noqa: E402, which needs torch
    HIDDEN_SIZE,
    N_INPUTS,
    N_OUTPUTS,
    assert_close,
    tensor,
    torch_twin,
)

# name: (solver, its hyperparameters, the same of torch's)
OPTIMIZERS = {
    "adam": (
        "adam",
        {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-4},
        lambda p: torch.optim.Adam([p], lr=0.1, betas=(0.8, 0.95), eps=1e-4),
    ),
    "adam as it comes": (
        "adam",
        {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8},
        lambda p: torch.optim.Adam([p], lr=0.1),
    ),
    "rmsprop": (
        "rmsprop",
        {"rho": 0.95, "epsilon": 1e-4, "momentum": 0.0},
        lambda p: torch.optim.RMSprop([p], lr=0.1, alpha=0.95, eps=1e-4),
    ),
    "rmsprop with momentum": (
        "rmsprop",
        {"rho": 0.9, "epsilon": 1e-8, "momentum": 0.9},
        lambda p: torch.optim.RMSprop([p], lr=0.1, alpha=0.9, eps=1e-8, momentum=0.9),
    ),
    "sgd": (
        "sgd",
        {"momentum": 0.0, "nesterovs_momentum": False},
        lambda p: torch.optim.SGD([p], lr=0.1),
    ),
    "momentum": (
        "sgd",
        {"momentum": 0.9, "nesterovs_momentum": False},
        lambda p: torch.optim.SGD([p], lr=0.1, momentum=0.9),
    ),
    "nesterov": (
        "sgd",
        {"momentum": 0.9, "nesterovs_momentum": True},
        lambda p: torch.optim.SGD([p], lr=0.1, momentum=0.9, nesterov=True),
    ),
}

N_UPDATES = 50
lr_scheduler = torch.optim.lr_scheduler
# The scheduler of the same formula, for optimizers that start with the rate 0.1. Where the adaptive
# rate is halved, the training loop decides: see test_training.
SCHEDULERS = {
    "constant": lambda o: lr_scheduler.ConstantLR(o, factor=1.0),
    "invscaling": lambda o: lr_scheduler.LambdaLR(o, lambda done: (done + 1) ** -0.7),
    "adaptive": lambda o: lr_scheduler.ConstantLR(o, factor=1.0),
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=N_UPDATES),
    "one_cycle": lambda o: lr_scheduler.OneCycleLR(
        o, max_lr=0.1, total_steps=N_UPDATES, cycle_momentum=False
    ),
}


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_trajectories(optimizer, schedule):
    """Down a bent valley, so that every difference would have its consequences."""
    solver, hyper, torchs = OPTIMIZERS[optimizer]
    theta = np.random.default_rng(0).standard_normal(20)
    curvature = np.geomspace(0.01, 5.0, 20)
    parameter = tensor(theta).requires_grad_()
    theirs = torchs(parameter)
    scheduler = SCHEDULERS[schedule](theirs)
    ours = SOLVERS[solver](SimpleNamespace(**hyper))
    state = ours.init(theta)
    for done in range(N_UPDATES):
        rate = SCHEDULES[schedule](Moment(done + 1, done, N_UPDATES), 0.1, 0.7)
        (expected,) = scheduler.get_last_lr()
        assert rate == pytest.approx(expected, rel=1e-12, abs=1e-15)
        parameter.grad = tensor(curvature) * torch.sin(parameter.detach())
        theirs.step()
        scheduler.step()
        ours.update(theta, curvature * np.sin(theta), state, rate)
        assert_close(theta, parameter)
    assert np.abs(theta - np.random.default_rng(0).standard_normal(20)).max() > 0.1


# An estimator's parameters, and torch's optimizer; rates start at 0.02.
TRAININGS = {
    "adam": ({"solver": "adam"}, lambda p: torch.optim.Adam(p, lr=0.02)),
    "rmsprop": (
        {"solver": "rmsprop", "momentum": 0.5},
        lambda p: torch.optim.RMSprop(p, lr=0.02, alpha=0.9, momentum=0.5),
    ),
    "momentum": (
        {"solver": "sgd", "nesterovs_momentum": False},
        lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9),
    ),
    "nesterov": (
        {"solver": "sgd"},
        lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9, nesterov=True),
    ),
}
# For the adaptive rate, with a tol that no epoch meets.
PLATEAUS = {"factor": 0.5, "patience": 10, "threshold": 1e9, "threshold_mode": "abs"}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("training", TRAININGS)
def test_training(training, schedule):
    """A whole fit, 50 updates with all the samples."""
    parameters, torchs = TRAININGS[training]
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 6, N_INPUTS)), rng.standard_normal((20, N_OUTPUTS))
    model = RNNRegressor(
        standardize=False,
        cell="elman",
        hidden_size=HIDDEN_SIZE,
        alpha=0.0,
        max_grad_norm=None,
        max_iter=N_UPDATES,
        learning_rate=schedule,
        power_t=0.7,
        tol=1e9 if schedule == "adaptive" else 0.0,
        n_iter_no_change=10 if schedule == "adaptive" else N_UPDATES,
        random_state=0,
        **parameters,
    )
    start = clone(model).set_params(solver="sgd", learning_rate_init=1e-300, max_iter=1).fit(X, y)
    network = SimpleNamespace(architecture=start._architecture, parameters=start._parameters)
    layers, output = torch_twin(network, 1)
    layers.bias_hh_l0.requires_grad_(False)  # one bias is enough
    trained = [*layers.parameters(), *output.parameters()]
    optimizer = torchs([p for p in trained if p.requires_grad])
    if schedule == "adaptive":
        scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, **PLATEAUS)
    elif schedule == "one_cycle":
        scheduler = lr_scheduler.OneCycleLR(
            optimizer, max_lr=0.02, total_steps=N_UPDATES, cycle_momentum=False
        )
    else:
        scheduler = SCHEDULERS[schedule](optimizer)
    rates = []
    for _ in range(N_UPDATES):
        optimizer.zero_grad()
        hidden, _ = layers(tensor(X).transpose(0, 1))
        loss = 0.5 * torch.nn.functional.mse_loss(output(hidden[-1]), tensor(y))
        loss.backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step(*[loss.item()] * (schedule == "adaptive"))

    weights = model.set_params(learning_rate_init=0.02).fit(X, y).weights_
    assert model.n_iter_ == N_UPDATES
    assert model.learning_rates_ == pytest.approx(rates, rel=1e-10)
    assert_close(weights["layer_0.W_xh"], layers.weight_ih_l0)
    assert_close(weights["layer_0.W_hh"], layers.weight_hh_l0)
    assert_close(weights["layer_0.b_h"], layers.bias_ih_l0)
    assert_close(weights["output.W_hy"], output.weight)
    assert_close(weights["output.b_y"], output.bias)
    assert np.abs(weights["output.b_y"] - start.weights_["output.b_y"]).max() > 1e-3


@pytest.mark.parametrize("length", [1, 2, 3, 4, 7, 10, 100])
@pytest.mark.parametrize("schedule", ["cosine", "one_cycle"])
def test_cycles_of_any_length(schedule, length):
    optimizer = torch.optim.SGD([tensor(0.0).requires_grad_()], lr=0.1)
    if schedule == "cosine":
        scheduler = lr_scheduler.CosineAnnealingLR(optimizer, T_max=length)
    else:
        scheduler = lr_scheduler.OneCycleLR(
            optimizer, max_lr=0.1, total_steps=length, cycle_momentum=False
        )
    for done in range(length):
        rate = SCHEDULES[schedule](Moment(done + 1, done, length), 0.1, 0.5)
        assert rate == pytest.approx(scheduler.get_last_lr()[0], rel=1e-12, abs=1e-15)
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers(optimizer):
    solver, hyper, torchs = OPTIMIZERS[optimizer]
    rng = np.random.default_rng(0)
    theta = rng.standard_normal(20)
    parameter = tensor(theta).requires_grad_()
    theirs = torchs(parameter)
    ours = SOLVERS[solver](SimpleNamespace(**hyper))
    state = ours.init(theta)
    for step in range(50):
        gradient = rng.standard_normal(20) * 10.0 ** rng.integers(-3, 3)
        rate = 0.1 / (1 + step)
        theirs.param_groups[0]["lr"] = rate
        parameter.grad = tensor(gradient)
        theirs.step()
        ours.update(theta, gradient, state, rate)
        assert_close(theta, parameter)
