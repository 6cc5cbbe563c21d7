// TLS as a program meets it that has done what `ingot trust` says, and as one that has not.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { chat, Ingot, KEY, user } from "./ingot.js";

const run = promisify(execFile);
const authority = join(process.env.INGOT_TEST_TLS, "ca.pem");
const caller = `
import createClient from "@azure-rest/ai-inference";
const [endpoint, key] = process.argv.slice(1);
const client = createClient(endpoint, { key }, { retryOptions: { maxRetries: 0 } });
const response = await client.path("/chat/completions").post({ body: { messages: [{ role: "user", content: "Hello" }] } });
console.log(response.status, response.body.choices[0].message.content);
`;

let mock;
before(async () => { mock = await Ingot.start({ args: ["--mock"] }); });
after(() => mock.stop());

const address = (host) => mock.url.replace(/^http:/, "https:").replace("127.0.0.1", host);

/** What a program prints that runs with these variables beside, or in place of, the own ones. */
async function call(host, variables) {
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: "", ...variables };
  return (await run(process.execPath, ["--input-type=module", "-e", caller, address(host), KEY], { env, timeout: 30_000 })).stdout;
}

for (const host of ["localhost", "127.0.0.1"]) {
  test(`a program that trusts the authority is answered at ${host}`, async () => {
    assert.equal(await call(host, { NODE_EXTRA_CA_CERTS: authority }), "200 Hello\n");
  });
}

test("a program that trusts nobody here sends nothing", async () => {
  await assert.rejects(() => call("localhost", {}), /UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT|SELF_SIGNED/);
});

test("the authority may be given to one client", async () => {
  const options = { endpoint: address("localhost"), tlsOptions: { ca: readFileSync(authority, "utf8") } };
  assert.equal((await chat(mock.client("", options), { messages: user("Hello") })).body.choices[0].message.content, "Hello");
});
