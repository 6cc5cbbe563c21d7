// Preloaded into every process of the tests: nothing leaves this machine. Who dials another address gets an error, and the process
// fails in the end, whatever became of that error.

import net from "node:net";

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1|)$/;
const dialled = [];
const { connect } = net.Socket.prototype;

/** Where these arguments of connect lead: a host's name, or nothing for a socket of this machine. */
function host([first, second]) {
  if (typeof first === "object") {
    return first.path ? "" : first.host ?? "";
  }
  return Number.isNaN(Number(first)) || typeof second !== "string" ? "" : second;
}

net.Socket.prototype.connect = function (...args) {
  const name = host(Array.isArray(args[0]) ? args[0] : args);
  if (!LOOPBACK.test(name)) {
    dialled.push(name);
    throw new Error(`guard.js: tests do not dial ${name}`);
  }
  return connect.apply(this, args);
};

process.on("exit", () => {
  if (dialled.length > 0) {
    console.error(`guard.js: dialled ${[...new Set(dialled)].join(", ")}`);
    process.exitCode = 1;
  }
});
