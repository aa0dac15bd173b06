//! To-RDF (JSON-LD 1.1 API §8) and the N-Quads form of each quad (RDFC-1.0 §5).
//!
//! Base direction is kept as `i18n-datatype`, so that a signature covers it.
//! Never here (unless lenient): a quad that is left out because a part of it is no absolute address.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::expand::{Item, Literal, Node, Scalar};
use super::{BLANK_NODES_MAX, LdError, LdErrorKind, Lines, QUADS_MAX, Text, is_absolute_iri};

const RDF_TYPE: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
const RDF_FIRST: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#first";
const RDF_REST: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#rest";
const RDF_NIL: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#nil";
const RDF_JSON: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON";
const XSD_STRING: &str = "http://www.w3.org/2001/XMLSchema#string";
const XSD_BOOLEAN: &str = "http://www.w3.org/2001/XMLSchema#boolean";
const XSD_INTEGER: &str = "http://www.w3.org/2001/XMLSchema#integer";
const XSD_DOUBLE: &str = "http://www.w3.org/2001/XMLSchema#double";
const I18N: &str = "https://www.w3.org/ns/i18n#";

/// A subject or graph name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject<'d> {
    /// An absolute address.
    Iri(Text<'d>),
    /// A blank node by number.
    Blank(u32),
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object<'d> {
    /// An absolute address.
    Iri(Text<'d>),
    /// A blank node by number.
    Blank(u32),
    /// A literal; without datatype and language it is an `xsd:string`.
    Literal {
        /// Lexical form.
        lexical: Text<'d>,
        /// Datatype unless `xsd:string` or language-tagged.
        datatype: Option<Text<'d>>,
        /// Language tag.
        language: Option<Text<'d>>,
    },
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quad<'d> {
    /// Whom it is about.
    pub subject: Subject<'d>,
    /// What is said; always an absolute address.
    pub predicate: Text<'d>,
    /// The value.
    pub object: Object<'d>,
    /// The graph, none for the default graph.
    pub graph: Option<Subject<'d>>,
}

/// The statements of a document.
#[derive(Debug, Clone, Default)]
pub struct Dataset<'d> {
    /// In the order of the document; one may stand twice.
    pub quads: Vec<Quad<'d>>,
    /// Blank nodes are numbered from 0 up to this.
    pub blank_count: u32,
}

impl Lines for Dataset<'_> {
    fn count(&self) -> usize {
        self.quads.len()
    }

    fn blank_count(&self) -> u32 {
        self.blank_count
    }

    fn blanks(&self, index: usize) -> [Option<u32>; 3] {
        let Some(quad) = self.quads.get(index) else {
            return [None; 3];
        };
        let of_subject = |subject: &Subject<'_>| match subject {
            Subject::Blank(number) => Some(*number),
            Subject::Iri(_) => None,
        };
        let object = match &quad.object {
            Object::Blank(number) => Some(*number),
            _ => None,
        };
        [of_subject(&quad.subject), object, quad.graph.as_ref().and_then(of_subject)]
    }

    fn predicate(&self, index: usize) -> &str {
        self.quads.get(index).map_or("", |quad| quad.predicate.as_str())
    }

    fn write(&self, index: usize, out: &mut String, label: &dyn Fn(u32, &mut String)) {
        if let Some(quad) = self.quads.get(index) {
            write_quad(quad, out, label);
        }
    }
}

fn write_subject(subject: &Subject<'_>, out: &mut String, label: &dyn Fn(u32, &mut String)) {
    match subject {
        Subject::Iri(iri) => write_iri(iri.as_str(), out),
        Subject::Blank(number) => label(*number, out),
    }
}

fn write_iri(iri: &str, out: &mut String) {
    out.push('<');
    out.push_str(iri);
    out.push('>');
}

fn write_quad(quad: &Quad<'_>, out: &mut String, label: &dyn Fn(u32, &mut String)) {
    write_subject(&quad.subject, out, label);
    out.push(' ');
    write_iri(quad.predicate.as_str(), out);
    out.push(' ');
    match &quad.object {
        Object::Iri(iri) => write_iri(iri.as_str(), out),
        Object::Blank(number) => label(*number, out),
        Object::Literal { lexical, datatype, language } => {
            out.push('"');
            write_escaped(lexical.as_str(), out);
            out.push('"');
            if let Some(language) = language {
                out.push('@');
                out.push_str(language.as_str());
            } else if let Some(datatype) = datatype {
                out.push_str("^^");
                write_iri(datatype.as_str(), out);
            }
        }
    }
    if let Some(graph) = &quad.graph {
        out.push(' ');
        write_subject(graph, out, label);
    }
    out.push_str(" .\n");
}

