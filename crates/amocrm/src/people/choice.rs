//! Which of several contacts with one phone or one Telegram id a chat goes to.

/// A contact that may be the client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) id: u64,
    /// When it was changed last, in seconds.
    pub(crate) updated_at: i64,
    pub(crate) has_open_lead: bool,
}

/// The one with an open lead, else the one changed last; the newest of those that are equal.
pub(crate) fn choose(candidates: &[Candidate]) -> Option<u64> {
    let best = candidates.iter().max_by_key(|one| (one.has_open_lead, one.updated_at, one.id));
    best.map(|one| one.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_lead_counts_before_the_last_change_and_that_before_the_number() {
        let one = |id, updated_at, has_open_lead| Candidate { id, updated_at, has_open_lead };
        for (candidates, chosen) in [
            (vec![], None),
            (vec![one(1, 5, false), one(2, 9, false)], Some(2)),
            (vec![one(1, 5, true), one(2, 9, false)], Some(1)),
            (vec![one(1, 5, true), one(2, 9, true)], Some(2)),
            (vec![one(2, 5, false), one(1, 5, false)], Some(2)),
        ] {
            assert_eq!(choose(&candidates), chosen);
        }
    }
}
