# SPDX-License-Identifier: Apache-2.0
"""ast.unparse and a NodeTransformer over library modules."""

import ast
import heapq
import textwrap


class Rename(ast.NodeTransformer):
    def visit_Name(self, node):
        return ast.copy_location(ast.Name(node.id + "_", node.ctx), node)


for module in (heapq, textwrap):
    with open(module.__file__, encoding="utf-8") as stream:
        tree = ast.parse(stream.read())
    print(len(ast.unparse(Rename().visit(tree))))
