"""Groups of sequences, such as the recordings of a speaker."""

import numpy as np
from sklearn.utils import column_or_1d

from sklearn_rnn._input.containers import opened
from sklearn_rnn._input.content import missing
from sklearn_rnn._input.errors import about
from sklearn_rnn._input.sequences import Sequences
from sklearn_rnn._input.targets import check_count


@about("groups")
def read_groups(groups, X: Sequences) -> np.ndarray | None:
    """Return the number of each sequence's group, (n,); None without groups."""
    if groups is None:
        return None
    groups = column_or_1d(opened(groups, "groups"))
    check_count(len(groups), X, "groups")
    is_missing = missing(groups)
    if is_missing.any():
        sample = int(is_missing.argmax())
        raise ValueError(
            f"groups has no group for sample {sample}: it is {groups[sample]}. Every sequence "
            "needs a group; give those without one a group of their own."
        )
    return np.unique(groups, return_inverse=True)[1]
