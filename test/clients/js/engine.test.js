// The SDKs against smollm2 and minilm on the real engine.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { isUnexpected } from "@azure-rest/ai-inference";

import { all, chat, DOORS, events, Ingot, joined, user } from "./ingot.js";

const config = `
models:
  smollm2: {local: smollm2, threads: 1, slots: 1, queue: 0, context: 2048, keep_alive: forever}
  minilm: {local: minilm, threads: 1, keep_alive: forever}
`;

let engine;
before(async () => { engine = await Ingot.start({ config, models: true }); });
after(() => engine.stop());

const fixed = { temperature: 0, seed: 7 };
const capital = user("What is the capital of France?");

for (const base of ["", "/models", "/deployments/smollm2"]) {
  test(`a real answer, whole and streamed, at ${base || "the root"}`, async () => {
    const client = engine.client(base);
    const body = { messages: capital, model: "smollm2", max_tokens: 32, ...fixed };
    const whole = await client.path("/chat/completions").post({ body });
    const chunks = await all(events(client, body));

    assert.equal(isUnexpected(whole), false, JSON.stringify(whole.body));
    const { choices: [choice], usage } = whole.body;
    assert.match(choice.message.content, /Paris/);
    assert.equal(choice.finish_reason, "stop");
    assert.equal(whole.body.model, "smollm2");
    assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
    assert.equal(chunks.pop(), "[DONE]");
    assert.deepEqual(chunks[0].choices[0].delta, { role: "assistant", content: "" });
    assert.equal(joined(chunks), choice.message.content);
    assert.equal(chunks.at(-1).choices[0].finish_reason, "stop");
    assert.equal(chunks.at(-1).usage.completion_tokens, usage.completion_tokens);
  });
}

test("limits are obeyed", async () => {
  const post = (body) => engine.client().path("/chat/completions").post({ body: { ...fixed, ...body } });
  const messages = user("Write a long story about a ship.");
  const whole = await post({ messages, max_tokens: 16 });
  assert.equal(whole.body.usage.completion_tokens, 16);
  assert.equal(whole.body.choices[0].finish_reason, "length");

  const text = whole.body.choices[0].message.content;
  const stop = text.split(" ")[4];
  const stopped = await post({ messages, max_tokens: 16, stop: [stop] });
  assert.equal(stopped.body.choices[0].message.content, text.slice(0, text.indexOf(stop)));
  assert.equal(stopped.body.choices[0].finish_reason, "stop");

  const long = await post({ messages: user("word ".repeat(3000)) });
  assert.equal(long.status, "400");
  assert.equal(long.body.error.code, "context_length_exceeded");
  assert.match(long.body.error.message, /\b2048\b.*\b30\d\d\b/);
});

const story = { messages: user("Write a long story about a ship."), max_tokens: 1900 };

for (const [way, leave] of [
  ["in mid-stream", async (client) => {
    for await (const chunk of events(client, story)) {
      assert.equal(chunk.choices[0].delta.role, "assistant");
      break;
    }
  }],
  ["by a signal", async (client) => assert.rejects(async () => chat(client, story, { abortSignal: AbortSignal.timeout(300) }), { name: "AbortError" })],
]) {
  test(`hanging up ${way} frees the slot within a second`, async () => {
    await leave(engine.client());
    const left = performance.now();
    const client = engine.client("", { retryOptions: { maxRetries: 0 } });
    for (;;) {
      const response = await chat(client, { messages: user("Hi"), max_tokens: 1 });
      if (response.status === "200") {
        break;
      }
      assert.equal(response.status, "429");
      assert.ok(performance.now() - left < 1000);
    }
  });
}

