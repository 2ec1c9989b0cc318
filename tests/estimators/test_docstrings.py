"""What the docstrings of both estimators say of the same thing, they say in the same words.

They repeat it, as scikit-learn's do: what an editor shows without running the code, and what a
reader of the source sees, is all there. So that the two can't drift apart, there is this test.
"""

import inspect
import re

import pytest

from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn.core.cells import CELLS

# What is one thing to the regressor and another to the classifier.
OWN_WORDS = {
    "Parameters": {"loss", "early_stopping"},
    "Attributes": {"n_outputs_", "validation_scores_"},
}


def section(doc, title):
    """The lines of a section, without its title."""
    _, _, rest = doc.partition(f"\n{title}\n{'-' * len(title)}\n")
    return re.split(r"\n\n[A-Z][A-Za-z ]+\n-{3,}\n", rest)[0]


def references(doc):
    """What each number in brackets stands for."""
    entries = re.split(r"^\.\. \[(\d+)\] ", section(doc, "References"), flags=re.M)[1:]
    return dict(zip(entries[::2], (" ".join(text.split()) for text in entries[1::2]), strict=True))


def entries(doc, title):
    """What a section says of each name, its type included; references in full."""
    known = references(doc)
    parts = re.split(r"^(\w+(?:, \w+)*) : ", section(doc, title), flags=re.M)[1:]
    in_full = (re.sub(r"\[(\d+)\]_", lambda m: known[m[1]], text) for text in parts[1::2])
    return dict(zip(parts[::2], (" ".join(text.split()) for text in in_full), strict=True))


DOCS = [inspect.getdoc(estimator) for estimator in (RNNRegressor, RNNClassifier)]


@pytest.mark.parametrize("title", OWN_WORDS)
def test_shared_names_are_described_in_the_same_words(title):
    regressor, classifier = (entries(doc, title) for doc in DOCS)
    shared = regressor.keys() & classifier.keys()
    assert len(shared) > 12
    differing = {name for name in shared if regressor[name] != classifier[name]}
    assert differing == OWN_WORDS[title]


def test_the_equations_are_the_same():
    equations = []
    for doc in DOCS:
        of_cells = section(doc, "Notes").partition("With h_0")[2]
        of_cells = re.sub(r"\[(\d+)\]_", lambda m, doc=doc: references(doc)[m[1]], of_cells)
        equations.append(" ".join(of_cells.split()))
    assert equations[0].count("W_hh") > 1
    assert equations[0] == equations[1]


@pytest.mark.parametrize("doc", DOCS, ids=["regressor", "classifier"])
@pytest.mark.parametrize("name", CELLS)
def test_every_cell_is_described(doc, name):
    """What a cell declares stands in both docstrings; a new cell needs a line in each of them."""
    cell = CELLS[name]
    choices = entries(doc, "Parameters")["cell"].partition("}")[0]
    assert f'"{name}"' in choices, f"the parameter `cell` doesn't list {name!r}"
    notes = "".join(section(doc, "Notes").split())
    line = f"- {name}: {cell.equations}"
    assert "".join(line.split()) in notes, f"Notes lack the line {line}"
    gates = ", ".join(cell.gates)
    if len(cell.gates) > 1:
        weights = entries(doc, "Attributes")["weights_"]
        assert f" {gates} for the {name.upper()}" in weights, f"weights_ lacks the gates {gates}"
    known = entries(doc, "Parameters")["activation"].partition("}")[0]
    assert all(f'"{activation}"' in known for activation in cell.activations)


@pytest.mark.parametrize("doc", DOCS, ids=["regressor", "classifier"])
def test_every_reference_is_referred_to(doc):
    text, _, _ = doc.partition("\nReferences\n")
    referred_to = set(re.findall(r"\[(\d+)\]_", text))
    assert referred_to == set(references(doc))
    assert sorted(map(int, referred_to)) == [*range(1, len(referred_to) + 1)]


@pytest.mark.parametrize("estimator", [RNNRegressor, RNNClassifier])
def test_help_begins_with_an_example(estimator):
    """It ends within 40 lines of 80 columns, the signature included.

    Python 3.13 and later print a parameter a line. The signature is counted here as if it were
    written on, as earlier versions have it, so that the test says the same in all of them.
    """
    begins = inspect.getdoc(estimator).partition("Parameters\n-----")[0]
    signature = f"{estimator.__name__}{inspect.signature(estimator)}"
    lines = ["Help on ...", "", "class ...", signature, "", *begins.splitlines()]
    example = next(k for k, line in enumerate(lines) if line.startswith(">>> "))
    end = lines.index("", example)
    shown = [" |  " + line for line in lines[:end]]
    assert sum(-(-len(line) // 80) for line in shown) <= 40
    assert "fit(" in "\n".join(lines[example:end])


def test_each_parameter_has_one_topic():
    """The lists have them in their order, and a shared parameter has the same topic in both."""
    topics = []
    for estimator, doc in zip((RNNRegressor, RNNClassifier), DOCS, strict=True):
        listed = doc.partition("The parameters by topic")[2].partition("Parameters\n-----")[0]
        lists = re.findall(r"^- ([a-z ]+): ((?:``\w+``,?\s+)+)", listed, flags=re.M)
        topic_of = [(name, topic) for topic, names in lists for name in re.findall(r"\w+", names)]
        assert [name for name, _ in topic_of] == list(inspect.signature(estimator).parameters)
        assert len(lists) > 3
        topics.append(dict(topic_of))
    regressor, classifier = topics
    shared = regressor.keys() & classifier.keys()
    assert {name: regressor[name] for name in shared} == {n: classifier[n] for n in shared}
