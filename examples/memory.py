# SPDX-License-Identifier: Apache-2.0
"""Two lists, and what the lines took that made them.

The program asks about itself, as those do that use tracemalloc: one import is another.

To find: which of the lists is larger, and why the shorter one is not half of it. `fettle run -M`
tells it of programs that do not ask.
"""

from fettle.compat import tracemalloc


def create_first_list() -> list[str]:
    print("First list creation.")
    return [f"customer {number}" for number in range(1000)]


def create_second_list() -> list[int]:
    print("Second list creation.")
    return [number**3 for number in range(2000, 4000)]


def main() -> None:
    tracemalloc.start()
    first = create_first_list()
    second = create_second_list()
    print(len(first))
    print(len(second))
    print()
    snapshot = tracemalloc.take_snapshot()
    of_this_file = snapshot.filter_traces([tracemalloc.Filter(True, __file__)])
    for statistic in of_this_file.statistics("lineno")[:2]:
        print(statistic)


if __name__ == "__main__":
    main()
