//! Text in boxes: what fits, what does not, and what no font can draw.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod common;

use common::{diploma_for, fill, one_box, parse, sample, sample_with};
use render::{LaidText, Language, Problem, TICKS_PER_POINT};

const PLACE: &str = "data-x=\"5\" data-y=\"5\" data-w=\"90\" data-h=\"40\"";

fn laid(attributes: &str, text: &str) -> Result<LaidText, render::RenderError> {
    let template = parse(&one_box(&format!("{PLACE} {attributes}"), text)).unwrap();
    fill(&template, &sample()).map(|page| page.texts().next().unwrap().clone())
}

fn points(text: &LaidText) -> f64 {
    text.size as f64 / TICKS_PER_POINT as f64
}

/// Every line inside the box, every character of the text drawn exactly where its glyphs say.
fn assert_inside_and_whole(text: &LaidText) {
    let (x, y, width, height) = text.area;
    for line in &text.lines {
        assert!(line.extent.0 >= x && line.extent.1 <= x + width, "{}: beside its box", text.text);
        assert!(line.baseline > y && line.baseline <= y + height, "{}: outside its box", text.text);
    }
    let mut covered = vec![false; text.text.len()];
    for glyph in text.lines.iter().flat_map(|line| &line.runs).flat_map(|run| &run.glyphs) {
        assert_ne!(glyph.id, 0, "{}: a missing glyph was drawn", text.text);
        covered[glyph.range.clone()].fill(true);
    }
    for (at, character) in text.text.char_indices() {
        assert!(covered[at] || character == ' ', "{}: {character} was not drawn", text.text);
    }
}

#[test]
fn shrink_takes_the_largest_quarter_point_that_fits() {
    let short = laid("data-size=\"20\" data-min-pt=\"6\"", "Ana").unwrap();
    assert!((points(&short) - 20.0).abs() < 1e-9);
    let long =
        laid("data-size=\"20\" data-min-pt=\"6\"", "Maria da Conceição Araújo Guimarães de Sousa").unwrap();
    assert!(points(&long) < 20.0 && points(&long) >= 6.0);
    assert_eq!(long.size % (TICKS_PER_POINT / 4), 0);
    assert_eq!(long.lines.len(), 1);
    assert_inside_and_whole(&long);
    let one_step_larger = points(&long) + 0.25;
    let attributes = format!("data-fit=\"none\" data-size=\"{one_step_larger}\"");
    let error = laid(&attributes, "Maria da Conceição Araújo Guimarães de Sousa").unwrap_err();
    assert_eq!(error.code(), "RENDER_OVERFLOW");
}

#[test]
fn wrap_uses_its_lines_before_it_shrinks_and_balances_the_middle() {
    let text = "Mestrado Integrado em Engenharia Eletrotécnica e de Computadores";
    let wrapped = laid(
        "data-fit=\"wrap\" data-lines=\"3\" data-size=\"16\" data-min-pt=\"8\" data-align=\"center\"",
        text,
    )
    .unwrap();
    assert!((points(&wrapped) - 16.0).abs() < 1e-9);
    assert!(wrapped.lines.len() > 1);
    let widths: Vec<i64> = wrapped.lines.iter().map(|line| line.extent.1 - line.extent.0).collect();
    assert!(widths.iter().max().unwrap() - widths.iter().min().unwrap() < widths[0] / 2);
    assert_inside_and_whole(&wrapped);
    let shrunk = laid("data-fit=\"wrap\" data-lines=\"1\" data-size=\"16\" data-min-pt=\"4\"", text).unwrap();
    assert!(points(&shrunk) < 16.0 && shrunk.lines.len() == 1);
}

#[test]
fn overflow_names_the_box_and_the_whole_text() {
    let text = "W".repeat(120);
    for attributes in [
        "data-fit=\"none\" data-size=\"12\"",
        "data-fit=\"shrink\" data-size=\"12\" data-min-pt=\"8\"",
        "data-fit=\"wrap\" data-lines=\"5\" data-size=\"12\" data-min-pt=\"8\"",
    ] {
        let error = laid(attributes, &text).unwrap_err();
        let expected = Problem::Overflow { box_id: "only".to_owned(), text: text.clone() };
        assert_eq!(error.problem(), &expected, "{attributes}");
        assert!(error.message(Language::Portuguese).contains("«only»"));
    }
}

