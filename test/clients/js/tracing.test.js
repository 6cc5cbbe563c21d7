// The SDK's tracing, switched on as its makers describe: spans hold what the endpoint answered.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, beforeEach, test } from "node:test";

import { createAzureSdkInstrumentation } from "@azure/opentelemetry-instrumentation-azure-sdk";
import { SpanStatusCode, trace } from "@opentelemetry/api";
import { registerInstrumentations } from "@opentelemetry/instrumentation";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";

import { all, chat, counter, events, Ingot, joined, user } from "./ingot.js";

const exporter = new InMemorySpanExporter();
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
registerInstrumentations({ tracerProvider, instrumentations: [createAzureSdkInstrumentation()] });
trace.setGlobalTracerProvider(tracerProvider);
// The instrumentation waits for this module to be required; modules that are imported share its state.
createRequire(import.meta.url)("@azure/core-tracing");

let mock;
before(async () => { mock = await Ingot.start({ args: ["--mock"] }); });
after(() => mock.stop());
beforeEach(() => {
  exporter.reset();
  delete process.env.AZURE_TRACING_GEN_AI_CONTENT_RECORDING_ENABLED;
});

const span = (name) => exporter.getFinishedSpans().find((s) => s.name === name);
const recorded = ({ events }) => events.map((e) => [e.name, JSON.parse(e.attributes["gen_ai.event.content"])]);
const tracingOptions = {};

test("a span describes the answer", async () => {
  const policy = counter();
  const client = mock.client("/models", { additionalPolicies: [{ policy, position: "perRetry" }] });
  const body = { messages: user("Hello there"), model: "mock", max_tokens: 9, temperature: 1, top_p: 0.5 };
  const { body: answer } = await chat(client, body, { tracingOptions });
  const { hostname, port } = new URL(mock.url);
  const { attributes, status } = span("chat mock");

  assert.equal(answer.choices[0].message.content, "Hello there");
  assert.notEqual(status.code, SpanStatusCode.ERROR);
  assert.deepEqual(attributes, {
    "az.namespace": "Microsoft.CognitiveServices",
    "gen_ai.operation.name": "chat",
    "gen_ai.system": "az.ai.inference",
    "gen_ai.request.model": "mock",
    "gen_ai.request.max_tokens": 9,
    "gen_ai.request.temperature": 1,
    "gen_ai.request.top_p": 0.5,
    "server.address": hostname,
    "server.port": Number(port),
    "gen_ai.response.id": answer.id,
    "gen_ai.response.model": "mock",
    "gen_ai.response.finish_reasons": "stop",
    "gen_ai.usage.input_tokens": 5,
    "gen_ai.usage.output_tokens": 2,
  });
  assert.deepEqual(recorded(span("chat mock")), [
    ["gen_ai.user.message", { content: "" }],
    ["gen_ai.choice", { finish_reason: "stop", index: 0, message: { content: "" } }],
  ]);
  assert.ok(policy.requests[0].headers.get("traceparent").includes(span("chat mock").spanContext().traceId));
});

test("content and tool calls are recorded where they are wanted", async () => {
  const tools = [{ type: "function", function: { name: "get_time" } }];
  for (const [wanted, name, content] of [["false", "", ""], ["true", "get_time", "What time is it?"]]) {
    exporter.reset();
    process.env.AZURE_TRACING_GEN_AI_CONTENT_RECORDING_ENABLED = wanted;
    await chat(mock.client(), { messages: user("What time is it?"), tools, tool_choice: "required" }, { tracingOptions });
    const [[, question], [, choice]] = recorded(span("chat"));

    assert.equal(question.content, content);
    assert.equal(choice.finish_reason, "tool_calls");
    assert.equal(choice.message.toolCalls[0].function.name, name);
    assert.match(choice.message.toolCalls[0].id, /^call_/);
  }
});

test("a conversation is recorded with its parts and settings", async () => {
  const tool_calls = [{ id: "call_1", type: "function", function: { name: "get_time", arguments: "{}" } }];
  const messages = [{ role: "system", content: "Be brief." }, ...user("Hi"), { role: "assistant", tool_calls }, { role: "tool", tool_call_id: "call_1", content: "noon" }];
  await chat(mock.client(), { messages, stop: ["x"], frequency_penalty: 1, presence_penalty: -1 }, { tracingOptions });
  const { attributes } = span("chat");

  assert.deepEqual(recorded(span("chat")).map(([name]) => name), ["system", "user", "assistant", "tool"].map((role) => `gen_ai.${role}.message`).concat("gen_ai.choice"));
  assert.deepEqual(["stop_sequences", "frequency_penalty", "presence_penalty"].map((name) => attributes[`gen_ai.request.${name}`]), [["x"], 1, -1]);
});

test("a refusal is an error of the span", async () => {
  const response = await chat(mock.client(), { messages: user("Hello"), temperature: 9 }, { tracingOptions });
  const { attributes, status } = span("chat");

  assert.equal(response.status, "422");
  assert.equal(status.code, SpanStatusCode.ERROR);
  assert.equal(attributes["error.type"], "422");
});

test("a stream is left as it is", async () => {
  const chunks = await all(events(mock.client(), { messages: user("Hello there") }, { tracingOptions }));

  assert.equal(joined(chunks.slice(0, -1)), "Hello there");
  assert.equal(exporter.getFinishedSpans().filter((s) => s.name === "HTTP POST").length, 1);
});
