//! Pictures made by hand: codes on paper, photographs of them, and the files that cameras and screens make.
//!
//! The JPEG writer knows the standard's formulas and nothing of the reader: sequential, one grey or three colours.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "tests"
)]

use std::{f64::consts::PI, sync::LazyLock};

/// How strongly each wave shows in each pixel of a line of eight (T.81 §A.3.3).
static WAVES: LazyLock<[[f64; 8]; 8]> = LazyLock::new(|| {
    std::array::from_fn(|pixel| {
        std::array::from_fn(|wave| {
            let scale = if wave == 0 { 0.5f64.sqrt() } else { 1.0 };
            scale / 2.0 * ((2 * pixel + 1) as f64 * wave as f64 * PI / 16.0).cos()
        })
    })
});

/// Brightness, row by row.
#[derive(Clone)]
pub struct Sheet {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<u8>,
}

impl Sheet {
    pub fn new(width: usize, height: usize, brightness: u8) -> Self {
        Self { width, height, pixels: vec![brightness; width * height] }
    }

    /// A code with so many pixels for each module, its quiet zone included.
    pub fn of_code(code: &proof::qr::Qr, scale: usize) -> Self {
        let mut sheet =
            Self::new(code.width_with_quiet_zone() * scale, code.width_with_quiet_zone() * scale, 255);
        for y in 0..sheet.height {
            for x in 0..sheet.width {
                let module = |place: usize| (place / scale).checked_sub(proof::qr::QUIET_ZONE);
                if module(x).zip(module(y)).is_some_and(|(x, y)| code.is_dark(x, y)) {
                    sheet.pixels[y * sheet.width + x] = 20;
                }
            }
        }
        sheet
    }

