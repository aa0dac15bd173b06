//! The languages people are spoken to in.

/// English or Portuguese.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Portuguese.
    Pt,
}

impl Lang {
    /// Both, for tests that walk every text.
    pub const ALL: [Self; 2] = [Self::En, Self::Pt];

    /// The tag of BCP 47.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Pt => "pt",
        }
    }

    /// Picks the text of this language.
    pub const fn pick<T: Copy>(self, en: T, pt: T) -> T {
        match self {
            Self::En => en,
            Self::Pt => pt,
        }
    }

    /// The first of the two that a tag or an `Accept-Language` header (RFC 9110 §12.5.4) asks for, by weight.
    pub fn negotiate(header: &str) -> Option<Self> {
        let mut best: Option<(u32, Self)> = None;
        for part in header.split(',').take(32) {
            let mut pieces = part.split(';');
            let tag = pieces.next().unwrap_or_default().trim().to_ascii_lowercase();
            let weight = pieces
                .find_map(|piece| piece.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()))
                .map_or(1_000, |q| (q.clamp(0.0, 1.0) * 1_000.0) as u32);
            let lang = match tag.split('-').next() {
                Some("pt") => Self::Pt,
                Some("en") => Self::En,
                _ => continue,
            };
            if weight > 0 && best.is_none_or(|(known, _)| weight > known) {
                best = Some((weight, lang));
            }
        }
        best.map(|(_, lang)| lang)
    }
}

#[cfg(test)]
mod tests {
    use super::Lang;

    #[test]
    fn the_heavier_language_wins_and_strangers_are_passed_over() {
        assert_eq!(Lang::negotiate("fr, en;q=0.3, pt-PT;q=0.8"), Some(Lang::Pt));
        assert_eq!(Lang::negotiate("en-GB"), Some(Lang::En));
        assert_eq!(Lang::negotiate("de, pt;q=0"), None);
    }
}
