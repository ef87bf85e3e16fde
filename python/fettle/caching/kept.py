# SPDX-License-Identifier: Apache-2.0
"""A function whose results lie in a store: what a call does that does not hit.

A hit never comes here: it is fettle._core.StoredFunction's, whose handle a Kept is. A miss is
computed once: other threads of the process wait for its flight, other processes for its claim in
the store, other machines for its claim on the server. Nobody waits who must not: not for itself,
not in a circle, not for who is stopped, not for longer than patience; who does not wait computes.
"""

import atexit
import inspect
import os
import pickle
import sys
import weakref
from _thread import RLock, get_ident
from collections.abc import Callable, Generator, Mapping
from contextvars import ContextVar
from hashlib import blake2b
from time import perf_counter, sleep, time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from fettle import _core
from fettle.caching.code import MISSING, Identity, identify
from fettle.caching.place import SLICE, Flight, Place, Progress
from fettle.problem import reason

if TYPE_CHECKING:
    from fettle.caching.memo import Memo
    from fettle.caching.remote import Found, Remote

MINE, OTHERS, WAITING, STOPPED, NOBODYS = range(5)  # what Store.claim says
FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.0002, 0.05, 1.5  # of one who waits, in seconds
STILL = 0.5  # seconds to wait for a process that is stopped, or waits itself
DEEP = 50  # kept functions within one another
FLUSH_EVERY = 256  # misses
CLAIM_SECONDS = 60.0  # of a claim on the server

Entry = tuple[bytes, int, float, float, float, int, int, int]


class Options(NamedTuple):
    """What @memo(...) was told."""

    ignore: tuple[str, ...] = ()
    key: Mapping[str, Callable[[Any], Any]] = MappingProxyType({})
    version: Any = None
    depends: tuple[Any, ...] = ()
    validate: Callable[[dict[str, Any]], Any] | None = None
    compress: int = 0
    view: int = 1
    ttl: float | None = None
    patience: float = 600.0  # seconds to wait for who computes; 0: never


# The keys that are being computed around this: tasks and threads that were made there see them.
computing: ContextVar[tuple[bytes, ...]] = ContextVar("fettle: keys that are computed", default=())
_all: "weakref.WeakSet[Kept]" = weakref.WeakSet()
_guard = RLock()  # of it


