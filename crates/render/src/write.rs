//! Writing the tree back as text: the canonical form, the layers of the drawing, the final SVG.
//!
//! All three use one writer, so that what is stored, what is drawn and what is handed out cannot
//! differ. Attributes come in alphabetical order, nothing stands between elements, and every
//! value is escaped. Reading the canonical form gives the same bytes again.

use crate::{
    profile::{Child, Element, RawBox, SVG},
    values,
};

/// The stored form of a template.
pub(crate) fn canonical(root: &Element) -> String {
    let mut out = String::new();
    canonical_element(root, true, &mut out);
    out
}

fn canonical_element(element: &Element, is_root: bool, out: &mut String) {
    open(element, is_root, out);
    if element.children.is_empty() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    for child in &element.children {
        match child {
            Child::Element(child) => canonical_element(child, false, out),
            Child::Box(boxed) => canonical_box(boxed, out),
        }
    }
    close(element, out);
}

fn canonical_box(boxed: &RawBox, out: &mut String) {
    out.push_str("<g");
    for (name, value) in &boxed.attributes {
        attribute(name, value, out);
    }
    if boxed.text.is_empty() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    escape(&boxed.text, out);
    out.push_str("</g>");
}

fn open(element: &Element, is_root: bool, out: &mut String) {
    out.push('<');
    out.push_str(element.name);
    if is_root {
        attribute("xmlns", SVG, out);
    }
    for (name, value) in &element.attributes {
        attribute(name, value, out);
    }
}

fn close(element: &Element, out: &mut String) {
    out.push_str("</");
    out.push_str(element.name);
    out.push('>');
}

pub(crate) fn attribute(name: &str, value: &str, out: &mut String) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    escape(value, out);
    out.push('"');
}

pub(crate) fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
}

/// The drawing between box `layer - 1` and box `layer`, as the inside of an `svg` element.
/// `None` when nothing is drawn there.
pub(crate) fn layer(root: &Element, layer: usize) -> Option<String> {
    let mut boxes_seen = 0;
    let mut out = String::new();
    let mut draws = false;
    for child in &root.children {
        match child {
            Child::Box(_) => boxes_seen += 1,
            Child::Element(child) => {
                draws |= layer_element(child, layer, &mut boxes_seen, &mut out);
            }
        }
    }
    draws.then_some(out)
}

/// Writes what belongs to the layer; answers whether anything is drawn by it.
fn layer_element(element: &Element, layer: usize, boxes_seen: &mut usize, out: &mut String) -> bool {
    if element.name == "defs" {
        canonical_element(element, false, out);
        return false;
    }
    if element.name != "g" {
        let here = *boxes_seen == layer;
        if here {
            canonical_element(element, false, out);
        }
        return here;
    }
    let mut inside = String::new();
    let mut draws = false;
    for child in &element.children {
        match child {
            Child::Box(_) => *boxes_seen += 1,
            Child::Element(child) => draws |= layer_element(child, layer, boxes_seen, &mut inside),
        }
    }
    if !inside.is_empty() {
        open(element, false, out);
        out.push('>');
        out.push_str(&inside);
        close(element, out);
    }
    draws
}

/// A layer as a whole SVG whose unit is the point, for the tree that PNG and PDF share.
pub(crate) fn layer_document(inside: &str, view_box: &str, width: f32, height: f32) -> String {
    let mut out = String::with_capacity(inside.len() + 200);
    out.push_str("<svg");
    attribute("xmlns", SVG, &mut out);
    attribute("width", &width.to_string(), &mut out);
    attribute("height", &height.to_string(), &mut out);
    attribute("viewBox", view_box, &mut out);
    attribute("preserveAspectRatio", "none", &mut out);
    out.push('>');
    out.push_str(inside);
    out.push_str("</svg>");
    out
}

/// The finished drawing: boxes replaced by what `drawn` writes for them, assets by `asset`.
pub(crate) fn finished(
    root: &Element,
    drawn: &mut dyn FnMut(usize, &mut String),
    asset: &dyn Fn(&str) -> String,
) -> String {
    let mut out = String::new();
    let mut boxes_seen = 0;
    finished_element(root, true, &mut boxes_seen, drawn, asset, &mut out);
    out
}

fn finished_element(
    element: &Element,
    is_root: bool,
    boxes_seen: &mut usize,
    drawn: &mut dyn FnMut(usize, &mut String),
    asset: &dyn Fn(&str) -> String,
    out: &mut String,
) {
    out.push('<');
    out.push_str(element.name);
    if is_root {
        attribute("xmlns", SVG, out);
    }
    for (name, value) in &element.attributes {
        match (*name, values::asset(value)) {
            (name, _) if name.starts_with("data-selo-") => {}
            ("href", Some(hash)) => attribute(name, &asset(hash), out),
            _ => attribute(name, value, out),
        }
    }
    if element.children.is_empty() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    for child in &element.children {
        match child {
            Child::Element(child) => {
                finished_element(child, false, boxes_seen, drawn, asset, out);
            }
            Child::Box(_) => {
                drawn(*boxes_seen, out);
                *boxes_seen += 1;
            }
        }
    }
    close(element, out);
}
