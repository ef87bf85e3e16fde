# SPDX-License-Identifier: Apache-2.0
"""Pure Python decimal and fractions."""

import _pydecimal as decimal
from fractions import Fraction

context = decimal.getcontext()
context.prec = 30
total = decimal.Decimal(0)
for i in range(1, 40):
    total += decimal.Decimal(1) / decimal.Decimal(i)
print(total.sqrt(), total.ln(), sum((Fraction(1, i) for i in range(1, 60)), Fraction(0)))
print(Fraction("3.25").limit_denominator(7), Fraction(7, 3) ** 3 % 2)
