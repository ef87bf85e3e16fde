// SPDX-License-Identifier: Apache-2.0
// header.ts: what was recorded, and what must be known before any number is believed.

import { make } from "./dom.ts";
import type { Payload } from "./payload.ts";
import { themeSwitch } from "./theme.ts";

export function header(payload: Payload, themeChanged: () => void): HTMLElement {
  const title = payload.old === null ? payload.title : `${payload.old} \u2192 ${payload.title}`;
  const facts = payload.header.map(([label, text]) =>
    make("div", { class: label === "Command" ? "fact command" : "fact" }, make("dt", {}, label), make("dd", {}, text)));
  return make("header", {},
    make("div", { class: "title" }, make("span", { class: "brand" }, "fettle"), make("h1", {}, title), themeSwitch(themeChanged)),
    facts.length > 0 && make("dl", { class: "facts" }, ...facts),
    payload.remarks.length > 0 && make("ul", { class: "remarks", "aria-label": "Remarks" },
      ...payload.remarks.map((sentence) => make("li", {}, sentence))),
  );
}

/** The links to the sections, which each have an id and a heading. */
export function contents(sections: readonly HTMLElement[]): HTMLElement {
  return make("nav", { "aria-label": "Sections" }, ...sections.map((section) =>
    make("a", { href: `#${section.id}` }, section.querySelector("h2")?.textContent ?? "")));
}

export function section(id: string, title: string, ...children: (Node | null | false)[]): HTMLElement {
  return make("section", { id, "aria-labelledby": `${id}-title` }, make("h2", { id: `${id}-title` }, title), ...children);
}
