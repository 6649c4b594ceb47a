// Reads what `go test -json` writes, shows what failed, and fails if any test
// failed or was skipped, or if none ran at all.
import { createInterface } from "node:readline";

const output = new Map(); // package and test: what it printed
const failed = [], skipped = [];
let passed = 0;

for await (const line of createInterface({ input: process.stdin })) {
  let event;
  try {
    event = JSON.parse(line);
  } catch {
    console.log(line);
    continue;
  }
  const name = [event.Package, event.Test].filter(Boolean).join(" ");
  switch (event.Action) {
    case "build-output":
      process.stdout.write(event.Output);
      break;
    case "output":
      output.set(name, (output.get(name) ?? "") + event.Output);
      break;
    case "fail":
      failed.push(name);
      process.stdout.write(output.get(name) ?? "");
      break;
    case "skip": // a package's own skip says that it has no tests
      if (event.Test) {
        skipped.push(name);
        process.stdout.write(output.get(name) ?? "");
      }
      break;
    case "pass":
      if (event.Test) passed++;
  }
}

console.log(`${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
if (failed.length || skipped.length || !passed) process.exitCode = 1;
