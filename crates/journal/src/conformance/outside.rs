//! Links, people and secrets.
#![expect(missing_docs, reason = "the names say it")]
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a failed case panics")]

use tandem_model::{ConnectionId, Conversation, LaneId, Timestamp, UserId};

use super::world::{Engine, World, bot};
use crate::{
    ContactLink, HandOff, Link, LinkScope, PersonChange, Presence, SealedSecret, SecretOwner, StartSource,
};

fn millis(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn connection(id: i64) -> ConnectionId {
    ConnectionId::new(id).unwrap()
}

pub async fn links_are_found_from_both_sides<E: Engine>() {
    let mut world = World::<E>::new().await;
    let lane = LinkScope::Lane(LaneId::new(1).unwrap());
    let account = LinkScope::Connection(connection(1));
    let link = |scope, ours: &str, theirs: &str, at| Link {
        scope,
        ours: ours.to_owned(),
        theirs: theirs.to_owned(),
        at: millis(at),
    };
    let album =
        [link(lane, "chat:2", "crm", 1), link(lane, "chat:1", "crm", 1), link(lane, "chat:3", "crm", 0)];
    let mut all = album.to_vec();
    all.extend([link(account, "chat:1", "elsewhere", 1), link(LinkScope::Bot, "chat:1", "poll", 1)]);
    world.store.put_links(world.lease, world.bot, all).await.unwrap();
    world.reopen().await;
    let find = async |scope, ours: &str| {
        world.store.find_link(world.bot, scope, ours.to_owned()).await.unwrap().map(|link| link.theirs)
    };
    assert_eq!(find(lane, "chat:1").await.as_deref(), Some("crm"));
    assert_eq!(find(account, "chat:1").await.as_deref(), Some("elsewhere"));
    assert_eq!(find(LinkScope::Bot, "chat:1").await.as_deref(), Some("poll"));
    assert_eq!(find(account, "chat:2").await, None);
    let list = async |limit| world.store.list_links(world.bot, lane, "crm".to_owned(), limit).await.unwrap();
    assert_eq!(list(9).await, [album[2].clone(), album[1].clone(), album[0].clone()], "oldest first");
    assert_eq!(list(1).await, [album[2].clone()]);
    let again = link(lane, "chat:1", "other", 5);
    world.store.put_links(world.lease, world.bot, vec![again.clone()]).await.unwrap();
    assert_eq!(world.store.find_link(world.bot, lane, "chat:1".to_owned()).await.unwrap(), Some(again));
    assert_eq!(list(9).await.len(), 2, "one of ours has one of theirs");
    assert_eq!(world.store.find_link(bot(5), lane, "chat:2".to_owned()).await.unwrap(), None);
}

pub async fn a_person_is_put_together_from_what_becomes_known<E: Engine>() {
    let mut world = World::<E>::new().await;
    let user = UserId::new(77).unwrap();
    let nothing = PersonChange { user, phone: None, start: None, presence: None };
    let start = |payload: &str, at| Some(StartSource { payload: payload.to_owned(), at: millis(at) });
    assert_eq!(world.store.find_person(world.bot, user).await.unwrap(), None);
    let blocked = Presence::Blocked { since: millis(9) };
    for change in [
        PersonChange { start: start("second", 20), ..nothing.clone() },
        PersonChange { phone: Some("+7999".to_owned()), ..nothing.clone() },
        PersonChange { start: start("first", 10), presence: Some(blocked), ..nothing.clone() },
        PersonChange { start: start("", 30), ..nothing.clone() },
        nothing.clone(),
    ] {
        world.store.put_person(world.lease, world.bot, change).await.unwrap();
    }
    world.reopen().await;
    let person = world.store.find_person(world.bot, user).await.unwrap().unwrap();
    assert_eq!(person.phone.as_deref(), Some("+7999"));
    assert_eq!((person.first_start, person.latest_start), (start("first", 10), start("", 30)));
    assert_eq!(person.presence, blocked);
    let back = PersonChange { presence: Some(Presence::Reachable), ..nothing };
    world.store.put_person(world.lease, world.bot, back).await.unwrap();
    let person = world.store.find_person(world.bot, user).await.unwrap().unwrap();
    assert_eq!(person.presence, Presence::Reachable);
    assert_eq!(world.store.find_person(bot(5), user).await.unwrap(), None);
}

pub async fn people_are_found_by_the_number_they_shared<E: Engine>() {
    let mut world = World::<E>::new().await;
    let user = |id| UserId::new(id).unwrap();
    let shares = async |world: &World<E>, id, phone: &str| {
        let change =
            PersonChange { user: user(id), phone: Some(phone.to_owned()), start: None, presence: None };
        world.store.put_person(world.lease, world.bot, change).await.unwrap();
    };
    for (id, phone) in [(3, "+79990001122"), (2, "79990001122"), (4, "79990001123"), (5, "9990001122")] {
        shares(&world, id, phone).await;
    }
    world.reopen().await;
    let found = async |world: &World<E>, bot, digits: &str, limit| -> Vec<UserId> {
        let people = world.store.list_people_by_phone(bot, digits.to_owned(), limit).await.unwrap();
        people.into_iter().map(|person| person.user).collect()
    };
    assert_eq!(found(&world, world.bot, "79990001122", 9).await, [user(2), user(3)]);
    assert_eq!(found(&world, world.bot, "79990001122", 1).await, [user(2)]);
    assert_eq!(found(&world, bot(5), "79990001122", 9).await, []);
    shares(&world, 2, "+10000000000").await;
    assert_eq!(found(&world, world.bot, "79990001122", 9).await, [user(3)], "he has another one now");
    assert_eq!(found(&world, world.bot, "10000000000", 9).await, [user(2)]);
}

pub async fn the_newest_links_of_an_account_come_first<E: Engine>() {
    let mut world = World::<E>::new().await;
    let account = LinkScope::Connection(connection(1));
    let link = |scope, ours: &str, at| Link {
        scope,
        ours: ours.to_owned(),
        theirs: "chat".to_owned(),
        at: millis(at),
    };
    let others = [
        link(LinkScope::Connection(connection(2)), "elsewhere", 9),
        link(LinkScope::Lane(LaneId::new(1).unwrap()), "lane", 9),
        link(LinkScope::Bot, "bot", 9),
    ];
    let own = [link(account, "c", 7), link(account, "b", 5), link(account, "a", 5), link(account, "old", 4)];
    let all = others.into_iter().chain(own.clone()).collect();
    world.store.put_links(world.lease, world.bot, all).await.unwrap();
    world.reopen().await;
    let list = async |world: &World<E>, bot, since, limit| {
        world.store.list_recent_links(bot, connection(1), millis(since), limit).await.unwrap()
    };
    assert_eq!(list(&world, world.bot, 5, 9).await, own[..3]);
    assert_eq!(list(&world, world.bot, 0, 1).await, own[..1]);
    assert_eq!(list(&world, bot(5), 0, 9).await, []);
    world.store.put_links(world.lease, world.bot, vec![link(account, "old", 8)]).await.unwrap();
    assert_eq!(list(&world, world.bot, 8, 9).await, [link(account, "old", 8)], "it was used again");
}

pub async fn contacts_are_found_from_both_sides<E: Engine>() {
    let world = World::<E>::new().await;
    let user = |id| UserId::new(id).unwrap();
    let put = async |user, account, contact: &str| {
        let contact = ContactLink { user, connection: connection(account), contact: contact.to_owned() };
        world.store.put_contact(world.lease, world.bot, contact).await.unwrap();
    };
    put(user(2), 1, "c").await;
    put(user(1), 1, "c").await;
    put(user(1), 2, "d").await;
    let find =
        async |user, account| world.store.find_contact(world.bot, user, connection(account)).await.unwrap();
    let users = async |account, contact: &str, limit| {
        world
            .store
            .list_users_of_contact(world.bot, connection(account), contact.to_owned(), limit)
            .await
            .unwrap()
    };
    assert_eq!(find(user(1), 1).await.as_deref(), Some("c"));
    assert_eq!(find(user(1), 2).await.as_deref(), Some("d"));
    assert_eq!(find(user(2), 2).await, None);
    assert_eq!(users(1, "c", 9).await, [user(1), user(2)]);
    assert_eq!(users(1, "c", 1).await, [user(1)]);
    put(user(1), 1, "merged").await;
    assert_eq!(users(1, "c", 9).await, [user(2)]);
    assert_eq!(users(1, "merged", 9).await, [user(1)]);
}

pub async fn a_hand_off_lasts_until_the_latest_word<E: Engine>() {
    let mut world = World::<E>::new().await;
    let conversation = Conversation::chat(1);
    for until in [50, 20] {
        let hand_off = HandOff { conversation: conversation.clone(), until: millis(until) };
        world.store.put_hand_off(world.lease, world.bot, hand_off).await.unwrap();
    }
    world.reopen().await;
    let found = world.store.find_hand_off(world.bot, conversation).await.unwrap().unwrap();
    assert_eq!(found.until, millis(20));
    assert_eq!(world.store.find_hand_off(world.bot, Conversation::chat(2)).await.unwrap(), None);
}

pub async fn secrets_are_kept_apart_by_owner_and_name<E: Engine>() {
    let mut world = World::<E>::new().await;
    let sealed = |bytes: &[u8]| SealedSecret::from_bytes(bytes.to_vec());
    let owners = [
        SecretOwner::Bot(world.bot),
        SecretOwner::App(world.bot, "main".to_owned()),
        SecretOwner::Route(world.bot, "main".to_owned()),
        SecretOwner::Connection(connection(1)),
    ];
    for (number, owner) in (0_u8..).zip(&owners) {
        world.store.put_secret(owner.clone(), "token".to_owned(), sealed(&[number])).await.unwrap();
    }
    world.store.put_secret(owners[0].clone(), "other".to_owned(), sealed(b"\xff")).await.unwrap();
    world.store.put_secret(owners[0].clone(), "token".to_owned(), sealed(b"new")).await.unwrap();
    world.reopen().await;
    let find =
        async |owner: &SecretOwner| world.store.find_secret(owner.clone(), "token".to_owned()).await.unwrap();
    assert_eq!(find(&owners[0]).await, Some(sealed(b"new")));
    assert_eq!(find(&owners[2]).await, Some(sealed(&[2])));
    let listed = world.store.list_secrets(owners[0].clone()).await.unwrap();
    assert_eq!(listed, [("other".to_owned(), sealed(b"\xff")), ("token".to_owned(), sealed(b"new"))]);
    world.store.remove_secret(owners[1].clone(), "token".to_owned()).await.unwrap();
    world.store.remove_secret(owners[1].clone(), "token".to_owned()).await.unwrap();
    assert_eq!(find(&owners[1]).await, None);
    assert_eq!(find(&owners[3]).await, Some(sealed(&[3])));
}
