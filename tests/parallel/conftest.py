"""Worker processes in the tests, whatever the machine has and the fit is worth."""

import pytest

from sklearn_rnn import _fitted, _jobs
from sklearn_rnn._parallel.team import Team
from sklearn_rnn._training import descent


@pytest.fixture
def with_workers(monkeypatch):
    """Fits and predictions with n_jobs have so many workers; the function returns their teams."""
    teams = []

    class Recorded(Team):
        def __init__(self, n_workers):
            super().__init__(n_workers)
            teams.append(self)

    for module, rule in ((descent, "fit_workers"), (_fitted, "predict_workers")):
        monkeypatch.setattr(module, rule, lambda n_jobs, *_: n_jobs or 1)
    for module in (descent, _jobs):
        monkeypatch.setattr(module, "Team", Recorded)
    return teams
