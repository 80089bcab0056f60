//! A look over all lanes at once, for figures: one pass over `lanes`, two steps into `events` for each.
//!
//! The checksums of the rows are not verified here: nothing is delivered by these figures, and whoever delivers
//! verifies what he reads.

use rusqlite::{Connection, Row, params};
use tandem_model::{BotId, LaneId, Timestamp};

use super::{fault::Fault, journals, lane_rows};
use crate::{HeldCounts, LaneGlance, Passed, Survey};

/// States by their codes, see `held`.
const SURVEY: &str = "
    WITH ends AS (
        SELECT journal, bot,
               ifnull((SELECT position & ?2 FROM events
                        WHERE position BETWEEN journal << ?3 AND journal << ?3 | ?2
                        ORDER BY position DESC LIMIT 1), swept_seq) AS last
          FROM journals
    ), counts AS (
        SELECT journal, lane,
               sum(state = 0) AS sending, sum(state = 1) AS retrying,
               sum(state = 2) AS unknown, sum(state = 3) AS dead, count(*) AS held
          FROM held GROUP BY journal, lane
    )
    SELECT ends.bot, lanes.lane, name, kind, paused, max(last - acked, 0) AS behind,
           (SELECT appended_at FROM events
             WHERE position > (lanes.journal << ?3 | acked) AND position <= (lanes.journal << ?3 | ?2)
             ORDER BY position LIMIT 1),
           ifnull(sending, 0), ifnull(retrying, 0), ifnull(unknown, 0), ifnull(dead, 0),
           skipped, expired,
           (SELECT ifnull(sum(count), 0) FROM lost
             WHERE lost.journal = lanes.journal AND lost.lane = lanes.lane)
      FROM lanes
      JOIN ends ON ends.journal = lanes.journal
      LEFT JOIN counts ON counts.journal = lanes.journal AND counts.lane = lanes.lane
     ORDER BY ifnull(held, 0) DESC, behind DESC, ends.bot, lanes.lane
     LIMIT ?1";

pub(super) fn survey(connection: &Connection, limit: i64) -> Result<Survey, Fault> {
    let mut statement = connection.prepare_cached(SURVEY)?;
    let mut rows = statement.query(params![limit, journals::LAST_SEQ, journals::SEQ_BITS])?;
    let mut lanes = Vec::new();
    while let Some(row) = rows.next()? {
        lanes.push(glance(row)?);
    }
    let all: i64 = connection.query_row("SELECT count(*) FROM lanes", [], |row| row.get(0))?;
    Ok(Survey { lanes, all: u64::try_from(all).unwrap_or(0) })
}

fn glance(row: &Row<'_>) -> Result<LaneGlance, Fault> {
    let count =
        |column: usize| -> Result<u64, Fault> { Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0)) };
    let bot: i64 = row.get(0)?;
    let lane: i64 = row.get(1)?;
    Ok(LaneGlance {
        bot: BotId::new(bot).map_err(|error| Fault::corrupt(error.to_string()))?,
        lane: LaneId::new(lane).map_err(|error| Fault::corrupt(error.to_string()))?,
        name: row.get(2)?,
        kind: lane_rows::kind_of(row.get(3)?)
            .ok_or_else(|| Fault::corrupt(format!("kind of lane {lane} of bot {bot}")))?,
        paused: row
            .get::<_, Option<i64>>(4)?
            .map(|code| {
                lane_rows::pause_of(code)
                    .ok_or_else(|| Fault::corrupt(format!("paused of lane {lane} of bot {bot}")))
            })
            .transpose()?,
        behind: count(5)?,
        oldest: row.get::<_, Option<i64>>(6)?.map(Timestamp::from_millis),
        held: HeldCounts { sending: count(7)?, retrying: count(8)?, unknown: count(9)?, dead: count(10)? },
        passed: Passed { skipped: count(11)?, expired: count(12)? },
        lost: count(13)?,
    })
}
