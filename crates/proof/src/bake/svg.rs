//! A small scanner of SVG text: it finds tags and namespaces, and cuts or inserts one element.
//!
//! It knows start tags, end tags, comments, CDATA and processing instructions; a document type is refused, so there are no
//! entities to expand. Only the five predefined ones and character numbers are read, and only inside a credential.
//! It runs once over the text; depth, attributes and namespaces are bounded.
//! Never here: a general XML parser, a file or address that is followed.

use super::{BakeError, MAX_CREDENTIAL_BYTES};

const NAMESPACE: &str = "https://purl.imsglobal.org/ob/v3p0";
const NAMESPACE_OB2: &str = "http://openbadges.org";
const NAMESPACE_SVG: &str = "http://www.w3.org/2000/svg";
const PREFIX: &str = "openbadges";

/// The deepest nesting of elements.
const MAX_DEPTH: usize = 256;

/// The largest number of attributes of one element.
const MAX_ATTRIBUTES: usize = 256;

/// The largest number of namespace declarations that are open at once.
const MAX_NAMESPACES: usize = 32;

/// The longest name of an element or attribute.
const MAX_NAME_BYTES: usize = 256;

/// The largest number of tags, texts and comments.
const MAX_PIECES: usize = 200_000;

const DAMAGED: BakeError = BakeError::Image("it is not well-formed SVG");

/// One piece of markup, with the byte range where it stands.
enum Piece<'a> {
    Text(&'a str),
    Data(&'a str),
    Open {
        name: &'a str,
        attributes: Vec<(&'a str, &'a str)>,
        closed: bool,
    },
    Close(&'a str),
    /// A comment, a processing instruction, an XML declaration.
    Other,
}

struct Scanner<'a> {
    text: &'a str,
    position: usize,
    pieces: usize,
}

impl<'a> Scanner<'a> {
    /// The next piece and where it begins; none at the end.
    fn next(&mut self) -> Result<Option<(usize, Piece<'a>)>, BakeError> {
        let start = self.position;
        let rest = self.text.get(start..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        self.pieces += 1;
        if self.pieces > MAX_PIECES {
            return Err(BakeError::TooLarge("it has too many elements"));
        }
        let Some(markup) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            self.position = start + end;
            return Ok(Some((start, Piece::Text(rest.get(..end).unwrap_or_default()))));
        };
        let piece = if let Some(body) = markup.strip_prefix("!--") {
            self.until(body, "-->")?;
            Piece::Other
        } else if let Some(body) = markup.strip_prefix("![CDATA[") {
            Piece::Data(self.until(body, "]]>")?)
        } else if let Some(body) = markup.strip_prefix('?') {
            self.until(body, "?>")?;
            Piece::Other
        } else if markup.starts_with('!') {
            return Err(BakeError::Image("an SVG with a document type is not accepted"));
        } else if let Some(body) = markup.strip_prefix('/') {
            let name = self.until(body, ">")?.trim_end();
            check_name(name)?;
            Piece::Close(name)
        } else {
            self.open(markup)?
        };
        Ok(Some((start, piece)))
    }

    /// What stands before `end` in `body` (a suffix of the text); moves behind it.
    fn until(&mut self, body: &'a str, end: &str) -> Result<&'a str, BakeError> {
        let (inside, after) = body.split_once(end).ok_or(DAMAGED)?;
        self.position = self.text.len() - after.len();
        Ok(inside)
    }

    fn open(&mut self, markup: &'a str) -> Result<Piece<'a>, BakeError> {
        let end = markup.find(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/').ok_or(DAMAGED)?;
        let (name, mut rest) = markup.split_at_checked(end).ok_or(DAMAGED)?;
        check_name(name)?;
        let mut attributes: Vec<(&str, &str)> = Vec::new();
        loop {
            let trimmed = rest.trim_ascii_start();
            let closed = trimmed.strip_prefix("/>");
            if let Some(after) = closed.or_else(|| trimmed.strip_prefix('>')) {
                self.position = self.text.len() - after.len();
                return Ok(Piece::Open { name, attributes, closed: closed.is_some() });
            }
            if trimmed.len() == rest.len() || attributes.len() == MAX_ATTRIBUTES {
                return Err(DAMAGED);
            }
            let (key, after) = trimmed.split_once('=').ok_or(DAMAGED)?;
            let key = key.trim_ascii_end();
            check_name(key)?;
            let after = after.trim_ascii_start();
            let quote = after.chars().next().filter(|c| *c == '"' || *c == '\'').ok_or(DAMAGED)?;
            let (value, after) =
                after.strip_prefix(quote).and_then(|value| value.split_once(quote)).ok_or(DAMAGED)?;
            if value.contains('<') || attributes.iter().any(|(earlier, _)| *earlier == key) {
                return Err(DAMAGED);
            }
            attributes.push((key, value));
            rest = after;
        }
    }
}

fn check_name(name: &str) -> Result<(), BakeError> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>&\"'/=?!".contains(c);
    if name.is_empty() || name.len() > MAX_NAME_BYTES || name.contains(odd) {
        return Err(DAMAGED);
    }
    Ok(())
}

/// The namespace declarations that are in force, innermost last, each with the depth of its element.
#[derive(Default)]
struct Namespaces<'a> {
    open: Vec<(usize, &'a str, &'a str)>,
}

impl<'a> Namespaces<'a> {
    fn enter(&mut self, depth: usize, attributes: &[(&'a str, &'a str)]) -> Result<(), BakeError> {
        for (key, value) in attributes {
            let prefix = match key.strip_prefix("xmlns") {
                Some("") => "",
                Some(rest) => match rest.strip_prefix(':') {
                    Some(prefix) => prefix,
                    None => continue,
                },
                None => continue,
            };
            if self.open.len() == MAX_NAMESPACES {
                return Err(BakeError::TooLarge("it declares too many namespaces"));
            }
            self.open.push((depth, prefix, value));
        }
        Ok(())
    }

    fn leave(&mut self, depth: usize) {
        while self.open.last().is_some_and(|(at, _, _)| *at >= depth) {
            self.open.pop();
        }
    }

    fn of_prefix(&self, wanted: &str) -> Option<&'a str> {
        let mut innermost_first = self.open.iter().rev();
        innermost_first.find(|(_, prefix, _)| *prefix == wanted).map(|(_, _, namespace)| *namespace)
    }

    /// Namespace and local part of an element's name. A prefix that nobody declared is refused (Namespaces in XML §5), or
    /// our own declaration on the root would give a meaning to elements that had none.
    fn resolve<'n>(&self, name: &'n str) -> Result<(Option<&'a str>, &'n str), BakeError> {
        match name.split_once(':') {
            None => Ok((self.of_prefix(""), name)),
            Some((prefix, local)) => Ok((Some(self.of_prefix(prefix).ok_or(DAMAGED)?), local)),
        }
    }
}

