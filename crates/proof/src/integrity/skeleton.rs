//! The fast path of bulk issuing: the canonical form of a template, worked out once.
//!
//! Documents of one shape differ only in texts and addresses. Compiling keeps for every statement where its variable
//! parts come from; a document of the same shape then needs neither contexts nor expansion.
//! Never here: a guess. Whatever is not exactly of the compiled shape is reported, and the full path is taken.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{Prepared, Problem, ProofOptions, Suite, form, join, prepare_with, rdfc_config};
use crate::crypto;
use crate::ld::{self, Contexts, Dataset, Lines, Object, Subject, Text};

/// A compiled template: documents of the same shape are prepared without JSON-LD processing.
#[derive(Debug)]
pub struct Skeleton {
    document: Compiled,
    config: Compiled,
}

impl Skeleton {
    /// Compiles the shape of an example document and of its proof, with the bundled contexts.
    ///
    /// # Errors
    /// As [`super::prepare`] for the example; [`Problem::Suite`] for suites without RDFC-1.0 and for proof chains.
    pub fn compile(example: &Value, options: &ProofOptions) -> Result<Self, Problem> {
        Self::compile_with(example, options, Contexts::bundled())
    }

    /// [`Skeleton::compile`] with a set of contexts of the caller's.
    ///
    /// # Errors
    /// As [`Skeleton::compile`].
    pub fn compile_with(
        example: &Value,
        options: &ProofOptions,
        contexts: &Contexts,
    ) -> Result<Self, Problem> {
        if options.suite != Suite::EddsaRdfc2022 || !options.previous_proof.is_empty() {
            return Err(Problem::Suite);
        }
        let members = example.as_object().ok_or_else(|| form("", "a document is an object"))?;
        let proof = Value::Object(options.to_proof());
        let config = rdfc_config(members, &proof);
        let unsecured = super::unsecured(members, &proof)?;
        let skeleton =
            Self { document: Compiled::of(&unsecured, contexts)?, config: Compiled::of(&config, contexts)? };
        // The compiled form must say of its own example what the full path says.
        let full = prepare_with(example, options, contexts)?;
        match skeleton.prepare(example, options) {
            Some(fast) if fast == full => Ok(skeleton),
            _ => Err(form("", "the document has no shape that can be compiled")),
        }
    }

    /// What has to be signed to secure a document of the compiled shape: the same bytes that [`super::prepare`] gives.
    /// None when the document is of another shape: then take the full path.
    #[must_use]
    pub fn prepare(&self, document: &Value, options: &ProofOptions) -> Option<Prepared> {
        if options.suite != Suite::EddsaRdfc2022 {
            return None;
        }
        let members = document.as_object()?;
        let proof = Value::Object(options.to_proof());
        let config = rdfc_config(members, &proof);
        let config_hash = self.config.hash(config.as_object()?)?;
        let document_hash = self.document.hash(members)?;
        Some(Prepared { hash_data: join(config_hash, document_hash), proof })
    }
}

/// What a value of a document must look like.
#[derive(Debug)]
enum Shape {
    Object(Vec<(String, Shape)>),
    Array(Vec<Shape>),
    Fixed(Value),
    /// A text that appears as a literal.
    Literal(usize),
    /// A text that appears as an address, of which the part that decides how it is read must stay.
    Address(usize, String),
    /// A text that appears as both.
    Both(usize, String),
}

#[derive(Debug)]
enum Piece {
    Fixed(String),
    Literal(usize),
    Address(usize),
    Blank(u32),
}

#[derive(Debug)]
struct Statement {
    pieces: Vec<Piece>,
    blanks: [Option<u32>; 3],
    predicate: String,
}

#[derive(Debug)]
struct Compiled {
    shape: Vec<(String, Shape)>,
    statements: Vec<Statement>,
    blank_count: u32,
    slots: usize,
}

/// Texts are recognised by where they lie in memory: expansion borrows them from the document.
type Found = HashMap<(usize, usize), Slot>;

#[derive(Default)]
struct Slot {
    number: usize,
    literal: bool,
    address: bool,
}

fn key(text: &str) -> (usize, usize) {
    (text.as_ptr() as usize, text.len())
}

