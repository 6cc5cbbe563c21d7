// Responses by the openai SDK, at OpenAI's doors.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";

import { all, DOORS, Ingot, KEY } from "./ingot.js";

const KEEPING = `
keys: [{name: one, key: "${KEY}"}, {name: other, key: another-key-of-the-tests}]
models: {mock: {provider: mock}}
responses: {store: on}
`;
const tool = {
  type: "function", name: "get_weather", strict: true,
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false },
};
const ask = "How is the weather?";

let mock, keeping;
before(async () => { [mock, keeping] = await Promise.all([Ingot.start({ args: ["--mock"] }), Ingot.start({ config: KEEPING })]); });
after(() => Promise.all([mock.stop(), keeping.stop()]));

for (const door of ["v1", "openai-v1"]) {
  describe(`at ${DOORS[door]}`, () => {
    const create = (body) => mock.openai(door).responses.create({ model: "mock", input: "Hello there", ...body });

    test("a response has its text and its usage", async () => {
      const response = await create({ instructions: "Be brief.", metadata: { a: "b" } });

      assert.deepEqual([response.object, response.status, response.output_text], ["response", "completed", "Hello there"]);
      assert.deepEqual([response.instructions, response.metadata, response.error], ["Be brief.", { a: "b" }, null]);
      assert.equal(response.usage.output_tokens, 2);
    });

    test("a stream's events are in order and numbered", async () => {
      const events = await all(await create({ stream: true }));

      assert.deepEqual(events.map((e) => e.sequence_number), events.map((_, i) => i));
      assert.equal(events[0].type, "response.created");
      assert.equal(events.filter((e) => e.type === "response.output_text.delta").map((e) => e.delta).join(""), "Hello there");
      assert.equal(events.at(-1).type, "response.completed");
      assert.equal(events.at(-1).response.id, events[0].response.id);
    });

    test("the streaming helper accumulates a response", async () => {
      const stream = mock.openai(door).responses.stream({ model: "mock", input: "Hello there" });
      assert.equal((await stream.finalResponse()).output_text, "Hello there");

      const calls = mock.openai(door).responses.stream({ model: "mock", input: ask, tools: [tool], tool_choice: "required" });
      const [call] = (await calls.finalResponse()).output;
      assert.deepEqual([call.type, call.name, call.arguments], ["function_call", "get_weather", '{"city":""}']);
    });

    test("tools are called until there is an answer", async () => {
      const { output: [call] } = await create({ input: ask, tools: [tool], tool_choice: "required" });
      const input = [{ role: "user", content: ask }, call, { type: "function_call_output", call_id: call.call_id, output: "clear" }];

      assert.equal((await create({ input, tools: [tool] })).output_text, ask);
    });

    test("parse gives what the schema says", async () => {
      const text = { format: zodTextFormat(z.object({ city: z.string(), days: z.number() }), "weather") };
      const response = await mock.openai(door).responses.parse({ model: "mock", input: "Hello", text });

      assert.deepEqual(response.output_parsed, { city: "", days: 0 });
    });

    test("a limit makes it incomplete", async () => {
      const response = await create({ input: "one two three", max_output_tokens: 2 });

      assert.deepEqual([response.status, response.incomplete_details.reason, response.output_text], ["incomplete", "max_output_tokens", "one two"]);
    });

    test("what cannot be done is refused by name", async () => {
      for (const [body, param] of [[{ tools: [{ type: "web_search" }] }, "tools"], [{ foo: 1 }, "foo"], [{ previous_response_id: "resp_1" }, "previous_response_id"]]) {
        await assert.rejects(create(body), (e) => e instanceof OpenAI.BadRequestError && e.param.startsWith(param));
      }
    });

    test("what is kept is gone on with, by its owner alone", async () => {
      const { responses } = keeping.openai(door);
      const first = await responses.create({ model: "mock", input: "One", store: true });
      const second = await responses.create({ model: "mock", input: "Two", previous_response_id: first.id });

      assert.deepEqual([second.output_text, second.previous_response_id], ["Two", first.id]);
      assert.equal((await responses.retrieve(first.id)).output_text, "One");
      assert.ok((await all(await responses.inputItems.list(second.id))).some((item) => item.content[0].text === "Two"));
      const other = keeping.openai(door, { key: "another-key-of-the-tests" });
      await assert.rejects(other.responses.retrieve(first.id), OpenAI.NotFoundError);
      await responses.delete(first.id);
      await assert.rejects(responses.retrieve(first.id), OpenAI.NotFoundError);
    });
  });
}