/// What a walk over an SVG finds.
struct Found<'a> {
    /// The byte just behind the root's start tag.
    inside_root: usize,
    /// The byte just behind the root's name.
    behind_root_name: usize,
    /// What the prefix `openbadges` means on the root element.
    prefix_on_root: Option<&'a str>,
    /// Elements of Open Badges 3.0 in order.
    credentials: Vec<Element<'a>>,
    /// Elements of Open Badges 2.0 in order.
    assertions: Vec<Element<'a>>,
}

struct Element<'a> {
    start: usize,
    end: usize,
    verify: Option<&'a str>,
    content: String,
}

/// An element whose end has not been reached.
struct Pending<'a> {
    depth: usize,
    is_credential: bool,
    element: Element<'a>,
}

fn walk(svg: &str) -> Result<Found<'_>, BakeError> {
    let mut scanner = Scanner { text: svg, position: 0, pieces: 0 };
    let mut namespaces = Namespaces::default();
    let mut names: Vec<&str> = Vec::new();
    let mut found: Option<Found<'_>> = None;
    let mut pending: Option<Pending<'_>> = None;
    while let Some((start, piece)) = scanner.next()? {
        match piece {
            Piece::Other => {}
            Piece::Text(text) => match (&mut pending, names.is_empty()) {
                (Some(pending), _) => collect(&mut pending.element, &unescape(text)?)?,
                (None, false) => {}
                (None, true) if text.trim_start_matches('\u{feff}').trim_ascii().is_empty() => {}
                (None, true) => return Err(DAMAGED),
            },
            Piece::Data(data) => match &mut pending {
                Some(pending) => collect(&mut pending.element, data)?,
                None if names.is_empty() => return Err(DAMAGED),
                None => {}
            },
            Piece::Open { name, attributes, closed } => {
                let depth = names.len();
                if depth == MAX_DEPTH {
                    return Err(BakeError::TooLarge("its elements are nested too deeply"));
                }
                namespaces.enter(depth, &attributes)?;
                let (namespace, local) = namespaces.resolve(name)?;
                match &mut found {
                    // A second root, or a root that is no SVG or cannot hold anything.
                    Some(_) if depth == 0 => return Err(DAMAGED),
                    None if local != "svg" || namespace.is_some_and(|n| n != NAMESPACE_SVG) => {
                        return Err(BakeError::Image("this is not an SVG"));
                    }
                    None if closed => return Err(BakeError::Image("the SVG is empty")),
                    None => {
                        found = Some(Found {
                            inside_root: scanner.position,
                            behind_root_name: start + 1 + name.len(),
                            prefix_on_root: namespaces.of_prefix(PREFIX),
                            credentials: Vec::new(),
                            assertions: Vec::new(),
                        });
                    }
                    Some(found) => {
                        let is_credential = local == "credential" && namespace == Some(NAMESPACE);
                        let is_assertion = local == "assertion" && namespace == Some(NAMESPACE_OB2);
                        if pending.is_none() && (is_credential || is_assertion) {
                            let verify = attributes.iter().find(|(key, _)| *key == "verify");
                            let element = Element {
                                start,
                                end: scanner.position,
                                verify: verify.map(|(_, value)| *value),
                                content: String::new(),
                            };
                            if closed {
                                found.keep(is_credential, element);
                            } else {
                                pending = Some(Pending { depth, is_credential, element });
                            }
                        }
                    }
                }
                if closed {
                    namespaces.leave(depth);
                } else {
                    names.push(name);
                }
            }
            Piece::Close(name) => {
                if names.pop() != Some(name) {
                    return Err(DAMAGED);
                }
                namespaces.leave(names.len());
                if let Some(mut done) = pending.take_if(|p| p.depth == names.len())
                    && let Some(found) = &mut found
                {
                    done.element.end = scanner.position;
                    found.keep(done.is_credential, done.element);
                }
            }
        }
    }
    if !names.is_empty() {
        return Err(DAMAGED);
    }
    found.ok_or(BakeError::Image("this is not an SVG"))
}

