// A question about a picture, for a deployment whose model sees.

import { readFile } from "node:fs/promises";

import createClient, { isUnexpected } from "@azure-rest/ai-inference";
import { AzureKeyCredential } from "@azure/core-auth";

const { INGOT_ENDPOINT: endpoint = "http://127.0.0.1:8080", INGOT_KEY: key } = process.env;
if (!key) {
  console.error("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
  process.exit(1);
}
const picture = await readFile(new URL("../pictures/circle.png", import.meta.url), "base64");

const client = createClient(endpoint, new AzureKeyCredential(key), { allowInsecureConnection: endpoint.startsWith("http:") });
const content = [
  { type: "text", text: "What shape is this, and of which colour?" },
  { type: "image_url", image_url: { url: `data:image/png;base64,${picture}` } },
];
const response = await client.path("/chat/completions").post({ body: { messages: [{ role: "user", content }], max_tokens: 100 } });
if (isUnexpected(response)) {
  throw new Error(response.body.error.message);
}

console.log(response.body.choices[0].message.content);
