# SPDX-License-Identifier: Apache-2.0
"""The process that measures: what a candidate may do to it, and what it may not do to others."""

import contextlib
import gc
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import fettle
import pytest

QUICK = {"budget": 0.4, "precision": 0.2}


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("import os; os._exit(3)", "ended with exit code 3"),
        ("import os; os._exit(0)", "ended with exit code 0"),
        ("import sys; sys.exit(4)", "raised SystemExit: 4"),
        ("exit()", "raised SystemExit"),
        ("raise KeyboardInterrupt", "raised KeyboardInterrupt"),
        ("raise GeneratorExit", "raised GeneratorExit"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "was killed by SIGKILL"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "was killed by SIGTERM"),
        ("import os; os.closerange(3, 1000)", "ended"),
        ("raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})", "raised Odd"),
        ("raise ValueError('a\\nb')", "raised ValueError: a (line 1)."),
    ],
)
def test_ends(statement, words):
    with pytest.raises(RuntimeError) as caught:
        fettle.time(statement)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_fork_that_comes_back_is_ended():
    t = fettle.time("if os.fork(): os.wait()", setup="import os", n=1, **QUICK)
    assert t.series[0].count > 0


def test_standard_streams(capfd):
    code = (
        "import sys, os\n"
        "assert sys.stdin.read() == ''\n"
        "print('to stdout'); print('to stderr', file=sys.stderr); os.write(1, b'raw')"
    )
    t = fettle.time(code, **QUICK)
    assert "What was printed was thrown away." in t.notes
    assert capfd.readouterr() == ("", "")
    assert not any("printed" in note for note in fettle.time("x = 1", **QUICK).notes)


@pytest.mark.parametrize("code", ["import os; os.write(2, b'x')", "import os; os.system('echo 1')"])
def test_printing_that_python_does_not_see(code, capfd):
    assert "What was printed was thrown away." in fettle.time(code, **QUICK).notes
    assert capfd.readouterr() == ("", "")


def test_printing_a_lot_does_not_stop_it():
    t = fettle.time("print('x' * 10_000)", **QUICK)
    assert t.series[0].loops * t.series[0].count * 10_000 > 1_000_000


def test_streams_that_were_closed():
    code = "import sys, os; sys.stdout.close(); os.close(1)"
    with pytest.raises(RuntimeError, match="raised"):
        fettle.time(code)
    t = fettle.time("import sys; sys.stdout.close()", **QUICK)
    assert t.series[0].count > 0


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_pipes_do_not_take_the_place_of_streams_that_are_closed(closed, tmp_path):
    program = "import fettle; t = fettle.time('1', budget=0.3); open('done', 'w').write('well')"
    command = f'exec {sys.executable} -c "{program}" {closed}'
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / "done").read_text() == "well"


def test_it_is_plain_python_with_luck_of_its_own(tmp_path):
    seen = tmp_path / "seen"
    code = (
        f"open({str(seen)!r}, 'a').write(f\"{{hash('x')}} {{len(os.environ['FETTLE_PADDING'])}}"
        f" {{'FETTLE' in os.environ}} {{sys.flags.optimize}} {{__name__}} {{os.getcwd()}}\\n\")"
    )
    fettle.time(code, setup="import os, sys", processes=6, n=1, budget=60)
    rows = {tuple(line.split(" ", 5)) for line in seen.read_text().splitlines()}
    assert len({row[0] for row in rows}) == 6
    assert len({row[1] for row in rows}) > 2
    assert {row[2:] for row in rows} == {("False", "0", "__main__", os.getcwd())}


def test_a_fixed_hash_seed_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", "5")
    seen = tmp_path / "seen"
    code = f"open({str(seen)!r}, 'a').write(str(hash('x')) + '\\n')"
    fettle.time(code, processes=3, n=1, budget=60)
    assert len(set(seen.read_text().split())) == 1


def test_modules_of_the_folder_are_found_and_ours_are_not_hidden(tmp_path):
    (tmp_path / "mine.py").write_text("value = 3\n")
    for name in ("json", "marshal", "dataclasses", "random", "fettle"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported by mistake')\n")
    script = tmp_path / "away" / "script.py"
    script.parent.mkdir()
    script.write_text(
        "import fettle\n"
        "t = fettle.time('mine.value', setup='import mine; assert mine.value == 3', budget=0.3)\n"
        "print(t.series[0].count > 0)\n"
    )
    said = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True
    )
    assert "No module named 'mine'" in said.stderr  # as in the script itself
    script.write_text("import sys; sys.path.append('')\n" + script.read_text())
    said = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True
    )
    assert said.stdout.split() == ["True"], said.stderr


