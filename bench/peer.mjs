// The peer of `cargo xtask bench`: @digitalbazaar/vc, warm, its contexts in memory, on one core.
//
// `node bench/peer.mjs issue|verify` measures for BENCH_SECONDS (2) after a warm-up, and prints one line of the
// bench protocol. BENCH_DOCUMENT names the signed credential that both sides work on, so that they do the same work.

import { existsSync, readFileSync } from "node:fs";
import { badge } from "../interop/lib/diplomas.mjs";
import { loader } from "../interop/lib/loader.mjs";
import { issue, issuer, judge } from "../interop/lib/stranger.mjs";

const WARM_SECONDS = 1.5;
const seconds = Number(process.env.BENCH_SECONDS ?? 2);
const what = process.argv[2];

const by = await issuer(new Uint8Array(32).fill(9));
const load = loader();
const given = process.env.BENCH_DOCUMENT;
const { proof: _proof, credentialStatus: _status, ...document } =
  given && existsSync(given) ? JSON.parse(readFileSync(given, "utf8")) : badge(1, by.did);
document.issuer = { ...document.issuer, id: by.did };
const signed = await issue(document, by, load);

const works = {
  issue: () => issue(document, by, load),
  verify: async () => {
    const { holds, reasons } = await judge(signed, load);
    if (!holds) throw new Error(reasons.join("; "));
  },
};
const work = works[what];
if (!work) {
  console.error("node bench/peer.mjs issue|verify");
  process.exit(2);
}

/** Works for a while; gives how often, and the CPU and wall microseconds it took. */
async function measure(length) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  let items = 0;
  while (performance.now() - start < length * 1000) {
    await work();
    items += 1;
  }
  const { user, system } = process.cpuUsage(cpu);
  return { items, cpu: user + system, wall: (performance.now() - start) * 1000 };
}

await measure(WARM_SECONDS);
const { items, cpu, wall } = await measure(seconds);
const bytes = JSON.stringify(signed).length;
const rate = ((items / wall) * 1e6).toFixed(0);
console.log(`bench: name=peer-${what} rate=${rate} cpu_us=${(cpu / items).toFixed(1)} items=${items} note="@digitalbazaar/vc, ${bytes} bytes, warm"`);
