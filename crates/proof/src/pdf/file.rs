//! Where the objects of a PDF stand (ISO 32000-2 §7.5): cross-reference tables and streams, object streams, stream data.
//!
//! Nothing is read before it is asked for. Tables stay in the file's own bytes and are looked up there; the chain of
//! updates is followed at most once through each place; all inflated data together is bounded.
//! Never here: repair by scanning, a filter other than Flate, an object taken from a place that names another number.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::rc::Rc;

use flate2::read::ZlibDecoder;

use super::PdfError;
use super::syntax::{Budget, Dictionary, Lexer, Object, hex_bytes};

/// Work that one file may cause: bytes looked at, and a price for each value built.
const WORK: usize = 16 * 1024 * 1024;

/// The largest cross-reference or object stream after inflation.
const MAX_STREAM_BYTES: usize = 8 * 1024 * 1024;

/// All inflated data of one file together.
const MAX_INFLATED_BYTES: usize = 16 * 1024 * 1024;

/// The largest factor by which a stream may grow, beyond a first 64 KiB.
const MAX_INFLATE_RATIO: usize = 100;
const FREE_INFLATED_BYTES: usize = 64 * 1024;

/// The largest number of updates (sections of the cross-reference table).
const MAX_UPDATES: usize = 64;

/// The largest number of runs of object numbers in all sections.
const MAX_RUNS: usize = 4096;

/// The longest chain of references from one to the next.
const MAX_REFERENCES: usize = 8;

/// How far from the beginning the header, and from the end the pointer to the cross-references, may stand.
const HEADER_WINDOW: usize = 1024;
const TAIL_WINDOW: usize = 2048;

/// Bytes of one entry of a cross-reference table.
const ENTRY_BYTES: usize = 20;

const NO_TABLE: PdfError = PdfError::Pdf("its table of objects cannot be read");
const BAD_STREAM: PdfError = PdfError::Pdf("a stream is damaged");

/// A run of consecutive object numbers and where their entries are.
#[derive(Debug, Clone)]
struct Run {
    first: usize,
    count: usize,
    entries: Entries,
}

#[derive(Debug, Clone)]
enum Entries {
    /// In the file, 20 bytes each, from this offset on.
    Table(usize),
    /// In an inflated stream, from this offset on, with these field widths.
    Stream { data: Rc<Vec<u8>>, offset: usize, widths: [usize; 3] },
}

/// Where an object is.
#[derive(Debug, Clone, Copy)]
enum Place {
    Offset(usize),
    InStream { stream: u32, position: usize },
}

/// An open PDF.
#[derive(Debug)]
pub(super) struct File<'a> {
    /// From the header on; offsets count from there.
    bytes: &'a [u8],
    /// Newest first.
    runs: Vec<Run>,
    root: Option<Object>,
    work: Budget,
    inflated: usize,
    /// Inflated object streams by their number.
    streams: BTreeMap<u32, Rc<(Dictionary, Vec<u8>)>>,
}

impl<'a> File<'a> {
    pub(super) fn open(pdf: &'a [u8]) -> Result<Self, PdfError> {
        let window = pdf.get(..HEADER_WINDOW).unwrap_or(pdf);
        let header = find(window, b"%PDF-").ok_or(PdfError::Pdf("this is not a PDF"))?;
        let bytes = pdf.get(header..).unwrap_or_default();
        let mut file = Self {
            bytes,
            runs: Vec::new(),
            root: None,
            work: Budget(WORK),
            inflated: 0,
            streams: BTreeMap::new(),
        };
        let tail_start = bytes.len().saturating_sub(TAIL_WINDOW);
        let tail = bytes.get(tail_start..).unwrap_or_default();
        let pointer = find_last(tail, b"startxref").ok_or(NO_TABLE)?;
        let mut lexer = Lexer::new(bytes, tail_start + pointer, &mut file.work);
        lexer.keyword("startxref")?;
        let start = lexer.unsigned()?.ok_or(NO_TABLE)?;
        file.read_sections(start)?;
        Ok(file)
    }

