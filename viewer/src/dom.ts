// SPDX-License-Identifier: Apache-2.0
// dom.ts: how elements are made. Names of the recorded program are data: they become text nodes or values of
// harmless attributes, never markup.

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | ((event: never) => void) | null | undefined>;

/** An element. A function is a listener, true an empty attribute, false and null none. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K, attributes: Attributes = {}, ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child): child is Node | string => !!child));
  return element;
}

export function button(label: string, pressed: () => void, attributes: Attributes = {}): HTMLButtonElement {
  return make("button", { type: "button", click: pressed, ...attributes }, label);
}

/** A choice of one of a few, as buttons of which one is pressed. Gives the group and how to show a choice. */
export function choice(
  label: string, options: readonly (readonly [id: string, title: string])[], chosen: string,
  choose: (id: string) => void,
): { element: HTMLElement; show: (id: string) => void } {
  const buttons = options.map(([id, title]) =>
    make("button", { type: "button", role: "radio", "data-choice": id, click: () => pick(id) }, title));
  const show = (id: string): void => {
    for (const each of buttons) {
      const isChosen = each.dataset.choice === id;
      each.setAttribute("aria-checked", String(isChosen));
      each.tabIndex = isChosen ? 0 : -1;
    }
  };
  const pick = (id: string): void => {
    show(id);
    choose(id);
  };
  const move = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const at = buttons.indexOf(event.target as HTMLButtonElement);
    if (!step || at < 0) return;
    event.preventDefault();
    const next = buttons[(at + step + buttons.length) % buttons.length];
    next.focus();
    pick(next.dataset.choice ?? "");
  };
  show(chosen);
  return { element: make("div", { class: "choice", role: "radiogroup", "aria-label": label, keydown: move }, ...buttons), show };
}

/** Runs a job when the page is next drawn, once however often it is asked for. */
export function deferred(job: () => void): () => void {
  let isWaiting = false;
  return () => {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      job();
    });
  };
}
