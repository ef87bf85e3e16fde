# SPDX-License-Identifier: Apache-2.0
"""Shortest paths with heapq, topological order, union-find, a queue of permutations."""

import bisect
import graphlib
import heapq
from collections import ChainMap, Counter, OrderedDict, UserDict, defaultdict, deque, namedtuple
from itertools import groupby, permutations

Link = namedtuple("Link", "target length")


def build(size):
    graph = defaultdict(list)
    for i in range(size):
        for step in (1, 7, 13):
            graph[i].append(Link((i + step) % size, (i * step) % 10 + 1))
    return graph


def shortest(graph, start):
    best = {start: 0}
    queue = [(0, start)]
    while queue:
        length, node = heapq.heappop(queue)
        if length > best[node]:
            continue
        for link in graph[node]:
            candidate = length + link.length
            if candidate < best.get(link.target, 1 << 30):
                best[link.target] = candidate
                heapq.heappush(queue, (candidate, link.target))
    return best


def find(parents, x):
    if parents[x] != x:
        parents[x] = find(parents, parents[x])
    return parents[x]


class Settings(UserDict):
    def __missing__(self, key):
        return key


print(sum(shortest(build(300), 0).values()))
print(list(graphlib.TopologicalSorter({i: {i // 2} for i in range(1, 40)}).static_order())[:3])
parents = [max(0, i - 1) for i in range(200)]
print(find(parents, 199), sum(1 for p in permutations(range(5)) if p[0] < p[-1]))
print(Counter("mississippi").most_common(2), Settings(a=1)["b"], ChainMap({}, {"a": 1})["a"])
print([(k, len(list(g))) for k, g in groupby(sorted("mississippi"))], Link(1, 2)._replace(target=3))
print(bisect.bisect_left([link for link in range(9)], 4, key=lambda x: x), deque([1, 2], maxlen=1))
print(list(heapq.merge([1, 4], [2, 3], key=lambda x: x)), heapq.nlargest(2, range(9), key=lambda x: -x))
print(OrderedDict(a=1))
