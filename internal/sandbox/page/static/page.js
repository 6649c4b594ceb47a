import { $, act, h } from "./dom.js";
import * as channel from "./channel.js";
import * as pipelines from "./pipelines.js";
import * as record from "./record.js";
import * as switches from "./switches.js";
import * as tour from "./tour.js";
import { words } from "./words.js";

// What is shown: the parts that the demo sends, and what was chosen here.
const state = { demo: null, slack: [], gitlab: [], records: {}, switches: {}, tour: null, looked: null, me: null };

const world = {
  state,
  get lang() {
    return state.switches.language === "en" ? "en" : "ja";
  },
  get people() {
    return Object.fromEntries([...(state.demo?.people ?? []).map((p) => [p.id, p.name]), [state.demo?.bot, "psycher"]]);
  },
  // The person who writes and presses.
  get me() {
    return state.me ?? state.demo?.people[0].id;
  },
  be(id) {
    state.me = id;
    draw();
  },
  t: (key) => words[world.lang][key] ?? key,
  // A link to a pipeline leads to it on this page.
  link(address) {
    const found = /\/-\/pipelines\/(\d+)$/.exec(address);
    return found && address.startsWith(state.demo.gitlab) && $(`pipeline-${found[1]}`) ? `#pipeline-${found[1]}` : null;
  },
  // The selected record: the chosen one, else the newest.
  get looked() {
    return state.looked in state.records ? state.looked : (Object.keys(state.records).sort().at(-1) ?? null);
  },
  look(ts) {
    state.looked = ts;
    draw();
  },
};

let spoken = "";

// speak translates the page's own texts.
function speak() {
  if (spoken === world.lang) return;
  spoken = world.lang;
  document.documentElement.lang = spoken;
  for (const e of document.querySelectorAll("[data-t]")) e.textContent = world.t(e.dataset.t);
  for (const e of document.querySelectorAll("[data-label]")) e.setAttribute("aria-label", world.t(e.dataset.label));
  document.title = world.t("title");
  for (const lang of ["ja", "en"]) $(lang).setAttribute("aria-pressed", String(lang === spoken));
  channel.speak(world);
  paint();
}

function draw() {
  if (!state.demo || !state.switches.language) return; // the first parts come one by one
  speak();
  const { kill, sockets } = state.switches;
  const how = kill ? "killed" : sockets > 0 ? "ready" : "starting";
  const bot = h("span", null, h("span", { class: `dot ${how}` }), world.t(how), how === "ready" ? h("small", { text: ` ${world.t("sockets")} ${sockets}` }) : null);
  if ($("bot").textContent !== bot.textContent) $("bot").replaceChildren(bot);
  pipelines.draw(world);
  channel.draw(world);
  record.draw(world);
  switches.draw(world);
  tour.draw(world);
}

// The theme is the machine's until one is chosen.
function dark() {
  return (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
}

function paint() {
  $("theme").textContent = world.t(dark() ? "light" : "dark");
}

function theme(name) {
  document.documentElement.dataset.theme = name;
  try {
    localStorage.setItem("theme", name);
  } catch {
    // without storage the theme is kept for this visit
  }
  paint();
}

function begin() {
  let kept = null;
  try {
    kept = localStorage.getItem("theme");
  } catch {
    // as above
  }
  if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
  $("theme").addEventListener("click", () => theme(dark() ? "light" : "dark"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  for (const lang of ["ja", "en"]) $(lang).addEventListener("click", () => act({ do: "language", choice: lang }));
  channel.begin(world);
  tour.begin();

  const events = new EventSource("events");
  events.addEventListener("message", (e) => {
    Object.assign(state, JSON.parse(e.data));
    $("gone").hidden = true;
    draw();
    document.documentElement.dataset.ready = String(spoken !== "");
  });
  events.addEventListener("error", () => {
    $("gone").hidden = false;
    $("gone").textContent = world.t("gone");
  });
}

begin();
