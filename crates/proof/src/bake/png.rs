//! The chunks of a PNG (ISO/IEC 15948 §5): enough to put one text chunk in and to take one out.
//!
//! Every chunk's checksum is verified, so a damaged picture is called damaged and not empty.
//! Keywords are compared exactly. Image data is passed over, never decompressed.
//! Never here: a length that is believed before it is compared with the bytes present.

use std::io::Read as _;

use flate2::Crc;
use flate2::read::ZlibDecoder;

use super::{BakeError, MAX_CREDENTIAL_BYTES, MAX_INFLATE_RATIO};

const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a];
const KEYWORD: &[u8] = b"openbadgecredential";
const KEYWORD_OB2: &[u8] = b"openbadges";
const IHDR_BYTES: usize = 13;

/// A text chunk holds, beside the text, at most this much keyword, language tag and translated keyword.
const MAX_CHUNK_EXTRA_BYTES: usize = 1024;

/// The largest number of chunks: 10 MiB could hold 870,000 empty ones, a real picture has a few thousand.
const MAX_CHUNKS: usize = 100_000;

struct Chunk<'a> {
    kind: [u8; 4],
    data: &'a [u8],
    /// Length, kind, data and checksum as they stand in the file.
    whole: &'a [u8],
}

/// All chunks from `IHDR` to `IEND`. Bytes after `IEND` do not belong to the picture.
fn chunks(png: &[u8]) -> Result<Vec<Chunk<'_>>, BakeError> {
    let mut rest = png.strip_prefix(&SIGNATURE).ok_or(BakeError::Image("this is not a PNG"))?;
    let cut = BakeError::Image("it ends within a chunk");
    let mut chunks = Vec::new();
    loop {
        let (length, after) = rest.split_first_chunk::<4>().ok_or(cut.clone())?;
        let length = u32::from_be_bytes(*length) as usize;
        let (kind, after) = after.split_first_chunk::<4>().ok_or(cut.clone())?;
        let (data, after) = after.split_at_checked(length).ok_or(cut.clone())?;
        let (checksum, after) = after.split_first_chunk::<4>().ok_or(cut.clone())?;
        if checksum_of(kind, data) != *checksum {
            return Err(BakeError::Image("a chunk's checksum is wrong"));
        }
        let (whole, _) = rest.split_at_checked(length + 12).ok_or(cut.clone())?;
        chunks.push(Chunk { kind: *kind, data, whole });
        if chunks.len() > MAX_CHUNKS {
            return Err(BakeError::TooLarge("it has too many chunks"));
        }
        rest = after;
        if kind == b"IEND" {
            break;
        }
    }
    match chunks.first() {
        Some(first) if first.kind == *b"IHDR" && first.data.len() == IHDR_BYTES => Ok(chunks),
        _ => Err(BakeError::Image("it does not begin with a header")),
    }
}

fn checksum_of(kind: &[u8; 4], data: &[u8]) -> [u8; 4] {
    let mut checksum = Crc::new();
    checksum.update(kind);
    checksum.update(data);
    checksum.sum().to_be_bytes()
}

/// The keyword of a text chunk and what follows it.
fn keyword<'a>(chunk: &Chunk<'a>) -> Option<(&'a [u8], &'a [u8])> {
    if !matches!(&chunk.kind, b"iTXt" | b"tEXt" | b"zTXt") {
        return None;
    }
    split_zero(chunk.data)
}

fn split_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let (before, after) = bytes.split_at_checked(end)?;
    Some((before, after.get(1..)?))
}

pub(super) fn bake(png: &[u8], credential: &[u8]) -> Result<Vec<u8>, BakeError> {
    let chunks = chunks(png)?;
    // Compression flag 0, method 0, no language tag, no translated keyword.
    let mut data = KEYWORD.to_vec();
    data.extend_from_slice(&[0, 0, 0, 0, 0]);
    data.extend_from_slice(credential);
    let length = u32::try_from(data.len()).map_err(|_| BakeError::TooLarge("the credential is too long"))?;
    let mut baked = Vec::with_capacity(png.len() + data.len() + 12);
    baked.extend_from_slice(&SIGNATURE);
    for chunk in chunks {
        if keyword(&chunk).is_some_and(|(word, _)| word == KEYWORD) {
            continue;
        }
        baked.extend_from_slice(chunk.whole);
        if chunk.kind == *b"IHDR" {
            baked.extend_from_slice(&length.to_be_bytes());
            baked.extend_from_slice(b"iTXt");
            baked.extend_from_slice(&data);
            baked.extend_from_slice(&checksum_of(b"iTXt", &data));
        }
    }
    Ok(baked)
}

pub(super) fn extract(png: &[u8]) -> Result<Vec<u8>, BakeError> {
    let chunks = chunks(png)?;
    for wanted in [KEYWORD, KEYWORD_OB2] {
        for chunk in &chunks {
            if let Some((word, rest)) = keyword(chunk)
                && word == wanted
            {
                return text(chunk, rest);
            }
        }
    }
    Err(BakeError::NoCredential)
}

/// The text of a chunk, given what follows its keyword.
fn text(chunk: &Chunk<'_>, rest: &[u8]) -> Result<Vec<u8>, BakeError> {
    if chunk.data.len() > MAX_CREDENTIAL_BYTES + MAX_CHUNK_EXTRA_BYTES {
        return Err(BakeError::TooLarge("the credential exceeds 1 MiB"));
    }
    let malformed = BakeError::Image("the chunk with the credential is malformed");
    let (compressed, body) = match &chunk.kind {
        b"tEXt" => (false, rest),
        b"zTXt" => {
            let (method, body) = rest.split_first().ok_or(malformed.clone())?;
            if *method != 0 {
                return Err(malformed);
            }
            (true, body)
        }
        _ => {
            let ([flag, method], rest) = rest.split_first_chunk::<2>().ok_or(malformed.clone())?;
            if *flag > 1 || *method != 0 {
                return Err(malformed);
            }
            let (_language, rest) = split_zero(rest).ok_or(malformed.clone())?;
            let (_translated, body) = split_zero(rest).ok_or(malformed.clone())?;
            (*flag == 1, body)
        }
    };
    if compressed {
        return inflate(body);
    }
    if body.len() > MAX_CREDENTIAL_BYTES {
        return Err(BakeError::TooLarge("the credential exceeds 1 MiB"));
    }
    Ok(body.to_vec())
}

fn inflate(body: &[u8]) -> Result<Vec<u8>, BakeError> {
    let limit = MAX_CREDENTIAL_BYTES.min(body.len().saturating_mul(MAX_INFLATE_RATIO));
    let mut text = Vec::new();
    let mut stream = ZlibDecoder::new(body).take(limit as u64 + 1);
    stream.read_to_end(&mut text).map_err(|_| BakeError::Image("the compressed credential is damaged"))?;
    if text.len() > limit {
        return Err(BakeError::TooLarge("the compressed credential grows too much"));
    }
    Ok(text)
}
