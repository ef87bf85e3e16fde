// SPDX-License-Identifier: Apache-2.0
// heat.ts: what is known of each line of each file: hits and times of recorded lines, bytes of what lines
// allocated, and, where only calls were recorded, what each function took, at its first line.

import type { Payload } from "./payload.ts";

export const COLUMNS = ["hits", "time", "callees", "waiting", "total", "peak", "alive", "function"] as const;
export type HeatColumn = (typeof COLUMNS)[number];
export type LineHeat = Partial<Record<HeatColumn, number>>;

export interface FileHeat {
  lines: Map<number, LineHeat>;
  sums: LineHeat;
  most: LineHeat;
}

/** By file. old: of the old recording. */
export function heats(payload: Payload, isOld = false): Map<number, FileHeat> {
  const found = new Map<number, FileHeat>();
  const add = (file: number, line: number, column: HeatColumn, by: number): void => {
    if (file < 0 || !by) return;
    let heat = found.get(file);
    if (!heat) found.set(file, (heat = { lines: new Map(), sums: {}, most: {} }));
    let row = heat.lines.get(line);
    if (!row) heat.lines.set(line, (row = {}));
    const now = (row[column] ?? 0) + by;
    row[column] = now;
    heat.sums[column] = (heat.sums[column] ?? 0) + by;
    heat.most[column] = Math.max(heat.most[column] ?? 0, now);
  };
  for (const table of payload.lines ?? []) {
    for (const [line, hits, time, waiting, callees] of (isOld ? table.rows0 : table.rows) ?? []) {
      add(table.file, line, "hits", hits);
      add(table.file, line, "time", time);
      add(table.file, line, "callees", callees);
      add(table.file, line, "waiting", waiting);
    }
  }
  for (const [file, line, total, peak, alive] of (isOld ? payload.lineBytes0 : payload.lineBytes) ?? []) {
    add(file, line, "total", total);
    add(file, line, "peak", peak);
    add(file, line, "alive", alive);
  }
  const functions = payload.functions;
  const own = isOld ? functions?.own0 : functions?.own;
  functions?.file.forEach((file, at) => add(file, functions.line[at], "function", own?.[at] ?? 0));
  return found;
}

/** What a line is worth: its time without that of what it called, else its function's, else its bytes. */
export function worth(numbers: LineHeat | undefined): number {
  if (!numbers) return 0;
  return Math.max((numbers.time ?? 0) - (numbers.callees ?? 0), 0) || numbers.function || numbers.total || 0;
}

/** By what files are told apart. "line": of lines alone it is not known what was spent in callees, and lines of
 * one file call each other, so that their sum would count a time several times. */
export type FileMeasure = "own" | "line" | "bytes";

export function fileMeasure(heats: Iterable<FileHeat>): FileMeasure {
  const all = [...heats];
  if (all.some((heat) => heat.sums.function)) return "own";
  return all.some((heat) => heat.sums.time) ? "line" : "bytes";
}

/** What a file is worth: the own time of all its functions, recorded line by line or not; else its hottest line;
 * else its bytes. */
export function fileWorth(heat: FileHeat | undefined, measure: FileMeasure): number {
  if (measure === "bytes") return heat?.sums.total ?? 0;
  return (measure === "line" ? heat?.most.time : heat?.sums.function) ?? 0;
}

/** The line that is worth most; 0: none is. */
export function hottest(heat: FileHeat | undefined): number {
  let best = 0;
  for (const [line, numbers] of heat?.lines ?? []) if (worth(numbers) > worth(heat?.lines.get(best))) best = line;
  return best;
}
