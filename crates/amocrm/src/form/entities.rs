//! The items of a hook: `entity[action][number]`.

use super::Tree;

/// Actions that stand at the top where the entity was left out (5.3).
const ACTIONS: [&str; 7] = ["add", "update", "delete", "restore", "status", "responsible", "note"];
/// How often an item may be wrapped once more.
const WRAPPINGS: usize = 3;

/// One thing that a hook tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Of what: `message`, `unsorted`; empty where it was left out.
    pub entity: String,
    /// What was done: `add`, `update`.
    pub action: String,
    /// What is said of it.
    pub fields: Tree,
}

pub(super) fn items(tree: &Tree) -> Vec<Item> {
    let mut items = Vec::new();
    for (entity, actions) in tree.children().filter(|(entity, _)| *entity != "account") {
        if ACTIONS.contains(&entity) && !actions.numbered().is_empty() {
            add("", entity, actions, &mut items);
            continue;
        }
        for (action, list) in actions.children() {
            add(entity, action, list, &mut items);
        }
    }
    items
}

fn add(entity: &str, action: &str, list: &Tree, items: &mut Vec<Item>) {
    let numbered = list.numbered();
    // A single item may come without its number.
    let found = if numbered.is_empty() { vec![list] } else { numbered };
    items.extend(found.into_iter().map(|item| {
        let fields = unwrapped(entity, action, item).clone();
        Item { entity: entity.to_owned(), action: action.to_owned(), fields }
    }));
}

/// An item may stand in a list of one, or below its own name once more.
fn unwrapped<'a>(entity: &str, action: &str, mut item: &'a Tree) -> &'a Tree {
    for _ in 0..WRAPPINGS {
        match item.only() {
            Some((key, inner))
                if inner.value().is_none()
                    && (key.bytes().all(|byte| byte.is_ascii_digit()) || key == action || key == entity) =>
            {
                item = inner;
            }
            _ => break,
        }
    }
    item
}
