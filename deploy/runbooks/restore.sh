#!/bin/sh
# Yesterday's backup is in place again: bring back from a mirror of the log `ca` what was issued and revoked since.
# docs/runbooks/restore.md says when and why. The house must not be served. Without --do nothing is changed.
#
#   restore.sh [--do] MIRROR
set -eu

mode=look
if [ "${1:-}" = --do ]; then mode=do; shift; fi
mirror=${1:-}
if [ -z "$mirror" ]; then
    sed -n '2,5p' "$0" >&2
    exit 2
fi

change() {
    printf '+ %s\n' "$*"
    if [ "$mode" = do ]; then "$@"; fi
}

change selo pki replay --log "$mirror" || {
    ended=$?
    echo "Stopped. Where a root's list is lost, first: selo pki root request-crl, root sign, root accept" >&2
    echo "(docs/runbooks/restore.md). Then run this again: what was put back stays." >&2
    exit "$ended"
}
# A house whose log is shorter than what it signed once does not open.
change selo --set "audit.expect_checkpoint=$mirror/checkpoint" pki authorities
change selo log verify
change selo log mirror ca --out "$mirror"