    /// The brightness of any PNG.
    pub fn of_png(bytes: &[u8]) -> Self {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut buffer).unwrap();
        let grey = |pixel: &[u8]| match pixel {
            [grey] => *grey,
            [r, g, b, rest @ ..] => {
                let grey = (u32::from(*r) * 299 + u32::from(*g) * 587 + u32::from(*b) * 114) / 1_000;
                let alpha = u32::from(rest.first().copied().unwrap_or(255));
                ((grey * alpha + 255 * (255 - alpha)) / 255) as u8
            }
            _ => unreachable!(),
        };
        let pixels = buffer.chunks(info.color_type.samples()).map(grey).collect();
        Self { width: info.width as usize, height: info.height as usize, pixels }
    }

    pub fn put(&mut self, other: &Self, left: usize, top: usize) {
        for y in 0..other.height {
            let from = &other.pixels[y * other.width..(y + 1) * other.width];
            let start = (top + y) * self.width + left;
            self.pixels[start..start + other.width].copy_from_slice(from);
        }
    }

    /// Brightness between pixels; outside lies a grey table.
    fn between(&self, x: f64, y: f64) -> f64 {
        let at = |x: f64, y: f64| {
            let inside = x >= 0.0 && y >= 0.0 && (x as usize) < self.width && (y as usize) < self.height;
            if inside { f64::from(self.pixels[y as usize * self.width + x as usize]) } else { 90.0 }
        };
        let (left, top) = ((x - 0.5).floor(), (y - 0.5).floor());
        let (fx, fy) = (x - 0.5 - left, y - 0.5 - top);
        let upper = at(left, top) * (1.0 - fx) + at(left + 1.0, top) * fx;
        let lower = at(left, top + 1.0) * (1.0 - fx) + at(left + 1.0, top + 1.0) * fx;
        upper * (1.0 - fy) + lower * fy
    }

    /// As a camera sees it: turned, tilted, in light that falls from the left, with noise. The size is the picture's.
    pub fn photographed(&self, width: usize, height: usize, view: &View) -> Self {
        let mut photo = Self::new(width, height, 0);
        let (sin, cos) = view.degrees.to_radians().sin_cos();
        let scale = view.fills * (width as f64 / self.width as f64).min(height as f64 / self.height as f64);
        let mut seed = 12_345u64;
        for y in 0..height {
            for x in 0..width {
                let (dx, dy) = (x as f64 + 0.5 - width as f64 / 2.0, y as f64 + 0.5 - height as f64 / 2.0);
                let depth = 1.0 + view.tilt * (dx / width as f64 + 0.5 * dy / height as f64);
                let (dx, dy) = (dx * depth / scale, dy * depth / scale);
                let place = (
                    dx * cos + dy * sin + self.width as f64 / 2.0,
                    dy * cos - dx * sin + self.height as f64 / 2.0,
                );
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let noise = ((seed >> 33) as f64 / f64::from(1u32 << 31) - 0.5) * view.noise;
                let light = 1.0 - 0.4 * x as f64 / width as f64;
                let value = self.between(place.0, place.1) * light * 0.8 + 25.0 + noise;
                photo.pixels[y * width + x] = value.clamp(0.0, 255.0) as u8;
            }
        }
        photo
    }

    pub fn to_png(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Grayscale);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&self.pixels).unwrap();
        writer.finish().unwrap();
        file
    }

    /// A sequential JPEG; with colours, they are at half the size and grey throughout, as phones do.
    pub fn to_jpeg(&self, step: u8, colours: bool) -> Vec<u8> {
        let mut file = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
        file.extend([step; 64]);
        let size = [(self.height as u16).to_be_bytes(), (self.width as u16).to_be_bytes()].concat();
        let components: &[[u8; 3]] =
            if colours { &[[1, 0x22, 0], [2, 0x11, 0], [3, 0x11, 0]] } else { &[[1, 0x11, 0]] };
        let count = components.len() as u8;
        file.extend([0xff, 0xc0, 0, 8 + 3 * count, 8]);
        file.extend(size);
        file.push(count);
        file.extend(components.concat());
        // Codes of four bits for the sizes of means, of eight for everything else.
        file.extend([0xff, 0xc4, 0, 19 + 12, 0, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        file.extend(0..12u8);
        file.extend([0xff, 0xc4, 0, 19 + 162, 0x10, 0, 0, 0, 0, 0, 0, 0, 162, 0, 0, 0, 0, 0, 0, 0, 0]);
        let symbols: Vec<u8> = [0x00, 0xf0]
            .into_iter()
            .chain((0..16).flat_map(|zeros| (1..=10).map(move |size| zeros << 4 | size)))
            .collect();
        file.extend(&symbols);
        file.extend([0xff, 0xda, 0, 6 + 2 * count, count]);
        file.extend(components.iter().flat_map(|[id, ..]| [*id, 0]));
        file.extend([0, 63, 0]);
        let mut bits = BitWriter::default();
        let mut mean = 0;
        let unit = if colours { 2 } else { 1 };
        for top in (0..self.height).step_by(8 * unit) {
            for left in (0..self.width).step_by(8 * unit) {
                for block in 0..unit * unit {
                    let (x, y) = (left + block % unit * 8, top + block / unit * 8);
                    self.block(x, y, f64::from(step), &symbols, &mut mean, &mut bits);
                }
                for _ in 1..components.len() {
                    bits.put(0, 4);
                    bits.put(0, 8);
                }
            }
        }
        file.extend(bits.finish());
        file.extend([0xff, 0xd9]);
        file
    }

    fn block(&self, x: usize, y: usize, step: f64, symbols: &[u8], mean: &mut i32, bits: &mut BitWriter) {
        let waves = &*WAVES;
        let mut lines = [[0.0; 8]; 8];
        for (row, line) in lines.iter_mut().enumerate() {
            let from = (y + row).min(self.height - 1) * self.width;
            for (horizontal, value) in line.iter_mut().enumerate() {
                *value = (0..8)
                    .map(|column| {
                        let pixel = self.pixels[from + (x + column).min(self.width - 1)];
                        (f64::from(pixel) - 128.0) * waves[column][horizontal]
                    })
                    .sum();
            }
        }
        let coefficient = |vertical: usize, horizontal: usize| -> i32 {
            let sum: f64 = (0..8).map(|row| lines[row][horizontal] * waves[row][vertical]).sum();
            (sum / step).round() as i32
        };
        let value = coefficient(0, 0);
        let size = bits_of(value - *mean);
        bits.put(size, 4);
        bits.put_signed(value - *mean, size);
        *mean = value;
        let mut zeros = 0;
        for (vertical, horizontal) in zigzag().skip(1) {
            let value = coefficient(vertical, horizontal);
            if value == 0 {
                zeros += 1;
                continue;
            }
            let code =
                |symbol: u32| symbols.iter().position(|known| u32::from(*known) == symbol).unwrap() as u32;
            while zeros > 15 {
                bits.put(code(0xf0), 8);
                zeros -= 16;
            }
            let size = bits_of(value);
            bits.put(code(zeros << 4 | size), 8);
            bits.put_signed(value, size);
            zeros = 0;
        }
        if zeros > 0 {
            bits.put(0, 8);
        }
    }
}

/// Where the camera stands.
pub struct View {
    pub degrees: f64,
    pub tilt: f64,
    /// How much of the picture the sheet fills.
    pub fills: f64,
    pub noise: f64,
}

/// Diagonals up and down, from the coarsest wave to the finest.
fn zigzag() -> impl Iterator<Item = (usize, usize)> {
    (0..15usize).flat_map(|diagonal| {
        let places = (0..=diagonal).map(move |at| (at, diagonal - at)).filter(|(a, b)| *a < 8 && *b < 8);
        let mut places: Vec<_> = places.collect();
        if diagonal % 2 == 0 {
            places.reverse();
        }
        places
    })
}

fn bits_of(value: i32) -> u32 {
    32 - value.unsigned_abs().leading_zeros()
}

#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    held: u32,
    count: u32,
}

impl BitWriter {
    fn put(&mut self, value: u32, bits: u32) {
        for bit in (0..bits).rev() {
            self.held = self.held << 1 | (value >> bit & 1);
            self.count += 1;
            if self.count == 8 {
                self.bytes.push(self.held as u8);
                if self.held as u8 == 0xff {
                    self.bytes.push(0);
                }
                (self.held, self.count) = (0, 0);
            }
        }
    }

    fn put_signed(&mut self, value: i32, bits: u32) {
        let value = if value < 0 { value - 1 } else { value };
        self.put(value as u32 & ((1u32 << bits) - 1), bits);
    }

    fn finish(mut self) -> Vec<u8> {
        while self.count > 0 {
            self.put(1, 1);
        }
        self.bytes
    }
}
