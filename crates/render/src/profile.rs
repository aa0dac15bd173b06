//! Selo-SVG, version 1: what a template may contain, and nothing else.
//!
//! The reader walks a hostile SVG behind limits and builds a small tree of known elements with
//! checked attributes; what it does not know it refuses, it never drops. The tree is written back
//! in one canonical form, and reading that form gives the same bytes again. The profile is frozen:
//! later versions add, they never read an old template differently. Nothing is fetched from here.

use roxmltree::{Document, Node, ParsingOptions};

use crate::{
    RenderError,
    error::{Place, Problem},
    limits,
    values::{self, Kind},
};

pub(crate) const SVG: &str = "http://www.w3.org/2000/svg";
const XLINK: &str = "http://www.w3.org/1999/xlink";

/// An element of the drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    pub name: &'static str,
    /// In canonical (alphabetical) order.
    pub attributes: Vec<(&'static str, String)>,
    pub children: Vec<Child>,
}

/// What stands inside an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Child {
    Element(Element),
    /// A text or QR box, not yet read.
    Box(RawBox),
}

/// A `g` that is a box, with its attributes as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawBox {
    pub attributes: Vec<(&'static str, String)>,
    /// Its text, white space collapsed; empty for a QR box.
    pub text: String,
    pub place: Place,
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        find(&self.attributes, name)
    }
}

impl RawBox {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        find(&self.attributes, name)
    }

    pub fn is_qr(&self) -> bool {
        self.attribute("data-selo-qr").is_some()
    }
}

fn find<'a>(attributes: &'a [(&'static str, String)], name: &str) -> Option<&'a str> {
    attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

struct Rule {
    name: &'static str,
    own: &'static [(&'static str, Kind)],
    needed: &'static [&'static str],
    painted: bool,
    children: &'static [&'static str],
}

const SHAPES: &[&str] = &["rect", "circle", "ellipse", "line", "path", "polygon", "polyline", "use"];
const DRAWN: &[&str] =
    &["rect", "circle", "ellipse", "line", "path", "polygon", "polyline", "use", "image", "g", "defs"];
const DEFINED: &[&str] = &[
    "rect",
    "circle",
    "ellipse",
    "line",
    "path",
    "polygon",
    "polyline",
    "use",
    "image",
    "g",
    "clipPath",
    "linearGradient",
    "radialGradient",
];

/// Attributes of everything that is painted.
const PAINT: &[(&str, Kind)] = &[
    ("clip-path", Kind::LocalUrl),
    ("clip-rule", Kind::OneOf(&["nonzero", "evenodd"])),
    ("data-selo-lock", Kind::Lock),
    ("fill", Kind::Paint),
    ("fill-opacity", Kind::Fraction),
    ("fill-rule", Kind::OneOf(&["nonzero", "evenodd"])),
    ("id", Kind::Id),
    ("opacity", Kind::Fraction),
    ("stroke", Kind::Paint),
    ("stroke-dasharray", Kind::Dashes),
    ("stroke-dashoffset", Kind::Number),
    ("stroke-linecap", Kind::OneOf(&["butt", "round", "square"])),
    ("stroke-linejoin", Kind::OneOf(&["miter", "round", "bevel"])),
    ("stroke-miterlimit", Kind::Positive),
    ("stroke-opacity", Kind::Fraction),
    ("stroke-width", Kind::Positive),
    ("transform", Kind::Transform),
];

const GRADIENT_UNITS: Kind = Kind::OneOf(&["userSpaceOnUse", "objectBoundingBox"]);
const SPREAD: Kind = Kind::OneOf(&["pad", "reflect", "repeat"]);

