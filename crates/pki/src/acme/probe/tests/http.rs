//! http-01: what is found, where a rule or a bound cuts.

use super::*;
use crate::acme::{ChallengeKind::Http01, ProbeFaultKind as Kind};

/// A house that may probe 127.0.0.1, with this name server and web server.
fn near(names: &NameServer, web: &Web, limits: Limits) -> NetProber {
    house(&[names.setting(), web.setting(), open("127.0.0.1,::1")], limits)
}

async fn probed(house: &NetProber, identifier: &Identifier) -> Outcome<()> {
    house.probe(Http01, identifier, TOKEN, KEY_AUTHORIZATION).await
}

/// One probe of a.example against a server that says this.
async fn against(web: &Web, limits: Limits) -> Outcome<()> {
    probed(&near(&NameServer::here(), web, limits), &name("a.example")).await
}

#[tokio::test]
async fn the_page_is_found_under_the_name_with_white_space_behind_it() {
    for tail in ["", "\n", " \r\n\t"] {
        let names = NameServer::here();
        let web = Web::saying(page("200 OK", "", format!("{KEY_AUTHORIZATION}{tail}").as_bytes()));
        assert_eq!(probed(&near(&names, &web, LIMITS), &name("a.example")).await, Ok(()));
        let head = web.heads().concat().to_ascii_lowercase();
        let path = format!("get /.well-known/acme-challenge/{} http/1.1\r\n", TOKEN.to_ascii_lowercase());
        assert!(head.starts_with(&path), "{head}");
        assert!(head.contains(&format!("\r\nhost: a.example:{}\r\n", web.port)), "{head}");
        assert_eq!(names.asked(RecordType::A), ["a.example"]);
    }
}

#[tokio::test]
async fn an_address_is_probed_without_a_name() {
    let names = NameServer::here();
    let web = Web::saying(good_page());
    let house = near(&names, &web, LIMITS);
    assert_eq!(probed(&house, &Identifier::Ip("127.0.0.1".parse().unwrap())).await, Ok(()));
    assert!(names.asked(RecordType::A).is_empty());
    if TcpListener::bind("[::1]:0").is_err() {
        println!("this machine has no IPv6: that part was not run");
        return;
    }
    let web = Web::at("[::1]:0", |_, stream| drop(stream.write_all(&good_page())));
    assert_eq!(probed(&near(&names, &web, LIMITS), &Identifier::Ip("::1".parse().unwrap())).await, Ok(()));
}

#[tokio::test]
async fn another_page_another_status_and_a_packed_page_are_no_proof() {
    let half = &KEY_AUTHORIZATION[..KEY_AUTHORIZATION.len() - 1];
    for (said, retry) in [
        (page("200 OK", "", half.as_bytes()), false),
        (page("200 OK", "", format!(" {KEY_AUTHORIZATION}").as_bytes()), false),
        (page("200 OK", "", b""), false),
        (page("200 OK", "content-encoding: gzip\r\n", KEY_AUTHORIZATION.as_bytes()), false),
        (page("204 No Content", "", b""), false),
        (page("403 Forbidden", "", KEY_AUTHORIZATION.as_bytes()), false),
        (page("404 Not Found", "", KEY_AUTHORIZATION.as_bytes()), true),
        (page("503 Later", "", KEY_AUTHORIZATION.as_bytes()), true),
    ] {
        let shown = String::from_utf8_lossy(&said).into_owned();
        let fault = against(&Web::saying(said), LIMITS).await.unwrap_err();
        assert_eq!((fault.kind, fault.retry), (Kind::IncorrectResponse, retry), "{shown}");
    }
}

#[tokio::test]
async fn a_failure_tells_nothing_of_what_was_read() {
    let fault = against(&Web::saying(page("200 OK", "x: secret\r\n", b"secret")), LIMITS).await.unwrap_err();
    assert!(!fault.detail.contains("secret"), "{fault:?}");
    let fault = against(&Web::saying(page("302 Found", "location: http://secret/\r\n", b"")), LIMITS).await;
    assert!(!fault.unwrap_err().detail.contains("secret:"));
}

