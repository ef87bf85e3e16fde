# SPDX-License-Identifier: Apache-2.0
"""What disturbs a measurement from outside: what the system counts, before and after."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from fettle.timing.series import Sample

STEAL = 0.01  # of the processors' time
PREEMPTED = 0.02  # involuntary switches a millisecond of CPU time: one in 50 ms is the system's own
_STAT = "/proc/stat"
_CGROUP = ("/sys/fs/cgroup/cpu.stat", "/sys/fs/cgroup/cpu/cpu.stat")
_GOVERNOR = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"


class Watch:
    """From when it was made on."""

    def __init__(self) -> None:
        self._ticks, self._stolen = _processor_ticks()
        self._throttled = _throttled()

    def causes(self, rounds: "Sequence[Sequence[Sample]]") -> list[str]:
        """What may have made the samples noisy, in words, the likeliest first."""
        ticks, stolen = _processor_ticks()
        causes = []
        if _throttled() > self._throttled:
            causes.append("the control group of this process ran out of its CPU quota")
        if ticks > self._ticks and (stolen - self._stolen) / (ticks - self._ticks) > STEAL:
            share = (stolen - self._stolen) / (ticks - self._ticks)
            causes.append(f"other virtual machines took {share:.0%} of the processors' time")
        if _preempted(rounds) > PREEMPTED:
            load = _load()
            causes.append(
                "other programs use the processors" + (f" (load {load:.1f})" if load else "")
            )
        if any(sample.faults for each in rounds for sample in each):
            causes.append("pages were read back from the disk: memory is short")
        governor = _text(_GOVERNOR).strip()
        if governor in {"ondemand", "powersave", "conservative", "schedutil"}:
            causes.append(f"the processor changes its frequency (governor {governor})")
        return causes


def _preempted(rounds: "Sequence[Sequence[Sample]]") -> float:
    """Involuntary switches a millisecond of CPU time, of all samples."""
    switches = sum(sample.preempted for each in rounds for sample in each)
    seconds = sum((sample.cpu + sample.empty) * sample.loops for each in rounds for sample in each)
    return switches / max(seconds * 1000, 1e-9)


def _processor_ticks() -> tuple[int, int]:
    """Of all processors since the system started: all, and those stolen by other machines."""
    words = _text(_STAT).partition("\n")[0].split()
    numbers = [int(word) for word in words[1:9] if word.isdecimal()]
    return (sum(numbers), numbers[7]) if len(numbers) == 8 else (0, 0)


def _throttled() -> int:
    for path in _CGROUP:
        for line in _text(path).splitlines():
            name, _, value = line.partition(" ")
            if name == "nr_throttled" and value.strip().isdecimal():
                return int(value)
    return 0


def _load() -> float:
    """The load average, where it is above what the processors can do."""
    try:
        load = os.getloadavg()[0]
    except OSError:
        return 0.0
    return load if load > (os.cpu_count() or 1) / 2 else 0.0


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 16)
    except OSError:
        return ""
