#!/bin/sh
# Makes the bundled fonts again from Debian's package fonts-noto-core. Run in this folder; needs `pip install fonttools==4.68.0`.
# The same package and the same fonttools give the same bytes; the hashes stand in README.md and in src/fonts.rs.
set -eu
source="${1:-/usr/share/fonts/truetype/noto}"
european="U+0020-007E,U+00A0-024F,U+0259,U+02B0-02FF,U+0300-036F,U+0370-03FF,U+0400-052F,U+1E00-1EFF,U+1F00-1FFF,U+2000-206F,U+2070-209F,U+20A0-20C0,U+2100-214F,U+2190-2193,U+2212,U+25CC"
arabic="U+0020,U+00A0,U+0021,U+0028-0029,U+002C-002F,U+003A,U+00AB,U+00BB,U+0600-06FF,U+0750-077F,U+08A0-08FF,U+2000-200F,U+2010-2015,U+2018-201D,U+2026,U+25CC"
make() { # family ranges
  pyftsubset "$source/$1.ttf" --unicodes="$2" --output-file="$1.ttf" \
    --no-hinting --name-IDs='0,1,2,3,4,5,6,13,14' --name-languages='0x409' \
    --notdef-outline --no-recalc-timestamp --drop-tables+=DSIG,PfEd,FFTM
}
for face in NotoSerif-Regular NotoSerif-Bold NotoSerif-Italic NotoSans-Regular NotoSans-Bold NotoSerifDisplay-Regular NotoSerifDisplay-Italic; do
  make "$face" "$european"
done
for face in NotoNaskhArabic-Regular NotoNaskhArabic-Bold; do
  make "$face" "$arabic"
done
sha256sum ./*.ttf
