//! Service messages: what happened in a chat, as one line each.

use super::{
    Reader,
    content::own_text,
    lines::{day, money, stars},
    object::{Object, elements},
    person::{chat_name, user_name},
    text::excerpt,
};

type Say = fn(&Reader, &Object<'_>) -> String;

/// How much is shown of what a web app sends, of a title or of a comment.
const LONG: usize = 1000;

/// The members that say what happened.
pub(super) const SERVICE: &[(&str, Say)] = &[
    ("new_chat_members", |r, m| {
        r.with("Вступили в чат", "Joined the chat", &names(&m.objects("new_chat_members")))
    }),
    ("left_chat_member", |r, m| {
        r.with("Больше не в чате", "Left the chat", &name(m.object("left_chat_member").as_ref()))
    }),
    ("chat_owner_left", |r, m| {
        let owner = m.object("chat_owner_left").and_then(|left| left.object("new_owner"));
        r.with("Владелец покинул чат", "The chat's owner has left", &name(owner.as_ref()))
    }),
    ("chat_owner_changed", |r, m| {
        let owner = m.object("chat_owner_changed").and_then(|changed| changed.object("new_owner"));
        r.with("Новый владелец чата", "The chat has a new owner", &name(owner.as_ref()))
    }),
    ("new_chat_title", |r, m| {
        r.with("Новое название чата", "The chat's new title", &m.words("new_chat_title").unwrap_or_default())
    }),
    ("new_chat_photo", |r, _| r.say("Новое фото чата", "The chat has a new photo")),
    ("delete_chat_photo", |r, _| r.say("Фото чата удалено", "The chat's photo was deleted")),
    ("group_chat_created", |r, _| r.say("Группа создана", "The group was created")),
    ("supergroup_chat_created", |r, _| r.say("Супергруппа создана", "The supergroup was created")),
    ("channel_chat_created", |r, _| r.say("Канал создан", "The channel was created")),
    ("message_auto_delete_timer_changed", |r, m| {
        let timer = m.object("message_auto_delete_timer_changed");
        match timer.and_then(|timer| timer.integer("message_auto_delete_time")).unwrap_or_default() {
            0 => r.say("Автоудаление сообщений выключено", "Messages are no longer deleted by themselves"),
            seconds => r.language.pick(
                format!("Сообщения удаляются через {seconds} с"),
                format!("Messages are deleted after {seconds} s"),
            ),
        }
    }),
    ("migrate_to_chat_id", |r, _| r.say("Группа стала супергруппой", "The group has become a supergroup")),
    ("migrate_from_chat_id", |r, _| r.say("Группа стала супергруппой", "The group has become a supergroup")),
    ("pinned_message", |r, m| {
        let pinned = m.object("pinned_message").map(|pinned| r.excerpt(&pinned)).unwrap_or_default();
        r.with("Закреплено сообщение", "A message was pinned", &pinned)
    }),
    ("successful_payment", |r, m| r.payment(&m.object("successful_payment").unwrap_or_default())),
    ("refunded_payment", |r, m| {
        let money = money(&m.object("refunded_payment").unwrap_or_default());
        r.with("Платёж возвращён", "Refunded", &money)
    }),
    ("users_shared", |r, m| {
        let users = m.object("users_shared").unwrap_or_default().objects("users");
        r.with("Выбраны пользователи", "Users shared", &names(&users))
    }),
    ("chat_shared", |r, m| {
        let chat = m.object("chat_shared").unwrap_or_default();
        let id = || chat.integer("chat_id").map(|id| id.to_string());
        r.with("Выбран чат", "A chat was shared", &chat_name(&chat).or_else(id).unwrap_or_default())
    }),
    ("gift", |r, m| r.gift(&m.object("gift").unwrap_or_default(), "Подарок", "A gift")),
    ("unique_gift", |r, m| {
        let gift = m.object("unique_gift").and_then(|info| info.object("gift")).unwrap_or_default();
        r.with("Уникальный подарок", "A unique gift", &gift.words("base_name").unwrap_or_default())
    }),
    ("gift_upgrade_sent", |r, m| {
        let gift = m.object("gift_upgrade_sent").unwrap_or_default();
        r.gift(&gift, "Улучшение подарка", "An upgrade of a gift")
    }),
    ("connected_website", |r, m| {
        r.with("Вход на сайт", "Logged in to a website", &m.words("connected_website").unwrap_or_default())
    }),
    ("write_access_allowed", |r, _| r.say("Боту разрешено писать", "The bot was allowed to write")),
    ("passport_data", |r, _| r.say("Присланы данные Telegram Passport", "Telegram Passport data was sent")),
    ("proximity_alert_triggered", |r, m| {
        let alert = m.object("proximity_alert_triggered").unwrap_or_default();
        let (traveler, watcher) =
            (name(alert.object("traveler").as_ref()), name(alert.object("watcher").as_ref()));
        let metres = alert.integer("distance").unwrap_or_default();
        r.language.pick(
            format!("{traveler} и {watcher}: расстояние {metres} м"),
            format!("{traveler} and {watcher} are {metres} m apart"),
        )
    }),
    ("boost_added", |r, m| {
        let count = m.object("boost_added").and_then(|boost| boost.integer("boost_count")).unwrap_or(1);
        r.with("Голос за чат", "Boosted the chat", &count.to_string())
    }),
    ("chat_background_set", |r, _| r.say("Новый фон чата", "The chat has a new background")),
    ("checklist_tasks_done", |r, m| r.tasks_done(&m.object("checklist_tasks_done").unwrap_or_default())),
    ("checklist_tasks_added", |r, m| {
        let tasks = m.object("checklist_tasks_added").unwrap_or_default().objects("tasks");
        r.with("Добавлено в список дел", "Added to the checklist", &texts(&tasks))
    }),
    ("direct_message_price_changed", |r, m| {
        let changed = m.object("direct_message_price_changed").unwrap_or_default();
        let stars = stars(changed.integer("direct_message_star_count").unwrap_or_default());
        if changed.is_set("are_direct_messages_enabled") {
            r.with("Цена сообщения каналу", "The price of a message to the channel", &stars)
        } else {
            r.say("Сообщения каналу выключены", "Messages to the channel are off")
        }
    }),
    ("forum_topic_created", |r, m| {
        r.with("Создана тема", "A topic was created", &inner(m, "forum_topic_created", "name"))
    }),
    ("forum_topic_edited", |r, m| {
        r.with("Тема изменена", "The topic was changed", &inner(m, "forum_topic_edited", "name"))
    }),
    ("forum_topic_closed", |r, _| r.say("Тема закрыта", "The topic was closed")),
    ("forum_topic_reopened", |r, _| r.say("Тема снова открыта", "The topic was opened again")),
    ("general_forum_topic_hidden", |r, _| r.say("Общая тема скрыта", "The general topic was hidden")),
    ("general_forum_topic_unhidden", |r, _| {
        r.say("Общая тема снова видна", "The general topic is shown again")
    }),
    ("giveaway_created", |r, m| {
        let count = m.object("giveaway_created").and_then(|created| created.integer("prize_star_count"));
        let stars = count.map(stars).unwrap_or_default();
        r.with("Создан розыгрыш", "A giveaway was created", &stars)
    }),
    ("giveaway_completed", |r, m| {
        let winners = m.object("giveaway_completed").and_then(|done| done.integer("winner_count"));
        let winners = winners.unwrap_or_default().to_string();
        r.with("Розыгрыш завершён, победителей", "The giveaway is over, winners", &winners)
    }),
    ("managed_bot_created", |r, m| {
        let bot = m.object("managed_bot_created").and_then(|created| created.object("bot"));
        r.with("Создан бот", "A bot was created", &name(bot.as_ref()))
    }),
    ("paid_message_price_changed", |r, m| {
        let changed = m.object("paid_message_price_changed").unwrap_or_default();
        let stars = stars(changed.integer("paid_message_star_count").unwrap_or_default());
        r.with("Новая цена сообщения", "The new price of a message", &stars)
    }),
    ("poll_option_added", |r, m| {
        r.with("Новый вариант в опросе", "Added to the poll", &inner(m, "poll_option_added", "option_text"))
    }),
    ("poll_option_deleted", |r, m| {
        r.with(
            "Вариант убран из опроса",
            "Removed from the poll",
            &inner(m, "poll_option_deleted", "option_text"),
        )
    }),
    ("suggested_post_approved", |r, m| {
        let approved = m.object("suggested_post_approved").unwrap_or_default();
        let on = approved.integer("send_date").map(day).unwrap_or_default();
        r.with("Предложенный пост одобрен", "The suggested post was approved", &on)
    }),
    ("suggested_post_approval_failed", |r, _| {
        r.say("Предложенный пост не удалось одобрить", "The suggested post could not be approved")
    }),
    ("suggested_post_declined", |r, m| {
        let comment = inner(m, "suggested_post_declined", "comment");
        r.with("Предложенный пост отклонён", "The suggested post was declined", &comment)
    }),
    ("suggested_post_paid", |r, _| r.say("Предложенный пост оплачен", "The suggested post was paid for")),
    ("suggested_post_refunded", |r, _| {
        r.say("Оплата предложенного поста возвращена", "The payment for the suggested post was refunded")
    }),
    ("video_chat_scheduled", |r, m| {
        let scheduled = m.object("video_chat_scheduled").unwrap_or_default();
        let on = scheduled.integer("start_date").map(day).unwrap_or_default();
        r.with("Назначен видеочат", "A video chat is planned", &on)
    }),
    ("video_chat_started", |r, _| r.say("Видеочат начался", "A video chat has begun")),
    ("video_chat_ended", |r, _| r.say("Видеочат окончен", "The video chat is over")),
    ("video_chat_participants_invited", |r, m| {
        let invited = m.object("video_chat_participants_invited").unwrap_or_default().objects("users");
        r.with("Приглашены в видеочат", "Invited to the video chat", &names(&invited))
    }),
    ("web_app_data", |r, m| {
        let data = m.object("web_app_data").unwrap_or_default();
        let button = data.words("button_text").unwrap_or_default();
        let sent = excerpt(&data.text("data").unwrap_or_default(), LONG);
        r.language.pick(format!("Данные из «{button}»: {sent}"), format!("Data from “{button}”: {sent}"))
    }),
    ("community_chat_added", |r, m| {
        let community = m.object("community_chat_added").and_then(|added| added.object("community"));
        let community = community.and_then(|community| community.words("name")).unwrap_or_default();
        r.with("Чат теперь в сообществе", "The chat is now in a community", &community)
    }),
    ("community_chat_removed", |r, _| {
        r.say("Чат больше не в сообществе", "The chat is no longer in a community")
    }),
    ("community_chat_joined", |r, _| r.say("Вступление через сообщество", "Joined through a community")),
];

impl Reader {
    /// What a service message says.
    pub(super) fn service(&self, message: &Object<'_>) -> Option<String> {
        let (_, say) = SERVICE.iter().find(|(member, _)| message.has(member))?;
        Some(say(self, message))
    }

    fn say(&self, russian: &str, english: &str) -> String {
        self.language.pick(russian, english).to_owned()
    }

    /// A line, and what it is about if that is known.
    pub(super) fn with(&self, russian: &str, english: &str, what: &str) -> String {
        let line = self.language.pick(russian, english);
        match excerpt(what, LONG) {
            what if what.is_empty() => line.to_owned(),
            what => format!("{line}: {what}"),
        }
    }

    fn payment(&self, payment: &Object<'_>) -> String {
        let mut lines = vec![self.with("Оплачено", "Paid", &money(payment))];
        let order = payment.object("order_info").unwrap_or_default();
        let person: Vec<_> =
            ["name", "phone_number", "email"].iter().filter_map(|part| order.words(part)).collect();
        let address = order.object("shipping_address").unwrap_or_default();
        let parts = ["post_code", "country_code", "state", "city", "street_line1", "street_line2"];
        let address: Vec<_> = parts.iter().filter_map(|part| address.words(part)).collect();
        lines.extend([person.join(", "), address.join(", ")].into_iter().filter(|line| !line.is_empty()));
        lines.join("\n")
    }

    fn gift(&self, info: &Object<'_>, russian: &str, english: &str) -> String {
        let emoji = info
            .object("gift")
            .and_then(|gift| gift.object("sticker"))
            .and_then(|sticker| sticker.words("emoji"))
            .unwrap_or_default();
        let text = own_text(info, "text", "entities").unwrap_or_default();
        self.with(russian, english, format!("{emoji} {text}").trim())
    }

    fn tasks_done(&self, done: &Object<'_>) -> String {
        let list = done.object("checklist_message").and_then(|message| message.object("checklist"));
        let tasks = list.unwrap_or_default().objects("tasks");
        let named = |member| {
            let ids = done.raw(member).map(elements).unwrap_or_default();
            let of = |id: &[u8]| {
                let task = tasks.iter().find(|task| task.raw("id") == Some(id))?;
                task.words("text")
            };
            ids.iter().take(MANY).filter_map(|id| of(id)).collect::<Vec<_>>().join(", ")
        };
        let lines = [
            ("marked_as_done_task_ids", "Выполнено", "Done"),
            ("marked_as_not_done_task_ids", "Снова не выполнено", "Not done after all"),
        ];
        lines
            .into_iter()
            .filter(|(member, ..)| done.has(member))
            .map(|(member, russian, english)| self.with(russian, english, &named(member)))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// How many things are named in one line.
const MANY: usize = 30;

fn name(user: Option<&Object<'_>>) -> String {
    user.and_then(user_name).unwrap_or_default()
}

fn names(users: &[Object<'_>]) -> String {
    let id = |user: &Object<'_>| user.integer("user_id").or_else(|| user.integer("id"));
    let name = |user: &Object<'_>| user_name(user).or_else(|| Some(id(user)?.to_string()));
    users.iter().take(MANY).filter_map(name).collect::<Vec<_>>().join(", ")
}

fn texts(tasks: &[Object<'_>]) -> String {
    tasks.iter().take(MANY).filter_map(|task| task.words("text")).collect::<Vec<_>>().join(", ")
}

fn inner(message: &Object<'_>, member: &str, part: &str) -> String {
    message.object(member).and_then(|inside| inside.words(part)).unwrap_or_default()
}
