// @digitalbazaar/vc judges every diploma that Selo issued: signature, form and status, with bundled contexts only.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { loader } from "../lib/loader.mjs";
import { judge } from "../lib/stranger.mjs";

const folder = process.env.SELO_INTEROP_DIR;
const house = process.env.SELO_INTEROP_URL;
const read = (file) => JSON.parse(readFileSync(file, "utf8"));
const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
const withdrawn = files.filter((file) => /\.(revoke|suspend)\.json$/.test(file));
const inForce = files.filter((file) => !withdrawn.includes(file));

/** Status lists beside the credentials, by the address that each gives itself. */
const lists = new Map();
const listFolder = path.join(folder, "status");
if (existsSync(listFolder)) {
  for (const file of readdirSync(listFolder)) {
    const list = read(path.join(listFolder, file));
    lists.set(list.id, list);
  }
}

test(`all ${inForce.length} diplomas in force are accepted, with their status`, async () => {
  assert.ok(inForce.length > 0, "there is no diploma to judge");
  const load = loader({ lists, house });
  const refused = [];
  for (const file of inForce) {
    const { holds, reasons } = await judge(read(path.join(folder, file)), load);
    if (!holds) refused.push(`${file}: ${reasons.join("; ")}`);
  }
  assert.deepEqual(refused, []);
  const asked = [...load.asked.keys()];
  assert.ok(asked.some((address) => address.includes("/status/")), "no status list was ever asked for");
});

test(`all ${withdrawn.length} revoked and suspended ones are refused because of their status`, async () => {
  const load = loader({ lists, house });
  for (const file of withdrawn) {
    const { holds, reasons } = await judge(read(path.join(folder, file)), load);
    assert.equal(holds, false, `${file} was accepted`);
    assert.ok(reasons.some((reason) => /status/i.test(reason)), `${file}: ${reasons.join("; ")}`);
  }
});

test("a diploma that was changed is refused, whatever was changed", async () => {
  const load = loader({ lists, house });
  const changes = {
    "the achievement's name": (one) => (one.credentialSubject.achievement.name += " "),
    "the issuer's name": (one) => (one.issuer.name = "Another"),
    "the beginning of its validity": (one) => (one.validFrom = "2001-01-01T00:00:00Z"),
    "its identifier": (one) => (one.id = "urn:uuid:00000000-0000-4000-8000-000000000000"),
    "the time of its proof": (one) => ((Array.isArray(one.proof) ? one.proof[0] : one.proof).created = "2001-01-01T00:00:00Z"),
  };
  for (const [what, change] of Object.entries(changes)) {
    const credential = read(path.join(folder, inForce[0]));
    change(credential);
    const { holds } = await judge(credential, load);
    assert.equal(holds, false, `${what} was changed and nobody noticed`);
  }
});