impl Compiled {
    fn of(document: &Value, contexts: &Contexts) -> Result<Self, Problem> {
        let members = document.as_object().ok_or_else(|| form("", "a document is an object"))?;
        let dataset = ld::to_rdf(document, contexts, &ld::Options::default())?;
        let mut found = Found::new();
        collect(document, &mut found);
        mark(&dataset, &mut found);
        found.retain(|_, slot| slot.literal || slot.address);
        for (number, slot) in found.values_mut().enumerate() {
            slot.number = number;
        }
        let shape = members.iter().map(|(name, value)| (name.clone(), shape_of(value, &found))).collect();
        let statements = (0..dataset.count()).map(|index| statement(&dataset, index, &found)).collect();
        Ok(Self { shape, statements, blank_count: dataset.blank_count, slots: found.len() })
    }

    /// SHA-256 of the canonical form of a document of this shape (its `proof` aside).
    fn hash(&self, document: &Map<String, Value>) -> Option<[u8; 32]> {
        let mut texts = vec![""; self.slots];
        fits_members(&self.shape, document, true, &mut texts)?;
        let filled = Filled { compiled: self, texts };
        let canonical = ld::canonicalize_lines(&filled).ok()?;
        Some(crypto::sha256(canonical.text.as_bytes()))
    }
}

/// Every text of the document that might be variable: not the contexts, not the types.
fn collect(value: &Value, found: &mut Found) {
    match value {
        Value::String(text) if !text.is_empty() => {
            found.insert(key(text), Slot::default());
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "@context" | "type" | "@type"))
            .for_each(|(_, value)| collect(value, found)),
        _ => {}
    }
}

fn mark(dataset: &Dataset<'_>, found: &mut Found) {
    let mut address = |text: &Text<'_>| {
        if let Text::Doc(text) = text
            && let Some(slot) = found.get_mut(&key(text))
        {
            slot.address = true;
        }
    };
    for quad in &dataset.quads {
        for subject in [Some(&quad.subject), quad.graph.as_ref()].into_iter().flatten() {
            if let Subject::Iri(text) = subject {
                address(text);
            }
        }
        if let Object::Iri(text) = &quad.object {
            address(text);
        }
    }
    for quad in &dataset.quads {
        if let Object::Literal { lexical: Text::Doc(text), .. } = &quad.object
            && let Some(slot) = found.get_mut(&key(text))
        {
            slot.literal = true;
        }
    }
}

fn shape_of(value: &Value, found: &Found) -> Shape {
    match value {
        Value::String(text) => match found.get(&key(text)) {
            Some(slot) if slot.literal && slot.address => {
                Shape::Both(slot.number, address_start(text).to_owned())
            }
            Some(slot) if slot.address => Shape::Address(slot.number, address_start(text).to_owned()),
            Some(slot) => Shape::Literal(slot.number),
            None => Shape::Fixed(value.clone()),
        },
        Value::Array(items) => Shape::Array(items.iter().map(|item| shape_of(item, found)).collect()),
        Value::Object(members) => Shape::Object(
            members.iter().map(|(name, value)| (name.clone(), shape_of(value, found))).collect(),
        ),
        other => Shape::Fixed(other.clone()),
    }
}

/// What decides whether a name is a compact or an absolute address: scheme, and `//` after it.
fn address_start(text: &str) -> &str {
    let end = match text.find(':') {
        Some(colon) if text.get(colon + 1..).is_some_and(|rest| rest.starts_with("//")) => colon + 3,
        Some(colon) => colon + 1,
        None => text.len(),
    };
    text.get(..end).unwrap_or(text)
}

fn fits<'d>(shape: &Shape, value: &'d Value, texts: &mut [&'d str]) -> Option<()> {
    match (shape, value) {
        (Shape::Object(shapes), Value::Object(members)) => fits_members(shapes, members, false, texts),
        (Shape::Array(shapes), Value::Array(items)) if shapes.len() == items.len() => {
            shapes.iter().zip(items).try_for_each(|(shape, item)| fits(shape, item, texts))
        }
        (Shape::Fixed(fixed), value) => (fixed == value).then_some(()),
        (Shape::Literal(slot), Value::String(text)) => put(*slot, text, texts),
        (Shape::Address(slot, start) | Shape::Both(slot, start), Value::String(text)) => {
            let same =
                text.starts_with(start.as_str()) && address_start(text) == start && ld::is_absolute_iri(text);
            if !same {
                return None;
            }
            put(*slot, text, texts)
        }
        _ => None,
    }
}

fn put<'d>(slot: usize, text: &'d str, texts: &mut [&'d str]) -> Option<()> {
    *texts.get_mut(slot)? = text;
    Some(())
}

