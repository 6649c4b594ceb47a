// Runs every command that README.md and docs/*.md show in ```sh blocks.
//
//   node .ci/pages.mjs list           prints README.md's commands, one a line
//   node .ci/pages.mjs run            runs README.md and all pages
//   node .ci/pages.mjs run INSTALL    runs this page
//
// README.md is run in the tree itself. Each page of docs is run in a copy of the
// tree of its own, block after block, with a project "app" beside it and
// stand-ins of Slack and GitLab in place of the real ones: their addresses
// stand in for those that the page shows. What is for CI stands in a comment
// on the line before a block:
//
//   <!-- ci: sees WORDS -->       what the block prints has WORDS in it, in half a minute
//   <!-- ci: goes on -->          it is left running till the page ends: then SIGTERM, and exit 0
//   <!-- ci: fills .env -->       (dotenv) the names in it get the stand-ins' values in .env
//   <!-- ci: is said in Slack --> (text) the mention in it is made, and deploys
//
// Nothing else is left out: a command that no CI can run is no sh block. Pages
// in Japanese show the same commands, which is all that is looked at.
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const seconds = 300; // for one block

function fail(text) {
  console.error(text);
  process.exit(1);
}

// blocks are a page's, each with its tag, its lines and its note for CI.
function blocks(name) {
  const found = [...readFileSync(name, "utf8").matchAll(/(?:^<!-- ci: (.*) -->\n)?^```(.*)\n([^]*?)^```$/gm)];
  return found.map(([, note, tag, text]) => {
    if (/^(bash|shell|console|zsh|shell-session|fish)$/.test(tag)) fail(`${name}: a command's block is tagged sh, not ${tag}`);
    const lines = text
      .split(/(?<!\\)\n/) // a backslash joins lines
      .map((line) => line.trim().replace(/^\$ /, ""))
      .filter((line) => line && !line.startsWith("#"));
    return { note: note ?? "", tag, text, lines };
  });
}

const commands = (name) => blocks(name).filter((b) => b.tag === "sh").flatMap((b) => b.lines);

function sameInJapanese(name) {
  const other = name.replace(/\.md$/, ".ja.md");
  if (!existsSync(other)) return true;
  const [a, b] = [name, other].map((n) => commands(n).join("\n"));
  if (a !== b) console.log(`${name} and ${other} show different commands:\n${a}\n--\n${b}`);
  return a === b;
}

const bash = (script, options) =>
  spawnSync("timeout", ["--kill-after=5", `${seconds}`, "bash", "-euo", "pipefail", "-c", script], {
    encoding: "utf8", input: "", maxBuffer: 1 << 26, ...options,
  });

// StandIns are internal/sandbox/standins, whose settings are by name.
class StandIns {
  static async start() {
    const s = new StandIns();
    s.process = spawn("go", ["run", "./internal/sandbox/standins"], { stdio: ["pipe", "pipe", "inherit"] });
    s.lines = createInterface({ input: s.process.stdout })[Symbol.asyncIterator]();
    s.settings = new Map();
    for (let line = await s.line(); line; line = await s.line()) {
      const at = line.indexOf("=");
      s.settings.set(line.slice(0, at), line.slice(at + 1));
    }
    return s;
  }
  async line() {
    const { value } = await this.lines.next();
    return value;
  }
  async said(text) {
    this.process.stdin.write(`${text}\n`);
    return this.line();
  }
  // here puts the stand-ins' addresses in place of those of a page.
  here(text) {
    return text
      .replaceAll("127.0.0.1:9090", this.settings.get("ADMIN_ADDR"))
      .replaceAll("127.0.0.1:8080", this.settings.get("NOTIFY_ADDR"));
  }
  fill(path, text) {
    const named = [...text.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name);
    const addresses = ["SLACK_API_URL", "GITLAB_URL", "NOTIFY_ADDR", "ADMIN_ADDR"];
    const lines = [...named, ...addresses].map((name) => `${name}='${this.settings.get(name)}'`);
    const rest = readFileSync(path, "utf8").split("\n").filter((line) => !named.some((name) => line.startsWith(`${name}=`)));
    writeFileSync(path, [...rest, ...lines, ""].join("\n"));
  }
}

async function runPage(name) {
  const page = name === "README.md" ? null : mkdtempSync(join(tmpdir(), "psycher-page-"));
  const cwd = page ? join(page, "psycher") : ".";
  let standIns, left = [];
  try {
    if (page) {
      const files = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { encoding: "utf8" });
      for (const file of files.stdout.split("\0").filter((f) => f && existsSync(f))) {
        mkdirSync(dirname(join(cwd, file)), { recursive: true });
        cpSync(file, join(cwd, file));
      }
      mkdirSync(join(page, "app"));
      standIns = await StandIns.start();
    }
    for (const block of blocks(name)) await runBlock(block);
    for (const { child, ended } of left) {
      child.kill("SIGTERM");
      const code = await ended;
      if (code !== 0) throw new Error(`what goes on ended with ${code}`);
    }
    left = [];
  } finally {
    for (const { child } of left) child.kill("SIGKILL");
    standIns?.process.stdin.end();
    if (page) rmSync(page, { recursive: true, force: true });
  }

  async function runBlock({ note, tag, text, lines }) {
    if (tag !== "sh") {
      if (note === "fills .env") standIns.fill(join(cwd, ".env"), text);
      if (note === "is said in Slack") {
        console.log(`says      ${text.trim()}`);
        const mark = await standIns.said(text.trim().replace(/^@psycher /, ""));
        if (mark !== "white_check_mark") throw new Error(`it ended with ${mark}`);
      }
      return;
    }
    const script = standIns ? standIns.here(lines.join("\n")) : lines.join("\n");
    for (const line of lines) console.log(`run       ${line}`);
    if (note === "goes on") {
      const child = spawn("bash", ["-c", `exec ${script}`], { cwd, stdio: ["ignore", "inherit", "inherit"] });
      left.push({ child, ended: new Promise((done) => child.once("exit", (code, signal) => done(code ?? signal))) });
      return;
    }
    const words = note.replace(/^sees /, "");
    if (note && words === note) throw new Error(`no such note for CI: ${note}`);
    for (const end = Date.now() + 30_000; ; await sleep(200)) {
      const ran = bash(script, { cwd });
      if (ran.status === 0 && (!note.startsWith("sees ") || ran.stdout.includes(words))) return;
      if (!note.startsWith("sees ") || Date.now() > end) {
        throw new Error(`${ran.stdout}${ran.stderr}-- ${ran.error ?? `exit ${ran.status}`}${note && `, and it should have said: ${words}`}`);
      }
    }
  }
}

if (!commands("README.md").length) fail("README.md shows no command in a ```sh block");
if (process.argv[2] === "list") {
  console.log(commands("README.md").join("\n"));
  process.exit();
}
const pages = readdirSync("docs").filter((n) => n.endsWith(".md") && !n.endsWith(".ja.md")).map((n) => `docs/${n}`);
const chosen = ["README.md", ...pages].filter((n) => process.argv.length < 4 || n.includes(process.argv[3]));
let broken = 0;
for (const name of chosen) {
  if (!sameInJapanese(name)) broken++;
  if (!commands(name).length) continue;
  console.log(`-- ${name}`);
  const since = Date.now();
  await runPage(name).catch((e) => {
    broken++;
    console.log(e.message);
  });
  console.log(`-- ${Math.round((Date.now() - since) / 1000)} s`);
}
if (broken) fail(`${broken} of ${chosen.length} pages failed`);
process.exit();
