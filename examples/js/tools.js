// A function of this program that the model may call.

import createClient, { isUnexpected } from "@azure-rest/ai-inference";
import { AzureKeyCredential } from "@azure/core-auth";

const { INGOT_ENDPOINT: endpoint = "http://127.0.0.1:8080", INGOT_KEY: key } = process.env;
if (!key) {
  console.error("Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
  process.exit(1);
}

// Stands for a service that knows.
const functions = {
  get_weather: ({ city, unit }) => ({ city, sky: "clear", temperature: unit === "celsius" ? 21 : 70 }),
};
const tools = [
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "Tells the weather of a city.",
      parameters: {
        type: "object",
        properties: {
          city: { type: "string", description: "The name of the city." },
          unit: { type: "string", enum: ["celsius", "fahrenheit"] },
        },
        required: ["city", "unit"],
        additionalProperties: false,
      },
    },
  },
];

const client = createClient(endpoint, new AzureKeyCredential(key), { allowInsecureConnection: endpoint.startsWith("http:") });
const messages = [{ role: "user", content: "How is the weather in Paris?" }];

async function answer(tool_choice) {
  const body = { messages, tools, tool_choice, temperature: 0, max_tokens: 200 };
  const response = await client.path("/chat/completions").post({ body });
  if (isUnexpected(response)) {
    throw new Error(response.body.error.message);
  }
  return response.body.choices[0].message;
}

// Required, so that a small model calls it too; without it the model decides.
const asked = await answer("required");
messages.push(asked);
for (const call of asked.tool_calls) {
  const { name, arguments: input } = call.function;
  const result = JSON.stringify(functions[name](JSON.parse(input)));
  console.log(`${name}(${input}) = ${result}`);
  messages.push({ role: "tool", tool_call_id: call.id, content: result });
}
console.log((await answer("none")).content);
