"""How Sphinx makes the site of docs/: ``sphinx-build -W -b html docs docs/_build/html``."""

import re
from pathlib import Path

from sklearn.experimental import enable_halving_search_cv  # noqa: F401 -- of an example not run

from sklearn_rnn import __version__

EXAMPLES = Path(__file__).parents[1] / "examples"

project = "sklearn_rnn"
author = "the sklearn_rnn developers"
release = version = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]

html_theme = "pydata_sphinx_theme"
html_title = f"sklearn_rnn {version}"
html_sidebars = {"index": []}
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "sklearn_rnn"},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
    "show_prev_next": False,
}
html_context = {"default_mode": "auto"}

# Needs a network: sphinx-build -t online
if tags.has("online"):  # noqa: F821 -- Sphinx has it here
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
    }

# The docstrings' `name` links to what has this name, and is code where nothing has.
default_role = "py:obj"
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!sklearn_rnn\.).*")]  # every name of ours must be found
suppress_warnings = [
    "config.cache",  # of the functions below
    "myst.header",  # the tables of the benchmarks have headings of the third level only
]
numpydoc_show_class_members = False  # autodoc shows them
toc_object_entries_show_parents = "hide"
autodoc_default_options = {"members": True, "inherited-members": True, "member-order": "groupwise"}

myst_heading_anchors = 4


def as_scripts(gallery_conf, script_vars):
    """Have the examples know their place, and draw: the gallery takes the figures they leave."""
    script_vars["example_globals"]["__file__"] = script_vars["src_file"]
    return ["--plot", "../docs/auto_examples/picture.png"]


def wants_another_extra(path):
    """Whether an example says that it wants another extra than `examples`."""
    return re.search(r"'\.\[(?!examples\])", path.read_text(encoding="utf-8"))


FIRST = ["quickstart", "speaker_recognition", "word_stress", "forecasting", "tuning", "explanation"]


def by_topic(path):
    """Begin the gallery with the `FIRST`; the others follow in the order of their names."""
    stem = Path(path).stem
    return *(stem != first for first in FIRST), stem


# What wants another extra is shown, and not run.
run = [path.stem for path in sorted(EXAMPLES.glob("*.py")) if not wants_another_extra(path)]
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": rf"/({'|'.join(run)})\.py$",
    "within_subsection_order": by_topic,
    "reset_argv": as_scripts,
    "parallel": 2,  # examples at a time
    "backreferences_dir": "api/backreferences",
    "doc_module": ("sklearn_rnn",),
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
}

# The pages' links are those of the repository. What they lead to is elsewhere in the site.
LINKS = {
    r"docs/": "",
    r"README\.md": "index.md",
    r"CHANGELOG\.md": "changelog.md",
    r"CONTRIBUTING\.md": "contributing.md",
    r"examples/?(?=\))": "auto_examples/index.rst",
    r"examples/(\w+)\.py": r"auto_examples/\1.rst",
    r"benchmarks/?(?=\))": "benchmarks.md",
    r"benchmarks/README\.md": "benchmarks.md",
    r"(?:benchmarks/)?results/?(?=\))": "results.md",
    r"(?:benchmarks/)?results/(\w+)\.md": r"results.md#\1",
    r"(benchmarks/|LICENSE)": r"../\1",
}


def lead_into_the_site(app, *event):
    content = event[-1]  # a list of one string
    for link, page in LINKS.items():
        content[0] = re.sub(rf"(?<=\]\()(?:\.\./)*{link}", page, content[0])


def is_of_scikit_learn(app, what, name, obj, skip, options):
    return skip or (getattr(obj, "__module__", None) or "").startswith("sklearn.") or None


def setup(app):
    app.connect("source-read", lead_into_the_site)
    app.connect("include-read", lead_into_the_site)
    app.connect("autodoc-skip-member", is_of_scikit_learn)
