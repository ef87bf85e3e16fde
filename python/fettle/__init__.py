# SPDX-License-Identifier: Apache-2.0
"""fettle: measure, find, fix, prove.

Importing this package loads nothing else: every recorded program imports it. What it offers is
loaded when it is first asked for.

    run     records a part of the program: fettle.inside.Run
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fettle.inside import Run as run

__all__ = ["run"]
__version__ = "0.1.0"  # as in meson.build; a test holds the two together


def __getattr__(name: str) -> object:
    if name != "run":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from fettle.inside import Run

    globals()["run"] = Run
    return Run


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
