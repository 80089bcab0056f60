//! Formatted text: what `parse_mode`, `entities` and Telegram's own detection make of a text.
//!
//! Promises the entities, offsets (UTF-16 units) and `can't parse entities` texts that formatted sends of
//! real libraries rely on. Does not know which custom emoji exist or which user a `tg://user` link may name.

mod detect;
mod html;
mod markdown;
mod markdown_v2;

use serde_json::{Map, Value, json};

pub(crate) use detect::detect;

/// What a stretch of text is; the words of `MessageEntity.type` with what they carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A type without further fields (`bold`, `url`, `bot_command`, …).
    Plain(&'static str),
    /// `text_link`.
    TextLink(String),
    /// `text_mention` of the user with this id.
    TextMention(i64),
    /// `pre`, with its language.
    Pre(Option<String>),
    /// `custom_emoji`.
    CustomEmoji(String),
}

impl Kind {
    /// Code cannot hold other entities, and nothing is detected inside of it.
    fn is_code(&self) -> bool {
        matches!(self, Self::Pre(_) | Self::Plain("code"))
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Plain(name) => name,
            Self::TextLink(_) => "text_link",
            Self::TextMention(_) => "text_mention",
            Self::Pre(_) => "pre",
            Self::CustomEmoji(_) => "custom_emoji",
        }
    }
}

/// One entity; offset and length count UTF-16 units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entity {
    pub(crate) kind: Kind,
    pub(crate) offset: usize,
    pub(crate) length: usize,
}

impl Entity {
    fn end(&self) -> usize {
        self.offset + self.length
    }

    /// The `MessageEntity` object; `user` turns an id into a `User` for `text_mention`.
    pub(crate) fn to_json(&self, user: impl Fn(i64) -> Option<Value>) -> Value {
        let mut object = Map::new();
        object.insert("type".into(), json!(self.kind.name()));
        object.insert("offset".into(), json!(self.offset));
        object.insert("length".into(), json!(self.length));
        match &self.kind {
            Kind::Plain(_) | Kind::Pre(None) => {}
            Kind::TextLink(url) => {
                object.insert("url".into(), json!(url));
            }
            Kind::TextMention(id) => {
                let user = user(*id).unwrap_or_else(|| json!({"id": id, "is_bot": false, "first_name": ""}));
                object.insert("user".into(), user);
            }
            Kind::Pre(Some(language)) => {
                object.insert("language".into(), json!(language));
            }
            Kind::CustomEmoji(id) => {
                object.insert("custom_emoji_id".into(), json!(id));
            }
        }
        Value::Object(object)
    }
}

/// A text and its entities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Formatted {
    pub(crate) text: String,
    pub(crate) entities: Vec<Entity>,
}

/// Telegram's own words, without the prefix `Bad Request: `.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParseError(pub(crate) String);

impl From<Unparsable> for ParseError {
    fn from(Unparsable(reason): Unparsable) -> Self {
        Self(format!("can't parse entities: {reason}"))
    }
}

/// Why a parser of a mode gave up, in Telegram's words.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Unparsable(String);

/// Parses a text as a bot sends it: by `parse_mode`, else with the given `entities`, then trims it and adds
/// what Telegram detects by itself.
pub(crate) fn parse(
    text: &str,
    mode: Option<&str>,
    entities: Option<&Value>,
) -> Result<Formatted, ParseError> {
    let text = text.replace('\r', "");
    let parsed = match mode.map(str::to_lowercase).as_deref() {
        Some("markdown") => markdown::parse(&text)?,
        Some("markdownv2") => markdown_v2::parse(&text)?,
        Some("html") => html::parse(&text)?,
        None | Some("" | "none") => Formatted { entities: given(entities, &text), text },
        Some(_) => return Err(ParseError("unsupported parse_mode".into())),
    };
    let mut formatted = tidy(parsed);
    detect(&mut formatted);
    Ok(formatted)
}

/// A text written by a person: only detection applies.
pub(crate) fn plain(text: &str) -> Formatted {
    let mut formatted = tidy(Formatted { text: text.replace('\r', ""), entities: Vec::new() });
    detect(&mut formatted);
    formatted
}

