// SPDX-License-Identifier: Apache-2.0
// graphsection.ts: the flame graph with what steers it: measure, direction, search, the way back up, and the
// line that says what is not drawn.

import { section } from "./header.ts";
import { C, css, PYTHON } from "./colour.ts";
import type { Rgb } from "./colour.ts";
import { button, choice, make } from "./dom.ts";
import * as format from "./format.ts";
import { OTHER } from "./frames.ts";
import { Graph } from "./graph.ts";
import type { Layout } from "./layout.ts";
import { matching, within } from "./search.ts";
import { pathTo, TOP, valueOf } from "./shape.ts";
import type { State } from "./state.ts";
import { palette } from "./theme.ts";

const MOST_CRUMBS = 12;

export class GraphSection {
  readonly element: HTMLElement;
  readonly search: HTMLInputElement;
  private readonly crumbs = make("nav", { class: "crumbs", "aria-label": "Zoomed into" });
  private readonly hidden = make("p", { class: "hidden-line", id: "graph-hidden" });
  private readonly found = make("output", { class: "found", id: "graph-found" });
  private readonly focus = make("p", { class: "focus-line", id: "graph-focus", "aria-live": "polite" });
  private readonly legend = make("p", { class: "legend" });
  private readonly graph: Graph;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly state: State, private readonly isTwo: boolean) {
    this.graph = new Graph(state, (made) => this.laidOut(made), (sentence) => (this.focus.textContent = sentence));
    this.search = make("input", {
      type: "search", id: "graph-search", placeholder: "Search   /", "aria-label": "Search frames", spellcheck: "false",
      autocomplete: "off", input: () => this.searchSoon(), keydown: (event: KeyboardEvent) => this.searchKey(event),
    });
    this.element = section("graph", "Flame graph", this.toolbar(), this.crumbs, this.graph.element,
      make("div", { class: "under" }, this.focus, this.hidden, this.legend));
    state.listen((change) => {
      if (change === "measure" || change === "zoom") this.showCrumbs();
      if (change === "measure" || change === "search") this.showFound();
      if (change === "theme") this.showLegend();
    });
    this.showCrumbs();
    this.showLegend();
  }

  private searchSoon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.state.search(this.search.value), 120);
  }

  private searchKey(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    event.preventDefault();
    this.search.value = "";
    this.state.search("");
    (this.graph.element.firstElementChild as HTMLElement).focus();
  }

  private toolbar(): HTMLElement {
    const { state } = this;
    const measures = choice("Measure", state.measures.map((each) => [each.id, each.title] as const), state.measure?.id ?? "",
      (id) => state.setMeasure(id));
    const direction = choice("Direction", [["top", "Callees"], ["callers", "Callers"]], "top",
      (id) => state.setView(id === "callers", state.side));
    const side = choice("Widths of", [["new", "New"], ["old", "Old"]], "new",
      (id) => state.setView(state.isInverted, id === "old" ? "old" : "new"));
    return make("div", { class: "toolbar", role: "toolbar", "aria-label": "Flame graph" },
      measures.element, direction.element, this.isTwo && side.element,
      make("div", { class: "searching" }, this.search, this.found),
      make("div", { class: "zooming" },
        button("\u2212", () => this.graph.move(0, 1.25), { "aria-label": "Show more of it" }),
        button("+", () => this.graph.move(0, 0.8), { "aria-label": "Show less of it, wider" }),
        button("Reset", () => {
          state.select(-1);
          state.zoom(TOP);
        }, { id: "graph-reset" })));
  }

  private showCrumbs(): void {
    const { shape, root, measure } = this.state;
    if (!shape || !measure) return;
    const path = pathTo(shape, root);
    const crumb = (node: number): HTMLElement => {
      const name = node === TOP ? "All" : measure.frames.name(shape.frame(node));
      const value = format.value(valueOf(shape, node), measure.unit);
      return button(node === root ? `${name} \u00b7 ${value}` : name, () => this.state.zoom(node), {
        "aria-current": node === root ? "true" : null, "data-node": node,
      });
    };
    const shown = path.length > MOST_CRUMBS ? path.slice(-MOST_CRUMBS) : path;
    this.crumbs.replaceChildren(crumb(TOP));
    if (shown.length < path.length) this.crumbs.append(make("span", {}, `\u2026 ${path.length - shown.length} more \u2026`));
    this.crumbs.append(...shown.map(crumb));
    this.crumbs.dataset.total = String(valueOf(shape, root));
  }

  private showFound(): void {
    const { measure, query, side } = this.state;
    const frames = measure?.frames;
    const marked = frames && matching(query, frames.count, (each) => frames.label(each));
    if (!measure || !marked) {
      this.found.textContent = "";
      delete this.found.dataset.value;
      return;
    }
    const tree = measure.tree(side);
    const value = within(tree, marked);
    const count = marked.reduce((sum, each) => sum + each, 0);
    this.found.dataset.value = String(value);
    this.found.textContent = count
      ? `${format.plural(count, "name")} \u00b7 ${format.share(value, tree.total)} of ${measure.title.toLowerCase()}`
      : "no match";
  }

  private laidOut(made: Layout): void {
    const { shape, root, measure, isInverted } = this.state;
    if (!shape || !measure) return;
    const { nodes, value } = made.hidden;
    this.hidden.dataset.nodes = String(nodes);
    const least = isInverted ? "At least " : "";
    const verb = nodes === 1 ? "is" : "are";
    this.hidden.textContent = nodes
      ? `${least}${format.plural(nodes, "frame")} narrower than a pixel ${verb} not drawn: ` +
        `${format.share(value, valueOf(shape, root))} of what is shown. Zoom in to see them.`
      : "";
  }

  private showLegend(): void {
    const { difference, typical } = palette();
    const entries: [Rgb, string][] = this.isTwo
      ? [[difference(1), "grew"], [difference(-1), "shrank"], [difference(0), "as before"]]
      : [[typical(PYTHON), "Python"], [typical(C), "C"], [typical(OTHER), "neither"]];
    this.legend.replaceChildren(...entries.flatMap(([colour, name]) => {
      const swatch = make("span", { class: "swatch" });
      swatch.style.backgroundColor = css(colour);
      return [swatch, name];
    }));
  }
}
