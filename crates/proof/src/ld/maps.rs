//! Maps: values keyed by language, index, identifier or type (JSON-LD 1.1 API §5.1.2 steps 13.7 and 13.8).
//!
//! No published context of ours uses them; documents with contexts of their own may.
//! Never here: a key that a signature would not cover.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::context::{ActiveContext, Apply, Coercion, Container, Name, Read, Term, Work, expand_name};
use super::expand::{Item, Literal, Node, Place, Scalar, as_graph, dropped, expand, invalid, language_tag};
use super::{LdError, Text};

pub(super) fn expand_language_map<'d>(
    active: &Arc<ActiveContext>,
    term: Option<&Term>,
    map: &'d Map<String, Value>,
    work: &Work<'_>,
) -> Result<Vec<Item<'d>>, LdError> {
    let direction = match term.and_then(|term| term.direction) {
        Some(own) => own,
        None => active.direction,
    };
    let mut result = Vec::new();
    for (language, value) in map {
        let none = matches!(expand_name(active, language, Read::Vocab), Name::Keyword("@none"));
        let single = std::slice::from_ref(value);
        for item in value.as_array().map_or(single, Vec::as_slice) {
            let text = match item {
                Value::String(text) => text,
                Value::Null if work.options.lenient => continue,
                _ => return Err(invalid("invalid language map value").inside(language)),
            };
            result.push(Item::Literal(Literal {
                scalar: Scalar::Text(text),
                datatype: None,
                language: (!none).then(|| language_tag(language)),
                direction,
            }));
        }
    }
    Ok(result)
}

pub(super) fn expand_index_map<'d>(
    active: &Arc<ActiveContext>,
    place: &Place<'_>,
    container: Container,
    map: &'d Map<String, Value>,
    work: &mut Work<'_>,
) -> Result<Vec<Item<'d>>, LdError> {
    let term = place.term.clone();
    let index_key = term
        .as_ref()
        .and_then(|term| term.index.clone())
        .filter(|_| container.has(Container::INDEX))
        .filter(|key| &**key != "@index");
    let only_index = container.has(Container::INDEX) && index_key.is_none();
    if only_index && !work.options.lenient {
        return Err(dropped("an index"));
    }
    let mut result = Vec::new();
    for (key, value) in map {
        let mut inner_context = Arc::clone(active);
        if container.has(Container::ID | Container::TYPE)
            && let Some(previous) = &active.previous
        {
            inner_context = Arc::clone(previous);
        }
        if container.has(Container::TYPE) {
            let scoped = inner_context.term(key).and_then(|term| term.context.clone());
            if let Some(scoped) = scoped {
                inner_context = work.apply_scoped(&inner_context, &scoped, Apply::Type)?;
            }
        } else if !container.has(Container::ID) {
            inner_context = Arc::clone(active);
        }
        let expanded_key = expand_name(active, key, Read::Vocab);
        let none = matches!(expanded_key, Name::Keyword("@none"));
        let inner = Place { from_map: true, ..place.clone() };
        let items = expand(&inner_context, &inner, value, work).map_err(|e| e.inside(key))?;
        for mut item in items {
            if container.has(Container::GRAPH) {
                item = as_graph(item, false);
            }
            if let (Some(index_key), false) = (&index_key, none) {
                add_property_index(&mut item, active, index_key, key)?;
            } else if let (Item::Node(node), false) = (&mut item, none) {
                if container.has(Container::ID) && node.id.is_none() {
                    if let Name::Text(id) = expand_name(active, key, Read::Document) {
                        node.id = Some(id);
                    }
                } else if container.has(Container::TYPE)
                    && let Name::Text(kind) = expand_name(active, key, Read::Both)
                {
                    node.type_seen = true;
                    node.types.insert(0, Text::Made(kind.as_str().into()));
                }
            }
            result.push(item);
        }
    }
    Ok(result)
}

/// A property-valued index (API §5.1.2 step 13.8.3.7.2) becomes one more property of the node.
fn add_property_index<'d>(
    item: &mut Item<'d>,
    active: &ActiveContext,
    index_key: &str,
    key: &'d str,
) -> Result<(), LdError> {
    let Item::Node(node) = item else {
        return Err(invalid("invalid value object"));
    };
    let term = active.term(index_key).map(Arc::clone);
    let place = Place { property: Some(index_key), term, from_map: false, depth: 0 };
    let value = match active.term(index_key).and_then(|t| t.coercion.as_ref()) {
        Some(Coercion::Id | Coercion::Vocab) => {
            let read = Read::Both;
            match expand_name(active, key, read) {
                Name::Text(id) => {
                    Item::Node(Box::new(Node { id: Some(Text::Made(id.as_str().into())), ..Node::default() }))
                }
                _ => return Err(invalid("invalid value object")),
            }
        }
        Some(Coercion::Datatype(datatype)) => Item::Literal(Literal {
            scalar: Scalar::Text(key),
            datatype: Some(Text::Made(Arc::clone(datatype))),
            language: None,
            direction: None,
        }),
        _ => Item::Literal(Literal {
            scalar: Scalar::Text(key),
            datatype: None,
            language: place
                .term
                .as_ref()
                .and_then(|term| term.language.clone())
                .unwrap_or_else(|| active.language.clone())
                .map(Text::Made),
            direction: active.direction,
        }),
    };
    match expand_name(active, index_key, Read::Vocab) {
        Name::Text(property) => {
            let property = Text::Made(property.as_str().into());
            node.add(property, vec![value]);
            Ok(())
        }
        _ => Err(invalid("invalid term definition")),
    }
}
