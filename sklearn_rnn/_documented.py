"""Where an estimator's page is: the "?" of its diagram in a notebook leads there."""

from importlib.metadata import PackageNotFoundError, metadata


def site() -> str:
    """Return the documentation's address from the metadata of the package; empty if it has none."""
    try:
        urls = metadata("sklearn-rnn").get_all("Project-URL", [])
    except PackageNotFoundError:  # a source tree that is not installed
        return ""
    return dict(url.split(", ", 1) for url in urls).get("Documentation", "")


class Documented:
    """A mixin for estimators, before `BaseEstimator`, which reads these attributes."""

    _doc_link_module = "sklearn_rnn"

    @property
    def _doc_link_template(self) -> str:
        address = site().rstrip("/")
        page = "api/generated/{estimator_module}.{estimator_name}.html"
        return address and f"{address}/{page}"
