//! What a picture's QR code holds decides: a page's link is named and not followed, a credential is judged as if pasted.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod doc_support;
mod picture_support;

use doc_support::badge;
use picture_support::{Sheet, View};
use proof::{
    bake,
    qr::{Level, Qr},
    verify::{Carrier, Code, Context, Lang, NoNetwork, Outcome, Report, TrustList, verify},
};

const NOW: i64 = 1_795_000_000; // 18 November 2026
const HANDLE: &str = "3fq8rk2mz7t0v5x1c9d4b6n8wa";
const VIEW: View = View { degrees: 4.0, tilt: 0.1, fills: 0.8, noise: 12.0 };

fn check(input: &[u8]) -> Report {
    verify(input, &Context::new(NOW, &NoNetwork, &TrustList::default()))
}

fn code(text: &str, scale: usize) -> Sheet {
    Sheet::of_code(&Qr::with_level(text, Level::Low).unwrap(), scale)
}

#[test]
fn a_link_is_undecided_and_its_host_and_address_are_named_in_both_languages() {
    for (house, host) in
        [("https://selo.example", "selo.example"), ("http://localhost:8080", "localhost:8080")]
    {
        let address = format!("{house}/v/{HANDLE}");
        let photo = code(&address, 8).photographed(900, 700, &VIEW);
        for file in [photo.to_jpeg(20, true), photo.to_png()] {
            let report = check(&file);
            assert_eq!(
                (report.outcome, report.valid, report.carrier),
                (Outcome::Unknown, false, Some(Carrier::Photo))
            );
            let link = report.link.as_ref().unwrap();
            assert!(
                report.check(Code::ParseImage).is_none(),
                "nothing is said of a document that nobody saw"
            );
            assert_eq!((link.address(), link.host(), link.handle_at(house)), (&*address, host, Some(HANDLE)));
            for (lang, words) in [(Lang::En, "only "), (Lang::Pt, "só ")] {
                let found = report.check(Code::TokenUnknown).unwrap();
                let reason = found.reason(lang);
                assert!(reason.contains(&address) && reason.contains(&format!("{words}{host} ")), "{reason}");
                assert!(!found.remedy(lang).is_empty());
                let told = report.to_json(lang);
                assert_eq!(
                    (&told["link"]["host"], &told["link"]["address"]),
                    (&host.into(), &(&*address).into())
                );
                assert_eq!((&told["outcome"], &told["credential"]), (&"unknown".into(), &().into()));
            }
        }
    }
}

#[test]
fn a_whole_credential_in_a_code_is_judged_as_if_pasted() {
    let document = badge(1).to_json().unwrap().to_string();
    let pasted = check(document.as_bytes());
    let report = check(&code(&document, 6).photographed(1_500, 1_300, &VIEW).to_jpeg(12, true));
    assert_eq!(report.carrier, Some(Carrier::Photo));
    assert_eq!(report.credential, pasted.credential);
    assert_eq!(
        (report.outcome, report.failures()),
        (Outcome::Invalid, pasted.failures()),
        "nobody signed it"
    );
    assert!(report.failures().contains(&Code::ProofMissing) && report.link.is_none());
    let broken = check(&code("{\"@context\": [", 8).to_png());
    assert_eq!(broken.failures(), [Code::ParseJson]);
}

#[test]
fn anything_else_is_refused_and_says_what_to_do() {
    let evil = format!("https://selo.example@evil.example/v/{HANDLE}");
    for text in ["WIFI:S:guest;;", "https://evil.example/login", &evil, "[1]", "6BF:YQ2"] {
        let report = check(&code(text, 8).to_png());
        assert_eq!((report.failures(), report.link), (vec![Code::FormatUnknown], None), "{text}");
    }
    let (blank, broken) = (Sheet::new(300, 200, 230), Sheet::new(300, 200, 40).to_jpeg(20, true));
    for file in [blank.to_png(), blank.to_jpeg(20, true)] {
        let report = check(&file);
        assert_eq!((report.outcome, report.failures()), (Outcome::Invalid, vec![Code::FormatUnknown]));
        let found = report.check(Code::FormatUnknown).unwrap();
        assert!(found.remedy(Lang::En).contains("photo of a QR code"));
        assert!(found.remedy(Lang::Pt).contains("fotografou um código QR"));
    }
    assert_eq!(check(&broken[..200]).failures(), [Code::ParseImage]);
    assert_eq!(check(b"\xff\xd8\xff\xe0").failures(), [Code::ParseImage]);
}

#[test]
fn two_codes_that_could_both_be_meant_are_none_and_one_that_could_not_is_passed_over() {
    let other = HANDLE.replace('3', "4");
    let links = [format!("https://selo.example/v/{HANDLE}"), format!("https://selo.example/v/{other}")];
    let beside = |left: &str, right: &str| {
        let (left, right) = (code(left, 6), code(right, 6));
        let mut sheet = Sheet::new(left.width + right.width + 40, left.height.max(right.height) + 40, 250);
        sheet.put(&left, 20, 20);
        sheet.put(&right, left.width + 20, 20);
        check(&sheet.to_png())
    };
    assert_eq!(beside(&links[0], &links[1]).failures(), [Code::FormatUnknown]);
    assert_eq!(beside(&links[0], "WIFI:S:guest;;").link.unwrap().address(), links[0]);
    assert_eq!(beside(&links[0], &links[0]).link.unwrap().address(), links[0]);
}

#[test]
fn a_baked_credential_goes_before_the_code_that_the_picture_shows() {
    let document = badge(2).to_json().unwrap().to_string();
    let shown = code(&format!("https://selo.example/v/{HANDLE}"), 4).to_png();
    let report = check(&bake::png_bake(&shown, document.as_bytes()).unwrap());
    assert_eq!((report.carrier, report.link.as_ref()), (Some(Carrier::Png), None));
    assert!(report.credential.is_some());
}
