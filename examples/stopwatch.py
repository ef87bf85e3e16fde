# SPDX-License-Identifier: Apache-2.0
"""A block under a stopwatch, and a function of which every call is. To find: what takes its time
by computing, and what by waiting."""

import time

import fettle

fetching = fettle.stopwatch()


@fetching
def fetch(page: int) -> int:
    time.sleep(0.02)  # the network
    return sum(range(page * 1000))


def main() -> None:
    with fettle.stopwatch() as watch:
        print(max(range(50)))
    print("Time:", watch)
    for page in range(5):
        fetch(page)
    print("fetch:", fetching)


if __name__ == "__main__":
    main()
