# SPDX-License-Identifier: Apache-2.0
"""The report as one HTML file that needs nothing else, under a policy that lets nothing else in.

Invariant: of the recording, only its title stands in the markup, escaped; all else is one block of
base64, which no markup can be made of. Scripts and styles run by the hash of the two that come
with this package: a name that got into the page would still be no script.
"""

import html
import json
import zlib
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files

from fettle import outfile
from fettle.html.payload import collect
from fettle.problem import FETTLE_FAILED, USAGE, Problem, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable

    from fettle._core import Profile, Stats
    from fettle.options import Parsed

DATA = "fettle-data"
ROOT = "fettle"
LEVEL = 5  # of deflate: 6 takes twice as long for 2 %
EMBEDDED_NODES = 20_000  # of a tree in a notebook, which is saved with every output in it

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<div id="{root}"><noscript>This report is drawn by a script within it; allow scripts for this file.\
</noscript></div>
<script type="application/octet-stream" id="{id}">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def page(payload: dict[str, object]) -> bytes:
    """The file: what payload.collect() gave, the script and the style.

    >>> from fettle import _core
    >>> text = page(collect(_core.Profile(), "<b>.fettle")).decode()
    >>> text.partition("<title>")[2].partition("</title>")[0]
    '&lt;b&gt;.fettle - fettle'
    """
    script, style = asset("report.js"), asset("report.css")
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)};"
        " img-src data:; base-uri 'none'; form-action 'none'"
    )
    title, old = str(payload["title"]), payload.get("old")
    name = f"{title} and {old}" if old is not None else title
    return _PAGE.format(
        policy=policy,
        title=html.escape(f"{name} - fettle"),
        style=style,
        root=ROOT,
        id=DATA,
        data=packed(payload),
        script=script,
    ).encode("utf-8", "backslashreplace")


def wanted(parsed: "Parsed") -> tuple[str, bool]:
    """What --html OUT and --no-source of a verb say: the file, and whether sources go into it.

    >>> from fettle.options import Option, parse
    >>> table = [Option("--html", "", "OUT"), Option("--no-source", "")]
    >>> wanted(parse("view", table, ["--html", "app.html"]))
    ('app.html', True)
    """
    if "html" not in parsed.values:
        raise Problem(USAGE, "--no-source is of the HTML file; write --html OUT --no-source.")
    if not parsed.values["html"]:
        raise Problem(USAGE, "--html needs the name of a file.")
    return parsed.values["html"], "no-source" not in parsed.values


def write(
    out: str,
    payload: dict[str, object],
    profiles: "Iterable[Profile | Stats]",
    option: str = "--html",
    inputs: "Iterable[str]" = (),
) -> None:
    """Writes the file, whole or not at all; "-" is stdout. Problem if out is a recording, source of
    what profiles recorded or one of the inputs, or can not be written; option names another.

    >>> from fettle import _core
    >>> write("/dev/null", collect(_core.Profile()), [])
    """
    outfile.check(out, profiles, option, inputs)
    outfile.write(page(payload), out, option)


def packed(payload: dict[str, object]) -> str:
    """The payload as JSON, deflated, in base64.

    >>> from base64 import b64decode
    >>> zlib.decompress(b64decode(packed({"version": 1})))
    b'{"version":1}'
    """
    text = json.dumps(payload, separators=(",", ":"), allow_nan=False, default=_listed)
    return b64encode(zlib.compress(text.encode("ascii"), LEVEL)).decode("ascii")


def _listed(column: "array[int]") -> list[int]:
    return column.tolist()


@cache
def asset(name: str) -> str:
    """The script or the style that comes with the package. Problem if it can not be read;
    ValueError if it would end the element that it stands in."""
    try:
        text = files("fettle.html").joinpath(name).read_text("utf-8")
    except OSError as error:
        raise Problem(
            FETTLE_FAILED,
            f"{name} of the HTML report can not be read: {reason(error)}; install fettle again.",
        ) from error
    for end in ("</script", "</style", "<!--", "<script"):
        if end in text.lower():
            raise ValueError(f"{name} holds {end}, which would end its element; build it again")
    return text


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def embedded(profile: "Profile | Stats", height: int = 480, source: str = "") -> str:
    """The report within another page, as a notebook is one: an iframe that holds all of it, may run
    its script and nothing else of the page around it. height: CSS pixels.

    >>> from fettle import _core
    >>> embedded(_core.Profile(), 300)[:60]
    '<iframe sandbox="allow-scripts" title="recording - fettle" s'
    """
    payload = collect(profile, source, has_cost=False, nodes=EMBEDDED_NODES, is_short=True)
    text = html.escape(page(payload).decode("utf-8"))
    title = html.escape(f"{payload['title']} - fettle")
    style = f"width:100%;height:{int(height)}px;border:0"
    return (
        f'<iframe sandbox="allow-scripts" title="{title}" style="{style}" srcdoc="{text}"></iframe>'
    )