def test_a_time_out_without_anything():
    begun = time.monotonic()
    with pytest.raises(RuntimeError, match=r"`while True: pass` did not end within 0.5 s"):
        fettle.time("while True: pass", timeout=0.5)
    assert time.monotonic() - begun < 30


def test_a_time_out_keeps_what_is_known(tmp_path):
    flag = tmp_path / "flag"
    code = (
        f"n = os.path.getsize({str(flag)!r})\n"
        f"with open({str(flag)!r}, 'a') as f: f.write('x')\n"
        "if n > 20: time.sleep(60)"
    )
    flag.write_text("")
    t = fettle.time(
        code, setup="import os, time", n=1, timeout=1, budget=30, precision=1e-9, clock="wall"
    )
    assert t.series[0].count > 0
    assert "did not end within 1 s" in t.notes[0]


def test_slow_candidates_are_not_taken_for_endless_ones():
    t = fettle.time(
        *["time.sleep(0.6)"] * 3, setup="import time", timeout=1.3, budget=0.5, processes=1
    )
    assert t.series[0].count >= 1
    assert t.notes[0] == "Wall clock, because `time.sleep(0.6)` waits."
    assert not any("did not end" in note for note in t.notes)


def _children(pid):
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def _wait_for(condition):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen")


SCRIPT = """
import fettle
t = fettle.time("while True: pass", timeout=60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_who_started_it(number):
    parent = subprocess.Popen([sys.executable, "-c", SCRIPT])
    try:
        (worker,) = _wait_for(lambda: _children(parent.pid))
        time.sleep(0.3)
        parent.send_signal(number)
        parent.wait(30)
        _wait_for(lambda: not Path(f"/proc/{worker}").exists())
    finally:
        parent.kill()
        parent.wait()


def test_interrupted_from_the_keyboard():
    script = (
        "import fettle\n"
        "told = lambda progress: print('.', flush=True)\n"
        "t = fettle.time('x = 1', budget=60, precision=1e-9, progress=told)\n"
        "print(t.notes[0], t.series[0].count > 0)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert parent.stdout.readline() == ".\n"
    os.killpg(parent.pid, signal.SIGINT)
    said, _ = parent.communicate(timeout=60)
    assert said.splitlines()[-1].startswith("Interrupted after")
    assert said.splitlines()[-1].endswith("True")
    assert parent.returncode == 0


def test_nothing_is_left_behind():
    descriptors = os.listdir("/proc/self/fd")
    for statement in ("x = 1", "1 / 0", "import os; os._exit(1)"):
        with contextlib.suppress(RuntimeError):
            fettle.time(statement, **QUICK)
    assert _children(os.getpid()) == []
    assert os.listdir("/proc/self/fd") == descriptors


def test_nothing_is_left_of_a_process_that_does_not_start(monkeypatch):
    gc.collect()  # event loops of other tests
    descriptors = os.listdir("/proc/self/fd")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(RuntimeError, match="cannot be started to measure"):
        fettle.time("x = 1", **QUICK)
    assert os.listdir("/proc/self/fd") == descriptors


def test_a_program_with_many_open_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1200:
        pytest.skip("no more than 1200 files may be open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1200), hard))
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        assert fettle.time("x = 1", **QUICK).series[0].count > 0
    finally:
        for fd in files:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_time_out_that_is_longer_than_poll_can_wait():
    assert fettle.time("x = 1", timeout=1e9, **QUICK).series[0].count > 0


def test_children_that_are_ignored():
    script = (
        "import fettle, signal\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "print(fettle.time('x = 1', budget=0.3).series[0].count > 0)\n"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert said.stdout.split() == ["True"], said.stderr


@pytest.mark.parametrize("options", ["-O", "-I", "-S", "-X dev", "-W error", "-B"])
def test_options_of_the_interpreter(options):
    script = (
        f"import sys; sys.path.append({str(Path(fettle.__file__).parent.parent)!r})\n"
        "import fettle\n"
        "code = 'assert sys.flags.optimize == %d and sys.flags.dev_mode == %r'"
        " % (sys.flags.optimize, sys.flags.dev_mode)\n"
        "print(fettle.time(code, setup='import sys', budget=0.3).series[0].count > 0)\n"
    )
    said = subprocess.run(
        [sys.executable, *options.split(), "-c", script], capture_output=True, text=True
    )
    assert said.stdout.split() == ["True"], said.stderr


def test_a_module_that_is_loaded_costs_no_samples():
    script = (
        "import sys, fettle.timing.worker\n"
        "print(sorted({'subprocess', 'random', 'asyncio', 'typing', 'dataclasses', 'json', 're'}"
        " & set(sys.modules)))\n"
    )
    said = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            f"import sys; sys.path.append({str(Path(fettle.__file__).parent.parent)!r})\n" + script,
        ],
        capture_output=True,
        text=True,
    )
    assert said.stdout.strip() == "[]", said.stderr
