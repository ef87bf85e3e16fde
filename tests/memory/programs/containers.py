# SPDX-License-Identifier: Apache-2.0
import collections
import heapq
import itertools

queue = collections.deque(maxlen=200)
for i in range(1000):
    queue.append([i])
counter = collections.Counter(str(i % 77) for i in range(2000))
grouped = collections.defaultdict(list)
for i in range(1500):
    grouped[i % 31].append(i * 3)
ordered = collections.OrderedDict((i, str(i)) for i in range(300))
for i in range(0, 300, 2):
    ordered.move_to_end(i)
    if i % 4 == 0:
        ordered.popitem(last=False)
chain = collections.ChainMap({}, {1: 2}, dict.fromkeys(range(100)))
heap = []
for i in range(500):
    heapq.heappush(heap, (i * 7919 % 1000, str(i)))
smallest = [heapq.heappop(heap) for _ in range(100)]
measure()
pairs = list(itertools.combinations(range(30), 2))
products = list(itertools.islice(itertools.product("abc", repeat=6), 500))
sets = [frozenset(range(i)) for i in range(60)] + [set(range(i)) - {1} for i in range(60)]
measure()
