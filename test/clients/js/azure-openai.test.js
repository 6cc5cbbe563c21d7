// @azure/openai as it was before it became an addition to the openai SDK: samples of its time still ask for it. (package.json has it
// among the optional dependencies, since it is not to be moved to its newest version, which has no client.)

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { AzureKeyCredential, OpenAIClient } from "@azure/openai";

import { all, Ingot, KEY, SCHEME, user } from "./ingot.js";
import { named, RED, results } from "./server.js";

const CLIENT = named("@azure/openai");
const { note, leave } = results(`azure-openai-js-${SCHEME}`);
const seen = (operation) => note(CLIENT, "/openai", operation);

let mock, client;
before(async () => {
  mock = await Ingot.start({ args: ["--mock"] });
  client = connect(KEY);
});
after(async () => { await mock.stop(); leave(); });

const connect = (key) => new OpenAIClient(mock.url, new AzureKeyCredential(key), { allowInsecureConnection: SCHEME === "http" });
const said = ({ choices: [{ message }] }) => message.content;

test("chats", async () => {
  const { id, created, usage, choices: [choice] } = await client.getChatCompletions("mock", user("Hello there"), { maxTokens: 50, temperature: 0 });
  assert.deepEqual([choice.message.role, choice.message.content, choice.finishReason], ["assistant", "Hello there", "stop"]);
  assert.deepEqual(usage, { promptTokens: 5, completionTokens: 2, totalTokens: 7 });
  assert.ok(id && created instanceof Date);
  seen("chat/completions");
  const chunks = await all(await client.streamChatCompletions("mock", user("Hello there"), { maxTokens: 50 }));
  assert.equal(chunks.flatMap((c) => c.choices).map((c) => c.delta?.content ?? "").join(""), "Hello there");
  assert.equal(chunks.flatMap((c) => c.choices).at(-1).finishReason, "stop");
  seen("chat/completions, streamed");
  const picture = user([{ type: "text", text: "What is this?" }, { type: "image_url", imageUrl: { url: RED, detail: "low" } }]);
  assert.equal(said(await client.getChatCompletions("mock", picture)), "What is this?");
  seen("chat/completions with images");
});

test("calls tools and functions", async () => {
  const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
  const tools = [{ type: "function", function: { name: "get_weather", description: "Tells the weather.", parameters } }];
  const ask = user("How is the weather?");
  const { choices: [{ message }] } = await client.getChatCompletions("mock", ask, { tools, toolChoice: { type: "function", function: { name: "get_weather" } } });
  assert.deepEqual(message.toolCalls.map((c) => [c.function.name, c.function.arguments]), [["get_weather", '{"city":""}']]);
  const history = [...ask, message, { role: "tool", toolCallId: message.toolCalls[0].id, content: "clear" }];
  assert.equal(said(await client.getChatCompletions("mock", history, { tools })), "How is the weather?");
  seen("chat/completions with tools");
  const called = await client.getChatCompletions("mock", ask, { functions: [tools[0].function], functionCall: { name: "get_weather" } });
  assert.equal(called.choices[0].message.functionCall.name, "get_weather");
  assert.equal(said(await client.getChatCompletions("mock", ask, { responseFormat: { type: "json_object" } })), "{}");
});

test("completes and embeds", async () => {
  assert.deepEqual((await client.getCompletions("mock", ["One two", "three"], { maxTokens: 9 })).choices.map((c) => c.text), ["One two", "three"]);
  assert.equal((await all(await client.streamCompletions("mock", ["One two"]))).map((c) => c.choices[0]?.text ?? "").join(""), "One two");
  seen("completions");
  const { data, usage } = await client.getEmbeddings("mock-embedding", ["Hello there", "Good bye"], { dimensions: 8 });
  assert.deepEqual(data.map((d) => [d.index, d.embedding.length]), [[0, 8], [1, 8]]);
  assert.deepEqual(usage, { promptTokens: 4, totalTokens: 4 });
  seen("embeddings");
});

test("says what is wrong", async () => {
  for (const [call, status, code] of [
    [() => client.getChatCompletions("nobody", user("Hello")), 404, "DeploymentNotFound"],
    [() => connect("wrong").getChatCompletions("mock", user("Hello")), 401, "401"],
    [() => client.getChatCompletions("mock", user("mock:filter")), 400, "content_filter"],
    [() => client.getImages("mock", "a cat"), 404, "404"],
  ]) {
    await assert.rejects(call, (e) => e.code === code && (e.statusCode ?? status) === status, `${status}`);
  }
});
