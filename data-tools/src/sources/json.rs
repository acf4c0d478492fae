//! Cutting a JSON array into its elements without parsing them.

use memchr::memchr2;

use super::cut::{Cut, Cutter, Wrong};
use super::reject::ROW_BYTES_MAX;

/// Cuts a JSON array (RFC 8259) between its elements. Commas between them are passed over and not
/// checked.
#[derive(Debug, Default)]
pub(super) struct ArrayElements {
    place: Place,
    scan: Scan,
    /// Elements follow each other without an array around them.
    without_brackets: bool,
}

impl ArrayElements {
    /// Cuts between elements that stand in no array.
    pub(super) fn without_brackets() -> Self {
        Self {
            place: Place::Inside,
            scan: Scan::default(),
            without_brackets: true,
        }
    }
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    Before,
    Inside,
    After,
}

impl Cutter for ArrayElements {
    fn cut(&mut self, buffer: &[u8], ended: bool) -> Cut {
        let at = skip(buffer, 0, is_space);
        match (self.place, buffer.get(at)) {
            (Place::Before, Some(b'[')) => {
                self.place = Place::Inside;
                return Cut::None(at + 1);
            }
            (Place::Before, Some(_)) => return Cut::Wrong(Wrong::Begins),
            (Place::Before, None) if ended => return Cut::Wrong(Wrong::Begins),
            (Place::Before | Place::After, None) => return Cut::None(at),
            (Place::After, Some(_)) => return Cut::Wrong(Wrong::GoesOn),
            (Place::Inside, _) => {}
        }
        let whole = whole_elements(buffer, at);
        if whole > at {
            return Cut::Rows(whole);
        }
        let at = skip(buffer, at, is_between);
        match buffer.get(at) {
            Some(b']') if self.without_brackets => Cut::Wrong(Wrong::GoesOn),
            Some(b']') => {
                self.place = Place::After;
                Cut::None(at + 1)
            }
            None if !ended || self.without_brackets => Cut::None(at),
            Some(_) if buffer.len() - at > ROW_BYTES_MAX && at == 0 => Cut::TooLong,
            Some(_) if at > 0 => Cut::None(at),
            _ if ended => Cut::Wrong(Wrong::Ends),
            _ => Cut::More,
        }
    }

    fn pass_over(&mut self, buffer: &[u8], first: bool) -> Option<usize> {
        if first {
            self.scan = Scan::default();
        }
        self.scan.end(buffer)
    }
}

/// The elements in bytes that [`ArrayElements`] has cut.
pub(super) fn elements(chunk: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        at = skip(chunk, at, is_between);
        let rest = chunk.get(at..).filter(|rest| !rest.is_empty())?;
        let end = Scan::default().end(rest).unwrap_or(rest.len());
        at += end;
        rest.get(..end)
    })
}

/// The first element of some bytes, and what follows it; `None` where none lies wholly in them.
pub(super) fn first_element(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = bytes.get(skip(bytes, 0, is_between)..)?;
    if matches!(rest.first(), None | Some(b'}' | b']')) {
        return None;
    }
    rest.split_at_checked(Scan::default().end(rest)?)
}

/// The end of the last element that lies wholly in the buffer and within the longest row; `at`
/// where there is none.
fn whole_elements(buffer: &[u8], at: usize) -> usize {
    let mut whole = at;
    loop {
        let begin = skip(buffer, whole, is_between);
        let rest = buffer.get(begin..).unwrap_or_default();
        if matches!(rest.first(), None | Some(b']')) {
            return whole;
        }
        match Scan::default().end(rest) {
            Some(end) if end <= ROW_BYTES_MAX => whole = begin + end,
            _ => return whole,
        }
    }
}