fn fits_members<'d>(
    shapes: &[(String, Shape)],
    members: &'d Map<String, Value>,
    root: bool,
    texts: &mut [&'d str],
) -> Option<()> {
    let extra = usize::from(root && members.contains_key("proof"));
    if members.len() != shapes.len() + extra {
        return None;
    }
    shapes.iter().try_for_each(|(name, shape)| fits(shape, members.get(name)?, texts))
}

fn statement(dataset: &Dataset<'_>, index: usize, found: &Found) -> Statement {
    let mut pieces = vec![Piece::Fixed(String::new())];
    if let Some(quad) = dataset.quads.get(index) {
        push_subject(&quad.subject, found, &mut pieces);
        push_fixed(" ", &mut pieces);
        push_address(&quad.predicate, found, &mut pieces);
        push_fixed(" ", &mut pieces);
        match &quad.object {
            Object::Iri(text) => push_address(text, found, &mut pieces),
            Object::Blank(number) => pieces.push(Piece::Blank(*number)),
            Object::Literal { lexical, datatype, language } => {
                push_fixed("\"", &mut pieces);
                match slot(lexical, found) {
                    Some(slot) => pieces.push(Piece::Literal(slot)),
                    None => {
                        let mut escaped = String::new();
                        ld::write_escaped(lexical.as_str(), &mut escaped);
                        push_fixed(&escaped, &mut pieces);
                    }
                }
                push_fixed("\"", &mut pieces);
                if let Some(language) = language {
                    push_fixed("@", &mut pieces);
                    push_fixed(language.as_str(), &mut pieces);
                } else if let Some(datatype) = datatype {
                    push_fixed("^^<", &mut pieces);
                    push_fixed(datatype.as_str(), &mut pieces);
                    push_fixed(">", &mut pieces);
                }
            }
        }
        if let Some(graph) = &quad.graph {
            push_fixed(" ", &mut pieces);
            push_subject(graph, found, &mut pieces);
        }
        push_fixed(" .\n", &mut pieces);
    }
    Statement { pieces, blanks: dataset.blanks(index), predicate: dataset.predicate(index).to_owned() }
}

fn slot(text: &Text<'_>, found: &Found) -> Option<usize> {
    match text {
        Text::Doc(text) => found.get(&key(text)).map(|slot| slot.number),
        Text::Made(_) => None,
    }
}

fn push_fixed(text: &str, pieces: &mut Vec<Piece>) {
    match pieces.last_mut() {
        Some(Piece::Fixed(last)) => last.push_str(text),
        _ => pieces.push(Piece::Fixed(text.to_owned())),
    }
}

fn push_address(text: &Text<'_>, found: &Found, pieces: &mut Vec<Piece>) {
    push_fixed("<", pieces);
    match slot(text, found) {
        Some(slot) => pieces.push(Piece::Address(slot)),
        None => push_fixed(text.as_str(), pieces),
    }
    push_fixed(">", pieces);
}

fn push_subject(subject: &Subject<'_>, found: &Found, pieces: &mut Vec<Piece>) {
    match subject {
        Subject::Iri(text) => push_address(text, found, pieces),
        Subject::Blank(number) => pieces.push(Piece::Blank(*number)),
    }
}

/// Compiled statements with the texts of one document.
struct Filled<'s> {
    compiled: &'s Compiled,
    texts: Vec<&'s str>,
}

impl Lines for Filled<'_> {
    fn count(&self) -> usize {
        self.compiled.statements.len()
    }

    fn blank_count(&self) -> u32 {
        self.compiled.blank_count
    }

    fn blanks(&self, index: usize) -> [Option<u32>; 3] {
        self.compiled.statements.get(index).map_or([None; 3], |statement| statement.blanks)
    }

    fn predicate(&self, index: usize) -> &str {
        self.compiled.statements.get(index).map_or("", |statement| &statement.predicate)
    }

    fn write(&self, index: usize, out: &mut String, label: &dyn Fn(u32, &mut String)) {
        let Some(statement) = self.compiled.statements.get(index) else {
            return;
        };
        let text = |slot: usize| self.texts.get(slot).copied().unwrap_or_default();
        for piece in &statement.pieces {
            match piece {
                Piece::Fixed(fixed) => out.push_str(fixed),
                Piece::Literal(slot) => ld::write_escaped(text(*slot), out),
                Piece::Address(slot) => out.push_str(text(*slot)),
                Piece::Blank(number) => label(*number, out),
            }
        }
    }
}
