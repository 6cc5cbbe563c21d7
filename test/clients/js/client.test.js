// What is left of the openai SDK's surface: its client's options and errors, its helpers for streams and tools, and what is not served.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import OpenAI, { AzureOpenAI } from "openai";
import { standardResponseFormat } from "openai/helpers/standard-schema";
import { zodFunction, zodResponseFormat, zodResponsesFunction } from "openai/helpers/zod";
import { LengthFinishReasonError } from "openai/core/error";
import { ChatCompletionStream } from "openai/lib/ChatCompletionStream";
import { z } from "zod";

import { all, counted, DOORS, Ingot, joined, KEY, user } from "./ingot.js";

const config = `
models:
  good: {provider: mock}
  calls: {provider: mock, mock: {tool_choice_auto: call}}
  counts: {provider: mock, mock: {behaviour: count, tokens_per_second: 200}}
  stalls: {provider: mock, mock: {fault: {stall: 1}}}
  embeds: {provider: mock, mock: {behaviour: embedding, dimensions: 12}}
responses: {store: on}
`;
const messages = user("Hello there");
const ask = user("How is the weather?");
const Place = z.object({ city: z.string() });

let server;
before(async () => { server = await Ingot.start({ config }); });
after(() => server.stop());

for (const door of Object.keys(DOORS)) {
  describe(`a client at ${DOORS[door]}`, () => {
    const client = (options) => server.openai(door, options);
    const create = (body, options) => client().chat.completions.create({ model: "good", messages, ...body }, options);

    test("gives the answer as it came", async () => {
      const response = await create({}).asResponse();
      assert.deepEqual([response.status, response.headers.get("content-type")], [200, "application/json"]);
      assert.equal((await response.json()).choices[0].message.content, "Hello there");

      const whole = await create({}).withResponse();
      assert.equal(whole.request_id, whole.response.headers.get("x-request-id"));
      assert.equal(whole.data._request_id, whole.request_id);
      assert.match((await (await create({ stream: true }).asResponse()).text()), /data: \[DONE\]\n\n$/);
    });

    test("sends headers and query of its own, for all calls or for one", async () => {
      const { sent, fetch } = counted();
      const all = client({ fetch, defaultHeaders: { "x-ms-client-request-id": "mine" }, defaultQuery: { mine: "1" } });
      const once = all.withOptions({ apiVersion: "2024-10-21", maxRetries: 3, defaultHeaders: { "x-other": "2" } });
      const { response } = await once.chat.completions.create({ model: "good", messages }, { headers: { "x-third": "3" }, query: { third: "3" } }).withResponse();
      const [{ url, headers }] = sent;
      assert.deepEqual([headers.get("x-other"), headers.get("x-third")], ["2", "3"]);
      assert.match(url, /[?&]third=3/);
      assert.equal(response.headers.get("x-request-id").length, 36);
      await all.chat.completions.create({ model: "good", messages });
      assert.equal(sent[1].headers.get("x-ms-client-request-id"), "mine");
      assert.match(sent[1].url, /[?&]mine=1/);
    });

    test("sends what has no method", async () => {
      const path = door === "azure" ? "/deployments/good/chat/completions" : "/chat/completions";
      assert.equal((await client().post(path, { body: { model: "good", messages } })).choices[0].message.content, "Hello there");
      assert.ok((await client().get("/models")).data.some((m) => m.id === "good"));
    });

    test("has its own errors for what never came", async () => {
      const slow = create({ model: "stalls" }, { timeout: 100 });
      await assert.rejects(slow, OpenAI.APIConnectionTimeoutError);
      await assert.rejects(create({ model: "stalls" }, { signal: AbortSignal.timeout(100) }), OpenAI.APIUserAbortError);
      const nowhere = door === "azure" ? { endpoint: "http://127.0.0.1:1" } : { baseURL: "http://127.0.0.1:1" };
      await assert.rejects(client(nowhere).models.list(), OpenAI.APIConnectionError);
    });

    test("hears of each part of a stream", async () => {
      const said = [];
      const stream = client().chat.completions.stream({ model: "good", messages, logprobs: true, stream_options: { include_usage: true } });
      for (const event of ["content.delta", "content.done", "logprobs.content.done", "finalContent", "totalUsage", "end"]) {
        stream.on(event, () => said.push(event));
      }
      await stream.done();
      assert.deepEqual([...new Set(said)].sort(), ["content.delta", "content.done", "end", "finalContent", "logprobs.content.done", "totalUsage"].sort());
      assert.equal((await stream.totalUsage()).total_tokens, 7);
      assert.equal((await stream.finalMessage()).content, "Hello there");

      const calls = client().chat.completions.stream({ model: "calls", messages: ask, tools: [zodFunction({ name: "get_weather", parameters: Place })] });
      const [done] = await Promise.all([calls.emitted("tool_calls.function.arguments.done"), calls.done()]);
      assert.deepEqual([done.name, done.parsed_arguments], ["get_weather", { city: "" }]);
    });

    test("hands a stream on, and parts it in two", async () => {
      const stream = client().chat.completions.stream({ model: "good", messages });
      assert.equal(await ChatCompletionStream.fromReadableStream(stream.toReadableStream()).finalContent(), "Hello there");
      const [left, right] = (await create({ stream: true })).tee();
      assert.deepEqual([joined(await all(left)), joined(await all(right))], ["Hello there", "Hello there"]);
    });

    test("runs tools until there is an answer, whole and streamed", async () => {
      for (const stream of [false, true]) {
        const asked = [], heard = [];
        const tools = [zodFunction({ name: "get_weather", parameters: Place, function: (input) => { asked.push(input); return "clear"; } })];
        const runner = client().chat.completions.runTools({ model: "calls", messages: ask, tools, stream })
          .on("functionToolCall", ({ name }) => heard.push(name)).on("functionToolCallResult", (result) => heard.push(result));
        assert.equal(await runner.finalContent(), "How is the weather?");
        assert.deepEqual([asked, heard], [[{ city: "" }], ["get_weather", "clear"]]);
        assert.deepEqual(runner.messages.map((m) => m.role), ["user", "assistant", "tool", "assistant"]);
        assert.equal(runner.allChatCompletions().length, 2);
      }
    });

    test("leaves a runner in the middle", async () => {
      const runner = client().chat.completions.stream({ model: "counts", messages });
      runner.on("content", (_, text) => text.endsWith("3") && runner.abort());
      await assert.rejects(runner.done(), OpenAI.APIUserAbortError);
    });

    test("parses by whatever describes itself, and says why it cannot", async () => {
      const { chat: { completions } } = client();
      for (const response_format of [zodResponseFormat(Place, "place"), standardResponseFormat(Place, "place")]) {
        assert.deepEqual((await completions.parse({ model: "good", messages, response_format })).choices[0].message.parsed, { city: "" });
      }
      const response_format = zodResponseFormat(Place, "place");
      await assert.rejects(completions.parse({ model: "good", messages, response_format, max_tokens: 2 }), LengthFinishReasonError);
      const stream = completions.stream({ model: "good", messages, response_format });
      assert.deepEqual((await stream.finalChatCompletion()).choices[0].message.parsed, { city: "" });
    });
  });
}

