# SPDX-License-Identifier: Apache-2.0
"""Work shared out to threads and to processes: one recording holds them all.

To find (fettle run pool.py):

1. The threads of fetch_all sleep side by side: their sleep counts four times although the program
   waits once, because times are sums over threads. The waiting column tells it from work.
2. count_primes runs in two child processes and still is a row of the one table.
3. is_prime tries every divisor up to n; up to the square root would do.
"""

import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

BLOCK = 1_000
BLOCKS = 6


def is_prime(n):
    """Whether n is a prime number."""
    return n > 1 and all(n % divisor for divisor in range(2, n))


def count_primes(first):
    """How many of the BLOCK numbers from first on are prime."""
    return sum(is_prime(n) for n in range(first, first + BLOCK))


def fetch(page):
    """A page from a slow server."""
    time.sleep(0.2)
    return f"page {page}"


def fetch_all(pages):
    """The pages, fetched by one thread each."""
    with ThreadPoolExecutor(len(pages)) as threads:
        return list(threads.map(fetch, pages))


def count_all(blocks):
    """The primes in so many blocks, counted by two processes."""
    with ProcessPoolExecutor(2) as processes:
        return sum(processes.map(count_primes, range(0, blocks * BLOCK, BLOCK)))


def main():
    print(", ".join(fetch_all(range(1, 5))))
    print(f"{count_all(BLOCKS)} primes below {BLOCKS * BLOCK}")


if __name__ == "__main__":
    main()
