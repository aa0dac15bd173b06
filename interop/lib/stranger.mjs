// The stranger: @digitalbazaar/vc, which knows nothing of Selo, judging and issuing with `eddsa-rdfc-2022`.

import { DataIntegrityProof } from "@digitalbazaar/data-integrity";
import * as Ed25519Multikey from "@digitalbazaar/ed25519-multikey";
import { cryptosuite } from "@digitalbazaar/eddsa-rdfc-2022-cryptosuite";
import * as vc from "@digitalbazaar/vc";
import { BitstringStatusList, checkStatus, createCredential } from "@digitalbazaar/vc-bitstring-status-list";

/** Judges a credential, its status too; gives whether it holds and, if not, why. */
export async function judge(credential, documentLoader) {
  const suite = new DataIntegrityProof({ cryptosuite });
  const options = { credential, suite, documentLoader };
  if (credential.credentialStatus) {
    // a diploma may carry several entries; their list is signed by the same issuer
    options.checkStatus = (asked) => checkStatus({ ...asked, suite: new DataIntegrityProof({ cryptosuite }) });
  }
  const result = await vc.verifyCredential(options);
  // The checker says whether the list could be believed; what the bit means is for its caller to say.
  const withdrawn = (result.statusResult?.results ?? []).some(({ status }) => status === true);
  const why = withdrawn ? [...reasons(result), "its status is withdrawn"] : reasons(result);
  return { holds: result.verified && !withdrawn, reasons: why };
}

function reasons(result) {
  const errors = [result.error, result.statusResult?.error, ...(result.error?.errors ?? [])].filter(Boolean);
  const status = result.statusResult && !result.statusResult.verified ? ["its status does not hold"] : [];
  return [...errors.map((error) => error.message), ...status];
}

/** A new issuer with a did:key; `seed` makes it the same every time. */
export async function issuer(seed) {
  const key = await Ed25519Multikey.generate(seed ? { seed } : {});
  key.controller = `did:key:${key.publicKeyMultibase}`;
  key.id = `${key.controller}#${key.publicKeyMultibase}`;
  return { did: key.controller, key, signer: key.signer() };
}

/** Signs a credential as that issuer. */
export async function issue(credential, { signer }, documentLoader) {
  const suite = new DataIntegrityProof({ signer, cryptosuite });
  return vc.issue({ credential: structuredClone(credential), suite, documentLoader });
}

/** A signed status list of that issuer in which the given places are set. */
export async function statusList(address, set, by, documentLoader) {
  const list = new BitstringStatusList({ length: 131_072 });
  for (const place of set) list.setStatus(place, true);
  const credential = await createCredential({ id: address, list, statusPurpose: "revocation" });
  return issue({ ...credential, issuer: by.did, validFrom: "2026-01-01T00:00:00Z" }, by, documentLoader);
}
