// What a stranger may load: the contexts that Selo bundles, did:key documents, and the status lists of the running house.
//
// Everything else is refused by name, so that a test can never pass because the network helped.

import { readFileSync } from "node:fs";
import path from "node:path";

const contextsFolder = path.resolve(import.meta.dirname, "../../crates/proof/contexts");
const table = path.resolve(import.meta.dirname, "../../crates/proof/src/ld/contexts.rs");
const MULTIKEY = "https://w3id.org/security/multikey/v1";
const DID = "https://www.w3.org/ns/did/v1";

/** The bundled contexts by address, as the program itself lists them. */
export const contexts = readContexts();

function readContexts() {
  const found = new Map();
  for (const [, address, file] of readFileSync(table, "utf8").matchAll(/"(https:\/\/[^"]+)",\s*"([^"]+\.json(?:ld)?)",\s*"[0-9a-f]{64}"/g)) {
    found.set(address, JSON.parse(readFileSync(path.join(contextsFolder, file), "utf8")));
  }
  if (found.size < 10) throw new Error(`only ${found.size} bundled contexts found in ${table}`);
  return found;
}

/** A controller document of a did:key with an Ed25519 key, or the one method in it. */
function didKey(address) {
  const [did, fragment] = address.split("#");
  const multibase = did.slice("did:key:".length);
  const id = `${did}#${multibase}`;
  const method = { id, type: "Multikey", controller: did, publicKeyMultibase: multibase };
  if (fragment) return { "@context": MULTIKEY, ...method };
  return { "@context": [DID, MULTIKEY], id: did, verificationMethod: [method], assertionMethod: [id] };
}

/**
 * A loader for one judgement or many. `lists` are status lists by address; `house` is the address under which a running
 * house serves further ones. What was asked for is kept in `asked`.
 */
export function loader({ lists = new Map(), house } = {}) {
  const asked = new Map();
  const fetched = new Map();
  const load = async (address) => {
    asked.set(address, (asked.get(address) ?? 0) + 1);
    let document = contexts.get(address) ?? lists.get(address);
    if (!document && address.startsWith("did:key:")) document = didKey(address);
    if (!document && house && address.startsWith(`${house}/status/`)) {
      if (!fetched.has(address)) {
        const answer = await fetch(address);
        if (!answer.ok) throw new Error(`${address} answers ${answer.status}`);
        fetched.set(address, await answer.json());
      }
      document = fetched.get(address);
    }
    if (!document) throw new Error(`a stranger may not load ${address}`);
    return { contextUrl: null, documentUrl: address, document };
  };
  load.asked = asked;
  return load;
}
