// The samples of examples/js, each in a process of its own, as their readers run them.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, symlinkSync } from "node:fs";
import { basename, delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";

import { Ingot, KEY, SCHEME } from "./ingot.js";

const FRANCE = "What is the capital of France?";
const LONG = /^Thoughts: The answer is what was said\.\nAnswer: A train leaves at 9:40 and rides for 95 minutes\. When does it arrive\?\n$/;

/** What each prints where the mock answers, which repeats what it is told. */
const PRINTS = {
  "async": `${FRANCE} ${FRANCE}\nWhat is the capital of Italy? What is the capital of Italy?\n`,
  "azure-openai": `${FRANCE}\n2 vectors of 384 numbers by mock-embedding\n`,
  "basic-chat": `${FRANCE}\nmock: 16 tokens in, 7 out\n`,
  "github-models": `${FRANCE}\n(mock)\n`,
  "history": "> What can I make of three eggs?\nWhat can I make of three eggs?\n(24 tokens in)\n> And without a pan?\nAnd without a pan?\n(43 tokens in)\n",
  "image-embeddings": /^mock-image-embedding: vectors of 384 numbers, cosine -?0\.\d{3}\n$/,
  "image-input": "What shape is this, and of which colour?\n",
  "model-info": "mock of Ingot: chat_completion\n",
  "streaming": "Tell me a very short story about a lighthouse.\n(10 tokens)\n",
  "structured-output": '"" takes 1 min and ""\n',
  "text-completion": "Once upon a time there was\n(mock, stop)\n",
  "tools": 'get_weather({"city":"","unit":"celsius"}) = {"city":"","sky":"clear","temperature":21}\nHow is the weather in Paris?\n',
};

/** What some print where smollm2 answers. */
const SAYS = {
  "basic-chat": /Paris[^]*\nsmollm2: \d+ tokens in, \d+ out\n$/,
  "model-info": /^smollm2 of .+: chat_completion\n$/,
  "streaming": /^[^]{40,}\n\(\d+ tokens\)\n$/,
  "structured-output": /^".+" takes \d+ min and ".*"\n$/,
  "text-completion": /^[^]+\n\(smollm2, length\)\n$/,
  "tools": /^get_weather\({.*"city": ?"Paris[^]*\n.+\n$/,
};

const config = `
models:
  smollm2: {local: smollm2, threads: 1, slots: 1, context: 2048, keep_alive: forever}
  minilm: {local: minilm, threads: 1, keep_alive: forever}
`;

let mock;
before(async () => { mock = await Ingot.start({ args: ["--mock"] }); });
after(() => mock.stop());

/** How a sample ends in this environment, with these arguments. */
async function start(name, env, args = []) {
  const process_ = spawn(process.execPath, [join("examples", "js", `${name}.js`), ...args], { env: { ...process.env, ...env }, timeout: 60_000 });
  const [stdout, stderr, code] = await Promise.all([text(process_.stdout), text(process_.stderr), new Promise((done) => process_.on("exit", done))]);
  return { stdout, stderr, code };
}

/** What a sample prints. */
async function run(name, endpoint, { args, ...env } = {}) {
  const { stdout, stderr, code } = await start(name, { INGOT_ENDPOINT: endpoint, INGOT_KEY: KEY, ...env }, args);
  assert.deepEqual([code, stderr], [0, ""]);
  return stdout;
}

const major = (version) => /\d+/.exec(version)[0];
const agree = (said, wanted) => (typeof wanted === "string" ? assert.equal(said, wanted) : assert.match(said, wanted));

test("every sample is run, with the packages that it names", () => {
  const names = readdirSync("examples/js").filter((file) => file.endsWith(".js")).map((file) => basename(file, ".js"));
  assert.deepEqual(names.sort(), [...Object.keys(PRINTS), "embedding-search", "entra", "reasoning", "tls"].sort());
  const { dependencies } = JSON.parse(readFileSync("examples/js/package.json"));
  for (const [name, range] of Object.entries(dependencies)) {
    assert.equal(major(range), major(JSON.parse(readFileSync("package.json")).dependencies[name]), name);
  }
});

describe("a sample says what it is to say:", () => {
  for (const [name, wanted] of Object.entries(PRINTS)) {
    test(name, async () => agree(await run(name, mock.url), wanted));
  }

  test("reasoning", async () => assert.match(await run("reasoning", `${mock.url}/deployments/mock-reasoning`), LONG));

  test("tls", async () => {
    symlinkSync(process.env.INGOT_BIN, join(mock.folder, "ingot"));
    const path = { PATH: mock.folder + delimiter + process.env.PATH, INGOT_HOME: join(mock.folder, "home"), NODE_EXTRA_CA_CERTS: "" };
    assert.equal(await run("tls", mock.url.replace(/^http:/, "https:"), path), `${FRANCE}\n`);
  });
});

// Whether there is TLS makes no difference to what a model says.
SCHEME === "http" && describe("a sample says with a real model what it is to say:", () => {
  let engine;
  before(async () => { engine = await Ingot.start({ config, models: true }); });
  after(() => engine.stop());

  for (const [name, wanted] of Object.entries(SAYS)) {
    test(name, async () => assert.match(await run(name, engine.url), wanted));
  }

  for (const [args, nearest] of [
    [[], "bicycle"],
    [["Why does the ocean come and go?"], "tides"],
    ["How do insects tell each other where food is?".split(" "), "bees"],
  ]) {
    test(`embedding-search ${args.join(" ")}`, async () => {
      const [asked, ...ranking] = (await run("embedding-search", engine.url, { args })).trimEnd().split("\n");
      assert.equal(asked, args.join(" ") || "How do I repair a flat tyre?");
      const scores = ranking.map((line) => Number(line.slice(0, 6)));
      assert.equal(ranking.length, readdirSync("examples/texts").length);
      assert.equal(ranking[0].slice(8), nearest);
      assert.deepEqual(scores, scores.toSorted((a, b) => b - a));
      assert.ok(scores[0] > scores[1] + 0.1);
    });
  }
});

test("without a key a sample says what to do", async () => {
  const { stdout, stderr, code } = await start("basic-chat", { INGOT_KEY: "" });
  assert.deepEqual([stdout, code], ["", 1]);
  assert.match(stderr, /^Set INGOT_KEY to a key/);
});

for (const name of ["basic-chat", "streaming", "reasoning", "azure-openai"]) {
  test(`a refusal is told in the endpoint's words by ${name}`, async () => {
    const { stderr, code } = await start(name, { INGOT_ENDPOINT: mock.url, INGOT_KEY: "wrong" });
    assert.equal(code, 1);
    assert.match(stderr, /Error: .*(auth token validation failed|subscription key)/i);
  });
}
