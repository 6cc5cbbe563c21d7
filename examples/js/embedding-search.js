// Ranks a folder of texts by how near they are to a question: node embedding-search.js [QUESTION]

import { readdir, readFile } from "node:fs/promises";
import { basename } from "node:path";

import createClient, { isUnexpected } from "@azure-rest/ai-inference";
import { AzureKeyCredential } from "@azure/core-auth";

const { INGOT_ENDPOINT: endpoint = "http://127.0.0.1:8080", INGOT_KEY: key } = process.env;
if (!key) {
  console.error("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
  process.exit(1);
}
const question = process.argv.slice(2).join(" ") || "How do I repair a flat tyre?";
const folder = new URL("../texts/", import.meta.url);
const files = (await readdir(folder)).filter((file) => file.endsWith(".txt"));
const texts = await Promise.all(files.map((file) => readFile(new URL(file, folder), "utf8")));

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
const cosine = (a, b) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

const client = createClient(endpoint, new AzureKeyCredential(key), { allowInsecureConnection: endpoint.startsWith("http:") });
const response = await client.path("/embeddings").post({ body: { model: "minilm", input: [question, ...texts] } });
if (isUnexpected(response)) {
  throw new Error(response.body.error.message);
}

const [asked, ...vectors] = response.body.data.map(({ embedding }) => embedding);
const ranking = files.map((file, i) => ({ name: basename(file, ".txt"), score: cosine(asked, vectors[i]) }));
console.log(question);
for (const { name, score } of ranking.sort((a, b) => b.score - a.score)) {
  console.log(`${score.toFixed(3).padStart(6)}  ${name}`);
}
