//! Expansion (JSON-LD 1.1 API §5.1): every member of a document under the address that its contexts give it.
//!
//! The result is a typed tree instead of JSON; texts that stand in the document unchanged stay borrowed from it, which
//! is what lets [`crate::integrity::Skeleton`] find them again.
//! Never here (unless [`super::Options::lenient`]): a member, value or node that is dropped in silence.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::context::{
    ActiveContext, Apply, Coercion, Container, Direction, Name, Read, Term, Work, expand_name,
};
use super::maps::{expand_index_map, expand_language_map};
use super::{LdError, LdErrorKind, Text};

/// One expanded value.
#[derive(Debug, Clone)]
pub(super) enum Item<'d> {
    Node(Box<Node<'d>>),
    Literal(Literal<'d>),
    List(Vec<Item<'d>>),
}

/// An expanded node object.
#[derive(Debug, Clone, Default)]
pub(super) struct Node<'d> {
    pub id: Option<Text<'d>>,
    pub types: Vec<Text<'d>>,
    pub properties: Vec<(Text<'d>, Vec<Item<'d>>)>,
    pub reverse: Vec<(Text<'d>, Vec<Item<'d>>)>,
    pub graph: Option<Vec<Item<'d>>>,
    pub included: Vec<Item<'d>>,
    pub index: bool,
    pub type_seen: bool,
}

impl<'d> Node<'d> {
    fn is_empty(&self) -> bool {
        self.id.is_none() && self.only_id()
    }

    fn only_id(&self) -> bool {
        !self.type_seen
            && self.properties.is_empty()
            && self.reverse.is_empty()
            && self.graph.is_none()
            && self.included.is_empty()
            && !self.index
    }

    pub fn is_graph(&self) -> bool {
        self.graph.is_some()
            && self.types.is_empty()
            && self.properties.is_empty()
            && self.reverse.is_empty()
            && self.included.is_empty()
    }

    pub fn add(&mut self, property: Text<'d>, mut items: Vec<Item<'d>>) {
        match self.properties.iter_mut().find(|(name, _)| *name == property) {
            Some((_, found)) => found.append(&mut items),
            None => self.properties.push((property, items)),
        }
    }

    fn add_reverse(&mut self, property: Text<'d>, mut items: Vec<Item<'d>>) {
        match self.reverse.iter_mut().find(|(name, _)| *name == property) {
            Some((_, found)) => found.append(&mut items),
            None => self.reverse.push((property, items)),
        }
    }
}

/// The value of a value object.
#[derive(Debug, Clone)]
pub(super) enum Scalar<'d> {
    Text(&'d str),
    Bool(bool),
    Number(&'d serde_json::Number),
    Json(&'d Value),
}

/// An expanded value object.
#[derive(Debug, Clone)]
pub(super) struct Literal<'d> {
    pub scalar: Scalar<'d>,
    pub datatype: Option<Text<'d>>,
    pub language: Option<Text<'d>>,
    pub direction: Option<Direction>,
}

pub(super) fn invalid(code: &'static str) -> LdError {
    LdError::new(LdErrorKind::Invalid(code))
}

pub(super) fn dropped(what: &'static str) -> LdError {
    LdError::new(LdErrorKind::Dropped(what))
}

/// Where a value stands, besides its active context.
#[derive(Clone)]
pub(super) struct Place<'p> {
    /// The member name that led here; None at the top.
    pub property: Option<&'p str>,
    pub term: Option<Arc<Term>>,
    pub from_map: bool,
    pub depth: usize,
}

impl Place<'_> {
    fn is_top(&self) -> bool {
        matches!(self.property, None | Some("@graph"))
    }
}