class Kept:
    """The handle of one function."""

    def __init__(
        self,
        memo: "Memo",
        place: Place,
        remote: "Remote | None",
        seed: bytes,
        function: Any,
        name: str,
        parameters: tuple[Any, ...],
        options: Options,
    ) -> None:
        self.memo = memo
        self.place = place
        self.remote = remote
        self.seed = seed  # of the keys that machines share
        self.function = function
        self.name = name
        self.options = options
        self.parameters = parameters
        self.misses = 0
        self._identities: list[Identity] = []  # of the function, and of what key= names
        self._id = (-1, 0)  # of which opening of the place, and the number
        self._rejected = b"", 0.0  # the entry that validate= did not let pass last
        self.stored = _core.StoredFunction(
            place.store,
            function,
            self,
            name,
            parameters,
            options.view,
            options.ttl or 0.0,
            options.validate is not None,
            _identity_of,
        )
        with _guard:
            _all.add(self)
        _flush_at_the_end()

    # ---- what StoredFunction asks ----

    def settle(self) -> None:
        """Finds out which code the function is now."""
        what, step = "its code", "give version= or depends="
        try:
            is_now = identify(
                self.function, depends=self.options.depends, version=self.options.version
            )
            what, step = "what key= names", "name a plain function"
            of_keys = [(name, identify(each)) for name, each in self.options.key.items()]
        except Exception as error:
            if isinstance(error, OSError) and error.filename is not None:
                why = f"{os.fsdecode(error.filename)!r} can not be read ({reason(error)})"
                step = "name a file that is there in depends="
            else:
                why = f"{what} can not be told from others ({reason(error)})"
            self.place.say(
                f"results of {self.name}() are computed and not kept, since {why}: {step}."
            )
            return
        rows: list[tuple[Any, Any, Any]] = [*is_now.watched]
        rows += ((None, function, code) for function, code in is_now.codes)
        named = [(name, kind, skipped) for name, kind, _, skipped, _ in self.parameters]
        for doubt in is_now.doubts:
            self.place.say(doubt)
        prefix = blake2b(is_now.digest, digest_size=32)
        prefix.update(repr((self.name, named)).encode(errors="surrogatepass"))
        if self.remote is None:  # what machines share lies elsewhere on each
            prefix.update(is_now.place)
        for name, made in of_keys:
            prefix.update(name.encode() + made.digest)
            rows += made.watched
            rows += ((None, each, code) for each, code in made.codes)
        self._identities = [is_now, *(made for _, made in of_keys)]
        self.stored.settle(prefix.digest(), rows, MISSING)

    def current(self, key: bytes, args: tuple[Any, ...], keywords: dict[str, Any] | None) -> bytes:
        """The key of a call that missed, after another look at what the function rests on: a miss
        has the time to see what a hit does not (attributes of classes, defaults, files)."""
        for each in self._identities:
            if not each.holds():
                self.settle()
                return self.stored.key(args, keywords) or key
        return key

    def unusable(self) -> None:
        """The store was closed, or can not be opened again in a forked child."""
        self.place.say(
            f"results are computed and not kept, since {self.place.folder} can not be used any "
            "more: give Memo another folder."
        )

    def valid(self, entry: Entry, args: tuple[Any, ...], keywords: dict[str, Any] | None) -> bool:
        """Whether the program's own check lets a result pass."""
        assert self.options.validate is not None
        facts = {
            "time": entry[2],
            "duration": entry[3],
            "used": entry[4],
            "bytes": entry[5],
            "args": args,
            "kwargs": keywords or {},
            "input_args": self.named(args, keywords or {}),
        }
        good = bool(self.options.validate(facts))
        if not good:
            self._rejected = entry[0], entry[2]
        return good

    def miss(self, key: bytes, args: tuple[Any, ...], keywords: dict[str, Any] | None) -> Any:
        """The result of a call that is not there: another one's, or computed and kept. Itself where
        the caller is to compute it: deep within others there is no room for frames that wait."""
        around = computing.get()
        if len(around) >= DEEP:
            return self
        flights, who = self.place.flights, get_ident()
        patience = self.options.patience
        key = self.current(key, args, keywords)
        if key in around:
            return self.compute(key, args, keywords)
        while True:
            mine = Flight(who)
            try:
                flight = flights.begin(key, mine)
                if flight is mine:
                    return self._alone_here(key, args, keywords)
            finally:
                mine.gate.release()
                flights.remove(key, mine)
            if patience <= 0 or not flights.wait(key, flight, who, patience):
                return self.compute(key, args, keywords)
            found = self.look(key, args, keywords)
            if found is not None:
                return found[0]

    def bind(self, instance: object) -> "BoundKept":
        return BoundKept(self, instance)

    def pickled(self) -> Any:
        """What __reduce__ of the kept function says: its name, as of any function. Where processes
        are given functions of a script by their code (joblib.Parallel, Dask), that too."""
        name = getattr(self.stored, "__qualname__", None)
        if name is None:
            raise TypeError(
                f"{self.stored!r} has no name that it could be pickled by: keep the results of a "
                "function."
            )
        module = getattr(self.stored, "__module__", None)
        if module != "__main__" and named_so(module, name) is self.stored:
            return name
        for each in ("joblib.externals.cloudpickle", "cloudpickle"):
            by_value = sys.modules.get(each)
            if by_value is not None:
                code = by_value.dumps((self.memo, self.function, self.options))
                return restored, (module, name, self.name, code)
        return name

    # ---- a miss ----

    def look(
        self, key: bytes, args: tuple[Any, ...], keywords: dict[str, Any] | None
    ) -> tuple[Any] | None:
        found = self.stored.look(key, args, keywords)
        if found is None:
            return None
        self.stored.add_hit(found[1])
        return (found[0],)

    def approach(
        self, key: bytes, args: tuple[Any, ...], keywords: dict[str, Any] | None, nested: bool
    ) -> Generator[float, None, tuple[Any] | None]:
        """Until this process has the claim (None), or another one's result is there. Yields how
        long to pause."""
        store = self.place.store
        assert store is not None
        claim = store.claim(key)
        if claim == MINE:
            return self.look_again(key, args, keywords)
        pause, begun, waited = FIRST_PAUSE, perf_counter(), 0.0
        progress = Progress()
        still_since: float | None = None
        store.waits(True)
        try:
            while claim not in (MINE, NOBODYS):
                stands = claim == STOPPED or (claim == WAITING and nested)
                now = perf_counter()
                waited = now - begun
                still_since = (still_since or now) if stands else None
                if waited >= self.options.patience or (
                    stands and now - (still_since or now) > STILL
                ):
                    return None
                if waited > SLICE and progress.stands_still(store.owner_cpu(key)):
                    return None
                yield pause
                pause = min(pause * GROWTH, LONGEST_PAUSE)
                found = self.look_again(key, args, keywords)
                if found is not None:
                    return found
                claim = store.claim(key)
        finally:
            store.waits(False)
        return self.look_again(key, args, keywords)

    def look_again(
        self, key: bytes, args: tuple[Any, ...], keywords: dict[str, Any] | None
    ) -> tuple[Any] | None:
        """As look(); but the program's own check is not asked once more of what it rejected."""
        rejected, created = self._rejected
        if rejected == key and self.place.store is not None:
            entry = self.place.store.peek(key)
            if entry is not None and entry[2] == created:
                return None
        return self.look(key, args, keywords)

    def _alone_here(
        self, key: bytes, args: tuple[Any, ...], keywords: dict[str, Any] | None
    ) -> Any:
        """No other thread of this process computes the key. What the server has, nobody need claim:
        it is asked first."""
        store = self.place.store
        assert store is not None
        shared = self.shared(args, keywords)
        if self.remote is not None and shared is not None:
            there = self.remote.lookup(shared, function=self.name)
            found = self.taken(key, there, args, keywords)
            if found is not None:
                return found[0]
        try:
            if self.options.patience > 0:
                mine = store.claim(key) == MINE
                found = (self.look_again if mine else self._wait)(key, args, keywords)
                if found is not None:
                    return found[0]
            if self.remote is not None and shared is not None:
                return self._from_others(key, args, keywords, shared)
            return self.compute(key, args, keywords)
        finally:
            store.release(key)

    def _wait(
        self, key: bytes, args: tuple[Any, ...], keywords: dict[str, Any] | None
    ) -> tuple[Any] | None:
        """For the process that has the claim."""
        approach = self.approach(key, args, keywords, bool(computing.get()))
        try:
            while True:
                sleep(next(approach))
        except StopIteration as end:
            found: tuple[Any] | None = end.value
            return found
        finally:
            approach.close()  # an exception's traceback would keep it waiting

    def _from_others(
        self,
        key: bytes,
        args: tuple[Any, ...],
        keywords: dict[str, Any] | None,
        shared: bytes,
    ) -> Any:
        """From another machine that computes it now, or computed for all of them."""
        assert self.remote is not None
        there, token = self.remote.join(
            shared, self.options.patience, CLAIM_SECONDS, function=self.name
        )
        try:
            found = self.taken(key, there, args, keywords)
            if found is not None:
                return found[0]
            return self.compute(key, args, keywords, shared)
        finally:
            self.remote.release(shared, token, function=self.name)

    def shared(self, args: tuple[Any, ...], keywords: dict[str, Any] | None) -> bytes | None:
        """The key that all machines have for a call; None: there is no server."""
        return None if self.remote is None else self.stored.key(args, keywords, self.seed)

    def taken(
        self,
        key: bytes,
        there: "Found | None",
        args: tuple[Any, ...],
        keywords: dict[str, Any] | None,
    ) -> tuple[Any] | None:
        """What another machine computed, kept here too."""
        if there is None:
            return None
        payload, cost = there
        try:
            created, encoded = _unpacked(payload)
            value = _core.decode(encoded)
        except Exception:  # of a class that this program has not, or the like
            return None
        ttl = self.options.ttl
        if ttl is not None and not 0 <= time() - created < ttl:
            return None
        self._put_encoded(key, encoded, cost, created)
        if self.options.validate is not None:  # it may have been rejected here before
            return self.look_again(key, args, keywords)
        self.stored.add_hit(cost)
        return (value,)

    def compute(
        self,
        key: bytes,
        args: tuple[Any, ...],
        keywords: dict[str, Any] | None,
        shared: bytes | None = None,
    ) -> Any:
        before = computing.get()
        computing.set((*before, key))
        begun = perf_counter()
        try:
            value = self.function(*args, **keywords) if keywords else self.function(*args)
        finally:
            computing.set(before)
        self.keep(key, value, perf_counter() - begun, shared)
        return value

    def keep(self, key: bytes, value: Any, cost: float, shared: bytes | None = None) -> None:
        """Puts a result into the store, and on the server."""
        self.misses += 1
        if self.misses % FLUSH_EVERY == 0:
            self.flush()
        store = self.place.store
        if store is None:
            return
        try:
            if self.remote is not None and shared is not None:
                encoded = _core.encode(value)
                self.remote.put(shared, _packed(encoded), function=self.name, cost=cost)
                self._put_encoded(key, encoded, cost, 0.0)
            else:
                store.put(key, self.id, value, cost, self.options.compress)
        except Exception as error:
            self.place.say(
                f"the result of {self.name}() can not be kept ({reason(error)}): return something "
                "that can be pickled."
            )
        self.place.look_for_troubles()

    def _put_encoded(self, key: bytes, encoded: bytes, cost: float, created: float) -> None:
        if self.place.store is not None:
            self.place.store.put_encoded(
                key, self.id, encoded, cost, self.options.compress, created
            )

    @property
    def id(self) -> int:
        """The store's number of the function."""
        opened, number = self._id
        if opened != self.place.opened:
            assert self.place.store is not None
            opened, number = self.place.opened, self.place.store.name_function(self.name)
            self._id = opened, number
        return number

    def flush(self) -> None:
        """Adds what was counted to what the store knows of the function."""
        hits, saved = self.stored.counts()
        misses, self.misses = self.misses, 0
        if (hits or misses) and self.place.store is not None:
            self.place.store.count(self.name, hits, misses, saved)

    def drop_counts(self) -> None:
        """In a forked child: they are the parent's."""
        self.stored.counts()
        self.misses = 0

    def named(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> dict[str, Any]:
        """The arguments by the names of their parameters, as far as they have any."""
        by_position = [name for name, kind, *_ in self.parameters if kind < 2]
        return {**dict(zip(by_position, args, strict=False)), **keywords}

    # ---- what the kept function offers ----

    def key(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> bytes | None:
        """The key of a call; None: nothing can be kept. TypeError: the arguments do not fit."""
        key = self.stored.key(args, keywords or None)
        if key is None:
            try:
                signature = inspect.signature(self.function)
            except (TypeError, ValueError):  # some of C's functions do not say
                return None
            signature.bind(*args, **keywords)
        return key

    def forget(self, /, *args: Any, **keywords: Any) -> bool:
        """Forget the result of one call; True: there was one."""
        key = self.key(args, keywords)
        store = self.place.store
        if key is None or store is None:
            return False
        if self.remote is not None:
            shared = self.shared(args, keywords or None)
            if shared is not None:
                self.remote.forget(shared, function=self.name)
        return store.remove(key)

    def clear(self) -> int:
        """Forget all results of the function, of its earlier code too; how many there were."""
        if self.remote is not None:
            self.remote.clear(self.name)
        return 0 if self.place.store is None else self.place.store.clear(self.id)

    def call(self, /, *args: Any, **keywords: Any) -> Any:
        """Compute, whatever is kept, and keep the result."""
        key = self.stored.key(args, keywords or None)
        if key is None:
            return self.function(*args, **keywords)
        return self.compute(key, args, keywords or None, self.shared(args, keywords or None))

    def peek(self, /, *args: Any, **keywords: Any) -> Any:
        """The result if it is kept in the store, else None; never computes. cached() tells a kept
        None from none."""
        key = self.key(args, keywords)
        found = None if key is None else self.stored.look(key, args, keywords or None)
        return None if found is None else found[0]

    def cached(self, /, *args: Any, **keywords: Any) -> bool:
        """Whether a call would be answered from the store."""
        key = self.key(args, keywords)
        return key is not None and self.stored.look(key, args, keywords or None) is not None

    def reference(self, /, *args: Any, **keywords: Any) -> "Reference":
        """A small handle of the result, which is computed now if it is not kept. It can be pickled;
        get() loads the result."""
        key = self.stored.key(args, keywords or None)
        if key is not None and self.stored.look(key, args, keywords or None) is not None:
            return self.reference_of(key)
        return self.reference_of(key, (self.stored(*args, **keywords),))

    def reference_of(self, key: bytes | None, computed: tuple[Any, ...] = ()) -> "Reference":
        """computed: (the result,), which is held where the store does not."""
        store = self.place.store
        if computed and key is not None and store is not None and store.peek(key) is not None:
            computed = ()
        return Reference(
            self.place.folder,
            self.place.max_bytes,
            key or b"",
            self.name,
            self.options.view,
            computed,
        )

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name == "__annotations__":  # since 3.14 functools.wraps leaves them to be asked for
                return self.function.__annotations__
            raise AttributeError(f"a kept function has no attribute {name!r}")

    @property
    def parts(self) -> list[str]:
        """What the key's part for the code is made of, a line each: two lists compared say why
        results are computed anew."""
        return identify(
            self.function, depends=self.options.depends, version=self.options.version
        ).parts


def named_so(module: str | None, name: str) -> Any:
    """What has that name in that module; None: nothing."""
    found: Any = sys.modules.get(module or "")
    for each in name.split("."):
        found = getattr(found, each, None)
    return found


def restored(module: str, name: str, title: str, code: bytes) -> Any:
    """A kept function of another process: this one's of that name, or made of its code. title: what
    the store calls it."""
    found = named_so(module, name)
    if type(found) is _core.StoredFunction:
        return found
    memo, function, options = pickle.loads(code)
    return memo._decorate(function, options, title)


def _identity_of(function: Any) -> bytes:
    return identify(function).digest


def _packed(encoded: bytes) -> bytes:
    """What lies on the server: when it was made, and the encoding."""
    return round(time() * 1000).to_bytes(8, "little") + encoded


def _unpacked(payload: bytes) -> tuple[float, bytes]:
    return int.from_bytes(payload[:8], "little") / 1000, payload[8:]


class Reference:
    """A result in a store, without its bytes; or with it, where it could not be kept."""

    __slots__ = ("_computed", "_folder", "_key", "_max_bytes", "_view", "name")

    def __init__(
        self,
        folder: str,
        max_bytes: int,
        key: bytes,
        name: str,
        view: int,
        computed: tuple[Any, ...] = (),
    ) -> None:
        self._folder, self._max_bytes, self._key = folder, max_bytes, key
        self._view = view
        self._computed = computed
        self.name = name

    def get(self) -> Any:
        """The result, however old it is. LookupError: it is not kept any more."""
        if self._computed:
            return self._computed[0]
        store = Place.of(self._folder, self._max_bytes).store
        found = None if store is None or not self._key else store.get(self._key, self._view)
        if found is None:
            raise LookupError(
                f"the result of {self.name}() is no longer kept in {self._folder}: call the "
                "function."
            )
        return found[0]

    def forget(self) -> bool:
        """Forget the result; True: it was there."""
        if self._computed:
            self._computed = ()
            return True
        store = Place.of(self._folder, self._max_bytes).store
        return store is not None and bool(self._key) and store.remove(self._key)

    def __reduce__(self) -> tuple[Any, ...]:
        return Reference, (
            self._folder,
            self._max_bytes,
            self._key,
            self.name,
            self._view,
            self._computed,
        )

    def __repr__(self) -> str:
        return f"<fettle Reference of {self.name} {self._key.hex()}>"


class BoundKept:  # a kept method of one instance
    __slots__ = ("__func__", "__self__", "_kept")

    @property
    def __doc__(self) -> Any:  # type: ignore[override]
        return getattr(self._kept.function, "__doc__", None)

    @property
    def __signature__(self) -> inspect.Signature:
        whole = inspect.signature(self._kept.function)
        return whole.replace(parameters=list(whole.parameters.values())[1:])

    def __init__(self, kept: Kept, instance: object) -> None:
        self._kept = kept
        self.__func__ = kept.stored
        self.__self__ = instance

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        return self.__func__(self.__self__, *args, **keywords)

    def forget(self, /, *args: Any, **keywords: Any) -> bool:
        return self._kept.forget(self.__self__, *args, **keywords)

    def clear(self) -> int:
        """Of all instances."""
        return self._kept.clear()

    def call(self, /, *args: Any, **keywords: Any) -> Any:
        return self._kept.call(self.__self__, *args, **keywords)

    def peek(self, /, *args: Any, **keywords: Any) -> Any:
        return self._kept.peek(self.__self__, *args, **keywords)

    def cached(self, /, *args: Any, **keywords: Any) -> bool:
        return self._kept.cached(self.__self__, *args, **keywords)

    def reference(self, /, *args: Any, **keywords: Any) -> Reference:
        return self._kept.reference(self.__self__, *args, **keywords)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__func__, name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BoundKept):
            return NotImplemented
        return self.__func__ is other.__func__ and self.__self__ is other.__self__

    def __hash__(self) -> int:
        return hash((id(self.__func__), id(self.__self__)))

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self.__self__, getattr(self.__func__, "__name__"))  # noqa: B009

    def __repr__(self) -> str:
        return f"<kept method {self._kept.name} of {self.__self__!r}>"


class KeptClassMethod(classmethod):  # type: ignore[type-arg]
    """A kept method of a class: asked for, it is bound to the class, with its methods."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        kept = self.__func__
        bound = type(instance) if owner is None else owner
        if type(kept) is not _core.StoredFunction:
            return super().__get__(instance, owner)
        return kept.handle.bind(bound)


def flush_all() -> None:
    with _guard:
        everyone = list(_all)
    for kept in everyone:
        kept.flush()


_workers: set[str] = set()  # "told" once multiprocessing knows that its workers flush at their ends


def _flush_at_the_end() -> None:
    """Workers of multiprocessing end without what atexit promises."""
    util = sys.modules.get("multiprocessing.util")
    if util is not None and not _workers:
        _workers.add("told")
        util.register_after_fork(_workers, lambda _: util.Finalize(None, flush_all, exitpriority=0))


def _in_child() -> None:
    global _guard
    _guard = RLock()  # another thread of the parent may have had it
    for kept in list(_all):
        kept.drop_counts()
    _flush_at_the_end()


os.register_at_fork(after_in_child=_in_child)
atexit.register(flush_all)
