// SPDX-License-Identifier: Apache-2.0
// graph.ts: the flame graph on a canvas: drawing, pointer and keys. The canvas is as high as the window onto
// the graph, not as the graph: a stack of thousands of calls scrolls under it.

import { css } from "./colour.ts";
import { deferred, make } from "./dom.ts";
import * as format from "./format.ts";
import { find, layout, nodeAt, WHOLE } from "./layout.ts";
import type { Layout, Window } from "./layout.ts";
import { matching } from "./search.ts";
import { otherOf, TOP, valueOf } from "./shape.ts";
import type { Shape } from "./shape.ts";
import type { State } from "./state.ts";
import { colour, palette } from "./theme.ts";

const ROW = 20;
const GAP = 1;
const FEWEST_ROWS = 8; // that are seen at once, if there are as many
const MOST_ROWS = 26;
const NARROW = 26; // pixels: no text fits into less
const FONT = '12px system-ui, -apple-system, "Segoe UI", sans-serif';
const FRAME_WINDOW = 0.8; // a step of the wheel or of + leaves so much of the width

export class Graph {
  readonly element: HTMLElement;
  private readonly canvas = make("canvas", { "aria-hidden": "true" });
  private readonly tip = make("div", { class: "tip", hidden: true, "aria-hidden": "true" });
  private readonly scroller: HTMLElement;
  private readonly spacer = make("div", { class: "spacer" }, this.canvas);
  private readonly draw = deferred(() => this.paint());
  private made: Layout = { rows: [], above: 0, hidden: { nodes: 0, value: 0 } };
  private window: Window = WHOLE;
  private focused = TOP;
  private matches: Uint8Array | null = null;
  private width = 0;

  constructor(
    private readonly state: State,
    private readonly laidOut: (made: Layout) => void,
    private readonly said: (sentence: string) => void,
  ) {
    this.scroller = make("div", {
      class: "graph-scroller", tabindex: 0, role: "application", "aria-roledescription": "flame graph",
      "aria-label": "Flame graph. Arrow keys move between frames, Enter zooms, Escape goes back to the whole.",
      "aria-describedby": "graph-focus",
      keydown: (event: KeyboardEvent) => this.key(event), scroll: this.draw,
      focus: () => this.focusFirst(), blur: this.draw,
    }, this.spacer);
    this.element = make("div", { class: "graph" }, this.scroller, this.tip);
    this.canvas.addEventListener("click", (event) => this.click(event));
    this.canvas.addEventListener("dblclick", () => this.state.zoom(TOP));
    this.canvas.addEventListener("mousemove", (event) => this.hover(event));
    this.canvas.addEventListener("mouseleave", () => (this.tip.hidden = true));
    this.canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    new ResizeObserver(deferred(() => this.arrange())).observe(this.scroller);
    state.listen((change) => {
      if (change === "measure" || change === "zoom") {
        this.window = WHOLE;
        if (change === "measure") this.focused = TOP;
        this.search();
        this.arrange();
      } else if (change === "theme") {
        this.paint(); // at once: what is about to be printed does not wait
      } else {
        if (change === "search") this.search();
        this.draw();
      }
    });
  }

  /** The part of the zoomed node that is seen. */
  move(by: number, factor: number, middle = 0.5): void {
    const { from, to } = this.window;
    const wide = Math.min((to - from) * factor, 1);
    const at = from + (to - from) * middle;
    const left = Math.min(Math.max(at - wide * middle + by * wide, 0), 1 - wide);
    this.window = { from: left, to: left + wide };
    this.arrange();
  }

  private search(): void {
    const frames = this.state.measure?.frames;
    this.matches = frames ? matching(this.state.query, frames.count, (each) => frames.label(each)) : null;
  }

  /** Works out where everything is. */
  private arrange(): void {
    const { shape, root } = this.state;
    this.width = this.scroller.clientWidth;
    if (!shape || !this.width) return;
    this.made = layout(shape, root, this.width, this.window);
    const rows = this.made.rows.length;
    this.spacer.style.height = `${rows * ROW}px`;
    this.scroller.style.height = `${this.seen() * ROW}px`;
    this.element.dataset.rows = String(rows);
    this.element.dataset.drawn = String(this.made.rows.reduce((sum, row) => sum + row.nodes.length, 0));
    this.laidOut(this.made);
    this.draw();
  }

