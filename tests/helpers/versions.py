"""The one place where tests ask for the version of scikit-learn."""

import pytest
import sklearn


def scikit_learn_since(minor: int, what: str):
    """Mark a test of something that scikit-learn itself has only from version 1.minor on."""
    older = int(sklearn.__version__.split(".")[1]) < minor
    return pytest.mark.skipif(older, reason=f"scikit-learn has {what} from 1.{minor} on")
