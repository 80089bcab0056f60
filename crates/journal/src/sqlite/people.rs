//! Rows of `people`, `contacts` and `hand_offs`.

use rusqlite::{Connection, OptionalExtension, params};
use tandem_model::{ConnectionId, Conversation, Timestamp, UserId};

use super::{fault::Fault, sums::Sum};
use crate::{ContactLink, HandOff, Person, PersonChange, Presence, StartSource};

fn sum(journal: i64, person: &Person) -> Sum {
    let start = |sum: Sum, start: &Option<StartSource>| match start {
        None => sum.int(0),
        Some(start) => sum.int(1).text(&start.payload).int(start.at.as_millis()),
    };
    let sum = Sum::of("people").int(journal).int(person.user.get()).maybe_text(person.phone.as_deref());
    let sum = start(start(sum, &person.first_start), &person.latest_start);
    sum.maybe(blocked_since(person.presence))
}

fn blocked_since(presence: Presence) -> Option<i64> {
    match presence {
        Presence::Reachable => None,
        Presence::Blocked { since } => Some(since.as_millis()),
    }
}

pub(super) fn find(connection: &Connection, journal: i64, user: UserId) -> Result<Option<Person>, Fault> {
    let row = connection
        .prepare_cached(
            "SELECT phone, first_start, first_at, latest_start, latest_at, blocked_since, sum
             FROM people
             WHERE journal = ?1 AND user = ?2",
        )?
        .query_row(params![journal, user.get()], |row| {
            let start = |text: Option<String>, at: Option<i64>| {
                text.zip(at).map(|(payload, at)| StartSource { payload, at: Timestamp::from_millis(at) })
            };
            let person = Person {
                user,
                phone: row.get(0)?,
                first_start: start(row.get(1)?, row.get(2)?),
                latest_start: start(row.get(3)?, row.get(4)?),
                presence: match row.get::<_, Option<i64>>(5)? {
                    None => Presence::Reachable,
                    Some(since) => Presence::Blocked { since: Timestamp::from_millis(since) },
                },
            };
            Ok((person, row.get::<_, i64>(6)?))
        })
        .optional()?;
    let Some((person, stored)) = row else { return Ok(None) };
    sum(journal, &person).verify(stored, || format!("person {user} of journal {journal}"))?;
    Ok(Some(person))
}

pub(super) fn list_by_phone(
    connection: &Connection,
    journal: i64,
    digits: &str,
    limit: i64,
) -> Result<Vec<Person>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT user
         FROM people INDEXED BY people_phone
         WHERE journal = ?1 AND phone IN (?2, '+' || ?2)
         ORDER BY user
         LIMIT ?3",
    )?;
    let users: Vec<i64> =
        statement.query_map(params![journal, digits, limit], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut people = Vec::new();
    for user in users {
        let user = UserId::new(user).map_err(|error| Fault::corrupt(error.to_string()))?;
        people.extend(find(connection, journal, user)?);
    }
    Ok(people)
}

pub(super) fn put(connection: &Connection, journal: i64, change: &PersonChange) -> Result<(), Fault> {
    let mut person = find(connection, journal, change.user)?.unwrap_or(Person {
        user: change.user,
        phone: None,
        first_start: None,
        latest_start: None,
        presence: Presence::Reachable,
    });
    if change.phone.is_some() {
        person.phone.clone_from(&change.phone);
    }
    if let Some(start) = &change.start {
        if person.first_start.as_ref().is_none_or(|first| start.at < first.at) {
            person.first_start = Some(start.clone());
        }
        if person.latest_start.as_ref().is_none_or(|latest| start.at >= latest.at) {
            person.latest_start = Some(start.clone());
        }
    }
    if let Some(presence) = change.presence {
        person.presence = presence;
    }
    let (first, latest) = (person.first_start.as_ref(), person.latest_start.as_ref());
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO people
                 (journal, user, phone, first_start, first_at, latest_start, latest_at, blocked_since, sum)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            journal,
            person.user.get(),
            person.phone,
            first.map(|start| &start.payload),
            first.map(|start| start.at.as_millis()),
            latest.map(|start| &start.payload),
            latest.map(|start| start.at.as_millis()),
            blocked_since(person.presence),
            sum(journal, &person).done()
        ])?;
    Ok(())
}

fn contact_sum(journal: i64, user: i64, connection: i64, contact: &str) -> Sum {
    Sum::of("contacts").int(journal).int(user).int(connection).text(contact)
}

pub(super) fn put_contact(connection: &Connection, journal: i64, contact: &ContactLink) -> Result<(), Fault> {
    let (user, account) = (contact.user.get(), contact.connection.get());
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO contacts (journal, user, connection, contact, sum)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            journal,
            user,
            account,
            contact.contact,
            contact_sum(journal, user, account, &contact.contact).done()
        ])?;
    Ok(())
}

pub(super) fn find_contact(
    connection: &Connection,
    journal: i64,
    user: UserId,
    account: ConnectionId,
) -> Result<Option<String>, Fault> {
    let row: Option<(String, i64)> = connection
        .prepare_cached(
            "SELECT contact, sum
             FROM contacts
             WHERE journal = ?1 AND user = ?2 AND connection = ?3",
        )?
        .query_row(params![journal, user.get(), account.get()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((contact, stored)) = row else { return Ok(None) };
    contact_sum(journal, user.get(), account.get(), &contact)
        .verify(stored, || format!("the contact of person {user} of journal {journal}"))?;
    Ok(Some(contact))
}

pub(super) fn list_users_of_contact(
    connection: &Connection,
    journal: i64,
    account: ConnectionId,
    contact: &str,
    limit: i64,
) -> Result<Vec<UserId>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT user, sum
         FROM contacts
         WHERE journal = ?1 AND connection = ?2 AND contact = ?3
         ORDER BY user
         LIMIT ?4",
    )?;
    let mut rows = statement.query(params![journal, account.get(), contact, limit])?;
    let mut users = Vec::new();
    while let Some(row) = rows.next()? {
        let user: i64 = row.get(0)?;
        contact_sum(journal, user, account.get(), contact)
            .verify(row.get(1)?, || format!("the contact of person {user} of journal {journal}"))?;
        users.push(UserId::new(user).map_err(|error| Fault::corrupt(error.to_string()))?);
    }
    Ok(users)
}

fn hand_off_sum(journal: i64, conversation: &Conversation, until: i64) -> Sum {
    Sum::of("hand_offs").int(journal).text(conversation.as_str()).int(until)
}

pub(super) fn put_hand_off(connection: &Connection, journal: i64, hand_off: &HandOff) -> Result<(), Fault> {
    let until = hand_off.until.as_millis();
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO hand_offs (journal, conversation, until, sum)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            journal,
            hand_off.conversation.as_str(),
            until,
            hand_off_sum(journal, &hand_off.conversation, until).done()
        ])?;
    Ok(())
}

pub(super) fn find_hand_off(
    connection: &Connection,
    journal: i64,
    conversation: &Conversation,
) -> Result<Option<HandOff>, Fault> {
    let row: Option<(i64, i64)> = connection
        .prepare_cached(
            "SELECT until, sum
             FROM hand_offs
             WHERE journal = ?1 AND conversation = ?2",
        )?
        .query_row(params![journal, conversation.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((until, stored)) = row else { return Ok(None) };
    hand_off_sum(journal, conversation, until)
        .verify(stored, || format!("the hand-off of {conversation} in journal {journal}"))?;
    Ok(Some(HandOff { conversation: conversation.clone(), until: Timestamp::from_millis(until) }))
}
