// Token credentials, which the SDK sends over TLS only, whatever the rest is run with, and with a local authority in place of Microsoft Entra ID.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";

import { all, chat, events, Ingot, joined, user } from "./ingot.js";

const [TENANT, USER, STRANGER] = [0, 1, 2].map((n) => `11111111-2222-4333-8444-00000000000${n}`);

let folder, authority, address, server;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "ingot-authority-"));
  const binary = join(folder, "authority");
  execFileSync("go", ["build", "-o", binary, "./test/entra"], { cwd: process.env.INGOT_TEST_ROOT, stdio: ["ignore", "ignore", "inherit"] });
  authority = spawn(binary, { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface(authority.stdout)) {
    address = line;
    break;
  }
  server = await Ingot.start({ config: `
entra:
  tenants: [${TENANT}]
  audiences: ["api://ingot"]
  first_party: on
  authority: ${address}
  allow: {objects: [${USER}]}
models:
  chat: {provider: mock}
` });
});
after(async () => {
  await server.stop();
  authority.kill();
  await once(authority, "exit");
  rmSync(folder, { recursive: true });
});

/** A credential that asks the authority for a token of the scope; `scopes` are those it was asked for. */
function asking(claims = {}) {
  const scopes = [];
  return {
    scopes,
    async getToken(scope) {
      scopes.push(scope);
      const aud = [scope].flat()[0].replace(/\/\.default$/, "");
      const query = new URLSearchParams({ tid: TENANT, oid: USER, version: "1.0", aud, ...claims });
      return { token: await (await fetch(`${address}/token?${query}`)).text(), expiresOnTimestamp: Date.now() + 3_600_000 };
    },
  };
}

/** A client with a credential, over TLS. */
const client = (base, credential, options = {}) => server.client(base, {
  credential, endpoint: server.url.replace(/^http:/, "https:") + base, allowInsecureConnection: false,
  tlsOptions: { ca: readFileSync(join(process.env.INGOT_TEST_TLS, "ca.pem"), "utf8") }, ...options,
});

test("the token that clients ask for by themselves admits", async () => {
  const credential = asking();
  const asks = client("", credential);
  assert.equal((await chat(asks, { messages: user("Hello") })).body.choices[0].message.content, "Hello");
  assert.equal(joined(await all(events(asks, { messages: user("Hello") }))), "Hello");
  assert.deepEqual([credential.scopes[0]].flat(), ["https://ml.azure.com/.default"]);
});

for (const scope of ["api://ingot/.default", "https://cognitiveservices.azure.com/.default"]) {
  test(`so does one of the scope ${scope}`, async () => {
    const asks = client("/models", asking({ version: "2.0" }), { credentials: { scopes: [scope] } });
    assert.equal((await chat(asks, { messages: user("Hello"), model: "chat" })).body.choices[0].message.content, "Hello");
  });
}

for (const [name, claims, base, status, code] of [
  ["that has expired", { expires_in: "-900" }, "", "401", "401"],
  ["of another tenant", { tid: STRANGER }, "", "401", "401"],
  ["of somebody who may not call", { oid: STRANGER }, "", "403", "PermissionDenied"],
  ["of somebody who may not call, as the service says it", { oid: STRANGER }, "/models", "401", "PermissionDenied"],
]) {
  test(`a token ${name} is refused`, async () => {
    const response = await chat(client(base, asking(claims)), { messages: user("Hello"), model: "chat" });
    assert.equal(response.status, status);
    assert.equal(response.body.error.code, code);
    if (code === "401") {
      assert.equal(response.headers["www-authenticate"], 'Bearer error="invalid_token"');
    }
  });
}

test("the openai SDK comes with tokens too", async () => {
  const azureADTokenProvider = async () => (await asking().getToken("https://cognitiveservices.azure.com/.default")).token;
  const clients = [server.openai("azure", { key: null, azureADTokenProvider }), server.openai("v1", { key: await azureADTokenProvider() })];
  for (const client of clients) {
    const answer = await client.chat.completions.create({ model: "chat", messages: user("Hello") });
    assert.equal(answer.choices[0].message.content, "Hello");
  }
});

test("the sample comes with a managed identity, as App Service has it", async () => {
  const asked = [];
  const identity = createServer(async (request, response) => {
    const resource = new URL(request.url, "http://localhost").searchParams.get("resource");
    asked.push([request.headers["x-identity-header"], resource]);
    const { token, expiresOnTimestamp } = await asking().getToken(`${resource}/.default`);
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ access_token: token, resource, token_type: "Bearer", expires_on: String(expiresOnTimestamp / 1000 | 0) }));
  });
  await once(identity.listen(0, "127.0.0.1"), "listening");
  const env = {
    ...process.env, IDENTITY_ENDPOINT: `http://127.0.0.1:${identity.address().port}/token`, IDENTITY_HEADER: "secret",
    INGOT_ENDPOINT: server.url.replace(/^http:/, "https:"), NODE_EXTRA_CA_CERTS: join(process.env.INGOT_TEST_TLS, "ca.pem"),
  };
  const sample = spawn(process.execPath, ["examples/js/entra.js"], { env, timeout: 60_000 });
  const [said, complained] = await Promise.all([text(sample.stdout), text(sample.stderr)]);
  identity.close();

  assert.deepEqual([said, complained], ["What is the capital of France?\n", ""]);
  assert.deepEqual(asked, [["secret", "https://ml.azure.com"]]);
});