fn skip(buffer: &[u8], at: usize, passes: impl Fn(u8) -> bool) -> usize {
    at + buffer
        .get(at..)
        .unwrap_or_default()
        .iter()
        .take_while(|&&byte| passes(byte))
        .count()
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn is_between(byte: u8) -> bool {
    is_space(byte) || byte == b','
}

/// Looks for the end of one element, piece by piece.
#[derive(Debug, Default)]
struct Scan {
    /// Braces and brackets open.
    depth: usize,
    in_text: bool,
    escaped: bool,
    /// The element is a number, a word or rubbish, which ends before what cannot belong to it.
    bare: bool,
}

impl Scan {
    /// Where in `piece` the element ends; `None` when not there. The first piece begins with it.
    fn end(&mut self, piece: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = piece.get(at) {
            if self.escaped {
                self.escaped = false;
                at += 1;
                continue;
            }
            if self.in_text {
                at += memchr2(b'"', b'\\', piece.get(at..).unwrap_or_default())?;
                if piece.get(at) == Some(&b'\\') {
                    self.escaped = true;
                } else {
                    self.in_text = false;
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                at += 1;
                continue;
            }
            if self.bare {
                if is_between(byte) || matches!(byte, b']' | b'{' | b'[' | b'"') {
                    return Some(at);
                }
                at += 1;
                continue;
            }
            match byte {
                b'"' => self.in_text = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ if self.depth == 0 => self.bare = true,
                _ => {}
            }
            at += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cuts a text that comes `step` bytes at a time; rows are separated by `|`.
    fn cut(text: &str, step: usize) -> String {
        let (mut cutter, mut buffer, mut rows) = (ArrayElements::default(), Vec::new(), Vec::new());
        let mut rest = text.as_bytes();
        loop {
            let (now, later) = rest.split_at(step.min(rest.len()));
            buffer.extend_from_slice(now);
            rest = later;
            loop {
                match cutter.cut(&buffer, rest.is_empty()) {
                    Cut::Rows(end) => {
                        rows.extend(
                            elements(&buffer[..end])
                                .map(|row| String::from_utf8(row.to_vec()).unwrap()),
                        );
                        buffer.drain(..end);
                    }
                    Cut::None(0) | Cut::More => break,
                    Cut::None(end) => drop(buffer.drain(..end)),
                    other => return format!("{}{other:?}", rows.concat()),
                }
            }
            if rest.is_empty() {
                return rows.join("|");
            }
        }
    }

    #[test]
    fn elements_without_an_array_are_cut_too() {
        for (text, expected) in [
            ("{\n\"a\": 1\n}\n{\n\"b\": 2\n}\n", Ok(2)),
            ("{}", Ok(1)),
            ("{}\n{", Err(Wrong::Ends)),
            ("{}]", Err(Wrong::GoesOn)),
        ] {
            let mut cutter = ArrayElements::without_brackets();
            let (mut rest, mut rows) = (text.as_bytes(), 0);
            let found = loop {
                match cutter.cut(rest, true) {
                    Cut::Rows(end) => {
                        rows += elements(&rest[..end]).count();
                        rest = &rest[end..];
                    }
                    Cut::None(0) => break Ok(rows),
                    Cut::None(end) => rest = &rest[end..],
                    Cut::Wrong(wrong) => break Err(wrong),
                    other => panic!("{other:?}"),
                }
            };
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn an_array_is_cut_between_its_elements() {
        for (text, expected) in [
            ("[]", ""),
            (" [ ] \n", ""),
            (r#"[{"a":1},{"b":"}"}]"#, r#"{"a":1}|{"b":"}"}"#),
            (
                r#"[{"a":"\"}\\"} , {"b":[{},[]]}]"#,
                r#"{"a":"\"}\\"}|{"b":[{},[]]}"#,
            ),
            (r#"[1, null,"a,]\"",[{}], {}]"#, r#"1|null|"a,]\""|[{}]|{}"#),
            ("[},{}]", "}|{}"),
            ("", "Wrong(Begins)"),
            ("{}", "Wrong(Begins)"),
            ("[{}", "{}Wrong(Ends)"),
            ("[{", "Wrong(Ends)"),
            ("[\"", "Wrong(Ends)"),
            ("[{}] x", "{}Wrong(GoesOn)"),
        ] {
            for step in 1..=text.len().max(1) {
                assert_eq!(cut(text, step), expected, "{text} {step} bytes at a time");
            }
        }
    }
}