/// Expands a whole document.
pub(super) fn expand_document<'d>(
    document: &'d Value,
    work: &mut Work<'_>,
) -> Result<Vec<Item<'d>>, LdError> {
    let place = Place { property: None, term: None, from_map: false, depth: 0 };
    let root = work.root();
    let items = expand(&root, &place, document, work)?;
    // A document that is nothing but a graph without a name stands for the graph's contents.
    if let [Item::Node(node)] = items.as_slice()
        && node.is_graph()
        && node.id.is_none()
        && !node.index
    {
        return Ok(node.graph.clone().unwrap_or_default());
    }
    Ok(items)
}

pub(super) fn expand<'d>(
    active: &Arc<ActiveContext>,
    place: &Place<'_>,
    element: &'d Value,
    work: &mut Work<'_>,
) -> Result<Vec<Item<'d>>, LdError> {
    if place.depth > super::DEPTH_MAX {
        return Err(LdError::new(LdErrorKind::Limit("nested too deeply")));
    }
    match element {
        Value::Null => {
            if work.options.lenient {
                return Ok(Vec::new());
            }
            Err(dropped("null"))
        }
        Value::Array(items) => {
            let mut result = Vec::new();
            let is_list = has_container(place, Container::LIST);
            for (index, item) in items.iter().enumerate() {
                let expanded = expand(active, place, item, work).map_err(|e| e.at(index))?;
                if is_list && item.is_array() {
                    result.push(Item::List(expanded));
                } else {
                    result.extend(expanded);
                }
            }
            Ok(result)
        }
        Value::Object(members) => expand_object(active, place, members, work),
        scalar => {
            if place.is_top() {
                if work.options.lenient {
                    return Ok(Vec::new());
                }
                return Err(dropped("a value outside any node"));
            }
            let scoped = match place.term.as_ref().and_then(|term| term.context.as_ref()) {
                Some(scoped) => work.apply_scoped(active, scoped, Apply::Property)?,
                None => Arc::clone(active),
            };
            expand_value(&scoped, place, scalar).map(|item| vec![item])
        }
    }
}

fn has_container(place: &Place<'_>, flag: u8) -> bool {
    place.term.as_ref().is_some_and(|term| term.container.has(flag))
}

/// Value expansion (API §5.3).
fn expand_value<'d>(
    active: &ActiveContext,
    place: &Place<'_>,
    scalar: &'d Value,
) -> Result<Item<'d>, LdError> {
    // The term is looked up again: the property's own context may have changed it.
    let term = place.property.and_then(|name| active.term(name));
    let coercion = term.and_then(|term| term.coercion.as_ref());
    if let Value::String(text) = scalar {
        let read = match coercion {
            Some(Coercion::Id) => Some(Read::Document),
            Some(Coercion::Vocab) => Some(Read::Both),
            _ => None,
        };
        if let Some(read) = read {
            let id = match expand_name(active, text, read) {
                Name::Text(id) if read == Read::Both => Text::Made(id.as_str().into()),
                Name::Text(id) => id,
                Name::Keyword(keyword) => Text::Made(keyword.into()),
                Name::Null => return Err(LdError::new(LdErrorKind::RelativeIri(text.clone()))),
            };
            return Ok(Item::Node(Box::new(Node { id: Some(id), ..Node::default() })));
        }
    }
    let mut literal = Literal { scalar: scalar_of(scalar)?, datatype: None, language: None, direction: None };
    if let Some(Coercion::Datatype(datatype)) = coercion {
        literal.datatype = Some(Text::Made(Arc::clone(datatype)));
    } else if scalar.is_string() {
        literal.language = match term.and_then(|term| term.language.clone()) {
            Some(own) => own.map(Text::Made),
            None => active.language.clone().map(Text::Made),
        };
        literal.direction = match term.and_then(|term| term.direction) {
            Some(own) => own,
            None => active.direction,
        };
    }
    Ok(Item::Literal(literal))
}

fn scalar_of(value: &Value) -> Result<Scalar<'_>, LdError> {
    match value {
        Value::String(text) => Ok(Scalar::Text(text)),
        Value::Bool(flag) => Ok(Scalar::Bool(*flag)),
        Value::Number(number) => Ok(Scalar::Number(number)),
        _ => Err(invalid("invalid value object value")),
    }
}

