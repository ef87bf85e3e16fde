# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: I001, UP032 - the lines, quotes and str.format are those of docs/seed.md
# fmt: off
"""Logs two users in, line by line. To find: the two lines in which all six seconds are waited."""
import time
from fettle import profile
def fetch_user_password(user_name):
    """Ask the (slow) user database"""
    time.sleep(1)
    return 'DUMMY'

@profile
def login_user(user_name, user_secret):
    """Validate a users user & password"""
    print("Try login for user {}.".format(user_name))
    time.sleep(2)
    if fetch_user_password(user_name) == user_secret:
        print("Success")
        return 0
    else:
        print("Failed")
        return 1


def main_app():
    """Log every user in"""
    for user_name in range(2):
        login_user(user_name, "DUMMY")


if __name__ == "__main__":
    print("Running application.")
    main_app()
