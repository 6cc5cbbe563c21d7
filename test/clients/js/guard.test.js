// The guard itself: a process that dials out fails, even one that does not care about its error.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

const run = (address) => spawnSync(process.execPath, ["-e", `fetch("${address}").catch(() => {})`], { encoding: "utf8", timeout: 20_000 });

for (const [address, name] of [["http://192.0.2.1/", "192.0.2.1"], ["https://telemetry.invalid/", "telemetry.invalid"]]) {
  test(`a process that dials ${name} fails`, () => {
    const { status, stderr } = run(address);
    assert.deepEqual([status, stderr], [1, `guard.js: dialled ${name}\n`]);
  });
}

test("one that dials itself does not", () => {
  assert.deepEqual(run("http://127.0.0.1:1/").status, 0);
});
