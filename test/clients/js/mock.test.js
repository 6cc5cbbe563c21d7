// The SDK against `ingot serve --mock`.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { isUnexpected } from "@azure-rest/ai-inference";

import { all, chat, embed, events, Ingot, joined, SCHEME, user } from "./ingot.js";

let mock;
before(async () => { mock = await Ingot.start({ args: ["--mock"] }); });
after(() => mock.stop());

for (const base of ["", "/models", "/deployments/mock", "/inference", "/orgs/acme/inference"]) {
  describe(`at ${base || "the root"}`, () => {
    test("a completion has the members of the contract", async () => {
      const response = await chat(mock.client(base), { messages: user("Hello there, world"), model: "mock" });

      assert.equal(response.status, "200");
      assert.equal(isUnexpected(response), false, JSON.stringify(response.body));
      const { id, created, ...rest } = response.body;
      assert.match(id, /^[0-9a-f]{32}$/);
      assert.ok(Math.abs(created - Date.now() / 1000) < 60);
      assert.deepEqual(rest, {
        object: "chat.completion",
        model: "mock",
        choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "Hello there, world", tool_calls: null } }],
        usage: { prompt_tokens: 7, completion_tokens: 4, total_tokens: 11 },
      });
    });

    test("a stream has the members of the contract", async () => {
      const received = await all(events(mock.client(base), { messages: user("Hello there"), model: "mock" }));

      assert.equal(received.pop(), "[DONE]");
      assert.equal(new Set(received.map((c) => `${c.id} ${c.created}`)).size, 1);
      assert.deepEqual(
        received.map(({ id, created, ...rest }) => rest),
        [
          { choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }] },
          { choices: [{ index: 0, delta: { content: "Hello" }, finish_reason: null }] },
          { choices: [{ index: 0, delta: { content: " there" }, finish_reason: null }] },
          {
            choices: [{ index: 0, delta: { content: "" }, finish_reason: "stop" }],
            usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
          },
        ].map((chunk) => ({ object: "chat.completion.chunk", model: "mock", ...chunk })),
      );
    });
  });
}

test("any text survives in pieces", async () => {
  const text = 'Grüße, 世界! 🚀👩‍👩‍👧 e\u0301\n"quoted" \\ \u2028';
  assert.equal(joined((await all(events(mock.client(), { messages: user(text) }))).slice(0, -1)), text);
});

test("history, parameters and limits", async () => {
  const first = await chat(mock.client(), { messages: user("One") });
  const messages = [{ role: "system", content: "Be brief." }, ...user("One"), first.body.choices[0].message, ...user("a b c d")];
  const settings = { temperature: 2, top_p: 1, frequency_penalty: -2, presence_penalty: 2, seed: 5, response_format: { type: "text" } };

  const limited = await chat(mock.client(), { messages, max_tokens: 2, ...settings });
  assert.equal(limited.body.choices[0].message.content, "a b");
  assert.equal(limited.body.choices[0].finish_reason, "length");
  const stopped = await chat(mock.client(), { messages, stop: [" d"], ...settings });
  assert.equal(stopped.body.choices[0].message.content, "a b c");
  assert.equal(stopped.body.choices[0].finish_reason, "stop");
});

test("a response format shapes the answer", async () => {
  const schema = { type: "object", properties: { n: { type: "integer", minimum: 3 } }, required: ["n"], additionalProperties: false };
  const formats = [
    [{ type: "json_object" }, "{}"],
    [{ type: "json_schema", json_schema: { name: "number", schema, strict: true } }, '{"n":3}'],
  ];
  for (const [response_format, want] of formats) {
    const response = await chat(mock.client(), { messages: user("Hi"), response_format });
    assert.equal(response.body.choices[0].message.content, want);
  }
});