/// A literal's text as canonical N-Quads writes it (RDFC-1.0 §5).
pub(crate) fn write_escaped(text: &str, out: &mut String) {
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte > b'\\' && byte != 0x7f || byte >= b' ' && byte != b'"' && byte != b'\\' && byte != 0x7f {
            continue;
        }
        out.push_str(text.get(plain..at).unwrap_or_default());
        plain = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            other => {
                // writing into a String cannot fail
                let _ = write!(out, "\\u{other:04X}");
            }
        }
    }
    out.push_str(text.get(plain..).unwrap_or_default());
}

/// Turns expanded items into statements.
pub(super) fn dataset<'d>(items: Vec<Item<'d>>, lenient: bool) -> Result<Dataset<'d>, LdError> {
    let mut maker = Maker { quads: Vec::new(), labels: HashMap::new(), blank_count: 0, lenient };
    for item in items {
        if let Item::Node(node) = item {
            maker.node(*node, None)?;
        }
    }
    Ok(Dataset { quads: maker.quads, blank_count: maker.blank_count })
}

struct Maker<'d> {
    quads: Vec<Quad<'d>>,
    labels: HashMap<String, u32>,
    blank_count: u32,
    lenient: bool,
}

impl<'d> Maker<'d> {
    fn fresh(&mut self) -> Result<u32, LdError> {
        let number = self.blank_count;
        if number as usize >= BLANK_NODES_MAX && !self.lenient {
            return Err(LdError::new(LdErrorKind::Limit("too many nodes without an address")));
        }
        self.blank_count += 1;
        Ok(number)
    }

    fn push(
        &mut self,
        subject: Subject<'d>,
        predicate: Text<'d>,
        object: Object<'d>,
        graph: Option<&Subject<'d>>,
    ) -> Result<(), LdError> {
        if self.quads.len() >= QUADS_MAX {
            return Err(LdError::new(LdErrorKind::Limit("too many statements")));
        }
        self.quads.push(Quad { subject, predicate, object, graph: graph.cloned() });
        Ok(())
    }

    /// The subject for an identifier; None (lenient only) when statements about it are left out.
    fn subject(&mut self, id: Option<Text<'d>>) -> Result<Option<Subject<'d>>, LdError> {
        let Some(id) = id else {
            return Ok(Some(Subject::Blank(self.fresh()?)));
        };
        if let Some(label) = id.as_str().strip_prefix("_:") {
            let found = self.labels.get(label).copied();
            let number = match found {
                Some(number) => number,
                None => {
                    let number = self.fresh()?;
                    self.labels.insert(label.to_owned(), number);
                    number
                }
            };
            return Ok(Some(Subject::Blank(number)));
        }
        if is_absolute_iri(id.as_str()) {
            return Ok(Some(Subject::Iri(id)));
        }
        if self.lenient {
            return Ok(None);
        }
        let kind = LdErrorKind::RelativeIri(id.as_str().to_owned());
        Err(LdError::new(kind))
    }

    fn predicate(&self, property: &Text<'d>) -> Result<bool, LdError> {
        if is_absolute_iri(property.as_str()) {
            return Ok(true);
        }
        if self.lenient {
            return Ok(false);
        }
        let kind = LdErrorKind::RelativeIri(property.as_str().to_owned());
        Err(LdError::new(kind))
    }

    /// Emits a node's statements and says who the node is.
    fn node(&mut self, node: Node<'d>, graph: Option<&Subject<'d>>) -> Result<Option<Subject<'d>>, LdError> {
        let subject = self.subject(node.id)?;
        if let Some(subject) = &subject {
            for kind in node.types {
                let Some(object) = self.subject(Some(kind))? else {
                    continue;
                };
                let predicate = Text::Made(RDF_TYPE.into());
                self.push(subject.clone(), predicate, object.into(), graph)?;
            }
        }
        for (property, items) in node.properties {
            let kept = self.predicate(&property)?;
            for item in items {
                let object = self.object(item, graph)?;
                if let (true, Some(subject), Some(object)) = (kept, &subject, object) {
                    self.push(subject.clone(), property.clone(), object, graph)?;
                }
            }
        }
        for (property, items) in node.reverse {
            let kept = self.predicate(&property)?;
            for item in items {
                let Item::Node(other) = item else {
                    continue;
                };
                let other = self.node(*other, graph)?;
                if let (true, Some(subject), Some(other)) = (kept, &subject, other) {
                    self.push(other, property.clone(), subject.clone().into(), graph)?;
                }
            }
        }
        if let Some(items) = node.graph {
            for item in items {
                if let Item::Node(inner) = item {
                    self.node(*inner, subject.as_ref())?;
                }
            }
        }
        for item in node.included {
            if let Item::Node(other) = item {
                self.node(*other, graph)?;
            }
        }
        Ok(subject)
    }

