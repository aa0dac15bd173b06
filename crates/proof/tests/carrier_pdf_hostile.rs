//! Hostile PDFs: each is refused (or read) within two seconds and less than 64 MiB of memory, without a panic.
//! One test, so that nothing else in the process disturbs the measurement.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod carrier_support;

use std::time::{Duration, Instant};

use carrier_support::{pdf, pdf_with_trailer, stream, with_attachment, zlib};
use proof::pdf::extract;

const MIB: usize = 1024 * 1024;

/// A figure of the process's memory in KiB; none where the system does not say.
fn memory_kib(figure: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(figure))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Takes what the allocator kept from making the file, so that all that reading it needs shows as growth.
fn fill_free_memory() -> Vec<Vec<u8>> {
    let mut filling = Vec::new();
    let Some(before) = memory_kib("VmRSS:") else {
        return filling;
    };
    while memory_kib("VmRSS:").is_some_and(|now| now < before + 2048) {
        filling.extend((0..64).map(|_| vec![1; 4096]));
    }
    filling
}

fn bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// A catalog whose attachment list is this object.
fn listing(list: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let catalog = bytes("<< /Names << /EmbeddedFiles 2 0 R >> >>");
    pdf(&[&[catalog, bytes(list)], more].concat())
}

/// A file that ends in this cross-reference part, which stands at the given offset.
fn ending(body: &str, start: usize) -> Vec<u8> {
    format!("{body}\nstartxref\n{start}\n%%EOF\n").into_bytes()
}

fn xref_stream(dictionary: &str, data: &[u8]) -> Vec<u8> {
    let mut file = bytes("%PDF-1.7\n1 0 obj\n");
    file.extend(stream(dictionary, data));
    file.extend(b"\nendobj\nstartxref\n9\n%%EOF\n");
    file
}

/// One object stream of this content, which is to hold the catalog as its last object.
fn object_stream(dictionary: &str, data: &[u8]) -> Vec<u8> {
    let mut file = bytes("%PDF-1.7\n");
    let second = file.len();
    file.extend(b"2 0 obj\n");
    file.extend(stream(dictionary, data));
    file.extend(b"\nendobj\n");
    let third = file.len();
    let mut rows = vec![0, 0, 0, 0, 0, 2, 0, 0, 2, 0];
    for offset in [second, third] {
        rows.push(1);
        rows.extend(u32::try_from(offset).unwrap().to_be_bytes()[1..].to_vec());
        rows.push(0);
    }
    file.extend(b"3 0 obj\n");
    file.extend(stream("/Type /XRef /Size 4 /W [1 3 1] /Root 1 0 R", &rows));
    file.extend(format!("\nendobj\nstartxref\n{third}\n%%EOF\n").bytes());
    file
}

