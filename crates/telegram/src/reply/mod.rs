//! What a manager wants done, as calls of the Bot API (amocrm.md 9; reference/telegram.md 5 and 6).
//!
//! Pure: a [`Saying`] becomes the messages it takes ([`plan`]), files that belong together an [`album`]; [`Medium`] says
//! as what a file is sent, by its beginning and its size. Who fetches files, sends and keeps to limits is the bridge.
//!
//! Texts are sent as they are: no markup is read into a manager's words.

mod call;
mod keyboard;
mod medium;
mod picture;
mod text;

pub use call::{
    ALBUM_FILES, Call, FileMessage, Item, Part, PartName, Saying, Target, WithFile, album, answer_press,
    plan, reaction, typing,
};
pub use keyboard::{is_ours, pressed};
pub use medium::{HEAD_BYTES, Look, Medium};
pub use text::{CAPTION_UNITS, TEXT_UNITS, split, units};
