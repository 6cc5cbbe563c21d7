// Vercel's AI SDK with its providers for Azure, OpenAI and whoever has OpenAI's shape.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { createAzure } from "@ai-sdk/azure";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import {
  APICallError, embed, embedMany, extractReasoningMiddleware, generateImage, generateObject, generateText, NoObjectGeneratedError, Output, RetryError, stepCountIs,
  streamObject, streamText, tool, ToolLoopAgent, wrapLanguageModel,
} from "ai";
import { z } from "zod";

import { ADDRESSES, at, start } from "./answers.js";
import { all, KEY, named, RED, results } from "./server.js";

globalThis.AI_SDK_LOG_WARNINGS = false;

const { note, leave } = results("ai-sdk");
let server;
before(async () => { server = await start(); });
after(async () => { await server.stop(); leave(); });

function compatible(baseURL) {
  const provider = createOpenAICompatible({ name: "ingot", baseURL, apiKey: KEY, includeUsage: true, supportsStructuredOutputs: true });
  return { chat: provider.chatModel, completion: provider.completionModel, embedding: provider.embeddingModel };
}

const openai = (baseURL) => createOpenAI({ baseURL, apiKey: KEY });
const azure = (baseURL) => createAzure({ baseURL, apiKey: KEY });

/** As Azure OpenAI was before v1: all but responses is below a deployment. */
function deployments(baseURL) {
  const { chat, completion, embedding } = createAzure({ baseURL, apiKey: KEY, useDeploymentBasedUrls: true, apiVersion: "2024-10-21" });
  return { chat, completion, embedding, responses: azure(baseURL).responses };
}

const CLIENTS = [
  ...ADDRESSES.map((address) => ["@ai-sdk/openai", address, openai]),
  ...ADDRESSES.map((address) => ["@ai-sdk/openai-compatible", address, compatible]),
  ...ADDRESSES.map((address) => ["@ai-sdk/azure", address, azure]),
  ["@ai-sdk/azure", "/openai", deployments],
];

const inputSchema = z.object({ city: z.string() });
const prompt = "How is the weather?";

/** The text that comes of a call of a tool and its result. */
async function calling(model) {
  const asked = [];
  const tools = { get_weather: tool({ description: "Tells the weather.", inputSchema, execute: async (input) => { asked.push(input); return { sky: "clear" }; } }) };
  const { text, steps } = await generateText({ model, prompt, tools, stopWhen: stepCountIs(3), maxRetries: 0 });
  assert.deepEqual(asked, [{ city: "" }]);
  assert.deepEqual(steps.map((s) => s.finishReason), ["tool-calls", "stop"]);
  return text;
}

/** What a stream gave: its text, and how it ended. */
async function streamed(model) {
  const stream = streamText({ model, prompt: "Hello there", maxRetries: 0 });
  const text = (await all(stream.textStream)).join("");
  return { text, finishReason: await stream.finishReason, usage: await stream.usage };
}

const picture = [{ role: "user", content: [{ type: "text", text: "What is this?" }, { type: "image", image: RED }] }];
const count = ({ inputTokens, outputTokens, totalTokens }) => [inputTokens, outputTokens, totalTokens];

