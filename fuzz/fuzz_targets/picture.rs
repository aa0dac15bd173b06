//! Baked PNG and SVG: what is put in comes out, and baking again leaves no trace of the first time.
#![no_main]

use fuzz::carriers::{SVG, mend, png, zlib};
use proof::bake::{self, BakeError, MAX_CREDENTIAL_BYTES};

const JSON: &[u8] = b"{\"type\":[\"VerifiableCredential\"],\"a\":\"]]>&<\"}";
const TOKEN: &[u8] = b"eyJhbGciOiJFZERTQSJ9.e30.c2ln";

type Bake = fn(&[u8], &[u8]) -> Result<Vec<u8>, BakeError>;
type Extract = fn(&[u8]) -> Result<Vec<u8>, BakeError>;

fn seeds() -> Vec<Vec<u8>> {
    let long = [b"openbadgecredential\0\x01\0\0\0".to_vec(), zlib(JSON)].concat();
    vec![
        png(&[(b"iTXt", long)]),
        png(&[(b"tEXt", [b"openbadges\0", TOKEN].concat())]),
        png(&[(b"zTXt", [b"openbadges\0\0".to_vec(), zlib(&vec![b' '; 100_000])].concat())]),
        bake::png_bake(&png(&[]), JSON).expect("a picture of ours"),
        SVG.to_vec(),
        bake::svg_bake(SVG, JSON).expect("a picture of ours"),
        bake::svg_bake(SVG, TOKEN).expect("a picture of ours"),
        b"<svg:svg xmlns:svg='http://www.w3.org/2000/svg' xmlns:openbadges='urn:x'><openbadges:assertion \
          xmlns:openbadges='http://openbadges.org' verify='https://a.example/1'/></svg:svg>"
            .to_vec(),
    ]
}

fn feed(bytes: &[u8], bake: Bake, extract: Extract) {
    if let Ok(found) = extract(bytes) {
        assert!(found.len() <= MAX_CREDENTIAL_BYTES);
    }
    let Ok(once) = bake(bytes, JSON) else { return };
    assert_eq!(extract(&once).as_deref(), Ok(JSON));
    if let Ok(again) = bake(&once, TOKEN) {
        assert_eq!(extract(&again).as_deref(), Ok(TOKEN));
        assert_eq!(bake(&again, JSON), Ok(once));
    }
}

fn check(bytes: &[u8]) {
    feed(bytes, bake::svg_bake, bake::svg_extract);
    feed(bytes, bake::png_bake, bake::png_extract);
    let mut mended = bytes.to_vec();
    mend(&mut mended);
    if mended != bytes {
        feed(&mended, bake::png_bake, bake::png_extract);
    }
}

fuzz::target!(seeds, check);
