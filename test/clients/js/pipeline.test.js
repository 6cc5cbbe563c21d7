// What the SDK's pipeline adds: options, policies, retries, credentials, limits of patience, and paths without a type.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { isUnexpected } from "@azure-rest/ai-inference";
import { AzureKeyCredential } from "@azure/core-auth";

import { all, chat, counter, embed, events, Ingot, joined, KEY, SCHEME, user } from "./ingot.js";

const config = `
models:
  good: {provider: mock}
  always: {provider: mock, mock: {fault: {status: 429, retry_after: 1s}}}
  waits: {provider: mock, mock: {fault: {status: 429, retry_after: 1s, every: 2}}}
  refuses: {provider: mock, mock: {fault: {status: 429}}}
  broken-500: {provider: mock, mock: {fault: {status: 500}}}
  broken-502: {provider: mock, mock: {fault: {status: 502}}}
  broken-503: {provider: mock, mock: {fault: {status: 503}}}
  broken-504: {provider: mock, mock: {fault: {status: 504}}}
  broken-403: {provider: mock, mock: {fault: {status: 403}}}
  broken-422: {provider: mock, mock: {fault: {status: 422}}}
  breaks: {provider: mock, mock: {fault: {error: 3}}}
  cut: {provider: mock, mock: {fault: {cut: 3}}}
  stalls: {provider: mock, mock: {fault: {stall: 3}}}
  embeds: {provider: mock, mock: {behaviour: embedding, dimensions: 12}}
  thinks: {provider: mock, mock: {behaviour: reasoning}}
info: {spelling: service}
`;
const hello = user("Hello");
const words = user("one two three four five");

let server;
before(async () => { server = await Ingot.start({ config }); });
after(() => server.stop());

const at = (deployment, options) => server.client(`/deployments/${deployment}`, options);
const said = (response) => response.body.choices[0].message.content;

