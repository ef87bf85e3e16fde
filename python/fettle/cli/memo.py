# SPDX-License-Identifier: Apache-2.0
"""`fettle memo`: what lies in a persistent cache, and making it smaller."""

import sys

from fettle.options import HelpWanted, Option, Parsed, help_lines, parse
from fettle.problem import CHECK_FAILED, UNREADABLE, USAGE, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from fettle.caching.look import Looked
    from fettle.caching.remote import Remote
    from fettle.report.kept import Whole

SUMMARY = "what lies in a persistent cache: ls, stat, prune, clear"

KEYS = ("bytes", "entries", "hits", "saved", "oldest", "used", "name")
MANY = 20_000  # results, from which on counting them takes so long that one wants to see it

TRUSTED = Option("--trusted", "of a server: its values are not signed, as with Memo(trusted=True)")
JSON = Option("--json", "as JSON")
SORT = Option("-s --sort", "sort by KEY (bytes)", "KEY")
ROWS = Option("-n --rows", "so many functions (30; 0: all)", "ROWS")
MAX_BYTES = Option("--max-bytes", "until the folder takes so much at most: 500MB", "SIZE")
MAX_AGE = Option("--max-age", "what was last used so long ago: 30d, 12h, 90m, 45s", "AGE")
MAX_ITEMS = Option("--max-items", "until so many results are left", "N")
FUNCTION = Option("--function", "only results of functions that GLOB matches", "GLOB")
YES = Option("-y --yes", "do not ask")

OPTIONS = {
    "ls": [SORT, ROWS, JSON, TRUSTED],
    "stat": [JSON, TRUSTED],
    "prune": [MAX_BYTES, MAX_AGE, MAX_ITEMS],
    "clear": [FUNCTION, YES, TRUSTED],
}

HELP = f"""\
usage: fettle memo ls|stat|prune|clear [DIR|URL] [OPTIONS]

What fettle.Memo keeps in DIR, or fettle.compat.joblib's Memory; without DIR in the user's cache
folder (FETTLE_CACHE_DIR). URL is redis://HOST and what else fettle.Memo takes; what is signed there
is read with FETTLE_CACHE_KEY. Nothing is made by looking, and no result is decoded.

ls: a row for each function: its results, their bytes, hits and the time that they saved, the age of
the oldest result, and how long ago one was used.
{help_lines([SORT, ROWS])}

stat: the whole.

prune: forget what has not been used for longest.
{help_lines(OPTIONS["prune"])}

clear: forget results. On a terminal you are asked before; an answer that is not yes ends with
code 1.
{help_lines([FUNCTION, YES])}

Of several:
{help_lines([JSON, TRUSTED])}

KEY is one of {", ".join(KEYS)}.

  fettle memo ls
  fettle memo ls .cache -s saved
  fettle memo prune .cache --max-bytes 500MB --max-age 30d
  fettle memo clear .cache --function 'app.report.*'"""


def main(words: list[str]) -> int:
    action = words[0] if words else ""
    if action in {"-h", "--help"}:
        raise HelpWanted
    if action not in OPTIONS:
        wrong = f"there is no fettle memo {action}" if action else "fettle memo does nothing alone"
        raise Problem(
            USAGE, f"{wrong}; write `fettle memo ls`, `stat`, `prune` or `clear`, and a folder."
        )
    parsed = parse(f"memo {action}", OPTIONS[action], words[1:], mixed=True)
    if len(parsed.words) > 1:
        raise Problem(USAGE, f"fettle memo {action} takes one folder, not {len(parsed.words)}.")
    place = parsed.words[0] if parsed.words else ""
    if parsed.words and not place:
        raise Problem(
            USAGE,
            "the name of the folder is empty; write one, or nothing for the user's cache folder.",
        )
    if "://" in place:
        return _of_server(action, place, parsed)
    if "trusted" in parsed.values:
        raise Problem(USAGE, "--trusted is of a server, and a folder has owners; leave it out.")
    return {"ls": _list, "stat": _stat, "prune": _prune, "clear": _clear}[action](place, parsed)


def _of_server(action: str, url: str, parsed: Parsed) -> int:
    if action == "prune":
        raise Problem(
            USAGE,
            "fettle memo prune is of folders; a server drops results by itself, by its "
            "maxmemory-policy and the ttl of fettle.Memo.",
        )
    if action == "clear":
        return _clear_server(url, parsed)
    return _report(action, parsed, lambda: _server_whole(_remote(url, parsed)))


# ---- looking ----


