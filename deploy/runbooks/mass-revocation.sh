#!/bin/sh
# Many certificates at once are not to be trusted. docs/runbooks/mass-revocation.md says when and why.
# Without --do it says how many are meant and revokes none.
#
#   mass-revocation.sh [--do] REASON --all-of AUTHORITY    all that an authority signed
#   mass-revocation.sh [--do] REASON --key SHA256          all with a key
#   mass-revocation.sh [--do] REASON --file LIST           all that a file names, one in each line
set -eu

mode=look
if [ "${1:-}" = --do ]; then mode=do; shift; fi
if [ $# -ne 3 ]; then
    sed -n '2,7p' "$0" >&2
    exit 2
fi
reason=$1
shift

look() { printf '+ %s\n' "$*"; "$@"; }

look selo pki revoke "$@" --reason "$reason" --preview
if [ "$mode" = do ]; then
    look selo pki revoke "$@" --reason "$reason"
    # None is left.
    look selo pki revoke "$@" --reason "$reason" --preview
fi
