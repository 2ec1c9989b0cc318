"""Whatever is refused is refused by both estimators, and trains neither."""

import pytest

from refusals import ESTIMATORS


@pytest.fixture(params=ESTIMATORS)
def kind(request):
    return request.param


@pytest.fixture(autouse=True)
def nothing_is_trained(capsys):
    """A refused call is verbose: an epoch would leave a line."""
    yield
    assert capsys.readouterr().out == ""