  /** How many rows are seen without scrolling: down to the last that has room for a name. */
  private seen(): number {
    const { rows } = this.made;
    let last = rows.length;
    while (last > 0 && !rows[last - 1].width.some((each) => each >= NARROW)) last--;
    return Math.min(Math.max(last + 1, FEWEST_ROWS), MOST_ROWS, Math.max(rows.length, 3));
  }

  private paint(): void {
    const { shape, measure } = this.state;
    if (!shape || !measure) return;
    const height = this.scroller.clientHeight;
    const scale = devicePixelRatio || 1;
    const { canvas, width } = this;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    const pen = canvas.getContext("2d");
    if (!pen) return;
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = FONT;
    pen.textBaseline = "middle";
    const top = this.scroller.scrollTop;
    const first = Math.floor(top / ROW);
    const last = Math.min(this.made.rows.length, Math.ceil((top + height) / ROW));
    for (let row = first; row < last; row++) this.paintRow(pen, shape, row, row * ROW - top);
    this.paintFocus(pen, top);
    this.element.dataset.painted = measure.id;
  }

  private paintRow(pen: CanvasRenderingContext2D, shape: Shape, at: number, y: number): void {
    const { state, matches } = this;
    const measure = state.measure;
    if (!measure) return;
    const { frames } = measure;
    const colours = palette();
    const row = this.made.rows[at];
    const faded = at < this.made.above;
    const text = css(colours.text);
    const marked = colour("mark");
    for (let each = 0; each < row.nodes.length; each++) {
      const node = row.nodes[each];
      const frame = shape.frame(node);
      const left = Math.max(row.left[each], 0);
      const wide = Math.min(row.left[each] + row.width[each], this.width) - left;
      const isDim = matches ? !matches[frame] : state.selected >= 0 && frame !== state.selected;
      pen.globalAlpha = faded ? 0.45 : isDim ? (matches ? 0.3 : 0.6) : 1;
      const fill = measure.isTwo ? colours.difference(this.change(shape, node)) : colours.frame(frames.kind(frame), frames.module(frame));
      pen.fillStyle = matches?.[frame] ? marked : css(fill);
      pen.fillRect(left, y, Math.max(wide - (wide > 3 ? GAP : wide > 1.5 ? 0.4 : 0), 0.5), ROW - GAP);
      if (wide >= NARROW) {
        pen.fillStyle = matches?.[frame] ? colour("mark-text") : text;
        pen.globalAlpha = faded ? 0.75 : isDim && matches ? 0.55 : 1;
        pen.fillText(fitted(pen, frames.name(frame), wide - 9), left + 4, y + ROW / 2);
      }
    }
    pen.globalAlpha = 1;
  }

  /** How much a node grew, as a part of everything: 5 % of the whole is a full colour. */
  private change(shape: Shape, node: number): number {
    const by = shape.value(node) - shape.other(node);
    const whole = Math.max(shape.total, shape.otherTotal);
    const signed = this.state.side === "old" ? -by : by;
    return whole > 0 ? (signed / whole) * 20 : 0;
  }

  private paintFocus(pen: CanvasRenderingContext2D, top: number): void {
    if (document.activeElement !== this.scroller) return;
    const place = find(this.made, this.focused);
    if (!place) return;
    const row = this.made.rows[place.row];
    const left = Math.max(row.left[place.at], 0);
    const wide = Math.min(row.left[place.at] + row.width[place.at], this.width) - left;
    pen.strokeStyle = colour("ink");
    pen.lineWidth = 2;
    pen.strokeRect(left + 1, place.row * ROW - top + 1, Math.max(wide - 3, 1), ROW - 3);
  }

  private hit(event: MouseEvent): number {
    const box = this.canvas.getBoundingClientRect();
    const y = event.clientY - box.top + this.scroller.scrollTop;
    return nodeAt(this.made.rows[Math.floor(y / ROW)], event.clientX - box.left);
  }

  private click(event: MouseEvent): void {
    const node = this.hit(event);
    const { shape } = this.state;
    if (node === TOP || !shape) return;
    this.focused = node;
    this.state.select(shape.frame(node));
    if (node !== this.state.root) this.state.zoom(node);
    this.say();
  }

  private hover(event: MouseEvent): void {
    const node = this.hit(event);
    this.canvas.style.cursor = node === TOP ? "default" : "pointer";
    this.tip.hidden = node === TOP;
    if (node === TOP) return;
    this.tip.replaceChildren(...this.about(node).map((line, at) => make(at ? "div" : "strong", {}, line)));
    const box = this.element.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    const isRight = x > box.width - this.tip.offsetWidth - 24;
    this.tip.style.left = `${isRight ? Math.max(x - this.tip.offsetWidth - 12, 0) : x + 14}px`;
    this.tip.style.top = `${y + 18}px`;
  }

