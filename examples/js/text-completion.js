// A text that the model goes on with, by OpenAI's client.

import OpenAI from "openai";

const { INGOT_ENDPOINT: endpoint = "http://127.0.0.1:8080", INGOT_KEY: key } = process.env;
if (!key) {
  console.error("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
  process.exit(1);
}

// At this address the name of no deployment means the default one; at `${endpoint}/v1` it must be a deployment's.
const client = new OpenAI({ baseURL: endpoint, apiKey: key });
const { model, choices: [{ text, finish_reason }] } = await client.completions.create({
  model: "default",
  prompt: "Once upon a time there was",
  max_tokens: 40,
  temperature: 0,
});

console.log(text);
console.log(`(${model}, ${finish_reason})`);