/// The keywords of a node or value object while its members are read.
#[derive(Default)]
struct Build<'d> {
    node: Node<'d>,
    value: Option<&'d Value>,
    datatype: Option<Vec<Text<'d>>>,
    type_json: bool,
    type_is_array: bool,
    language: Option<Text<'d>>,
    direction: Option<Direction>,
    list: Option<Vec<Item<'d>>>,
    set: Option<Vec<Item<'d>>>,
    other_keywords: bool,
}

fn expand_object<'d>(
    active: &Arc<ActiveContext>,
    place: &Place<'_>,
    members: &'d Map<String, Value>,
    work: &mut Work<'_>,
) -> Result<Vec<Item<'d>>, LdError> {
    let mut active = Arc::clone(active);
    if let Some(previous) = &active.previous
        && !place.from_map
        && !keeps_type_context(&active, members)
    {
        active = Arc::clone(previous);
    }
    if let Some(scoped) = place.term.as_ref().and_then(|term| term.context.as_ref()) {
        active = work.apply_scoped(&active, scoped, Apply::Property)?;
    }
    if let Some(local) = members.get("@context") {
        active = work.apply_document(&active, local)?;
    }
    let type_scoped = Arc::clone(&active);
    let active = apply_types(active, members, work)?;
    let mut build = Build { type_json: has_json_type(&active, &type_scoped, members), ..Build::default() };
    expand_members(&active, &type_scoped, place, members, &mut build, work)?;
    finish(build, place, work)
}

/// API §5.1.2 step 7: a value object or a bare reference does not leave the context of its node's type.
fn keeps_type_context(active: &ActiveContext, members: &Map<String, Value>) -> bool {
    let only = members.len() == 1;
    members.keys().any(|name| match expand_name(active, name, Read::Vocab) {
        Name::Keyword("@value") => true,
        Name::Keyword("@id") => only,
        _ => false,
    })
}

/// API §5.1.2 step 11: the contexts of the node's types.
fn apply_types(
    type_scoped: Arc<ActiveContext>,
    members: &Map<String, Value>,
    work: &mut Work<'_>,
) -> Result<Arc<ActiveContext>, LdError> {
    let mut active = Arc::clone(&type_scoped);
    let mut keys: Vec<&String> = members
        .keys()
        .filter(|name| matches!(expand_name(&type_scoped, name, Read::Vocab), Name::Keyword("@type")))
        .collect();
    keys.sort_unstable();
    for key in keys {
        let mut names: Vec<&str> = match members.get(key) {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        names.sort_unstable();
        for name in names {
            let scoped = type_scoped.term(name).and_then(|term| term.context.as_ref());
            if let Some(scoped) = scoped {
                active =
                    work.apply_scoped(&active, scoped, Apply::Type).map_err(|error| error.inside(key))?;
            }
        }
    }
    Ok(active)
}

fn has_json_type(active: &ActiveContext, type_scoped: &ActiveContext, members: &Map<String, Value>) -> bool {
    let keys = members
        .iter()
        .filter(|(name, _)| matches!(expand_name(active, name, Read::Vocab), Name::Keyword("@type")));
    let last = keys.min_by_key(|(name, _)| (*name).clone()).and_then(|(_, value)| match value {
        Value::String(name) => Some(name.as_str()),
        Value::Array(items) => items.last().and_then(Value::as_str),
        _ => None,
    });
    last.is_some_and(|name| matches!(expand_name(type_scoped, name, Read::Both), Name::Keyword("@json")))
}

/// API §5.1.2 steps 13 and 14.
fn expand_members<'d>(
    active: &Arc<ActiveContext>,
    type_scoped: &Arc<ActiveContext>,
    place: &Place<'_>,
    members: &'d Map<String, Value>,
    build: &mut Build<'d>,
    work: &mut Work<'_>,
) -> Result<(), LdError> {
    let mut nests: Vec<&'d str> = Vec::new();
    for (name, value) in members {
        if name == "@context" {
            continue;
        }
        let property = match expand_name(active, name, Read::Vocab) {
            Name::Keyword("@nest") if work.options.lenient => {
                nests.push(name);
                continue;
            }
            Name::Keyword(keyword) => {
                if !work.options.lenient {
                    admit_keyword(keyword, active, name, members).map_err(|error| error.inside(name))?;
                }
                let depth = place.depth + 1;
                let inner = Place { depth, ..place.clone() };
                expand_keyword(keyword, active, type_scoped, &inner, value, build, work)
                    .map_err(|error| error.inside(name))?;
                continue;
            }
            Name::Text(text) if text.as_str().contains(':') => {
                if !work.options.lenient && active.hides_term(name, text.as_str()) {
                    return Err(LdError::new(LdErrorKind::Hidden(name.clone())).inside(name));
                }
                text
            }
            _ => {
                if work.options.lenient {
                    continue;
                }
                let kind = LdErrorKind::UndefinedTerm(name.clone());
                return Err(LdError::new(kind).inside(name));
            }
        };
        expand_property(active, place, name, property, value, build, work)
            .map_err(|error| error.inside(name))?;
    }
    nests.sort_unstable();
    for name in nests {
        let Some(value) = members.get(name) else {
            continue;
        };
        let single = std::slice::from_ref(value);
        let values = value.as_array().map_or(single, Vec::as_slice);
        for nested in values {
            expand_nest(active, type_scoped, place, name, nested, build, work)
                .map_err(|error| error.inside(name))?;
        }
    }
    Ok(())
}

