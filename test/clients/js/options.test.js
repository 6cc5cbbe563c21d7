// What is left of the inference SDK's surface: every option of a client and of a call, bodies as others give them, every verb.

import assert from "node:assert/strict";
import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { after, before, describe, test } from "node:test";

import { isUnexpected } from "@azure-rest/ai-inference";
import { createRestError, operationOptionsToRequestParameters } from "@azure-rest/core-client";
import { createDefaultHttpClient, createEmptyPipeline } from "@azure/core-rest-pipeline";

import { all, chat, counter, embed, Ingot, SCHEME, user } from "./ingot.js";
import { RED } from "./server.js";

const hello = user("Hello");
const said = (response) => response.body.choices?.[0].message.content ?? assert.fail(JSON.stringify(response.body));

let mock;
before(async () => { mock = await Ingot.start({ args: ["--mock"] }); });
after(() => mock.stop());

describe("a client", () => {
  test("takes its address by the older option", async () => {
    assert.equal(said(await chat(mock.client("/nowhere", { baseUrl: `${mock.url}/models` }), { messages: hello, model: "mock" })), "Hello");
  });

  test("takes whoever sends for it", async () => {
    const sent = [];
    const real = createDefaultHttpClient();
    const httpClient = { sendRequest: (request) => { sent.push(request.url); return real.sendRequest(request); } };
    assert.equal(said(await chat(mock.client("", { httpClient }), { messages: hello })), "Hello");
    assert.deepEqual(sent, [`${mock.url}/chat/completions?api-version=2024-05-01-preview`]);
  });

  test("takes a pipeline, which it adds the key to", async () => {
    const seen = counter();
    const pipeline = createEmptyPipeline();
    const client = mock.client("", { pipeline });
    pipeline.addPolicy(seen);
    assert.equal(said(await chat(client, { messages: hello })), "Hello");
    assert.equal(seen.requests[0].headers.get("api-key"), undefined);
  });

  test("keeps a connection by its agent", async () => {
    const { Agent } = SCHEME === "https" ? https : http;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let made = 0;
    const { createConnection } = agent;
    agent.createConnection = (...args) => { made++; return createConnection.apply(agent, args); };
    const client = mock.client("", { agent });
    for (let i = 0; i < 3; i++) {
      assert.equal(said(await chat(client, { messages: hello })), "Hello");
      assert.equal((await chat(client, { messages: hello, temperature: 9 })).status, "422");
    }
    agent.destroy();
    assert.equal(made, 1);
  });

  test("goes through a proxy", async () => {
    const asked = [];
    const proxy = http.createServer((request, response) => {
      asked.push(request.url);
      request.pipe(http.request(request.url, { method: request.method, headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      }));
    });
    proxy.on("connect", ({ url }, socket, head) => {
      asked.push(url);
      const { hostname, port } = new URL(`http://${url}`);
      const there = connect(port, hostname, () => {
        socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
        there.write(head);
        socket.pipe(there).pipe(socket);
      });
      there.on("error", () => socket.destroy());
      socket.on("error", () => there.destroy());
    });
    await once(proxy.listen(0, "127.0.0.1"), "listening");
    const client = mock.client("", { proxyOptions: { host: "http://127.0.0.1", port: proxy.address().port } });
    assert.equal(said(await chat(client, { messages: hello })), "Hello");
    assert.equal(asked.length, 1);
    assert.ok(asked[0].includes(new URL(mock.url).host));
    proxy.closeAllConnections();
    proxy.close();
  });

  test("names its requests in a header of its choice", async () => {
    const seen = counter();
    const options = { telemetryOptions: { clientRequestIdHeaderName: "x-mine" }, additionalPolicies: [{ policy: seen, position: "perRetry" }] };
    assert.equal(said(await chat(mock.client("", options), { messages: hello })), "Hello");
    assert.match(seen.requests[0].headers.get("x-mine"), /^[0-9a-f-]{36}$/);
  });
});

