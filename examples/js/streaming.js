// An answer printed while it is made.

import { text } from "node:stream/consumers";

import createClient from "@azure-rest/ai-inference";
import { AzureKeyCredential } from "@azure/core-auth";
import { createSseStream } from "@azure/core-sse";

const { INGOT_ENDPOINT: endpoint = "http://127.0.0.1:8080", INGOT_KEY: key } = process.env;
if (!key) {
  console.error("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
  process.exit(1);
}

const client = createClient(endpoint, new AzureKeyCredential(key), { allowInsecureConnection: endpoint.startsWith("http:") });
const messages = [{ role: "user", content: "Tell me a very short story about a lighthouse." }];
const response = await client.path("/chat/completions").post({ body: { messages, max_tokens: 200, stream: true } }).asNodeStream();
if (response.status !== "200") {
  throw new Error(await text(response.body));
}

let usage;
for await (const { data } of createSseStream(response.body)) {
  if (data === "[DONE]") {
    break;
  }
  const update = JSON.parse(data);
  for (const { delta } of update.choices) {
    process.stdout.write(delta.content ?? "");
  }
  usage = update.usage ?? usage;
}
console.log(`\n(${usage.completion_tokens} tokens)`);
