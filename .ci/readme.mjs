// Runs what README.md shows in ```sh blocks, from the repository's root:
//
//   node .ci/readme.mjs list    prints the commands, one a line
//   node .ci/readme.mjs run     runs each block in a shell
//
// A command that needs real accounts stands, to the letter, in
// .ci/readme-accounts, and is left out.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

const seconds = 300; // for one block

function fail(text) {
  console.error(text);
  process.exit(1);
}

if (!existsSync("README.md")) fail("there is no README.md here");
const readme = readFileSync("README.md", "utf8");
const blocks = [...readme.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, text]) =>
  text
    .split(/(?<!\\)\n/) // a backslash joins lines
    .map((line) => line.trim().replace(/^\$ /, ""))
    .filter((line) => line && !line.startsWith("#")),
);
const commands = blocks.flat();
if (!commands.length) fail("README.md shows no command in a ```sh block");

if (process.argv[2] === "list") {
  console.log(commands.join("\n"));
  process.exit();
}

const accounts = readFileSync(".ci/readme-accounts", "utf8")
  .split("\n")
  .filter((line) => line && !line.startsWith("#"));
const stale = accounts.filter((line) => !commands.includes(line));
if (stale.length) fail(`.ci/readme-accounts lists what README.md does not show:\n${stale.join("\n")}`);

let broken = 0;
for (const block of blocks) {
  for (const line of block) console.log(accounts.includes(line) ? `left out  ${line}` : `run       ${line}`);
  const script = block.filter((line) => !accounts.includes(line)).join("\n");
  if (!script) continue;
  const ran = spawnSync("timeout", ["--kill-after=5", `${seconds}`, "bash", "-euo", "pipefail", "-c", script], {
    encoding: "utf8",
    input: "",
    maxBuffer: 1 << 26,
  });
  if (ran.status !== 0) {
    broken++;
    console.log(`${ran.stdout}${ran.stderr}-- ${ran.error ?? `exit ${ran.status}`}`);
  }
}
if (broken) fail(`${broken} of ${blocks.length} blocks failed`);
