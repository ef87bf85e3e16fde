# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium, spoken to by the DevTools protocol over a pair of pipes: no package needed.

Messages are JSON, each ended by a NUL; Chromium reads them from descriptor 3 and answers on 4.
"""

import base64
import fcntl
import json
import os
import select
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PATIENCE = 60  # seconds: a hang, not a speed limit
FLAGS = [
    "--headless",
    "--no-sandbox",  # it refuses to start as root with one; what it opens is ours
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--enable-unsafe-swiftshader",  # WebGL without a graphics card
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1200,4000",
    "--remote-debugging-pipe",
]
CODES = {"Tab": 9, "Enter": 13, "Escape": 27, "End": 35, "Home": 36} | {
    key: 37 + at for at, key in enumerate(["ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"])
}
COMPLAINTS = ("error", "warning", "assert")


class Chromium:
    """One page. What it complained about is in `complaints`."""

    def __init__(self, executable: str, folder: Path) -> None:
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        # Out of the way of 3 and 4, which these may be.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (theirs_in, theirs_out)]

        def attach() -> None:
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        with open(folder / "chromium.log", "wb") as log:
            self._process = subprocess.Popen(
                [executable, *FLAGS, f"--user-data-dir={folder / 'chromium'}", "about:blank"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                close_fds=False,
                preexec_fn=attach,
            )
        for end in (theirs_in, theirs_out, *ends):
            os.close(end)
        self._received = b""
        self._number = 0
        self._session: dict[str, str] = {}
        self.complaints: list[str] = []

    def __enter__(self) -> Self:
        pages = [t for t in self._call("Target.getTargets")["targetInfos"] if t["type"] == "page"]
        attached = self._call("Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Runtime", "Log", "Page"):
            self._call(f"{domain}.enable")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._session = {}
        with suppress(BrokenPipeError):
            self._send("Browser.close")
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def open(self, url: str) -> None:
        """A page of its own, even where only the part behind # differs from the one before."""
        self._call("Page.navigate", url="about:blank")
        self.complaints.clear()
        self._call("Page.navigate", url=url)

    def ask(self, script: str) -> Any:
        """What the script gives; a promise is waited for."""
        answer = self._call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def until(self, condition: Callable[[Self], Any]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition(self):
            assert time.monotonic() < deadline, self.ask("document.body.innerText")
            time.sleep(0.05)

    def click(self, x: float, y: float, times: int = 1) -> None:
        """At a point of the window."""
        for kind in ("mousePressed", "mouseReleased"):
            self._call(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=times
            )

    def press(self, key: str) -> None:
        """A key, by the name that KeyboardEvent.key has for it."""
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        code = CODES.get(key, 0)
        for kind in ("keyDown", "keyUp"):
            self._call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                windowsVirtualKeyCode=code,
                **(text if kind == "keyDown" else {}),
            )

    def write(self, text: str) -> None:
        """Into what has the focus."""
        self._call("Input.insertText", text=text)

    def resize(self, width: int, height: int, scale: float = 1) -> None:
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=False,
        )

    def hide_scrollbars(self) -> None:
        """A picture has none, and would else be of a page that is about to be laid out anew."""
        self._call("Emulation.setScrollbarsHidden", hidden=True)

    def prefer(self, **features: str) -> None:
        """What the system is said to be set to: prefer(color_scheme="dark")."""
        wanted = [
            {"name": f"prefers-{name.replace('_', '-')}", "value": value}
            for name, value in features.items()
        ]
        self._call("Emulation.setEmulatedMedia", features=wanted)

    def picture(self, **clip: float) -> bytes:
        """A PNG of the window, or of a part: x, y, width, height of the page."""
        part = {"clip": {**clip, "scale": 1}, "captureBeyondViewport": True} if clip else {}
        return base64.b64decode(self._call("Page.captureScreenshot", format="png", **part)["data"])

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = self._send(method, **parameters)
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)

    def _send(self, method: str, **parameters: Any) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters} | self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        return self._number

    def _receive(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self._received:
            ready, _, _ = select.select([self._from], [], [], deadline - time.monotonic())
            assert ready, "Chromium does not answer"
            more = os.read(self._from, 1 << 16)
            assert more, "Chromium ended; chromium.log in the test's folder may say why"
            self._received += more
        first, self._received = self._received.split(b"\0", 1)
        message: dict[str, Any] = json.loads(first)
        return message

    def _note(self, event: dict[str, Any]) -> None:
        details = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(details["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if details["type"] in COMPLAINTS:
                self.complaints.append(json.dumps(details["args"]))
            case "Log.entryAdded" if details["entry"]["level"] == "error":
                self.complaints.append(details["entry"]["text"])
            case "Page.javascriptDialogOpening":
                self.complaints.append(f"a dialog: {details['message']}")
                self._send("Page.handleJavaScriptDialog", accept=True)