/// Length in UTF-16 units, the unit of offsets and of the limits on texts.
pub(crate) fn utf16_len(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The `entities` parameter; what does not fit the text or is unknown is left out, as Telegram does.
fn given(entities: Option<&Value>, text: &str) -> Vec<Entity> {
    const PLAIN: [&str; 16] = [
        "mention",
        "hashtag",
        "cashtag",
        "bot_command",
        "url",
        "email",
        "phone_number",
        "bold",
        "italic",
        "underline",
        "strikethrough",
        "spoiler",
        "blockquote",
        "expandable_blockquote",
        "code",
        "date_time",
    ];
    let length = utf16_len(text);
    let Some(list) = entities.and_then(Value::as_array) else { return Vec::new() };
    list.iter()
        .filter_map(|item| {
            let field = |name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
            let offset = usize::try_from(item.get("offset")?.as_i64()?).ok()?;
            let len = usize::try_from(item.get("length")?.as_i64()?).ok()?;
            let kind = match item.get("type")?.as_str()? {
                "text_link" => Kind::TextLink(field("url")?),
                "text_mention" => Kind::TextMention(item.get("user")?.get("id")?.as_i64()?),
                "pre" => Kind::Pre(field("language").filter(|language| !language.is_empty())),
                "custom_emoji" => Kind::CustomEmoji(field("custom_emoji_id")?),
                name => Kind::Plain(PLAIN.iter().find(|plain| **plain == name)?),
            };
            // Telegram finds these by itself, whatever a bot claims.
            let detected = ["mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number"];
            let fits = len > 0 && offset + len <= length && !detected.contains(&kind.name());
            fits.then_some(Entity { kind, offset, length: len })
        })
        .collect()
}

/// Trims white space at both ends, moves the entities with it, drops empty ones and puts them in order.
fn tidy(formatted: Formatted) -> Formatted {
    let Formatted { text, mut entities } = formatted;
    let start = utf16_len(&text[..text.len() - text.trim_start().len()]);
    let trimmed = text.trim();
    let length = utf16_len(trimmed);
    entities.retain_mut(|entity| {
        let from = entity.offset.saturating_sub(start).min(length);
        let to = entity.end().saturating_sub(start).min(length);
        entity.offset = from;
        entity.length = to - from;
        entity.length > 0
    });
    sort(&mut entities);
    join(&mut entities);
    Formatted { text: trimmed.to_owned(), entities }
}

fn sort(entities: &mut [Entity]) {
    entities.sort_by(|a, b| a.offset.cmp(&b.offset).then(b.length.cmp(&a.length)));
}

/// Neighbours of the same kind become one, as in `*a**b*`.
fn join(entities: &mut Vec<Entity>) {
    let mut joined: Vec<Entity> = Vec::with_capacity(entities.len());
    for entity in entities.drain(..) {
        let before = joined.iter_mut().rev().find(|other| other.kind == entity.kind);
        match before {
            Some(other)
                if other.end() >= entity.offset && !matches!(entity.kind, Kind::Plain("blockquote")) =>
            {
                other.length = other.end().max(entity.end()) - other.offset;
            }
            _ => joined.push(entity),
        }
    }
    *entities = joined;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, mode: Option<&str>) -> String {
        match parse(text, mode, None) {
            Err(error) => error.0,
            Ok(formatted) => {
                let mut lines = vec![formatted.text.clone()];
                for entity in &formatted.entities {
                    lines.push(format!("{:?} {}+{}", entity.kind, entity.offset, entity.length));
                }
                lines.join(" | ")
            }
        }
    }

    #[test]
    fn markdown_gives_entities_and_telegrams_errors() {
        for (text, expected) in [
            (
                "*bold* _it_ `co*de`",
                "bold it co*de | Plain(\"bold\") 0+4 | Plain(\"italic\") 5+2 | Plain(\"code\") 8+5",
            ),
            ("[a](http://b.c)", "a | TextLink(\"http://b.c/\") 0+1"),
            ("[a](tg://user?id=12)", "a | TextMention(12) 0+1"),
            ("```rust\nlet x;```", "let x; | Pre(Some(\"rust\")) 0+6"),
            ("snake\\_case", "snake_case"),
            ("a *b", "can't parse entities: Can't find end of the entity starting at byte offset 2"),
            ("при *b", "can't parse entities: Can't find end of the entity starting at byte offset 7"),
        ] {
            assert_eq!(shown(text, Some("Markdown")), expected, "{text}");
        }
    }

    #[test]
    fn markdown_v2_nests_and_names_reserved_characters() {
        for (text, expected) in [
            (
                "*b _i __u__ ~s~ ||x||_*",
                "b i u s x | Plain(\"bold\") 0+9 | Plain(\"italic\") 2+7 | Plain(\"underline\") 4+1 | Plain(\"strikethrough\") 6+1 | Plain(\"spoiler\") 8+1",
            ),
            ("😀 *b*", "😀 b | Plain(\"bold\") 3+1"),
            ("\\*a\\.", "*a."),
            ("```python\nx = 1\n```", "x = 1 | Pre(Some(\"python\")) 0+5"),
            ("![👍](tg://emoji?id=5368324170671202286)", "👍 | CustomEmoji(\"5368324170671202286\") 0+2"),
            (">a\n>b\nc", "a\nb\nc | Plain(\"blockquote\") 0+4"),
            (">a\n>b||", "a\nb | Plain(\"expandable_blockquote\") 0+3"),
            (
                "a.",
                "can't parse entities: Character '.' is reserved and must be escaped with the preceding '\\'",
            ),
            ("a *b", "can't parse entities: Can't find end of Bold entity at byte offset 2"),
            ("[a](b", "can't parse entities: Can't find end of a URL at byte offset 4"),
        ] {
            assert_eq!(shown(text, Some("MarkdownV2")), expected, "{text}");
        }
    }

    #[test]
    fn html_knows_its_tags_and_says_which_is_wrong() {
        for (text, expected) in [
            ("<b>a <i>b</i></b>", "a b | Plain(\"bold\") 0+3 | Plain(\"italic\") 2+1"),
            ("<a href=\"https://t.me/x\">x</a> &lt;&amp;&#33;", "x <&! | TextLink(\"https://t.me/x\") 0+1"),
            ("<pre><code class=\"language-py\">x</code></pre>", "x | Pre(Some(\"py\")) 0+1"),
            ("<span class=\"tg-spoiler\">s</span><tg-spoiler>t</tg-spoiler>", "st | Plain(\"spoiler\") 0+2"),
            ("<tg-emoji emoji-id=\"5\">👍</tg-emoji>", "👍 | CustomEmoji(\"5\") 0+2"),
            ("<blockquote expandable>q</blockquote>", "q | Plain(\"expandable_blockquote\") 0+1"),
            ("<x>", "can't parse entities: Unsupported start tag \"x\" at byte offset 0"),
            ("<b>a", "can't parse entities: Can't find end tag corresponding to start tag \"b\""),
            ("a</b>", "can't parse entities: Unexpected end tag at byte offset 1"),
            (
                "<b>a</i>",
                "can't parse entities: Unmatched end tag at byte offset 4, expected \"</b>\", found \"</i>\"",
            ),
        ] {
            assert_eq!(shown(text, Some("HTML")), expected, "{text}");
        }
    }

    #[test]
    fn plain_text_is_searched_for_commands_links_mentions_tags_and_numbers() {
        for (text, expected) in [
            ("/start@bonus_bot x", "/start@bonus_bot x | Plain(\"bot_command\") 0+16"),
            ("see https://example.com/a?b=1, ok", "see https://example.com/a?b=1, ok | Plain(\"url\") 4+25"),
            (
                "example.com and a@b.org",
                "example.com and a@b.org | Plain(\"url\") 0+11 | Plain(\"email\") 16+7",
            ),
            (
                "hi @durov #tag $USD",
                "hi @durov #tag $USD | Plain(\"mention\") 3+6 | Plain(\"hashtag\") 10+4 | Plain(\"cashtag\") 15+4",
            ),
            ("call +79991234567", "call +79991234567 | Plain(\"phone_number\") 5+12"),
            ("a/b 1/2 file.txtx", "a/b 1/2 file.txtx"),
            ("  x  ", "x"),
        ] {
            assert_eq!(shown(text, None), expected, "{text}");
        }
    }

    #[test]
    fn given_entities_are_kept_in_order_and_bad_ones_dropped() {
        let entities = json!([
            {"type": "italic", "offset": 1, "length": 1},
            {"type": "bold", "offset": 0, "length": 2},
            {"type": "bold", "offset": 5, "length": 9},
            {"type": "nonsense", "offset": 0, "length": 1},
        ]);
        let formatted = parse("ab", None, Some(&entities)).unwrap();
        let names: Vec<_> = formatted.entities.iter().map(|entity| entity.kind.name()).collect();
        assert_eq!(names, ["bold", "italic"]);
    }

    #[test]
    fn an_unknown_mode_is_refused() {
        assert_eq!(shown("a", Some("rtf")), "unsupported parse_mode");
    }
}
