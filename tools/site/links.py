# SPDX-License-Identifier: Apache-2.0
"""Links that would lead nowhere, or to the wrong place: they become text."""

import builtins
import re
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s#:]+)\)")


def of_folders(app: object, page: str, text: list[str]) -> None:
    """A link to a folder of the project: only a code host can show one."""
    folder = (ROOT / page).parent

    def plain(link: re.Match[str]) -> str:
        return link[1] if (folder / link[2]).is_dir() else link[0]

    text[0] = LINK.sub(plain, text[0])


def of_builtins(app: object, document: nodes.document) -> None:
    """`bytes` in a signature is Python's, and not an attribute of that name that is described."""
    for reference in list(document.findall(pending_xref)):
        if reference.get("refdomain") == "py" and hasattr(builtins, reference["reftarget"]):
            reference.replace_self(reference.children)
