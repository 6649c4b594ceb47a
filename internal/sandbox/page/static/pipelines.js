import { $, act, h, sync } from "./dom.js";

// The stand-in of GitLab: pipelines, each with its jobs and their logs.

const goesOn = ["created", "pending", "running"];
const canRun = ["failed", "canceled"];
const closed = new Set(); // the logs that were closed by hand
const opened = new Set();

export function draw(world) {
  const { gitlab, records } = world.state;
  const pipeline = (records[world.looked]?.now?.deployment ?? {}).pipeline;
  const newest = gitlab[0]?.id;
  if (!gitlab.length) {
    $("pipelines").replaceChildren(h("p", { class: "empty", text: world.t("noPipeline") }));
    return;
  }
  // Only what changes is rebuilt: a button that is being pressed stays.
  sync($("pipelines"), gitlab, (p) => p.id, frame, () => "", ["id"]);
  for (const p of gitlab) {
    const article = $(`pipeline-${p.id}`);
    article.classList.toggle("looked", p.id === pipeline);
    const jobs = p.jobs ?? [];
    sync(article, [p, ...jobs], (one) => `part-${one.id}`, (one) => (one === p ? head(p, world) : job(one, p, world, p.id === newest)),
      () => [world.lang, p.id === newest], ["id", "status", "name"]);
    for (const j of jobs) {
      const log = $(`log-${j.id}`);
      if (log.textContent === j.log) continue;
      log.textContent = j.log;
      log.scrollTop = log.scrollHeight;
    }
  }
}

export const status = (world, name) => h("span", { class: `status ${name}` }, h("span", { class: "dot" }), world.t(name));

const frame = (p) => h("article", { class: "pipeline", id: `pipeline-${p.id}`, "aria-labelledby": `pipeline-name-${p.id}`, tabindex: "-1" });

function head(p, world) {
  const buttons = [];
  if (goesOn.includes(p.status)) buttons.push(button("cancel", p, world));
  if (canRun.includes(p.status) && p.jobs?.length) buttons.push(button("retry", p, world));
  return h("div", { class: "head" },
    h("h3", { id: `pipeline-name-${p.id}`, text: `#${p.id}` }), status(world, p.status),
    h("span", { class: "muted", text: `${p.name} · ${p.ref}` }),
    h("span", { class: "buttons" }, buttons));
}

function button(what, p, world) {
  return h("button", { type: "button", id: `${what}-${p.id}`, "aria-label": `${world.t(what)} #${p.id}`, text: world.t(what), click: () => act({ do: what, id: p.id }) });
}

function job(j, p, world, newest) {
  const open = opened.has(j.id) || (newest && j.name === "deploy" && !closed.has(j.id));
  const toggled = (e) => {
    (e.target.open ? opened : closed).add(j.id);
    (e.target.open ? closed : opened).delete(j.id);
  };
  const details = h("details", { class: "job", open },
    h("summary", { id: `job-${j.id}` }, h("code", { text: j.name }), " ", status(world, j.status)),
    h("pre", { class: "log", id: `log-${j.id}`, tabindex: "0", role: "region", "aria-label": `${world.t("log")} #${p.id} ${j.name}` }));
  // A log that the code opens is not the person's choice.
  details.addEventListener("click", (e) => {
    if (e.target.closest("summary")) details.addEventListener("toggle", toggled, { once: true });
  });
  return details;
}