describe("tools", () => {
  const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
  const tools = [{ type: "function", function: { name: "get_weather", parameters } }, { type: "function", function: { name: "get_time" } }];
  const messages = user("How is the weather?");

  for (const [choice, name, args] of [
    ["required", "get_weather", '{"city":""}'],
    [{ type: "function", function: { name: "get_time" } }, "get_time", "{}"],
  ]) {
    test(`${name} is called and answered`, async () => {
      const response = await chat(mock.client(), { messages, tools, tool_choice: choice });

      const [{ message, finish_reason }] = response.body.choices;
      assert.equal(finish_reason, "tool_calls");
      assert.equal(message.tool_calls.length, 1);
      const [{ id, ...call }] = message.tool_calls;
      assert.match(id, /^call_/);
      assert.deepEqual(call, { type: "function", function: { name, arguments: args } });
      const answer = await chat(mock.client(), { messages: [...messages, message, { role: "tool", tool_call_id: id, content: "clear" }], tools });
      assert.equal(answer.body.choices[0].message.content, "How is the weather?");
    });

    test(`${name} is called in a stream`, async () => {
      const chunks = (await all(events(mock.client(), { messages, tools, tool_choice: choice }))).slice(0, -1);
      const deltas = chunks.flatMap((c) => c.choices).flatMap((c) => c.delta.tool_calls ?? []);

      const [head, ...tail] = deltas;
      assert.equal(head.type, "function");
      assert.equal(head.function.name, name);
      assert.match(head.id, /^call_/);
      assert.ok(deltas.every((d) => d.index === 0));
      assert.ok(tail.every((d) => d.id === undefined));
      assert.equal(deltas.map((d) => d.function.arguments).join(""), args);
      assert.equal(chunks.at(-1).choices[0].finish_reason, "tool_calls");
      // The SDK's streamed sample sends the first delta back as the assistant's message.
      const history = [...messages, { role: "assistant", tool_calls: [head] }, { role: "tool", tool_call_id: head.id, content: "clear" }];
      assert.equal((await chat(mock.client(), { messages: history })).body.choices[0].message.content, "How is the weather?");
    });
  }
});

describe("errors", () => {
  const hello = user("Hello");
  for (const [name, send, status, code, says] of [
    ["a wrong key", () => chat(mock.client("", { key: "wrong" }), { messages: hello }), "401", "401", /auth token validation failed/i],
    ["an unknown deployment", () => chat(mock.client("/deployments/nobody"), { messages: hello }), "404", "DeploymentNotFound", /nobody/],
    ["an unknown model", () => chat(mock.client("/models"), { messages: hello, model: "nobody" }), "400", "unknown_model", /^Unknown model: nobody/],
    ["a doubled address", () => chat(mock.client("/models/chat/completions"), { messages: hello }), "404", "404", /^Resource not found/],
    ["a value out of range", () => chat(mock.client(), { messages: hello, temperature: 2.5 }), "422", "Invalid input", /temperature/],
    ["an unknown member", () => chat(mock.client(), { messages: hello, foo: 1 }), "400", "extra_parameters_not_allowed", /^Extra parameters \['foo'\]/],
    ["a filtered prompt", () => chat(mock.client(), { messages: user("mock:filter") }), "400", "content_filter", /filtered/],
    ["a chat model that should embed", () => embed(mock.client("/deployments/mock"), { input: ["a"] }), "404", "NotFound", /not found/i],
    ["an unknown encoding", () => embed(mock.client(), { input: ["a"], encoding_format: "foo" }), "422", "Invalid input", /encoding_format/],
  ]) {
    test(name, async () => {
      const response = await send();

      assert.equal(isUnexpected(response), true);
      assert.equal(response.status, status);
      assert.equal(response.body.error.code, code);
      assert.match(response.body.error.message, says);
      assert.equal(response.headers["x-ms-error-code"], code);
      assert.ok(Array.isArray(response.body.error.details));
    });
  }

  test("are the same before a stream begins", async () => {
    const response = await chat(mock.client("/models"), { messages: hello, model: "nobody", stream: true }).asNodeStream();

    assert.equal(response.status, "400");
    assert.equal(JSON.parse(Buffer.concat(await all(response.body))).error.code, "unknown_model");
  });

  test("name the member with its value", async () => {
    const { body } = await chat(mock.client(), { messages: hello, temperature: 2.5 });

    const detail = { type: "less_than_equal", loc: ["body", "temperature"], msg: "Input should be less than or equal to 2", input: 2.5 };
    assert.deepEqual(body.detail, [detail]);
    assert.deepEqual(body.error.details, [{ code: detail.type, message: detail.msg, ...detail }]);
  });

  test("a stream that is cut throws", async () => {
    const received = [];
    await assert.rejects(async () => {
      for await (const chunk of events(mock.client("/deployments/mock-cut"), { messages: user("a b c d e") })) {
        received.push(chunk);
      }
    });

    assert.ok(!received.includes("[DONE]"));
    assert.ok(["", "a", "a b", "a b c"].includes(joined(received)));
  });

  test("a key over plain HTTP is refused by the SDK unless it is told, and over TLS it need not be told", async () => {
    const send = async () => chat(mock.client("", { allowInsecureConnection: false }), { messages: hello });
    if (SCHEME === "http") {
      await assert.rejects(send, /allowInsecureConnection/);
    } else {
      assert.equal((await send()).status, "200");
    }
  });
});

