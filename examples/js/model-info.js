// Which model answers here.

import createClient, { isUnexpected } from "@azure-rest/ai-inference";
import { AzureKeyCredential } from "@azure/core-auth";

const { INGOT_ENDPOINT: endpoint = "http://127.0.0.1:8080", INGOT_KEY: key } = process.env;
if (!key) {
  console.error("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
  process.exit(1);
}

const client = createClient(endpoint, new AzureKeyCredential(key), { allowInsecureConnection: endpoint.startsWith("http:") });
const response = await client.path("/info").get();
if (isUnexpected(response)) {
  throw new Error(response.body.error.message);
}

const { model_name, model_provider_name, model_type } = response.body;
console.log(`${model_name} of ${model_provider_name}: ${model_type}`);
