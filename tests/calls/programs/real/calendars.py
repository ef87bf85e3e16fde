# SPDX-License-Identifier: Apache-2.0
"""calendar and datetime: month tables, ISO weeks, a time zone of our own, parsing and formatting."""

import calendar
from datetime import date, datetime, timedelta, timezone, tzinfo


class Odd(tzinfo):
    def utcoffset(self, moment):
        return timedelta(hours=1, minutes=30)

    def dst(self, moment):
        return timedelta(0)

    def tzname(self, moment):
        return "ODD"


print(len(calendar.TextCalendar().formatyear(2024)), len(calendar.HTMLCalendar().formatmonth(2024, 2)))
start = datetime(2024, 1, 1, tzinfo=Odd())
days = [start + timedelta(days=i) for i in range(50)]
print(max(days).astimezone(timezone.utc).isoformat(), sorted(days, key=lambda d: d.isocalendar()[1])[0])
print(datetime.strptime("2024-02-29 12:30", "%Y-%m-%d %H:%M").strftime("%j"), date(2024, 2, 29).weekday())
print(calendar.monthrange(2024, 2), days[3].tzname())