    /// Follows the chain of updates from the newest to the oldest.
    fn read_sections(&mut self, start: u64) -> Result<(), PdfError> {
        let mut visited = Vec::new();
        let mut next = Some(start);
        while let Some(offset) = next {
            let offset = usize::try_from(offset).map_err(|_| NO_TABLE)?;
            if visited.contains(&offset) || offset >= self.bytes.len() {
                return Err(NO_TABLE);
            }
            if visited.len() == MAX_UPDATES {
                return Err(PdfError::TooLarge("it was updated too often"));
            }
            visited.push(offset);
            let trailer = self.read_section(offset)?;
            if trailer.get("Encrypt").is_some() {
                return Err(PdfError::Pdf("it is encrypted"));
            }
            if self.root.is_none() {
                self.root = trailer.get("Root").cloned();
            }
            next = match trailer.get("Prev") {
                None => None,
                Some(Object::Integer(value)) => Some(u64::try_from(*value).map_err(|_| NO_TABLE)?),
                Some(_) => return Err(NO_TABLE),
            };
        }
        Ok(())
    }

    /// Reads one section, a table or a stream, and gives its trailer.
    fn read_section(&mut self, offset: usize) -> Result<Dictionary, PdfError> {
        let mut lexer = Lexer::new(self.bytes, offset, &mut self.work);
        if !lexer.keyword("xref")? {
            return self.read_stream_section(offset);
        }
        let mut runs = Vec::new();
        let mut position = lexer.position();
        let trailer = loop {
            let mut lexer = Lexer::new(self.bytes, position, &mut self.work);
            if lexer.keyword("trailer")? {
                break match lexer.object()? {
                    Object::Dictionary(trailer) => trailer,
                    _ => return Err(NO_TABLE),
                };
            }
            let (Some(first), Some(count)) = (lexer.unsigned()?, lexer.unsigned()?) else {
                return Err(NO_TABLE);
            };
            lexer.space()?;
            let entries = lexer.position();
            let (first, count) = (to_usize(first)?, to_usize(count)?);
            position = count
                .checked_mul(ENTRY_BYTES)
                .and_then(|length| length.checked_add(entries))
                .filter(|end| *end <= self.bytes.len())
                .ok_or(NO_TABLE)?;
            runs.push(Run { first, count, entries: Entries::Table(entries) });
            if self.runs.len() + runs.len() > MAX_RUNS {
                return Err(PdfError::TooLarge("its table of objects is too long"));
            }
        };
        // In a file for old and new readers the stream knows what the table calls free.
        if let Some(hidden) = trailer.number("XRefStm") {
            self.read_stream_section(hidden)?;
        }
        self.runs.extend(runs);
        Ok(trailer)
    }

    fn read_stream_section(&mut self, offset: usize) -> Result<Dictionary, PdfError> {
        let (_, object, data) = self.object_at(offset)?;
        let (Object::Dictionary(dictionary), Some(start)) = (object, data) else {
            return Err(NO_TABLE);
        };
        let length = dictionary.number("Length").ok_or(NO_TABLE)?;
        let data = Rc::new(self.decode(&dictionary, start, length, MAX_STREAM_BYTES)?);
        let mut widths = [0; 3];
        let Some(Object::Array(declared)) = dictionary.get("W") else {
            return Err(NO_TABLE);
        };
        if declared.len() < widths.len() {
            return Err(NO_TABLE);
        }
        for (width, value) in widths.iter_mut().zip(declared) {
            match value {
                Object::Integer(value @ 0..=8) => *width = *value as usize,
                _ => return Err(NO_TABLE),
            }
        }
        let row: usize = widths.iter().sum();
        let numbers = match dictionary.get("Index") {
            Some(Object::Array(items)) => items.clone(),
            _ => vec![Object::Integer(0), dictionary.get("Size").cloned().ok_or(NO_TABLE)?],
        };
        let mut position = 0usize;
        let (pairs, _) = numbers.as_chunks::<2>();
        for pair in pairs {
            let [Object::Integer(first), Object::Integer(count)] = pair else {
                return Err(NO_TABLE);
            };
            let first = usize::try_from(*first).map_err(|_| NO_TABLE)?;
            let count = usize::try_from(*count).map_err(|_| NO_TABLE)?;
            if self.runs.len() == MAX_RUNS {
                return Err(PdfError::TooLarge("its table of objects is too long"));
            }
            self.runs.push(Run {
                first,
                count,
                entries: Entries::Stream { data: Rc::clone(&data), offset: position, widths },
            });
            position =
                count.checked_mul(row).and_then(|length| length.checked_add(position)).ok_or(NO_TABLE)?;
        }
        Ok(dictionary)
    }

