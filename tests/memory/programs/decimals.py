# SPDX-License-Identifier: Apache-2.0
import decimal
import fractions

decimal.getcontext().prec = 60
values = [decimal.Decimal(i) / 7 for i in range(1, 300)]
roots = [value.sqrt() for value in values]
total = sum(values, decimal.Decimal(0))
shares = [fractions.Fraction(i, i + 3) for i in range(200)]
share = sum(shares[:40], fractions.Fraction(0))
big = [3**i for i in range(0, 900, 5)]
text = [str(n) for n in big]
back = [int(t) for t in text]
complexes = [complex(i, -i) * 2 for i in range(300)]
del values[::2]
measure()