const RULES: &[Rule] = &[
    Rule {
        name: "svg",
        own: &[
            ("data-selo-version", Kind::OneOf(&["1"])),
            ("height", Kind::Millimetres),
            ("viewBox", Kind::ViewBox),
            ("width", Kind::Millimetres),
        ],
        needed: &["data-selo-version", "height", "viewBox", "width"],
        painted: false,
        children: DRAWN,
    },
    Rule { name: "g", own: &[], needed: &[], painted: true, children: DRAWN },
    Rule { name: "defs", own: &[("id", Kind::Id)], needed: &[], painted: false, children: DEFINED },
    Rule {
        name: "rect",
        own: &[
            ("height", Kind::Positive),
            ("rx", Kind::Positive),
            ("ry", Kind::Positive),
            ("width", Kind::Positive),
            ("x", Kind::Number),
            ("y", Kind::Number),
        ],
        needed: &["height", "width"],
        painted: true,
        children: &[],
    },
    Rule {
        name: "circle",
        own: &[("cx", Kind::Number), ("cy", Kind::Number), ("r", Kind::Positive)],
        needed: &["r"],
        painted: true,
        children: &[],
    },
    Rule {
        name: "ellipse",
        own: &[("cx", Kind::Number), ("cy", Kind::Number), ("rx", Kind::Positive), ("ry", Kind::Positive)],
        needed: &["rx", "ry"],
        painted: true,
        children: &[],
    },
    Rule {
        name: "line",
        own: &[("x1", Kind::Number), ("x2", Kind::Number), ("y1", Kind::Number), ("y2", Kind::Number)],
        needed: &[],
        painted: true,
        children: &[],
    },
    Rule { name: "path", own: &[("d", Kind::PathData)], needed: &["d"], painted: true, children: &[] },
    Rule {
        name: "polygon",
        own: &[("points", Kind::Points)],
        needed: &["points"],
        painted: true,
        children: &[],
    },
    Rule {
        name: "polyline",
        own: &[("points", Kind::Points)],
        needed: &["points"],
        painted: true,
        children: &[],
    },
    Rule {
        name: "use",
        own: &[("href", Kind::LocalHref), ("x", Kind::Number), ("y", Kind::Number)],
        needed: &["href"],
        painted: true,
        children: &[],
    },
    Rule {
        name: "image",
        own: &[
            ("height", Kind::Positive),
            ("href", Kind::AssetHref),
            ("preserveAspectRatio", Kind::AspectRatio),
            ("width", Kind::Positive),
            ("x", Kind::Number),
            ("y", Kind::Number),
        ],
        needed: &["height", "href", "width"],
        painted: true,
        children: &[],
    },
    Rule {
        name: "clipPath",
        own: &[("clipPathUnits", GRADIENT_UNITS), ("id", Kind::Id), ("transform", Kind::Transform)],
        needed: &["id"],
        painted: false,
        children: SHAPES,
    },
    Rule {
        name: "linearGradient",
        own: &[
            ("gradientTransform", Kind::Transform),
            ("gradientUnits", GRADIENT_UNITS),
            ("id", Kind::Id),
            ("spreadMethod", SPREAD),
            ("x1", Kind::Number),
            ("x2", Kind::Number),
            ("y1", Kind::Number),
            ("y2", Kind::Number),
        ],
        needed: &["id"],
        painted: false,
        children: &["stop"],
    },
    Rule {
        name: "radialGradient",
        own: &[
            ("cx", Kind::Number),
            ("cy", Kind::Number),
            ("fx", Kind::Number),
            ("fy", Kind::Number),
            ("gradientTransform", Kind::Transform),
            ("gradientUnits", GRADIENT_UNITS),
            ("id", Kind::Id),
            ("r", Kind::Positive),
            ("spreadMethod", SPREAD),
        ],
        needed: &["id"],
        painted: false,
        children: &["stop"],
    },
    Rule {
        name: "stop",
        own: &[("offset", Kind::Fraction), ("stop-color", Kind::Colour), ("stop-opacity", Kind::Fraction)],
        needed: &["offset", "stop-color"],
        painted: false,
        children: &[],
    },
];

