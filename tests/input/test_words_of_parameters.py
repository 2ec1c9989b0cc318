"""Values that other libraries give to a parameter of that name."""

import numpy as np
import pytest

from fits import ESTIMATORS

WRONG = {
    "rate": ({"learning_rate": 0.01}, r"learning_rate_init=0\.01"),
    "sizes": ({"hidden_size": (64, 64)}, "n_layers=2"),
    "list of sizes": ({"hidden_size": [8, 8, 8]}, "n_layers=3"),
    "batch_size": ({"batch_size": None}, "'auto' or an integer"),
    "bptt_steps": ({"bptt_steps": "auto"}, "None or an integer"),
    "max_grad_norm": ({"max_grad_norm": "auto"}, "None or a number"),
    "max_grad_value": ({"max_grad_value": "auto"}, "None or a number"),
}


@pytest.mark.parametrize(("parameters", "words"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_errors_name_the_parameter_that_is_meant(kind, parameters, words):
    with pytest.raises((TypeError, ValueError), match=words):
        ESTIMATORS[kind](**parameters).fit(np.zeros((4, 2, 1)), [0, 1, 0, 1])
