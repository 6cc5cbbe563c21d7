// Over TLS, with the local authority of `ingot serve --tls auto`.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

import createClient, { isUnexpected } from "@azure-rest/ai-inference";
import { AzureKeyCredential } from "@azure/core-auth";

const { INGOT_ENDPOINT: endpoint = "https://127.0.0.1:8080", INGOT_KEY: key } = process.env;
if (!key) {
  console.error("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
  process.exit(1);
}

// Where the authority's certificate is; a program that runs elsewhere gets a copy of the file.
const { ca } = JSON.parse(execFileSync("ingot", ["trust", "--json"], { encoding: "utf8" }));

const client = createClient(endpoint, new AzureKeyCredential(key), { tlsOptions: { ca: readFileSync(ca, "utf8") } });
const messages = [{ role: "user", content: "What is the capital of France?" }];
const response = await client.path("/chat/completions").post({ body: { messages, temperature: 0, max_tokens: 100 } });
if (isUnexpected(response)) {
  throw new Error(response.body.error.message);
}

console.log(response.body.choices[0].message.content);
