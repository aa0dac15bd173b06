//! What the log says about requests, and what it never says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::sync::{Arc, Mutex};

use base::telemetry::{Format, LogLayer};
use common::*;
use tracing_subscriber::layer::SubscriberExt;

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);
impl std::io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_request_leaves_one_line_with_its_pattern_and_trouble_one_more_with_its_cause() {
    let house = House::new();
    let page = Page::default();
    let layer = LogLayer::new(Format::Json, house.clock.clone(), page.clone());
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let app = house.admin();
    let corr = ("x-correlation-id", "corr_01jd8x4q9zt3v5w7y9a1c3e5g7");
    let target = "/api/v1/things/cred_01jd8x4q9zt3v5w7y9a1c3e5g7?email=maria@example.org";
    fetch(&app, target, &[("authorization", "Bearer key_good"), ("user-agent", "maria"), corr]).await;
    fetch(&app, "/trouble", &[corr]).await;
    fetch(&app, "/nowhere/maria", &[]).await;

    let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
    assert!(!text.contains("maria") && !text.contains("cred_01") && !text.contains("key_good"), "{text}");
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &serde_json::Value| line["level"] != "DEBUG")
        .collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert_eq!(lines[0]["correlationId"], "corr_01jd8x4q9zt3v5w7y9a1c3e5g7");
    assert_eq!(lines[0]["message"], "Request processed");
    let metadata = &lines[0]["metadata"];
    assert_eq!(metadata["path"], "/api/v1/things/{id}");
    assert_eq!((metadata["statusCode"].as_u64(), metadata["method"].as_str()), (Some(200), Some("GET")));
    assert!(metadata["duration"].is_u64() && metadata["requestId"].as_str().unwrap().starts_with("req_"));
    assert_eq!(
        (lines[1]["level"].as_str(), lines[1]["metadata"]["code"].as_str()),
        (Some("ERROR"), Some("INTERNAL_ERROR"))
    );
    assert_eq!(lines[1]["metadata"]["source"], "disk on fire");
    assert_eq!(lines[2]["metadata"]["code"], "INTERNAL_ERROR");
    assert_eq!(lines[3]["metadata"]["path"], "unmatched");
}

#[test]
fn every_code_of_the_door_speaks_both_languages_and_fills_its_arguments_alike() {
    let arguments = |text: &str| {
        let mut names: Vec<String> =
            text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    for code in base::error::CODES {
        for text in [code.en, code.pt] {
            assert!(!text.cause.is_empty() && !text.remedy.is_empty(), "{}", code.name);
        }
        assert_eq!(arguments(code.en.cause), arguments(code.pt.cause), "{}", code.name);
        assert_eq!(arguments(code.en.remedy), arguments(code.pt.remedy), "{}", code.name);
    }
}
