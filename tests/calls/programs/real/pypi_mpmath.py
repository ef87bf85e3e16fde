# SPDX-License-Identifier: Apache-2.0
"""mpmath, where it is installed.

package mpmath
"""

import mpmath

mpmath.mp.dps = 30
print(mpmath.quad(lambda x: mpmath.sin(x) ** 2, [0, mpmath.pi]), mpmath.zeta(3))
print(mpmath.findroot(lambda x: x**3 - 2, 1), mpmath.lu_solve([[1, 2], [3, 4]], [5, 6])[0])
print(mpmath.polyroots([1, -6, 11, -6]))
