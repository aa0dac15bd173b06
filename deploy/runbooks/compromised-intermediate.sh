#!/bin/sh
# The key of an issuing authority is in other hands: withdraw it, replace it, and let its root say so.
# docs/runbooks/compromised-intermediate.md says when and why. Without --do nothing is changed.
#
#   compromised-intermediate.sh [--do] ask AUTHORITY REQUEST      at the house: writes the file for the root
#   selo pki root show REQUEST; selo pki root sign REQUEST --share FILE --share FILE --out RESPONSE    where the shares are
#   compromised-intermediate.sh [--do] accept RESPONSE FOLDER     at the house: takes the answer in
set -eu

mode=look
if [ "${1:-}" = --do ]; then mode=do; shift; fi

look() { printf '+ %s\n' "$*"; "$@"; }
change() {
    printf '+ %s\n' "$*"
    if [ "$mode" = do ]; then "$@"; fi
}

case "${1:-}" in
ask)
    authority=${2:?the authority, ca_…} request=${3:?the file to write}
    look selo pki authorities
    # How many services need a new certificate once the root has answered.
    look selo pki revoke --all-of "$authority" --reason superseded --preview
    change selo pki revoke-authority "$authority" --reason caCompromise --replace \
        --because "its key is in other hands" --out "$request"
    ;;
accept)
    response=${2:?the answer of the root} folder=${3:?where the new certificates go}
    change selo pki root accept "$response" --out "$folder"
    look selo pki authorities
    # From now on relying parties that check lists refuse whatever the old one signed. Publish the lists where they look.
    change selo pki crl --out "$folder/lists"
    look selo log verify
    ;;
*)
    sed -n '2,8p' "$0" >&2
    exit 2
    ;;
esac
