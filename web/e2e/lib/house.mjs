// A whole house for a test: made in a fresh home, served on free loopback ports, stopped by its process id.
//
// Uses Node alone, so that the strangers of interop/ can use it too. The binary is named by SELO_BIN; it sees none of
// our own variables. What a test makes lies in one folder, which goes when the house is closed.

import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const root = path.resolve(import.meta.dirname, "../../..");
const READY_WITHIN_MS = 20_000;
const STOP_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 25;
/** Tests come from one address and quickly: the limits per address are not what they test. */
const PATIENCE = { READ: "1000000", WRITE: "1000000", HEAVY: "1000000", ENTRY: "1000000" };

/** The binary under test. */
export function binary() {
  return process.env.SELO_BIN ?? path.join(root, "target", "debug", "selo");
}

/** The graduates of the demonstration: 24 good rows and a broken one. */
export const demoRows = path.join(root, "examples", "diplomas.csv");

/** A port that nobody listens on at this moment. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Waits until `look` gives something true. */
export async function until(look, within, what) {
  const start = performance.now();
  for (;;) {
    const found = await look();
    if (found) return { found, ms: performance.now() - start };
    if (performance.now() - start > within) throw new Error(`${what}: not within ${within} ms`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** Makes a house, serves it, and gives it a university; `rows` (a CSV file) are issued through the command line. */
export async function openHouse({ tenant = "Universidade de São Tomé e Príncipe", rows } = {}) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "selo-house-"));
  const [publicPort, adminPort] = [await freePort(), await freePort()];
  const house = new House(folder, publicPort, adminPort);
  try {
    const made = await house.run("init", "--public-url", house.publicUrl);
    house.entry = made.entry;
    await house.start();
    house.tenant = await house.run("tenant", "create", tenant);
    if (rows) {
      const issued = await house.run("issue", "--template", "diploma", "--rows", rows, "--out", path.join(folder, "out"));
      house.credentials = issued.credentials;
      house.failedRows = issued.failedRows;
    }
    return house;
  } catch (error) {
    error.message += `\n${await house.log()}`;
    await house.close();
    throw error;
  }
}

export class House {
  credentials = [];
  failedRows = [];

  constructor(folder, publicPort, adminPort) {
    this.folder = folder;
    this.home = path.join(folder, "home");
    // a browser takes cookies of `localhost` without TLS as secure, and those of an address not
    this.publicUrl = `http://localhost:${publicPort}`;
    this.adminUrl = `http://localhost:${adminPort}`;
    const { PATH, HOME, TMPDIR = os.tmpdir() } = process.env;
    this.environment = {
      PATH,
      HOME,
      TMPDIR,
      LANG: "en",
      SELO_HTTP_PUBLIC_LISTEN: `127.0.0.1:${publicPort}`,
      SELO_HTTP_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
    };
    for (const [rate, value] of Object.entries(PATIENCE)) this.environment[`SELO_HTTP_RATE_${rate}`] = value;
  }

  /** Runs a command of `selo` with --json; gives its one value, or throws with everything it said. */
  async run(...words) {
    const { code, stdout, stderr } = await this.ask(...words);
    if (code !== 0) throw new Error(`selo ${words.join(" ")} ended with ${code}\n${stdout}\n${stderr}`);
    return JSON.parse(stdout);
  }

  /** The same, but whatever its exit code. */
  async ask(...words) {
    const options = { env: this.environment, maxBuffer: 256 * 1024 * 1024 };
    try {
      const said = await promisify(execFile)(binary(), ["--home", this.home, "--json", ...words], options);
      return { code: 0, ...said };
    } catch (error) {
      if (typeof error.code !== "number") throw error;
      return { code: error.code, stdout: error.stdout, stderr: error.stderr };
    }
  }

  /** Serves, and waits until the house says that it is ready. */
  async start() {
    const words = ["--home", this.home, "serve"];
    this.said = [];
    this.process = spawn(binary(), words, { env: this.environment, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on("data", (data) => this.said.push(data));
    this.ended = new Promise((resolve) => this.process.once("exit", resolve));
    const ready = async () => {
      if (this.process.exitCode !== null) throw new Error(`selo serve ended with ${this.process.exitCode}`);
      return this.door("GET", "/readyz").then((answer) => answer.status === 200, () => false);
    };
    const { ms } = await until(ready, READY_WITHIN_MS, "selo serve is ready");
    return ms;
  }

  /** Asks the local door, where the caller is the house's owner. */
  async door(method, target, body, type = "application/json") {
    const bytes = body === undefined ? undefined : type === "application/json" ? JSON.stringify(body) : body;
    const headers = { host: "localhost", accept: "application/json" };
    if (bytes !== undefined) Object.assign(headers, { "content-type": type, "content-length": Buffer.byteLength(bytes) });
    const socketPath = path.join(this.home, "house.sock");
    return new Promise((resolve, reject) => {
      const request = http.request({ socketPath, method, path: target, headers }, (answer) => {
        const parts = [];
        answer.on("data", (part) => parts.push(part));
        answer.on("end", () => resolve({ status: answer.statusCode, body: Buffer.concat(parts) }));
      });
      request.once("error", reject);
      request.end(bytes);
    });
  }

  /** The `data` of the local door's answer. */
  async data(method, target, body, type) {
    const answer = await this.door(method, target, body, type);
    const text = answer.body.toString();
    if (answer.status >= 300) throw new Error(`${method} ${target}: ${answer.status} ${text.slice(0, 2000)}`);
    return JSON.parse(text).data;
  }

  /** Issues a table as a job, and gives the ids of what it issued, in order. */
  async issueTable(csv, template = "diploma") {
    const job = await this.data("POST", `/api/v1/batches?template=${template}`, csv, "text/csv");
    const done = async () => {
      const { state, ...rest } = await this.data("GET", `/api/v1/jobs/${job.id}`);
      if (state === "failed") throw new Error(`the job failed: ${JSON.stringify(rest)}`);
      return state === "done";
    };
    await until(done, 10 * 60_000, "the job is done");
    const ids = [];
    let token = "";
    do {
      const page = await this.data("GET", `/api/v1/jobs/${job.id}/rows?outcome=issued&limit=200${token}`);
      ids.push(...page.items.map((row) => row.credential));
      token = page.nextPageToken ? `&pageToken=${page.nextPageToken}` : "";
    } while (token);
    return ids;
  }

  /** A new one-time link for the administrator's browser. */
  async link() {
    return (await this.run("admin", "link")).entry;
  }

  /** Writes a file into the house's folder and gives its path. */
  async file(name, bytes) {
    const file = path.join(this.folder, name);
    await writeFile(file, bytes);
    return file;
  }

  /** What the served house said so far, its last lines. */
  async log() {
    return Buffer.concat(this.said ?? []).toString().split("\n").slice(-30).join("\n");
  }

  /** Stops serving, gently, then not. */
  async stop(signal = "SIGTERM") {
    if (!this.process || this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill(signal);
    const late = setTimeout(() => this.process.kill("SIGKILL"), STOP_WITHIN_MS);
    await this.ended;
    clearTimeout(late);
  }

  /** Stops, and removes everything. */
  async close() {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The signed credential in a file that the house wrote. */
export async function readCredential(file) {
  return JSON.parse(await readFile(file, "utf8"));
}
