// The house that run.mjs serves, as a test file sees it.

import { House } from "./house.mjs";

const told = process.env.SELO_E2E_HOUSE;
if (!told) throw new Error("run the tests with `node run.mjs`: it makes the house that they look at");

export const house = Object.assign(Object.create(House.prototype), JSON.parse(told));

let next = 0;
/** A diploma that no other test of this file touches; each file begins at a place of its own. */
export function freshCredential(from = 0) {
  const credential = house.credentials[from + next];
  next += 1;
  if (!credential) throw new Error("the house has no diploma left");
  return credential;
}
