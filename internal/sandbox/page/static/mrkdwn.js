import { h } from "./dom.js";
import { glyphs, isMark, mark } from "./marks.js";

// Slack's text, as Slack shows it.

const entities = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };
const plainOf = (s) => s.replace(/&(?:lt|gt|amp);/g, (e) => entities[e]);

// What is formatted within a line. A style needs its mark at a word's edge, and
// no blank inside.
const edge = "(?<=^|[\\s\\p{P}\\p{S}])";
const style = (mark) => `${edge}[${mark}](?=\\S)[^${mark}\\n]*(?<=\\S)[${mark}](?=$|[\\s\\p{P}\\p{S}])`;
const token = new RegExp(`(?<code>\`[^\`\\n]+\`)|(?<angle><[^<>\\n]+>)|(?<emoji>:[a-z0-9_+'-]+:)|(?<glyph>${glyphs})|(?<b>${style("*")})|(?<i>${style("_")})|(?<s>${style("~")})`, "gu");

// show returns the nodes of a text. world has: people, by id; lang; link, which
// makes an address another one.
export function show(text, world) {
  const nodes = [];
  for (const [i, part] of text.split("```").entries()) {
    if (i % 2 === 1 && text.split("```").length > i + 1) {
      nodes.push(h("pre", { text: plainOf(unlinked(part, world)).replace(/^\n|\n$/g, "") }));
    } else {
      nodes.push(...lines(i % 2 === 1 ? "```" + part : part, world));
    }
  }
  return nodes;
}

function lines(text, world) {
  const nodes = [];
  let quote = null;
  for (const [i, line] of text.split("\n").entries()) {
    if (line.startsWith("&gt;")) {
      if (!quote) nodes.push((quote = h("blockquote")));
      else quote.append(h("br"));
      quote.append(...inline(line.replace(/^&gt; ?/, ""), world));
      continue;
    }
    if (i > 0 && !quote) nodes.push(h("br"));
    quote = null;
    nodes.push(...inline(line, world));
  }
  return nodes;
}

function inline(line, world) {
  const nodes = [];
  let from = 0;
  for (const found of line.matchAll(token)) {
    nodes.push(plainOf(line.slice(from, found.index)));
    from = found.index + found[0].length;
    const { code, angle, emoji, glyph, b, i, s } = found.groups;
    if (code) nodes.push(h("code", { text: plainOf(unlinked(code.slice(1, -1), world)) }));
    else if (angle) nodes.push(entity(angle.slice(1, -1), world));
    else if (emoji) nodes.push(isMark(emoji.slice(1, -1)) ? mark(emoji.slice(1, -1)) : emoji);
    else if (glyph) nodes.push(mark(glyph));
    else nodes.push(h(b ? "strong" : i ? "em" : "s", null, inline((b ?? i ?? s).slice(1, -1), world)));
  }
  nodes.push(plainOf(line.slice(from)));
  return nodes.filter((n) => n !== "");
}

// entity is what Slack keeps in angle brackets: a person, a channel, a group, a
// time, or a link.
function entity(inner, world) {
  const bar = inner.indexOf("|");
  const target = bar < 0 ? inner : inner.slice(0, bar);
  const label = bar < 0 ? "" : plainOf(inner.slice(bar + 1));
  const at = time(target, world);
  if (at !== null) return at;
  const name = named(target, label, world);
  if (name !== null) return h("span", { class: "mention", text: name });
  const address = plainOf(target);
  if (!/^(https?:\/\/|mailto:)/i.test(address)) return plainOf(`<${inner}>`);
  const here = world.link?.(address);
  return h("a", { href: here ?? address, target: here ? null : "_blank", rel: here ? null : "noopener noreferrer", text: label || address });
}

function time(target, world) {
  const date = /^!date\^(\d+)\^/.exec(target);
  if (!date) return null;
  const at = new Date(Number(date[1]) * 1000);
  const day = target.includes("{date") && at.toDateString() !== new Date().toDateString() ? { month: "short", day: "numeric" } : {};
  return at.toLocaleString(world.lang, { ...day, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

function named(target, label, world) {
  switch (target[0]) {
    case "@":
      return "@" + (world.people[target.slice(1)] ?? (label || target.slice(1)));
    case "#":
      return "#" + (label || target.slice(1));
    case "!":
      return time(target, world) ?? "@" + (label.replace(/^@/, "") || target.slice(1).replace(/\^.*/, ""));
  }
  return null;
}

// unlinked is a text without its angle brackets: code has no links.
const unlinked = (text, world) =>
  text.replace(/<([^<>|\n]+)(?:\|([^<>\n]*))?>/g, (_, target, label) => named(target, label ?? "", world) ?? (label || target));

// plain is a text as people type it, to be edited.
export const plain = (text, world) => plainOf(unlinked(text, world));

// spoken is a text to be read out.
export function spoken(text, world) {
  const shown = h("p", null, show(text, world));
  for (const m of shown.querySelectorAll(".mark")) m.replaceWith(m.ariaLabel);
  return shown.textContent;
}
