// Starts the real binary for a test file and ends it by its process id.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const KEY = "key-of-the-tests";

/** http or https: run.sh runs everything with each. */
export const SCHEME = process.env.INGOT_TEST_SCHEME ?? "http";

/** A running `ingot serve` on a port that the kernel chose, in a data folder of its own with the authority that run.sh made. */
export class Server {
  /** Starts with these arguments, or the configuration in `config`, and with the engine and the models of INGOT_HOME where `models` says so. */
  static async start({ args = [], config, models = false }) {
    const server = new this();
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

export async function all(iterable) {
  const list = [];
  for await (const item of iterable) {
    list.push(item);
  }
  return list;
}

/** Eight by eight red pixels. */
export const RED = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP8z4AdMOEQH6QSAM1BAQ/oQeJvAAAAAElFTkSuQmCC";

export const user = (content) => [{ role: "user", content }];

/** `note` keeps what an assertion has just seen: a client did an operation at an address, or does not, and why. `leave` writes it to INGOT_TEST_DOORS for ../table.py. */
export function results(name) {
  const rows = [];
  return {
    note: (client, address, operation, ...why) => rows.push([client, address, operation, ...why]),
    leave() {
      if (process.env.INGOT_TEST_DOORS) {
        writeFileSync(join(process.env.INGOT_TEST_DOORS, `${name}.json`), JSON.stringify(rows));
      }
    },
  };
}

/** What a client is called in the tables: its package, the version that is installed, the language. */
export function named(name) {
  const { version } = JSON.parse(readFileSync(join("node_modules", name, "package.json")));
  return `${name} ${version} (JavaScript)`;
}
