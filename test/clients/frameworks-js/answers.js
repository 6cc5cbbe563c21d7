// What both suites ask for, of whom, and where.

import { Server } from "./server.js";

/** Where a client of OpenAI's shape can be pointed at. */
export const ADDRESSES = ["", "/models", "/deployments/{name}", "/inference", "/orgs/{org}/inference", "/openai/deployments/{name}", "/v1", "/openai/v1", "/inference/v1"];

const config = `
default_model: mock
models:
  mock: {provider: mock}
  calls: {provider: mock, mock: {tool_choice_auto: call}}
  embeds: {provider: mock, mock: {behaviour: embedding, dimensions: 12}}
  thinks: {provider: mock, mock: {behaviour: reasoning}}
  o3-mini: {provider: mock}
  counts: {provider: mock, mock: {behaviour: count, tokens_per_second: 500}}
  limited: {provider: mock, mock: {fault: {status: 429, retry_after: 20ms}}}
  hasty: {provider: mock, mock: {fault: {status: 429, retry_after: 20ms, every: 2}}}
  broken: {provider: mock, mock: {fault: {status: 500}}}
  cut: {provider: mock, mock: {fault: {cut: 2}}}
`;

/** A server, which keeps responses where `store` says so. */
export const start = (store = "off") => Server.start({ config: `${config}responses: {store: ${store}}\n` });

/** The URL of an address for a client of this model. */
export const at = (server, address, model) => server.url + address.replace("{name}", model).replace("{org}", "acme");
