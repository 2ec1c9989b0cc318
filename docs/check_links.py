"""Check the links inside a built site: ``python docs/check_links.py docs/_build/html``."""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append(value)
            elif name == "id":
                self.anchors.add(value)


def broken(pages):
    """Yield each link that leads nowhere, with its page."""
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not target.is_file() or (
                anchor and target in pages and anchor not in pages[target].anchors
            ):
                yield path, link


def main(site):
    paths = [path for path in Path(site).resolve().rglob("*.html") if "_static" not in path.parts]
    pages = {path: Page(path) for path in paths}
    wrong = [f"{path}: {link}" for path, link in broken(pages)]
    print(*wrong, f"{len(pages)} pages, {len(wrong)} broken links", sep="\n")
    sys.exit(not pages or len(wrong) > 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
