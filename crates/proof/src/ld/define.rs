//! Term definitions: what one local context says each of its names means (JSON-LD 1.1 API §4.2).
//!
//! Terms may need each other, so a term is defined when it is first needed; a circle is an error.
//! Never here: a change of a protected term's meaning (a property's own context excepted).

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::context::{
    ActiveContext, Coercion, Container, Direction, Name, Read, Scoped, Term, expand_name, invalid,
    is_keyword, looks_like_keyword, next_id, split_compact,
};
use super::iri;
use super::{DEPTH_MAX, LdError, LdErrorKind, Text};

/// Defines the terms of one local context (API §4.2.2).
pub(super) struct Definer<'c> {
    pub inline: bool,
    pub result: &'c mut ActiveContext,
    pub local: &'c Map<String, Value>,
    pub defined: HashMap<String, bool>,
    pub protected: bool,
    pub override_protected: bool,
    pub depth: usize,
}

impl Definer<'_> {
    pub fn define(&mut self, name: &str) -> Result<(), LdError> {
        match self.defined.get(name) {
            Some(true) => return Ok(()),
            Some(false) => return Err(invalid("cyclic IRI mapping")),
            None => {}
        }
        if name.is_empty() {
            return Err(invalid("invalid term definition"));
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(LdError::new(LdErrorKind::Limit("terms that need each other")));
        }
        self.defined.insert(name.to_owned(), false);
        let outcome = self.define_new(name);
        self.depth -= 1;
        outcome?;
        self.defined.insert(name.to_owned(), true);
        Ok(())
    }

    fn define_new(&mut self, name: &str) -> Result<(), LdError> {
        let value = self.local.get(name).unwrap_or(&Value::Null);
        if name == "@type" {
            let allowed = value.as_object().is_some_and(|members| {
                !members.is_empty()
                    && members.iter().all(|(key, value)| match key.as_str() {
                        "@container" => value == "@set",
                        "@protected" => true,
                        _ => false,
                    })
            });
            if !allowed {
                return Err(invalid("keyword redefinition"));
            }
        } else if is_keyword(name) {
            return Err(invalid("keyword redefinition"));
        } else if looks_like_keyword(name) {
            return Ok(());
        }
        let previous = self.result.terms.remove(name);
        let empty = Map::new();
        let (simple, members, id) = match value {
            Value::Null => (false, &empty, Some(&Value::Null)),
            Value::String(_) => (true, &empty, Some(value)),
            Value::Object(members) => (false, members, members.get("@id")),
            _ => return Err(invalid("invalid term definition")),
        };
        let mut term = Term {
            iri: None,
            prefix: false,
            protected: self.protected,
            reverse: false,
            coercion: None,
            container: Container::default(),
            index: None,
            language: None,
            direction: None,
            nest: None,
            context: None,
            inline: self.inline,
        };
        if let Some(protected) = members.get("@protected") {
            term.protected = protected.as_bool().ok_or_else(|| invalid("invalid @protected value"))?;
        }
        term.coercion = self.coercion(members)?;
        if let Some(reverse) = members.get("@reverse") {
            self.define_reverse(&mut term, members, reverse)?;
            if term.iri.is_none() {
                return Ok(());
            }
        } else if !self.define_iri(&mut term, name, simple, id)? {
            return Ok(());
        }
        if !term.reverse {
            define_rest(&mut term, members)?;
        }
        self.define_strings(&mut term, name, members)?;
        self.finish(name, term, previous)
    }

    fn finish(&mut self, name: &str, mut term: Term, previous: Option<Arc<Term>>) -> Result<(), LdError> {
        if let Some(previous) = previous
            && previous.protected
            && !self.override_protected
        {
            if !term.same_meaning(&previous) {
                return Err(invalid("protected term redefinition"));
            }
            term = Term::clone(&previous);
        }
        self.result.terms.insert(Arc::from(name), Arc::new(term));
        Ok(())
    }

    fn coercion(&mut self, members: &Map<String, Value>) -> Result<Option<Coercion>, LdError> {
        let Some(given) = members.get("@type") else {
            return Ok(None);
        };
        let text = given.as_str().ok_or_else(|| invalid("invalid type mapping"))?;
        match self.expand(text, true)? {
            Name::Keyword("@id") => Ok(Some(Coercion::Id)),
            Name::Keyword("@vocab") => Ok(Some(Coercion::Vocab)),
            Name::Keyword("@json") => Ok(Some(Coercion::Json)),
            Name::Keyword("@none") => Ok(Some(Coercion::None)),
            Name::Text(text) if iri::is_absolute_iri(text.as_str()) => {
                Ok(Some(Coercion::Datatype(text.as_str().into())))
            }
            _ => Err(invalid("invalid type mapping")),
        }
    }

    fn define_reverse(
        &mut self,
        term: &mut Term,
        members: &Map<String, Value>,
        reverse: &Value,
    ) -> Result<(), LdError> {
        if members.contains_key("@id") || members.contains_key("@nest") {
            return Err(invalid("invalid reverse property"));
        }
        let text = reverse.as_str().ok_or_else(|| invalid("invalid IRI mapping"))?;
        if looks_like_keyword(text) {
            return Ok(());
        }
        match self.expand(text, true)? {
            Name::Text(text) if is_iri_or_blank(text.as_str()) => {
                term.iri = Some(text.as_str().into());
            }
            _ => return Err(invalid("invalid IRI mapping")),
        }
        term.reverse = true;
        if let Some(container) = members.get("@container") {
            match container.as_str() {
                Some("@set" | "@index") => {}
                None if container.is_null() => return Ok(()),
                _ => return Err(invalid("invalid reverse property")),
            }
            term.container =
                Container::parse(container).ok_or_else(|| invalid("invalid reverse property"))?;
        }
        Ok(())
    }

    /// Steps 14 to 18; false when the term is ignored.
    fn define_iri(
        &mut self,
        term: &mut Term,
        name: &str,
        simple: bool,
        id: Option<&Value>,
    ) -> Result<bool, LdError> {
        match id {
            Some(Value::Null) => return Ok(true),
            Some(Value::String(text)) if text != name => {
                if !is_keyword(text) && looks_like_keyword(text) {
                    return Ok(false);
                }
                let iri: Arc<str> = match self.expand(text, true)? {
                    Name::Keyword("@context") => return Err(invalid("invalid keyword alias")),
                    Name::Keyword(keyword) => Arc::from(keyword),
                    Name::Text(text) if is_iri_or_blank(text.as_str()) => text.as_str().into(),
                    _ => return Err(invalid("invalid IRI mapping")),
                };
                let inner = name.get(1..name.len().saturating_sub(1)).unwrap_or("");
                if inner.contains(':') || name.contains('/') {
                    self.defined.insert(name.to_owned(), true);
                    match self.expand(name, true)? {
                        Name::Text(text) if text.as_str() == &*iri => {}
                        _ => return Err(invalid("invalid IRI mapping")),
                    }
                }
                if !name.contains(':') && !name.contains('/') && simple {
                    term.prefix = iri.starts_with("_:") || iri.ends_with([':', '/', '?', '#', '[', ']', '@']);
                }
                term.iri = Some(iri);
                return Ok(true);
            }
            Some(Value::String(_)) | None => {}
            Some(_) => return Err(invalid("invalid IRI mapping")),
        }
        if let Some((prefix, suffix)) = split_compact(name) {
            if self.local.contains_key(prefix) {
                self.define(prefix)?;
            }
            term.iri = Some(match self.result.terms.get(prefix) {
                Some(found) => match &found.iri {
                    Some(iri) => format!("{iri}{suffix}").into(),
                    None => Arc::from(name),
                },
                None => Arc::from(name),
            });
        } else if name.contains('/') {
            match self.expand(name, true)? {
                Name::Text(text) if iri::is_absolute_iri(text.as_str()) => {
                    term.iri = Some(text.as_str().into());
                }
                _ => return Err(invalid("invalid IRI mapping")),
            }
        } else if name == "@type" {
            term.iri = Some(Arc::from("@type"));
        } else if let Some(vocab) = &self.result.vocab {
            term.iri = Some(format!("{vocab}{name}").into());
        } else {
            return Err(invalid("invalid IRI mapping"));
        }
        Ok(true)
    }

    fn define_strings(
        &mut self,
        term: &mut Term,
        name: &str,
        members: &Map<String, Value>,
    ) -> Result<(), LdError> {
        if let Some(index) = members.get("@index") {
            let text = index
                .as_str()
                .filter(|_| term.container.has(Container::INDEX))
                .ok_or_else(|| invalid("invalid term definition"))?;
            match self.expand(text, true)? {
                Name::Text(text) if iri::is_absolute_iri(text.as_str()) => {}
                _ => return Err(invalid("invalid term definition")),
            }
            term.index = Some(text.into());
        }
        if let Some(prefix) = members.get("@prefix") {
            if name.contains(':') || name.contains('/') {
                return Err(invalid("invalid term definition"));
            }
            term.prefix = prefix.as_bool().ok_or_else(|| invalid("invalid @prefix value"))?;
            if term.prefix && term.iri.as_deref().is_some_and(is_keyword) {
                return Err(invalid("invalid term definition"));
            }
        }
        let known = |key: &str| {
            matches!(
                key,
                "@id"
                    | "@reverse"
                    | "@container"
                    | "@context"
                    | "@direction"
                    | "@index"
                    | "@language"
                    | "@nest"
                    | "@prefix"
                    | "@protected"
                    | "@type"
            )
        };
        if members.keys().any(|key| !known(key)) {
            return Err(invalid("invalid term definition"));
        }
        Ok(())
    }

    /// Expands a name while terms are being defined: what it needs is defined first.
    fn expand(&mut self, text: &str, vocab: bool) -> Result<Name<'static>, LdError> {
        if !text.starts_with('@') {
            if self.local.contains_key(text) && self.defined.get(text) != Some(&true) {
                self.define(text)?;
            }
            if let Some((prefix, suffix)) = split_compact(text)
                && prefix != "_"
                && !suffix.starts_with("//")
                && self.local.contains_key(prefix)
                && self.defined.get(prefix) != Some(&true)
            {
                self.define(prefix)?;
            }
        }
        let read = if vocab { Read::Vocab } else { Read::Document };
        Ok(match expand_name(self.result, text, read) {
            Name::Null => Name::Null,
            Name::Keyword(keyword) => Name::Keyword(keyword),
            Name::Text(text) => Name::Text(Text::Made(text.as_str().into())),
        })
    }
}

