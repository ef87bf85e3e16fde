# SPDX-License-Identifier: Apache-2.0
import ast
import inspect
import symtable

tree = ast.parse(open(inspect.__file__, encoding="utf-8").read())
measure()
names = [node.name for node in ast.walk(tree) if hasattr(node, "name")]
code = compile(tree, "inspected", "exec")
reset()
short = ast.unparse(tree.body[:40])
constants = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
symbols = symtable.symtable("def f(x):\n    return [x + y for y in x]\n" * 50, "f.py", "exec")
del tree
measure()
