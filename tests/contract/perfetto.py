# SPDX-License-Identifier: Apache-2.0
"""Perfetto's trace processor, as its own user interface runs it: a worker of a page in Chromium.

Requests and answers are protobuf messages of TraceProcessorRpcStream (trace_processor.proto).
"""

import base64
import functools
import json
import struct
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .chromium import Chromium
from .pprof import message, parts, varints
from .synthetic import varint

APPEND, FINALIZE, QUERY, RESET = 1, 2, 3, 8
START = """
const channel = new MessageChannel();
const waiting = [];
channel.port1.onmessage = event => {
    let text = "";
    for (const byte of event.data) text += String.fromCharCode(byte);
    waiting.shift()(btoa(text));
};
const worker = new Worker("engine_bundle.js");
worker.postMessage(channel.port2, [channel.port2]);
function call(request) {
    return new Promise(resolve => {
        waiting.push(resolve);
        channel.port1.postMessage(Uint8Array.from(atob(request), letter => letter.charCodeAt(0)));
    });
}
"""


class Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path != "/page":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(f"<script>{START}</script>".encode())
        return None

    def log_message(self, *args: Any) -> None:
        pass


class TraceProcessor:
    """One trace at a time. `folder` holds engine_bundle.js."""

    def __init__(self, browser: Chromium, folder: Path) -> None:
        handler = functools.partial(Handler, directory=str(folder))
        self._browser = browser
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        self._browser.open(f"http://127.0.0.1:{self._server.server_port}/page")
        self._browser.until(lambda page: page.ask("typeof call") == "function")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._browser.open("about:blank")  # which ends the worker
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def load(self, trace: bytes) -> None:
        self._call(RESET, b"")
        (answer,) = parts(message(self._call(APPEND, bytes_field(101, trace))), 201)
        assert not message(answer), answer  # an error
        self._call(FINALIZE, b"")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        answer = message(self._call(QUERY, bytes_field(103, bytes_field(1, sql.encode()))))
        rows: list[tuple[Any, ...]] = []
        for result in map(message, parts(answer, 203)):
            assert not parts(result, 2), result
            cells = [cell for batch in parts(result, 3) for cell in cells_of(batch)]
            rows += zip(*[iter(cells)] * len(parts(result, 1)), strict=True)
        return rows

    def _call(self, method: int, argument: bytes) -> bytes:
        request = varint(2 << 3) + varint(method) + argument
        stream = base64.b64encode(bytes_field(1, request)).decode()
        answer = base64.b64decode(self._browser.ask(f"call({json.dumps(stream)})"))
        (reply,) = parts(message(answer), 1)
        assert 5 not in message(reply), reply  # a fatal error
        return reply


def bytes_field(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


def cells_of(batch: bytes) -> Iterator[Any]:
    fields = message(batch)
    kinds, numbers, floats, texts = (b"".join(parts(fields, field)) for field in (1, 2, 3, 5))
    whole, real = varints(numbers), struct.iter_unpack("<d", floats)
    words = iter(texts.split(b"\0"))
    for kind in kinds:
        match kind:
            case 1:
                yield None
            case 2:
                value = next(whole)
                yield value - (1 << 64) if value >> 63 else value
            case 3:
                yield next(real)[0]
            case 4:
                yield next(words).decode()
            case other:
                raise AssertionError(other)
