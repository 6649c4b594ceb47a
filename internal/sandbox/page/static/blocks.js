import { $, act, h } from "./dom.js";
import { show } from "./mrkdwn.js";

// What the bot's messages offer to press, and the rest of their blocks, as Slack
// shows them.

export const isKnown = (b) => b.type in kinds;

// block returns the node of a block of a known kind.
export const block = (b, m, world) => kinds[b.type](b, m, world);

// labels are what can be pressed, to be read out.
export const labels = (m) =>
  (m.blocks ?? []).filter((b) => b.type === "actions").flatMap((b) => b.elements.flatMap((e) => e.options?.map((o) => o.text.text) ?? [e.text.text]));

const kinds = {
  section: (b, m, world) => h("div", { class: "text" }, words(b.text, world)),
  context: (b, m, world) => h("div", { class: "context" }, b.elements.map((e) => h("span", null, words(e, world)))),
  actions: (b, m, world) => h("div", { class: "actions", role: "group", "aria-label": world.t("actions") }, b.elements.map((e) => controls[e.type]?.(e, m, world)), warning(m, world)),
  divider: () => h("hr"),
};

const words = (text, world) => (text.type === "mrkdwn" ? show(text.text, world) : text.text);

const controls = {
  button: (e, m, world) => button(e, m, world, { id: `press-${m.ts}-${e.action_id}`, class: e.style, "aria-label": e.accessibility_label }, e.text.text),
  // A menu is a list of buttons: with the arrow keys a select would press at each step.
  static_select(e, m, world) {
    const id = `press-${m.ts}-${e.action_id}`;
    const choices = e.options.map((o) => button(e, m, world, { class: "choice" }, o.text.text, o.value, () => {
      $(id).parentElement.open = false;
      $(id).focus();
    }));
    return h("details", { class: "menu" }, h("summary", { id, "aria-busy": busy(e, m, world), text: e.placeholder?.text ?? world.t("choose") }), h("div", { class: "choices" }, choices));
  },
};

const mine = (m, world) => (m.press?.by === world.me ? m.press : null);

const busy = (e, m, world) => mine(m, world)?.state === "sent" && m.press.action === e.action_id && "true";

function button(e, m, world, attributes, text, choice, chosen = () => {}) {
  const press = () => act({ do: "press", as: world.me, ts: m.ts, action: e.action_id, choice });
  if (e.url) return h("a", { ...attributes, href: e.url, target: "_blank", rel: "noopener noreferrer", click: press }, text);
  const made = h("button", {
    type: "button", ...attributes, "aria-busy": busy(e, m, world),
    async click() {
      if (made.ariaBusy === "true" || (e.confirm && !(await confirmed(e.confirm)))) return;
      made.ariaBusy = "true";
      chosen();
      if (!(await press())) made.ariaBusy = "false";
    },
  }, text);
  return made;
}

// confirmed asks as Slack does before a press counts.
function confirmed({ title, text, confirm, deny, style }) {
  const { promise, resolve } = Promise.withResolvers();
  const answer = (yes) => ({ type: "button", value: yes ? "yes" : "", text: (yes ? confirm : deny).text, class: yes ? (style ?? "primary") : null, click: () => asked.close(yes ? "yes" : "") });
  const asked = h("dialog", { id: "confirm", "aria-labelledby": "confirm-title" },
    h("h3", { id: "confirm-title", text: title.text }), h("p", { text: text.text }),
    h("div", { class: "actions" }, h("button", answer(false)), h("button", answer(true))));
  asked.addEventListener("close", () => {
    asked.remove();
    resolve(asked.returnValue === "yes");
  });
  document.body.append(asked);
  asked.showModal();
  return promise;
}

// warning is what a person sees where no ack came in time.
const warning = (m, world) => (mine(m, world)?.state === "warned" ? h("p", { class: "noack", text: world.t("noAck") }) : null);
