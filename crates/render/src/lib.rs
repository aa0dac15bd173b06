//! From a template and a credential's fields to paper: one laid-out page, written as PNG, PDF or SVG.
//!
//! A template is one restricted SVG (`profile`). Text is laid out here, by whole numbers and with
//! bundled or uploaded fonts only, so that the server, the browser and next year's server give the
//! same page. What does not fit or cannot be drawn is an error that names box and character;
//! nothing is ever clipped. This crate reads no file, no clock, no network and no system font.

mod assets;
mod boxes;
mod error;
mod fixed;
pub mod fonts;
pub mod limits;
mod page;
mod pdf;
mod png;
mod profile;
mod qr;
mod references;
mod svg;
mod template;
mod text;
mod token;
mod values;
mod write;

pub use crate::{
    assets::{Assets, NoAssets},
    error::{CODES, Language, Place, Problem, RenderError},
    fixed::TICKS_PER_POINT,
    page::{Links, Page},
    pdf::{Attachment, PdfMeta, pdf},
    png::png,
    svg::svg,
    template::{Template, badge, diploma},
    text::{Glyph, LaidText, Line, Run},
};
