//! A form as a tree: `a[b][0][c]=v` is `v` at `a`, `b`, `0`, `c`.

use std::collections::BTreeMap;

/// Most fields of a form; a hook has some dozens.
const FIELDS: usize = 4096;
/// How deep keys go at most; a hook's go to eight.
const DEPTH: usize = 16;

/// Why a form is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// It has too many fields.
    #[error("it has more than {FIELDS} fields")]
    TooMany,
    /// A key goes too deep.
    #[error("a key of it has more than {DEPTH} parts")]
    TooDeep,
}

/// A place in a form: a value, or what is below it. A form can give both, and then both are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    value: Option<String>,
    below: BTreeMap<String, Tree>,
}

impl Tree {
    /// Reads a form. Of two values for one key the last counts, as in PHP; bytes that are no text are replaced.
    pub fn read(form: &[u8]) -> Result<Self, FormError> {
        let mut root = Self::default();
        for (number, (key, value)) in form_urlencoded::parse(form).enumerate() {
            if number >= FIELDS {
                return Err(FormError::TooMany);
            }
            let mut at = &mut root;
            for (depth, part) in parts(&key).into_iter().enumerate() {
                if depth >= DEPTH {
                    return Err(FormError::TooDeep);
                }
                // `a[]` is the next of a list.
                let part =
                    if part.is_empty() && depth > 0 { at.below.len().to_string() } else { part.to_owned() };
                at = at.below.entry(part).or_default();
            }
            at.value = Some(value.into_owned());
        }
        Ok(root)
    }

    /// What is at a key below it.
    pub fn at(&self, key: &str) -> Option<&Self> {
        self.below.get(key)
    }

    /// The value that stands here.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// The value at a key below it; `None` for an empty one, which is how PHP writes that there is none.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.at(key)?.value().filter(|value| !value.is_empty())
    }

    /// The number at a key below it. Every value of a form is a text.
    pub fn number(&self, key: &str) -> Option<u64> {
        self.text(key)?.trim().parse().ok()
    }

    /// Whether the value at a key below it says yes: PHP writes `1`, and nothing or `0` for no.
    pub fn says_no(&self, key: &str) -> bool {
        self.at(key).and_then(Self::value).is_some_and(|value| matches!(value, "" | "0" | "false"))
    }

    /// What is below it, by key.
    pub fn children(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.below.iter().map(|(key, tree)| (key.as_str(), tree))
    }

    /// What is below it at numbers, in their order: a list, whether its numbers are places or ids.
    pub fn numbered(&self) -> Vec<&Self> {
        let mut items: Vec<(u64, &Self)> =
            self.children().filter_map(|(key, item)| Some((key.parse().ok()?, item))).collect();
        items.sort_by_key(|(number, _)| *number);
        items.into_iter().map(|(_, item)| item).collect()
    }

    /// The only thing below it, where there is just one and no value beside it.
    pub(super) fn only(&self) -> Option<(&str, &Self)> {
        let mut children = self.children();
        children.next().filter(|_| self.value.is_none() && self.below.len() == 1)
    }
}

/// The parts of a key: `a[b][c]` has three. A key whose brackets do not fit has one.
fn parts(key: &str) -> Vec<&str> {
    let Some((name, mut rest)) = key.split_once('[').filter(|(name, _)| !name.is_empty()) else {
        return vec![key];
    };
    let mut parts = vec![name];
    loop {
        let Some((part, after)) = rest.split_once(']') else { return vec![key] };
        parts.push(part);
        match after.strip_prefix('[') {
            Some(more) => rest = more,
            None if after.is_empty() => return parts,
            None => return vec![key],
        }
    }
}