    fn object(&mut self, item: Item<'d>, graph: Option<&Subject<'d>>) -> Result<Option<Object<'d>>, LdError> {
        match item {
            Item::Node(node) => Ok(self.node(*node, graph)?.map(Object::from)),
            Item::Literal(literal) => self.literal(literal),
            Item::List(items) => self.list(items, graph).map(Some),
        }
    }

    fn list(&mut self, items: Vec<Item<'d>>, graph: Option<&Subject<'d>>) -> Result<Object<'d>, LdError> {
        let mut blanks = Vec::with_capacity(items.len());
        for _ in &items {
            blanks.push(self.fresh()?);
        }
        let first = blanks.first().copied();
        for (index, item) in items.into_iter().enumerate() {
            let Some(here) = blanks.get(index).copied() else {
                continue;
            };
            if let Some(object) = self.object(item, graph)? {
                let predicate = Text::Made(RDF_FIRST.into());
                self.push(Subject::Blank(here), predicate, object, graph)?;
            }
            let rest = match blanks.get(index + 1) {
                Some(next) => Object::Blank(*next),
                None => Object::Iri(Text::Made(RDF_NIL.into())),
            };
            self.push(Subject::Blank(here), Text::Made(RDF_REST.into()), rest, graph)?;
        }
        Ok(match first {
            Some(first) => Object::Blank(first),
            None => Object::Iri(Text::Made(RDF_NIL.into())),
        })
    }

    fn literal(&self, literal: Literal<'d>) -> Result<Option<Object<'d>>, LdError> {
        if let Some(language) = &literal.language
            && !is_language_tag(language.as_str())
        {
            if self.lenient {
                return Ok(None);
            }
            return Err(LdError::new(LdErrorKind::Dropped("a language tag that is none")));
        }
        let given = literal.datatype;
        let is_double = given.as_ref().is_some_and(|text| text.as_str() == XSD_DOUBLE);
        let (lexical, natural) = match literal.scalar {
            Scalar::Text(text) => (Text::Doc(text), None),
            Scalar::Bool(flag) => (Text::Made(if flag { "true" } else { "false" }.into()), Some(XSD_BOOLEAN)),
            Scalar::Number(number) => number_form(number, is_double)?,
            Scalar::Json(value) => {
                let text = crate::canon::canonicalize(value)
                    .map_err(|_| LdError::new(LdErrorKind::Invalid("a number no reader keeps exactly")))?;
                (Text::from(text), Some(RDF_JSON))
            }
        };
        let mut datatype = given.or_else(|| natural.map(|text| Text::Made(text.into())));
        let mut language = literal.language;
        if let Some(direction) = literal.direction
            && !self.lenient
        {
            let tag = language.take();
            let tag = tag.as_ref().map_or("", Text::as_str);
            datatype = Some(Text::from(format!("{I18N}{tag}_{}", direction.as_str())));
        }
        if datatype.as_ref().is_some_and(|text| text.as_str() == XSD_STRING) {
            datatype = None;
        }
        Ok(Some(Object::Literal { lexical, datatype, language }))
    }
}

impl<'d> From<Subject<'d>> for Object<'d> {
    fn from(subject: Subject<'d>) -> Self {
        match subject {
            Subject::Iri(iri) => Object::Iri(iri),
            Subject::Blank(number) => Object::Blank(number),
        }
    }
}

/// API §8.2.2 steps on numbers: integers as `xsd:integer`, the rest as canonical `xsd:double`.
fn number_form(
    number: &serde_json::Number,
    is_double: bool,
) -> Result<(Text<'static>, Option<&'static str>), LdError> {
    if !is_double && (number.is_i64() || number.is_u64()) {
        return Ok((Text::from(number.to_string()), Some(XSD_INTEGER)));
    }
    let value =
        number.as_f64().ok_or_else(|| LdError::new(LdErrorKind::Invalid("a number without a value")))?;
    if !is_double && value.fract() == 0.0 && value.abs() < 1e21 {
        // formatting prints all digits and no fraction; minus zero is zero
        let value = if value == 0.0 { 0.0 } else { value };
        return Ok((Text::from(format!("{value:.0}")), Some(XSD_INTEGER)));
    }
    let text = format!("{value:.15e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa = mantissa.trim_end_matches('0');
    let zero = if mantissa.ends_with('.') { "0" } else { "" };
    Ok((Text::from(format!("{mantissa}{zero}E{exponent}")), Some(XSD_DOUBLE)))
}

/// `[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*`
fn is_language_tag(tag: &str) -> bool {
    tag.split('-').enumerate().all(|(index, part)| {
        (1..=8).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphabetic() || (index > 0 && byte.is_ascii_digit()))
    })
}
