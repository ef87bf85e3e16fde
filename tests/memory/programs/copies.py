# SPDX-License-Identifier: Apache-2.0
import copy
import pickle
import sys
import types

sys.modules["program"] = types.ModuleType("program")


class Node:
    def __init__(self, depth):
        self.depth = depth
        self.children = [Node(depth - 1) for _ in range(3)] if depth else []


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self, a, b):
        self.a, self.b = a, b


sys.modules["program"].Node = Node
sys.modules["program"].Slotted = Slotted
tree = Node(5)
data = pickle.dumps(tree)
measure()
again = pickle.loads(data)
deep = copy.deepcopy(again)
slotted = copy.deepcopy([Slotted(i, [i]) for i in range(200)])
shallow = [copy.copy(node) for node in slotted]
texts = pickle.loads(pickle.dumps([{"k": str(i), "v": i * 1.5} for i in range(300)], protocol=2))
del tree, deep
measure()