describe("tools", () => {
  const parameters = {
    type: "object",
    properties: { city: { type: "string", maxLength: 20 }, unit: { enum: ["C", "F"] } },
    required: ["city", "unit"],
    additionalProperties: false,
  };
  const tools = [
    { type: "function", function: { name: "get_time" } },
    { type: "function", function: { name: "get_weather", description: "Tells the weather of a city.", parameters } },
  ];
  const messages = user("How is the weather in Paris?");
  const tool_choice = { type: "function", function: { name: "get_weather" } };
  const body = { messages, tools, tool_choice, parallel_tool_calls: false, max_tokens: 96, ...fixed };
  const options = { headers: { "extra-parameters": "pass-through" } };

  function check(call) {
    assert.equal(call.type, "function");
    assert.equal(call.function.name, "get_weather");
    const { city, unit, ...rest } = JSON.parse(call.function.arguments);
    assert.match(city, /Paris/);
    assert.ok(["C", "F"].includes(unit));
    assert.deepEqual(rest, {});
  }

  test("are called, and their results are understood", async () => {
    const client = engine.client();
    const first = await chat(client, body, options);
    assert.equal(isUnexpected(first), false, JSON.stringify(first.body));
    const [{ message, finish_reason }] = first.body.choices;
    assert.equal(finish_reason, "tool_calls");
    assert.equal(message.tool_calls.length, 1);
    check(message.tool_calls[0]);

    const result = { role: "tool", tool_call_id: message.tool_calls[0].id, content: '{"sky":"clear","degrees":21}' };
    const second = await chat(client, { messages: [...messages, message, result], tools, tool_choice: "none", max_tokens: 48, ...fixed });
    assert.equal(second.status, "200", JSON.stringify(second.body));
    assert.match(second.body.choices[0].message.content, /21|clear/);
    assert.equal(second.body.choices[0].message.tool_calls ?? null, null);
  });

  test("are called in a stream", async () => {
    const chunks = await all(events(engine.client(), body, options));
    assert.equal(chunks.pop(), "[DONE]");
    const deltas = chunks.flatMap((c) => c.choices).flatMap((c) => c.delta.tool_calls ?? []);
    assert.ok(deltas.every((d) => d.index === 0));
    assert.ok(deltas.slice(1).every((d) => d.id === undefined));
    check({ ...deltas[0], function: { ...deltas[0].function, arguments: deltas.map((d) => d.function.arguments ?? "").join("") } });
    assert.equal(chunks.at(-1).choices[0].finish_reason, "tool_calls");
    assert.ok(chunks.at(-1).usage.completion_tokens > 5);
  });
});

test("an answer keeps to its schema, whole and streamed", async () => {
  const schema = {
    type: "object",
    properties: { name: { type: "string", pattern: "^[A-Z][a-z]{1,11}$" }, age: { type: "integer", minimum: 18, maximum: 99 } },
    required: ["name", "age"],
    additionalProperties: false,
  };
  const response_format = { type: "json_schema", json_schema: { name: "person", schema, strict: true } };
  const body = { messages: user("Describe a person."), max_tokens: 96, seed: 3, temperature: 1.5, response_format };
  const whole = await chat(engine.client(), body);
  const chunks = (await all(events(engine.client(), body))).slice(0, -1);

  for (const text of [whole.body.choices[0].message.content, joined(chunks)]) {
    const { name, age, ...rest } = JSON.parse(text);
    assert.match(name, /^[A-Z][a-z]{1,11}$/);
    assert.ok(Number.isInteger(age) && age >= 18 && age <= 99);
    assert.deepEqual(rest, {});
  }
});

test("embeddings mean something", async () => {
  const input = ["A man is playing a guitar.", "Somebody plays the guitar.", "Shares fell on Friday."];
  const floats = await engine.client().path("/embeddings").post({ body: { input } });
  const base64 = await engine.client("/deployments/minilm").path("/embeddings").post({ body: { input, encoding_format: "base64" } });
  const vectors = floats.body.data.map((d) => d.embedding);
  const near = (a, b) => vectors[a].reduce((sum, x, i) => sum + x * vectors[b][i], 0);

  assert.equal(floats.body.model, "minilm");
  assert.deepEqual(vectors.map((v) => v.length), [384, 384, 384]);
  assert.ok(near(0, 1) > 0.8);
  assert.ok(near(0, 2) < 0.3);
  assert.equal(floats.body.usage.prompt_tokens, floats.body.usage.total_tokens);
  for (const [i, vector] of vectors.entries()) {
    const bytes = Buffer.from(base64.body.data[i].embedding, "base64");
    assert.deepEqual(vector.map((_, k) => bytes.readFloatLE(4 * k)), vector.map(Math.fround));
  }
});

for (const door of Object.keys(DOORS)) {
  test(`the openai SDK gets real answers at ${DOORS[door]}`, async () => {
    const client = engine.openai(door);
    const body = { model: "smollm2", messages: capital, max_tokens: 32, ...fixed };
    const whole = await client.chat.completions.create(body);
    const chunks = await all(await client.chat.completions.create({ ...body, stream: true }));

    assert.match(whole.choices[0].message.content, /Paris/);
    assert.equal(joined(chunks), whole.choices[0].message.content);
    assert.equal(chunks.at(-1).choices[0].finish_reason, "stop");
    const text = await client.completions.create({ model: "smollm2", prompt: "The capital of France is", max_tokens: 3, ...fixed });
    assert.match(text.choices[0].text, /Paris/);
    const { data } = await client.embeddings.create({ model: "minilm", input: ["A cat sleeps.", "A kitten naps."] });
    assert.deepEqual(data.map((d) => d.embedding.length), [384, 384]);
    if (door !== "azure") {
      const response = await client.responses.create({ model: "smollm2", input: "What is the capital of France?", max_output_tokens: 32, temperature: 0 });
      assert.match(response.output_text, /Paris/);
    }
  });
}
