// Helpers that build the page. Text is only ever inserted as text: nothing here,
// or anywhere, parses markup from a string.

export const $ = (id) => document.getElementById(id);

// h makes an element. Attributes with a function are listeners, "text" is its
// text; null and false leave one out.
export function h(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(name, value);
    else if (name === "text") made.textContent = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== ""));
  return made;
}

// sync makes the children of a parent one for each item, in their order, and
// touches only those that differ from before: by all of the item, or by
// some of it, and by what is beside it. The focus is kept.
export function sync(parent, items, key, make, beside = () => "", some = undefined) {
  const old = new Map([...parent.children].map((c) => [c.dataset.key, c]));
  const now = items.map((item) => {
    const k = String(key(item));
    const looks = JSON.stringify(some ? some.map((name) => item[name]) : item) + JSON.stringify(beside(item));
    const was = old.get(k);
    if (was?.looks === looks) return was;
    const made = make(item);
    made.dataset.key = k;
    made.looks = looks;
    return made;
  });
  if (now.length === parent.children.length && now.every((n, i) => n === parent.children[i])) return;
  const had = parent.contains(document.activeElement) ? document.activeElement : null;
  const within = had?.closest("[data-key]")?.dataset.key;
  for (const [i, n] of now.entries()) {
    if (parent.children[i] !== n) parent.insertBefore(n, parent.children[i] ?? null);
  }
  while (parent.children.length > now.length) parent.lastElementChild.remove();
  if (!had || document.contains(had)) return;
  const next = (had.id && $(had.id)) || (parent.hasAttribute("tabindex") ? parent : now.find((n) => n.dataset.key === within)) || parent.closest("[data-key]");
  if (next && !next.hasAttribute("tabindex") && !/^(BUTTON|A|SUMMARY)$/.test(next.tagName)) next.tabIndex = -1;
  next?.focus({ preventScroll: true });
}

// act sends a command to the demo, and reports whether it was done.
export async function act(what) {
  try {
    const answer = await fetch("do", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(what) });
    return answer.ok;
  } catch {
    return false; // the events have ended too, and the page says so
  }
}

export const clock = (date, lang) => date.toLocaleTimeString(lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

export const timeOf = (ts) => new Date(Number(ts) * 1000);
