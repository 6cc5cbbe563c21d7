// Each operation at each address that a client reaches; what succeeded becomes the table of the README (../table.py).

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { isUnexpected } from "@azure-rest/ai-inference";
import OpenAI from "openai";

import { all, chat, embed, events, Ingot, joined, SCHEME, user } from "./ingot.js";
import { named, RED, results } from "./server.js";

const INFERENCE = ["", "/models", "/inference", "/orgs/{org}/inference", "/deployments/{name}", "/openai/deployments/{name}", "/v1", "/openai/v1", "/inference/v1"];
const OPENAI = ["/v1", "/openai/v1", "/inference/v1", "", "/models", "/inference", "/orgs/{org}/inference", "/deployments/{name}", "/openai/deployments/{name}"];

const AZURE = named("@azure-rest/ai-inference");
const OPENAI_SDK = named("openai");

const { note, leave } = results(`js-${SCHEME}`);
const at = (address, model) => address.replace("{name}", model).replace("{org}", "acme");
const picture = (text) => user([{ type: "text", text }, { type: "image_url", image_url: { url: RED } }]);

const ask = user("How is the weather?");
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };
const tools = [{ type: "function", function: { name: "get_weather", parameters } }];
const response_format = { type: "json_schema", json_schema: { name: "place", schema: parameters, strict: true } };

/** What a model says in the end that has called get_weather, and been told; `create` gives the first choice. */
async function afterCalling(create) {
  const { message } = await create({ messages: ask, tools, tool_choice: "required" });
  assert.deepEqual(message.tool_calls.map((c) => [c.function.name, c.function.arguments]), [["get_weather", '{"city":""}']]);
  return (await create({ messages: [...ask, message, { role: "tool", tool_call_id: message.tool_calls[0].id, content: "clear" }], tools })).message.content;
}

let mock;
before(async () => { mock = await Ingot.start({ args: ["--mock"] }); });
after(async () => {
  await mock.stop();
  leave();
});

for (const address of INFERENCE) {
  describe(`the inference SDK at ${address || "/"}`, () => {
    const client = (model) => mock.client(at(address, model));

    test("chats", async () => {
      const response = await chat(client("mock"), { messages: user("Hello there"), model: "mock" });
      assert.equal(response.body.choices?.[0].message.content, "Hello there", JSON.stringify(response.body));
      note(AZURE, address, "chat/completions");
    });

    test("streams", async () => {
      const received = await all(events(client("mock"), { messages: user("Hello there"), model: "mock" }));
      assert.equal(received.pop(), "[DONE]");
      assert.equal(joined(received), "Hello there");
      note(AZURE, address, "chat/completions, streamed");
    });

    test("shows a picture", async () => {
      const response = await chat(client("mock"), { messages: picture("What is this?"), model: "mock" });
      assert.equal(response.body.choices?.[0].message.content, "What is this?", JSON.stringify(response.body));
      note(AZURE, address, "chat/completions with images");
    });

    test("calls a tool, and keeps to a schema", async () => {
      const create = async (body) => {
        const response = await chat(client("mock"), { model: "mock", ...body });
        assert.equal(isUnexpected(response), false, JSON.stringify(response.body));
        return response.body.choices[0];
      };
      assert.equal(await afterCalling(create), "How is the weather?");
      note(AZURE, address, "chat/completions with tools");
      assert.equal((await create({ messages: ask, response_format })).message.content, '{"city":""}');
      note(AZURE, address, "chat/completions with a schema");
    });

    test("embeds", async () => {
      const response = await embed(client("mock-embedding"), { input: ["Hello"], dimensions: 8, model: "mock-embedding" });
      assert.equal(response.body.data?.[0].embedding.length, 8, JSON.stringify(response.body));
      note(AZURE, address, "embeddings");
    });

    if (address.startsWith("/openai/") || address.endsWith("/v1")) {
      test("has no images to embed, and nothing to ask", async () => {
        for (const [path, verb, options] of [["/images/embeddings", "post", { body: { input: [{ image: RED }] } }], ["/info", "get"]]) {
          const response = await client("mock").path(path)[verb](options);
          assert.deepEqual([response.status, isUnexpected(response)], ["404", true], JSON.stringify(response.body));
          note(AZURE, address, path.slice(1), `OpenAI's API, which is at this address, has no ${path}`);
        }
      });
      return;
    }

    test("embeds pictures", async () => {
      const body = { input: [{ image: RED }, { image: RED }], dimensions: 8, model: "mock-image-embedding" };
      const response = await client("mock-image-embedding").path("/images/embeddings").post({ body });
      assert.equal(isUnexpected(response), false, JSON.stringify(response.body));
      assert.deepEqual(response.body.data[0].embedding, response.body.data[1].embedding);
      note(AZURE, address, "images/embeddings");
    });

    test("asks what is there", async () => {
      for (const [model, type] of [["mock", "chat_completion"], ["mock-embedding", "embeddings"], ["mock-image-embedding", "image_embeddings"]]) {
        const response = await client(model).path("/info").get({ headers: { "azureml-model-deployment": model } });
        assert.deepEqual([response.body.model_name, response.body.model_type], [model, type]);
      }
      note(AZURE, address, "info");
    });
  });
}