for (const [name, address, make] of CLIENTS) {
  describe(`${name} at ${address || "/"}`, () => {
    const provider = (model) => make(at(server, address, model));
    const seen = (...row) => note(named(name), address, ...row);

    test("talks", async () => {
      const model = provider("mock").chat("mock");
      const whole = await generateText({ model, prompt: "Hello there", maxRetries: 0 });
      assert.deepEqual([whole.text, whole.finishReason, count(whole.usage)], ["Hello there", "stop", [5, 2, 7]]);
      seen("chat/completions");
      const stream = await streamed(model);
      assert.deepEqual([stream.text, stream.finishReason], ["Hello there", "stop"]);
      assert.deepEqual(count(stream.usage), [5, 2, 7]);
      seen("chat/completions, streamed");
      assert.equal((await generateText({ model, messages: picture, maxRetries: 0 })).text, "What is this?");
      seen("chat/completions with images");
    });

    test("calls a tool, and keeps to a schema", async () => {
      assert.equal(await calling(provider("calls").chat("calls")), prompt);
      seen("chat/completions with tools");
      const { output } = await generateText({ model: provider("mock").chat("mock"), prompt, output: Output.object({ schema: inputSchema }), maxRetries: 0 });
      assert.deepEqual(output, { city: "" });
      seen("chat/completions with a schema");
    });

    test("completes", async () => {
      const model = provider("mock").completion("mock");
      // The SDK puts a conversation into one text.
      assert.equal((await generateText({ model, prompt: "Hello there", maxRetries: 0 })).text, "user:\nHello there\n\nassistant:\n");
      assert.equal((await streamed(model)).text, "user:\nHello there\n\nassistant:\n");
      seen("completions");
    });

    test("embeds", async () => {
      const model = provider("embeds").embedding("embeds");
      const one = await embed({ model, value: "Hello there", maxRetries: 0 });
      const many = await embedMany({ model, values: ["Hello there", "Good bye"], maxRetries: 0 });
      assert.deepEqual([one.embedding.length, one.usage.tokens], [12, 2]);
      assert.deepEqual(many.embeddings[0], one.embedding);
      seen("embeddings");
    });

    if (make === compatible) {
      return;
    }

    if (!address.endsWith("/v1") && make !== deployments) {
      test("does not respond", async () => {
        const asked = generateText({ model: provider("mock").responses("mock"), prompt: "Hello there", maxRetries: 0 });
        await assert.rejects(asked, (e) => APICallError.isInstance(e) && e.statusCode === 404 && e.message.startsWith("Resource not found."));
        seen("responses", "the Responses API is at /v1, /openai/v1 and /inference/v1");
      });
      return;
    }

    test("responds", async () => {
      const model = provider("mock").responses("mock");
      assert.equal((await generateText({ model, prompt: "Hello there", maxRetries: 0 })).text, "Hello there");
      assert.equal((await streamed(model)).text, "Hello there");
      assert.equal(await calling(provider("calls").responses("calls")), prompt);
      seen("responses");
    });
  });
}

