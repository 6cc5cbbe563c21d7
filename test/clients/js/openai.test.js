// The openai SDK against `ingot serve --mock`, at OpenAI's doors and Azure OpenAI's.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import OpenAI from "openai";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";

import { all, counted, DOORS, Ingot, joined, user } from "./ingot.js";

const FAULTY = `
keys: [{name: one, key: limited-key-of-the-tests, requests_per_minute: 1000, tokens_per_minute: 100000}]
models:
  good: {provider: mock}
  limited: {provider: mock, mock: {fault: {status: 429, retry_after: 20ms}}}
  hasty: {provider: mock, mock: {fault: {status: 429, retry_after: 20ms, every: 2}}}
  broken-500: {provider: mock, mock: {fault: {status: 500}}}
  broken-503: {provider: mock, mock: {fault: {status: 503}}}
  broken-403: {provider: mock, mock: {fault: {status: 403}}}
  breaks: {provider: mock, mock: {fault: {error: 3}}}
  openai/gpt-4o-mini: {provider: mock}
`;

const messages = user("Hello there, world");
const ask = user("How is the weather?");
const Weather = z.object({ city: z.string(), days: z.number() });
const weather = { type: "function", function: { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } } };
const clock = { type: "function", function: { name: "get_time", parameters: { type: "object", properties: {} } } };

let mock, faulty;
before(async () => { [mock, faulty] = await Promise.all([Ingot.start({ args: ["--mock"] }), Ingot.start({ config: FAULTY })]); });
after(() => Promise.all([mock.stop(), faulty.stop()]));

/** The refusal of a promise, which is of this class. */
async function refusal(kind, promise) {
  const error = await promise.then(() => assert.fail("no error"), (e) => e);
  assert.ok(error instanceof kind, `${error.constructor.name}: ${error.message}`);
  assert.ok(error.requestID);
  return error;
}