describe("a call", () => {
  test("tells how far it is", async () => {
    const up = [], down = [];
    const options = { onUploadProgress: ({ loadedBytes }) => up.push(loadedBytes), onDownloadProgress: ({ loadedBytes }) => down.push(loadedBytes) };
    const text = "word ".repeat(5000);
    const response = await chat(mock.client(), { messages: user(text) }, options);
    assert.equal(said(response), text);
    assert.ok(up.at(-1) > text.length && down.at(-1) > text.length);
  });

  test("says what it accepts, and is told to be insecure by itself", async () => {
    const seen = counter();
    const client = mock.client("", { allowInsecureConnection: false, additionalPolicies: [{ policy: seen, position: "perRetry" }] });
    const response = await chat(client, { messages: hello }, { accept: "application/json, text/event-stream", allowInsecureConnection: SCHEME === "http" });
    assert.equal(said(response), "Hello");
    assert.equal(seen.requests[0].headers.get("accept"), "application/json, text/event-stream");
  });

  test("takes the options that other SDKs of Azure have", async () => {
    const options = operationOptionsToRequestParameters({ requestOptions: { headers: { "x-ms-client-request-id": "mine" }, timeout: 10_000 } });
    const response = await chat(mock.client(), { messages: hello }, { ...options, allowInsecureConnection: SCHEME === "http" });
    assert.deepEqual([said(response), response.headers["x-ms-client-request-id"]], ["Hello", "mine"]);
  });

  test("takes a body as bytes or as a stream, where the SDK does not look into it", async () => {
    const text = JSON.stringify({ input: ["a"], dimensions: 2 });
    for (const body of [new TextEncoder().encode(text), () => Readable.from([text])]) {
      const response = await embed(mock.client(), body, { contentType: "application/json" });
      assert.equal(response.body.data?.[0].embedding.length, 2, JSON.stringify(response.body));
    }
  });

  test("whose body is a string of JSON is refused, as the SDK quotes it once more", async () => {
    const response = await chat(mock.client(), JSON.stringify({ messages: hello }));
    assert.deepEqual([response.status, response.body.error.code, isUnexpected(response)], ["400", "invalid_json", true]);
  });

  test("has parts of its path given", async () => {
    const chats = mock.client().pathUnchecked("/deployments/{name}/chat/completions", "mock");
    assert.equal(said(await chats.post({ body: { messages: hello } })), "Hello");
    const unknown = await mock.client().pathUnchecked("/deployments/{name}/info", "a b/ä").get();
    assert.deepEqual([unknown.status, unknown.body.error.code], ["404", "DeploymentNotFound"]);
    assert.match(unknown.body.error.message, /a b\/ä/);
  });

  for (const verb of ["get", "put", "patch", "delete", "head", "options", "trace"]) {
    test(`with the verb ${verb} is told which there are`, async () => {
      const response = await mock.client().pathUnchecked("/embeddings")[verb]();
      assert.deepEqual([response.status, response.headers.allow], [verb === "options" ? "204" : "405", "POST, OPTIONS"]);
    });
  }
});

describe("an answer", () => {
  test("becomes an error of Azure's", async () => {
    const response = await chat(mock.client("/models"), { messages: hello, model: "nobody" });
    const error = createRestError(response);
    assert.deepEqual([error.name, error.code, error.statusCode], ["RestError", "unknown_model", 400]);
    assert.match(error.message, /^Unknown model: nobody/);
    assert.equal(error.response.headers.get("x-ms-error-code"), "unknown_model");
    assert.equal(createRestError("mine", response).message, "mine");
  });

  test("to a wrong key is unexpected, whatever was asked", async () => {
    const client = mock.client("", { key: "wrong" });
    const asked = [chat(client, { messages: hello }), embed(client, { input: ["a"] }), client.path("/info").get(), client.path("/images/embeddings").post({ body: { input: [{ image: RED }] } })];
    for (const response of await Promise.all(asked)) {
      assert.deepEqual([isUnexpected(response), response.status, createRestError(response).code], [true, "401", "401"]);
    }
  });

  test("is read as a stream, whatever was asked", async () => {
    for (const [path, verb, options] of [["/info", "get", {}], ["/embeddings", "post", { body: { input: ["a"], dimensions: 2 } }]]) {
      const response = await mock.client().path(path)[verb](options).asNodeStream();
      assert.equal(response.status, "200");
      assert.equal(typeof JSON.parse(Buffer.concat(await all(response.body))), "object");
    }
  });
});

test("pictures are shown in every detail", async () => {
  for (const detail of ["auto", "low", "high", undefined]) {
    const content = [{ type: "text", text: "What?" }, { type: "image_url", image_url: { url: RED, detail } }];
    assert.equal(said(await chat(mock.client(), { messages: user(content) })), "What?");
  }
});

test("sounds are refused, wherever they are", async () => {
  for (const part of [{ type: "audio_url", audio_url: { url: "https://example.com/a.mp3" } }, { type: "input_audio", input_audio: { data: "AA==", format: "wav" } }]) {
    const { status, body } = await chat(mock.client(), { messages: user([{ type: "text", text: "What?" }, part]) });
    assert.deepEqual([status, body.error.code], ["422", "parameter_not_supported"]);
  }
});

test("pictures are embedded with every parameter", async () => {
  const post = (body, headers) => mock.client("/models").path("/images/embeddings").post({ body: { model: "mock-image-embedding", ...body }, headers });
  for (const encoding_format of ["float", "base64", "int8", "uint8", "binary", "ubinary"]) {
    for (const input_type of ["text", "query", "document"]) {
      const response = await post({ input: [{ image: RED }, { image: RED, text: "A red square." }], dimensions: 16, encoding_format, input_type });
      assert.equal(isUnexpected(response), false, JSON.stringify(response.body));
      const [alone, described] = response.body.data.map((d) => d.embedding);
      assert.equal(alone.length, { base64: 88, binary: 2, ubinary: 2 }[encoding_format] ?? 16);
      assert.notDeepEqual(alone, described);
    }
  }
  for (const [word, status] of [["error", "400"], ["drop", "200"], ["pass-through", "422"]]) {
    const response = await post({ input: [{ image: RED }], foo: 1 }, { "extra-parameters": word });
    assert.equal(response.status, status, JSON.stringify(response.body));
    assert.equal(response.headers["x-ingot-dropped"], word === "drop" ? "foo" : undefined);
  }
});
