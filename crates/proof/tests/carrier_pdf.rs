//! Credentials attached to PDFs: found in every permitted structure, refused with the right code otherwise.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod carrier_support;

use carrier_support::{packed, pdf, pdf_with_trailer, stream, with_attachment, zlib};
use lopdf::{Document, Object, SaveOptions, Stream, dictionary};
use proof::pdf::{MAX_PDF_BYTES, extract};

const JSON: &[u8] = b"{\"type\":[\"VerifiableCredential\"]}";

fn code(bytes: &[u8]) -> &'static str {
    extract(bytes).unwrap_err().code()
}

#[test]
fn the_attachment_is_found_plain_and_packed() {
    assert_eq!(extract(&with_attachment("credential.json", stream("", JSON))).unwrap(), JSON);
    let compressed = stream("/Filter /FlateDecode", &zlib(JSON));
    assert_eq!(extract(&with_attachment("credential.json", compressed)).unwrap(), JSON);
    assert_eq!(extract(&with_attachment("credential.jwt", stream("", b"a.b.c"))).unwrap(), b"a.b.c");
    let digits: String = zlib(JSON).iter().map(|byte| format!("{byte:02x} ")).collect();
    let filters = "/Filter [/ASCIIHexDecode /FlateDecode] /DecodeParms [null null]";
    let safe = stream(filters, format!("{digits}>").as_bytes());
    assert_eq!(extract(&with_attachment("credential.json", safe)).unwrap(), JSON);
    assert_eq!(extract(&packed(JSON, false)).unwrap(), JSON);
    assert_eq!(extract(&packed(JSON, true)).unwrap(), JSON);
}

#[test]
fn the_attachment_is_found_in_a_tree_of_names_and_among_associated_files_alone() {
    let tree = pdf(&[
        b"<< /Names 2 0 R >>".to_vec(),
        b"<< /EmbeddedFiles << /Kids [3 0 R 4 0 R] >> >>".to_vec(),
        b"<< /Limits [(a)(b)] /Names [(a) << /F (a) /EF << /F 6 0 R >> >> (b) null] >>".to_vec(),
        b"<< /Kids [5 0 R] >>".to_vec(),
        b"<< /Names [<FEFF0063> << /UF <FEFF00630072006500640065006E007400690061006C002E006A0073006F006E> /EF << /UF 7 0 R >> >>] >>".to_vec(),
        stream("", b"other"),
        stream("/Type /EmbeddedFile", JSON),
    ]);
    assert_eq!(extract(&tree).unwrap(), JSON);
    let associated = pdf(&[
        b"<< /AF 2 0 R >>".to_vec(),
        b"[3 0 R]".to_vec(),
        b"<< /F (cred\\145ntial\\\n.json) % a comment\n /EF << /F 4 0 R >> >>".to_vec(),
        stream("", JSON),
    ]);
    assert_eq!(extract(&associated).unwrap(), JSON);
}

#[test]
fn the_newest_update_of_a_file_counts() {
    let first = with_attachment("credential.json", stream("", b"old"));
    let previous = first.len() - b"\n%%EOF\n".len();
    let text = String::from_utf8_lossy(&first[..previous]).into_owned();
    let previous: usize = text.rsplit('\n').next().unwrap().parse().unwrap();
    let mut updated = first.clone();
    let offset = updated.len();
    updated.extend(b"3 0 obj\n");
    updated.extend(stream("", JSON));
    updated.extend(b"\nendobj\n");
    let start = updated.len();
    updated.extend(format!("xref\n3 1\n{offset:010} 00000 n \ntrailer\n<< /Size 4 /Root 1 0 R /Prev {previous} >>\nstartxref\n{start}\n%%EOF\n").bytes());
    assert_eq!(extract(&first).unwrap(), b"old");
    assert_eq!(extract(&updated).unwrap(), JSON);
    // A deleted object is gone even though an older table knows it.
    let mut deleted = first;
    let start = deleted.len();
    deleted.extend(format!("xref\n3 1\n0000000000 00001 f \ntrailer\n<< /Size 4 /Root 1 0 R /Prev {previous} >>\nstartxref\n{start}\n%%EOF\n").bytes());
    assert_eq!(code(&deleted), "PARSE_PDF");
}

