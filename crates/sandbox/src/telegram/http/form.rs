//! `application/x-www-form-urlencoded`, in bodies and queries.

use percent_encoding::percent_decode;

use super::reading::Parsed;

/// Adds the pairs of a form. A pair without `=` has an empty value; a name that is no UTF-8 names nothing.
pub(super) fn read(form: &[u8], into: &mut Parsed) {
    for pair in form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
            Some(place) => (&pair[..place], &pair[place + 1..]),
            None => (pair, [].as_slice()),
        };
        into.add(decode(name), decode(value));
    }
}

fn decode(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&spaced).collect()
}
