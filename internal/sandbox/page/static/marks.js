import { h } from "./dom.js";

// The marks that the bot sets and writes, drawn: a machine without an emoji font
// would show a box. Each has its character, and layers of [fill, stroke, width, path]
// in a square of 20.

const none = "none";
const ellipse = (x, y, rx, ry = rx) => `M${x - rx} ${y}a${rx} ${ry} 0 1 0 ${2 * rx} 0a${rx} ${ry} 0 1 0 ${-2 * rx} 0z`;

const drawings = {
  thumbsup: ["👍", ["#f2b632", "#8f5f00", 1, "M7 9.2 10 2.8c1.7 0 2.4 1.2 2 2.7L11.4 8H16c1.3 0 2 1.1 1.7 2.2l-1.4 5.3c-.3 1-1 1.5-1.9 1.5H7z"], ["#3f6fd8", none, 0, "M2.3 9h3.4v8.4H2.3z"]],
  white_check_mark: ["✅", ["#2b9348", none, 0, "M5 2h10a3 3 0 0 1 3 3v10a3 3 0 0 1-3 3H5a3 3 0 0 1-3-3V5a3 3 0 0 1 3-3z"], [none, "#fff", 2.4, "m5.8 10.4 3 3 5.6-6.6"]],
  x: ["❌", [none, "#d7263d", 3.4, "M4.5 4.5l11 11m0-11-11 11"]],
  hourglass_flowing_sand: ["⏳", ["#cfe6f7", "#5d7f9c", 1, "M6 3c0 4 2.9 4.8 2.9 7S6 13 6 17h8c0-4-2.9-4.8-2.9-7S14 7 14 3z"], ["#d99a2b", none, 0, "M7.6 5.4h4.8c-.5 1.4-1.6 2-2.4 3-.8-1-1.9-1.6-2.4-3zM7 16.5c.3-1.8 1.7-2.6 3-2.6s2.7.8 3 2.6z"], [none, "#8a5a2b", 2, "M4.6 2.5h10.8M4.6 17.5h10.8"]],
  question: ["❓", [none, "#d7263d", 2.8, "M6.3 7.2C6.2 4.8 7.8 3.3 10 3.3s3.8 1.4 3.8 3.5c0 2.9-3.8 2.9-3.8 6"], ["#d7263d", none, 0, ellipse(10, 16.6, 1.7)]],
  zzz: ["💤", [none, "#3f6fd8", 2.2, "M10.5 3h6l-6 7h6"], [none, "#3f6fd8", 1.8, "M3.5 11.5H8l-4.5 5.4H8"]],
  no_entry_sign: ["🚫", [none, "#d7263d", 2.4, ellipse(10, 10, 7.3)], [none, "#d7263d", 2.4, "m5 5 10 10"]],
  no_entry: ["⛔", ["#d7263d", none, 0, ellipse(10, 10, 8.3)], [none, "#fff", 3.2, "M5.6 10h8.8"]],
  eyes: ["👀", ["#fff", "#5a6270", 1.1, ellipse(5.6, 10, 3.7, 6.2) + ellipse(14.4, 10, 3.7, 6.2)], ["#2a2f3a", none, 0, ellipse(6.5, 11, 1.7, 2.7) + ellipse(15.3, 11, 1.7, 2.7)]],
  thinking_face: ["🤔", ["#f7c948", "#a87500", 1, ellipse(10, 9.4, 7.8)], ["#4a3200", none, 0, ellipse(7.2, 8.2, 1.1, 1.4) + ellipse(12.8, 8.2, 1.1, 1.4)], [none, "#4a3200", 1.2, "M5.6 5.4c.9-.7 2-.8 3-.4M11.6 5c1-.9 2.2-.9 3.2-.2M7.6 12.6c1.5-.7 3.2-.8 4.8-.2"], ["#f0ab2d", "#a87500", 1, "M5.6 18.6c-1.7-.7-2.3-2.2-1.9-3.8l5.5-1c.9.1.8 1.2 0 1.4l-1.6.5c1 .5.9 2.7-2 2.9z"]],
  octagonal_sign: ["🛑", ["#d7263d", none, 0, "M6.6 1.8h6.8l4.8 4.8v6.8l-4.8 4.8H6.6l-4.8-4.8V6.6z"], [none, "#fff", 1.4, "M7.5 4h5L16 7.5v5L12.5 16h-5L4 12.5v-5z"]],
  handshake: ["🤝", ["#f7c948", "#8f5f00", 1, "M4.6 6.2 10 7.2l5.4-1 1.4 5.6-5 4c-1.1.9-2.5.9-3.6 0l-5-4z"], [none, "#8f5f00", 1.2, "M10 7.2 7.6 10c.9 1.2 2.3 1 3.2 0l1-.9 3.8 3.6"], ["#3f6fd8", none, 0, "m.8 6 3.8-1.2 1 7.6-2.8.8z"], ["#2b9348", none, 0, "m19.2 6-3.8-1.2-1 7.6 2.8.8z"]],
  tada: ["🎉", ["#f2b632", "#8f5f00", 1, "m2.8 17.4 4-10 6.2 6.2z"], [none, "#d7263d", 1.8, "M10.6 6.6c1-1.6.8-2.8 0-4.2"], [none, "#3f6fd8", 1.8, "M13.6 9.6c1.4-1 2.6-1 4.2-.2"], ["#2b9348", none, 0, ellipse(15.4, 4.4, 1.4)], ["#a63fc9", none, 0, ellipse(16.4, 13.8, 1.2) + ellipse(6.4, 3.6, 1.2)]],
  tea: ["🍵", ["#4f8a63", "#2c5a3b", 1, "M3.6 8.4h12.8l-1.4 7.2a3 3 0 0 1-2.9 2.2H7.9A3 3 0 0 1 5 15.6z"], ["#a9cf7e", "#2c5a3b", 1, ellipse(10, 8.4, 6.4, 1.8)], [none, "#8a94a6", 1.2, "M7.6 4.8c-.7-1 .7-1.6 0-2.8M12.2 4.8c-.7-1 .7-1.6 0-2.8"]],
  rocket: ["🚀", ["#f08c2e", none, 0, "M6.2 12.4c-2.6.6-3.6 2.4-3.8 5.2 2.8-.2 4.6-1.2 5.2-3.8z"], ["#d7263d", none, 0, "m8 8.4-4 .8L2.6 13l4-.6zM11.6 12l-.8 4L7 17.4l.6-4z"], ["#e4e9f0", "#5a6270", 1, "M17.6 2.4c-5.2-.2-8.8 2.6-11 7.6l3.4 3.4c5-2.2 7.8-5.8 7.6-11z"], ["#3f6fd8", none, 0, ellipse(12.8, 7.2, 1.7)]],
  raised_hand: ["✋", ["#f7c948", "#8f5f00", 1, "M5.2 11.6 3 9c-1-1.2.6-2.4 1.6-1.4l1.8 1.7V4c0-1.6 2.2-1.6 2.2 0v4-5.2c0-1.6 2.2-1.6 2.2 0V8l.2-4.4c.1-1.5 2.1-1.4 2.1.1V8.6l.5-2.7c.3-1.4 2.2-1.1 2 .3l-.8 6.2c-.4 3.2-2.2 5.2-4.8 5.2-2.4 0-3.4-1-4.9-3.4z"]],
  lock: ["🔒", [none, "#7d8796", 2, "M6.4 9.4V6.8a3.6 3.6 0 0 1 7.2 0v2.6"], ["#f2b632", "#8f5f00", 1, "M4.2 9h11.6v8.6H4.2z"]],
  unlock: ["🔓", [none, "#7d8796", 2, "M6.4 9.4V5.4a3.6 3.6 0 0 1 7-1.2"], ["#f2b632", "#8f5f00", 1, "M4.2 9h11.6v8.6H4.2z"]],
  warning: ["⚠️", ["#f7c948", "#8f5f00", 1, "M10 2.4 18.4 17H1.6z"], [none, "#3a2a00", 2, "M10 7.4v4.4"], ["#3a2a00", none, 0, ellipse(10, 14.4, 1.1)]],
};
drawings["+1"] = drawings.thumbsup;

export const isMark = (name) => Object.hasOwn(drawings, name);

const byGlyph = new Map(Object.entries(drawings).map(([name, [glyph]]) => [glyph, name]));
const bare = (glyph) => glyph.replace("\uFE0F", "");

// glyphs matches the characters of all marks.
export const glyphs = [...byGlyph.keys()].map((g) => `${bare(g)}\uFE0F?`).join("|");

// mark draws one, by its name or its character.
export function mark(which) {
  const name = isMark(which) ? which : [...byGlyph].find(([glyph]) => bare(glyph) === bare(which))[1];
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  for (const [fill, stroke, width, d] of drawings[name].slice(1)) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    for (const [attribute, value] of Object.entries({ fill, stroke, "stroke-width": width, d, "stroke-linecap": "round", "stroke-linejoin": "round" })) path.setAttribute(attribute, value);
    svg.append(path);
  }
  return h("span", { class: "mark", role: "img", "aria-label": name.replaceAll("_", " "), "data-mark": name }, svg);
}

// drawn returns the nodes of a plain text with its marks drawn.
export const drawn = (text) => text.split(new RegExp(`(${glyphs})`, "u")).map((part, i) => (i % 2 ? mark(part) : part)).filter((n) => n !== "");
