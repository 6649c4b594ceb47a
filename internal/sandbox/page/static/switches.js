import { $, act, h } from "./dom.js";
import { drawn } from "./marks.js";

// What can go wrong, and what to look for when it does.

const names = ["fail-next", "fault", "unreachable", "limit", "double", "drop", "kill", "redis", "freeze"];
const kinds = ["refused", "waits", "lost", "unsure", "slow", "twice", "failed"];
// The answers that are offered in plain words; all others are folded away.
const plain = ["protected branch", "unauthorized", "rate limit of the application", "500", "cut", "made and cut", "slow", "made twice"];
let spoken = "";
let chosen = ""; // the fault that was chosen last, whose effects are described until the next

export function draw(world) {
  const { switches, demo } = world.state;
  if (!demo || switches.language === undefined) return;
  if (spoken !== world.lang) {
    spoken = world.lang;
    $("switch-list").replaceChildren(...names.map((name) => row(name, world)));
  }
  for (const name of names) {
    const control = $(`switch-${name}`);
    if (control.getAttribute("role") === "switch") control.setAttribute("aria-checked", String(switches[name]));
  }
  if (switches.fault) chosen = switches.fault;
  $("switch-fault").value = switches.fault;
  for (const radio of $("faults").querySelectorAll("input")) radio.checked = radio.value === switches.fault;
  const kind = demo.faults.find((f) => f.name === chosen)?.kind;
  const look = kind ? `${switches.fault ? "" : `${chosen}: `}${world.t(`look-${kind}`)}` : world.t("look-fault");
  if ($("look-fault").dataset.look !== look) $("look-fault").replaceChildren(...drawn(look));
  $("look-fault").dataset.look = look;
  $("look-fault").dataset.of = switches.fault;
}

function row(name, world) {
  const id = `switch-${name}`;
  const described = { id, "aria-describedby": `look-${name}` };
  const label = world.t(`switch-${name}`);
  const look = h("p", { id: `look-${name}` }, drawn(world.t(`look-${name}`)));
  if (name === "fault") return h("div", { class: "switch" }, answers(label, described, world), look);
  if (name === "drop") return h("div", { class: "switch" }, h("button", { type: "button", ...described, text: label, click: () => act({ do: name }) }), look);
  const control = h("button", {
    type: "button", role: "switch", "aria-checked": "false", ...described,
    click: () => act({ do: name, on: control.getAttribute("aria-checked") !== "true" }),
  }, h("span", { text: label }), h("span", { class: "knob", "aria-hidden": "true" }));
  return h("div", { class: "switch" }, control, look);
}

// answers offers how GitLab answers: as ever, in one of a few ways, or in any.
function answers(label, described, world) {
  const radio = (value, text) => h("label", { class: "answer" },
    h("input", { type: "radio", name: "fault", value, "aria-describedby": "look-fault", change: () => act({ do: "fault", choice: value }) }), h("span", { text }));
  return h("fieldset", { id: "faults" }, h("legend", { text: label }), radio("", world.t("asEver")), plain.map((name) => radio(name, world.t(`fault-${name}`))),
    h("details", null, h("summary", { id: "all-faults", text: `${world.t("allFaults")} (${world.state.demo.faults.length})` }), choice({ ...described, "aria-label": label }, world)));
}

// choice lists every answer of GitLab by name, grouped by its effect.
function choice(described, world) {
  const groups = kinds.map((kind) =>
    h("optgroup", { label: world.t(`kind-${kind}`) }, world.state.demo.faults.filter((f) => f.kind === kind).map((f) =>
      h("option", { value: f.name, text: f.status && !f.name.startsWith(String(f.status)) ? `${f.status} ${f.name}` : f.name }))));
  return h("select", { ...described, change: (e) => act({ do: "fault", choice: e.target.value }) }, h("option", { value: "", text: world.t("asEver") }), groups);
}
