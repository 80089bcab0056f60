//! Everything a store holds, as lines of text that can be compared and read.

use anyhow::Result;
use tandem_journal::{HeldStates, LinkScope, Page, SecretOwner, Shard, Store};
use tandem_model::{BotId, ConnectionId, Conversation, Seq, UserId};

use crate::workload::{ROUNDS, bots};

const ALL: usize = 1000;
const PAGE: Page = Page { events: ALL, bytes: usize::MAX };

/// What can be read of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dump(Vec<String>);

impl Dump {
    pub(crate) async fn of(store: &dyn Store) -> Result<Self> {
        let mut lines = vec![
            format!("revision {:?}", store.revision().await?),
            format!("bots {:?}", store.list_bots(None, ALL).await?),
            format!("connections {:?}", store.list_connections(None, ALL).await?),
        ];
        lines.extend(store.list_leases().await?.iter().map(|holder| format!("{holder:?}")));
        for bot in bots() {
            of_bot(store, bot, &mut lines).await?;
        }
        Ok(Self(lines))
    }

    pub(crate) fn has(&self, line: &str) -> bool {
        self.0.iter().any(|have| have == line)
    }

    /// What only one of the two has.
    pub(crate) fn difference(&self, other: &Self) -> String {
        let only = |a: &Self, b: &Self, mark: &str| -> String {
            a.0.iter().filter(|line| !b.has(line)).flat_map(|line| [mark, " ", clip(line), "\n"]).collect()
        };
        only(self, other, "-") + &only(other, self, "+")
    }
}

/// Bodies are long, and what differs mostly stands before them.
fn clip(line: &str) -> &str {
    line.get(..400).unwrap_or(line)
}

async fn of_bot(store: &dyn Store, bot: BotId, lines: &mut Vec<String>) -> Result<()> {
    lines.push(format!("{bot} head {:?}", store.head(bot).await?));
    let journal = store.read_journal(bot, Seq::ZERO, PAGE).await?;
    lines.extend(journal.events.iter().map(|event| format!("{event:?}")));
    lines.push(format!("{bot} apps {:?}", store.list_apps(bot).await?));
    lines.push(format!("{bot} routes {:?}", store.list_routes(bot).await?));
    lines.push(format!("{bot} secrets {:?}", secrets(store, SecretOwner::Bot(bot)).await?));
    lines.push(format!("{bot} inbox {:?}", store.list_inbox(Shard::of(bot), None, ALL).await?));
    for lane in store.list_lanes(bot, None, ALL).await? {
        lines.push(format!("{lane:?}"));
        let (id, what) = (lane.id, format!("{bot} lane {}", lane.id));
        for held in store.list_held(bot, id, HeldStates::ALL, Seq::ZERO, ALL).await? {
            lines.push(format!("{what} {held:?}"));
        }
        lines.push(format!("{what} counts {:?}", store.count_held(bot, id).await?));
        lines.push(format!("{what} blocked {:?}", store.list_blocked(bot, id, None, ALL).await?));
        lines.push(format!("{what} lost {:?}", store.list_lost(bot, id, Seq::ZERO, ALL).await?));
        let page = store.read_lane(bot, id, Seq::ZERO, PAGE).await?;
        let seen: Vec<Seq> = page.events.iter().map(|event| event.seq).collect();
        lines.push(format!("{what} sees {seen:?} to {:?}", page.scanned_to));
    }
    for number in 0..ROUNDS {
        let ours = format!("ours{number}");
        lines.push(format!("{bot} link {:?}", store.find_link(bot, LinkScope::Bot, ours).await?));
        let user = UserId::new(number + 1)?;
        lines.push(format!("{bot} person {:?}", store.find_person(bot, user).await?));
        let contact = store.find_contact(bot, user, ConnectionId::new(1)?).await?;
        lines.push(format!("{bot} contact of {user} {contact:?}"));
        let hand_off = store.find_hand_off(bot, Conversation::chat(number)).await?;
        lines.push(format!("{bot} hand-off {hand_off:?}"));
    }
    Ok(())
}

async fn secrets(store: &dyn Store, owner: SecretOwner) -> Result<Vec<(String, Vec<u8>)>> {
    let secrets = store.list_secrets(owner).await?;
    Ok(secrets.into_iter().map(|(name, secret)| (name, secret.as_bytes().to_vec())).collect())
}
