// A client of Azure OpenAI: chat and embeddings of deployments.

import { AzureOpenAI } from "openai";

const { INGOT_ENDPOINT: endpoint = "http://127.0.0.1:8080", INGOT_KEY: key } = process.env;
if (!key) {
  console.error("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
  process.exit(1);
}

// Without a list of models of its own the endpoint knows such names and answers with its default models.
const client = new AzureOpenAI({ endpoint, apiKey: key, apiVersion: "2024-10-21" });
const messages = [{ role: "user", content: "What is the capital of France?" }];
const stream = await client.chat.completions.create({ model: "gpt-4o", messages, temperature: 0, max_tokens: 100, stream: true });
for await (const { choices } of stream) {
  process.stdout.write(choices[0]?.delta.content ?? "");
}

const { data, model } = await client.embeddings.create({ model: "text-embedding-3-small", input: ["a word", "another"] });
console.log(`\n${data.length} vectors of ${data[0].embedding.length} numbers by ${model}`);
