// SPDX-License-Identifier: Apache-2.0
// payload.ts: what the document carries: the columns of one or two recordings, as python/fettle/html
// writes them. Times are whole nanoseconds; a column X of two recordings has a twin X0, the old one's.

export type Column = readonly number[];

export interface Functions {
  file: Column;
  line: Column;
  name: readonly string[];
  label: readonly string[];
  kind: Column;
  calls: Column;
  primitive: Column;
  own: Column;
  cumulative: Column;
  ownWaiting: Column;
  cumulativeWaiting: Column;
  calls0?: Column;
  primitive0?: Column;
  own0?: Column;
  cumulative0?: Column;
  ownWaiting0?: Column;
  cumulativeWaiting0?: Column;
  /** What the runs say of each own time, in words, and how many times as long it takes (1: that is not sure). */
  verdict?: readonly string[];
  times?: Column;
}

export interface Calls {
  parent: Column;
  function: Column;
  text: Readonly<Record<string, string>>;
  calls: Column;
  own: Column;
  waiting: Column;
  calls0?: Column;
  own0?: Column;
  waiting0?: Column;
  pruned: { nodes: number; own: number } | null;
}

export interface Memory {
  parent: Column;
  place: Column;
  totalBytes: Column;
  totalCount: Column;
  peakBytes: Column;
  peakCount: Column;
  aliveBytes: Column;
  aliveCount: Column;
  totalBytes0?: Column;
  totalCount0?: Column;
  peakBytes0?: Column;
  peakCount0?: Column;
  aliveBytes0?: Column;
  aliveCount0?: Column;
}

export interface Places {
  file: Column;
  line: Column;
  name: readonly string[];
  function: Column;
}

export type LineRow = readonly [line: number, hits: number, time: number, waiting: number, callees: number];

export interface LineTable {
  file: number;
  line: number;
  label: string;
  calls: number;
  rows: readonly LineRow[];
  calls0?: number;
  rows0?: readonly LineRow[];
}

export type LineBytes = readonly [file: number, line: number, total: number, peak: number, alive: number];

export interface Moments {
  process: string;
  time: Column;
  live: Column;
  rss: Column;
}

export interface Timeline {
  moments: readonly Moments[];
  points: readonly (readonly [process: string, time: number, name: string])[];
  collections: readonly (readonly [
    process: string, start: number, duration: number, generation: number, collected: number,
  ])[];
  threads: readonly (readonly [process: string, name: string, start: number, end: number | null])[];
}

export interface Objects {
  type: readonly string[];
  count: Column;
  bytes: Column;
  place: readonly (string | number | null)[];
  count0?: Column;
  bytes0?: Column;
}

export interface Classes {
  type: readonly string[];
  instances: Column;
  bytes: Column;
  plain: Column;
  slotted: Column;
  why: readonly (string | null)[];
  instances0?: Column;
  bytes0?: Column;
}

export interface Timing {
  label: string;
  clock: string;
  median: number | null;
  low: number | null;
  high: number | null;
  samples: readonly (number | null)[];
  median0?: number | null;
  low0?: number | null;
  high0?: number | null;
  samples0?: readonly (number | null)[];
}

export interface Payload {
  version: number;
  /** Of how many runs the numbers of calls, functions and lines are sums, if the page shows their mean. */
  runs: number;
  runs0?: number;
  title: string;
  old: string | null;
  header: readonly (readonly [string, string])[];
  remarks: readonly string[];
  files: readonly string[];
  functions: Functions | null;
  calls: Calls | null;
  memory: Memory | null;
  places: Places | null;
  lines: readonly LineTable[] | null;
  lineBytes: readonly LineBytes[] | null;
  lineBytes0?: readonly LineBytes[] | null;
  sources: Readonly<Record<string, string>>;
  timeline: Timeline | null;
  timeline0?: Timeline | null;
  objects: Objects | null;
  classes: Classes | null;
  timings: readonly Timing[] | null;
}

export const VERSION = 1;

/** The bytes that a base64 text stands for. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.trim());
  const bytes = new Uint8Array(plain.length);
  for (let at = 0; at < plain.length; at++) bytes[at] = plain.charCodeAt(at);
  return bytes;
}

/** The payload that a base64 text of a zlib stream of JSON holds. */
export async function decode(text: string): Promise<Payload> {
  const packed = new Blob([bytesOf(text)]).stream();
  const plain = packed.pipeThrough(new DecompressionStream("deflate"));
  const payload = JSON.parse(await new Response(plain).text()) as Payload;
  if (payload.version !== VERSION) {
    throw new Error(`The data of this page have version ${payload.version}, its viewer reads ${VERSION}.`);
  }
  return meanOf(payload);
}

const PER_RUN = ["calls", "primitive", "own", "cumulative", "ownWaiting", "cumulativeWaiting", "waiting"];

/** With the mean of a run in place of what is the sum of several; memory is of one run anyhow. */
export function meanOf(payload: Payload): Payload {
  const { runs, runs0 = 1 } = payload;
  if (runs === 1 && runs0 === 1) return payload;
  const part = <T extends Functions | Calls>(columns: T): T => {
    const found = columns as unknown as Record<string, Column | undefined>;
    const over = (suffix: string, by: number): [string, Column][] => PER_RUN.map((each) => each + suffix)
      .filter((each) => found[each]).map((each) => [each, (found[each] as Column).map((one) => one / by)]);
    return { ...columns, ...Object.fromEntries([...over("", runs), ...over("0", runs0)]) };
  };
  const rows = (of: readonly LineRow[], by: number): LineRow[] =>
    of.map(([line, ...numbers]) => [line, ...numbers.map((one) => one / by)] as unknown as LineRow);
  return {
    ...payload,
    functions: payload.functions && part(payload.functions),
    calls: payload.calls && part(payload.calls),
    lines: payload.lines && payload.lines.map((table) => ({
      ...table, calls: table.calls / runs, rows: rows(table.rows, runs),
      ...(table.rows0 ? { calls0: (table.calls0 ?? 0) / runs0, rows0: rows(table.rows0, runs0) } : {}),
    })),
  };
}
