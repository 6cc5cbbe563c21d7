// One question, one answer.

import createClient, { isUnexpected } from "@azure-rest/ai-inference";
import { AzureKeyCredential } from "@azure/core-auth";

const { INGOT_ENDPOINT: endpoint = "http://127.0.0.1:8080", INGOT_KEY: key } = process.env;
if (!key) {
  console.error("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
  process.exit(1);
}

const client = createClient(endpoint, new AzureKeyCredential(key), { allowInsecureConnection: endpoint.startsWith("http:") });
const response = await client.path("/chat/completions").post({
  body: {
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "What is the capital of France?" },
    ],
    temperature: 0,
    max_tokens: 100,
  },
});
if (isUnexpected(response)) {
  throw new Error(response.body.error.message);
}

const { choices, model, usage } = response.body;
console.log(choices[0].message.content);
console.log(`${model}: ${usage.prompt_tokens} tokens in, ${usage.completion_tokens} out`);
