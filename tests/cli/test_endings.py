# SPDX-License-Identifier: Apache-2.0
"""However a program ends: its own exit code, and nothing recorded is lost."""

import os
import signal
import sys

import pytest
from fettle._core import Profile

from .harness import FETTLE, Folder, until

WORK = "def work(): pass\nfor _ in range(7): work()\n"

ENDINGS = {
    "return": "",
    "exit 3": "import sys; sys.exit(3)",
    "exit text": "raise SystemExit('a reason')",
    "exception": "1 / 0",
    "os._exit": "import os; os._exit(9)",
    "abort": "import os; os.abort()",
    "SIGTERM": "import os; os.kill(os.getpid(), 15)",
    "SIGKILL": "import os; os.kill(os.getpid(), 9)",
    "SIGSEGV": "import ctypes; ctypes.string_at(0)",
    "SIGINT": "import os; os.kill(os.getpid(), 2)",
    "group": "import os; os.killpg(0, 15)",
    "real time": "import os, signal; os.kill(os.getpid(), signal.SIGRTMIN + 1)",
    "exec": "import os, sys; os.execv(sys.executable, ['python', '-c', 'raise SystemExit(6)'])",
}


def works(folder: Folder, name: str = "app.fettle") -> int:
    """How often work() was recorded."""
    profile = Profile.read(str(folder.path / name))
    assert profile.ended
    return sum(row.calls for row in profile.functions() if row.name == "work")


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_end_is_the_programs_own(folder: Folder, ending: str) -> None:
    folder.write("app.py", WORK + ENDINGS[ending])
    shell = "ulimit -c 0; exec setsid -w "  # a session of its own: killpg reaches nobody else
    plain = folder.execute("sh", "-c", f"{shell} {sys.executable} app.py")
    under = folder.execute("sh", "-c", f"{shell} {FETTLE} run app.py")
    assert under.code == (plain.code if plain.code >= 0 else 128 - plain.code)
    assert under.stderr.startswith(plain.stderr)
    assert "Traceback" not in under.stderr[len(plain.stderr) :]
    assert works(folder) == 7


WAITS = WORK + "import time\nopen('ready', 'w').close()\n"


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGINT", "SIGQUIT", "SIGALRM"])
def test_signals_are_passed_on_once(folder: Folder, name: str) -> None:
    folder.write(
        "app.py",
        "import signal, sys\n"
        f"signal.signal(signal.{name}, lambda *_: got.append(1))\n"
        "got = []\n" + WAITS + "while not got: time.sleep(0.01)\n"
        "time.sleep(0.2)\n"
        "sys.exit(40 + len(got))\n",
    )
    running = folder.start(FETTLE, "run", "-q", "app.py")
    until(lambda: "ready" in folder.names())
    running.send_signal(getattr(signal, name))
    assert running.wait() == 41
    assert works(folder) == 7


def test_a_program_that_dies_of_a_signal_gives_its_number(folder: Folder) -> None:
    folder.write("app.py", WAITS + "time.sleep(60)")
    running = folder.start(FETTLE, "run", "-q", "app.py")
    until(lambda: "ready" in folder.names())
    running.terminate()
    assert running.wait() == 128 + signal.SIGTERM
    assert works(folder) == 7


def test_ignored_signals_stay_ignored(folder: Folder) -> None:
    """As under nohup."""
    folder.write("app.py", "import os\nos.kill(os.getpid(), 1)\nprint('alive')")
    command = f"trap '' HUP; exec {FETTLE} run -q app.py"
    assert folder.execute("sh", "-c", command).stdout == "alive\n"


def test_children_that_are_ignored_still_give_their_status(folder: Folder) -> None:
    """SIGCHLD may come ignored: the kernel then throws exit codes away."""
    code = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        f"os.execv({FETTLE!r}, ['fettle', 'run', '-q', '-c', 'raise SystemExit(5)'])\n"
    )
    assert folder.python("-c", code).code == 5


LIVES_ON = WAITS + "while 'stop' not in __import__('os').listdir(): time.sleep(0.02)\nwork()\n"


def test_a_killed_launcher_loses_nothing(folder: Folder) -> None:
    folder.write("app.py", LIVES_ON)
    running = folder.start(FETTLE, "run", "-q", "app.py")
    until(lambda: "ready" in folder.names())
    child = _child_of(running.pid)
    live = folder.fettle("view", "app.fettle")
    assert live.code == 0
    assert "(work)" in live.stdout
    running.kill()
    running.wait()

    live = folder.fettle("view", "app.fettle")
    assert "still being recorded" in live.stdout
    assert "app.fettle.parts" in folder.names(), "the program still writes there"
    refused = folder.fettle("run", "-q", "app.py")
    assert refused.code == 2
    assert str(child) in refused.sentence()

    folder.write("stop", "")
    until(lambda: not os.path.exists(f"/proc/{child}"))
    done = folder.fettle("view", "app.fettle")
    assert done.code == 0
    assert "(work)" in done.stdout
    assert works(folder) == 8
    assert folder.names() == {"app.py", "app.fettle", "ready", "stop"}


def _child_of(pid: int) -> int:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return int(file.read().split()[0])


def test_a_killed_recording_survives_the_next_run(folder: Folder) -> None:
    folder.write("app.py", WAITS + "time.sleep(60)")
    running = folder.start(FETTLE, "run", "-q", "app.py")
    until(lambda: "ready" in folder.names())
    child = _child_of(running.pid)
    for pid in (running.pid, child):
        os.kill(pid, signal.SIGKILL)
    running.wait()
    until(lambda: not os.path.exists(f"/proc/{child}"))
    folder.write("app.py", WORK)
    assert folder.fettle("run", "-q", "app.py").code == 0
    folder.fettle("view", "app.prev.fettle")
    assert works(folder, "app.prev.fettle") == 7
    assert works(folder) == 7


def test_a_child_that_lives_on_is_told(folder: Folder) -> None:
    folder.write("child.py", LIVES_ON)
    folder.write(
        "app.py",
        "import os, subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, 'child.py'], stderr=subprocess.DEVNULL,\n"
        "                 stdout=subprocess.DEVNULL)\n"
        "while 'ready' not in os.listdir(): time.sleep(0.01)\n",
    )
    ended = folder.fettle("run", "app.py")
    folder.write("stop", "")
    assert ended.code == 0
    assert "still ran" in ended.stderr
    assert works(folder) == 7


def test_a_removed_folder_of_parts_harms_nobody(folder: Folder) -> None:
    folder.write("app.py", "import shutil\nshutil.rmtree('app.fettle.parts')\n" + WORK + "exit(5)")
    ended = folder.fettle("run", "app.py")
    assert ended.code == 5
    assert "Traceback" not in ended.stderr
    assert "fettle: nothing was recorded" in ended.stderr


def test_a_removed_output_is_written_anew(folder: Folder) -> None:
    folder.write("app.py", WORK + "import os; os.unlink('app.fettle')")
    assert folder.fettle("run", "-q", "app.py").code == 0
    assert works(folder) == 7
