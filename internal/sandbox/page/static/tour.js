import { $, h, sync } from "./dom.js";
import { fill } from "./channel.js";

// What a visitor may try, ticked when it has happened, and the score: both are
// counted by the demo.

const counted = ["mentions", "pipelines", "doubled", "unanswered", "kills"];
const steps = ["release", "kill", "ask", "approve", "rollback"];

export function begin() {
  $("tour").open = matchMedia("(min-width: 721px)").matches;
}

export function draw(world) {
  const { score, done } = world.state.tour ?? {};
  if (!score) return;
  $("tour-done").textContent = `${done.filter(Boolean).length} / ${steps.length}`;
  sync($("score"), counted.map((name) => [name, score[name]]), ([name]) => name, ([name, n]) =>
    h("div", { class: name === "doubled" && n > 0 ? "bad" : null }, h("dt", { text: world.t(`score-${name}`) }), h("dd", { text: String(n) })), () => world.lang);
  sync($("steps"), steps.map((name, i) => [name, done[i]]), ([name]) => name, ([name, ticked]) => step(name, ticked, world), () => world.lang);
}

// step offers to write what it is about, or leads to its switch.
function step(name, ticked, world) {
  const text = world.t(`step-${name}`);
  return h("li", { class: ticked ? "done" : null },
    h("span", { class: "tick", role: "img", "aria-label": world.t(ticked ? "done" : "open") }),
    h("button", { type: "button", id: `step-${name}`, text, click: () => (name === "kill" ? $("switch-kill").focus() : fill(`@psycher ${world.t(`say-${name}`)}`)) }));
}
