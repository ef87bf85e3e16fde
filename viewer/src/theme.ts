// SPDX-License-Identifier: Apache-2.0
// theme.ts: light or dark, as the system says until somebody chooses; on paper always light. What is drawn on a canvas asks here for
// the colours that the style sheet has.

import { choice } from "./dom.ts";
import { DARK, LIGHT } from "./colour.ts";
import type { Palette } from "./colour.ts";

const system = matchMedia("(prefers-color-scheme: dark)");
let chosen = "";
let isPrinting = false;

/** The style sheet goes by an attribute of the root alone. */
export function applyTheme(): void {
  document.documentElement.dataset.theme = isPrinting ? "light" : chosen || (system.matches ? "dark" : "light");
}

export function isDark(): boolean {
  return document.documentElement.dataset.theme === "dark";
}

export function palette(): Palette {
  return isDark() ? DARK : LIGHT;
}

/** A variable of the style sheet. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export function themeSwitch(changed: () => void): HTMLElement {
  const change = (): void => {
    applyTheme();
    changed();
  };
  const printing = (is: boolean) => (): void => {
    isPrinting = is;
    change();
  };
  system.addEventListener("change", change);
  addEventListener("beforeprint", printing(true));
  addEventListener("afterprint", printing(false));
  const options = [["", "Auto"], ["light", "Light"], ["dark", "Dark"]] as const;
  return choice("Colours", options, chosen, (id) => {
    chosen = id;
    change();
  }).element;
}
