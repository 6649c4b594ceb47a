import { $, act, clock, h, sync, timeOf } from "./dom.js";
import { block, isKnown, labels } from "./blocks.js";
import { isMark, mark } from "./marks.js";
import { plain, show, spoken } from "./mrkdwn.js";
import { words } from "./words.js";

// The stand-in of Slack: the channel, and what people write into it.

let about = null; // {how: "reply" or "edit", ts}
let announced = null; // what was read out: text and reactions by ts
const said = []; // lines that were sent, newest last
let back = 0; // how far back in them the box is

export function begin(world) {
  const box = $("say");
  $("composer").addEventListener("submit", (e) => {
    e.preventDefault();
    send(world);
  });
  box.addEventListener("keydown", (e) => {
    if (e.isComposing || e.keyCode === 229) return; // Enter ends a conversion
    const first = !box.value.slice(0, box.selectionStart).includes("\n");
    const last = !box.value.slice(box.selectionEnd).includes("\n");
    if (e.key === "Enter" && !e.shiftKey) {
      e.preventDefault();
      send(world);
    } else if (e.key === "Escape" && about) leave(world);
    else if (e.key === "ArrowUp" && first) recall(world, 1, e);
    else if (e.key === "ArrowDown" && last && back > 0) recall(world, -1, e);
  });
  $("about-end").addEventListener("click", () => leave(world));
}

// persons offers whom to be: who writes, presses, and sees what only they see.
function persons(world) {
  const person = (p) => h("button", { type: "button", id: `as-${p.name}`, click: () => be(p, world) }, p.name, p.guest ? h("small", { text: ` ${world.t("guest")}` }) : null);
  sync($("as"), world.state.demo.people, (p) => p.id, person, () => world.lang);
  for (const p of world.state.demo.people) $(`as-${p.name}`).setAttribute("aria-pressed", String(p.id === world.me));
}

function be(p, world) {
  if (about?.how === "edit") leave(world);
  world.be(p.id);
}

// speak offers a mention in the chosen language.
export function speak(world) {
  const offered = ["", "@psycher", words.ja.first, words.en.first];
  if (!about && offered.includes($("say").value.trim())) $("say").value = world.t("first");
  $("examples").replaceChildren(...world.t("tries").map((text) =>
    h("button", { type: "button", text, click: () => fill(`@psycher ${text}`) })));
  tellAbout(world);
}

export function fill(text) {
  $("say").value = text;
  $("say").focus();
  $("say").setSelectionRange(text.length, text.length);
}

async function send(world) {
  const text = $("say").value.trim();
  if (!text || text === "@psycher") return;
  const ok = await act(about ? { do: about.how === "edit" ? "edit" : "say", as: world.me, ts: about.ts, text } : { do: "say", as: world.me, text });
  if (!ok) return;
  said.push(text);
  back = 0;
  about = null;
  world.state.looked = null; // select the newest record
  tellAbout(world);
  fill("@psycher ");
  $("messages").scrollTop = $("messages").scrollHeight;
}

function recall(world, by, e) {
  const next = back + by;
  if (next < 0 || next > said.length) return;
  e.preventDefault();
  back = next;
  fill(back ? said.at(-back) : "@psycher ");
}

function concern(world, how, m) {
  about = { how, ts: m.ts };
  tellAbout(world);
  fill(how === "edit" ? plain(m.text, world) : "@psycher ");
}

function leave(world) {
  about = null;
  tellAbout(world);
  fill("@psycher ");
}

function tellAbout(world) {
  $("about").hidden = !about;
  const m = about && all(world).find((one) => one.ts === about.ts);
  $("about-text").textContent = m ? `${world.t(about.how === "edit" ? "editing" : "replying")} ${plain(m.text, world).slice(0, 60)}` : "";
  $("send").textContent = world.t(about?.how === "edit" ? "save" : "send");
}

// visible leaves out what only others see.
const visible = (messages, world) => (messages ?? []).filter((m) => !m.only || m.only === world.me);

const all = (world) => visible(world.state.slack, world).flatMap((m) => [m, ...visible(m.replies, world)]);

export function draw(world) {
  const box = $("messages");
  const { records } = world.state;
  const slack = visible(world.state.slack, world);
  persons(world);
  if (!slack.length) {
    box.replaceChildren(h("p", { class: "empty", text: world.t("noMessage") }));
    announced ??= new Map();
    return;
  }
  const low = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  // Only what changes is rebuilt: a button that is being pressed stays.
  sync(box, slack, (m) => m.ts, (m) => frame(m, world), () => world.lang, ["ts"]);
  for (const m of slack) {
    const article = $(`message-${m.ts}`);
    article.classList.toggle("looked", world.looked === m.ts && !!records[m.ts]);
    const { replies: any, ...top } = m;
    const replies = visible(any, world);
    const [first, thread] = article.children;
    sync(first, [top], () => "top", one, () => "", ["only"]);
    fillIn(first.firstElementChild, top, world, true);
    thread.hidden = !replies.length;
    sync(thread, replies, (r) => r.ts, one, () => "", ["only"]);
    for (const [i, r] of replies.entries()) fillIn(thread.children[i], r, world, false);
  }
  if (low) box.scrollTop = box.scrollHeight;
  readOut(world);
}

