#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes docs/pictures/*.png: the HTML report of examples, as Chromium draws it.

    .venv/bin/python tools/screenshots.py [FOLDER]

Records examples/weblog.py, then the same with two of its three faults repaired, and photographs
parts of the pages. Needs chromium (`make consumers`).
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.contract.chromium import Chromium  # noqa: E402

WIDTH, HEIGHT = 1200, 1000
RUNS = "5"  # of each side of the comparison
MOST_BYTES = 200_000
PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))"
REPAIRS = [
    (
        'datetime.strptime(when, "%d/%m/%Y %H:%M:%S")',
        "datetime(int(when[6:10]), int(when[3:5]), int(when[:2]), int(when[11:13]))",
    ),
    ("seen = []", "seen = set()"),
    ("seen.append", "seen.add"),
]


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        pages = record(work)
        with Chromium(shutil.which("chromium") or "chromium", work) as browser:
            browser.resize(WIDTH, HEIGHT)
            browser.hide_scrollbars()
            browser.prefer(reduced_motion="reduce")
            photograph(browser, pages, folder)


def record(work: Path) -> dict[str, str]:
    """The address of each report, by its name."""
    fettle = str(Path(sys.executable).with_name("fettle"))
    program = work / "weblog.py"
    text = (ROOT / "examples" / "weblog.py").read_text()
    program.write_text(text)
    run(work, fettle, "run", "-q", "-C", "--repeat", RUNS, "-o", "before.fettle", "weblog.py")
    run(work, fettle, "run", "-q", "-C", "-M", "--lines=weblog.py", "weblog.py")
    for fault, repair in REPAIRS:
        assert fault in text, fault
        text = text.replace(fault, repair)
    program.write_text(text)
    run(work, fettle, "run", "-q", "-C", "--repeat", RUNS, "-o", "after.fettle", "weblog.py")
    write(work, "weblog", work / "weblog.fettle")
    write(work, "change", work / "after.fettle", work / "before.fettle")
    return {name: (work / f"{name}.html").as_uri() for name in ("weblog", "change")}


def run(work: Path, *command: str) -> None:
    subprocess.run(command, cwd=work, check=True, stdout=subprocess.DEVNULL)


def write(work: Path, name: str, new: Path, old: Path | None = None) -> None:
    """The report, without the paths of this machine."""
    from fettle.html import document, payload
    from fettle.html.comparison import Opened

    one = Opened([str(new)])
    if old:
        before = Opened([str(old)])
        sides = before.runs, one.runs
        found = payload.collect(
            one.profile(), one.title(), before.profile(), before.title(), sides=sides
        )
    else:
        found = payload.collect(one.profile(), one.title())
    text = json.dumps(found["header"])
    for path, short in ((sys.executable, "python"), (str(work), "~/weblog")):
        text = text.replace(path, short)
    out = work / f"{name}.html"
    out.write_bytes(document.page(found | {"header": json.loads(text)}))


def photograph(browser: Chromium, pages: dict[str, str], folder: Path) -> None:
    def picture(name: str, *sections: str) -> None:
        browser.ask("scrollTo(0, 0)")
        browser.ask(PAINTED)
        data = browser.picture(**around(browser, sections))
        assert len(data) < MOST_BYTES, f"{name}.png has {len(data)} bytes"
        (folder / f"{name}.png").write_bytes(data)
        print(folder / f"{name}.png", len(data))

    for theme in ("light", "dark"):
        opened(browser, pages["weblog"], theme)
        picture(f"report-{theme}", "header", "#graph")
        if theme == "light":
            select(browser, "count_visitors")
            picture("functions", "#functions")
            picture("source", "#source")
            picture("timeline", "#timeline")
            browser.ask("document.querySelector('[data-choice=allocated]').click()")
            picture("memory", "#graph")
    opened(browser, pages["change"], "light")
    picture("change", "#graph", "#functions")


def opened(browser: Chromium, address: str, theme: str) -> None:
    browser.prefer(color_scheme=theme, reduced_motion="reduce")
    browser.open(address)
    is_ready: Callable[[Chromium], object] = lambda page: page.ask(  # noqa: E731
        "document.documentElement?.dataset.ready ?? ''"
    )
    browser.until(is_ready)
    browser.ask(PAINTED)
    assert browser.complaints == [], browser.complaints


def select(browser: Chromium, name: str) -> None:
    """The row of a function."""
    rows = "[...document.querySelectorAll('#function-table .table-body .table-row')]"
    browser.ask(f"{rows}.find(row => row.textContent.includes({name!r})).click()")
    browser.ask(PAINTED)


def around(browser: Chromium, selectors: tuple[str, ...]) -> dict[str, float]:
    """The part of the page that holds all of these."""
    boxes = [
        browser.ask(
            f"(box => [box.top + scrollY, box.bottom + scrollY])"
            f"(document.querySelector({selector!r}).getBoundingClientRect())"
        )
        for selector in selectors
    ]
    top, bottom = min(box[0] for box in boxes), max(box[1] for box in boxes)
    return {"x": 0, "y": top, "width": WIDTH, "height": bottom - top + 16}


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures")