describe("extra parameters", () => {
  const body = { messages: user("Hello"), n: 2, foo: 1 };

  test("are dropped on request", async () => {
    const response = await chat(mock.client(), body, { headers: { "extra-parameters": "drop" } });

    assert.equal(response.status, "200");
    assert.equal(response.body.choices.length, 1);
    assert.deepEqual(response.headers["x-ingot-dropped"].split(", ").sort(), ["foo", "n"]);
  });

  test("are passed through on request", async () => {
    const headers = { "extra-parameters": "pass-through" };
    const refused = await chat(mock.client(), body, { headers });
    assert.equal(refused.status, "422");
    assert.equal(refused.body.error.details[0].code, "extra_forbidden");
    const { foo, ...known } = body;
    const taken = await chat(mock.client(), known, { headers });
    assert.deepEqual(taken.body.choices.map((c) => c.message.content), ["Hello", "Hello"]);
  });
});

test("embeddings are the same as numbers and as base64", async () => {
  const input = ["Hello there", "Good bye"];
  const floats = await embed(mock.client(), { input, dimensions: 16 });
  const base64 = await embed(mock.client("/models"), { input, dimensions: 16, model: "mock-embedding", encoding_format: "base64" });

  assert.equal(isUnexpected(floats), false, JSON.stringify(floats.body));
  assert.match(floats.body.id, /^[0-9a-f]{32}$/);
  assert.deepEqual(floats.body.usage, { prompt_tokens: 4, completion_tokens: 0, total_tokens: 4 });
  assert.deepEqual(floats.body.data.map((d) => [d.index, d.object, d.embedding.length]), [[0, "embedding", 16], [1, "embedding", 16]]);
  for (const [i, { embedding }] of floats.body.data.entries()) {
    const bytes = Buffer.alloc(64);
    embedding.forEach((x, k) => bytes.writeFloatLE(x, 4 * k));
    assert.equal(base64.body.data[i].embedding, bytes.toString("base64"));
  }
});

test("info describes each deployment", async () => {
  for (const [base, headers, name, type] of [
    ["", {}, "mock", "chat_completion"],
    ["/deployments/mock-embedding", {}, "mock-embedding", "embeddings"],
    ["/models", { "azureml-model-deployment": "mock-long" }, "mock-long", "chat_completion"],
  ]) {
    const response = await mock.client(base).path("/info").get({ headers });
    assert.deepEqual(response.body, { model_name: name, model_type: type, model_provider_name: "Ingot" });
  }
});

test("two hundred requests at once are nobody else's", async () => {
  const client = mock.client();
  const wrong = mock.client("", { key: "wrong" });
  const alone = (await embed(client, { input: Array.from({ length: 200 }, (_, n) => `text ${n}`), dimensions: 4 })).body.data;
  const kinds = [
    async (n, messages, text) => (await chat(client, { messages })).body.choices[0].message.content === text,
    async (n, messages, text) => joined(await all(events(client, { messages }))) === text,
    async (n) => `${(await embed(client, { input: [`text ${n}`], dimensions: 4 })).body.data[0].embedding}` === `${alone[n].embedding}`,
    async (n, messages) => (await chat(wrong, { messages })).status === "401",
    async (n, messages) => (await chat(client, { messages, temperature: 3 + n })).body.detail[0].input === 3 + n,
    async (n, messages) => {
      const tools = [{ type: "function", function: { name: `tool_${n}` } }];
      return (await chat(client, { messages, tools, tool_choice: "required" })).body.choices[0].message.tool_calls[0].function.name === `tool_${n}`;
    },
  ];
  const right = await Promise.all(Array.from({ length: 200 }, (_, n) => {
    const text = `request ${n} says ${n * n} of its own`;
    return kinds[n % kinds.length](n, user(text), text);
  }));

  assert.deepEqual(right.flatMap((ok, n) => (ok ? [] : [n])), []);
});
