//! A page: a template with one credential's texts and codes in their final places.
//!
//! It is the only thing that PNG, PDF and SVG are made from. Between the layers of the drawing,
//! which the template keeps parsed, stand the boxes. A page holds no reference to its data and
//! never changes.

use std::sync::Arc;

use crate::{
    boxes::Area,
    qr::Code,
    template::{Inner, Slot},
    text::LaidText,
};

/// Links that boxes and tokens may show.
#[derive(Debug, Clone, Copy)]
pub struct Links<'a> {
    /// The public page on which anyone can check the credential.
    pub verify: &'a str,
}

/// What a box became.
#[derive(Debug, Clone)]
pub(crate) enum Filled {
    Text(LaidText),
    Qr(Code),
}

/// A laid-out page.
#[derive(Debug, Clone)]
pub struct Page {
    pub(crate) template: Arc<Inner>,
    pub(crate) filled: Vec<Filled>,
    pub(crate) verify: String,
}

impl Page {
    /// The text boxes with their final sizes and positions, in the order in which they are drawn.
    pub fn texts(&self) -> impl Iterator<Item = &LaidText> {
        self.filled.iter().filter_map(|filled| match filled {
            Filled::Text(text) => Some(text),
            Filled::Qr(_) => None,
        })
    }

    /// Places of the QR codes: x, y and side, in ticks of the box's own space.
    pub fn codes(&self) -> impl Iterator<Item = (i64, i64, i64)> {
        self.template.slots.iter().filter_map(|slot| match slot {
            Slot::Qr(qr) => {
                let Area { x, y, width, .. } = qr.area;
                Some((x, y, width))
            }
            Slot::Text(_) => None,
        })
    }

    /// The template's digest: SHA-256 of its stored bytes.
    pub fn template_digest(&self) -> [u8; 32] {
        self.template.digest
    }
}