/// Steps 19 to 24: what a term's values look like.
fn define_rest(term: &mut Term, members: &Map<String, Value>) -> Result<(), LdError> {
    if let Some(container) = members.get("@container") {
        term.container = Container::parse(container).ok_or_else(|| invalid("invalid container mapping"))?;
        if term.container.has(Container::TYPE) {
            match &term.coercion {
                None => term.coercion = Some(Coercion::Id),
                Some(Coercion::Id | Coercion::Vocab) => {}
                Some(_) => return Err(invalid("invalid type mapping")),
            }
        }
    }
    if let Some(context) = members.get("@context") {
        term.context = Some(Arc::new(Scoped { id: next_id(), inline: term.inline, value: context.clone() }));
    }
    if let Some(language) = members.get("@language")
        && !members.contains_key("@type")
    {
        term.language = Some(match language {
            Value::Null => None,
            Value::String(tag) => Some(tag.to_lowercase().into()),
            _ => return Err(invalid("invalid language mapping")),
        });
    }
    if let Some(direction) = members.get("@direction")
        && !members.contains_key("@type")
    {
        term.direction = Some(match direction {
            Value::Null => None,
            other => Some(
                other.as_str().and_then(Direction::parse).ok_or_else(|| invalid("invalid base direction"))?,
            ),
        });
    }
    if let Some(nest) = members.get("@nest") {
        let text = nest
            .as_str()
            .filter(|text| *text == "@nest" || !is_keyword(text))
            .ok_or_else(|| invalid("invalid @nest value"))?;
        term.nest = Some(text.into());
    }
    Ok(())
}

fn is_iri_or_blank(text: &str) -> bool {
    text.starts_with("_:") || iri::is_absolute_iri(text)
}
