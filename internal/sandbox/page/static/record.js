import { $, clock, h, sync, timeOf } from "./dom.js";
import { isMark, mark } from "./marks.js";
import { plain } from "./mrkdwn.js";

// The record of the selected mention, state by state.

export function draw(world) {
  const ts = world.looked;
  const record = world.state.records[ts];
  $("record-of").textContent = record ? [clock(timeOf(ts), world.lang), plain(said(ts, world), world)].filter(Boolean).join(" · ") : "";
  if (!record) {
    $("record-body").replaceChildren(h("p", { class: "empty", "data-key": "none", text: world.t("noRecord") }));
    return;
  }
  sync($("record-body"), ["moves", "facts", "raw"], (k) => k, (k) => parts[k](record, ts, world), (k) => [world.lang, ts, k === "moves" ? record.moves : record.now]);
}

// said is the text of a message: the record does not keep it.
function said(ts, world) {
  return world.state.slack.flatMap((m) => [m, ...(m.replies ?? [])]).find((m) => m.ts === ts)?.text ?? "";
}

let rawOpen = false;

const parts = {
  moves(record, ts, world) {
    const began = timeOf(ts);
    return h("ol", { class: "moves", "aria-label": world.t("moves") }, record.moves.map((m, i) =>
      h("li", { class: m.state, "aria-current": i === record.moves.length - 1 ? "step" : null },
        h("code", { text: m.state }), h("span", { class: "means", text: world.t(`state-${m.state}`) }),
        h("time", { datetime: m.at, text: after(new Date(m.at) - began) }))));
  },
  facts(record, ts, world) {
    const { state, deployment = {}, shown = {}, lines = [], next } = record.now;
    const facts = [
      ["target", deployment.target && `${deployment.target} (${deployment.ref})`],
      ["pipeline", deployment.pipeline && `#${deployment.pipeline}`],
      ["mark", shown.reaction && [isMark(shown.reaction) ? mark(shown.reaction) : "", ` :${shown.reaction}:`]],
      ["lines", lines.length && `${lines.filter((_, n) => shown.posts?.[`line-${n}`]).length} / ${lines.length}`],
      ["looks", deployment.polls],
      [state === "asking" ? "closes" : "next", next && clock(new Date(next), world.lang)],
    ];
    return h("dl", { class: "facts" }, facts.filter(([, value]) => value).map(([name, value]) =>
      h("div", null, h("dt", { text: world.t(`fact-${name}`) }), h("dd", null, value))));
  },
  raw(record, ts, world) {
    const details = h("details", { class: "raw", open: rawOpen },
      h("summary", { id: "raw", text: world.t("raw") }),
      h("pre", { id: "raw-text", tabindex: "0", role: "region", "aria-label": world.t("raw"), text: JSON.stringify(record.now, null, 2) }));
    details.addEventListener("toggle", () => (rawOpen = details.open));
    return details;
  },
};

// after is a time since the mention was written.
function after(ms) {
  const s = Math.max(0, ms) / 1000;
  return s < 60 ? `+${s.toFixed(1)} s` : `+${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`;
}
