# SPDX-License-Identifier: Apache-2.0
"""A small cached function around a Remote, and a load of calls of it that must all be right."""

import hashlib
import pickle
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fettle.caching.remote import Remote, RemoteWarning

from .redisservers import PATIENCE

SECRET = b"sixteen bytes or more of it"
FORGOTTEN = 10  # a load forgets the values of this one's multiples all the time


def key_of(*args: Any) -> bytes:
    return hashlib.sha256(repr(args).encode()).digest()


def answer(number: int) -> list[Any]:
    """What is cached: not a function of anything that a mixed-up value could have, too."""
    return [number, str(number) * 3, {number: number * number}]


class Cached:
    """`function`, through the remote; counts what it computes itself."""

    def __init__(
        self, remote: Remote, function: Callable[..., Any] = answer, patience: float = 5.0
    ) -> None:
        self.remote, self.function, self.patience = remote, function, patience
        self.computed = 0

    def __call__(self, *args: Any) -> Any:
        key, name = key_of(*args), self.function.__qualname__
        found, token = self.remote.lookup(key, function=name), b""
        if found is None:
            found, token = self.remote.join(key, self.patience, 5.0, function=name)
        if found is not None:
            return pickle.loads(found[0])
        try:
            self.computed += 1
            value = self.function(*args)
            self.remote.put(key, pickle.dumps(value), function=name, cost=0.5)
        finally:
            self.remote.release(key, token, function=name)
        return value


class Load:
    """Threads that call the cached function until told to stop, and compare."""

    def __init__(self, remote: Remote, threads: int = 4, arguments: int = 150) -> None:
        self.cached = Cached(remote, patience=0.5)
        self.arguments = arguments
        self.calls = 0
        self.wrong: list[Any] = []
        self.over = threading.Event()
        self.threads = [
            threading.Thread(target=self._run, args=(first,), daemon=True)
            for first in range(threads)
        ]

    def _run(self, number: int) -> None:
        while not self.over.is_set():
            number = (number * 7 + 3) % self.arguments
            try:
                found = self.cached(number)
            except BaseException as error:
                found = error
            if found != answer(number):
                self.wrong.append((number, found))
            self.calls += 1
            if number % FORGOTTEN == 0:  # so that there is always something to be computed and put
                name = answer.__qualname__
                self.cached.remote.forget(key_of(number), function=name)
            number += threading.get_ident() % 11

    def goes_on(self, calls: int = 200) -> None:
        """Some more calls come back."""
        goal, deadline = self.calls + calls, time.monotonic() + PATIENCE
        while self.calls < goal:
            assert time.monotonic() < deadline, f"calls hang: {self.calls} of {goal}"
            time.sleep(0.01)


@contextmanager
def load(remote: Remote) -> Iterator[Load]:
    made = Load(remote)
    for thread in made.threads:
        thread.start()
    try:
        made.goes_on()
        yield made
        made.goes_on()
    finally:
        made.over.set()
        for thread in made.threads:
            thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in made.threads)
    assert made.wrong == []


@contextmanager
def warned(*parts: str) -> Iterator[list[str]]:
    """Exactly one RemoteWarning is given for each part, which stands in it, and no other."""
    sentences: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield sentences
    sentences += [str(each.message) for each in caught if each.category is RemoteWarning]
    assert len(sentences) == len(parts), sentences
    for sentence, part in zip(sentences, parts, strict=True):
        assert part in sentence
        assert sentence.endswith(".")
