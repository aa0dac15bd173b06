//! Addresses: what is absolute (RFC 3987) and how a relative reference is resolved (RFC 3986 §5).
//!
//! Signatures know no base address, so resolution serves the conformance tests; the check of absoluteness serves all.
//! Never here: normalisation. Two spellings of an address are two addresses.

/// True for `scheme:rest` without the characters that N-Quads does not allow inside `<…>`.
#[must_use]
pub fn is_absolute_iri(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(':') else {
        return false;
    };
    is_scheme(scheme) && !text.chars().any(is_forbidden)
}

fn is_scheme(scheme: &str) -> bool {
    let mut bytes = scheme.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

fn is_forbidden(character: char) -> bool {
    character <= ' '
        || matches!(character, '<' | '>' | '"' | '{' | '}' | '|' | '\\' | '^' | '`' | '\u{7f}'..='\u{9f}')
}

struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

fn split(text: &str) -> Parts<'_> {
    let (rest, fragment) = match text.split_once('#') {
        Some((rest, fragment)) => (rest, Some(fragment)),
        None => (text, None),
    };
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (rest, None),
    };
    let (scheme, rest) = match rest.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
        _ => (None, rest),
    };
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => match rest.find('/') {
            Some(slash) => {
                let (authority, path) = rest.split_at(slash);
                (Some(authority), path)
            }
            None => (Some(rest), ""),
        },
        None => (None, rest),
    };
    Parts { scheme, authority, path, query, fragment }
}

/// Resolves a reference against a base (RFC 3986 §5.2). Without a base the reference stays as it is.
pub(super) fn resolve(base: Option<&str>, reference: &str) -> String {
    let Some(base) = base else {
        return reference.to_owned();
    };
    let base = split(base);
    let given = split(reference);
    let (scheme, authority, path, query);
    if given.scheme.is_some() {
        (scheme, authority) = (given.scheme, given.authority);
        path = remove_dots(given.path);
        query = given.query;
    } else if given.authority.is_some() {
        (scheme, authority) = (base.scheme, given.authority);
        path = remove_dots(given.path);
        query = given.query;
    } else {
        (scheme, authority) = (base.scheme, base.authority);
        if given.path.is_empty() {
            path = base.path.to_owned();
            query = given.query.or(base.query);
        } else {
            let merged = if given.path.starts_with('/') {
                given.path.to_owned()
            } else if base.authority.is_some() && base.path.is_empty() {
                format!("/{}", given.path)
            } else {
                let folder = base.path.rfind('/').and_then(|at| base.path.get(..=at)).unwrap_or_default();
                format!("{folder}{}", given.path)
            };
            path = remove_dots(&merged);
            query = given.query;
        }
    }
    let mut result = String::new();
    if let Some(scheme) = scheme {
        result.push_str(scheme);
        result.push(':');
    }
    if let Some(authority) = authority {
        result.push_str("//");
        result.push_str(authority);
    }
    result.push_str(&path);
    if let Some(query) = query {
        result.push('?');
        result.push_str(query);
    }
    if let Some(fragment) = given.fragment {
        result.push('#');
        result.push_str(fragment);
    }
    result
}

fn remove_dots(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').peekable();
    if absolute {
        segments.next();
    }
    let mut folder = false;
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." => folder = last,
            ".." => {
                kept.pop();
                folder = last;
            }
            other => kept.push(other),
        }
    }
    let mut result = String::new();
    if absolute {
        result.push('/');
    }
    result.push_str(&kept.join("/"));
    if folder && !result.ends_with('/') && !kept.is_empty() {
        result.push('/');
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_means_a_scheme_and_no_forbidden_character() {
        for good in ["https://a.example/b", "urn:uuid:1", "did:key:z6Mk#z6Mk", "data:image/png;base64,AA=="] {
            assert!(is_absolute_iri(good), "{good}");
        }
        for bad in ["", "a", "/a", ":a", "1a:b", "https://a b", "urn:<x>", "urn:a\nb", "_:b0", "#x"] {
            assert!(!is_absolute_iri(bad), "{bad}");
        }
    }

    #[test]
    fn references_resolve_as_rfc_3986_shows() {
        for (reference, expected) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q#s"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("g;x=1/../y", "http://a/b/c/y"),
            ("g:h", "g:h"),
        ] {
            assert_eq!(resolve(Some("http://a/b/c/d;p?q"), reference), expected, "{reference}");
        }
    }
}
