# SPDX-License-Identifier: Apache-2.0
# Code objects that die, and whose addresses are used again by others with other lines.
kept = []
files = [f"made{i}.py" for i in range(13)]  # tracemalloc keeps them alive, so the program does
for i in range(600):
    namespace = {"kept": kept}
    exec(
        compile("\n" * (i % 97) + f"kept.append([{i}, str({i})])", files[i % 13], "exec"), namespace
    )
for i in range(300):
    kept.append(eval(f"[{i} * 1.5, [{i}]]"))


def make(i):
    namespace = {}
    exec("\n" * (i % 31) + f"def f(x):\n    return [x, {i}], 'y' * x\n", namespace)
    return namespace["f"]


for i in range(400):
    kept.append(make(i)(i))
functions = [make(i) for i in range(200)]
del functions[::2]
kept.append([make(i)(i + 1) for i in range(200)])
del kept[::3]
classes = [type(f"C{i}", (), {"a": i, "__slots__": ("x", "y")}) for i in range(30)]
del classes[::2]
measure()
