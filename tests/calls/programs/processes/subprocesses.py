# SPDX-License-Identifier: Apache-2.0
"""Children by subprocess: a script, -c, -m, isolated mode, by way of a shell, one that fails.

processes 7
expect child_work 20
expect <module> 5
"""

import subprocess
import sys


def child_work():
    pass


if sys.argv[1:]:
    for _ in range(5):
        child_work()
    sys.exit(int(sys.argv[1]))
python = sys.executable
subprocess.run([python, __file__, "0"], check=True)
subprocess.run([python, "-I", __file__, "0"], check=True)
subprocess.run([python, "-c", "print('c')"], check=True)
subprocess.run([python, "-m", "this"], check=True, stdout=subprocess.DEVNULL)
subprocess.run(f"'{python}' '{__file__}' 0", shell=True, check=True)
print(subprocess.run([python, __file__, "3"], check=False).returncode)