/// Attributes of a text box; their values are read by `boxes`.
const TEXT_BOX: &[&str] = &[
    "data-align",
    "data-dir",
    "data-fallback",
    "data-fit",
    "data-font",
    "data-h",
    "data-lang",
    "data-leading",
    "data-lines",
    "data-min-pt",
    "data-selo-box",
    "data-selo-lock",
    "data-size",
    "data-tracking",
    "data-valign",
    "data-w",
    "data-x",
    "data-y",
    "fill",
    "transform",
];
/// Attributes of a QR box.
const QR_BOX: &[&str] = &[
    "data-dark",
    "data-ec",
    "data-light",
    "data-selo-lock",
    "data-selo-qr",
    "data-w",
    "data-x",
    "data-y",
    "transform",
];
/// Attributes that later versions will know; named so that the error can say so.
const LATER: &[&str] = &["data-selo-if", "data-selo-repeat", "data-selo-image", "data-max"];
/// Elements that can run, load or restyle.
const DANGEROUS: &[&str] = &[
    "script",
    "foreignObject",
    "style",
    "filter",
    "mask",
    "animate",
    "animateMotion",
    "animateTransform",
    "animateColor",
    "set",
    "text",
    "tspan",
    "textPath",
    "tref",
    "a",
    "iframe",
    "object",
    "embed",
    "audio",
    "video",
    "canvas",
    "handler",
    "listener",
    "font",
    "font-face",
    "cursor",
    "feImage",
    "metadata",
    "switch",
    "symbol",
    "pattern",
    "marker",
];