test("a client is made of the environment", async () => {
  Object.assign(process.env, { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: `${server.url}/v1`, AZURE_OPENAI_API_KEY: KEY, AZURE_OPENAI_ENDPOINT: server.url, OPENAI_API_VERSION: "2024-10-21" });
  assert.equal((await new OpenAI().chat.completions.create({ model: "good", messages })).choices[0].message.content, "Hello there");
  delete process.env.OPENAI_BASE_URL;
  assert.equal((await new AzureOpenAI().chat.completions.create({ model: "good", messages })).choices[0].message.content, "Hello there");
});

test("a key is made for each call", async () => {
  let made = 0;
  const client = server.openai("v1", { key: async () => { made++; return KEY; } });
  for (let i = 0; i < 2; i++) {
    assert.equal((await client.chat.completions.create({ model: "good", messages })).choices[0].message.content, "Hello there");
  }
  assert.equal(made, 2);
});

test("a client of Azure OpenAI may be of one deployment, or of an address", async () => {
  for (const options of [{ deployment: "good" }, { endpoint: undefined, baseURL: `${server.url}/openai/deployments/good` }]) {
    const answer = await server.openai("azure", options).chat.completions.create({ model: "good", messages });
    assert.equal(answer.choices[0].message.content, "Hello there");
  }
});

test("an old and a young api-version are answered", async () => {
  for (const apiVersion of ["2023-05-15", "2024-10-21", "2025-04-01-preview", "preview"]) {
    assert.equal((await server.openai("azure", { apiVersion }).chat.completions.create({ model: "good", messages })).choices[0].message.content, "Hello there");
  }
});

describe("responses", () => {
  for (const door of ["v1", "openai-v1", "azure"]) {
    test(`are made in the background, cancelled, and streamed again at ${DOORS[door]}`, async () => {
      const { responses } = server.openai(door);
      const begun = await responses.create({ model: "counts", input: "go", background: true, store: true });
      assert.ok(["queued", "in_progress"].includes(begun.status));
      assert.equal((await responses.cancel(begun.id)).status, "cancelled");

      const events = await all(await responses.create({ model: "good", input: "Hello there", background: true, stream: true, store: true }));
      const { id } = events.at(-1).response;
      assert.deepEqual(await all(await responses.retrieve(id, { stream: true })), events);
      assert.deepEqual(await all(await responses.retrieve(id, { stream: true, starting_after: events.at(-3).sequence_number })), events.slice(-2));
      const again = responses.stream({ response_id: id, starting_after: events.at(-3).sequence_number });
      assert.deepEqual((await all(again)).map((e) => e.type), events.slice(-2).map((e) => e.type));
    });
  }

  test("parse the arguments of a call", async () => {
    const tools = [zodResponsesFunction({ name: "get_weather", parameters: Place })];
    const { output } = await server.openai("v1").responses.parse({ model: "calls", input: "How is the weather?", tools });
    assert.deepEqual(output[0].parsed_arguments, { city: "" });
  });
});

describe("what is not served is not found, and says what is:", () => {
  for (const [name, call] of [
    ["images", (c) => c.images.generate({ prompt: "a" })],
    ["speech", (c) => c.audio.speech.create({ model: "good", input: "a", voice: "alloy" })],
    ["moderations", (c) => c.moderations.create({ input: "a" })],
    ["files", (c) => c.files.list()],
    ["batches", (c) => c.batches.list()],
    ["fine-tuning", (c) => c.fineTuning.jobs.list()],
    ["vector stores", (c) => c.vectorStores.list()],
    ["assistants", (c) => c.beta.assistants.list()],
    ["conversations", (c) => c.conversations.create({})],
    ["stored completions", (c) => c.chat.completions.retrieve("chatcmpl-1")],
    ["compacted responses", (c) => c.responses.compact({ model: "good", input: "a" })],
    ["counted input", (c) => c.responses.inputTokens.count({ model: "good", input: "a" })],
  ]) {
    for (const door of Object.keys(DOORS)) {
      test(`${name} at ${DOORS[door]}`, async () => {
        await assert.rejects(call(server.openai(door)), (e) => e instanceof OpenAI.NotFoundError && e.requestID && /(Resource not found|Unknown request URL).* is served at |There is no such path below responses/.test(e.message));
      });
    }
  }
});
