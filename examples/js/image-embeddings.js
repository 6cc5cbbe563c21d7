// How alike two pictures are, for a deployment whose model embeds pictures.

import { readFile } from "node:fs/promises";

import createClient, { isUnexpected } from "@azure-rest/ai-inference";
import { AzureKeyCredential } from "@azure/core-auth";

const { INGOT_ENDPOINT: endpoint = "http://127.0.0.1:8080", INGOT_KEY: key } = process.env;
if (!key) {
  console.error("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
  process.exit(1);
}

async function load(name) {
  return { image: `data:image/png;base64,${await readFile(new URL(`../pictures/${name}`, import.meta.url), "base64")}` };
}

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
const cosine = (a, b) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

const client = createClient(endpoint, new AzureKeyCredential(key), { allowInsecureConnection: endpoint.startsWith("http:") });
const response = await client.path("/images/embeddings").post({ body: { input: [await load("circle.png"), await load("square.png")] } });
if (isUnexpected(response)) {
  throw new Error(response.body.error.message);
}

const [circle, square] = response.body.data.map(({ embedding }) => embedding);
console.log(`${response.body.model}: vectors of ${circle.length} numbers, cosine ${cosine(circle, square).toFixed(3)}`);
