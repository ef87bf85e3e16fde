# SPDX-License-Identifier: Apache-2.0
"""Sleeps, waits and works: 0.2 s in each of four ways to wait, and some work in between."""

import select
import threading
import time


def doze():
    time.sleep(0.2)


def wait_for_event():
    threading.Event().wait(0.2)


def wait_for_data():
    select.select([], [], [], 0.2)


def wait_in_parts():
    for _ in range(10):
        time.sleep(0.02)


def work():
    return sum(i * i for i in range(300_000))


def main():
    doze()
    work()
    wait_for_event()
    wait_for_data()
    wait_in_parts()


main()
