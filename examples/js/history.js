// A conversation: every request carries what was said before.

import createClient, { isUnexpected } from "@azure-rest/ai-inference";
import { AzureKeyCredential } from "@azure/core-auth";

const { INGOT_ENDPOINT: endpoint = "http://127.0.0.1:8080", INGOT_KEY: key } = process.env;
if (!key) {
  console.error("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
  process.exit(1);
}

const client = createClient(endpoint, new AzureKeyCredential(key), { allowInsecureConnection: endpoint.startsWith("http:") });
const messages = [{ role: "system", content: "You help with cooking. Answer in one sentence." }];
for (const question of ["What can I make of three eggs?", "And without a pan?"]) {
  messages.push({ role: "user", content: question });
  const response = await client.path("/chat/completions").post({ body: { messages, temperature: 0, max_tokens: 100 } });
  if (isUnexpected(response)) {
    throw new Error(response.body.error.message);
  }
  const [{ message }] = response.body.choices;
  messages.push(message);
  console.log(`> ${question}\n${message.content}\n(${response.body.usage.prompt_tokens} tokens in)`);
}