    /// Where an object stands by the newest section that lists it; none if it is free or unknown.
    fn place(&mut self, number: u32) -> Result<Option<Place>, PdfError> {
        let number = number as usize;
        self.work.spend(self.runs.len())?;
        let run = self.runs.iter().find(|run| {
            let position = number.checked_sub(run.first);
            position.is_some_and(|position| position < run.count)
        });
        let Some(run) = run else {
            return Ok(None);
        };
        let position = number - run.first;
        match &run.entries {
            Entries::Table(entries) => {
                let start = entries + position * ENTRY_BYTES;
                let entry = self.bytes.get(start..start + ENTRY_BYTES).ok_or(NO_TABLE)?;
                let (digits, rest) = entry.split_at_checked(10).ok_or(NO_TABLE)?;
                match rest.get(7) {
                    Some(b'n') => {}
                    Some(b'f') => return Ok(None),
                    _ => return Err(NO_TABLE),
                }
                let offset = std::str::from_utf8(digits).ok().and_then(|d| d.parse().ok());
                Ok(Some(Place::Offset(offset.ok_or(NO_TABLE)?)))
            }
            Entries::Stream { data, offset, widths } => {
                let row: usize = widths.iter().sum();
                let start =
                    position.checked_mul(row).and_then(|start| start.checked_add(*offset)).ok_or(NO_TABLE)?;
                let mut fields = data.get(start..start.saturating_add(row)).ok_or(NO_TABLE)?;
                let mut field = |width: usize| {
                    let (head, rest) = fields.split_at_checked(width).unwrap_or_default();
                    fields = rest;
                    head.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte))
                };
                let [kind_width, second_width, third_width] = *widths;
                let kind = if kind_width == 0 { 1 } else { field(kind_width) };
                let (second, third) = (field(second_width), field(third_width));
                match kind {
                    0 => Ok(None),
                    1 => Ok(Some(Place::Offset(to_usize(second)?))),
                    2 => Ok(Some(Place::InStream {
                        stream: u32::try_from(second).map_err(|_| NO_TABLE)?,
                        position: to_usize(third)?,
                    })),
                    _ => Ok(None),
                }
            }
        }
    }

    /// Reads `number generation obj value` and, for a stream, where its data begins.
    fn object_at(&mut self, offset: usize) -> Result<(u64, Object, Option<usize>), PdfError> {
        let mut lexer = Lexer::new(self.bytes, offset, &mut self.work);
        let wrong_place = PdfError::Pdf("an object is not where the table says");
        let (Some(number), Some(_)) = (lexer.unsigned()?, lexer.unsigned()?) else {
            return Err(wrong_place);
        };
        if !lexer.keyword("obj")? {
            return Err(wrong_place);
        }
        let object = lexer.object()?;
        if !matches!(object, Object::Dictionary(_)) || !lexer.keyword("stream")? {
            return Ok((number, object, None));
        }
        // The keyword is followed by CR LF or LF, then the data.
        let behind = lexer.position();
        let rest = self.bytes.get(behind..).unwrap_or_default();
        let skipped = match rest {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            _ => return Err(BAD_STREAM),
        };
        Ok((number, object, Some(behind + skipped)))
    }

    /// An indirect object; [`Object::Other`] (null) if there is none of this number.
    fn load(&mut self, number: u32) -> Result<Object, PdfError> {
        match self.place(number)? {
            None => Ok(Object::Other),
            Some(Place::Offset(offset)) => {
                let (found, object, _) = self.object_at(offset)?;
                if found != u64::from(number) {
                    return Err(PdfError::Pdf("an object is not where the table says"));
                }
                Ok(object)
            }
            Some(Place::InStream { stream, position }) => {
                let container = self.object_stream(stream)?;
                let (dictionary, data) = &*container;
                let first = dictionary.number("First").ok_or(BAD_STREAM)?;
                let count = dictionary.number("N").ok_or(BAD_STREAM)?;
                if position >= count {
                    return Err(BAD_STREAM);
                }
                let mut lexer = Lexer::new(data, 0, &mut self.work);
                for _ in 0..position {
                    lexer.unsigned()?.ok_or(BAD_STREAM)?;
                    lexer.unsigned()?.ok_or(BAD_STREAM)?;
                }
                let found = lexer.unsigned()?.ok_or(BAD_STREAM)?;
                let offset = to_usize(lexer.unsigned()?.ok_or(BAD_STREAM)?)?;
                if found != u64::from(number) {
                    return Err(PdfError::Pdf("an object is not where the table says"));
                }
                let start = first.checked_add(offset).ok_or(BAD_STREAM)?;
                Lexer::new(data, start, &mut self.work).object()
            }
        }
    }

    /// An object stream, inflated once. It must stand in the file itself.
    fn object_stream(&mut self, number: u32) -> Result<Rc<(Dictionary, Vec<u8>)>, PdfError> {
        if let Some(known) = self.streams.get(&number) {
            return Ok(Rc::clone(known));
        }
        let (dictionary, data) = self.stream_object(number, MAX_STREAM_BYTES)?;
        let stream = Rc::new((dictionary, data));
        self.streams.insert(number, Rc::clone(&stream));
        Ok(stream)
    }

    fn stream_object(&mut self, number: u32, limit: usize) -> Result<(Dictionary, Vec<u8>), PdfError> {
        let Some(Place::Offset(offset)) = self.place(number)? else {
            return Err(BAD_STREAM);
        };
        let (found, object, start) = self.object_at(offset)?;
        let (Object::Dictionary(dictionary), Some(start)) = (object, start) else {
            return Err(BAD_STREAM);
        };
        if found != u64::from(number) {
            return Err(PdfError::Pdf("an object is not where the table says"));
        }
        let length = match dictionary.get("Length") {
            Some(Object::Reference(length, _)) => self.length_at(*length)?,
            _ => dictionary.number("Length").ok_or(BAD_STREAM)?,
        };
        let data = self.decode(&dictionary, start, length, limit)?;
        Ok((dictionary, data))
    }

    /// A stream's length that is an object of its own; such an object must not stand in a stream again.
    fn length_at(&mut self, number: u32) -> Result<usize, PdfError> {
        let Some(Place::Offset(offset)) = self.place(number)? else {
            return Err(BAD_STREAM);
        };
        match self.object_at(offset)? {
            (found, Object::Integer(length), None) if found == u64::from(number) => {
                usize::try_from(length).map_err(|_| BAD_STREAM)
            }
            _ => Err(BAD_STREAM),
        }
    }

    /// The data of a stream behind its filter. The keyword `endstream` must follow where the length says.
    fn decode(
        &mut self,
        dictionary: &Dictionary,
        start: usize,
        length: usize,
        limit: usize,
    ) -> Result<Vec<u8>, PdfError> {
        let end = start.checked_add(length).ok_or(BAD_STREAM)?;
        let raw = self.bytes.get(start..end).ok_or(BAD_STREAM)?;
        let mut lexer = Lexer::new(self.bytes, end, &mut self.work);
        if !lexer.keyword("endstream")? {
            return Err(BAD_STREAM);
        }
        let filters = list(dictionary.get("Filter"));
        let parameters = list(dictionary.get("DecodeParms"));
        if filters.is_empty() {
            if raw.len() > limit {
                return Err(PdfError::TooLarge("a stream exceeds its limit"));
            }
            self.account(raw.len())?;
            return Ok(raw.to_vec());
        }
        let unread = PdfError::Pdf("a stream is packed in a way that is not read");
        // Text-safe files write hexadecimal digits around the one compression.
        let digits = match filters {
            [Object::Name(flate)] if flate == b"FlateDecode" => None,
            [Object::Name(hexadecimal), Object::Name(flate)]
                if hexadecimal == b"ASCIIHexDecode" && flate == b"FlateDecode" =>
            {
                Some(self.hexadecimal(raw)?)
            }
            _ => return Err(unread),
        };
        let inflated = self.inflate(digits.as_deref().unwrap_or(raw), limit)?;
        match parameters.get(filters.len() - 1) {
            Some(Object::Dictionary(parameters)) => predict(parameters, inflated),
            None | Some(Object::Other) => Ok(inflated),
            Some(_) => Err(BAD_STREAM),
        }
    }

    /// Bytes from hexadecimal digits, up to `>`.
    fn hexadecimal(&mut self, raw: &[u8]) -> Result<Vec<u8>, PdfError> {
        self.work.spend(raw.len())?;
        let text = raw.split(|byte| *byte == b'>').next().unwrap_or_default();
        hex_bytes(text).ok_or(BAD_STREAM)
    }

    fn account(&mut self, bytes: usize) -> Result<(), PdfError> {
        self.inflated += bytes;
        if self.inflated > MAX_INFLATED_BYTES {
            return Err(PdfError::TooLarge("its streams grow too much"));
        }
        Ok(())
    }

    fn inflate(&mut self, raw: &[u8], limit: usize) -> Result<Vec<u8>, PdfError> {
        let by_ratio = raw.len().saturating_mul(MAX_INFLATE_RATIO);
        let limit = limit.min(by_ratio.max(FREE_INFLATED_BYTES)).min(MAX_INFLATED_BYTES - self.inflated);
        let mut data = Vec::new();
        let mut stream = ZlibDecoder::new(raw).take(limit as u64 + 1);
        stream.read_to_end(&mut data).map_err(|_| BAD_STREAM)?;
        if data.len() > limit {
            return Err(PdfError::TooLarge("a stream grows too much"));
        }
        self.account(data.len())?;
        Ok(data)
    }

    pub(super) fn catalog(&mut self) -> Result<Dictionary, PdfError> {
        let root = self.root.clone();
        self.dictionary(root.as_ref())?.ok_or(PdfError::Pdf("it has no catalog"))
    }

    /// Follows references to a value.
    pub(super) fn resolve(&mut self, object: &Object) -> Result<Object, PdfError> {
        let mut object = object.clone();
        for _ in 0..MAX_REFERENCES {
            let Object::Reference(number, _) = object else {
                return Ok(object);
            };
            object = self.load(number)?;
        }
        Err(PdfError::Pdf("its references lead in a circle"))
    }

    pub(super) fn dictionary(&mut self, object: Option<&Object>) -> Result<Option<Dictionary>, PdfError> {
        let Some(object) = object else {
            return Ok(None);
        };
        match self.resolve(object)? {
            Object::Dictionary(dictionary) => Ok(Some(dictionary)),
            _ => Ok(None),
        }
    }

    pub(super) fn array(&mut self, object: Option<&Object>) -> Result<Vec<Object>, PdfError> {
        let Some(object) = object else {
            return Ok(Vec::new());
        };
        match self.resolve(object)? {
            Object::Array(items) => Ok(items),
            _ => Ok(Vec::new()),
        }
    }

    /// The data of a stream that a reference leads to.
    pub(super) fn stream(&mut self, object: &Object, limit: usize) -> Result<Vec<u8>, PdfError> {
        let Object::Reference(number, _) = object else {
            return Err(BAD_STREAM);
        };
        let (_, data) = self.stream_object(*number, limit)?;
        Ok(data)
    }
}