#[test]
fn files_of_a_foreign_writer_are_read_in_both_of_its_forms() {
    let mut document = Document::with_version("1.7");
    let file = Stream::new(dictionary! { "Type" => "EmbeddedFile" }, JSON.to_vec());
    let file = document.add_object(file);
    let specification = document.add_object(dictionary! {
        "Type" => "Filespec",
        "F" => Object::string_literal("credential.json"),
        "EF" => dictionary! { "F" => file },
        "AFRelationship" => "Data",
    });
    let pages = document.add_object(dictionary! { "Type" => "Pages", "Kids" => vec![], "Count" => 0 });
    let names = vec![Object::string_literal("credential.json"), specification.into()];
    let catalog = document.add_object(dictionary! {
        "Type" => "Catalog",
        "Pages" => pages,
        "Names" => dictionary! { "EmbeddedFiles" => dictionary! { "Names" => names } },
    });
    document.trailer.set("Root", catalog);
    let options = SaveOptions::builder().use_object_streams(true).use_xref_streams(true).build();
    let mut modern = Vec::new();
    document.save_with_options(&mut modern, options).unwrap();
    assert_eq!(extract(&modern).unwrap(), JSON);
    document.compress();
    let mut classic = Vec::new();
    document.save_to(&mut classic).unwrap();
    assert_eq!(extract(&classic).unwrap(), JSON);
}

#[test]
fn a_foreign_reader_reads_our_test_files_too() {
    // Otherwise the tests above would only show that the reader and its tests share a mistake.
    for bytes in
        [with_attachment("credential.json", stream("", JSON)), packed(JSON, false), packed(JSON, true)]
    {
        let document = Document::load_mem(&bytes).unwrap();
        let catalog = document.catalog().unwrap();
        assert!(catalog.has(b"Names"));
        let file = document.get_object((3, 0)).unwrap().as_stream().unwrap();
        assert_eq!(file.get_plain_content().unwrap_or(file.content.clone()), JSON);
    }
}

#[test]
fn files_without_a_credential_and_unreadable_ones_have_their_codes() {
    assert_eq!(code(&with_attachment("invoice.xml", stream("", JSON))), "FORMAT_UNKNOWN");
    assert_eq!(code(&pdf(&[b"<< /Type /Catalog >>".to_vec()])), "FORMAT_UNKNOWN");
    assert_eq!(code(b""), "PARSE_PDF");
    assert_eq!(code(b"%PDF-1.7\n"), "PARSE_PDF");
    assert_eq!(code(&[b' '; 4096]), "PARSE_PDF");
    assert_eq!(code(&vec![b' '; MAX_PDF_BYTES + 1]), "FORMAT_TOO_LARGE");
    let objects = [b"<< /AF [] >>".to_vec()];
    let encrypted = pdf_with_trailer(&objects, "/Root 1 0 R /Encrypt << /Filter /Standard >>");
    let refused = extract(&encrypted).unwrap_err();
    assert_eq!(refused.code(), "PARSE_PDF");
    assert!(refused.to_string().contains("encrypted"));
    assert_eq!(code(&pdf_with_trailer(&objects, "/Root 9 0 R")), "PARSE_PDF");
    let wrong_number = String::from_utf8_lossy(&pdf(&objects)).replace("1 0 obj", "2 0 obj");
    assert_eq!(code(wrong_number.as_bytes()), "PARSE_PDF");
    let filter = stream("/Filter /LZWDecode", JSON);
    assert_eq!(code(&with_attachment("credential.json", filter)), "PARSE_PDF");
    let short = b"<< /Length 3 >>\nstream\n{\"a\":1}\nendstream".to_vec();
    assert_eq!(code(&with_attachment("credential.json", short)), "PARSE_PDF");
    let cut = with_attachment("credential.json", stream("", JSON));
    for end in 0..cut.len() - 7 {
        extract(&cut[..end]).unwrap_err();
    }
}
