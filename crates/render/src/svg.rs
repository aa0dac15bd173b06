//! SVG: the page as one self-contained drawing, without fonts, scripts or references.
//!
//! Texts are outlines where our layout put them, so every viewer shows the same page; each group
//! carries its text as a title for those who listen. Images are inside. The result is for badges
//! and previews; the template itself is something else.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use resvg::tiny_skia::PathSegment;

use crate::{Page, assets::ImageKind, fixed::points, page::Filled, png::outline_path, template::Slot, write};

/// Writes the page as SVG.
pub fn svg(page: &Page) -> String {
    let template = &page.template;
    let unit = template.points_per_unit;
    let mut drawn = |index: usize, out: &mut String| match (template.slots.get(index), page.filled.get(index))
    {
        (Some(Slot::Text(text_box)), Some(Filled::Text(text))) => {
            let mut data = String::new();
            if let Some(path) = outline_path(text, &template.fonts) {
                path_data(&path, &mut data);
            }
            open_group(unit, text_box.own_transform.as_deref(), out);
            out.push_str("<title>");
            write::escape(&text.text, out);
            out.push_str("</title>");
            path_element(&data, text.fill, out);
            out.push_str("</g>");
        }
        (Some(Slot::Qr(qr)), Some(Filled::Qr(code))) => {
            let area = (qr.area.x, qr.area.y, qr.area.width, qr.area.height);
            open_group(unit, qr.own_transform.as_deref(), out);
            out.push_str("<title>");
            write::escape(&page.verify, out);
            out.push_str("</title>");
            path_element(&rectangle_data(&[area]), qr.light, out);
            path_element(&rectangle_data(&code.rectangles(&qr.area)), qr.dark, out);
            out.push_str("</g>");
        }
        _ => {}
    };
    let asset = |hash: &str| match template.images.get(hash) {
        Some(image) => {
            let media_type = match image.kind {
                ImageKind::Png => "image/png",
                ImageKind::Jpeg => "image/jpeg",
            };
            format!("data:{media_type};base64,{}", STANDARD.encode(image.bytes.as_slice()))
        }
        None => String::new(),
    };
    write::finished(&template.root, &mut drawn, &asset)
}

/// Opens a group in which lengths are points.
fn open_group(points_per_unit: f64, own: Option<&str>, out: &mut String) {
    out.push_str("<g");
    let scale = 1.0 / points_per_unit;
    let transform = match own {
        Some(own) => format!("{own} scale({scale})"),
        None => format!("scale({scale})"),
    };
    write::attribute("transform", &transform, out);
    out.push('>');
}

fn path_element(data: &str, [r, g, b]: [u8; 3], out: &mut String) {
    if data.is_empty() {
        return;
    }
    out.push_str("<path");
    write::attribute("d", data, out);
    write::attribute("fill", &format!("#{r:02x}{g:02x}{b:02x}"), out);
    out.push_str("/>");
}

fn rectangle_data(areas: &[(i64, i64, i64, i64)]) -> String {
    let mut out = String::new();
    for (x, y, width, height) in areas {
        out.push('M');
        number(points(*x), &mut out);
        out.push(' ');
        number(points(*y), &mut out);
        out.push('h');
        number(points(*width), &mut out);
        out.push('v');
        number(points(*height), &mut out);
        out.push('h');
        number(-points(*width), &mut out);
        out.push('z');
    }
    out
}

fn path_data(path: &resvg::tiny_skia::Path, out: &mut String) {
    let pair = |letter: Option<char>, point: resvg::tiny_skia::Point, out: &mut String| {
        out.push(letter.unwrap_or(' '));
        number(point.x, out);
        out.push(' ');
        number(point.y, out);
    };
    for segment in path.segments() {
        match segment {
            PathSegment::MoveTo(p) => pair(Some('M'), p, out),
            PathSegment::LineTo(p) => pair(Some('L'), p, out),
            PathSegment::QuadTo(p1, p) => {
                pair(Some('Q'), p1, out);
                pair(None, p, out);
            }
            PathSegment::CubicTo(p1, p2, p) => {
                pair(Some('C'), p1, out);
                pair(None, p2, out);
                pair(None, p, out);
            }
            PathSegment::Close => out.push('z'),
        }
    }
}

/// A number with at most three decimals and no trailing zeros.
fn number(value: f32, out: &mut String) {
    let start = out.len();
    // Writing into a String cannot fail.
    let _ = write!(out, "{value:.3}");
    let kept = out.trim_end_matches('0').trim_end_matches('.').len();
    out.truncate(kept.max(start + 1));
    if out.get(start..) == Some("-0") {
        out.truncate(start);
        out.push('0');
    }
}
