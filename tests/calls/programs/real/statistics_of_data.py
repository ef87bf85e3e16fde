# SPDX-License-Identifier: Apache-2.0
"""statistics and random: exact sums, quantiles, regression, a seeded generator."""

import random
import statistics

generator = random.Random(1)
data = [generator.gauss(10, 2) for _ in range(150)]
print(round(statistics.fmean(data), 6), round(statistics.pstdev(data), 6))
print(round(statistics.mean(data), 6), round(statistics.variance(data), 6))
print(statistics.quantiles(data, n=4)[0] > 0, statistics.median_grouped(data) > 0)
print(statistics.mode([generator.randrange(6) for _ in range(100)]))
print(generator.sample(range(100), 5), generator.choices("abc", k=4), generator.shuffle(data))
normal = statistics.NormalDist.from_samples(data)
print(round(normal.inv_cdf(0.9), 4), round(statistics.linear_regression(data, data).slope, 6))
