# SPDX-License-Identifier: Apache-2.0
"""Machines that share a server: processes with a cache folder of their own each, which do what they
are told line by line."""

import ast
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

SECRET = "sixteen bytes or more of it"
LONG = 60  # seconds: a hang, not a speed limit

PROGRAM = '''
import asyncio, os, sys, threading, time
import fettle
from fettle.caching import circuit, kept

kept.CLAIM_SECONDS = float(os.environ.get("CLAIM_SECONDS", "60"))
circuit.FIRST_PAUSE = 0.1

def note(text):
    with open(os.environ["NOTES"], "ab", buffering=0) as file:
        file.write(f"{text}\\n".encode())

def gate():
    """Waits for the file that is named in GATE."""
    while not os.path.exists(os.environ["GATE"]):
        time.sleep(0.01)

options = eval(os.environ["OPTIONS"])
memo = fettle.Memo(os.environ["URL"], **options)

def plain(number):
    return [number, str(number) * 3, {number: number * number}]

@memo
def answer(number):
    note(f"answer {number}")
    return [number, str(number) * 3, {number: number * number}]

@memo
def other(number):
    note(f"other {number}")
    return -number

@memo
def slow(seconds):
    note("slow")
    time.sleep(seconds)
    return "slow"

@memo
def gated(number):
    note("begun")
    gate()
    return number + 1

@memo
def large(count):
    note("large")
    return bytes(range(256)) * (count // 256)

@memo
def unkept(number):
    note("unkept")
    return [number, (each for each in range(number))]

@memo
def broken(number):
    note("broken")
    raise LookupError(number)

@memo(validate=lambda facts: os.path.exists(os.environ["GATE"]))
def checked(number):
    note("checked")
    return number

@memo
async def later(number):
    note(f"later {number}")
    await asyncio.sleep(0.05)
    return ["later", number]

@memo
async def slow_later(seconds):
    note("slow")
    await asyncio.sleep(seconds)
    return "slow"

@memo
async def gated_later(number):
    note("begun")
    while not os.path.exists(os.environ["GATE"]):
        await asyncio.sleep(0.01)
    return number + 2

def forget_here():
    """This machine's copies are gone."""
    return memo._place.store.clear()

def together(*calls):
    """What calls in threads of their own give."""
    ends = {}
    def run(number, call):
        try:
            ends[number] = call()
        except BaseException as error:
            ends[number] = repr(error)
    threads = [threading.Thread(target=run, args=each) for each in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [ends[number] for number in range(len(calls))]

async def gathered(*calls):
    return list(await asyncio.gather(*calls))

async def cancelled(coroutine, seconds):
    """Whether what was cancelled says so."""
    task = asyncio.ensure_future(coroutine)
    await asyncio.sleep(seconds)
    task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        return "cancelled"

def slowed(call):
    """Which ends after the event loop has set the event."""
    def slow(*args, **keywords):
        found = call(*args, **keywords)
        noted.append(go_on.wait(5))
        return found
    noted, go_on = [], threading.Event()
    return slow, noted, go_on

async def cancelled_in_a_thread(coroutine, go_on):
    """The thread is talking to the server when the task is cancelled."""
    said = await cancelled(coroutine, 0.2)
    go_on.set()
    return said

async def meanwhile(coroutine, go_on):
    asyncio.get_running_loop().call_later(0.1, go_on.set)
    return await coroutine

class Load:
    """Threads that call, compare, and forget some of it, until they are stopped."""
    def __init__(self, threads=3, numbers=150):
        self.calls, self.longest, self.wrong, self.numbers = 0, 0.0, [], numbers
        self.over = threading.Event()
        self.threads = [
            threading.Thread(target=self.run, args=[first]) for first in range(threads)
        ]
        for thread in self.threads:
            thread.start()
    def run(self, number):
        while not self.over.is_set():
            number = (number * 7 + 3) % self.numbers
            begun = time.monotonic()
            try:
                found = answer(number)
                if number % 3:
                    memo._place.store.remove(answer.key((number,), {}))
                else:
                    answer.forget(number)
            except BaseException as error:
                found = repr(error)
            self.longest = max(self.longest, time.monotonic() - begun)
            if found != plain(number):
                self.wrong.append((number, found))
            self.calls += 1
            number += self.calls % 11
    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join(60)
        return self.wrong, self.longest, [each.is_alive() for each in self.threads].count(True)

for line in sys.stdin:
    try:
        try:
            said = eval(line)
        except SyntaxError:
            said = exec(line)
    except BaseException as error:
        said = f"{type(error).__name__}: {error}"
    print(repr(said), flush=True)
'''


class Machine:
    """A process with a folder of its own. Whatever it says on stderr is in complaints."""

    def __init__(self, folder: Path, name: str, url: str, options: str, **environment: str) -> None:
        self.folder = folder / name
        self.folder.mkdir(exist_ok=True)
        program = self.folder / "program.py"
        program.write_text(PROGRAM)
        self._errors = (self.folder / "errors").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-B", str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=self.folder,
            env=os.environ
            | {
                "NOTES": str(folder / "notes"),
                "GATE": str(folder / "gate"),
                "URL": url,
                "OPTIONS": options,
                "FETTLE_CACHE_DIR": str(self.folder / "cache"),
                "FETTLE_CACHE_KEY": SECRET,
            }
            | environment,
        )

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        """What came of the line that was told; within a minute, or the process is killed."""
        assert self.process.stdout is not None
        timer = threading.Timer(LONG, self.process.kill)
        timer.start()
        said = self.process.stdout.readline()
        timer.cancel()
        assert said, f"it died or hung: {self.complaints}"
        return ast.literal_eval(said)

    def ask(self, line: str) -> Any:
        self.tell(line)
        return self.hear()

    @property
    def complaints(self) -> str:
        return (self.folder / "errors").read_text()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        self.kill()
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self._errors.close()


class Machines:
    """Makes them, and has what they note together."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: list[Machine] = []

    def __call__(self, url: str, options: str = "{}", **environment: str) -> Machine:
        name = f"machine{len(self.made)}"
        self.made.append(Machine(self.folder, name, url, options, **environment))
        return self.made[-1]

    @property
    def notes(self) -> list[str]:
        file = self.folder / "notes"
        return file.read_text().splitlines() if file.exists() else []

    def until_noted(self, text: str, times: int = 1) -> None:
        deadline = time.monotonic() + LONG
        while self.notes.count(text) < times:
            assert time.monotonic() < deadline, self.notes
            time.sleep(0.01)

    def open_gate(self) -> None:
        (self.folder / "gate").touch()

    def end(self) -> None:
        for each in self.made:
            each.end()