// What does not depend on the address.
for (const [name, provider] of [["@ai-sdk/openai", openai], ["@ai-sdk/openai-compatible", compatible], ["@ai-sdk/azure", azure]]) {
  describe(`${name} with`, () => {
    const chat = (model) => provider(`${server.url}/v1`).chat(model);
    const say = (model, more = {}) => generateText({ model: chat(model), prompt: "Hello there", maxRetries: 0, ...more });

    test("a limit", async () => {
      const { text, finishReason } = await say("mock", { prompt: "one two three", maxOutputTokens: 2 });
      assert.deepEqual([text, finishReason], ["one two", "length"]);
    });

    for (const [what, ask, status, again, says] of [
      ["a name that nobody has", () => say("nobody"), 404, false, /nobody/],
      ["a prompt that is filtered", () => say("mock", { prompt: "mock:filter" }), 400, false, /filtered/],
      ["a limit that is reached", () => say("limited"), 429, true, /./],
      ["a failure", () => say("broken"), 500, true, /./],
    ]) {
      test(`${what} gets an error`, async () => {
        const error = await ask().then(() => assert.fail("no error"), (e) => e);
        assert.ok(APICallError.isInstance(error), String(error));
        assert.deepEqual([error.statusCode, error.isRetryable], [status, again]);
        assert.match(error.message, says);
        assert.ok(error.responseHeaders["x-request-id"]);
      });
    }

    test("patience gets an answer after a refusal, or says how often it tried", async () => {
      for (let i = 0; i < 2; i++) {
        assert.equal((await say("hasty", { maxRetries: 1 })).text, "Hello there");
      }
      await assert.rejects(say("limited", { maxRetries: 1 }), (e) => RetryError.isInstance(e) && e.errors.length === 2 && e.lastError.statusCode === 429);
    });

    test("an answer that is cut by the filter says so", async () => {
      const { text, finishReason } = await say("mock", { prompt: "say this mock:censor and that" });
      assert.deepEqual([text, finishReason], ["say this ", "content-filter"]);
    });

    test("a stream that breaks gets an error, and no end", async () => {
      const types = [];
      await assert.rejects(async () => {
        for await (const part of streamText({ model: chat("cut"), prompt: "a b c d e", maxRetries: 0, onError() {} }).fullStream) {
          if (part.type === "error") {
            throw part.error;
          }
          types.push(part.type);
        }
      });
      assert.ok(!types.includes("finish"));
    });

    test("a signal stops a stream", async () => {
      const controller = new AbortController();
      let text = "";
      const parts = [];
      for await (const part of streamText({ model: chat("counts"), prompt: "go", abortSignal: controller.signal }).fullStream) {
        parts.push(part.type);
        text += part.text ?? "";
        if (text.endsWith("3")) {
          controller.abort();
        }
      }
      assert.match(text, /^1 2 3/);
      assert.equal(parts.at(-1), "abort");
    });

    test("tools and objects come in streams, too", async () => {
      const tools = { get_weather: tool({ inputSchema, execute: async () => ({ sky: "clear" }) }) };
      const parts = await all(streamText({ model: chat("calls"), prompt, tools, stopWhen: stepCountIs(3) }).fullStream);
      assert.deepEqual(parts.filter((p) => p.type === "tool-call").map((p) => [p.toolName, p.input]), [["get_weather", { city: "" }]]);
      assert.equal(parts.filter((p) => p.type === "text-delta").map((p) => p.text).join(""), prompt);
      const stream = streamText({ model: chat("mock"), prompt, output: Output.object({ schema: inputSchema }) });
      assert.deepEqual((await all(stream.partialOutputStream)).at(-1), { city: "" });
    });

    test("an object that is cut off gets an error that holds the text", async () => {
      const cut = say("mock", { output: Output.object({ schema: inputSchema }), maxOutputTokens: 2 }).then(({ output }) => output);
      await assert.rejects(cut, (e) => NoObjectGeneratedError.isInstance(e) && e.text.startsWith('{"'));
    });

    test("the older functions for objects", async () => {
      assert.deepEqual((await generateObject({ model: chat("mock"), prompt, schema: inputSchema })).object, { city: "" });
      const stream = streamObject({ model: chat("mock"), prompt, schema: inputSchema });
      assert.deepEqual((await all(stream.partialObjectStream)).at(-1), { city: "" });
      assert.deepEqual(await stream.object, { city: "" });
    });

    test("an agent comes to an answer, whole and streamed", async () => {
      const tools = { get_weather: tool({ inputSchema, execute: async () => ({ sky: "clear" }) }) };
      const agent = new ToolLoopAgent({ model: chat("calls"), instructions: "Be brief.", tools });
      assert.equal((await agent.generate({ prompt })).text, prompt);
      assert.equal((await all((await agent.stream({ prompt })).textStream)).join(""), prompt);
    });

    test("a document is refused, and told what is wrong", async () => {
      const content = [{ type: "text", text: "What is this?" }, { type: "file", data: Buffer.from("%PDF-1.7"), mediaType: "application/pdf" }];
      await assert.rejects(say("mock", { prompt: undefined, messages: [{ role: "user", content }] }), (e) => e.statusCode >= 400 && e.statusCode < 500 && /file/.test(e.message));
    });

    test("a choice, and a list, to keep to", async () => {
      assert.equal((await say("mock", { output: Output.choice({ options: ["sun", "rain"] }) })).output, "sun");
      assert.deepEqual((await say("mock", { output: Output.array({ element: inputSchema }) })).output, []);
    });
  });
}

test("thoughts are told from the answer", async () => {
  const { text, reasoningText, usage } = await generateText({ model: compatible(`${server.url}/v1`).chat("thinks"), prompt: "Hello there" });
  assert.deepEqual([text, reasoningText], ["Hello there", "The answer is what was said."]);
  assert.equal(usage.outputTokenDetails.reasoningTokens, 7);
});

test("thoughts in the content are told from the answer by the SDK's own means", async () => {
  const provider = createOpenAICompatible({ name: "ingot", baseURL: server.url, apiKey: KEY, queryParams: { "api-version": "2024-05-01-preview" } });
  const model = wrapLanguageModel({ model: provider.chatModel("thinks"), middleware: extractReasoningMiddleware({ tagName: "think" }) });
  const { text, reasoningText } = await generateText({ model, prompt: "Hello there" });
  assert.deepEqual([text.trim(), reasoningText.trim()], ["Hello there", "The answer is what was said."]);
});

