// Makes the SDK's clients for a running Ingot, and reads their streams.

import createClient from "@azure-rest/ai-inference";
import { AzureKeyCredential } from "@azure/core-auth";
import { createSseStream } from "@azure/core-sse";
import OpenAI, { AzureOpenAI } from "openai";

import { all, KEY, SCHEME, Server, user } from "./server.js";

export { all, KEY, SCHEME, user };

/** Where the openai SDK reaches OpenAI's doors and Azure OpenAI's. */
export const DOORS = { v1: "/v1", "openai-v1": "/openai/v1", azure: "/openai/deployments" };

/** A running `ingot serve`, and the SDKs' clients for it. */
export class Ingot extends Server {
  /** A client for an address below the endpoint; the SDK wants to be told only that plain HTTP is meant. */
  client(base = "", { key = KEY, credential = new AzureKeyCredential(key), ...options } = {}) {
    const insecure = SCHEME === "http" ? { allowInsecureConnection: true } : {};
    return createClient(this.url + base, credential, { ...insecure, ...options });
  }

  /** A client of the openai SDK at one of DOORS, or at another address of the same shape. */
  openai(door, { key = KEY, ...options } = {}) {
    const settings = { apiKey: key, maxRetries: 0, ...options };
    if (door === "azure") {
      return new AzureOpenAI({ endpoint: this.url, apiVersion: "2024-10-21", ...settings });
    }
    return new OpenAI({ baseURL: this.url + (DOORS[door] ?? door), ...settings });
  }
}

/** The data of each event of a chat stream, parsed; [DONE] as it is. Throws what the stream throws. */
export async function* events(client, body, options = {}) {
  const response = await client.path("/chat/completions").post({ body: { ...body, stream: true }, ...options }).asNodeStream();
  if (response.status !== "200") {
    throw new Error(`status ${response.status}`);
  }
  for await (const event of createSseStream(response.body)) {
    yield event.data === "[DONE]" ? event.data : JSON.parse(event.data);
  }
}

/** The text of all chunks together. */
export const joined = (chunks) => chunks.flatMap((c) => c.choices ?? []).map((c) => c.delta.content ?? "").join("");

/** A policy that counts and keeps the requests that pass it. */
export function counter(name = "counter") {
  const requests = [];
  return { requests, name, sendRequest(request, next) { requests.push(request); return next(request); } };
}

/** A fetch that counts what it sends, for a client's `fetch`. */
export function counted() {
  const sent = [];
  return { sent, fetch: (url, init) => { sent.push({ url: String(url), headers: new Headers(init.headers), body: init.body }); return fetch(url, init); } };
}

export const chat = (client, body, options = {}) => client.path("/chat/completions").post({ body, ...options });
export const embed = (client, body, options = {}) => client.path("/embeddings").post({ body, ...options });
