//! Bodies of amoCRM's account hooks, which nobody signs: forms with PHP's nested keys.
//!
//! Every value that is read is one of the form's; what is read, flattened and written again, is read as the same; and a
//! form with few fields and shallow keys is never refused.

use tandem_amocrm::form::{AccountHook, Tree};

pub(crate) fn hold(data: &[u8]) {
    let fields: Vec<(String, String)> =
        form_urlencoded::parse(data).map(|(key, value)| (key.into_owned(), value.into_owned())).collect();
    let is_small = fields.len() < 1000 && fields.iter().all(|(key, _)| key.matches('[').count() < 10);
    let tree = match Tree::read(data) {
        Ok(tree) => tree,
        Err(error) => return assert!(!is_small, "{error}"),
    };
    let mut flat = Vec::new();
    flatten(&tree, &mut Vec::new(), &mut flat);
    assert!(flat.len() <= fields.len());
    for (_, value) in &flat {
        assert!(fields.iter().any(|(_, other)| other == value), "{value:?} stands nowhere");
    }
    let plain = |part: &String| !part.is_empty() && !part.contains(['[', ']']);
    if flat.iter().all(|(parts, _)| parts.iter().all(plain)) {
        let mut written = form_urlencoded::Serializer::new(String::new());
        for (parts, value) in &flat {
            written.append_pair(&key(parts), value);
        }
        assert_eq!(Tree::read(written.finish().as_bytes()).as_ref(), Ok(&tree));
    }
    let hook = AccountHook::read(data).expect("its form was read");
    assert!(hook.items.len() <= fields.len());
}

fn flatten<'a>(tree: &'a Tree, parts: &mut Vec<String>, flat: &mut Vec<(Vec<String>, &'a str)>) {
    if let Some(value) = tree.value() {
        flat.push((parts.clone(), value));
    }
    for (part, below) in tree.children() {
        parts.push(part.to_owned());
        flatten(below, parts, flat);
        parts.pop();
    }
}

fn key(parts: &[String]) -> String {
    let (name, rest) = parts.split_first().expect("no value stands at the root");
    rest.iter().fold(name.clone(), |key, part| format!("{key}[{part}]"))
}
