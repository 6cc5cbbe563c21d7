// Thoughts and answer of a model that reasons, told apart while they are made.
//
// INGOT_ENDPOINT names such a model, for example http://127.0.0.1:8080/deployments/mock-reasoning.

import { text } from "node:stream/consumers";

import createClient from "@azure-rest/ai-inference";
import { AzureKeyCredential } from "@azure/core-auth";
import { createSseStream } from "@azure/core-sse";

const { INGOT_ENDPOINT: endpoint = "http://127.0.0.1:8080", INGOT_KEY: key } = process.env;
if (!key) {
  console.error("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
  process.exit(1);
}

// Since this version thoughts have a member of their own; before it they stood as <think>…</think> in the content.
const apiVersion = "2025-04-01";
const client = createClient(endpoint, new AzureKeyCredential(key), { apiVersion, allowInsecureConnection: endpoint.startsWith("http:") });
const messages = [{ role: "user", content: "A train leaves at 9:40 and rides for 95 minutes. When does it arrive?" }];
const response = await client.path("/chat/completions").post({ body: { messages, stream: true } }).asNodeStream();
if (response.status !== "200") {
  throw new Error(await text(response.body));
}

let thinking = false;
for await (const { data } of createSseStream(response.body)) {
  if (data === "[DONE]") {
    break;
  }
  for (const { delta } of JSON.parse(data).choices) {
    if (delta.reasoning_content) {
      process.stdout.write(thinking ? delta.reasoning_content : `Thoughts: ${delta.reasoning_content}`);
      thinking = true;
    }
    if (delta.content) {
      process.stdout.write(thinking ? `\nAnswer: ${delta.content}` : delta.content);
      thinking = false;
    }
  }
}
console.log();
