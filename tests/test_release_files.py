"""Files that a release needs agree with the package's version, and with each other."""

import re
from pathlib import Path

import sklearn_rnn

ROOT = Path(__file__).parents[1]
VERSION = sklearn_rnn.__version__.partition(".dev")[0]
IS_RELEASE = sklearn_rnn.__version__ == VERSION


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_citation_names_the_release():
    (cited,) = re.findall(r"^version: (.+)$", text_of("CITATION.cff"), re.MULTILINE)
    assert cited == VERSION or not IS_RELEASE


def test_the_changelog_has_the_release_on_the_day_of_the_citation():
    (day,) = re.findall(r"^date-released: (.+)$", text_of("CITATION.cff"), re.MULTILINE)
    headings = re.findall(r"^## (.+)$", text_of("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert not IS_RELEASE or headings[1] == f"[{VERSION}] - {day}"


def test_the_workflow_runs_stages_that_there_are():
    functions = set(re.findall(r"^(\w+)\(\)", text_of(".ci/run"), re.MULTILINE))
    named = re.findall(r"\.ci/run ([a-z ]+)$", text_of(".github/workflows/ci.yml"), re.MULTILINE)
    assert named
    assert {stage for stages in named for stage in stages.split()} < functions