#[tokio::test]
async fn a_machine_that_is_not_open_is_not_connected_to() {
    let web = Web::saying(good_page());
    let names = NameServer::here();
    for networks in ["", "127.0.0.2", "10.0.0.0/8"] {
        let house = house(&[names.setting(), web.setting(), open(networks)], LIMITS);
        for identifier in [name("a.example"), Identifier::Ip("127.0.0.1".parse().unwrap())] {
            let fault = probed(&house, &identifier).await.unwrap_err();
            assert_eq!((fault.kind, fault.retry), (Kind::Unauthorized, false), "{networks} {identifier}");
        }
        let mapped = Identifier::Ip("::ffff:127.0.0.1".parse().unwrap());
        assert_eq!(kind(probed(&house, &mapped).await), Some(Kind::Unauthorized));
    }
    assert_eq!(web.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn one_machine_of_a_name_that_is_not_open_spoils_them_all() {
    let web = Web::saying(good_page());
    let names = NameServer::start(false, |_, kind, _| match kind {
        RecordType::A => Reply::Records(vec![four([127, 0, 0, 1]), four([169, 254, 169, 254])]),
        _ => Reply::Records(Vec::new()),
    });
    let outcome = probed(&near(&names, &web, LIMITS), &name("a.example")).await;
    assert_eq!(kind(outcome), Some(Kind::Unauthorized));
    assert_eq!(web.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn a_name_that_moves_between_two_look_ups_gains_nothing() {
    // What was judged is what is connected to: a hop asks for the address once. The next hop is judged again.
    let web = Web::start(|path, stream| {
        let said =
            if path == "/second" { good_page() } else { page("302 Found", "location: /second\r\n", b"") };
        let _ = stream.write_all(&said);
    });
    let moving = NameServer::start(false, |_, kind, before| match (kind, before) {
        (RecordType::A, 0) => Reply::Records(vec![four([127, 0, 0, 1])]),
        (RecordType::A, _) => Reply::Records(vec![four([169, 254, 169, 254])]),
        _ => Reply::Records(Vec::new()),
    });
    let outcome = probed(&near(&moving, &web, LIMITS), &name("a.example")).await;
    assert_eq!(kind(outcome), Some(Kind::Unauthorized));
    assert_eq!(moving.asked(RecordType::A).len(), 2);
    assert_eq!(web.heads().len(), 1);
}

#[tokio::test]
async fn ten_redirects_are_followed_and_an_eleventh_is_not() {
    let web = Web::start(|path, stream| {
        let left: u32 = path.trim_start_matches('/').parse().unwrap_or(10);
        let said = match left.checked_sub(1) {
            None => good_page(),
            Some(next) => page("307 Elsewhere", &format!("location: /{next}\r\n"), b""),
        };
        let _ = stream.write_all(&said);
    });
    assert_eq!(against(&web, LIMITS).await, Ok(()));
    assert_eq!(web.heads().len(), 11);
    let endless = Web::saying(page("301 Moved", "location: /again\r\n", b""));
    assert_eq!(kind(against(&endless, LIMITS).await), Some(Kind::IncorrectResponse));
    assert_eq!(endless.heads().len(), 11);
}

#[tokio::test]
async fn a_hostile_redirect_leads_nowhere() {
    let other = Web::saying(good_page());
    let port = other.port;
    for location in [
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[fd00:ec2::254]/latest/meta-data/".to_owned(),
        "http://2852039166/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1/x".to_owned(),
        "http://127.0.0.1:22/".to_owned(),
        format!("http://127.0.0.1:{port}/"),
        format!("https://a.example:{port}/"),
        "https://a.example:80/".to_owned(),
        "http://a.example:443/".to_owned(),
        "http://user:word@a.example/".to_owned(),
        "http://a.example./".to_owned(),
        "http:\\\\a.example\\".to_owned(),
        "http://b.example/ x".to_owned(),
        format!("http://a.example/{}", "x".repeat(5_000)),
        String::new(),
    ] {
        let web = Web::saying(page("302 Found", &format!("location: {location}\r\n"), b""));
        let fault = against(&web, LIMITS).await.unwrap_err();
        assert_eq!((fault.kind, fault.retry), (Kind::Unauthorized, false), "{location}: {fault:?}");
        assert_eq!(web.heads().len(), 1, "{location}");
    }
    assert_eq!(other.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn a_body_is_read_up_to_its_bound_and_no_further() {
    let padded = |bytes: usize| format!("{KEY_AUTHORIZATION:<bytes$}");
    assert_eq!(against(&Web::saying(page("200 OK", "", padded(1024).as_bytes())), LIMITS).await, Ok(()));
    let large = Web::saying(page("200 OK", "", padded(1025).as_bytes()));
    assert_eq!(kind(against(&large, LIMITS).await), Some(Kind::IncorrectResponse));
    let endless = Web::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        while stream.write_all(format!("1000\r\n{}\r\n", " ".repeat(0x1000)).as_bytes()).is_ok() {}
    });
    assert_eq!(kind(against(&endless, LIMITS).await), Some(Kind::IncorrectResponse));
    let endless_head = Web::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ");
        while stream.write_all(&[b'x'; 1024]).is_ok() {}
    });
    assert_eq!(kind(against(&endless_head, LIMITS).await), Some(Kind::Connection));
}

#[tokio::test]
async fn whoever_is_silent_slow_or_breaks_off_is_left_in_time() {
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let held = Mutex::new(held);
    let silent = Web::start(move |_, _| assert!(held.lock().unwrap().recv().is_err()));
    let fault = against(&silent, SHORT).await.unwrap_err();
    assert_eq!((fault.kind, fault.retry), (Kind::Connection, true));
    drop(hold);
    let slow = Web::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
        while stream.write_all(b" ").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    assert_eq!(kind(against(&slow, SHORT).await), Some(Kind::Connection));
    for said in ["", "220 mail.example ESMTP\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nx"] {
        let fault = against(&Web::saying(said), LIMITS).await.unwrap_err();
        assert_eq!((fault.kind, fault.retry), (Kind::Connection, true), "{said}");
    }
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = [NameServer::here().setting(), ("acme.http_port", nobody.to_string()), open("127.0.0.1")];
    let fault = probed(&house(&settings, LIMITS), &name("a.example")).await.unwrap_err();
    assert_eq!((fault.kind, fault.retry), (Kind::Connection, true));
}

#[tokio::test]
async fn a_redirect_to_https_is_followed_whatever_certificate_is_there() {
    let secure = super::tls::Server::start(
        &[b"http/1.1"],
        rcgen::generate_simple_self_signed(vec!["somebody.example".to_owned()]).unwrap(),
        &[&rustls::version::TLS13],
        Some(good_page()),
    );
    let web =
        Web::saying(page("302 Found", &format!("location: https://b.example:{}/x\r\n", secure.port), b""));
    let names = NameServer::here();
    let mut settings = vec![names.setting(), web.setting(), open("127.0.0.1")];
    settings.push(("acme.tls_port", secure.port.to_string()));
    assert_eq!(probed(&house(&settings, LIMITS), &name("a.example")).await, Ok(()));
    assert_eq!(names.asked(RecordType::A), ["a.example", "b.example"]);
}
