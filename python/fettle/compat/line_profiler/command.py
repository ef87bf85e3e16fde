# SPDX-License-Identifier: Apache-2.0
"""`python -m fettle.compat.line_profiler`: shows .lprof files, several as one."""

import sys
from argparse import ArgumentParser, Namespace

from fettle import _core
from fettle.problem import UNREADABLE, reason
from fettle.report.names import visible

from ._line_profiler import __version__
from .cli_utils import add_argument, get_cli_config, positive_float, short_string_path
from .line_stats import LineStats
from .text import show_text

_SWITCHES = (
    ("-r", "--rich", "Colour the tables."),
    ("-z", "--skip-zero", "Leave out functions that never ran."),
    ("-t", "--sort", "Show last what took longest."),
    ("-m", "--summarize", "End with one line for each function."),
)


def main() -> None:
    """The command; its arguments are sys.argv's. Raises SystemExit for wrong ones."""
    args = _arguments()
    stats = LineStats.from_stats_objects(*(_read(file) for file in args.profile_output))
    show_text(
        stats.timings,
        stats.unit,
        output_unit=args.unit,
        stripzeros=args.skip_zero,
        rich=args.rich,
        sort=args.sort,
        summarize=args.summarize,
        config=args.config,
    )


def _arguments() -> Namespace:
    """What the command line says, and the configuration where it says nothing."""
    default = get_cli_config("cli")
    values = default.conf_dict
    parser = ArgumentParser(
        prog="python -m fettle.compat.line_profiler",
        description="Shows what kernprof or LineProfiler.dump_stats() wrote.",
    )
    add_argument(parser, "-V", "--version", action="version", version=__version__)
    add_argument(
        parser,
        "-c",
        "--config",
        help="TOML file whose table tool.line_profiler.cli has the defaults of these options."
        f" (Default: {short_string_path(default.path)!r})",
    )
    add_argument(
        parser,
        "--no-config",
        action="store_const",
        dest="config",
        const=False,
        help="Use no configuration file but the one that is built in.",
    )
    told = f"Unit of the times, in seconds. (Default: {values['unit']} s)"
    add_argument(parser, "-u", "--unit", type=positive_float, help=told)
    for short, long, text in _SWITCHES:
        told = f"{text} (Default: {values[long[2:].replace('-', '_')]})"
        add_argument(parser, short, long, action="store_true", help=told)
    add_argument(parser, "profile_output", nargs="+", help=".lprof files")
    args = parser.parse_args()
    if args.config is not None:
        config = get_cli_config("cli", args.config)
        args.config, values = config.path, config.conf_dict
    for name, value in values.items():
        if getattr(args, name, None) is None:
            setattr(args, name, value)
    return args


def _read(file: str) -> LineStats:
    try:
        return LineStats.from_files(file)
    except _core.FileError as error:
        kind, _, detail = error.args
        why = "it is no .lprof file" + (f" ({detail})" if kind == "corrupt" and detail else "")
    except (OSError, MemoryError) as error:
        why = reason(error)
    what = f"cannot read {visible(file)}: {visible(why)}"
    print(f"fettle: {what}; name a file that kernprof wrote.", file=sys.stderr)
    sys.exit(UNREADABLE)