/// A name and how its file is made, so that only one exists at a time.
type Case = (&'static str, Box<dyn FnOnce() -> Vec<u8>>);

fn case(name: &'static str, file: impl FnOnce() -> Vec<u8> + 'static) -> Case {
    (name, Box::new(file))
}

fn zeros() -> Vec<u8> {
    zlib(&vec![0; 60 * MIB])
}

fn updates(count: usize) -> Vec<u8> {
    let mut file = bytes("%PDF-1.7\n");
    let mut previous = 0;
    for _ in 0..count {
        let here = file.len();
        file.extend(format!("xref\n0 0\ntrailer\n<< /Prev {previous} >>\n").bytes());
        previous = here;
    }
    [file, ending("", previous)].concat()
}

fn cases() -> Vec<Case> {
    let kids = |count: usize| format!("<< /Kids [{}] >>", "2 0 R ".repeat(count));
    let large = 24 * MIB;
    vec![
        case("nested arrays", move || listing(&"[".repeat(large), &[])),
        case("nested dictionaries", move || listing(&"<</K ".repeat(large / 5), &[])),
        case("nested brackets in a string", move || listing(&"(".repeat(large), &[])),
        case("an endless string", move || listing(&format!("({}", "a".repeat(large)), &[])),
        case("an endless hexadecimal string", move || listing(&format!("<{}", "a".repeat(large)), &[])),
        case("an endless name", move || listing(&format!("/{}", "a".repeat(large)), &[])),
        case("an endless number", move || listing(&"9".repeat(large), &[])),
        case("an endless comment", move || listing(&"%".repeat(large), &[])),
        case("endless white space", move || listing(&" ".repeat(large), &[])),
        case("an array of twelve million numbers", move || {
            listing(&format!("[{}]", "0 ".repeat(large / 2)), &[])
        }),
        case("an array of half-references", move || listing(&format!("[{}]", "1 0 ".repeat(large / 4)), &[])),
        case("a dictionary of a million keys", move || listing(&format!("<<{}>>", "/a 0 ".repeat(MIB)), &[])),
        case("a tree that holds itself", move || listing("<< /Kids [2 0 R] >>", &[])),
        case("a tree that holds itself many times", move || listing(&kids(1000), &[])),
        case("a tree that holds itself too many times", move || listing(&kids(100_000), &[])),
        case("a reference to itself", move || listing("2 0 R", &[])),
        case("a circle of references", move || listing("3 0 R", &[bytes("2 0 R")])),
        case("a million attachments", move || {
            listing(&format!("<< /Names [{}] >>", "(a)<</EF<</F 1 0 R>>>>".repeat(MIB)), &[])
        }),
        case("attachments that each read a large object", move || {
            listing(
                &format!("<< /Names [{}] >>", "(a) 3 0 R ".repeat(1000)),
                &[bytes(&format!("<< /Pad [{}] >>", "0 ".repeat(MIB)))],
            )
        }),
        case("an attachment that inflates to 60 MiB", move || {
            with_attachment("credential.json", stream("/Filter /FlateDecode", &zeros()))
        }),
        case("an attachment of 2 MiB", move || {
            with_attachment("credential.json", stream("", &vec![b' '; 2 * MIB]))
        }),
        case("an attachment packed twice", move || {
            with_attachment("credential.json", stream("/Filter [/FlateDecode /FlateDecode]", &zlib(&zeros())))
        }),
        case("an attachment of endless digits", move || {
            with_attachment(
                "credential.json",
                stream("/Filter [/ASCIIHexDecode /FlateDecode]", &b"00".repeat(8 * MIB)),
            )
        }),
        case("a length that is its own stream", move || {
            with_attachment("credential.json", bytes("<< /Length 3 0 R >>\nstream\n\nendstream"))
        }),
        case("a length past the end", move || {
            with_attachment("credential.json", bytes("<< /Length 99999999999 >>\nstream\n\nendstream"))
        }),
        case("the largest length", move || {
            with_attachment(
                "credential.json",
                bytes("<< /Length 18446744073709551615 >>\nstream\n\nendstream"),
            )
        }),
        case("a table that leads to itself", move || {
            let body = "%PDF-1.7\nxref\n0 0\ntrailer\n<< /Prev 9 >>";
            ending(body, 9)
        }),
        case("two thousand updates", move || updates(2000)),
        case("a table of four thousand million entries", move || ending("%PDF-1.7\nxref\n0 4294967295\n", 9)),
        case("a table with the largest numbers", move || {
            ending("%PDF-1.7\nxref\n18446744073709551615 18446744073709551615\n", 9)
        }),
        case("a table of a million runs", move || {
            ending(&format!("%PDF-1.7\nxref\n{}", "0 0\n".repeat(MIB)), 9)
        }),
        case("a pointer past the end", move || ending("%PDF-1.7\n", 99_999_999)),
        case("a table that hides its own stream", move || {
            ending("%PDF-1.7\nxref\n0 0\ntrailer\n<< /XRefStm 9 >>", 9)
        }),
        case("a cross-reference stream that inflates to 60 MiB", move || {
            xref_stream("/Type /XRef /Size 9 /W [1 3 1] /Root 1 0 R /Filter /FlateDecode", &zeros())
        }),
        case("a cross-reference stream of widths zero", move || {
            xref_stream("/Type /XRef /Size 99999999 /W [0 0 0] /Root 1 0 R", b"")
        }),
        case("a cross-reference stream of the largest size", move || {
            xref_stream("/Type /XRef /Size 9223372036854775807 /W [8 8 8] /Root 1 0 R", b"")
        }),
        case("a cross-reference stream of a hundred thousand runs", move || {
            xref_stream(
                &format!("/Type /XRef /Index [{}] /W [1 1 1] /Root 1 0 R", "0 0 ".repeat(100_000)),
                b"",
            )
        }),
        case("a cross-reference stream that predicts hugely", move || {
            xref_stream(
                "/Type /XRef /Size 9 /W [1 3 1] /Root 1 0 R /Filter /FlateDecode /DecodeParms << /Predictor 15 /Columns 9223372036854775807 >>",
                &zlib(&[0; 64]),
            )
        }),
        case("an object stream that inflates to 60 MiB", move || {
            object_stream("/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode", &zlib(&vec![b' '; 60 * MIB]))
        }),
        case("an object stream of a million objects", move || {
            object_stream(
                "/Type /ObjStm /N 1000000 /First 4 /Filter /FlateDecode",
                &zlib("1 0 ".repeat(MIB).as_bytes()),
            )
        }),
        case("an object stream in itself", move || {
            object_stream("/Type /ObjStm /N 1 /First 4 /Extends 2 0 R", b"1 0 1 0 R")
        }),
        case("an object stream of deep arrays", move || {
            object_stream(
                "/Type /ObjStm /N 1 /First 4",
                [bytes("1 0 "), vec![b'['; 5 * MIB]].concat().as_slice(),
            )
        }),
        case("a file of nothing but markers", move || b"startxref ".repeat(large / 10)),
        case("many headers", move || [b"%PDF-".repeat(large / 5), ending("", 0)].concat()),
        case("a trailer without end", move || pdf_with_trailer(&[bytes("<< >>")], &"<< /a ".repeat(MIB))),
    ]
}

#[test]
fn hostile_files_cost_little_time_and_memory() {
    for (name, make) in cases() {
        let file = make();
        let filling = fill_free_memory();
        // The largest resident memory so far is forgotten here, so that it shows this one reading.
        let measured = std::fs::write("/proc/self/clear_refs", "5").is_ok();
        let before = memory_kib("VmRSS:").filter(|_| measured);
        let start = Instant::now();
        let result = extract(&file);
        let elapsed = start.elapsed();
        let grown = memory_kib("VmHWM:").zip(before).map(|(after, before)| after.saturating_sub(before));
        drop(filling);
        let outcome = match &result {
            Ok(found) => format!("{} bytes", found.len()),
            Err(error) => error.code().to_owned(),
        };
        println!("{name}: {outcome}, {elapsed:?}, {grown:?} KiB more");
        assert!(result.is_err(), "{name}: {outcome}");
        assert!(elapsed < Duration::from_secs(2), "{name}: {elapsed:?}");
        assert!(grown.unwrap_or(0) < 64 * 1024, "{name}: {grown:?} KiB");
    }
}