/// Reads a template's bytes into the tree of known elements.
pub(crate) fn read(svg: &[u8]) -> Result<Element, RenderError> {
    if svg.len() > limits::TEMPLATE_BYTES_MAX {
        return Err(Problem::TemplateTooLarge { bytes: svg.len() }.into());
    }
    let text = std::str::from_utf8(svg).map_err(|error| Problem::TemplateXml {
        reason: format!("not UTF-8 after byte {}", error.valid_up_to()),
        place: None,
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let options =
        ParsingOptions { allow_dtd: false, nodes_limit: limits::XML_NODES_MAX, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(xml_problem)?;
    let mut reader = Reader {
        document: &document,
        elements: 0,
        boxes: 0,
        path_commands: 0,
        ids: std::collections::BTreeSet::new(),
    };
    for node in document.root().children() {
        if node.is_pi() {
            return Err(reader.forbidden(node, "a processing instruction"));
        }
    }
    let root = document.root_element();
    if root.tag_name().name() != "svg" || root.tag_name().namespace() != Some(SVG) {
        return Err(Problem::TemplateXml {
            reason: "the root is not <svg xmlns=\"http://www.w3.org/2000/svg\">".to_owned(),
            place: Some(reader.place(root)),
        }
        .into());
    }
    reader.element(root, 1)
}

fn xml_problem(error: roxmltree::Error) -> RenderError {
    let position = error.pos();
    let place = Some(Place { line: position.row, column: position.col });
    match error {
        roxmltree::Error::DtdDetected => {
            Problem::TemplateForbidden { what: "DOCTYPE".to_owned(), place: None }
        }
        roxmltree::Error::UnknownEntityReference(name, _) => {
            Problem::TemplateForbidden { what: format!("entity &{name};"), place }
        }
        roxmltree::Error::NodesLimitReached => {
            Problem::TemplateLimit { what: "XML nodes", limit: limits::XML_NODES_MAX as usize, place: None }
        }
        other => Problem::TemplateXml { reason: other.to_string(), place },
    }
    .into()
}

struct Reader<'a> {
    document: &'a Document<'a>,
    elements: usize,
    boxes: usize,
    path_commands: usize,
    ids: std::collections::BTreeSet<String>,
}

impl<'a> Reader<'a> {
    fn place(&self, node: Node<'_, '_>) -> Place {
        let position = self.document.text_pos_at(node.range().start);
        Place { line: position.row, column: position.col }
    }

    fn forbidden(&self, node: Node<'_, '_>, what: impl Into<String>) -> RenderError {
        Problem::TemplateForbidden { what: what.into(), place: Some(self.place(node)) }.into()
    }

    fn unsupported(&self, node: Node<'_, '_>, what: impl Into<String>) -> RenderError {
        Problem::TemplateUnsupported { what: what.into(), place: Some(self.place(node)) }.into()
    }

    fn limit(&self, node: Node<'_, '_>, what: &'static str, limit: usize) -> RenderError {
        Problem::TemplateLimit { what, limit, place: Some(self.place(node)) }.into()
    }

    /// Checks a node's name and counts it.
    fn rule(&mut self, node: Node<'a, 'a>, depth: usize) -> Result<&'static Rule, RenderError> {
        self.elements += 1;
        if self.elements > limits::ELEMENTS_MAX {
            return Err(self.limit(node, "elements", limits::ELEMENTS_MAX));
        }
        if depth > limits::DEPTH_MAX {
            return Err(self.limit(node, "nesting", limits::DEPTH_MAX));
        }
        let name = node.tag_name().name();
        let shown: String = name.chars().take(40).collect();
        if DANGEROUS.contains(&name) || name.starts_with("fe") {
            return Err(self.forbidden(node, format!("<{shown}>")));
        }
        if node.tag_name().namespace() != Some(SVG) {
            return Err(self.unsupported(node, format!("<{shown}> of another namespace")));
        }
        RULES
            .iter()
            .find(|rule| rule.name == name)
            .ok_or_else(|| self.unsupported(node, format!("<{shown}>")))
    }

    fn element(&mut self, node: Node<'a, 'a>, depth: usize) -> Result<Element, RenderError> {
        let rule = self.rule(node, depth)?;
        let attributes = self.attributes(node, rule)?;
        let mut children = Vec::new();
        for child in node.children() {
            if child.is_comment() {
                continue;
            }
            if child.is_pi() {
                return Err(self.forbidden(child, "a processing instruction"));
            }
            if child.is_text() {
                if child.text().is_some_and(|text| !text.trim().is_empty()) {
                    return Err(self.unsupported(child, "text outside a text box"));
                }
                continue;
            }
            let name = child.tag_name().name();
            let boxed = name == "g" && is_box(child);
            if boxed && matches!(rule.name, "svg" | "g") {
                self.rule(child, depth + 1)?;
                children.push(Child::Box(self.raw_box(child)?));
                continue;
            }
            let element = self.element(child, depth + 1)?;
            if !rule.children.contains(&element.name) {
                let what = format!("<{}> inside <{}>", element.name, rule.name);
                return Err(self.unsupported(child, what));
            }
            children.push(Child::Element(element));
        }
        Ok(Element { name: rule.name, attributes, children })
    }

    fn attributes(
        &mut self,
        node: Node<'a, 'a>,
        rule: &'static Rule,
    ) -> Result<Vec<(&'static str, String)>, RenderError> {
        let mut found: Vec<(&'static str, String)> = Vec::new();
        for attribute in node.attributes() {
            let name = self.attribute_name(node, &attribute)?;
            let known = rule
                .own
                .iter()
                .chain(rule.painted.then_some(PAINT).into_iter().flatten())
                .find(|(known, _)| *known == name);
            let Some(&(known, kind)) = known else {
                let what = format!("{} on <{}>", shorten(name), rule.name);
                return Err(self.unsupported(node, what));
            };
            let value = self.value(node, rule.name, known, kind, attribute.value())?;
            if found.iter().any(|(seen, _)| *seen == known) {
                return Err(self.unsupported(node, format!("{known} twice")));
            }
            found.push((known, value));
        }
        for needed in rule.needed {
            if find(&found, needed).is_none() {
                return Err(self.attribute_problem(node, rule.name, needed, "present"));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// The plain name of an attribute; `xlink:href` counts as `href`.
    fn attribute_name<'n>(
        &self,
        node: Node<'_, '_>,
        attribute: &roxmltree::Attribute<'n, '_>,
    ) -> Result<&'n str, RenderError>
    where
        'a: 'n,
    {
        let name = attribute.name();
        let lower = name.to_ascii_lowercase();
        if lower.starts_with("on") || lower == "style" || lower == "class" {
            return Err(self.forbidden(node, format!("the attribute {}", shorten(name))));
        }
        if LATER.contains(&name) {
            return Err(self.unsupported(node, name));
        }
        match attribute.namespace() {
            None => Ok(name),
            Some(XLINK) if name == "href" => Ok(name),
            Some(_) => Err(self.unsupported(node, format!("{} of another namespace", shorten(name)))),
        }
    }

    fn value(
        &mut self,
        node: Node<'_, '_>,
        element: &'static str,
        attribute: &'static str,
        kind: Kind,
        written: &str,
    ) -> Result<String, RenderError> {
        let value = crate::token::collapse(written);
        if values::is_outside(&value, kind) {
            return Err(self.forbidden(node, format!("an outside reference in {attribute}")));
        }
        let checked = values::check(&value, kind)
            .map_err(|expected| self.attribute_problem(node, element, attribute, expected))?;
        self.path_commands += checked;
        if self.path_commands > limits::PATH_COMMANDS_MAX {
            return Err(self.limit(node, "path commands", limits::PATH_COMMANDS_MAX));
        }
        if kind == Kind::Id && !self.ids.insert(value.clone()) {
            return Err(self.attribute_problem(node, element, attribute, "unique"));
        }
        Ok(value)
    }

    fn attribute_problem(
        &self,
        node: Node<'_, '_>,
        element: &str,
        attribute: &str,
        expected: &'static str,
    ) -> RenderError {
        Problem::TemplateAttribute {
            element: element.to_owned(),
            attribute: attribute.to_owned(),
            expected,
            place: Some(self.place(node)),
        }
        .into()
    }

    fn raw_box(&mut self, node: Node<'a, 'a>) -> Result<RawBox, RenderError> {
        self.boxes += 1;
        if self.boxes > limits::BOXES_MAX {
            return Err(self.limit(node, "boxes", limits::BOXES_MAX));
        }
        let qr = node.attribute("data-selo-qr").is_some();
        let known = if qr { QR_BOX } else { TEXT_BOX };
        let mut attributes = Vec::new();
        for attribute in node.attributes() {
            let name = self.attribute_name(node, &attribute)?;
            let Some(known) = known.iter().copied().find(|known| *known == name) else {
                return Err(self.unsupported(node, format!("{} on a box", shorten(name))));
            };
            let value = crate::token::collapse(attribute.value());
            if known == "data-selo-box" && !self.ids.insert(value.clone()) {
                return Err(self.attribute_problem(node, "g", known, "unique"));
            }
            attributes.push((known, value));
        }
        attributes.sort_unstable();
        let mut text = String::new();
        for child in node.children() {
            if child.is_comment() {
                continue;
            }
            match child.text().filter(|_| child.is_text()) {
                Some(part) => text.push_str(part),
                None if child.is_element() => {
                    // Counts it, and says what is dangerous about it first.
                    self.rule(child, 1)?;
                    return Err(self.unsupported(child, "an element inside a box"));
                }
                None => return Err(self.forbidden(child, "a processing instruction")),
            }
        }
        let text = crate::token::collapse(&text);
        if qr && !text.is_empty() {
            return Err(self.unsupported(node, "text inside a QR box"));
        }
        Ok(RawBox { attributes, text, place: self.place(node) })
    }
}

fn is_box(node: Node<'_, '_>) -> bool {
    node.attribute("data-selo-box").is_some() || node.attribute("data-selo-qr").is_some()
}

fn shorten(name: &str) -> String {
    name.chars().take(40).collect()
}
