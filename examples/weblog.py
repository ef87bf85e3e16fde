# SPDX-License-Identifier: Apache-2.0
"""Reads a web server's log: which pages are slow, who came, what was refused.

To find, largest first (fettle run -s tottime weblog.py):

1. parse_line turns every date into a datetime with strptime, which is slow and written in Python,
   and the report only wants the hour: two characters of the line.
2. count_visitors keeps the addresses it has seen in a list and looks through it for every line;
   no function call shows that, only the own time of count_visitors does. A set would do.
3. page_of asks for the pattern anew for every line: look at how often re.match calls re._compile.
"""

import random
import re
from datetime import datetime

LINES = 120_000
PAGES = ("/", "/news", "/search?q=", "/user/", "/image/", "/login")
LINE = r'(\S+) \[([^\]]+)\] "(\w+) (\S+)" (\d+) (\d+)ms'


def write_log(lines):
    """A log of that many lines; always the same one."""
    dice = random.Random(42)
    visitors = [f"10.{dice.randrange(4)}.{dice.randrange(256)}.{n % 256}" for n in range(900)]
    log = []
    for number in range(lines):
        address = visitors[int(len(visitors) * dice.random() ** 2)]
        page = int(len(PAGES) * dice.random())
        path = PAGES[page] + (str(number % 977) if page in (2, 3, 4) else "")
        status = 403 if dice.random() < 0.02 else 200
        took = int(5 + 40 * page * dice.random())
        day, second = divmod(number * 7, 86_400)
        clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        log.append(f'{address} [{14 + day:02}/11/2023 {clock}] "GET {path}" {status} {took}ms')
    return log


def parse_line(line):
    """(address, time, path, status, milliseconds) of one line."""
    match = re.match(LINE, line)
    address, when, _, path, status, took = match.groups()
    return address, datetime.strptime(when, "%d/%m/%Y %H:%M:%S"), path, int(status), int(took)


def page_of(path):
    """The page behind a path: what comes before its number."""
    return re.match(r"/\w*", path).group()


def count_visitors(entries):
    """How many different addresses came."""
    seen = []
    for entry in entries:
        if entry[0] not in seen:
            seen.append(entry[0])
    return len(seen)


def slowest_pages(entries):
    """(page, mean milliseconds), the slowest first."""
    times = {}
    for _, _, path, _, took in entries:
        times.setdefault(page_of(path), []).append(took)
    means = [(page, sum(tooks) / len(tooks)) for page, tooks in times.items()]
    return sorted(means, key=lambda row: row[1], reverse=True)


def busiest_hour(entries):
    """(hour, requests) of the hour of the day with the most requests."""
    hours = [0] * 24
    for _, when, _, _, _ in entries:
        hours[when.hour] += 1
    return max(enumerate(hours), key=lambda row: row[1])


def main():
    entries = [parse_line(line) for line in write_log(LINES)]
    refused = sum(status == 403 for _, _, _, status, _ in entries)
    print(f"{len(entries)} requests of {count_visitors(entries)} visitors, {refused} refused")
    hour, requests = busiest_hour(entries)
    print(f"busiest hour: {hour:02}:00, {requests} requests")
    for page, mean in slowest_pages(entries):
        print(f"{page:10}{mean:7.1f} ms")


if __name__ == "__main__":
    main()