def _list(place: str, parsed: Parsed) -> int:
    return _report("ls", parsed, lambda: _whole(_looked(place)))


def _stat(place: str, parsed: Parsed) -> int:
    return _report("stat", parsed, lambda: _whole(_looked(place)))


def _report(action: str, parsed: Parsed, look: "Callable[[], Whole]") -> int:
    from fettle.report import kept

    key = parsed.values.get("sort", "bytes")
    rows = parsed.number("rows", 30)
    if key not in kept.ORDERS:
        raise Problem(USAGE, f"there is no order {key!r}; -s takes one of {', '.join(KEYS)}.")
    whole = look()
    if "json" in parsed.values:
        every = rows if "rows" in parsed.values else 0
        text = kept.list_as_json(whole, key, every) if action == "ls" else kept.whole_as_json(whole)
        print(text)
    elif action == "ls":
        kept.show_list(whole, key, rows, sys.stdout)
    else:
        kept.show_whole(whole, sys.stdout)
    return 0


def _looked(place: str) -> "Looked":
    from fettle.caching.look import Looked
    from fettle.caching.memo import default_folder

    if place:
        return Looked(place)
    folder = default_folder()
    try:
        return Looked(folder)
    except Problem as problem:
        from os.path import lexists

        if lexists(folder):
            raise
        raise Problem(
            problem.code,
            f"no results are kept in {folder}; name the folder that was given to fettle.Memo.",
        ) from None


def _whole(looked: "Looked") -> "Whole":
    from fettle.caching.memo import function_stats
    from fettle.report.kept import Whole

    entries, taken, _ = looked.store.measure()
    with _progress("looking at results", entries) as tick:
        looked.on_entry = tick
        functions = function_stats(looked)
    return Whole(looked.path, taken, functions, counted=True)


# ---- making it smaller ----


def _prune(place: str, parsed: Parsed) -> int:
    from fettle.report import size, span

    values = parsed.values
    if not values:
        raise Problem(
            USAGE,
            "fettle memo prune needs a bound: --max-bytes 500MB, --max-age 30d or --max-items 1000 "
            "(`fettle memo clear` forgets everything).",
        )
    most = size.read(values["max-bytes"]) if "max-bytes" in values else None
    if "max-bytes" in values and not most:
        raise Problem(
            USAGE, f"--max-bytes needs a size as 500MB or 2GB, not {values['max-bytes']!r}."
        )
    age = span.read(values["max-age"]) if "max-age" in values else None
    if "max-age" in values and age is None:
        raise Problem(
            USAGE, f"--max-age needs a time as 30d, 12h, 90m or 45s, not {values['max-age']!r}."
        )
    items = parsed.number("max-items", 0) if "max-items" in values else None
    looked = _looked(place)
    entries, taken, _ = looked.store.measure()
    with _progress("forgetting results", 0):
        removed = looked.store.reduce(most, items, age)
    looked.check_changed()
    left, still, _ = looked.store.measure()
    print(
        f"{looked.path}: {size.grouped(removed)} of {size.counted(entries, 'result')} forgotten, "
        f"{size.amount(max(taken - still, 0))} freed; "
        f"{size.counted(left, 'result')} left, {size.amount(still)}"
    )
    return 0


def _clear(place: str, parsed: Parsed) -> int:
    from fettle.report import size

    looked = _looked(place)
    glob = parsed.values.get("function")
    whole = _whole(looked)
    chosen = _chosen(whole, glob)
    if not _agreed(chosen, parsed):
        return CHECK_FAILED
    with _progress("forgetting results", 0):
        if glob is None:
            removed = looked.store.clear()
        else:
            names = {row.name for row in chosen.functions}
            removed = sum(looked.store.clear(each) for each in _ids(looked, names))
    looked.check_changed()
    print(f"{looked.path}: {size.counted(removed, 'result')} forgotten")
    return 0


def _ids(looked: "Looked", names: set[str]) -> list[int]:
    ids: list[int] = []
    looked.each_function(lambda row: ids.append(row[0]) if row[1] in names else None)
    return ids


def _chosen(whole: "Whole", glob: str | None) -> "Whole":
    """What of the whole belongs to the functions that glob matches."""
    from fnmatch import fnmatchcase

    from fettle.report.kept import Whole

    if glob is None:
        return whole
    rows = [row for row in whole.functions if fnmatchcase(row.name, glob)]
    if not rows:
        raise Problem(
            CHECK_FAILED,
            f"no function in {whole.place} is named {glob!r}; `fettle memo ls` shows the names.",
        )
    return Whole(whole.place, sum(row.bytes for row in rows), rows, whole.counted)