/// Undoes the PNG predictors that cross-reference streams use (one byte for each sample).
fn predict(parameters: &Dictionary, data: Vec<u8>) -> Result<Vec<u8>, PdfError> {
    let predictor = parameters.number("Predictor").unwrap_or(1);
    if predictor == 1 {
        return Ok(data);
    }
    let plain = parameters.number("Colors").unwrap_or(1) == 1
        && parameters.number("BitsPerComponent").unwrap_or(8) == 8;
    let columns = parameters.number("Columns").unwrap_or(1);
    if predictor < 10 || !plain || columns == 0 || columns > FREE_INFLATED_BYTES {
        return Err(BAD_STREAM);
    }
    let mut above = vec![0u8; columns];
    let mut plain = Vec::with_capacity(data.len());
    for row in data.chunks(columns + 1) {
        let (kind, row) = row.split_first().ok_or(BAD_STREAM)?;
        if row.len() != columns {
            return Err(BAD_STREAM);
        }
        let (mut left, mut above_left) = (0u8, 0u8);
        for (byte, up) in row.iter().zip(above.iter_mut()) {
            let guess = match kind {
                0 => 0,
                1 => left,
                2 => *up,
                3 => u8::midpoint(left, *up),
                4 => paeth(left, *up, above_left),
                _ => return Err(BAD_STREAM),
            };
            above_left = *up;
            left = byte.wrapping_add(guess);
            *up = left;
            plain.push(left);
        }
    }
    Ok(plain)
}

fn paeth(left: u8, up: u8, above_left: u8) -> u8 {
    let (a, b, c) = (i16::from(left), i16::from(up), i16::from(above_left));
    let guess = a + b - c;
    let (to_left, to_up, to_corner) = ((guess - a).abs(), (guess - b).abs(), (guess - c).abs());
    if to_left <= to_up && to_left <= to_corner {
        left
    } else if to_up <= to_corner {
        up
    } else {
        above_left
    }
}

/// One value or an array of values, as both are permitted.
fn list(object: Option<&Object>) -> &[Object] {
    match object {
        None => &[],
        Some(Object::Array(items)) => items,
        Some(one) => std::slice::from_ref(one),
    }
}

fn to_usize(value: u64) -> Result<usize, PdfError> {
    usize::try_from(value).map_err(|_| NO_TABLE)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|w| w == wanted)
}

fn find_last(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).rposition(|w| w == wanted)
}
