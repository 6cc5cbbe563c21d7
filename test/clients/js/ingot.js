// Starts the real binary for a test file and ends it by its process id; makes the SDK's clients.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import createClient from "@azure-rest/ai-inference";
import { AzureKeyCredential } from "@azure/core-auth";
import { createSseStream } from "@azure/core-sse";
import OpenAI, { AzureOpenAI } from "openai";

export const KEY = "key-of-the-tests";

/** http or https: run.sh runs everything with each. */
export const SCHEME = process.env.INGOT_TEST_SCHEME ?? "http";

/** Where the openai SDK reaches OpenAI's doors and Azure OpenAI's. */
export const DOORS = { v1: "/v1", "openai-v1": "/openai/v1", azure: "/openai/deployments" };

/** A running `ingot serve` on a port that the kernel chose, in a data folder of its own with the authority that run.sh made. */
export class Ingot {
  /** Starts with these arguments, or the configuration in `config`, and with the engine and the models of INGOT_HOME where `models` says so. */
  static async start({ args = [], config, models = false }) {
    const server = new Ingot();
    server.folder = mkdtempSync(join(tmpdir(), "ingot-js-"));
    const home = join(server.folder, "home");
    mkdirSync(home, { mode: 0o700 });
    cpSync(process.env.INGOT_TEST_TLS, join(home, "tls"), { recursive: true });
    for (const part of models ? ["engine", "models"] : []) {
      symlinkSync(join(process.env.INGOT_HOME, part), join(home, part));
    }
    if (config) {
      const file = join(server.folder, "ingot.yaml");
      writeFileSync(file, config);
      args = ["--config", file];
    }
    server.log = join(server.folder, "ingot.log");
    const log = openSync(server.log, "w");
    server.process = spawn(process.env.INGOT_BIN, ["serve", "--tls", "auto", "--listen", "127.0.0.1:0", ...args], {
      env: { ...process.env, INGOT_KEY: KEY, INGOT_HOME: home },
      stdio: ["ignore", "pipe", log],
    });
    closeSync(log);
    server.exited = once(server.process, "exit");
    const limit = setTimeout(() => server.process.kill("SIGKILL"), 60_000);
    for await (const line of createInterface(server.process.stdout)) {
      server.url = / serves https?(:\S+)/.exec(line)?.[1].replace(/^/, SCHEME);
      break;
    }
    clearTimeout(limit);
    if (!server.url) {
      throw new Error(`ingot did not start: ${readFileSync(server.log)}`);
    }
    server.process.stdout.resume();
    return server;
  }

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

  /** Ends it as an operator does. */
  async stop() {
    const limit = setTimeout(() => this.process.kill("SIGKILL"), 15_000);
    this.process.kill("SIGTERM");
    const [code, signal] = await this.exited;
    clearTimeout(limit);
    if (code !== 0) {
      throw new Error(`ingot ended with ${code ?? signal}: ${readFileSync(this.log)}`);
    }
    rmSync(this.folder, { recursive: true });
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

export async function all(iterable) {
  const list = [];
  for await (const item of iterable) {
    list.push(item);
  }
  return list;
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
export const user = (content) => [{ role: "user", content }];
