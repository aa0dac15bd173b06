//! QR codes as one path: a few hundred rectangles would cost more than the rest of the page.
//!
//! Neighbouring dark modules of a row become one rectangle, all rectangles one path, filled once,
//! so that no hairlines show between them. The quiet zone of four modules is inside the box.
//! A code too dense for a phone is an error, never a smaller picture.

use fast_qr::{ECL, QRBuilder};

use crate::{
    RenderError,
    boxes::{Area, Correction, QrBox},
    error::Problem,
    fixed::TICKS_PER_POINT,
    limits::{LINK_BYTES_MAX, QR_MODULE_UM_MIN},
};

const QUIET_MODULES: i64 = 4;

/// A QR code: rows of neighbouring dark modules.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    /// Modules in a row, without the quiet zone.
    size: i64,
    /// Column, row and length of each stretch of dark modules.
    stretches: Vec<(i64, i64, i64)>,
}

impl Code {
    /// The dark rectangles in the box, in ticks: x, y, width, height.
    pub fn rectangles(&self, area: &Area) -> Vec<(i64, i64, i64, i64)> {
        let modules = self.size + 2 * QUIET_MODULES;
        // Edges lie at side * k / modules, so that neither gaps nor a rest appear.
        let edge = |start: i64, k: i64| start + area.width * (k + QUIET_MODULES) / modules;
        let rectangle = |(column, row, length): &(i64, i64, i64)| {
            let (left, right) = (edge(area.x, *column), edge(area.x, column + length));
            let (top, bottom) = (edge(area.y, *row), edge(area.y, row + 1));
            (left, top, right - left, bottom - top)
        };
        self.stretches.iter().map(rectangle).collect()
    }

    /// How many modules the box is wide, and the dark stretches in modules: x, y, length.
    pub fn modules(&self) -> (f32, impl Iterator<Item = (f32, f32, f32)>) {
        let across = small(self.size + 2 * QUIET_MODULES);
        let stretch = |(column, row, length): &(i64, i64, i64)| {
            (small(column + QUIET_MODULES), small(row + QUIET_MODULES), small(*length))
        };
        (across, self.stretches.iter().map(stretch))
    }

    /// The dark rectangles on whole pixels, all modules equal, in the middle of the square whose
    /// centre and side are given. `None` when a module is smaller than two pixels, and when it has four
    /// or more, where a grey edge no longer matters and the exact place does.
    pub fn pixels(&self, centre: (f32, f32), side: f32) -> Option<Vec<(f32, f32, f32, f32)>> {
        let modules = self.size + 2 * QUIET_MODULES;
        let exact = side / small(modules);
        if !(2.0..4.0).contains(&exact) {
            return None;
        }
        let module = exact.floor();
        let half = module * small(self.size) / 2.0;
        let (left, top) = ((centre.0 - half).round(), (centre.1 - half).round());
        let rectangle = |(column, row, length): &(i64, i64, i64)| {
            let (x, y) = (left + small(*column) * module, top + small(*row) * module);
            (x, y, small(*length) * module, module)
        };
        Some(self.stretches.iter().map(rectangle).collect())
    }
}

/// Numbers of modules are at most 177.
fn small(modules: i64) -> f32 {
    f32::from(i16::try_from(modules).unwrap_or(i16::MAX))
}

/// Encodes the link for the box.
pub(crate) fn encode(qr: &QrBox, box_id: &str, link: &str) -> Result<Code, RenderError> {
    let dense = || RenderError::from(Problem::QrTooDense { box_id: box_id.to_owned(), bytes: link.len() });
    if link.len() > LINK_BYTES_MAX {
        return Err(dense());
    }
    let level = match qr.correction {
        Correction::Low => ECL::L,
        Correction::Medium => ECL::M,
        Correction::Quartile => ECL::Q,
        Correction::High => ECL::H,
    };
    let code = QRBuilder::new(link).ecl(level).build().map_err(|_| dense())?;
    let size = i64::try_from(code.size).map_err(|_| dense())?;
    let modules = size + 2 * QUIET_MODULES;
    let um_per_module = qr.area.width * 25_400 / (modules * 72 * TICKS_PER_POINT);
    if um_per_module < QR_MODULE_UM_MIN {
        return Err(dense());
    }
    let mut stretches = Vec::new();
    for (row, modules) in (0..).zip(code.data.chunks(code.size.max(1)).take(code.size)) {
        let mut start: Option<i64> = None;
        let values = modules.iter().map(|module| module.value()).chain([false]);
        for (column, is_dark) in (0..).zip(values) {
            match (is_dark, start) {
                (true, None) => start = Some(column),
                (false, Some(first)) => {
                    stretches.push((first, row, column - first));
                    start = None;
                }
                _ => {}
            }
        }
    }
    Ok(Code { size, stretches })
}