describe("requests", () => {
  test("carry what the contract's table says", async () => {
    const seen = counter();
    await chat(server.client("/models", { additionalPolicies: [{ policy: seen, position: "perRetry" }] }), { messages: hello, model: "good" });

    const [{ url, headers, body }] = seen.requests;
    assert.equal(url, `${server.url}/models/chat/completions?api-version=2024-05-01-preview`);
    assert.equal(headers.get("api-key"), KEY);
    assert.equal(headers.get("authorization"), `Bearer ${KEY}`);
    assert.equal(headers.get("accept"), "application/json");
    assert.equal(headers.get("content-type"), "application/json");
    assert.match(headers.get("user-agent"), /^azsdk-js-ai-inference-rest\/1\.0\.0-beta\.6 core-rest-pipeline\//);
    assert.equal(headers.get("extra-parameters"), undefined);
    assert.deepEqual(JSON.parse(body), { messages: hello, model: "good" });
  });

  test("take headers, query, media type and user agent of the caller", async () => {
    const seen = [];
    const client = server.client("/models", { userAgentOptions: { userAgentPrefix: "Mine" } });
    const response = await chat(client, { messages: hello }, {
      headers: { "azureml-model-deployment": "good", "x-ms-client-request-id": "my-own-id_7" },
      queryParameters: { mine: "ä&b" },
      contentType: "application/json; charset=utf-8",
      onResponse: (raw) => seen.push(raw),
    });

    assert.equal(response.status, "200", JSON.stringify(response.body));
    assert.equal(response.body.model, "good");
    assert.equal(response.headers["x-ms-client-request-id"], "my-own-id_7");
    assert.match(response.headers["x-request-id"], /^[0-9a-f-]{36}$/);
    assert.match(seen[0].request.headers.get("user-agent"), /^Mine azsdk-js-ai-inference-rest/);
    assert.deepEqual(seen[0].parsedBody ?? JSON.parse(seen[0].bodyAsText), response.body);
  });

  test("name the api-version of the client, or of the call", async () => {
    const messages = hello;
    const old = await chat(at("thinks"), { messages });
    const young = await chat(at("thinks", { apiVersion: "2025-04-01" }), { messages });
    const once = await chat(at("thinks"), { messages }, { queryParameters: { "api-version": "2025-05-01" } });

    assert.match(said(old), /^<think>/);
    for (const { body } of [young, once]) {
      assert.equal(body.choices[0].message.content, "Hello");
      assert.equal(body.choices[0].message.reasoning_content, "The answer is what was said.");
    }
  });

  test("reach the endpoint by its option, too", async () => {
    const client = server.client("/nowhere", { endpoint: `${server.url}/deployments/good/` });
    assert.equal(said(await chat(client, { messages: hello })), "Hello");
  });

  test("may be logged", async () => {
    const lines = [];
    const logger = Object.assign((...line) => lines.push(line.join(" ")), { enabled: true });
    const client = server.client("", { loggingOptions: { logger } });
    assert.equal(said(await chat(client, { messages: hello })), "Hello");
    assert.match(lines.join("\n"), /Response status code: 200/);
    assert.ok(!lines.join("\n").includes(KEY));
  });

  test("of every parameter", async () => {
    const body = {
      messages: [
        { role: "system", content: "Be brief." },
        { role: "developer", content: "Be kind." },
        { role: "user", content: [{ type: "text", text: "Hi " }, { type: "text", text: "you" }] },
      ],
      model: "good", frequency_penalty: -2, presence_penalty: 2, temperature: 0, top_p: 0.5,
      max_tokens: 9, stop: ["never"], seed: 2 ** 53 - 1, stream: false,
      tools: [{ type: "function", function: { name: "f" } }], tool_choice: "none", response_format: { type: "text" },
    };
    assert.equal(said(await chat(server.client("/models"), body)), "Hi you");
    const nulls = Object.fromEntries(Object.keys(body).filter((k) => k !== "messages" && k !== "model").map((k) => [k, null]));
    assert.equal(said(await chat(server.client("/models"), { ...body, ...nulls })), "Hi you");
  });
});

describe("policies", () => {
  test("of the caller run once a call, or once an attempt", async () => {
    const [call, attempt] = [counter("call"), counter("attempt")];
    const client = at("broken-500", {
      additionalPolicies: [{ policy: call, position: "perCall" }, { policy: attempt, position: "perRetry" }],
      retryOptions: { retryDelayInMs: 1, maxRetries: 2 },
    });
    assert.equal((await chat(client, { messages: hello })).status, "500");
    assert.deepEqual([call.requests.length, attempt.requests.length], [1, 3]);
  });

  test("may be added, removed, and change an answer", async () => {
    const client = server.client("/deployments/good");
    client.pipeline.removePolicy({ name: "customKeyCredentialPolicy" });
    client.pipeline.addPolicy({
      name: "shout",
      async sendRequest(request, next) {
        request.body = request.body.replace("Hello", "HELLO");
        const response = await next(request);
        response.headers.set("x-mine", request.headers.get("authorization") ?? "none");
        return response;
      },
    });
    const response = await chat(client, { messages: hello });
    assert.deepEqual([said(response), response.headers["x-mine"]], ["HELLO", "none"]);
  });
});

describe("retries", () => {
  // The table of doc/protocol.md §7.9.
  for (const [deployment, status, attempts] of [
    ["broken-500", "500", 4],
    ["broken-502", "502", 4],
    ["broken-503", "503", 4],
    ["broken-504", "504", 4],
    ["broken-403", "403", 1],
    ["broken-422", "422", 1],
    ["refuses", "429", 1],
  ]) {
    test(`of ${status}`, async () => {
      const policy = counter();
      const retryOptions = { retryDelayInMs: 1, maxRetryDelayInMs: 2 };
      const client = at(deployment, { additionalPolicies: [{ policy, position: "perRetry" }], retryOptions });
      const response = await chat(client, { messages: hello });
      assert.equal(response.status, status);
      assert.equal(isUnexpected(response), true);
      assert.equal(policy.requests.length, attempts);
      assert.equal(response.headers["x-ms-error-code"], response.body.error.code);
    });
  }

  test("wait as long as the answer says", async () => {
    const policy = counter();
    const options = { additionalPolicies: [{ policy, position: "perRetry" }], retryOptions: { maxRetries: 1 } };
    const start = performance.now();
    const response = await chat(at("always", options), { messages: hello });

    assert.equal(response.status, "429");
    assert.deepEqual([response.headers["retry-after"], response.headers["retry-after-ms"]], ["1", "1000"]);
    assert.equal(policy.requests.length, 2);
    assert.ok(performance.now() - start >= 990);
  });

  test("succeed, and the body goes out whole again", async () => {
    await chat(at("waits"), { messages: hello });
    assert.equal(said(await chat(at("waits"), { messages: hello })), "Hello");
  });

  test("may be switched off", async () => {
    const policy = counter();
    const response = await chat(at("always", { additionalPolicies: [{ policy, position: "perRetry" }], retryOptions: { maxRetries: 0 } }), { messages: hello });
    assert.deepEqual([response.status, policy.requests.length], ["429", 1]);
  });
});

describe("patience", () => {
  test("ends by an abort signal, before and during a request", async () => {
    const gone = AbortSignal.abort();
    await assert.rejects(async () => chat(at("good"), { messages: hello }, { abortSignal: gone }), { name: "AbortError" });
    await assert.rejects(async () => chat(at("stalls"), { messages: words }, { abortSignal: AbortSignal.timeout(100) }), { name: "AbortError" });
    assert.equal(said(await chat(at("good"), { messages: hello })), "Hello");
  });

  test("ends by a timeout", async () => {
    await assert.rejects(async () => chat(at("stalls"), { messages: words }, { timeout: 100 }), { name: "AbortError" });
  });

  test("ends in the middle of a stream, which is never taken for complete", async () => {
    const controller = new AbortController();
    const received = [];
    await assert.rejects(async () => {
      for await (const event of events(at("stalls"), { messages: words }, { abortSignal: controller.signal })) {
        received.push(event);
        if (joined(received) === "one two three") {
          controller.abort();
        }
      }
    });
    assert.equal(joined(received), "one two three");
    assert.ok(received.every((e) => e.choices[0].finish_reason === null));
  });
});

describe("streams", () => {
  test("whose connection breaks throw", async () => {
    const received = [];
    await assert.rejects(async () => { for await (const event of events(at("cut"), { messages: words })) received.push(event); });
    assert.ok(!received.includes("[DONE]"));
  });

  test("that end in an error show it, and break", async () => {
    const received = [];
    await assert.rejects(async () => { for await (const event of events(at("breaks"), { messages: words })) received.push(event); });
    const last = received.at(-1);
    // What came just before the break may be lost, but never turned into an end.
    assert.ok(!received.includes("[DONE]"));
    assert.ok(!last?.error || last.error.code === "BackendError");
  });

  test("may be left in the middle, and the next request works", async () => {
    const client = at("good");
    for await (const event of events(client, { messages: words })) {
      assert.equal(event.choices[0].delta.role, "assistant");
      break;
    }
    assert.equal(said(await chat(client, { messages: hello })), "Hello");
  });

  test("are nobody else's, many at once", async () => {
    const client = at("good");
    const texts = Array.from({ length: 24 }, (_, n) => `stream ${n} says ${n * n} of its own`);
    const answers = await Promise.all(texts.map((text) => all(events(client, { messages: user(text) }))));
    assert.deepEqual(answers.map((chunks) => joined(chunks.slice(0, -1))), texts);
  });

  test("read without a parser are text", async () => {
    const response = await chat(at("good"), { messages: hello, stream: true });
    const frames = response.body.split("\n\n");
    assert.equal(response.headers["content-type"], "text/event-stream");
    assert.deepEqual(frames.slice(-2), ["data: [DONE]", ""]);
    assert.ok(frames.slice(0, -1).every((frame) => frame.startsWith("data: ")));
  });
});

describe("credentials", () => {
  test("may be replaced", async () => {
    const credential = new AzureKeyCredential("old");
    const client = at("good", { credential });
    assert.equal((await chat(client, { messages: hello })).status, "401");
    credential.update(KEY);
    assert.equal((await chat(client, { messages: hello })).status, "200");
  });

  test("may go in another header", async () => {
    const policy = counter();
    const options = { credentials: { apiKeyHeaderName: "x-other" }, additionalPolicies: [{ policy, position: "perRetry" }] };
    assert.equal((await chat(at("good", options), { messages: hello })).status, "200");
    assert.equal(policy.requests[0].headers.get("api-key"), undefined);
  });

  test("that are tokens go over TLS only", async () => {
    const scopes = [];
    const credential = { getToken: async (scope) => { scopes.push(scope); return { token: KEY, expiresOnTimestamp: Date.now() + 3_600_000 }; } };
    const send = async () => chat(at("good", { credential }), { messages: hello });
    if (SCHEME === "http") {
      await assert.rejects(send, /TLS|https/i);
    } else {
      assert.equal((await send()).status, "200");
      assert.deepEqual(scopes.flat(), ["https://ml.azure.com/.default"]);
    }
  });

  for (const [name, send] of [
    ["chat", (client) => chat(client, { messages: hello })],
    ["embeddings", (client) => embed(client, { input: ["a"] })],
    ["info", (client) => client.path("/info").get()],
  ]) {
    test(`that are wrong fail on ${name}`, async () => {
      const response = await send(server.client("", { key: "wrong" }));
      assert.equal(isUnexpected(response), true);
      assert.deepEqual([response.status, response.body.error.code, response.headers["www-authenticate"]], ["401", "401", "Bearer"]);
    });
  }
});

describe("paths", () => {
  test("of info, in the service's spelling", async () => {
    for (const [deployment, type] of [["good", "chat-completion"], ["embeds", "embedding"]]) {
      const response = await at(deployment).path("/info").get();
      assert.equal(isUnexpected(response), false);
      assert.deepEqual(response.body, { model_name: deployment, model_type: type, model_provider_name: "Ingot" });
    }
  });

  test("of images need a model for them", async () => {
    const response = await server.client().path("/images/embeddings").post({ body: { input: [{ image: "data:image/png;base64,AA==" }] } });
    assert.equal(isUnexpected(response), true);
    assert.equal(response.status, "400");
    assert.equal(response.body.error.code, "no_model_name");
  });

  test("without a type carry text completions", async () => {
    const post = (body) => at("good").pathUnchecked("/completions").post({ body });
    const whole = await post({ prompt: ["one two three", "four"], max_tokens: 2 });
    assert.equal(whole.status, "200");
    assert.deepEqual(whole.body.choices.map((c) => c.text), ["one two", "four"]);
    const streamed = await post({ prompt: "one two", stream: true });
    assert.equal(streamed.body.split("\n\n").slice(0, -2).map((f) => JSON.parse(f.slice(6)).choices[0].text).join(""), "one two");
    const refused = await post({ prompt: "a", echo: true });
    assert.deepEqual([refused.status, refused.body.error.code], ["400", "extra_parameters_not_allowed"]);
  });
});

describe("embeddings", () => {
  test("of every parameter", async () => {
    const input = ["Hello there", "Good bye"];
    for (const encoding_format of ["float", "base64", "int8", "uint8", "binary", "ubinary"]) {
      for (const input_type of ["text", "query", "document"]) {
        const response = await embed(server.client("/models"), { input, model: "embeds", dimensions: 16, encoding_format, input_type });
        assert.equal(isUnexpected(response), false, JSON.stringify(response.body));
        const [{ embedding }] = response.body.data;
        const length = { base64: 88, binary: 2, ubinary: 2 }[encoding_format] ?? 16;
        assert.equal(embedding.length, length);
        assert.equal(typeof embedding, encoding_format === "base64" ? "string" : "object");
      }
    }
  });

  test("hold the same numbers in every encoding", async () => {
    const get = async (encoding_format) => (await embed(at("embeds"), { input: ["Hello there"], dimensions: 16, encoding_format })).body.data[0].embedding;
    const float = await get("float");
    const int8 = float.map((x) => Math.max(-128, Math.min(127, Math.floor(x * 127 + 0.5))));
    const bits = [0, 8].map((i) => parseInt(float.slice(i, i + 8).map((x) => (x >= 0 ? "1" : "0")).join(""), 2));
    const bytes = Buffer.alloc(64);
    float.forEach((x, i) => bytes.writeFloatLE(x, 4 * i));

    assert.equal(await get("base64"), bytes.toString("base64"));
    assert.deepEqual(await get("int8"), int8);
    assert.deepEqual(await get("uint8"), int8.map((x) => x + 128));
    assert.deepEqual(await get("ubinary"), bits);
    assert.deepEqual(await get("binary"), bits.map((x) => x - 128));
  });

  test("of extras follow the header", async () => {
    const body = { input: ["a"], truncate: "END" };
    for (const [word, status] of [["error", "400"], ["drop", "200"], ["pass-through", "422"]]) {
      const response = await embed(at("embeds"), body, { headers: { "extra-parameters": word } });
      assert.equal(response.status, status);
      assert.equal(response.headers["x-ingot-dropped"], word === "drop" ? "truncate" : undefined);
    }
  });
});

describe("refusals", () => {
  test("of a body that is too large arrive, and are no reset", async () => {
    const client = at("good", { retryOptions: { maxRetries: 0 } });
    const response = await chat(client, { messages: user("a".repeat(33 << 20)) });
    assert.deepEqual([response.status, response.body.error.code], ["413", "RequestEntityTooLarge"]);
    assert.equal(said(await chat(client, { messages: hello })), "Hello");
  });

  test("of a filter say so, before and during an answer", async () => {
    const refused = await chat(at("good"), { messages: user("mock:filter") });
    assert.deepEqual([refused.status, refused.body.error.code, refused.body.error.innererror.code], ["400", "content_filter", "ResponsibleAIPolicyViolation"]);
    const ended = await chat(at("good"), { messages: user("say this mock:censor and that") });
    assert.equal(ended.body.choices[0].finish_reason, "content_filter");
    const streamed = await all(events(at("good"), { messages: user("say this mock:censor and that") }));
    assert.equal(streamed.pop(), "[DONE]");
    assert.equal(streamed.at(-1).choices[0].finish_reason, "content_filter");
  });

  test("of an image or a sound name its place", async () => {
    for (const [part, code] of [
      [{ type: "image_url", image_url: { url: "data:image/png;base64,AA==" } }, "Invalid input"],
      [{ type: "input_audio", input_audio: { data: "AA==", format: "mp3" } }, "parameter_not_supported"],
    ]) {
      const { status, body } = await chat(at("good"), { messages: [{ role: "user", content: [{ type: "text", text: "What?" }, part] }] });
      assert.deepEqual([status, body.error.code], ["422", code]);
      assert.deepEqual(body.detail[0].loc.slice(0, 5), ["body", "messages", 0, "content", 1]);
    }
  });
});
