"""Clean alice.txt, the text of "Alice's Adventures in Wonderland".

The source distribution of ``brotli`` carries the text of the Canterbury Corpus::

    pip download --no-deps --no-binary brotli brotli
    tar xzf brotli-*.tar.gz --wildcards "*/alice29.txt"
    python examples/data/make_alice.py brotli-*/tests/testdata/alice29.txt
"""

import re
import sys
from pathlib import Path

BEFORE = "THE MILLENNIUM FULCRUM EDITION 2.9"  # the end of the title page
AFTER = "THE END"


def main(source):
    text = source.read_text(encoding="ascii").partition(BEFORE)[2].partition(AFTER)[0]
    text = text.replace("`", "'")
    text = re.sub(r"-\n *(?=\S)", "-", text)  # "looking-" and "glass" are one word
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text)]
    # Rows of asterisks stand for breaks, and underscores for italics.
    kept = [part.replace("_", "") for part in paragraphs if part.strip("* ")]
    Path(__file__).with_name("alice.txt").write_text("\n".join(kept) + "\n", encoding="ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
