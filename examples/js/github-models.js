// A sample of GitHub Models' time: only the address is another.

import OpenAI from "openai";

const { INGOT_ENDPOINT: endpoint = "http://127.0.0.1:8080", INGOT_KEY: key } = process.env;
if (!key) {
  console.error("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
  process.exit(1);
}

const client = new OpenAI({ baseURL: `${endpoint}/inference`, apiKey: key });
const { model, choices: [{ message }] } = await client.chat.completions.create({
  model: "openai/gpt-4o",
  messages: [
    { role: "system", content: "" },
    { role: "user", content: "What is the capital of France?" },
  ],
  temperature: 1,
  max_tokens: 100,
  top_p: 1,
});

console.log(`${message.content}\n(${model})`);
