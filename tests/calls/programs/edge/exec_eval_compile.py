# SPDX-License-Identifier: Apache-2.0
"""Code compiled at run time is called `<module>` of its own file name; compile calls nothing.

expect <built-in method builtins.exec> 2
expect <built-in method builtins.eval> 3
expect <built-in method builtins.compile> 1
expect helper 5
edge <module> -> <built-in method builtins.exec> 2
edge <built-in method builtins.eval> -> <module> 1
expect <lambda> 1
"""


def helper():
    return 1


exec("for _ in range(3): helper()")
code = compile("helper()", "made up.py", "eval")
print(eval(code) + eval("1"), eval(code.replace(co_filename=__file__)))
exec("def helper2(): pass\nhelper2()", {})
print((lambda: 2)())