/// Credentials are compacted documents (VCDM 2.0 §6.1): keywords that let one set of statements be written in many ways
/// are not accepted, because readers of the JSON would miss what the signature covers.
fn admit_keyword(
    keyword: &'static str,
    active: &ActiveContext,
    name: &str,
    members: &Map<String, Value>,
) -> Result<(), LdError> {
    let alias = match keyword {
        "@graph" | "@included" | "@reverse" | "@nest" | "@list" | "@set" => {
            return Err(LdError::new(LdErrorKind::Hidden(name.to_owned())));
        }
        "@index" => return Err(dropped("an index")),
        "@id" => "id",
        "@type" => "type",
        _ => return Ok(()),
    };
    if name == alias {
        return Ok(());
    }
    let has_alias = active.term(alias).is_some_and(|term| term.iri.as_deref() == Some(keyword));
    let is_value = members.contains_key("@value");
    if has_alias && !is_value {
        return Err(LdError::new(LdErrorKind::Hidden(name.to_owned())));
    }
    Ok(())
}

fn expand_nest<'d>(
    active: &Arc<ActiveContext>,
    type_scoped: &Arc<ActiveContext>,
    place: &Place<'_>,
    name: &str,
    nested: &'d Value,
    build: &mut Build<'d>,
    work: &mut Work<'_>,
) -> Result<(), LdError> {
    let Value::Object(nested) = nested else {
        return Err(invalid("invalid @nest value"));
    };
    let has_value =
        nested.keys().any(|key| matches!(expand_name(active, key, Read::Vocab), Name::Keyword("@value")));
    if has_value || place.depth > super::DEPTH_MAX {
        return Err(invalid("invalid @nest value"));
    }
    let mut active = Arc::clone(active);
    if let Some(scoped) = active.term(name).and_then(|term| term.context.clone()) {
        active = work.apply_scoped(&active, &scoped, Apply::Property)?;
    }
    let deeper = Place { depth: place.depth + 1, ..place.clone() };
    expand_members(&active, type_scoped, &deeper, nested, build, work)
}

