"""The site's API reference, docs/api, has every public name once, and no other."""

import re
from pathlib import Path

import sklearn_rnn

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
    assert sorted(listed) == sorted(public_names())


def test_every_page_is_in_the_index():
    index = (PAGES / "index.rst").read_text(encoding="utf-8")
    pages = {page.stem for page in PAGES.glob("*.rst")} - {"index"}
    assert {*re.findall(r"^   (\w+)$", index, re.MULTILINE)} == pages
