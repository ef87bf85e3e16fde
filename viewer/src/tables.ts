// SPDX-License-Identifier: Apache-2.0
// tables.ts: columns as several tables want them: a number of one recording, or the old one, the new one and
// the change of two.

import * as format from "./format.ts";
import type { Unit } from "./format.ts";
import type { TableColumn } from "./table.ts";

type Numbers = ArrayLike<number>;

export function largest(numbers: Numbers): number {
  let found = 0;
  for (let at = 0; at < numbers.length; at++) if (numbers[at] > found) found = numbers[at];
  return found;
}

/** One column of one recording, three of two. */
export function numbers(id: string, title: string, unit: Unit, fresh: Numbers, old?: Numbers | null): TableColumn[] {
  const most = largest(fresh);
  const column: TableColumn = {
    id, title, key: (row) => fresh[row], text: (row) => format.value(fresh[row], unit),
    ...(most > 0 && unit !== "count" ? { bar: (row: number) => fresh[row] / most } : {}),
  };
  if (!old) return [column];
  return [
    { id: `${id}0`, title: `${title}, old`, key: (row) => old[row], text: (row) => format.value(old[row], unit) },
    { ...column, title: "new" },
    {
      id: `${id}-change`, title: "change", key: (row) => format.growth(fresh[row], old[row]),
      text: (row) => format.change(fresh[row], old[row], unit),
      tone: (row) => toneOf(format.growth(fresh[row], old[row])),
    },
  ];
}

export function toneOf(by: number): string {
  return by > 0 ? "grew" : by < 0 ? "shrank" : "same";
}

export function words(id: string, title: string, text: (row: number) => string): TableColumn {
  return { id, title, key: text, text, wide: true };
}

export function isAny(numbers: Numbers | null | undefined): boolean {
  return !!numbers && Array.prototype.some.call(numbers, (each: number) => each !== 0);
}
