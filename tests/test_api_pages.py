"""The site's API reference, docs/api, has every public name once, and no other."""

import re
from email.message import Message
from importlib import import_module
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator
from sklearn.utils import estimator_html_repr

import sklearn_rnn
from sklearn_rnn import RNNRegressor, _documented

PAGES = Path(__file__).parents[1] / "docs" / "api"


def public_names():
    for name in sklearn_rnn.__all__:
        value = getattr(sklearn_rnn, name)
        if hasattr(value, "__all__"):  # a module
            yield from (f"{value.__name__}.{public}" for public in value.__all__)
        elif name != "__version__":
            yield f"sklearn_rnn.{name}"


def names_on(page):
    """The full names in the page's `autosummary` lists."""
    text = page.read_text(encoding="utf-8")
    module = re.search(r"^\.\. currentmodule:: (\S+)$", text, re.MULTILINE)[1]
    lists = re.findall(
        r"^\.\. autosummary::\n   :toctree: generated\n((?:\n|   \w+\n)+)", text, re.M
    )
    return [f"{module}.{name}" for name in " ".join(lists).split()]


def test_every_public_name_is_on_a_page():
    pages = [page for page in PAGES.glob("*.rst") if page.stem != "index"]
    listed = [name for page in pages for name in names_on(page)]
    assert {*listed} == {*public_names()}
    assert len(listed) == len({*listed})


def test_every_page_is_in_the_index():
    index = (PAGES / "index.rst").read_text(encoding="utf-8")
    pages = {page.stem for page in PAGES.glob("*.rst")} - {"index"}
    assert {*re.findall(r"^   (\w+)$", index, re.MULTILINE)} == pages


def public_estimators():
    for name in public_names():
        module, _, public = name.rpartition(".")
        value = getattr(import_module(module), public)
        if isinstance(value, type) and issubclass(value, BaseEstimator):
            yield name, value


def announce(monkeypatch, urls):
    written = Message()
    for url in urls:
        written["Project-URL"] = url
    monkeypatch.setattr(_documented, "metadata", lambda name: written)


@pytest.mark.parametrize(("name", "estimator"), [*public_estimators()])
def test_the_question_mark_in_a_notebook_leads_to_the_page(monkeypatch, name, estimator):
    urls = ["Source, https://example.org/code", "Documentation, https://example.org/docs/"]
    announce(monkeypatch, urls)
    page = f"https://example.org/docs/api/generated/{name}.html"
    assert estimator.__new__(estimator)._get_doc_link() == page


def test_without_an_address_there_is_no_question_mark(monkeypatch):
    announce(monkeypatch, ["Source, https://example.org/code"])
    assert "Online documentation" not in estimator_html_repr(RNNRegressor())
    announce(monkeypatch, ["Documentation, https://example.org/docs"])
    assert "https://example.org/docs/api" in estimator_html_repr(RNNRegressor())