for (const door of Object.keys(DOORS)) {
  describe(`at ${DOORS[door]}`, () => {
    const client = (options) => mock.openai(door, options);
    const create = (body, options) => client().chat.completions.create({ model: "mock", messages, ...body }, options);

    test("a completion has the members of the contract", async () => {
      const { id, created, ...rest } = await create({});
      const { refusal: refused, ...message } = rest.choices[0].message;

      assert.match(id, /^chatcmpl-/);
      assert.ok(Number.isInteger(created));
      assert.equal(refused, null);
      assert.equal(rest.object, "chat.completion");
      assert.equal(rest.model, "mock");
      assert.equal(rest.choices[0].finish_reason, "stop");
      assert.equal(message.content, "Hello there, world");
      assert.deepEqual([rest.usage.prompt_tokens, rest.usage.completion_tokens, rest.usage.total_tokens], [7, 4, 11]);
    });

    test("a stream carries usage only where it is asked for", async () => {
      const chunks = await all(await create({ stream: true }));
      assert.equal(joined(chunks), "Hello there, world");
      assert.ok(chunks.every((c) => c.choices.length === 1 && !c.usage));
      assert.equal(chunks.at(-1).choices[0].finish_reason, "stop");

      const asked = await all(await create({ stream: true, stream_options: { include_usage: true } }));
      const last = asked.pop();
      assert.deepEqual(last.choices, []);
      assert.equal(last.usage.total_tokens, 11);
      assert.ok(asked.every((c) => c.usage === null));
    });

    test("the streaming helper accumulates text and calls", async () => {
      const text = client().chat.completions.stream({ model: "mock", messages });
      assert.equal(await text.finalContent(), "Hello there, world");

      const calls = client().chat.completions.stream({ model: "mock", messages: ask, tools: [weather], tool_choice: "required" });
      const [call] = (await calls.finalChatCompletion()).choices[0].message.tool_calls;
      assert.deepEqual([call.function.name, call.function.arguments], ["get_weather", '{"city":""}']);
    });

    test("tools are called until there is an answer", async () => {
      const first = await create({ messages: ask, tools: [weather, clock], tool_choice: "required" });
      assert.equal(first.choices[0].finish_reason, "tool_calls");
      const { message } = first.choices[0];
      const history = [...ask, message, { role: "tool", tool_call_id: message.tool_calls[0].id, content: "clear" }];
      assert.equal((await create({ messages: history, tools: [weather] })).choices[0].message.content, "How is the weather?");

      const named = await create({ messages: ask, tools: [weather, clock], tool_choice: { type: "function", function: { name: "get_time" } } });
      assert.deepEqual([named.choices[0].finish_reason, named.choices[0].message.tool_calls[0].function.name], ["stop", "get_time"]);
    });

    test("the runner of tools comes to an answer", async () => {
      const tool = { type: "function", function: { name: "get_time", function: () => "noon", parse: JSON.parse, parameters: { type: "object", properties: {} } } };
      const runner = client().chat.completions.runTools({ model: "mock", messages: ask, tools: [tool] });

      assert.equal(await runner.finalContent(), "How is the weather?");
    });

    test("deprecated functions are called", async () => {
      const functions = [weather.function, clock.function];
      const { message } = (await create({ messages: ask, functions, function_call: { name: "get_time" } })).choices[0];

      assert.deepEqual(message.function_call, { name: "get_time", arguments: "{}" });
      const history = [...ask, message, { role: "function", name: "get_time", content: "noon" }];
      assert.equal((await create({ messages: history, functions })).choices[0].message.content, "How is the weather?");
    });

    test("parse gives what the schema says", async () => {
      const whole = await client().chat.completions.parse({ model: "mock", messages, response_format: zodResponseFormat(Weather, "weather") });
      assert.deepEqual(whole.choices[0].message.parsed, { city: "", days: 0 });

      const tools = [zodFunction({ name: "look", parameters: Weather })];
      const called = await client().chat.completions.parse({ model: "mock", messages, tools, tool_choice: "required" });
      assert.deepEqual(called.choices[0].message.tool_calls[0].function.parsed_arguments, { city: "", days: 0 });
    });

    test("choices, log probabilities and what is not obeyed", async () => {
      const { data, response } = await create({ n: 2, logprobs: true, top_logprobs: 1, logit_bias: { 5: 1 }, store: true, seed: 5 }).withResponse();

      assert.deepEqual(data.choices.map((c) => c.message.content), ["Hello there, world", "Hello there, world"]);
      assert.deepEqual(data.choices[0].logprobs.content.map((t) => t.token), ["Hello", " there", ",", " world"]);
      assert.equal(response.headers.get("x-ingot-dropped"), "store");
    });

    test("extra parameters are the caller's choice", async () => {
      const headers = { "extra-parameters": "drop" };
      const { data, response } = await create({ foo: 1 }, { headers }).withResponse();

      assert.equal(data.choices[0].message.content, "Hello there, world");
      assert.equal(response.headers.get("x-ingot-dropped"), "foo");
    });

    test("texts are completed", async () => {
      const { completions } = client();
      const whole = await completions.create({ model: "mock", prompt: ["a b", "c"], n: 2 });
      assert.deepEqual(whole.choices.map((c) => [c.index, c.text]), [[0, "a b"], [1, "a b"], [2, "c"], [3, "c"]]);
      assert.equal((await completions.create({ model: "mock-long", prompt: "go" })).usage.completion_tokens, 16);
      const [choice] = (await completions.create({ model: "mock", prompt: "Hi you", echo: true, best_of: 2, logprobs: 1 })).choices;
      assert.equal(choice.text, "Hi youHi you");
      assert.deepEqual(choice.logprobs.tokens, ["Hi", " you", "Hi", " you"]);
      const chunks = await all(await completions.create({ model: "mock", prompt: "Hi you", stream: true, stream_options: { include_usage: true } }));
      assert.equal(chunks.flatMap((c) => c.choices).map((c) => c.text).join(""), "Hi you");
      assert.equal(chunks.at(-1).usage.total_tokens, 4);
      assert.equal((await refusal(OpenAI.BadRequestError, completions.create({ model: "mock", prompt: "a", suffix: "b" }))).param, "suffix");
    });

    test("embeddings come as base64 and are read as numbers", async () => {
      const { sent, fetch } = counted();
      const { embeddings } = client({ fetch });
      const unasked = await embeddings.create({ model: "mock-embedding", input: ["Hello there", "Good bye"], dimensions: 16 });
      const floats = await embeddings.create({ model: "mock-embedding", input: ["Hello there", "Good bye"], dimensions: 16, encoding_format: "float" });

      assert.equal(JSON.parse(sent[0].body).encoding_format, "base64");
      assert.deepEqual(unasked.data.map((d) => [...d.embedding].map(Math.fround)), floats.data.map((d) => d.embedding.map(Math.fround)));
      assert.equal(unasked.data[0].embedding.length, 16);
      assert.deepEqual(unasked.usage, { prompt_tokens: 4, total_tokens: 4 });
    });

    test("models are listed and found", async () => {
      const { models } = client();
      const ids = (await all(await models.list())).map((m) => m.id);
      assert.ok(["mock", "mock-embedding", "mock-image-embedding"].every((id) => ids.includes(id)));
      assert.equal((await models.retrieve("mock")).id, "mock");
      assert.equal((await faulty.openai(door).models.retrieve("openai/gpt-4o-mini")).id, "openai/gpt-4o-mini");
      await refusal(OpenAI.NotFoundError, models.retrieve("nobody"));
    });

    test("a stream may be aborted in the middle", async () => {
      const stream = await create({ model: "mock-long", stream: true });
      let text = "";
      for await (const chunk of stream) {
        text += chunk.choices[0].delta.content ?? "";
        if (text.endsWith("3")) {
          stream.controller.abort();
        }
      }
      assert.match(text, /^1 2 3/);
      assert.equal((await create({ model: "mock-long", max_tokens: 2 })).choices[0].message.content, "1 2");
    });

    test("each status has its class", async () => {
      const failing = (model) => faulty.openai(door).chat.completions.create({ model, messages });
      const unknown = await refusal(OpenAI.BadRequestError, create({ foo: 1 }));
      assert.deepEqual([unknown.code, unknown.param, unknown.type], ["unknown_parameter", "foo", "invalid_request_error"]);
      assert.equal((await refusal(OpenAI.BadRequestError, create({ temperature: 3 }))).param, "temperature");
      const wrong = client({ key: "wrong" }).chat.completions.create({ model: "mock", messages });
      assert.equal((await refusal(OpenAI.AuthenticationError, wrong)).status, 401);
      const nobody = await refusal(OpenAI.NotFoundError, create({ model: "nobody" }));
      assert.equal(nobody.code, door === "v1" ? "model_not_found" : "DeploymentNotFound");
      await refusal(OpenAI.RateLimitError, failing("limited"));
      await refusal(OpenAI.PermissionDeniedError, failing("broken-403"));
      assert.equal((await refusal(OpenAI.InternalServerError, failing("broken-500"))).status, 500);
      assert.equal((await refusal(OpenAI.InternalServerError, failing("broken-503"))).status, 503);
    });

    test("limits are told with each answer", async () => {
      const client = faulty.openai(door, { key: "limited-key-of-the-tests" });
      for (const stream of [false, true]) {
        const { data, response } = await client.chat.completions.create({ model: "good", messages, stream, max_tokens: 5 }).withResponse();
        if (stream) {
          assert.equal(joined(await all(data)), "Hello there, world");
        }
        assert.equal(response.headers.get("x-ratelimit-limit-requests"), "1000");
        assert.ok(Number(response.headers.get("x-ratelimit-remaining-requests")) < 1000);
        assert.equal(response.headers.get("x-ratelimit-limit-tokens"), "100000");
        assert.ok(Number(response.headers.get("x-ratelimit-remaining-tokens")) < 100000);
      }
    });

    test("retries are counted", async () => {
      const given = counted();
      const patient = faulty.openai(door, { maxRetries: 2, fetch: given.fetch });
      await refusal(OpenAI.RateLimitError, patient.chat.completions.create({ model: "limited", messages }));
      assert.deepEqual(given.sent.map((r) => r.headers.get("x-stainless-retry-count")), ["0", "1", "2"]);
      for (let i = 0; i < 2; i++) {
        assert.equal((await patient.chat.completions.create({ model: "hasty", messages })).choices[0].message.content, "Hello there, world");
      }
    });

    test("a stream that fails is no answer", async () => {
      for (const stream of [faulty.openai(door).chat.completions.create({ model: "breaks", messages, stream: true }), create({ model: "mock-cut", stream: true })]) {
        const received = [];
        await assert.rejects(async () => {
          for await (const chunk of await stream) {
            received.push(chunk);
          }
        });
        assert.ok(received.every((c) => !c.choices[0].finish_reason));
      }
    });
  });
}