def _agreed(whole: "Whole", parsed: Parsed) -> bool:
    """Asks, where somebody can answer."""
    if "yes" in parsed.values or not (_is_terminal(sys.stdin) and _is_terminal(sys.stderr)):
        return True
    from fettle.report.names import visible

    sys.stderr.write(f"forget {whole.amount()}, in {visible(whole.place)}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() in {"y", "yes"}:
        return True
    print("fettle: nothing was forgotten.", file=sys.stderr)
    return False


def _is_terminal(stream: object) -> bool:
    return stream is not None and bool(getattr(stream, "isatty", bool)())


# ---- servers ----


def _remote(url: str, parsed: Parsed) -> "Remote":
    import os
    import warnings

    trusted = "trusted" in parsed.values
    if not trusted and not os.environ.get("FETTLE_CACHE_KEY"):
        raise Problem(
            USAGE,
            "a shared cache needs the key of its values: set FETTLE_CACHE_KEY as the programs that "
            "use it do, or add --trusted if they use none.",
        )
    from fettle.caching.remote import Remote, RemoteWarning

    warnings.simplefilter("ignore", RemoteWarning)  # _check says it
    try:
        return Remote(url, trusted=trusted, timeout=5.0, connect_timeout=5.0)
    except ValueError as error:
        raise Problem(USAGE, str(error)) from None
    except ImportError as error:
        raise Problem(UNREADABLE, str(error)) from None


def _server_whole(remote: "Remote") -> "Whole":
    from fettle.caching.memo import FunctionStats
    from fettle.report.kept import Whole

    with _progress("looking at results", 0):
        found = remote.functions()
    _check(remote)
    rows = [
        FunctionStats(name, entries, taken, 0, 0, 0.0, None, None) for name, entries, taken in found
    ]
    return Whole(remote.place, sum(row.bytes for row in rows), rows, counted=False)


def _check(remote: "Remote") -> None:
    """Raises Problem where the server did not answer, or not all of it."""
    if remote.stats().failures:
        what = (remote.problem or f"{remote.place} does not answer").rpartition(", so ")
        raise Problem(
            UNREADABLE,
            f"{what[0] or what[2]}; see that the server runs, that this machine may reach it, and "
            "what this user may do there.",
        )


def _clear_server(url: str, parsed: Parsed) -> int:
    """On the server, and in the folder that this machine has in front of it."""
    from fettle.report import size

    remote = _remote(url, parsed)
    glob = parsed.values.get("function")
    chosen = _chosen(_server_whole(remote), glob)
    if not _agreed(chosen, parsed):
        return CHECK_FAILED
    names = [None] if glob is None else [row.name for row in chosen.functions]
    with _progress("forgetting results", 0):
        removed = sum(remote.clear(name) for name in names)
    _check(remote)
    here = _clear_front(remote, None if glob is None else set(names))
    and_here = f", and {size.grouped(here)} on this machine" if here else ""
    print(f"{remote.place}: {size.counted(removed, 'result')} forgotten{and_here}")
    return 0


def _clear_front(remote: "Remote", names: "set[str | None] | None") -> int:
    from fettle.caching.look import Looked
    from fettle.caching.memo import folder_in_front_of

    try:
        looked = Looked(folder_in_front_of(remote.place))
    except Problem:
        return 0
    if names is None:
        removed = looked.store.clear()
    else:
        wanted = {name for name in names if name is not None}
        removed = sum(looked.store.clear(each) for each in _ids(looked, wanted))
    looked.check_changed()
    return removed


# ---- what one sees meanwhile ----


def _progress(what: str, total: int) -> "AbstractContextManager[Callable[[], None] | None]":
    """On a terminal a bar for total results (from MANY on), or for a while that nobody knows (0).
    Gives what is to be called for each result, or None."""
    from contextlib import nullcontext
    from os import environ

    small = 0 < total < MANY
    if small or not _is_terminal(sys.stderr) or environ.get("TERM") == "dumb":
        return nullcontext()
    try:
        return _bar(what, total)
    except ImportError:
        return nullcontext()


def _bar(what: str, total: int) -> "AbstractContextManager[Callable[[], None] | None]":
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import Progress

    @contextmanager
    def shown() -> "Iterator[Callable[[], None] | None]":
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(what, total=total or None)
            step, seen = max(total // 200, 1), 0

            def tick() -> None:
                nonlocal seen
                seen += 1
                if seen % step == 0:
                    progress.update(task, completed=seen)

            yield tick if total else None

    return shown()
