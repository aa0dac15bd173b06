//! Which pixels of a grey picture are ink: darker than what surrounds them.
//!
//! Why by surroundings: a photograph has shadows and a gradient of light, and no one brightness parts ink from paper.
//! Never here: a window whose cost grows with its size.

use crate::picture::Grey;

/// Ink is at most so many sixteenths of the mean around it.
const INK_SIXTEENTHS: u32 = 15;
/// Where everything around is nearly black, nothing is ink.
const BLACK_MEAN: u32 = 8;

/// A picture of ink and paper.
pub(super) struct Dark {
    pub width: usize,
    pub height: usize,
    ink: Vec<bool>,
}

impl Dark {
    /// Compares each pixel with the mean of the square that reaches `radius` pixels to every side.
    pub fn new(grey: &Grey, radius: usize) -> Self {
        let (width, height) = (grey.width, grey.height);
        let row = |y: usize| grey.pixels.get(y * width..(y + 1) * width).unwrap_or_default();
        // For each column the sum of the rows of the window; it moves down with the window.
        let mut columns = vec![0u32; width];
        let mut tall = 0u32;
        let add = |columns: &mut [u32], y: usize| {
            for (sum, pixel) in columns.iter_mut().zip(row(y)) {
                *sum += u32::from(*pixel);
            }
        };
        let mut ink = Vec::with_capacity(width * height);
        for y in 0..radius.min(height) {
            add(&mut columns, y);
            tall += 1;
        }
        for y in 0..height {
            if y + radius < height {
                add(&mut columns, y + radius);
                tall += 1;
            }
            if let Some(gone) = (y.checked_sub(radius + 1)).filter(|gone| *gone < height) {
                for (sum, pixel) in columns.iter_mut().zip(row(gone)) {
                    *sum -= u32::from(*pixel);
                }
                tall -= 1;
            }
            let mut wide = u32::try_from(radius.min(width)).unwrap_or(u32::MAX);
            let mut sum: u64 = columns.iter().take(radius).map(|sum| u64::from(*sum)).sum();
            let entering = columns.iter().skip(radius).map(Some).chain(std::iter::repeat(None));
            let leaving = std::iter::repeat_n(None, radius + 1).chain(columns.iter().map(Some));
            for (pixel, (entering, leaving)) in row(y).iter().zip(entering.zip(leaving)) {
                if let Some(column) = entering {
                    sum += u64::from(*column);
                    wide += 1;
                }
                if let Some(column) = leaving {
                    sum -= u64::from(*column);
                    wide -= 1;
                }
                let area = u64::from(wide) * u64::from(tall);
                let is_ink = u64::from(*pixel) * 16 * area < sum * u64::from(INK_SIXTEENTHS)
                    && sum >= area * u64::from(BLACK_MEAN);
                ink.push(is_ink);
            }
        }
        Self { width, height, ink }
    }

    /// The pixels of a row; empty outside.
    pub fn row(&self, y: usize) -> &[bool] {
        self.ink.get(y * self.width..(y + 1) * self.width).unwrap_or_default()
    }

    /// Whether a pixel is ink; outside all is paper.
    pub fn at(&self, x: usize, y: usize) -> bool {
        x < self.width
            && self.ink.get(y.saturating_mul(self.width).saturating_add(x)).copied().unwrap_or(false)
    }

    /// Whether there is ink at a place between pixels.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "negative places were refused"
    )]
    pub fn near(&self, place: (f64, f64)) -> bool {
        let (x, y) = place;
        x >= 0.0 && y >= 0.0 && self.at(x as usize, y as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_that_of_the_window_cut_at_the_edges() {
        let (width, height) = (9, 7);
        let pixels: Vec<u8> = (0..width * height).map(|at| u8::try_from(at * 37 % 251).unwrap()).collect();
        let grey = Grey { width, height, pixels, whole: true };
        for radius in [1, 2, 3, 20] {
            let dark = Dark::new(&grey, radius);
            for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                let columns = x.saturating_sub(radius)..(x + radius + 1).min(width);
                let around: Vec<u64> = (y.saturating_sub(radius)..(y + radius + 1).min(height))
                    .flat_map(|row| columns.clone().map(move |column| (row, column)))
                    .map(|(row, column)| u64::from(grey.pixels[row * width + column]))
                    .collect();
                let (sum, area) = (around.iter().sum::<u64>(), around.len() as u64);
                let expected =
                    u64::from(grey.pixels[y * width + x]) * 16 * area < sum * 15 && sum >= area * 8;
                assert_eq!(dark.at(x, y), expected, "{x} {y} radius {radius}");
            }
        }
    }
}
