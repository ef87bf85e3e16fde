// SPDX-License-Identifier: Apache-2.0
// functionsection.ts: the table of functions, or of the places that allocated, and beside it what is known of
// the one that is selected: who called it, what it called. What is selected here is selected in the graph.

import { section } from "./header.ts";
import { button, make } from "./dom.ts";
import * as format from "./format.ts";
import type { Measure } from "./measure.ts";
import type { Column, Functions, Memory, Payload } from "./payload.ts";
import { Table } from "./table.ts";
import type { TableColumn } from "./table.ts";
import { isAny, numbers, toneOf, words } from "./tables.ts";
import { neighbours, totals } from "./totals.ts";
import type { Edge } from "./totals.ts";
import type { State } from "./state.ts";

const MOST_EDGES = 12;

export class FunctionSection {
  readonly element: HTMLElement;
  private readonly tables = new Map<string, Table>();
  private readonly place = make("div", { class: "function-table" });
  private readonly details = make("aside", { class: "details", "aria-live": "polite", "aria-label": "Selected function" });
  private readonly both = make("div", { class: "functions" }, this.place, this.details);
  private shown = "";

  constructor(
    private readonly payload: Payload, private readonly state: State,
    private readonly openSource: (file: number, line: number) => void,
  ) {
    this.element = section("functions", "Functions", this.both);
    state.listen((change) => {
      if (change === "measure") this.show();
      if (change === "measure" || change === "selection") this.select();
    });
    this.show();
    this.select();
  }

  private show(): void {
    const measure = this.state.measure;
    const group = measure?.group ?? "calls";
    if (group === this.shown) return;
    this.shown = group;
    let table = this.tables.get(group);
    if (!table) this.tables.set(group, (table = group === "calls" ? this.ofFunctions() : this.ofPlaces(measure)));
    const title = this.element.querySelector("h2");
    if (title) title.textContent = group === "calls" ? "Functions" : "Places that allocated";
    this.both.classList.toggle("two", this.payload.old !== null);
    this.both.classList.toggle("stacked", this.payload.old !== null || group === "memory");
    this.both.classList.toggle("places", group === "memory");
    this.place.replaceChildren(table.element);
  }

  private ofFunctions(): Table {
    const { functions } = this.payload;
    const isTwo = this.payload.old !== null;
    const found = functions ?? ({ name: [], label: [] } as unknown as Functions);
    const columns: TableColumn[] = [words("label", "Function", (row) => found.label[row])];
    if (functions) columns.push(...functionColumns(functions, isTwo));
    const first = isTwo ? "own-change" : "own";
    return new Table("function-table", "Functions", found.label.length, columns, first,
      (row) => found.label[row], (row) => this.state.select(row), isTwo ? grew(functions?.own, functions?.own0) : true);
  }

  private ofPlaces(measure: Measure | null): Table {
    const memory = this.payload.memory as Memory;
    const frames = (measure as Measure).frames;
    const columns: TableColumn[] = [words("label", "Place", (row) => frames.label(row))];
    const isTwo = this.payload.old !== null;
    for (const [id, title, key, often] of [
      ["allocated", "Allocated", "totalBytes", "totalCount"], ["peak", "Peak", "peakBytes", "peakCount"],
      ["alive", "Alive", "aliveBytes", "aliveCount"],
    ] as const) {
      const old = isTwo ? memory[`${key}0`] : null;
      if (!isAny(memory[key]) && !isAny(old)) continue;
      const outline = (measure as Measure).outline;
      const fresh = totals(outline, memory[key], frames.count);
      const before = old ? totals(outline, old, frames.count) : null;
      columns.push(...numbers(id, title, "bytes", fresh.own, before?.own));
      columns.push(...numbers(`${id}-below`, "with calls", "bytes", fresh.cumulative, before?.cumulative));
      columns.push(...numbers(`${id}-blocks`, "Blocks", "count", totals(outline, memory[often], frames.count).own));
    }
    return new Table("place-table", "Places that allocated", frames.count, columns, isTwo ? "allocated-change" : "allocated",
      (row) => frames.label(row), (row) => this.state.select(row), isTwo ? grew(memory.totalBytes, memory.totalBytes0) : true);
  }

  private select(): void {
    const { selected, measure } = this.state;
    this.tables.get(this.shown)?.select(selected);
    const label = measure ? measure.frames.label(selected) : this.payload.functions?.label[selected];
    this.element.dataset.selected = selected < 0 ? "" : label ?? "";
    if (!measure && selected >= 0) {
      this.details.replaceChildren(...this.alone(selected));
      return;
    }
    if (selected < 0 || !measure) {
      this.details.replaceChildren(make("p", { class: "nothing" }, "Select a function here or a frame of the graph to see who called it, what it called and its source."));
      return;
    }
    const { frames } = measure;
    const { callers, callees } = neighbours(measure.tree("new"), selected, measure.calls);
    this.details.replaceChildren(
      make("h3", {}, frames.name(selected)),
      make("p", { class: "where" }, frames.label(selected)),
      ...this.verdict(frames.function(selected)),
      ...this.toSource(frames.file(selected), frames.line(selected)),
      this.edges("Callers", callers, measure),
      this.edges("Callees", callees, measure),
    );
  }