impl<'a> Found<'a> {
    fn keep(&mut self, is_credential: bool, element: Element<'a>) {
        if is_credential {
            self.credentials.push(element);
        } else {
            self.assertions.push(element);
        }
    }
}

fn collect(element: &mut Element<'_>, text: &str) -> Result<(), BakeError> {
    if element.content.len() + text.len() > MAX_CREDENTIAL_BYTES {
        return Err(BakeError::TooLarge("the credential exceeds 1 MiB"));
    }
    element.content.push_str(text);
    Ok(())
}

/// Replaces the predefined entities and character numbers; any other entity is refused.
fn unescape(text: &str) -> Result<String, BakeError> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let (entity, after) = after.split_once(';').ok_or(DAMAGED)?;
        let character = match entity {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            other => {
                let number = other.strip_prefix('#').ok_or(DAMAGED)?;
                let code = match number.strip_prefix('x') {
                    Some(digits) => u32::from_str_radix(digits, 16),
                    None => number.parse(),
                };
                code.ok().and_then(char::from_u32)
            }
        };
        plain.push(character.ok_or(DAMAGED)?);
        rest = after;
    }
    plain.push_str(rest);
    Ok(plain)
}

pub(super) fn extract(svg: &str) -> Result<Vec<u8>, BakeError> {
    let found = walk(svg)?;
    let element = found.credentials.first().or(found.assertions.first()).ok_or(BakeError::NoCredential)?;
    let body = element.content.trim();
    let text = match element.verify {
        // Open Badges 2.0 writes both: the body is the document, `verify` its address or signature.
        Some(verify) if body.is_empty() => unescape(verify.trim())?,
        _ => body.to_owned(),
    };
    if text.is_empty() {
        return Err(BakeError::NoCredential);
    }
    if text.len() > MAX_CREDENTIAL_BYTES {
        return Err(BakeError::TooLarge("the credential exceeds 1 MiB"));
    }
    Ok(text.into_bytes())
}

pub(super) fn bake(svg: &str, credential: &str) -> Result<Vec<u8>, BakeError> {
    let mut stripped = String::with_capacity(svg.len());
    let mut position = 0;
    for element in walk(svg)?.credentials {
        stripped.push_str(svg.get(position..element.start).unwrap_or_default());
        position = element.end;
    }
    stripped.push_str(svg.get(position..).unwrap_or_default());
    let found = walk(&stripped)?;

    let declaration = format!(" xmlns:{PREFIX}=\"{NAMESPACE}\"");
    // Where the prefix already means something else on the root, our element declares it for itself.
    let (on_root, on_element) = match found.prefix_on_root {
        None => (declaration.as_str(), ""),
        Some(NAMESPACE) => ("", ""),
        Some(_) => ("", declaration.as_str()),
    };
    let element = if credential.trim_start().starts_with('{') {
        let body = credential.replace("]]>", "]]]]><![CDATA[>");
        format!("<{PREFIX}:credential{on_element}><![CDATA[{body}]]></{PREFIX}:credential>")
    } else {
        let token = credential.trim();
        let compact = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
        if !token.chars().all(compact) {
            return Err(BakeError::Credential("it is neither a JSON object nor a compact signature"));
        }
        format!("<{PREFIX}:credential{on_element} verify=\"{token}\"></{PREFIX}:credential>")
    };
    let (head, rest) = stripped.split_at_checked(found.behind_root_name).ok_or(DAMAGED)?;
    let (root, tail) = rest.split_at_checked(found.inside_root - found.behind_root_name).ok_or(DAMAGED)?;
    Ok([head, on_root, root, &element, tail].concat().into_bytes())
}
