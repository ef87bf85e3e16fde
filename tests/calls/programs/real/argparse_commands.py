# SPDX-License-Identifier: Apache-2.0
"""argparse: subcommands, groups, help, an error."""

import argparse
import contextlib
import io

parser = argparse.ArgumentParser(prog="tool", description="A tool with many options. " * 5)
commands = parser.add_subparsers(dest="command", required=True)
for name in ("add", "remove", "list"):
    command = commands.add_parser(name, help=f"{name} things")
    group = command.add_mutually_exclusive_group()
    group.add_argument("--fast", action="store_true")
    group.add_argument("--slow", action="store_false")
    command.add_argument("-n", "--number", type=int, default=3, choices=range(10))
    command.add_argument("things", nargs="*")
for line in ("add a b c", "remove --fast -n 4", "list --number=9 x"):
    print(parser.parse_args(line.split()))
print(len(parser.format_help()) > 100)
with contextlib.suppress(SystemExit), contextlib.redirect_stderr(io.StringIO()):
    parser.parse_args(["add", "-n", "77"])