  /** A function of a recording without paths: who called it is not known. */
  private alone(selected: number): Node[] {
    const functions = this.payload.functions as Functions;
    return [make("h3", {}, functions.name[selected]), make("p", { class: "where" }, functions.label[selected]),
      ...this.toSource(functions.file[selected], functions.line[selected]),
      make("p", { class: "nothing" }, "Who called it is not known: there are no call paths in this recording.")];
  }

  /** Whether it takes longer than before. */
  private verdict(of: number): Node[] {
    const said = this.payload.functions?.verdict?.[of];
    return said ? [make("p", { class: "verdict" }, `Own time: ${said}`)] : [];
  }

  private toSource(file: number, line: number): Node[] {
    if (file < 0 || this.payload.sources[file] === undefined) return [];
    return [button("Show source", () => this.openSource(file, line), { id: "show-source" })];
  }

  private edges(title: string, edges: readonly Edge[], measure: Measure): HTMLElement {
    const worth = edges.filter((edge) => edge.value > 0 || edge.other > 0 || edge.calls > 0);
    const most = Math.max(...worth.map((edge) => edge.value), 1);
    const rows = worth.slice(0, MOST_EDGES).map((edge) => this.edge(edge, measure, most));
    const more = worth.length - rows.length;
    return make("div", { class: "edges", "data-edges": title.toLowerCase() }, make("h4", {}, title),
      rows.length ? make("ul", {}, ...rows) : make("p", { class: "nothing" }, "None."),
      more > 0 && make("p", { class: "nothing" }, `and ${format.count(more)} more`));
  }

  private edge(edge: Edge, measure: Measure, most: number): HTMLElement {
    const name = edge.frame < 0 ? "[top]" : measure.frames.name(edge.frame);
    const isTwo = this.payload.old !== null;
    const value = format.value(edge.value, measure.unit) + (isTwo ? ` (${format.change(edge.value, edge.other, measure.unit)})` : "");
    const calls = measure.calls && measure.unit !== "count" && edge.calls
      ? `${format.count(edge.calls)}\u00d7` : "";
    const made = make("button", {
      type: "button", click: () => edge.frame >= 0 && this.state.select(edge.frame),
      "data-value": edge.value, "data-calls": edge.calls, title: edge.frame < 0 ? null : measure.frames.label(edge.frame),
    }, make("span", { class: "edge-name" }, name), make("span", { class: "edge-calls" }, calls), make("span", { class: "edge-value" }, value));
    made.style.setProperty("--length", (edge.value / most).toFixed(3));
    return make("li", {}, made);
  }
}

/** Whether there is more of it now: then what grew most comes first, else what shrank most. */
function grew(fresh: Column | undefined, old: Column | undefined): boolean {
  const sum = (column: Column | undefined): number => (column ?? []).reduce((total, each) => total + each, 0);
  return sum(fresh) >= sum(old);
}

function functionColumns(functions: Functions, isTwo: boolean): TableColumn[] {
  const old = <T>(column: T | undefined): T | null => (isTwo ? column ?? null : null);
  const calls = numbers("calls", "Calls", "count", functions.calls, old(functions.calls0));
  const own = numbers("own", "Own time", "time", functions.own, old(functions.own0));
  const columns = [...(isTwo ? [...own, ...verdicts(functions), ...calls] : [...calls, ...own]),
    ...numbers("cumulative", "Cumulative", "time", functions.cumulative, old(functions.cumulative0))];
  if (!isTwo && functions.primitive.some((each, row) => each !== functions.calls[row])) {
    columns.splice(1, 0, ...numbers("primitive", "Primitive", "count", functions.primitive));
  }
  if (isAny(functions.cumulativeWaiting) || isAny(old(functions.cumulativeWaiting0))) {
    columns.push(...numbers("ownWaiting", "Own waiting", "time", functions.ownWaiting, old(functions.ownWaiting0)));
    if (!isTwo) columns.push(...numbers("cumulativeWaiting", "Waiting, with calls", "time", functions.cumulativeWaiting));
  }
  return columns;
}

/** What the runs prove of the own times, the slower ones first; or that there is nothing to compare. */
function verdicts({ verdict, times, calls, calls0 }: Functions): TableColumn[] {
  if (!verdict || !times) return [];
  const text = (row: number): string =>
    verdict[row] || (calls[row] && !calls0?.[row] ? "new" : !calls[row] && calls0?.[row] ? "gone" : "");
  const key = (row: number): number => Math.log(times[row]);
  return [{ ...words("verdict", "verdict", text), key, isDown: true, width: "26rem", tone: (row) => toneOf(key(row)) }];
}
