# SPDX-License-Identifier: Apache-2.0
"""%load_ext fettle: gives a shell its magics, and takes them back."""

from typing import Any

from fettle.notebook import awaiting, dis, run, takeover, time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def load_ipython_extension(shell: Any) -> None:
    """What %load_ext fettle calls."""
    own: dict[str, Callable[..., object]] = {}
    for module in (run, time, dis, takeover):
        own |= module.magics(shell)
    for name, magic in own.items():
        register(shell, name, magic)
    if awaiting.with_await not in shell.input_transformers_post:
        shell.input_transformers_post.append(awaiting.with_await)
    from fettle.notebook import completion

    completion.hook(shell, own)


def unload_ipython_extension(shell: Any) -> None:
    """What %unload_ext fettle calls."""
    takeover.release(shell)
    for name in OWN:
        for kind in ("line", "cell"):
            shell.magics_manager.magics[kind].pop(name, None)
    if awaiting.with_await in shell.input_transformers_post:
        shell.input_transformers_post.remove(awaiting.with_await)


OWN = ("frun", "fmem", "ftime", "fdis", "fettle")


def register(shell: Any, name: str, magic: "Callable[..., object]", kind: str = "") -> None:
    """A magic of lines and cells, whose line is Python and left as it is."""
    from IPython.core.magic import needs_local_scope, no_var_expand

    takes_names = "local_ns" in magic.__code__.co_varnames
    marked = no_var_expand(needs_local_scope(magic) if takes_names else magic)
    takes_cell = "cell" in magic.__code__.co_varnames
    shell.register_magic_function(marked, kind or ("line_cell" if takes_cell else "line"), name)
