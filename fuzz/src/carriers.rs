//! Pictures and PDFs written by hand, small and complete, and the mending of a PNG's checksums.

use std::io::Write as _;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

/// The smallest SVG with something in each kind of place.
pub const SVG: &[u8] =
    b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\" a='1'><!-- c --><g><t>&lt;</t></g></svg>";

/// Packed as PNG and PDF pack.
pub fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).expect("memory does not fail");
    encoder.finish().expect("memory does not fail")
}

/// A picture of one pixel with these text chunks behind its header.
pub fn png(texts: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.extend(chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]));
    for (kind, data) in texts {
        png.extend(chunk(kind, data));
    }
    png.extend(chunk(b"IDAT", &zlib(&[0, 255])));
    png.extend(chunk(b"IEND", &[]));
    png
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).expect("a small chunk").to_be_bytes();
    [&length[..], kind, data, &checksum(&[kind, data]).to_be_bytes()].concat()
}

fn checksum(parts: &[&[u8]]) -> u32 {
    let mut checksum = Crc::new();
    parts.iter().for_each(|part| checksum.update(part));
    checksum.sum()
}

/// Repairs the checksums of a PNG, so that changes reach what stands behind them.
pub fn mend(png: &mut [u8]) {
    let mut place = 8;
    while let Some(length) = png.get(place..place + 4) {
        let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        let end = place + 8 + length;
        let Some(sum) = png.get(place + 4..end).map(|body| checksum(&[body])) else { return };
        let Some(field) = png.get_mut(end..end + 4) else { return };
        field.copy_from_slice(&sum.to_be_bytes());
        place = end + 4;
    }
}

/// A PDF with a file attached, in the plainest form: table, catalog, specification, stream.
pub fn pdf(file: &[u8]) -> Vec<u8> {
    let catalog =
        "<< /Type /Catalog /Names << /EmbeddedFiles << /Names [(credential.json) 2 0 R] >> >> /AF [2 0 R] >>";
    let specification = "<< /Type /Filespec /F (credential.json) /UF (credential.json) /EF << /F 3 0 R >> >>";
    let objects = [catalog.into(), specification.into(), stream("/Filter /FlateDecode", &zlib(file))];
    let mut pdf = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut table = String::from("xref\n0 4\n0000000000 65535 f \n");
    for (index, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", pdf.len()));
        pdf.extend(format!("{} 0 obj\n", index + 1).bytes());
        pdf.extend(object);
        pdf.extend(b"\nendobj\n");
    }
    let start = pdf.len();
    pdf.extend(format!("{table}trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").bytes());
    pdf
}

/// The same as newer programs write it: objects in a stream, and the table in another, with its rows predicted.
pub fn packed_pdf(file: &[u8]) -> Vec<u8> {
    let catalog = "<< /Names << /EmbeddedFiles << /Names [(credential.json) 2 0 R] >> >> >>";
    let specification = "<< /F (credential.json) /EF << /F 3 0 R >> >>";
    let offsets = format!("1 0 2 {} ", catalog.len() + 1);
    let content = zlib(format!("{offsets}{catalog} {specification}").as_bytes());
    let mut pdf = b"%PDF-1.7\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in [
        (3, stream("/Filter /FlateDecode", &zlib(file))),
        (4, stream(&format!("/Type /ObjStm /N 2 /First {} /Filter [/FlateDecode]", offsets.len()), &content)),
    ] {
        places.push(pdf.len());
        pdf.extend(format!("{number} 0 obj\n").bytes());
        pdf.extend(object);
        pdf.extend(b"\nendobj\n");
    }
    let table = pdf.len();
    places.push(table);
    let mut rows = vec![[0, 0, 0, 255], [2, 0, 4, 0], [2, 0, 4, 1]];
    for place in places {
        let [high, low] = u16::try_from(place).unwrap_or(u16::MAX).to_be_bytes();
        rows.push([1, high, low, 0]);
    }
    let mut data = Vec::new();
    let mut above = [0_u8; 4];
    for row in rows {
        data.push(2);
        data.extend(row.iter().zip(above).map(|(byte, up)| byte.wrapping_sub(up)));
        above = row;
    }
    let dictionary = "/Type /XRef /Size 6 /W [1 2 1] /Root 1 0 R /Filter /FlateDecode \
                      /DecodeParms << /Predictor 12 /Columns 4 >>";
    pdf.extend(b"5 0 obj\n");
    pdf.extend(stream(dictionary, &zlib(&data)));
    pdf.extend(format!("\nendobj\nstartxref\n{table}\n%%EOF\n").bytes());
    pdf
}

fn stream(dictionary: &str, data: &[u8]) -> Vec<u8> {
    let head = format!("<< {dictionary} /Length {} >>\nstream\n", data.len());
    [head.as_bytes(), data, b"\nendstream"].concat()
}
