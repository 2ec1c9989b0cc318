"""The code of the documentation's pages."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def definition(page: str, name: str) -> str:
    """Return the code of a class or function, without the blocks of Python around it."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.findall(rf"^(?:class|def) {name}\b.*\n(?:(?: .*)?\n)+?(?=\S)", text, re.MULTILINE)
    assert len(found) == 1, f"{page} defines {name} {len(found)} times."
    return found[0]
