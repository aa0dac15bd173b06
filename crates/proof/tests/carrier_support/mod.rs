//! PDFs written by hand for the tests of the reader.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

pub fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// A stream object's text.
pub fn stream(dictionary: &str, data: &[u8]) -> Vec<u8> {
    let head = format!("<< {dictionary} /Length {} >>\nstream\n", data.len());
    [head.as_bytes(), data, b"\nendstream"].concat()
}

/// A PDF with these objects, numbered from 1, and a table; object 1 is the catalog.
pub fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    pdf_with_trailer(objects, "/Root 1 0 R")
}

pub fn pdf_with_trailer(objects: &[Vec<u8>], trailer: &str) -> Vec<u8> {
    let mut file = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        file.extend(format!("{} 0 obj\n", index + 1).bytes());
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    let start = file.len();
    let size = objects.len() + 1;
    file.extend(format!("xref\n0 {size}\n0000000000 65535 f \n").bytes());
    for offset in offsets {
        file.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    file.extend(format!("trailer\n<< /Size {size} {trailer} >>\nstartxref\n{start}\n%%EOF\n").bytes());
    file
}

/// Catalog, file specification and embedded file, in the plainest form.
pub fn with_attachment(name: &str, file: Vec<u8>) -> Vec<u8> {
    let catalog =
        format!("<< /Type /Catalog /Names << /EmbeddedFiles << /Names [({name}) 2 0 R] >> >> /AF [2 0 R] >>");
    let specification = format!("<< /Type /Filespec /F ({name}) /UF ({name}) /EF << /F 3 0 R >> >>");
    pdf(&[catalog.into_bytes(), specification.into_bytes(), file])
}

/// The same with object stream and cross-reference stream: objects 1 and 2 in stream 4, the file as object 3.
pub fn packed(file: &[u8], predictor: bool) -> Vec<u8> {
    let catalog = "<< /Names << /EmbeddedFiles << /Names [(credential.json) 2 0 R] >> >> >>";
    let specification = "<< /F (credential.json) /EF << /F 3 0 R >> >>";
    let offsets = format!("1 0 2 {} ", catalog.len() + 1);
    let content = zlib(format!("{offsets}{catalog} {specification}").as_bytes());
    let mut bytes = b"%PDF-1.7\n".to_vec();
    let third = bytes.len();
    bytes.extend(b"3 0 obj\n");
    bytes.extend(stream("/Filter /FlateDecode", &zlib(file)));
    bytes.extend(b"\nendobj\n");
    let fourth = bytes.len();
    bytes.extend(b"4 0 obj\n");
    let dictionary = format!("/Type /ObjStm /N 2 /First {} /Filter [/FlateDecode]", offsets.len());
    bytes.extend(stream(&dictionary, &content));
    bytes.extend(b"\nendobj\n");
    let fifth = bytes.len();
    let row = |kind: u8, second: usize, third: u8| {
        let second = u16::try_from(second).unwrap().to_be_bytes();
        [kind, second[0], second[1], third]
    };
    let rows =
        [row(0, 0, 255), row(2, 4, 0), row(2, 4, 1), row(1, third, 0), row(1, fourth, 0), row(1, fifth, 0)];
    let mut data = Vec::new();
    let mut above = [0u8; 4];
    for row in rows {
        if predictor {
            data.push(2);
            data.extend(row.iter().zip(above).map(|(byte, up)| byte.wrapping_sub(up)));
        } else {
            data.extend(row);
        }
        above = row;
    }
    bytes.extend(b"5 0 obj\n");
    let parameters = if predictor { "/DecodeParms << /Predictor 12 /Columns 4 >>" } else { "" };
    let dictionary = format!("/Type /XRef /Size 6 /W [1 2 1] /Root 1 0 R /Filter /FlateDecode {parameters}");
    bytes.extend(stream(&dictionary, &zlib(&data)));
    bytes.extend(format!("\nendobj\nstartxref\n{fifth}\n%%EOF\n").bytes());
    bytes
}
