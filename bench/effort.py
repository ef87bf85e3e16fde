# SPDX-License-Identifier: Apache-2.0
"""How much is measured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Effort:
    folder: Path  # for scripts and recordings; gone afterwards
    rounds: int = 5
    only: tuple[str, ...] = ()  # these workloads and shapes; none: all
    tiny: bool = False  # see that everything runs; the figures mean nothing

    def chosen(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if not self.only or name in self.only]

    @property
    def seconds(self) -> float:
        """The least that a workload takes, plain."""
        return 0.001 if self.tiny else 0.085
