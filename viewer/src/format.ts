// SPDX-License-Identifier: Apache-2.0
// format.ts: numbers as people read them: three figures and a unit, shares, changes with their sign.

export type Unit = "time" | "bytes" | "count";

const TIMES: readonly [number, string][] = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];
const BYTES: readonly [number, string][] = [
  [1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [1, "B"],
];
const MINUS = "\u2212";
const SPACE = "\u00a0";

function scaled(value: number, units: readonly [number, string][]): string {
  const size = Math.abs(value);
  const [factor, unit] = units.find(([least]) => size >= least) ?? units[units.length - 1];
  const number = size / factor;
  const digits = factor === 1 || number >= 100 ? 0 : number >= 10 ? 1 : 2;
  return `${number.toFixed(digits)}${SPACE}${unit}`;
}

/** A time in ns. */
export function time(ns: number): string {
  return sign(ns) + (ns === 0 ? "0" : scaled(ns, TIMES));
}

export function bytes(count: number): string {
  return sign(count) + (count === 0 ? "0" : scaled(count, BYTES));
}

/** With thin spaces between thousands. A mean of small counts has a decimal. */
export function count(number: number): string {
  const size = Math.abs(number);
  if (size < 100 && !Number.isInteger(number)) return sign(number) + Math.max(size, 0.1).toFixed(1).replace(/\.0$/, "");
  const digits = Math.round(Math.abs(number)).toString();
  return sign(number) + digits.replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

export function share(part: number, whole: number): string {
  if (whole <= 0) return "";
  const percent = (100 * part) / whole;
  if (percent > 0 && percent < 0.1) return `<${SPACE}0.1${SPACE}%`;
  return `${percent.toFixed(percent >= 99.95 ? 0 : 1)}${SPACE}%`;
}

export function value(number: number, unit: Unit): string {
  return unit === "time" ? time(number) : unit === "bytes" ? bytes(number) : count(number);
}

/** By how much a number changed; 0 where only sums of fractions were rounded. */
export function growth(fresh: number, old: number): number {
  const by = fresh - old;
  return Math.abs(by) <= 1e-9 * Math.max(Math.abs(fresh), Math.abs(old)) ? 0 : by;
}

/** How a number changed: with its sign, and "=" for no change. */
export function change(fresh: number, old: number, unit: Unit): string {
  const by = growth(fresh, old);
  if (by === 0) return "=";
  return (by > 0 ? "+" : "") + value(by, unit);
}

function sign(number: number): string {
  return number < 0 ? MINUS : "";
}

/** "1 node", "2 nodes". */
export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}
