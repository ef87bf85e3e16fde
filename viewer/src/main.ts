// SPDX-License-Identifier: Apache-2.0
// main.ts: reads the data of the page and puts the page together. Nothing is left in the global scope.

import { make } from "./dom.ts";
import { FunctionSection } from "./functionsection.ts";
import { GraphSection } from "./graphsection.ts";
import { contents, header } from "./header.ts";
import { measures } from "./measure.ts";
import { classSection, objectSection, timingSection } from "./othersections.ts";
import { decode } from "./payload.ts";
import type { Payload } from "./payload.ts";
import { SourceSection } from "./sourcesection.ts";
import { State } from "./state.ts";
import { applyTheme } from "./theme.ts";
import { timelineSections } from "./timelinesection.ts";

function build(payload: Payload): void {
  const found = measures(payload);
  const state = new State(found[0] ?? null, found);
  const sections: HTMLElement[] = [];
  const source = new SourceSection(payload);
  const graph = found.length ? new GraphSection(state, payload.old !== null) : null;
  if (graph) sections.push(graph.element);
  if (payload.functions || found.some((measure) => measure.group === "memory")) {
    sections.push(new FunctionSection(payload, state, (file, line) => source.open(file, line)).element);
  }
  if (!source.isEmpty) sections.push(source.element);
  const timelines = timelineSections(payload);
  sections.push(...timelines.map((each) => each.element));
  for (const each of [objectSection(payload), classSection(payload), timingSection(payload)]) if (each) sections.push(each);
  const themed = (): void => {
    state.tell("theme");
    for (const each of timelines) each.redraw();
  };
  document.title = `${payload.title} \u00b7 fettle`;
  document.body.replaceChildren(header(payload, themed), contents(sections), make("main", {}, ...sections,
    sections.length === 0 && make("p", { class: "nothing" }, "This recording holds nothing to show.")));
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target instanceof HTMLInputElement;
    if (event.key !== "/" || isTyping || !graph || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    graph.search.focus();
    graph.search.select();
  });
}

async function start(): Promise<void> {
  applyTheme();
  const data = document.getElementById("fettle-data");
  try {
    if (!data) throw new Error("This page holds no data.");
    const payload = await decode(data.textContent ?? "");
    data.remove();
    build(payload);
    document.documentElement.dataset.ready = "true";
  } catch (error) {
    document.body.replaceChildren(make("p", { class: "failed", role: "alert" },
      `This report cannot be shown: ${error instanceof Error ? error.message : String(error)} Write it anew with fettle view --html.`));
    document.documentElement.dataset.ready = "failed";
  }
}

void start();
