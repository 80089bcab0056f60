//! The Bot API's methods, dispatched by their name in lower case.
//!
//! Methods that show something in a chat, or whose state a bot reads back, are acted out in [`super::world`];
//! every other documented method answers as a fresh account would, built from the schema ([`generic`]).
//! `getUpdates`, `getFile`, webhooks, `close` and `logOut` belong to the server core and never come here.

mod admin;
mod album;
mod answers;
mod chats;
mod copying;
mod deleting;
mod editing;
mod forum;
mod generic;
mod input_file;
mod invites;
mod payments;
mod polls;
mod profile;
mod reactions;
mod rich;
mod sending;
mod stickers;
mod target;
mod uploads;

use std::sync::{Arc, MutexGuard};

use serde_json::Value;

use super::params::{Call, Params};
use super::schema::Schema;
use super::world::State;
use super::world::entities::ParseError;
use super::{ApiError, Bot, Telegram};

/// A call that is being answered.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    telegram: &'a Telegram,
    bot: i64,
    call: &'a Call,
}

impl<'a> Request<'a> {
    fn params(&self) -> &'a Params {
        &self.call.params
    }

    fn world(&self) -> MutexGuard<'a, State> {
        self.telegram.world().lock()
    }
}

impl From<ParseError> for ApiError {
    fn from(error: ParseError) -> Self {
        Self::bad_request(error.0)
    }
}

/// Runs a call whose bot is known; its method is in lower case.
pub(crate) async fn call(telegram: &Telegram, bot: &Arc<Bot>, call: Call) -> Result<Value, ApiError> {
    let name = call.method.as_str();
    let Some(method) = Schema::get().find_method(name) else { return Err(telegram.method_not_found()) };
    telegram.world().lock().introduce(bot);
    let request = Request { telegram, bot: bot.id(), call: &call };
    match name {
        "getme" => Ok(profile::get_me(request, bot)),
        "sendmessage" => sending::message(request),
        "sendlocation" => sending::location(request),
        "sendvenue" => sending::venue(request),
        "sendcontact" => sending::contact(request),
        "senddice" => sending::dice(request),
        "sendgame" => sending::game(request),
        "sendchataction" => sending::chat_action(request),
        "sendmessagedraft" | "sendrichmessagedraft" => sending::draft(request),
        "sendrichmessage" => rich::send(request),
        "sendchecklist" => rich::send_checklist(request),
        "editmessagechecklist" => rich::edit_checklist(request),
        "sendphoto" | "senddocument" | "sendvideo" | "sendanimation" | "sendaudio" | "sendvoice"
        | "sendvideonote" | "sendsticker" | "sendlivephoto" => uploads::send(request).await,
        "sendmediagroup" => album::send(request).await,
        "sendpaidmedia" => album::send_paid(request).await,
        "sendpoll" => polls::send(request),
        "stoppoll" => polls::stop(request),
        "sendinvoice" => payments::send_invoice(request),
        "createinvoicelink" => payments::create_link(request),
        "answershippingquery" => payments::answer_shipping(request),
        "answerprecheckoutquery" => payments::answer_checkout(request),
        "refundstarpayment" => payments::refund(request),
        "answercallbackquery" => answers::callback(request),
        "answerinlinequery" => answers::inline(request),
        "editmessagetext" => editing::text(request),
        "editmessagecaption" => editing::caption(request),
        "editmessagemedia" => editing::media(request).await,
        "editmessagereplymarkup" => editing::markup(request),
        "editmessagelivelocation" => editing::live_location(request),
        "stopmessagelivelocation" => editing::stop_live_location(request),
        "setgamescore" => editing::game_score(request),
        "getgamehighscores" => editing::high_scores(request),
        "deletemessage" => deleting::one(request),
        "deletemessages" => deleting::many(request),
        "copymessage" => copying::copy(request),
        "copymessages" => copying::copy_many(request),
        "forwardmessage" => copying::forward(request),
        "forwardmessages" => copying::forward_many(request),
        "setmessagereaction" => reactions::set(request),
        "deletemessagereaction" => reactions::delete(request),
        "deleteallmessagereactions" => reactions::delete_all(request),
        "pinchatmessage" => chats::pin(request),
        "unpinchatmessage" => chats::unpin(request),
        "unpinallchatmessages" | "unpinallforumtopicmessages" | "unpinallgeneralforumtopicmessages" => {
            chats::unpin_all(request)
        }
        "getchat" => chats::get_chat(request),
        "getchatmember" => chats::get_member(request),
        "getchatadministrators" => chats::administrators(request),
        "getchatmembercount" => chats::member_count(request),
        "setchattitle" => chats::set_title(request),
        "setchatdescription" => chats::set_description(request),
        "setchatphoto" => chats::set_photo(request),
        "deletechatphoto" => chats::delete_photo(request),
        "setchatpermissions" => chats::set_permissions(request),
        "leavechat" => chats::leave(request),
        "banchatmember" => admin::ban(request),
        "unbanchatmember" => admin::unban(request),
        "restrictchatmember" => admin::restrict(request),
        "promotechatmember" => admin::promote(request),
        "setchatadministratorcustomtitle" => admin::set_title(request),
        "approvechatjoinrequest" => admin::approve(request),
        "exportchatinvitelink" => invites::export(request),
        "createchatinvitelink" | "createchatsubscriptioninvitelink" => invites::create(request),
        "editchatinvitelink" | "editchatsubscriptioninvitelink" => invites::edit(request),
        "revokechatinvitelink" => invites::revoke(request),
        "createforumtopic" => forum::create(request),
        "editforumtopic" => forum::edit(request),
        "closeforumtopic" | "reopenforumtopic" | "deleteforumtopic" => forum::change(request),
        "closegeneralforumtopic"
        | "reopengeneralforumtopic"
        | "editgeneralforumtopic"
        | "hidegeneralforumtopic"
        | "unhidegeneralforumtopic" => forum::general(request),
        "setmycommands" => profile::set_commands(request),
        "getmycommands" => profile::get_commands(request),
        "deletemycommands" => profile::delete_commands(request),
        "setmyname" | "setmydescription" | "setmyshortdescription" => profile::set_text(request, bot),
        "getmyname" | "getmydescription" | "getmyshortdescription" => Ok(profile::get_text(request, bot)),
        "setchatmenubutton" => profile::set_menu_button(request),
        "getchatmenubutton" => Ok(profile::get_menu_button(request)),
        "setmydefaultadministratorrights" => Ok(profile::set_rights(request)),
        "getmydefaultadministratorrights" => Ok(profile::get_rights(request)),
        "uploadstickerfile" => stickers::upload(request),
        "createnewstickerset" => stickers::create(request),
        "addstickertoset" => stickers::add(request),
        "getstickerset" => stickers::get(request),
        "deletestickerset" => stickers::delete(request),
        _ => generic::answer(request, method),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every other test goes through HTTP; this one guards the table: a name that no documented method has
    /// would never be reached.
    #[test]
    fn the_table_names_only_documented_methods() {
        let source = include_str!("mod.rs");
        let table = &source[source.find("match name {").unwrap()..source.find("_ => generic").unwrap()];
        let names = table.split('"').skip(1).step_by(2);
        for name in names {
            assert!(Schema::get().find_method(name).is_some(), "{name}");
        }
    }
}
