// Several questions at the same time, and a limit to the patience with each.

import createClient, { isUnexpected } from "@azure-rest/ai-inference";
import { AzureKeyCredential } from "@azure/core-auth";

const { INGOT_ENDPOINT: endpoint = "http://127.0.0.1:8080", INGOT_KEY: key } = process.env;
if (!key) {
  console.error("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
  process.exit(1);
}

const client = createClient(endpoint, new AzureKeyCredential(key), { allowInsecureConnection: endpoint.startsWith("http:") });

async function ask(question) {
  const response = await client.path("/chat/completions").post({
    body: { messages: [{ role: "user", content: question }], temperature: 0, max_tokens: 60 },
    abortSignal: AbortSignal.timeout(60_000),
  });
  if (isUnexpected(response)) {
    throw new Error(response.body.error.message);
  }
  return `${question} ${response.body.choices[0].message.content}`;
}

const answers = await Promise.all([ask("What is the capital of France?"), ask("What is the capital of Italy?")]);
console.log(answers.join("\n"));
