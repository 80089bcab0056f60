//! Rich messages (Bot API 10.1) as plain text: a line for each block, and the first of its files.

use tandem_model::message::{Attachment, AttachmentKind};

use super::{
    Reader, file,
    object::{Object, elements},
    text::write_link,
};

/// How deep blocks and texts are followed. What is deeper is left out.
const DEPTH: u8 = 24;

/// What a rich message comes to.
#[derive(Debug, Default)]
pub(super) struct Flat {
    /// Its text.
    pub(super) text: String,
    /// The first file in it.
    pub(super) attachment: Option<Attachment>,
}

impl Reader {
    /// A `RichMessage`.
    pub(super) fn rich(&self, message: &Object<'_>) -> Flat {
        let mut flat = Flat::default();
        self.blocks(&message.objects("blocks"), "", DEPTH, &mut flat);
        flat.text = flat.text.trim_end().to_owned();
        flat
    }

    fn blocks(&self, blocks: &[Object<'_>], indent: &str, depth: u8, flat: &mut Flat) {
        let Some(depth) = depth.checked_sub(1) else { return };
        for block in blocks {
            self.block(block, indent, depth, flat);
        }
    }

    fn block(&self, block: &Object<'_>, indent: &str, depth: u8, flat: &mut Flat) {
        match block.text("type").as_deref() {
            // Not said by anybody: a place to jump to, a machine's pretence of thinking.
            Some("anchor" | "thinking") => return,
            Some("divider") => return line(flat, indent, "—"),
            Some("list") => {
                for item in block.objects("items") {
                    let mark = match (item.is_set("has_checkbox"), item.is_set("is_checked")) {
                        (true, true) => "☑".to_owned(),
                        (true, false) => "☐".to_owned(),
                        (false, _) => item.words("label").unwrap_or_else(|| "•".to_owned()),
                    };
                    let mut inner = Flat::default();
                    self.blocks(&item.objects("blocks"), "", depth, &mut inner);
                    flat.attachment = flat.attachment.take().or(inner.attachment);
                    line(flat, indent, &format!("{mark} {}", inner.text.trim_end()));
                }
                return;
            }
            Some("table") => {
                for row in block.elements("cells") {
                    let cells: Vec<_> = elements(row)
                        .into_iter()
                        .filter_map(Object::of)
                        .map(|cell| rich_text(cell.raw("text"), depth))
                        .collect();
                    line(flat, indent, &cells.join(" | "));
                }
            }
            _ => {}
        }
        if let Some(expression) = block.words("expression") {
            line(flat, indent, &expression);
        }
        line(flat, indent, &rich_text(block.raw("summary"), depth));
        line(flat, indent, &rich_text(block.raw("text"), depth));
        if let Some((attachment, label)) = self.block_media(block) {
            line(flat, indent, &format!("[{label}]"));
            flat.attachment = flat.attachment.take().or(attachment);
        }
        self.blocks(&block.objects("blocks"), &format!("{indent}  "), depth, flat);
        // A caption is an object with a text, but a text itself under a table.
        let caption = block.raw("caption");
        let caption = caption
            .and_then(Object::of)
            .filter(|caption| !caption.has("type"))
            .map_or(caption, |c| c.raw("text"));
        line(flat, indent, &rich_text(caption, depth));
        let credit = rich_text(block.raw("credit"), depth);
        if !credit.is_empty() {
            line(flat, indent, &format!("— {credit}"));
        }
    }

    fn block_media(&self, block: &Object<'_>) -> Option<(Option<Attachment>, &'static str)> {
        let kind = block.text("type")?;
        let member = || block.object(&kind).unwrap_or_default();
        let attachment = match &*kind {
            "photo" => file::photo(&block.objects("photo")),
            "video" => file::attachment(AttachmentKind::Video, &member(), "video", Some("video/mp4")),
            "animation" => file::animation(&member()),
            "audio" => file::audio(&member()),
            "voice_note" => file::attachment(AttachmentKind::Voice, &member(), "voice", Some("audio/ogg")),
            "document" => file::attachment(AttachmentKind::File, &member(), "document", None),
            "map" => return Some((None, self.language.pick("Карта", "Map"))),
            _ => return None,
        };
        let label = attachment.as_ref().map_or(AttachmentKind::File, |attachment| attachment.kind);
        Some((attachment, self.kind_label(label)))
    }
}

fn line(flat: &mut Flat, indent: &str, words: &str) {
    for words in words.lines().filter(|line| !line.trim().is_empty()) {
        flat.text.push_str(indent);
        flat.text.push_str(words);
        flat.text.push('\n');
    }
}

/// A `RichText`: a text, several, or an object that holds one.
fn rich_text(value: Option<&[u8]>, depth: u8) -> String {
    let mut written = String::new();
    write(value, depth, &mut written);
    written
}

fn write(value: Option<&[u8]>, depth: u8, written: &mut String) {
    let (Some(value), Some(depth)) = (value, depth.checked_sub(1)) else { return };
    if let Some(text) = crate::json::text(value) {
        written.push_str(&text);
    } else if let Some(object) = Object::of(value) {
        if let Some(other) = object.text("alternative_text").or_else(|| object.text("expression")) {
            written.push_str(&other);
        }
        write(object.raw("text"), depth, written);
        if object.text("type").as_deref() == Some("url")
            && let Some(url) = object.words("url")
        {
            write_link(written, &url);
        }
    } else {
        for part in elements(value) {
            write(Some(part), depth, written);
        }
    }
}
