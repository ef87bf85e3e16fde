# SPDX-License-Identifier: Apache-2.0
"""The pure Python pickler and unpickler, copyreg, pickletools and base64."""

import base64
import io
import pickle
import pickletools


class Node:
    def __init__(self, value, children=()):
        self.value = value
        self.children = list(children)

    def __reduce__(self):
        return Node, (self.value, self.children)


tree = Node(1, [Node(i, [Node(j) for j in range(3)]) for i in range(12)])
data = [tree, {"a": (1, 2.5, None, True), "b": b"bytes", "c": {1, 2}, "d": "text" * 10}, range(3)]
for protocol in range(2, 6):
    buffer = io.BytesIO()
    pickle._Pickler(buffer, protocol).dump(data)
    buffer.seek(0)
    loaded = pickle._Unpickler(buffer).load()
    print(len(buffer.getvalue()) > 100, loaded[0].children[3].value, len(base64.b64encode(buffer.getvalue())) > 0)
print(sum(1 for _ in pickletools.genops(pickle.dumps([1, "a", {}]))))
