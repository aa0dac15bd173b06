#!/bin/sh
# The token with an issuing authority's key is gone for good: nobody can sign its lists any more. Replace it and let its
# root withdraw it. docs/runbooks/lost-hsm.md says when and why. Without --do nothing is changed.
#
#   lost-hsm.sh [--do] ask AUTHORITY REQUEST [sealed|token]   where the new key is made; on the new token unless said
#   selo pki root sign REQUEST --share FILE --share FILE --out RESPONSE    where the shares are
#   lost-hsm.sh [--do] accept RESPONSE FOLDER
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
    authority=${2:?the authority, ca_…} request=${3:?the file to write} place=${4:-token}
    look selo pki authorities
    look selo pki revoke --all-of "$authority" --reason superseded --preview
    # Software is never used by itself: whoever wants it says so here.
    change selo pki revoke-authority "$authority" --reason cessationOfOperation --replace --keys "$place" \
        --because "the token with its key is lost" --out "$request"
    ;;
accept)
    response=${2:?the answer of the root} folder=${3:?where the new certificates go}
    change selo pki root accept "$response" --out "$folder"
    look selo pki authorities
    look selo log verify
    ;;
*)
    sed -n '2,7p' "$0" >&2
    exit 2
    ;;
esac