test("so are those of DeepSeek's models on Azure", async () => {
  const { text, reasoningText } = await generateText({ model: azure(`${server.url}/openai/v1`).deepseek("thinks"), prompt: "Hello there" });
  assert.deepEqual([text, reasoningText], ["Hello there", "The answer is what was said."]);
});

test("what is not served is not found", async () => {
  await assert.rejects(generateImage({ model: azure(`${server.url}/openai/v1`).image("mock"), prompt: "a cat", maxRetries: 0 }), (e) => e.statusCode === 404 && /served/.test(e.message));
});

test("where responses are kept, a conversation refers to what was said", async () => {
  const keeping = await start("on");
  const sent = [];
  const provider = createOpenAI({ baseURL: `${keeping.url}/v1`, apiKey: KEY, fetch: (url, init) => { sent.push(JSON.parse(init.body)); return fetch(url, init); } });
  const ask = (more) => generateText({ model: provider.responses("calls"), maxRetries: 0, ...more });
  try {
    const first = await ask({ prompt: "One" });
    const messages = [{ role: "user", content: "One" }, ...first.response.messages, { role: "user", content: "Two" }];
    assert.equal((await ask({ messages })).text, "Two");
    assert.ok(sent.at(-1).input.some((item) => item.type === "item_reference"), JSON.stringify(sent.at(-1)));
    const { responseId } = first.providerMetadata.openai;
    assert.equal((await ask({ prompt: "Three", providerOptions: { openai: { previousResponseId: responseId } } })).text, "Three");
    assert.equal(await calling(provider.responses("calls")), prompt);
  } finally {
    await keeping.stop();
  }
});

test("where they are not, the refusal of a reference says what to do, and that works", async () => {
  const model = openai(`${server.url}/v1`).responses("mock");
  const first = await generateText({ model, prompt: "One" });
  const messages = [{ role: "user", content: "One" }, ...first.response.messages, { role: "user", content: "Two" }];
  await assert.rejects(generateText({ model, messages }), (e) => e.statusCode === 400 && /'store': false/.test(e.message));
  assert.equal((await generateText({ model, messages, providerOptions: { openai: { store: false } } })).text, "Two");
});

test("OpenAI's own options are taken", async () => {
  const chat = {
    logitBias: { 5: 1 }, logprobs: 1, parallelToolCalls: false, user: "me", reasoningEffort: "low", maxCompletionTokens: 9, store: false, metadata: { a: "b" },
    prediction: { type: "content", content: "Hello" }, serviceTier: "auto", strictJsonSchema: true, textVerbosity: "low", promptCacheKey: "key", safetyIdentifier: "me",
  };
  const responses = {
    include: ["reasoning.encrypted_content"], instructions: "Be brief.", maxToolCalls: 2, metadata: { a: "b" }, parallelToolCalls: false, promptCacheKey: "key",
    reasoningEffort: "low", reasoningSummary: "auto", safetyIdentifier: "me", serviceTier: "auto", store: false, textVerbosity: "low", truncation: "disabled", user: "me",
  };
  const settings = { prompt: "Hello there", temperature: 0, topP: 0.5, frequencyPenalty: 1, presencePenalty: -1, seed: 5, stopSequences: ["never"], maxRetries: 0 };
  for (const name of ["mock", "o3-mini"]) {
    const provider = openai(`${server.url}/v1`);
    const said = await generateText({ model: provider.chat(name), providerOptions: { openai: chat }, ...settings });
    assert.equal(said.text, "Hello there");
    const responded = await generateText({ model: provider.responses(name), providerOptions: { openai: responses }, ...settings });
    assert.equal(responded.text, "Hello there");
  }
});

test("a wrong key is told apart from everything else", async () => {
  for (const provider of [createAzure, createOpenAI]) {
    const model = provider({ baseURL: `${server.url}/openai/v1`, apiKey: "wrong" }).chat("mock");
    await assert.rejects(generateText({ model, prompt: "Hello", maxRetries: 0 }), (e) => e.statusCode === 401 && /key/i.test(e.message));
  }
});

test("tokens come from whoever makes them", async () => {
  const provider = createAzure({ baseURL: `${server.url}/openai/v1`, tokenProvider: async () => KEY });
  assert.equal((await generateText({ model: provider.chat("mock"), prompt: "Hello" })).text, "Hello");
});