/// API §5.1.2 step 13.4.
fn expand_keyword<'d>(
    keyword: &'static str,
    active: &Arc<ActiveContext>,
    type_scoped: &Arc<ActiveContext>,
    place: &Place<'_>,
    value: &'d Value,
    build: &mut Build<'d>,
    work: &mut Work<'_>,
) -> Result<(), LdError> {
    if place.property == Some("@reverse") {
        return Err(invalid("invalid reverse property map"));
    }
    match keyword {
        "@id" => {
            let text = value.as_str().ok_or_else(|| invalid("invalid @id value"))?;
            if build.node.id.is_some() {
                return Err(invalid("colliding keywords"));
            }
            match expand_name(active, text, Read::Document) {
                Name::Text(id) => build.node.id = Some(id),
                _ if work.options.lenient => build.other_keywords = true,
                _ => return Err(LdError::new(LdErrorKind::RelativeIri(text.to_owned()))),
            }
        }
        "@type" => expand_type(type_scoped, value, build, work)?,
        "@graph" => {
            let inner = Place { property: Some("@graph"), term: None, from_map: false, depth: place.depth };
            let mut items = expand(active, &inner, value, work)?;
            build.node.graph.get_or_insert_default().append(&mut items);
        }
        "@included" => {
            let inner = Place { property: None, term: None, from_map: false, depth: place.depth };
            let items = expand(active, &inner, value, work)?;
            if items.is_empty() || items.iter().any(|item| !matches!(item, Item::Node(_))) {
                return Err(invalid("invalid @included value"));
            }
            build.node.included.extend(items);
        }
        "@value" => {
            if build.value.is_some() {
                return Err(invalid("colliding keywords"));
            }
            let scalar = !value.is_object() && !value.is_array();
            if !build.type_json && !scalar {
                return Err(invalid("invalid value object value"));
            }
            build.value = Some(value);
        }
        "@language" => {
            let tag = value.as_str().ok_or_else(|| invalid("invalid language-tagged string"))?;
            build.language = Some(language_tag(tag));
        }
        "@direction" => {
            let direction = value.as_str().and_then(Direction::parse);
            build.direction = Some(direction.ok_or_else(|| invalid("invalid base direction"))?);
        }
        "@index" => {
            if !value.is_string() {
                return Err(invalid("invalid @index value"));
            }
            build.node.index = true;
        }
        "@list" => {
            if place.is_top() {
                if work.options.lenient {
                    build.list = Some(Vec::new());
                    return Ok(());
                }
                return Err(dropped("a list outside any node"));
            }
            build.list = Some(expand_list(active, place, value, work)?);
        }
        "@set" => {
            let items = expand(active, place, value, work)?;
            build.set.get_or_insert_default().extend(items);
        }
        "@reverse" => expand_reverse(active, place, value, build, work)?,
        "@default" | "@embed" | "@explicit" | "@omitDefault" | "@requireAll" | "@preserve" => {
            if !work.options.lenient {
                return Err(dropped("a framing keyword"));
            }
        }
        _ => {
            if !work.options.lenient {
                return Err(invalid("a keyword at the wrong place"));
            }
        }
    }
    Ok(())
}

pub(super) fn language_tag<'d>(tag: &'d str) -> Text<'d> {
    if tag.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Text::from(tag.to_ascii_lowercase())
    } else {
        Text::Made(tag.into())
    }
}

fn expand_list<'d>(
    active: &Arc<ActiveContext>,
    place: &Place<'_>,
    value: &'d Value,
    work: &mut Work<'_>,
) -> Result<Vec<Item<'d>>, LdError> {
    let Value::Array(items) = value else {
        return expand(active, place, value, work);
    };
    let mut list = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let expanded = expand(active, place, item, work).map_err(|error| error.at(index))?;
        if item.is_array() {
            list.push(Item::List(expanded));
        } else {
            list.extend(expanded);
        }
    }
    Ok(list)
}

