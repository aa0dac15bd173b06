#!/bin/sh
# A root ends, or its shares are lost: a new hierarchy takes its place in the same environment. The old one issues no
# more and answers until it has ended. docs/runbooks/expired-root.md says when and why. Without --do it is a rehearsal.
#
#   expired-root.sh [--do] ORDER FOLDER      ORDER: the ceremony's file, as for selo pki init --ceremony
set -eu

mode=look
if [ "${1:-}" = --do ]; then mode=do; shift; fi
order=${1:-} folder=${2:-}
if [ -z "$order" ] || [ -z "$folder" ]; then
    sed -n '2,5p' "$0" >&2
    exit 2
fi

look() { printf '+ %s\n' "$*"; "$@"; }

look selo pki authorities
if [ "$mode" = do ]; then
    look selo pki init --successor --ceremony "$order" --out "$folder"
    look selo pki authorities
    look selo log verify
else
    # A throw-away root, of which nothing is kept: shows that the order is right.
    look selo pki init --successor --ceremony "$order" --dry-run --out "$folder"
fi
