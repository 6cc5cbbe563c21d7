// A token of Microsoft Entra ID instead of a key: from the environment, a managed identity or `az login`, whichever there is.
//
// Tokens go over TLS only. The endpoint's configuration says whose it takes (entra).

import createClient, { isUnexpected } from "@azure-rest/ai-inference";
import { DefaultAzureCredential } from "@azure/identity";

const { INGOT_ENDPOINT: endpoint = "https://127.0.0.1:8080" } = process.env;

// For an endpoint whose audience is an application of yours add { credentials: { scopes: ["api://APPLICATION/.default"] } }.
const client = createClient(endpoint, new DefaultAzureCredential());
const messages = [{ role: "user", content: "What is the capital of France?" }];
const response = await client.path("/chat/completions").post({ body: { messages, temperature: 0, max_tokens: 100 } });
if (isUnexpected(response)) {
  throw new Error(response.body.error.message);
}

console.log(response.body.choices[0].message.content);