fn expand_type<'d>(
    type_scoped: &ActiveContext,
    value: &'d Value,
    build: &mut Build<'d>,
    work: &Work<'_>,
) -> Result<(), LdError> {
    let single = std::slice::from_ref(value);
    let items = value.as_array().map_or(single, Vec::as_slice);
    build.type_is_array |= value.is_array() && items.len() != 1;
    build.node.type_seen = true;
    let types = build.datatype.get_or_insert_default();
    for (index, item) in items.iter().enumerate() {
        let place = |error: LdError| {
            if value.is_array() { error.at(index) } else { error }
        };
        let name = item.as_str().ok_or_else(|| place(invalid("invalid type value")))?;
        match expand_name(type_scoped, name, Read::Both) {
            // A type chooses contexts, so it is never a text that may be exchanged.
            Name::Text(text) => {
                let known = super::is_absolute_iri(text.as_str()) || text.as_str().starts_with("_:");
                if !known && !work.options.lenient {
                    let kind = LdErrorKind::UndefinedTerm(name.to_owned());
                    return Err(place(LdError::new(kind)));
                }
                if !work.options.lenient && type_scoped.hides_term(name, text.as_str()) {
                    return Err(place(LdError::new(LdErrorKind::Hidden(name.to_owned()))));
                }
                types.push(Text::Made(text.as_str().into()));
            }
            Name::Keyword(keyword) => types.push(Text::Made(keyword.into())),
            Name::Null if work.options.lenient => {}
            Name::Null => {
                let kind = LdErrorKind::UndefinedTerm(name.to_owned());
                return Err(place(LdError::new(kind)));
            }
        }
    }
    Ok(())
}

fn expand_reverse<'d>(
    active: &Arc<ActiveContext>,
    place: &Place<'_>,
    value: &'d Value,
    build: &mut Build<'d>,
    work: &mut Work<'_>,
) -> Result<(), LdError> {
    let Value::Object(members) = value else {
        return Err(invalid("invalid @reverse value"));
    };
    let inner = Place { property: Some("@reverse"), term: None, from_map: false, depth: place.depth };
    let mut reversed = Build::default();
    expand_members(active, active, &inner, members, &mut reversed, work)?;
    for (property, items) in reversed.node.reverse {
        build.node.add(property, items);
    }
    for (property, items) in reversed.node.properties {
        if items.iter().any(|item| !matches!(item, Item::Node(_))) {
            return Err(invalid("invalid reverse property value"));
        }
        build.node.add_reverse(property, items);
    }
    Ok(())
}

/// API §5.1.2 steps 13.5 to 13.14.
fn expand_property<'d>(
    active: &Arc<ActiveContext>,
    place: &Place<'_>,
    name: &'d str,
    property: Text<'d>,
    value: &'d Value,
    build: &mut Build<'d>,
    work: &mut Work<'_>,
) -> Result<(), LdError> {
    let term = active.term(name).map(Arc::clone);
    let container = term.as_ref().map(|term| term.container).unwrap_or_default();
    let coercion = term.as_ref().and_then(|term| term.coercion.as_ref());
    let inner = Place { property: Some(name), term: term.clone(), from_map: false, depth: place.depth + 1 };
    let mut items = match value {
        _ if coercion == Some(&Coercion::Json) => vec![Item::Literal(Literal {
            scalar: Scalar::Json(value),
            datatype: None,
            language: None,
            direction: None,
        })],
        Value::Object(map) if container.has(Container::LANGUAGE) => {
            expand_language_map(active, term.as_deref(), map, work)?
        }
        Value::Object(map) if container.has(Container::INDEX | Container::ID | Container::TYPE) => {
            expand_index_map(active, &inner, container, map, work)?
        }
        other => expand(active, &inner, other, work)?,
    };
    if value.is_null() && coercion != Some(&Coercion::Json) {
        return Ok(());
    }
    if container.has(Container::LIST) && !matches!(items.as_slice(), [Item::List(_)] if !value.is_array()) {
        items = vec![Item::List(items)];
    }
    if container.has(Container::GRAPH) && !container.has(Container::ID | Container::INDEX) {
        items = items.into_iter().map(|item| as_graph(item, true)).collect();
    }
    if term.as_ref().is_some_and(|term| term.reverse) {
        if !work.options.lenient {
            return Err(LdError::new(LdErrorKind::Hidden(name.to_owned())));
        }
        if items.iter().any(|item| !matches!(item, Item::Node(_))) {
            return Err(invalid("invalid reverse property value"));
        }
        build.node.add_reverse(property, items);
    } else {
        build.node.add(property, items);
    }
    Ok(())
}

