// An answer that is JSON of a given schema.

import createClient, { isUnexpected } from "@azure-rest/ai-inference";
import { AzureKeyCredential } from "@azure/core-auth";

const { INGOT_ENDPOINT: endpoint = "http://127.0.0.1:8080", INGOT_KEY: key } = process.env;
if (!key) {
  console.error("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
  process.exit(1);
}

const recipe = {
  type: "object",
  properties: {
    name: { type: "string", maxLength: 40 },
    minutes: { type: "integer", minimum: 1, maximum: 240 },
    ingredients: { type: "array", items: { type: "string", maxLength: 30 }, minItems: 1, maxItems: 6 },
  },
  required: ["name", "minutes", "ingredients"],
  additionalProperties: false,
};

const client = createClient(endpoint, new AzureKeyCredential(key), { allowInsecureConnection: endpoint.startsWith("http:") });
const response = await client.path("/chat/completions").post({
  body: {
    messages: [{ role: "user", content: "Write a recipe for a simple soup." }],
    response_format: { type: "json_schema", json_schema: { name: "recipe", schema: recipe, strict: true } },
    temperature: 0,
    max_tokens: 400,
  },
});
if (isUnexpected(response)) {
  throw new Error(response.body.error.message);
}

const { name, minutes, ingredients } = JSON.parse(response.body.choices[0].message.content);
console.log(`"${name}" takes ${minutes} min and ${ingredients.map((i) => `"${i}"`).join(", ")}`);
