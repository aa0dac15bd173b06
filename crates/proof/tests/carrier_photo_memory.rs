//! The largest pictures stay within memory. A test of its own, because it measures the whole process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, reason = "tests")]

mod picture_support;

use picture_support::Sheet;
use proof::{picture::PictureError, qr};

/// What reading may add to the process, in KiB: the grey picture, its halves, what is ink, and coefficients.
const MEMORY_KIB_MAX: u64 = 64 * 1024;

/// The most memory that this process ever held, in KiB.
fn most() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// A white PNG of forty million pixels in four channels of sixteen bits, packed without ever standing in memory.
fn forty_million() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 8_000, 5_000);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Sixteen);
    encoder.set_deflate_compression(png::DeflateCompression::Level(1));
    let mut writer = encoder.write_header().unwrap();
    let mut stream = writer.stream_writer().unwrap();
    for _ in 0..5_000 {
        std::io::Write::write_all(&mut stream, &[0xff; 64_000]).unwrap();
    }
    stream.finish().unwrap();
    writer.finish().unwrap();
    file
}

/// A progressive JPEG of sixteen million pixels that says one thing about its first block.
fn progressive() -> Vec<u8> {
    let mut file = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
    file.extend([1; 64]);
    file.extend([0xff, 0xc2, 0, 11, 8, 0x0f, 0xa0, 0x0f, 0xa0, 1, 1, 0x11, 0]);
    file.extend([0xff, 0xc4, 0, 20, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    file.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0]);
    file.extend(vec![0; 4_000 / 8 * 4_000 / 8 / 8 + 1]);
    file.extend([0xff, 0xd9]);
    file
}

#[test]
fn the_largest_pictures_stay_within_memory() {
    let (png, jpeg) = (forty_million(), progressive());
    let baseline = Sheet::new(3_000, 2_000, 200).to_jpeg(20, true);
    let Some(before) = most() else {
        println!("NOT RUN: /proc/self/status is missing; this test measures memory on Linux");
        return;
    };
    for (name, picture) in [("png", png), ("progressive", jpeg), ("sequential", baseline)] {
        let read = qr::read(&picture);
        assert!(matches!(read, Ok(ref texts) if texts.is_empty()), "{name}: {read:?}");
        let grown = most().unwrap() - before;
        println!("{name}: {} bytes, grown by {grown} KiB", picture.len());
        assert!(grown < MEMORY_KIB_MAX, "{name}: {grown} KiB");
    }
    assert!(matches!(qr::read(b"GIF89a"), Err(PictureError::Kind(_))));
}