  private wheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.shiftKey && !event.deltaX) return;
    event.preventDefault();
    if (event.ctrlKey) {
      const box = this.canvas.getBoundingClientRect();
      const middle = (event.clientX - box.left) / box.width;
      this.move(0, event.deltaY < 0 ? FRAME_WINDOW : 1 / FRAME_WINDOW, middle);
    } else {
      this.move(((event.deltaX || event.deltaY) / this.width) * 2, 1);
    }
  }

  /** What there is to say of a node, the name first. */
  about(node: number): string[] {
    const { shape, measure, root } = this.state;
    if (!shape || !measure) return [];
    const { frames, unit, title } = measure;
    const value = shape.value(node);
    const said = [frames.label(shape.frame(node))];
    const whole = format.share(value, shape.total);
    said.push(`${title}: ${format.value(value, unit)} (${whole} of all)`);
    if (root !== TOP && node !== root) said.push(`${format.share(value, valueOf(shape, root))} of the frame zoomed into`);
    if (measure.isTwo) {
      const other = otherOf(shape, node);
      const [fresh, old] = this.state.side === "old" ? [other, value] : [value, other];
      said.push(`old ${format.value(old, unit)}, new ${format.value(fresh, unit)}, change ${format.change(fresh, old, unit)}`);
    }
    return said;
  }

  private say(): void {
    this.element.dataset.focused = this.focused === TOP ? "" : String(this.focused);
    if (this.focused !== TOP) this.said(this.about(this.focused).join(" \u00b7 "));
    this.draw();
  }

  private focusFirst(): void {
    if (!find(this.made, this.focused)) this.focused = this.made.rows[this.made.above]?.nodes[0] ?? TOP;
    this.say();
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const place = find(this.made, this.focused);
    const { shape } = this.state;
    const act: Record<string, () => void> = {
      ArrowUp: () => place && shape && this.go(shape.parent(this.focused)),
      ArrowDown: () => shape && this.go(shape.children(this.focused).find((each) => find(this.made, each)) ?? TOP),
      ArrowLeft: () => place && this.go(this.made.rows[place.row].nodes[place.at - 1] ?? TOP),
      ArrowRight: () => place && this.go(this.made.rows[place.row].nodes[place.at + 1] ?? TOP),
      Home: () => this.go(this.made.rows[this.made.above]?.nodes[0] ?? TOP),
      Enter: () => this.open(),
      " ": () => this.open(),
      Escape: () => this.escape(),
      Backspace: () => shape && this.state.root !== TOP && this.state.zoom(shape.parent(this.state.root)),
      "+": () => this.move(0, FRAME_WINDOW),
      "=": () => this.move(0, FRAME_WINDOW),
      "-": () => this.move(0, 1 / FRAME_WINDOW),
      ",": () => this.move(-0.2, 1),
      ".": () => this.move(0.2, 1),
    };
    const acts = act[event.key];
    if (!acts) return;
    event.preventDefault();
    acts();
  }

  private open(): void {
    const { shape } = this.state;
    if (this.focused === TOP || !shape) return;
    this.state.select(shape.frame(this.focused));
    this.state.zoom(this.focused);
    this.say();
  }

  private escape(): void {
    this.state.select(-1);
    this.state.zoom(TOP);
  }

  private go(node: number): void {
    const place = node === TOP ? null : find(this.made, node);
    if (!place) return;
    this.focused = node;
    const y = place.row * ROW;
    const { scrollTop, clientHeight } = this.scroller;
    if (y < scrollTop) this.scroller.scrollTop = y;
    else if (y + ROW > scrollTop + clientHeight) this.scroller.scrollTop = y + ROW - clientHeight;
    this.say();
  }
}

/** As much of a name as fits, an ellipsis where it is cut; nothing if that is hardly anything. */
function fitted(pen: CanvasRenderingContext2D, name: string, width: number): string {
  const text = name.length > 400 ? name.slice(0, 400) : name;
  const wide = pen.measureText(text).width;
  if (wide <= width) return text;
  let keep = Math.floor((text.length * width) / wide);
  while (keep > 1 && pen.measureText(`${text.slice(0, keep)}\u2026`).width > width) keep--;
  return keep > 1 ? `${text.slice(0, keep)}\u2026` : "";
}