#[test]
fn missing_glyphs_name_the_character_and_the_box() {
    for (text, character, shown) in [
        ("Ana 😀", '😀', "U+1F600 😀"),
        ("王小明", '王', "U+738B 王"),
        ("Ana\u{7}", '\u{7}', "U+0007"),
        ("Ana \u{202e}atsoC", '\u{202e}', "U+202E"),
        ("न", 'न', "U+0928 न"),
    ] {
        let error = diploma_for(text).unwrap_err();
        assert_eq!(error.code(), "RENDER_MISSING_GLYPH", "{text}");
        assert_eq!(error.box_id(), Some("name"), "{text}");
        let Problem::MissingGlyph { character: found, .. } = error.problem() else {
            panic!("{error}");
        };
        assert_eq!(*found, character, "{text}");
        assert!(error.message(Language::English).contains(shown), "{error}");
    }
}

#[test]
fn names_of_many_scripts_fit_the_diploma() {
    for name in [
        "Ñ",
        "João",
        "Maria da Conceição Araújo Guimarães",
        "Đặng Thị Hồng Nhung",
        "Łukasz Żółćiński",
        "Αικατερίνη Παπαδοπούλου-Οικονόμου",
        "Ἀριστοτέλης",
        "Екатерина Щербакова",
        "Їжакевич Ґалина",
        "محمد عبد الرحمن الهاشمي",
        "فاطمة الزهراء بنت محمد",
        "Ana محمد Silva",
        "e\u{301}e\u{302}\u{301}a\u{328}",
        "O\u{2019}Neill-D\u{2019}Eça",
        "D'Artagnan",
        "Zoë \u{200d}Ångström",
        "Maximiliano-Constantinopolitano-Wolfeschlegelsteinhausenbergerdorff",
    ] {
        let page = diploma_for(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        for text in page.texts() {
            assert_inside_and_whole(text);
        }
    }
}

#[test]
fn two_hundred_characters_shrink_legibly_or_fail_clearly() {
    let words = "Maria Antónia da Conceição ".repeat(8);
    let name: String = words.chars().take(200).collect();
    let page = diploma_for(&name).unwrap();
    let text = page.texts().find(|text| text.box_id == "name").unwrap();
    assert!(points(text) >= 12.0 && text.lines.len() == 3);
    assert_inside_and_whole(text);
    let error = diploma_for(&"ABCDEFGHIJ".repeat(20)).unwrap_err();
    assert_eq!((error.code(), error.box_id()), ("RENDER_OVERFLOW", Some("name")));
    let error = diploma_for(&"a ".repeat(3_000)).unwrap_err();
    assert_eq!(error.code(), "RENDER_TEXT_TOO_LONG");
}

#[test]
fn right_to_left_text_starts_at_the_right_and_joins() {
    let arabic = laid("data-size=\"20\"", "محمد علي").unwrap();
    let (x, _, width, _) = arabic.area;
    let line = &arabic.lines[0];
    assert_eq!(line.extent.1, x + width, "the line ends at the right edge");
    let starts: Vec<usize> =
        line.runs.iter().flat_map(|run| &run.glyphs).map(|glyph| glyph.range.start).collect();
    assert!(starts.windows(2).all(|pair| pair[0] >= pair[1]), "{starts:?}");
    let isolated = laid("data-size=\"20\"", "م ح م د").unwrap();
    let ids = |text: &LaidText| -> Vec<u16> {
        text.lines[0].runs.iter().flat_map(|run| &run.glyphs).map(|glyph| glyph.id).collect()
    };
    assert!(!ids(&arabic).contains(&ids(&isolated)[6]), "joined letters have other shapes");
    let mixed = laid("data-size=\"14\" data-dir=\"ltr\"", "Ana محمد علي Silva").unwrap();
    let order: Vec<usize> =
        mixed.lines[0].runs.iter().flat_map(|run| &run.glyphs).map(|glyph| glyph.range.start).collect();
    assert_eq!(order.first(), Some(&0));
    assert!(order.windows(2).any(|pair| pair[0] > pair[1]), "the Arabic part runs backwards");
}

#[test]
fn alignment_and_justification_reach_the_edges() {
    let (left, right) = ((5.0_f64 * 72.0 / 25.4 * 1024.0) as i64, (95.0_f64 * 72.0 / 25.4 * 1024.0) as i64);
    let near = |a: i64, b: i64| (a - b).abs() <= 2;
    let start = laid("data-size=\"12\"", "Ana").unwrap().lines[0].extent;
    assert!(near(start.0, left));
    let end = laid("data-size=\"12\" data-align=\"end\"", "Ana").unwrap().lines[0].extent;
    assert!(near(end.1, right));
    let middle = laid("data-size=\"12\" data-align=\"center\"", "Ana").unwrap().lines[0].extent;
    assert!(near(middle.0 - left, right - middle.1));
    let text = "Para que conste se passou o presente diploma que vai assinado digitalmente";
    let justified = laid("data-size=\"12\" data-fit=\"wrap\" data-align=\"justify\"", text).unwrap();
    assert!(justified.lines.len() > 1);
    assert!(near(justified.lines[0].extent.1, right));
    assert!(justified.lines.last().unwrap().extent.1 < right);
    assert_inside_and_whole(&justified);
}

#[test]
fn ligatures_kerning_and_composed_marks_keep_their_text() {
    let composed = laid("data-size=\"12\"", "Andre\u{301} fi").unwrap();
    assert_eq!(composed.text, "André fi");
    assert_inside_and_whole(&composed);
    let loose = laid("data-size=\"12\" data-tracking=\"0.2\"", "office").unwrap();
    let tight = laid("data-size=\"12\"", "office").unwrap();
    let width = |text: &LaidText| text.lines[0].extent.1 - text.lines[0].extent.0;
    assert!(width(&loose) > width(&tight));
    assert_inside_and_whole(&loose);
}

#[test]
fn empty_text_draws_nothing_and_absent_fields_are_named() {
    let mut data = sample();
    data["credentialSubject"]["achievement"].as_object_mut().unwrap().remove("fieldOfStudy");
    data["credentialSubject"].as_object_mut().unwrap().remove("result");
    let page = fill(&render::diploma().unwrap(), &data).unwrap();
    let shown = |id: &str| page.texts().find(|text| text.box_id == id).unwrap().text.clone();
    assert_eq!(shown("field"), "");
    assert_eq!(shown("grade"), "—");
    data["issuer"].as_object_mut().unwrap().remove("name");
    let error = fill(&render::diploma().unwrap(), &data).unwrap_err();
    assert_eq!(error.code(), "RENDER_FIELD_MISSING");
    assert_eq!((error.box_id(), error.field()), (Some("issuer"), Some("/issuer/name")));
    let error = fill(&render::diploma().unwrap(), &sample_with("/validFrom", "yesterday")).unwrap_err();
    assert_eq!(error.code(), "RENDER_FIELD_FORMAT");
}

/// A thousand made-up names from a fixed seed: each is whole and inside, or fails by name.
#[test]
fn a_thousand_names_are_whole_and_inside_or_fail_by_name() {
    const ALPHABETS: [&str; 8] = [
        "abcdefghijlmnopqrstuvxzáàâãéêíóôõúçñ",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZÁÂÃÉÊÍÓÔÕÚÇ'-",
        "αβγδεζηθικλμνξοπρστυφχψωάέήίόύώϊϋΐΰς",
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґ",
        "ابتثجحخدذرزسشصضطظعغفقكلمنهويءأإآةىئؤ",
        "ąćęłńóśźżčďěňřšťůžőűăâîșțđğışøåæœßðþ",
        "a\u{301}e\u{302}o\u{303}c\u{327}u\u{308}n\u{303}i\u{300}s\u{30c}",
        "王😀नಅ\u{7}abc",
    ];
    let template = render::diploma().unwrap();
    let mut state: u64 = 20_261_124;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let (mut drawn, mut refused) = (0, 0);
    for round in 0..1_000 {
        let length = 1 + next(120);
        let spaced = next(5) > 0;
        let mut letters: Vec<char> = ALPHABETS[round % 8].chars().collect();
        if next(6) == 0 {
            letters.extend(ALPHABETS[next(5)].chars());
        }
        let mut name = String::new();
        for at in 0..length {
            let space = spaced && at % 8 == 7;
            name.push(if space { ' ' } else { letters[next(letters.len())] });
        }
        match fill(&template, &sample_with(common::NAME, &name)) {
            Ok(page) => {
                page.texts().for_each(assert_inside_and_whole);
                drawn += 1;
            }
            Err(error) => {
                assert_eq!(error.box_id(), Some("name"), "{name}");
                assert!(
                    matches!(
                        error.code(),
                        "RENDER_OVERFLOW" | "RENDER_MISSING_GLYPH" | "RENDER_FIELD_MISSING"
                    ),
                    "{name}: {error}"
                );
                // Strange letters, or a European accent on an Arabic letter.
                let foreign = round % 8 == 7
                    || (name.contains(|c| ('\u{300}'..='\u{36f}').contains(&c))
                        && name.contains(|c| ('\u{600}'..='\u{6ff}').contains(&c)));
                assert!(foreign || error.code() != "RENDER_MISSING_GLYPH", "{name}: {error}");
                refused += 1;
            }
        }
    }
    assert!(drawn > 700, "{drawn} drawn, {refused} refused");
}
