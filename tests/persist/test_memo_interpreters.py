# SPDX-License-Identifier: Apache-2.0
"""fettle.Memo in sub-interpreters: those that may load the module keep results of their own, the
others are refused when they import it."""

from .memos import Programs

HEAD = """
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

def create(kind):
    try:
        return interpreters.create(kind)
    except TypeError:
        return interpreters.create(isolated=kind == "isolated")

@memo(version=1)
def mine(x): return [x]
mine(1)
TRY = '''
import os
try:
    import fettle
    memo = fettle.Memo(os.environ["STORE"])
    @memo(version=1)
    def f(x): return [x, "abc"]
    for n in range(100):
        assert f(n % 50) == [n % 50, "abc"]
    f.itself = f
    assert f.cached(5) and memo.stats().entries >= 50
    memo.clear()
    print("works", flush=True)
except ImportError as error:
    print("refused" if "interpreter" in str(error) else error, flush=True)
'''
"""


def test_each_kind_works_or_is_refused(programs: Programs) -> None:
    text = (
        HEAD
        + """
for kind in ("legacy", "isolated") * 2:
    number = create(kind)
    failed = interpreters.run_string(number, TRY)
    if failed is not None: print(failed, flush=True)
    interpreters.destroy(number)
    assert mine(1) == [1] and mine(2) == [2]
print(mine(1))
"""
    )
    lines = programs.run(text)
    assert lines[-1] == "[1]"
    assert len(lines) == 5 and set(lines[:-1]) <= {"works", "refused"}, lines
