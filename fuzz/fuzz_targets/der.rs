//! DER: what is read is written again as the same bytes, in each type; no walk goes on for ever.
#![no_main]

use fuzz::authority;
use proof::x509::der::{
    BIT_STRING, BOOLEAN, ENUMERATED, Element, GENERALIZED_TIME, INTEGER, NULL, OBJECT_IDENTIFIER,
    OCTET_STRING, Reader, UTC_TIME, Writer,
};
use proof::x509::{Moment, Oid, Serial};

/// Deeper than anything that is issued; the reader itself never descends.
const DEPTH_MAX: usize = 64;

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = authority::CERTIFICATES.clone();
    seeds.extend(authority::lists());
    seeds.extend(authority::questions());
    seeds.extend([
        b"\x02\x02\x00\x80".to_vec(),
        b"\x18\x0f20500101000000Z".to_vec(),
        b"\x03\x02\x05\xa0".to_vec(),
    ]);
    seeds
}

fn walk(bytes: &[u8], depth: usize) {
    let mut reader = Reader::new(bytes);
    while let Ok(element) = reader.any() {
        assert_eq!(Writer::build(|out| out.put(element.tag, element.body)), element.whole);
        assert_eq!(Writer::build(|out| out.nested(element.tag, |out| out.raw(element.body))), element.whole);
        value(element);
        let descends = element.tag & 0x20 != 0 || element.tag == OCTET_STRING;
        if descends && depth < DEPTH_MAX {
            walk(element.body, depth + 1);
        }
    }
}

/// Reads one value as its type says. What is accepted has one spelling.
fn value(element: Element<'_>) {
    let reader = || Reader::new(element.whole);
    let again = |fill: &dyn Fn(&mut Writer)| assert_eq!(Writer::build(|out| fill(out)), element.whole);
    match element.tag {
        BOOLEAN => {
            if reader().boolean() == Ok(true) {
                again(&|out| out.yes());
            }
        }
        INTEGER => {
            if let Ok(number) = reader().natural() {
                again(&|out| out.natural(number));
            }
            if let Ok(number) = reader().small() {
                again(&|out| out.small(number));
            }
            if let Ok(serial) = Serial::read(&mut reader()) {
                again(&|out| serial.write(out));
                assert_eq!(serial.content(), element.body);
            }
        }
        BIT_STRING => {
            if let Ok(octets) = reader().bit_string() {
                again(&|out| out.bit_string(octets));
            }
            if let Ok(bits) = reader().named_bits() {
                again(&|out| out.named_bits(bits));
            }
        }
        OCTET_STRING => again(&|out| out.octet_string(element.body)),
        NULL => {
            if reader().null().is_ok() {
                again(&|out| out.null());
            }
        }
        ENUMERATED => {
            if let Ok(number) = reader().enumerated() {
                again(&|out| out.enumerated(number));
            }
        }
        OBJECT_IDENTIFIER => {
            if let Ok(oid) = reader().oid() {
                again(&|out| out.oid(&oid));
                // arcs beyond 32 bits are shown, and are no text that is read
                assert!(Oid::parse(&oid.to_string()).is_none_or(|parsed| parsed == oid));
            }
        }
        UTC_TIME | GENERALIZED_TIME => {
            if let Ok(moment) = Moment::read(&mut reader()) {
                again(&|out| moment.write(out));
            }
            if let Ok(moment) = Moment::read_generalized(&mut reader()) {
                again(&|out| moment.write_generalized(out));
            }
        }
        _ => {}
    }
}

fn check(bytes: &[u8]) {
    walk(bytes, 0);
}

fuzz::target!(seeds, check);