// readOut announces what the bot does, once, to screen readers.
function readOut(world) {
  const news = [];
  const now = new Map();
  for (const m of all(world)) {
    const marks = (m.reactions ?? []).join(" ");
    const offers = labels(m).join(", ");
    const text = [spoken(m.text, world), m.only ? world.t("only") : "", offers ? `${world.t("actions")}: ${offers}` : ""].filter(Boolean).join(" — ");
    const noAck = m.press?.state === "warned" && m.press.by === world.me ? m.press.n : 0;
    now.set(m.ts, [text, marks, noAck]);
    const [was, had, warned] = announced?.get(m.ts) ?? ["", "", 0];
    if (m.bot && text !== was) news.push(`psycher: ${text}`);
    for (const name of m.reactions ?? []) if (!had.split(" ").includes(name)) news.push(`psycher: ${name.replaceAll("_", " ")}`);
    if (noAck && noAck !== warned) news.push(world.t("noAck"));
  }
  if (announced && news.length) $("live").textContent = news.join("\n");
  announced = now;
}

const frame = (m, world) => h("article", { class: "message", id: `message-${m.ts}`, "aria-label": `${nameOf(m, world)}, ${clock(timeOf(m.ts), world.lang)}` },
  h("div"), h("div", { class: "thread", role: "group", "aria-label": world.t("thread"), hidden: true }));

const nameOf = (m, world) => (m.bot ? "psycher" : world.people[m.user] ?? m.user);

const faces = { yamada: "山", sato: "佐", emma: "E" };

// one is a message, whose parts are filled in later: an edit touches those alone
// that it changes.
const one = (m) => h("div", { class: m.only ? "one only" : "one" }, h("span", { class: "face", "aria-hidden": "true" }), h("div", { class: "body" }));

function fillIn(made, m, world, top) {
  const name = nameOf(m, world);
  const [face, body] = made.children;
  face.className = `face ${m.bot ? "bot" : name}`;
  face.textContent = m.bot ? "p" : (faces[name] ?? name[0]);
  const { replies, blocks, text, reactions, press, ...head } = m;
  const { lang, me, looked, state } = world;
  const part = (key, looks, make) => ({ key, looks: [lang, me, looks], make });
  const parts = blocks
    ? blocks.filter(isKnown).map((b, i) => part(`${b.type}-${i}`, [b, b.type === "actions" ? press : state.gitlab.length], () => block(b, m, world)))
    : [part("text", [text, m.edited, state.gitlab.length], () => h("div", { class: "text" }, show(text, world), edited(m, world)))];
  parts.unshift(part("who", [head, looked === m.ts, !!state.records[m.ts]], () => who(m, world, name, top)));
  if (reactions?.length) parts.push(part("reactions", reactions, () => marks(reactions, world)));
  sync(body, parts, (p) => p.key, (p) => p.make());
}

const edited = (m, world) => (m.edited ? h("span", { class: "muted edited", text: ` ${world.t("edited")}` }) : null);

const marks = (reactions, world) => h("ul", { class: "reactions", "aria-label": world.t("reactions") }, reactions.map((r) =>
  h("li", { title: `:${r}:` }, isMark(r) ? mark(r) : `:${r}:`, " 1")));

function who(m, world, name, top) {
  const mine = !m.bot && m.user === world.me;
  const guest = world.state.demo.people.find((p) => p.id === m.user)?.guest;
  const buttons = [
    top && !m.only ? h("button", { type: "button", id: `reply-${m.ts}`, text: world.t("reply"), click: () => concern(world, "reply", m) }) : null,
    mine ? h("button", { type: "button", id: `edit-${m.ts}`, text: world.t("edit"), click: () => concern(world, "edit", m) }) : null,
    world.state.records[m.ts]
      ? h("button", { type: "button", id: `look-${m.ts}`, "aria-pressed": String(world.looked === m.ts), text: world.t("record"), click: () => world.look(m.ts) })
      : null,
  ];
  return h("div", null,
    h("p", { class: "who" }, h("strong", { text: name }), m.bot || guest ? h("span", { class: "app", text: world.t(m.bot ? "app" : "guest") }) : null,
      h("time", { class: "muted", text: clock(timeOf(m.ts), world.lang) }), m.blocks ? edited(m, world) : null, h("span", { class: "buttons" }, buttons)),
    m.only ? h("p", { class: "muted", text: world.t("only") }) : null);
}
