# SPDX-License-Identifier: Apache-2.0
"""How Sphinx makes the site of `make docs` from the Markdown files of the project.

The source folder is the root of the project, so that every link leads where it leads on the pages
of a code host. CONTENTS says in which order the pages stand. A warning is an error. Nothing is
fetched, neither to build nor to view.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import docstrings
import fettle
import links
import named

project = "fettle"
author = "the developers of fettle"
project_copyright = "the developers of fettle; Apache-2.0"
version = release = fettle.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
root_doc = "README"
include_patterns = ["*.md", "docs/**"]
exclude_patterns = ["build", ".venv", "**/.*"]
# Types of others, the stand-in for the engine, type variables.
nitpick_ignore_regex = [("py:.*", r"(?!fettle\.).*|fettle\._core\..*|fettle\..*\.[A-Z]")]

myst_heading_anchors = 4
myst_links_external_new_tab = False
suppress_warnings = ["misc.highlighting_failure"]  # sessions have `...` lines in JSON and Python
highlight_language = "text"

autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
maximum_signature_line_length = 80

html_theme = "furo"
html_title = "fettle"
html_static_path = [str(Path(__file__).parent / "static")]
html_css_files = ["fettle.css"]
smartquotes = False
html_copy_source = False
html_show_sourcelink = False
html_additional_pages = {"index": "redirect.html"}
html_theme_options = {"navigation_with_keys": True}
templates_path = [str(Path(__file__).parent / "templates")]
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True

CONTENTS = {
    "Begin": ["docs/tutorial", "docs/guide", "docs/seed"],
    "The commands": [
        f"docs/verbs/{verb}"
        for verb in ("run", "view", "diff", "export", "time", "costs", "dis", "memo")
    ],
    "Where you work": ["docs/html", "docs/notebook", "docs/pytest"],
    "Coming from": [
        f"docs/coming-from/{tool}"
        for tool in ("cprofile", "line_profiler", "tracemalloc", "memray", "joblib")
    ],
    "More on": [],  # the pages of docs/ that are not listed elsewhere
    "Reference": [
        "docs/api",
        "docs/format",
        "docs/snapshot-format",
        "docs/store",
        "docs/codec",
        "docs/bench",
        "CHANGELOG",
    ],
    "For developers": [
        "CONTRIBUTING",
        "ARCHITECTURE",
        "docs/README",
        "docs/invariants",
        "docs/adding-an-exporter",
        "docs/adding-a-probe",
        "docs/adding-a-policy",
        "docs/adr/*",
    ],
}


def more() -> list[str]:
    """The pages of docs/ that CONTENTS does not name."""
    listed = {page for pages in CONTENTS.values() for page in pages}
    pages = (f"docs/{path.stem}" for path in sorted((links.ROOT / "docs").glob("*.md")))
    return [page for page in pages if page not in listed]


def contents() -> str:
    """The table of contents, as MyST writes it."""
    return "".join(
        "\n```{toctree}\n:hidden:\n:glob:\n"
        f":caption: {caption}\n\n" + "\n".join(f"/{page}" for page in pages or more()) + "\n```\n"
        for caption, pages in CONTENTS.items()
    )


def add_contents(app: object, page: str, text: list[str]) -> None:
    """The front page is the README; only here it also says what the site consists of."""
    if page == root_doc:
        text[0] += contents()


def setup(app: named.Application) -> None:
    named.name_the_public()
    app.connect("source-read", add_contents)
    app.connect("source-read", links.of_folders)
    app.connect("doctree-read", links.of_builtins)
    app.connect("autodoc-process-docstring", docstrings.as_restructured_text)