for (const address of OPENAI) {
  describe(`the openai SDK at ${address || "/"}`, () => {
    const client = (model) => mock.openai(at(address, model));

    test("talks", async () => {
      const { completions } = client("mock").chat;
      const say = async (messages) => (await completions.create({ model: "mock", messages })).choices[0].message.content;
      assert.equal(await say(user("Hello there")), "Hello there");
      note(OPENAI_SDK, address, "chat/completions");
      assert.equal(joined(await all(await completions.create({ model: "mock", messages: user("Hello there"), stream: true }))), "Hello there");
      note(OPENAI_SDK, address, "chat/completions, streamed");
      assert.equal(await say(picture("What is this?")), "What is this?");
      note(OPENAI_SDK, address, "chat/completions with images");
      const create = async (body) => (await completions.create({ model: "mock", ...body })).choices[0];
      assert.equal(await afterCalling(create), "How is the weather?");
      note(OPENAI_SDK, address, "chat/completions with tools");
      assert.equal((await create({ messages: ask, response_format })).message.content, '{"city":""}');
      note(OPENAI_SDK, address, "chat/completions with a schema");
    });

    test("embeds and completes", async () => {
      const vectors = await client("mock-embedding").embeddings.create({ model: "mock-embedding", input: "Hello", dimensions: 8 });
      assert.equal(vectors.data[0].embedding.length, 8);
      note(OPENAI_SDK, address, "embeddings");
      const text = await client("mock").completions.create({ model: "mock", prompt: "Hello there" });
      assert.equal(text.choices[0].text, "Hello there");
      note(OPENAI_SDK, address, "completions");
    });

    if (address.endsWith("/v1")) {
      test("lists and responds", async () => {
        assert.equal((await client("mock").models.retrieve("mock")).id, "mock");
        assert.ok((await all(await client("mock").models.list())).some((m) => m.id === "mock"));
        note(OPENAI_SDK, address, "models");
        assert.equal((await client("mock").responses.create({ model: "mock", input: "Hello there" })).output_text, "Hello there");
        note(OPENAI_SDK, address, "responses");
      });
    } else {
      test("lists and responds elsewhere", async () => {
        await assert.rejects(client("mock").models.list(), OpenAI.NotFoundError);
        note(OPENAI_SDK, address, "models", "the list of models is at /v1, /openai/v1 and /inference/v1");
        await assert.rejects(client("mock").responses.create({ model: "mock", input: "Hello there" }), OpenAI.NotFoundError);
        note(OPENAI_SDK, address, "responses", "the Responses API is at /v1, /openai/v1 and /inference/v1");
      });
    }
  });
}

test("samples of GitHub Models' time are answered by what is here", async () => {
  for (const model of ["openai/gpt-4o", "Phi-4", "mistral-ai/mistral-small-2503"]) {
    const response = await chat(mock.client("/inference"), { messages: user("Hello there"), model, temperature: 1, top_p: 1, max_tokens: 1000 });
    assert.equal(response.body.model, "mock", JSON.stringify(response.body));
    assert.equal((await mock.openai("/inference").chat.completions.create({ model, messages: user("Hi") })).model, "mock");
  }
  const vectors = await embed(mock.client("/inference"), { input: ["Hello"], model: "text-embedding-3-small" });
  assert.equal(vectors.body.model, "mock-embedding", JSON.stringify(vectors.body));
});

test("the AzureOpenAI client talks", async () => {
  const { chat: { completions: chats }, completions, embeddings, models, responses } = mock.openai("azure");
  const address = "/openai";
  const messages = user("Hello there");
  assert.equal((await chats.create({ model: "mock", messages })).choices[0].message.content, "Hello there");
  note(OPENAI_SDK, address, "chat/completions");
  assert.equal(joined(await all(await chats.create({ model: "mock", messages, stream: true }))), "Hello there");
  note(OPENAI_SDK, address, "chat/completions, streamed");
  assert.equal((await chats.create({ model: "mock", messages: picture("What is this?") })).choices[0].message.content, "What is this?");
  note(OPENAI_SDK, address, "chat/completions with images");
  const create = async (body) => (await chats.create({ model: "mock", ...body })).choices[0];
  assert.equal(await afterCalling(create), "How is the weather?");
  note(OPENAI_SDK, address, "chat/completions with tools");
  assert.equal((await create({ messages: ask, response_format })).message.content, '{"city":""}');
  note(OPENAI_SDK, address, "chat/completions with a schema");
  assert.equal((await completions.create({ model: "mock", prompt: "Hello there" })).choices[0].text, "Hello there");
  note(OPENAI_SDK, address, "completions");
  assert.equal((await embeddings.create({ model: "mock-embedding", input: "Hello", dimensions: 8 })).data[0].embedding.length, 8);
  note(OPENAI_SDK, address, "embeddings");
  assert.ok((await all(await models.list())).some((m) => m.id === "mock"));
  note(OPENAI_SDK, address, "models");
  assert.equal((await responses.create({ model: "mock", input: "Hello there" })).output_text, "Hello there");
  note(OPENAI_SDK, address, "responses");
});