pub(super) fn as_graph(item: Item<'_>, always: bool) -> Item<'_> {
    if !always && matches!(&item, Item::Node(node) if node.is_graph()) {
        return item;
    }
    Item::Node(Box::new(Node { graph: Some(vec![item]), ..Node::default() }))
}

/// API §5.1.2 steps 15 to 19.
fn finish<'d>(mut build: Build<'d>, place: &Place<'_>, work: &Work<'_>) -> Result<Vec<Item<'d>>, LdError> {
    let lenient = work.options.lenient;
    if let Some(value) = build.value {
        return finish_value(build, value, place, work);
    }
    if build.list.is_some() || build.set.is_some() {
        let clean = build.node.id.is_none()
            && build.node.properties.is_empty()
            && build.node.reverse.is_empty()
            && build.node.graph.is_none()
            && !build.node.type_seen
            && build.language.is_none();
        if !clean || (build.list.is_some() && build.set.is_some()) {
            return Err(invalid("invalid set or list object"));
        }
        if let Some(set) = build.set {
            return Ok(set);
        }
        if place.is_top() {
            return Ok(Vec::new());
        }
        return Ok(vec![Item::List(build.list.unwrap_or_default())]);
    }
    build.node.types = build.datatype.take().unwrap_or_default();
    let stray = build.language.is_some() || build.direction.is_some();
    if stray && build.node.is_empty() {
        if lenient {
            return Ok(Vec::new());
        }
        return Err(dropped("a language without a text"));
    }
    if stray && !lenient {
        return Err(dropped("a language on something that is no text"));
    }
    if place.is_top() && build.node.only_id() {
        // an empty object, or a bare address that says nothing
        if lenient || (build.node.id.is_none() && place.property.is_none() && place.depth == 0) {
            return Ok(Vec::new());
        }
        return Err(dropped("a node that says nothing"));
    }
    Ok(vec![Item::Node(Box::new(build.node))])
}

fn finish_value<'d>(
    build: Build<'d>,
    value: &'d Value,
    place: &Place<'_>,
    work: &Work<'_>,
) -> Result<Vec<Item<'d>>, LdError> {
    let lenient = work.options.lenient;
    let node = &build.node;
    let clean = node.id.is_none()
        && node.properties.is_empty()
        && node.reverse.is_empty()
        && node.graph.is_none()
        && node.included.is_empty()
        && build.list.is_none()
        && build.set.is_none();
    let tagged = build.language.is_some() || build.direction.is_some();
    if !clean || (tagged && build.datatype.is_some()) {
        return Err(invalid("invalid value object"));
    }
    let scalar = if build.type_json {
        Scalar::Json(value)
    } else if value.is_null() {
        if lenient {
            return Ok(Vec::new());
        }
        return Err(dropped("null"));
    } else {
        scalar_of(value)?
    };
    if tagged && !value.is_string() {
        return Err(invalid("invalid language-tagged value"));
    }
    let datatype = match build.datatype {
        None => None,
        Some(_) if build.type_json => None,
        Some(mut types) => match (types.pop(), types.is_empty(), build.type_is_array) {
            (Some(one), true, false) if super::is_absolute_iri(one.as_str()) => Some(one),
            _ => return Err(invalid("invalid typed value")),
        },
    };
    if place.is_top() {
        if lenient {
            return Ok(Vec::new());
        }
        return Err(dropped("a value outside any node"));
    }
    Ok(vec![Item::Literal(Literal {
        scalar,
        datatype,
        language: build.language,
        direction: build.direction,
    })])
}
