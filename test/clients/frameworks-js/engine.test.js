// Both frameworks with smollm2 and minilm on the real engine: what they make of a schema and of a tool is enforced.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { createAzure } from "@ai-sdk/azure";
import { HumanMessage } from "@langchain/core/messages";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { cosineSimilarity, embedMany, generateText, Output, streamText, tool } from "ai";
import { z } from "zod";

import { all, KEY, Server } from "./server.js";

const config = `
models:
  smollm2: {local: smollm2, threads: 1, slots: 1, context: 2048, keep_alive: forever}
  minilm: {local: minilm, threads: 1, keep_alive: forever}
`;

let server;
before(async () => { server = await Server.start({ config, models: true }); });
after(() => server.stop());

const azure = () => createAzure({ baseURL: `${server.url}/openai/v1`, apiKey: KEY });
const fields = () => ({ apiKey: KEY, maxRetries: 0, configuration: { baseURL: `${server.url}/v1` } });
const langchain = () => new ChatOpenAI({ model: "smollm2", temperature: 0, maxTokens: 96, ...fields() });
const capital = "What is the capital of France?";
const settings = { maxOutputTokens: 96, temperature: 0, maxRetries: 0 };

const Person = z.object({ name: z.string().max(20), age: z.number().int().min(18).max(99), likes: z.enum(["tea", "coffee"]) });
const Place = z.object({ city: z.string().max(20) });

test("both get a real answer", async () => {
  assert.match((await generateText({ model: azure().chat("smollm2"), prompt: capital, ...settings })).text, /Paris/);
  assert.match((await generateText({ model: azure()("smollm2"), prompt: capital, ...settings })).text, /Paris/);
  assert.match((await all(streamText({ model: azure().chat("smollm2"), prompt: capital, ...settings }).textStream)).join(""), /Paris/);
  assert.match((await langchain().invoke(capital)).content, /Paris/);
});

test("both get an object that their schema allows", async () => {
  const prompt = "Describe a person.";
  const { output } = await generateText({ model: azure().chat("smollm2"), prompt, output: Output.object({ schema: Person }), ...settings });
  assert.deepEqual(Person.parse(output), output);
  const person = await langchain().withStructuredOutput(Person, { name: "person" }).invoke(prompt);
  assert.deepEqual(Person.parse(person), person);
});

test("both get a call of their tool", async () => {
  const prompt = "How is the weather in Paris?";
  const description = "Tells the weather of a city.";
  const tools = { get_weather: tool({ description, inputSchema: Place }) };
  const { toolCalls: [call] } = await generateText({ model: azure().chat("smollm2"), prompt, tools, toolChoice: "required", ...settings });
  assert.deepEqual([call.toolName, Place.parse(call.input)], ["get_weather", call.input]);
  assert.match(call.input.city, /Paris/);

  const model = langchain().bindTools([{ name: "get_weather", description, schema: Place }], { tool_choice: "get_weather" });
  const { tool_calls: [{ name, args }] } = await model.invoke([new HumanMessage(prompt)]);
  assert.equal(name, "get_weather");
  assert.match(args.city, /Paris/);
});

test("both get the same embeddings, which mean something", async () => {
  const values = ["A man is playing a guitar.", "Somebody plays the guitar.", "Shares fell on Friday."];
  const { embeddings: [a, b, c] } = await embedMany({ model: azure().embedding("minilm"), values });
  assert.ok(cosineSimilarity(a, b) > 0.8 && cosineSimilarity(a, c) < 0.3);
  const vectors = await new OpenAIEmbeddings({ model: "minilm", ...fields() }).embedDocuments(values);
  assert.deepEqual(vectors.map((v) => v.length), [384, 384, 384]);
  assert.ok(cosineSimilarity(vectors[0], a) > 0.999);
});
