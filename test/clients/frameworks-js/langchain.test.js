// LangChain with its classes for OpenAI and Azure OpenAI.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from "@langchain/core/messages";
import { AzureChatOpenAI, AzureOpenAI, AzureOpenAIEmbeddings, ChatOpenAI, OpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { createAgent, initChatModel, tool } from "langchain";
import { z } from "zod";

import { ADDRESSES, at, start } from "./answers.js";
import { all, KEY, named, RED, results } from "./server.js";

const LANGCHAIN = named("@langchain/openai");
const { note, leave } = results("langchain-js");
let server;
before(async () => { server = await start(); });
after(async () => { await server.stop(); leave(); });

/** The classes for OpenAI, pointed at an address; `as` makes one for a model. */
const openai = (address) => ({
  as: (Class, model, fields) => new Class({ model, apiKey: KEY, maxRetries: 0, configuration: { baseURL: at(server, address, model) }, ...fields }),
  Chat: ChatOpenAI, Text: OpenAI, Embeddings: OpenAIEmbeddings,
});

/** The classes for Azure OpenAI: the one for chats is given the root, those for texts and embeddings where the deployments are. */
const azure = () => ({
  as: (Class, model, fields) => new Class({
    ...(Class === AzureChatOpenAI ? { azureOpenAIEndpoint: server.url } : { azureOpenAIBasePath: `${server.url}/openai/deployments` }),
    model, azureOpenAIApiKey: KEY, azureOpenAIApiDeploymentName: model, azureOpenAIApiVersion: "2024-10-21", maxRetries: 0, ...fields,
  }),
  Chat: AzureChatOpenAI, Text: AzureOpenAI, Embeddings: AzureOpenAIEmbeddings,
});

const CLIENTS = [...ADDRESSES.map((address) => [address, openai]), ["/openai", azure]];

const Place = z.object({ city: z.string() });
const question = "How is the weather?";
const count = ({ input_tokens, output_tokens, total_tokens }) => [input_tokens, output_tokens, total_tokens];
const together = (chunks) => chunks.reduce((sum, chunk) => sum.concat(chunk));

/** A tool that keeps what it was asked. */
function weather() {
  const asked = [];
  return { asked, tool: tool((input) => { asked.push(input); return "clear"; }, { name: "get_weather", description: "Tells the weather.", schema: Place }) };
}

for (const [address, make] of CLIENTS) {
  describe(`${make === azure ? "AzureChatOpenAI" : "ChatOpenAI"} at ${address || "/"}`, () => {
    const chat = (model, fields) => { const { as, Chat } = make(address); return as(Chat, model, fields); };
    const seen = (...row) => note(LANGCHAIN, address, ...row);

    test("talks", async () => {
      const whole = await chat("mock").invoke([new SystemMessage("Be brief."), new HumanMessage("Hello there")]);
      assert.equal(whole.content, "Hello there");
      assert.deepEqual(count(whole.usage_metadata), [11, 2, 13]);
      assert.deepEqual([whole.response_metadata.finish_reason, whole.response_metadata.model_name], ["stop", "mock"]);
      seen("chat/completions");
      const chunks = await all(await chat("mock").stream("Hello there"));
      const sum = together(chunks);
      assert.ok(chunks.length > 2);
      assert.equal(sum.content, "Hello there");
      assert.deepEqual(count(sum.usage_metadata), [5, 2, 7]);
      seen("chat/completions, streamed");
      const shown = await chat("mock").invoke([new HumanMessage({ content: [{ type: "text", text: "What is this?" }, { type: "image_url", image_url: { url: RED } }] })]);
      assert.equal(shown.content, "What is this?");
      seen("chat/completions with images");
    });

    test("calls a tool", async () => {
      const { asked, tool } = weather();
      const model = chat("calls").bindTools([tool]);
      const first = await model.invoke(question);
      assert.deepEqual(first.tool_calls.map(({ name, args }) => [name, args]), [["get_weather", { city: "" }]]);
      const result = await tool.invoke(first.tool_calls[0]);
      assert.ok(ToolMessage.isInstance(result));
      assert.equal((await model.invoke([new HumanMessage(question), first, result])).content, question);
      assert.deepEqual(together(await all(await model.stream(question))).tool_calls.map((c) => c.args), [{ city: "" }]);
      assert.deepEqual(asked, [{ city: "" }]);
      seen("chat/completions with tools");
    });

    test("keeps to a schema", async () => {
      for (const method of ["jsonSchema", "functionCalling"]) {
        assert.deepEqual(await chat("mock").withStructuredOutput(Place, { name: "place", method }).invoke(question), { city: "" });
      }
      const { raw, parsed } = await chat("mock").withStructuredOutput(Place, { name: "place", includeRaw: true }).invoke(question);
      assert.deepEqual([raw.content, parsed], ['{"city":""}', { city: "" }]);
      seen("chat/completions with a schema");
    });

    test("completes", async () => {
      const { as, Text } = make(address);
      assert.equal(await as(Text, "mock").invoke("Hello there"), "Hello there");
      assert.equal((await all(await as(Text, "mock").stream("Hello there"))).join(""), "Hello there");
      seen("completions");
    });

    test("embeds", async () => {
      const { as, Embeddings } = make(address);
      const model = as(Embeddings, "embeds", { dimensions: 8 });
      const [first, second] = await model.embedDocuments(["Hello there", "Good bye"]);
      assert.deepEqual([first.length, second.length], [8, 8]);
      assert.deepEqual(await model.embedQuery("Hello there"), first);
      seen("embeddings");
    });

    test("responds", async () => {
      const model = chat("mock", { useResponsesApi: true });
      if (!address.endsWith("/v1")) {
        await assert.rejects(model.invoke("Hello there"), (e) => e.status === 404 && /Resource not found\./.test(e.message));
        seen("responses", make === azure ? "AzureChatOpenAI asks for it below the deployment; it is at /openai/responses" : "the Responses API is at /v1, /openai/v1 and /inference/v1");
        return;
      }
      assert.equal((await model.invoke("Hello there")).text, "Hello there");
      assert.equal(together(await all(await model.stream("Hello there"))).text, "Hello there");
      const { tool } = weather();
      const caller = chat("calls", { useResponsesApi: true }).bindTools([tool]);
      const first = await caller.invoke(question);
      assert.deepEqual(first.tool_calls.map((c) => c.args), [{ city: "" }]);
      assert.equal((await caller.invoke([new HumanMessage(question), first, await tool.invoke(first.tool_calls[0])])).text, question);
      assert.deepEqual(await model.withStructuredOutput(Place, { name: "place" }).invoke(question), { city: "" });
      seen("responses");
    });
  });
}

for (const [name, make] of [["ChatOpenAI", openai], ["AzureChatOpenAI", azure]]) {
  describe(`${name} with`, () => {
    const chat = (model, fields) => { const { as, Chat } = make("/v1"); return as(Chat, model, fields); };

    test("an agent comes to an answer", async () => {
      const { asked, tool } = weather();
      const { messages } = await createAgent({ model: chat("calls"), tools: [tool], systemPrompt: "Be brief." }).invoke({ messages: [new HumanMessage(question)] });
      assert.deepEqual(asked, [{ city: "" }]);
      assert.deepEqual(messages.map((m) => m.type), ["human", "ai", "tool", "ai"]);
      assert.equal(messages.at(-1).content, question);
    });

    test("an agent's steps are streamed", async () => {
      const agent = createAgent({ model: chat("calls"), tools: [weather().tool] });
      const chunks = await all(await agent.stream({ messages: [new HumanMessage(question)] }, { streamMode: "messages" }));
      const said = chunks.filter(([, { langgraph_node }]) => langgraph_node === "model_request").map(([message]) => message.text).join("");
      assert.equal(said, question);
    });

    test("options of OpenAI's own", async () => {
      const options = {
        temperature: 0, topP: 0.5, frequencyPenalty: 1, presencePenalty: -1, logitBias: { 5: 1 }, user: "me", verbosity: "low", service_tier: "auto",
        promptCacheKey: "key", promptCacheRetention: "in-memory", supportsStrictToolCalling: true, modelKwargs: { seed: 5, store: false, metadata: { a: "b" } },
      };
      const model = chat("mock", options).bindTools([weather().tool], { parallel_tool_calls: false, tool_choice: "none" });
      assert.equal((await model.invoke("Hello there")).content, "Hello there");
      const reasoner = chat("o3-mini", { maxTokens: 1, reasoning: { effort: "low" } });
      const { content, response_metadata } = await reasoner.invoke([new SystemMessage("Be brief."), new HumanMessage("Hello there")]);
      assert.deepEqual([content, response_metadata.finish_reason], ["Hello", "length"]);
      assert.equal((await chat("mock", { n: 2 }).generate([[new HumanMessage("Hello")]])).generations[0].length, 2);
    });

    test("pictures in LangChain's own form", async () => {
      const content = [{ type: "text", text: "What is this?" }, { type: "image", mimeType: "image/png", data: RED.split(",")[1] }];
      assert.equal((await chat("mock").invoke([new HumanMessage({ contentBlocks: content })])).content, "What is this?");
    });

    test("an object in JSON mode", async () => {
      assert.deepEqual(await chat("mock").withStructuredOutput(z.object({}), { method: "jsonMode" }).invoke("Hello"), {});
    });

    test("a history, a limit and words to stop at", async () => {
      const history = [new HumanMessage("One"), new AIMessage("One"), new HumanMessage("one two three")];
      const limited = await chat("mock", { maxTokens: 2 }).invoke(history);
      assert.deepEqual([limited.content, limited.response_metadata.finish_reason], ["one two", "length"]);
      assert.equal((await chat("mock").invoke(history, { stop: [" three"] })).content, "one two");
    });

    for (const [what, model, prompt, status, code] of [
      ["a name that nobody has", "nobody", "Hello", 404, "MODEL_NOT_FOUND"],
      ["a limit that is reached", "limited", "Hello", 429, "MODEL_RATE_LIMIT"],
      ["a failure", "broken", "Hello", 500, undefined],
      ["a prompt that is filtered", "mock", "mock:filter", 400, undefined],
    ]) {
      test(`${what} gets an error`, async () => {
        const error = await chat(model).invoke(prompt).then(() => assert.fail("no error"), (e) => e);
        assert.deepEqual([error.status, error.lc_error_code], [status, code]);
        assert.ok(error.requestID);
      });
    }

    test("a prompt that is too long gets the error that says so", async () => {
      await assert.rejects(chat("mock").invoke("word ".repeat(140_000)), { name: "ContextOverflowError" });
    });

    test("a wrong key gets an error", async () => {
      const wrong = chat("mock", make === azure ? { azureOpenAIApiKey: "wrong" } : { apiKey: "wrong" });
      await assert.rejects(wrong.invoke("Hello"), (e) => e.status === 401 && e.lc_error_code === "MODEL_AUTHENTICATION");
    });

    test("patience gets an answer after a refusal", async () => {
      for (let i = 0; i < 2; i++) {
        assert.equal((await chat("hasty", { maxRetries: 1 }).invoke("Hello")).content, "Hello");
      }
    });

    test("a stream that breaks gets an error", async () => {
      await assert.rejects(async () => all(await chat("cut").stream("a b c d e")));
    });

    test("a signal stops a stream", async () => {
      const controller = new AbortController();
      let text = "";
      await assert.rejects(async () => {
        for await (const chunk of await chat("counts").stream("go", { signal: controller.signal })) {
          text += chunk.content;
          if (text.endsWith("3")) {
            controller.abort();
          }
        }
      }, /abort/i);
      assert.match(text, /^1 2 3/);
    });

    test("several at once keep their answers", async () => {
      const texts = Array.from({ length: 12 }, (_, n) => `text ${n}`);
      assert.deepEqual((await chat("mock").batch(texts)).map((m) => m.content), texts);
    });

    test("log probabilities", async () => {
      const { response_metadata } = await chat("mock", { logprobs: true, topLogprobs: 1 }).invoke("Hello there");
      assert.deepEqual(response_metadata.logprobs.content.map((t) => t.token), ["Hello", " there"]);
    });
  });
}

test("tokens come from whoever makes them", async () => {
  const model = azure().as(AzureChatOpenAI, "mock", { azureOpenAIApiKey: undefined, azureADTokenProvider: async () => KEY });
  assert.equal((await model.invoke("Hello")).content, "Hello");
});

test("a model may be named in a string", async () => {
  const model = await initChatModel("openai:mock", { apiKey: KEY, configuration: { baseURL: `${server.url}/v1` } });
  assert.equal((await model.invoke("Hello")).content, "Hello");
});

test("thoughts are told from the answer", async () => {
  const { content, usage_metadata } = await openai("/v1").as(ChatOpenAI, "thinks").invoke("Hello there");
  assert.equal(content, "Hello there");
  assert.equal(usage_metadata.output_token_details.reasoning, 7);
});
