# SPDX-License-Identifier: Apache-2.0
"""How many bits of a number of three binary digits are 1? There are eight answers, and they are all
computed before the first question. To find: nothing counts when count_ones is asked."""

import fettle


@fettle.table(range(8))
def count_ones(n):
    """Convert the number to base 2 and count"""
    return f"{n:b}".count("1")


class NumOf1For3DigBin:
    def get_1s(self, n):
        """Print the number of 1s, or what the matter is"""
        try:
            print(count_ones(n))
        except IndexError:
            print("Input should be less than 8 as only 3 digit binary number supported.")


def main():
    """Ask for 2, for 9, and for all"""
    o = NumOf1For3DigBin()
    o.get_1s(2)
    o.get_1s(9)
    print(dict(enumerate(count_ones.values)))


if __name__ == "__main__":
    main()
