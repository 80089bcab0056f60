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
pub(crate) struct Context<'a> {
    telegram: &'a Telegram,
    bot: i64,
    call: &'a Call,
}

impl<'a> Context<'a> {
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
    let context = Context { telegram, bot: bot.id(), call: &call };
    match name {
        "getme" => profile::get_me(context, bot),
        "sendmessage" => sending::message(context),
        "sendlocation" => sending::location(context),
        "sendvenue" => sending::venue(context),
        "sendcontact" => sending::contact(context),
        "senddice" => sending::dice(context),
        "sendgame" => sending::game(context),
        "sendchataction" => sending::chat_action(context),
        "sendmessagedraft" | "sendrichmessagedraft" => sending::draft(context),
        "sendrichmessage" => rich::send(context),
        "sendchecklist" => rich::send_checklist(context),
        "editmessagechecklist" => rich::edit_checklist(context),
        "sendphoto" | "senddocument" | "sendvideo" | "sendanimation" | "sendaudio" | "sendvoice"
        | "sendvideonote" | "sendsticker" | "sendlivephoto" => uploads::send(context).await,
        "sendmediagroup" => album::send(context).await,
        "sendpaidmedia" => album::send_paid(context).await,
        "sendpoll" => polls::send(context),
        "stoppoll" => polls::stop(context),
        "sendinvoice" => payments::send_invoice(context),
        "createinvoicelink" => payments::create_link(context),
        "answershippingquery" => payments::answer_shipping(context),
        "answerprecheckoutquery" => payments::answer_checkout(context),
        "refundstarpayment" => payments::refund(context),
        "answercallbackquery" => answers::callback(context),
        "answerinlinequery" => answers::inline(context),
        "editmessagetext" => editing::text(context),
        "editmessagecaption" => editing::caption(context),
        "editmessagemedia" => editing::media(context).await,
        "editmessagereplymarkup" => editing::markup(context),
        "editmessagelivelocation" => editing::live_location(context),
        "stopmessagelivelocation" => editing::stop_live_location(context),
        "setgamescore" => editing::game_score(context),
        "getgamehighscores" => editing::high_scores(context),
        "deletemessage" => deleting::one(context),
        "deletemessages" => deleting::many(context),
        "copymessage" => copying::copy(context),
        "copymessages" => copying::copy_many(context),
        "forwardmessage" => copying::forward(context),
        "forwardmessages" => copying::forward_many(context),
        "setmessagereaction" => reactions::set(context),
        "deletemessagereaction" => reactions::delete(context),
        "deleteallmessagereactions" => reactions::delete_all(context),
        "pinchatmessage" => chats::pin(context),
        "unpinchatmessage" => chats::unpin(context),
        "unpinallchatmessages" | "unpinallforumtopicmessages" | "unpinallgeneralforumtopicmessages" => {
            chats::unpin_all(context)
        }
        "getchat" => chats::get_chat(context),
        "getchatmember" => chats::get_member(context),
        "getchatadministrators" => chats::administrators(context),
        "getchatmembercount" => chats::member_count(context),
        "setchattitle" => chats::set_title(context),
        "setchatdescription" => chats::set_description(context),
        "setchatphoto" => chats::set_photo(context),
        "deletechatphoto" => chats::delete_photo(context),
        "setchatpermissions" => chats::set_permissions(context),
        "leavechat" => chats::leave(context),
        "banchatmember" => admin::ban(context),
        "unbanchatmember" => admin::unban(context),
        "restrictchatmember" => admin::restrict(context),
        "promotechatmember" => admin::promote(context),
        "setchatadministratorcustomtitle" => admin::set_title(context),
        "approvechatjoinrequest" => admin::approve(context),
        "exportchatinvitelink" => invites::export(context),
        "createchatinvitelink" | "createchatsubscriptioninvitelink" => invites::create(context),
        "editchatinvitelink" | "editchatsubscriptioninvitelink" => invites::edit(context),
        "revokechatinvitelink" => invites::revoke(context),
        "createforumtopic" => forum::create(context),
        "editforumtopic" => forum::edit(context),
        "closeforumtopic" | "reopenforumtopic" | "deleteforumtopic" => forum::change(context),
        "closegeneralforumtopic"
        | "reopengeneralforumtopic"
        | "editgeneralforumtopic"
        | "hidegeneralforumtopic"
        | "unhidegeneralforumtopic" => forum::general(context),
        "setmycommands" => profile::set_commands(context),
        "getmycommands" => profile::get_commands(context),
        "deletemycommands" => profile::delete_commands(context),
        "setmyname" | "setmydescription" | "setmyshortdescription" => profile::set_text(context, bot),
        "getmyname" | "getmydescription" | "getmyshortdescription" => profile::get_text(context, bot),
        "setchatmenubutton" => profile::set_menu_button(context),
        "getchatmenubutton" => profile::get_menu_button(context),
        "setmydefaultadministratorrights" => profile::set_rights(context),
        "getmydefaultadministratorrights" => profile::get_rights(context),
        "uploadstickerfile" => stickers::upload(context),
        "createnewstickerset" => stickers::create(context),
        "addstickertoset" => stickers::add(context),
        "getstickerset" => stickers::get(context),
        "deletestickerset" => stickers::delete(context),
        _ => generic::answer(context, method),
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
