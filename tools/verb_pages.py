# SPDX-License-Identifier: Apache-2.0
"""verb_pages.py: writes what `fettle VERB --help` prints to the end of docs/verbs/VERB.md.

The tests hold the two together; this is for whoever has changed an option.
"""

import importlib
from pathlib import Path

from fettle.cli import verbs

PAGES = Path(__file__).resolve().parent.parent / "docs" / "verbs"
BEGIN = "```text\nusage: "


def with_help(page: str, text: str) -> str:
    """The page with the text in the place of its last block, which begins with "usage: "."""
    before, begin, _ = page.rpartition(BEGIN)
    return f"{before if begin else page}```text\n{text}\n```\n"


def main() -> None:
    for verb in verbs():
        path = PAGES / f"{verb}.md"
        text: str = importlib.import_module(f"fettle.cli.{verb}").HELP
        page = path.read_text(encoding="utf-8")
        new = with_help(page, text.strip("\n"))
        if new != page:
            path.write_text(new, encoding="utf-8")
            print(f"docs/verbs/{verb}.md has the new help")


if __name__ == "__main__":
    main()
