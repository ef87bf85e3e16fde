# SPDX-License-Identifier: Apache-2.0
"""What %frun gives and shows: a recording that is a table in a terminal and a flame graph in a
notebook.
"""

from types import MappingProxyType
from typing import Any

from fettle import _core
from fettle.inside import Run
from fettle.problem import Problem
from fettle.report import screen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_core.leave_out(__file__)


class Recorded(Run):
    """A fettle.run() that shows itself. `text` is its tables.

    >>> recording = Recorded(calls=True)
    >>> with recording:
    ...     top = max(3, 1)
    >>> "built-in method builtins.max" in recording.text
    True
    """

    shown: "Mapping[str, Any]" = MappingProxyType({})  # what view() is asked for
    named = ""  # the options that say of what the lines are wanted

    def profile(self) -> _core.Profile:
        """What was recorded so far."""
        profile = super().profile()
        if self.named:
            profile.set_meta("named", self.named)
        return profile

    @property
    def text(self) -> str:
        """What `fettle view` prints."""
        stream = screen.Text()
        self.view(**self.shown, file=stream)
        return stream.getvalue()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(self.text.rstrip("\n"))

    def _repr_html_(self) -> str:
        """The report in a frame of its own, and the tables for where no script may run."""
        from html import escape

        tables = f"<pre>{escape(self.text)}</pre>"
        try:
            frame = super()._repr_html_()
        except Problem:  # an installation without the script
            return tables
        return f"{frame}<details><summary>as tables</summary>{tables}</details>"


def display(thing: object) -> None:
    """Shows thing below the cell."""
    from IPython.display import display as show

    show(thing)
